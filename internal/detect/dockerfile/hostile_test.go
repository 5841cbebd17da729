package dockerfile

import (
	"context"
	"os"
	"strings"
	"testing"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	editing "github.com/portcullis-ci/portcullis/internal/edit"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// TestHostileFiles: a file that was made to do harm ends in findings or in
// "cannot judge", in bounded time and memory, and never passes in silence.
func TestHostileFiles(t *testing.T) {
	// The full sizes take a minute on a busy machine; a part of them shows the same
	// growth. PORTCULLIS_FULL_SIZE=1 asks for the full ones.
	many := 5_000
	if os.Getenv("PORTCULLIS_FULL_SIZE") != "" {
		many = 100_000
	}
	from := "FROM debian:12\n"
	tests := []struct {
		name    string
		text    string
		blind   bool   // a failure is due: the file cannot be judged
		finding string // a rule that must fire
	}{
		{"a line of 64 MiB", from + "RUN " + strings.Repeat("a", 64<<20), true, ""},
		{"a line of 1 MiB", from + "RUN " + strings.Repeat("a ", 1<<19) + "\nUSER root\n", false, "PC-DF001"},
		{"a RUN of very many lines", from + "RUN true" + strings.Repeat(" \\\n  && sudo echo x", 2*many) + "\n", false, "PC-DF004"},
		{"very many lines", from + strings.Repeat("RUN sudo a\n", many), false, "PC-DF004"},
		{"values that double", from + "ENV A=xxxxxxxxxx\n" + strings.Repeat("ENV A=$A$A\n", 64) + "USER root\n", true, "PC-DF001"},
		{"many references in one value", from + "ENV A=" + strings.Repeat("x", 60_000) + "\nENV B=" + strings.Repeat("$A", 20_000) + "\n", true, ""},
		{"an endless here-document", from + "RUN <<EOF\n" + strings.Repeat("a\n", many), true, "PC-DF100"},
		{"many endless here-documents", from + strings.Repeat("RUN <<EOF\n", many/2), true, "PC-DF100"},
		{"ONBUILD in ONBUILD", from + strings.Repeat("ONBUILD ", 5_000) + "RUN a\n", false, "PC-DF116"},
		{"ONBUILD over many lines", from + strings.Repeat("ONBUILD \\\n", many) + "RUN a\n", false, "PC-DF116"},
		{"directives twice", "# escape=`\n# escape=\\\n" + from, false, "PC-DF100"},
		{"hidden directions", from + "RUN echo \u202e a\n", false, "PC-DF035"},
		{"UTF-16", "\xff\xfeF\x00R\x00O\x00M\x00", true, "PC-DF100"},
		{"binary", "FROM\x00\x01\x02", true, "PC-DF100"},
		{"Latin-1", from + "# caf\xe9\n", true, "PC-DF100"},
		{"commands for terminals and CI", from + "USER root\nLABEL a=\"\x1b[2J::set-output name=x::y\"\n", false, "PC-DF001"},
		{"nothing", "", true, "PC-DF100"},
		{"blank lines", "\n\n\n", true, "PC-DF100"},
		{"very many stages", strings.Repeat("FROM debian AS x\n", many), false, "PC-DF005"},
		{"very many stages in a chain", from + chain(many), false, "PC-DF002"},
		{"5,000 stages in a chain that define variables", from + strings.ReplaceAll(chain(5_000), "\n", "\nENV A=$A-\n"), true, ""},
		{"deep brackets", from + "RUN " + strings.Repeat("(", 60_000) + "\n", false, "PC-DF501"},
		{"deep brackets over lines", from + "RUN " + strings.Repeat("$( \\\n", 200_000) + "\n", false, "PC-DF501"},
		{"deep braces in a value", from + "ENV A=" + strings.Repeat("${A:-", 10_000) + strings.Repeat("}", 10_000) + "\nUSER 0\n", true, "PC-DF001"},
		{"shells in shells", from + "RUN " + strings.Repeat("sh -c \"", 50) + strings.Repeat("\"", 50) + "\nUSER 0\n", false, "PC-DF001"},
		{"wrappers of wrappers", from + "RUN " + strings.Repeat("sudo ", 12_000) + "a\n", false, "PC-DF004"},
		{"a long chain of pipes", from + "RUN curl x " + strings.Repeat("\\\n| sh ", 20_000) + "\n", false, "PC-DF015"},
		{"many packages", from + "RUN apt-get install -y " + strings.Repeat("\\\n a ", many) + "\n", false, "PC-DF201"},
		{"many variables", from + strings.Repeat("ENV A=1 B=$A\n", 20_000), false, "PC-DF117"},
		{"many comments with rules", strings.Repeat("# hadolint ignore=DL3002\n", 5_000) + from + "USER root\n", false, "PC-DF402"},
		{"many JSON strings", from + "COPY [" + strings.Repeat("\"a\",", 15_000) + "\"b\"]\n", false, "PC-DF110"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(tt.text)}}, Options{})
			if got := len(res.Failures) > 0; got != tt.blind {
				t.Errorf("failures: %v", res.Failures)
			}
			fired := false
			for _, f := range res.Findings {
				fired = fired || f.RuleID == tt.finding
			}
			if tt.finding != "" && !fired {
				t.Errorf("%s does not fire; %d findings", tt.finding, len(res.Findings))
			}
			for _, f := range res.Failures {
				if f.Code != exit.NotExamined || f.Message == "" || strings.Contains(f.Message, "broke down") {
					t.Errorf("failure: %+v", f)
				}
			}
		})
	}
}

