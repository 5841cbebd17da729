package dockerfile

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

func withShellCheck(t *testing.T, text string, check ShellChecker) Result {
	t.Helper()
	return Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text)}}, Options{ShellCheck: check})
}

func shellFindings(res Result) []string {
	var out []string
	for _, f := range res.Findings {
		if f.RuleID == "PC-DF500" {
			out = append(out, place(f)+" "+strings.Join(f.Aliases, ",")+" "+f.Severity.String()+" "+string(f.Status))
		}
		if native[f.RuleID] {
			out = append(out, f.RuleID)
		}
	}
	return out
}

func TestShellCheckRemarksAreLedBackToTheirPlace(t *testing.T) {
	var scripts []string
	fake := func(_ context.Context, shell, script string) ([]ShellComment, error) {
		scripts = append(scripts, shell+": "+script)
		var out []ShellComment
		for n, line := range strings.Split(script, "\n") {
			if i := strings.Index(line, "$x"); i >= 0 {
				col := len([]rune(line[:i])) + 1
				out = append(out, ShellComment{Line: n + 1, EndLine: n + 1, Column: col, EndColumn: col + 2, Level: "warning", Code: 2086, Message: "quote it"})
			}
		}
		return out, nil
	}
	text := "FROM a:1\nARG V\nRUN echo ä && \\\n    rm $x\nRUN <<EOF\na\n# hadolint ignore=SC2086\nb $x\nEOF\n# hadolint ignore=SC2086\nRUN rm $x\n" +
		"SHELL [\"/bin/bash\", \"-c\"]\nRUN true\nSHELL [\"pwsh\"]\nRUN $x\n"
	res := withShellCheck(t, text, fake)
	want := []string{"4:8-4:10 SC2086 medium open", "8:3-8:5 SC2086 medium open", "11:8-11:10 SC2086 medium waived"}
	if diff := cmp.Diff(want, shellFindings(res)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	wantScripts := []string{
		"sh: export V=\"$1\"\necho ä &&     rm $x\n", "sh: export V=\"$1\"\na\n# hadolint ignore=SC2086\nb $x\n\n", "sh: export V=\"$1\"\nrm $x\n", "bash: export V=\"$1\"\ntrue\n",
	}
	if diff := cmp.Diff(wantScripts, scripts); diff != "" {
		t.Errorf("scripts (-want +got):\n%s", diff)
	}
}

func TestABrokenShellCheckIsAFailure(t *testing.T) {
	res := withShellCheck(t, "FROM a:1\nRUN a\n", func(context.Context, string, string) ([]ShellComment, error) {
		return nil, errors.New("no such program")
	})
	if len(res.Failures) != 1 || res.Failures[0].Code != exit.NotExamined {
		t.Errorf("failures = %v", res.Failures)
	}
	if len(res.Findings) == 0 {
		t.Error("the other rules did not go on")
	}
}

func TestShellCheckCommand(t *testing.T) {
	if _, err := ShellCheckCommand("/nonexistent/shellcheck")(context.Background(), "sh", "true\n"); err == nil {
		t.Error("a missing program is no error")
	}
	program, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed; its output is read in the tests with a stand-in only")
	}
	res := withShellCheck(t, "FROM a:1\nARG V\nRUN true && \\\n    rm $UNKNOWN && echo \"$V\"\n", ShellCheckCommand(program))
	if diff := cmp.Diff([]string{"4:8-4:16 SC2086 info open"}, shellFindings(res)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if len(res.Failures) != 0 {
		t.Errorf("failures: %v", res.Failures)
	}
}