// chain is a chain of n stages, each built on the one before.
func chain(n int) string {
	var b strings.Builder
	b.WriteString("FROM debian:12 AS s0\n")
	for i := 1; i < n; i++ {
		b.WriteString("FROM s" + itoa(i-1) + " AS s" + itoa(i) + "\n")
	}
	return b.String()
}

func TestARuleThatBreaksDownIsAFailureAndTheOthersGoOn(t *testing.T) {
	l := newLinter(Options{})
	broken := l.rules[0]
	broken.ID, broken.Command, broken.Run, broken.Instruction = "PC-DF999", nil, nil, nil
	broken.File = func(*Pass) { panic("index out of range") }
	l.rules = append([]Rule{broken}, l.rules...)
	res := l.file(context.Background(), File{Path: "Dockerfile", Content: []byte("FROM debian:12\nUSER root\n")})
	if len(res.Failures) != 1 || res.Failures[0].Code != exit.NotExamined || !strings.Contains(res.Failures[0].Message, "PC-DF999") {
		t.Errorf("failures = %+v", res.Failures)
	}
	if len(res.Findings) == 0 {
		t.Error("the other rules did not go on")
	}
}

func TestAStoppedRunIsNoPass(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if res := Lint(ctx, []File{{Path: "a", Content: []byte("FROM x\n")}}, Options{}); len(res.Failures) != 1 {
		t.Errorf("failures = %v", res.Failures)
	}
}

func TestAMissingTargetIsAFailure(t *testing.T) {
	res := Lint(context.Background(), []File{{Path: "a", Content: []byte("FROM x:1 AS y\n")}}, Options{Target: "nope"})
	if len(res.Failures) != 1 || !strings.Contains(res.Failures[0].Message, "nope") {
		t.Errorf("failures = %v", res.Failures)
	}
}

// FuzzLint: no rule breaks down, every finding is valid and lies in the file,
// fixes can be made and break nothing, and fingerprints do not depend on lines.
func FuzzLint(f *testing.F) {
	for _, tab := range tables() {
		for _, cases := range tab {
			for _, c := range cases {
				text, _ := marked(strings.TrimPrefix(c.text, "!"))
				f.Add(text)
				f.Add("FROM debian:12\n" + text)
			}
		}
	}
	var all []string
	for _, r := range allRules() {
		f.Add(r.Bad)
		all = append(all, r.ID)
	}
	opts := Options{
		Enable: all, TrustedRegistries: []string{"docker.io"}, LabelSchema: map[string]string{"a": "url", "b": "spdx", "c": "semver"}, StrictLabels: true,
		Digest: func(string) (string, bool) { return "sha256:0", true },
	}
	f.Fuzz(func(t *testing.T, text string) {
		run := func(text string) Result {
			return Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text), Context: &Context{IgnoreFile: ".dockerignore", Ignore: []byte("*.md\n!a\n")}}}, opts)
		}
		res := run(text)
		for _, fail := range res.Failures {
			if strings.Contains(fail.Message, "broke down") {
				t.Fatal(fail.Message)
			}
		}
		lines := strings.Split(text, "\n")
		for _, x := range res.Findings {
			if err := x.Validate(); err != nil {
				t.Fatal(err)
			}
			l := x.Locations[0]
			if l.Line > len(lines) || l.EndLine != l.Line || l.EndColumn < l.Column || l.EndColumn > len([]rune(lines[l.Line-1]))+1 {
				t.Fatalf("%s at %s is outside the file", x.RuleID, place(x))
			}
		}
		fixed, n, err := editing.Fix("Dockerfile", []byte(text), res.Findings)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && count(run(string(fixed)).Findings, "PC-DF100") > count(res.Findings, "PC-DF100") {
			t.Fatalf("the fix breaks the file:\n%s", editing.Diff("Dockerfile", []byte(text), fixed))
		}
		if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "\ufeff") && len(res.Failures) == 0 {
			sameFingerprints(t, res.Findings, run("\n\n"+text).Findings)
		}
	})
}

func count(findings []finding.Finding, id string) int {
	n := 0
	for _, f := range findings {
		if f.RuleID == id {
			n++
		}
	}
	return n
}

func sameFingerprints(t *testing.T, a, b []finding.Finding) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d findings, %d with blank lines in front", len(a), len(b))
	}
	for i := range a {
		if a[i].Fingerprint != b[i].Fingerprint {
			t.Fatalf("the fingerprint of %s at %s depends on the line", a[i].RuleID, place(a[i]))
		}
	}
}

func TestAScriptAtWhichTheParserPanickedIsAFailure(t *testing.T) {
	broken := &shellscript.Script{Err: &recovered.Panic{Doing: "read the script", Reason: "index out of range"}}
	in := &df.Instruction{Line: 3}
	failures := brokenScripts("Dockerfile", []*Run{
		{In: in, Script: new(shellscript.Script)},
		{In: in, Script: &shellscript.Script{Nested: []*shellscript.Script{broken}}},
	})
	if len(failures) != 1 || failures[0].Code != exit.NotExamined || !strings.Contains(failures[0].Message, "line 3") {
		t.Errorf("failures: %+v", failures)
	}
}
