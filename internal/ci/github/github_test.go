package github_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/ci/github"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func annotate(t *testing.T, o outcome.Outcome, mode github.Mode) []string {
	t.Helper()
	var b bytes.Buffer
	r := github.Runner{Out: &b, Getenv: environment(nil)}
	if err := r.Annotate(o, mode, nil); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func countPrefix(lines []string, prefix string) int {
	n := 0
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			n++
		}
	}
	return n
}

func TestAnnotationsMatchTheGoldenFile(t *testing.T) {
	for name, o := range map[string]outcome.Outcome{"failed": reporttest.Outcome(), "passed": reporttest.Passed(), "incomplete": reporttest.Incomplete()} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(annotate(t, o, github.All), "\n") + "\n"
			reporttest.Golden(t, name+".annotations", []byte(got))
			reporttest.NoRawControls(t, []byte(got), false)
		})
	}
}

// The runner takes as a command what starts with "::" and, in the old form,
// "##[" anywhere. https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
var command = regexp.MustCompile(`^::(error|warning|notice) [^:]*::[^:]`)

func TestHostileTextForgesNoCommand(t *testing.T) {
	for _, line := range annotate(t, reporttest.Outcome(), github.All) {
		if !command.MatchString(line) {
			t.Errorf("not one of our commands: %s", line)
		}
		if strings.Contains(line, "##[") || strings.Count(line, "::") > 2 {
			t.Errorf("a command within the command: %s", line)
		}
	}
}

func many(n int, place func(i int) finding.Location) outcome.Outcome {
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings = nil
	var failing []string
	for i := range n {
		f := template
		f.Kind, f.Severity = finding.Dockerfile, finding.High
		if i%2 == 1 {
			f.Severity = finding.Low
		}
		f.RuleID = fmt.Sprintf("PC-DF%03d", i)
		f.Fingerprint = f.RuleID
		f.Locations = []finding.Location{place(i)}
		o.Findings = append(o.Findings, f)
		if f.Severity == finding.High {
			failing = append(failing, f.Fingerprint)
		}
	}
	o.Verdict.Clauses[0].Findings = failing
	return o
}

func TestAnnotationsStayWithinTheSlotsOfAStep(t *testing.T) {
	places := map[string]func(i int) finding.Location{
		"one line each": func(i int) finding.Location {
			return finding.Location{Space: finding.Repository, Path: "Dockerfile", Line: i + 1}
		},
		"one file each": func(i int) finding.Location {
			return finding.Location{Space: finding.Repository, Path: fmt.Sprintf("d%d/Dockerfile", i), Line: 1}
		},
		"one line for all": func(int) finding.Location {
			return finding.Location{Space: finding.Repository, Path: "Dockerfile", Line: 1}
		},
		"in the image": func(int) finding.Location { return finding.Location{Space: finding.InImage, Path: "/x"} },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			lines := annotate(t, many(300, place), github.All)
			if n := countPrefix(lines, "::error"); n > 9 || n < 2 {
				t.Errorf("%d errors", n)
			}
			if n := countPrefix(lines, "::warning"); n > 10 || n < 1 {
				t.Errorf("%d warnings", n)
			}
			if n := countPrefix(lines, "::notice"); n > 3 {
				t.Errorf("%d notices", n)
			}
			for _, line := range lines {
				if _, message, _ := strings.Cut(line[2:], "::"); len(message) > 4096*2 || len(strings.ReplaceAll(message, "%0A", "\n")) > 4096 {
					t.Errorf("message of %d bytes", len(message))
				}
			}
		})
	}
}

func TestFindingsOnChangedLinesComeFirst(t *testing.T) {
	o := many(40, func(i int) finding.Location {
		return finding.Location{Space: finding.Repository, Path: fmt.Sprintf("d%d/Dockerfile", i), Line: 7}
	})
	for i := range o.Findings {
		if i%2 == 0 && i != 38 {
			o.Findings[i].Severity = finding.Critical
		}
	}
	changed := document.Changed{"d38/Dockerfile": {{First: 5, Last: 8}}, "d0/Dockerfile": {{First: 8, Last: 9}}}
	first := func(changed document.Changed) string {
		var b bytes.Buffer
		r := github.Runner{Out: &b, Getenv: environment(nil)}
		if err := r.Annotate(o, github.Errors, changed); err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(b.String(), "\n")
		return line
	}
	if line := first(changed); !strings.Contains(line, "file=d38/Dockerfile") {
		t.Errorf("the finding on a changed line is not first: %s", line)
	}
	if line := first(nil); !strings.Contains(line, "file=d0/Dockerfile") {
		t.Errorf("without a diff the worst is not first: %s", line)
	}
	// What came in since the baseline stays before what was there on a line that changed.
	o.Findings[10].Baseline.State = finding.BaselineNew
	if line := first(changed); !strings.Contains(line, "file=d10/Dockerfile") {
		t.Errorf("the new finding is not first: %s", line)
	}
}

func TestEveryFileGetsAnAnnotationBeforeAFourthInOneFile(t *testing.T) {
	o := many(24, func(i int) finding.Location {
		if i < 20 {
			return finding.Location{Space: finding.Repository, Path: "Dockerfile", Line: i + 1}
		}
		return finding.Location{Space: finding.Repository, Path: "other/Dockerfile", Line: i}
	})
	text := strings.Join(annotate(t, o, github.Errors), "\n")
	if !strings.Contains(text, "file=other/Dockerfile") {
		t.Errorf("the second file has no annotation:\n%s", text)
	}
}

func TestModes(t *testing.T) {
	if lines := annotate(t, reporttest.Outcome(), github.None); len(lines) != 1 || lines[0] != "" {
		t.Errorf("none printed %q", lines)
	}
	if lines := annotate(t, reporttest.Outcome(), github.Errors); countPrefix(lines, "::error") != len(lines) {
		t.Errorf("errors printed %q", lines)
	}
	for in, want := range map[string]github.Mode{"": github.All, "ALL": github.All, "none": github.None, "errors": github.Errors} {
		if got, err := github.ParseMode(in); err != nil || got != want {
			t.Errorf("ParseMode(%q) = %q, %v", in, got, err)
		}
	}
	if _, err := github.ParseMode("some"); err == nil || !strings.Contains(err.Error(), "errors or all") {
		t.Errorf("unknown mode: %v", err)
	}
}

func TestAHostileValueForgesNoOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output")
	r := github.Runner{Getenv: environment(map[string]string{"GITHUB_OUTPUT": path})}
	hostile := "x\nghadelimiter_\n_GitHubActionsFileCommandDelimeter_\nforged=1\nforged<<EOF\n1\nEOF"
	if err := r.SetOutputs([]github.Output{{Name: "a", Value: hostile}, {Name: "b", Value: "2"}}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := readOutputs(t, string(content))
	if len(got) != 2 || got["a"] != hostile || got["b"] != "2" {
		t.Errorf("got %q", got)
	}
}

// readOutputs reads the file as the runner does.
func readOutputs(t *testing.T, content string) map[string]string {
	t.Helper()
	got := map[string]string{}
	lines := strings.Split(content, "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, heredoc := strings.Cut(lines[i], "<<")
		if !heredoc {
			if name, value, ok := strings.Cut(lines[i], "="); ok {
				got[name] = value
			}
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		got[name] = strings.Join(value, "\n")
	}
	return got
}

func TestOutsideOfAJobNothingIsWritten(t *testing.T) {
	r := github.Runner{Getenv: environment(nil)}
	if err := errors.Join(r.SetOutputs([]github.Output{{Name: "a", Value: "b"}}), r.AppendSummary("x")); err != nil {
		t.Error(err)
	}
}

func TestASummaryThatWouldNotBeShownIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<20-100), 0o600); err != nil {
		t.Fatal(err)
	}
	r := github.Runner{Getenv: environment(map[string]string{"GITHUB_STEP_SUMMARY": path})}
	if err := r.AppendSummary(strings.Repeat("y", 200)); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || bytes.Contains(content, []byte("yy")) || !bytes.Contains(content, []byte("left out")) {
		t.Errorf("the summary has %d bytes, %v", len(content), err)
	}
}

func TestAWriteErrorIsReturnedAndNotPanicked(t *testing.T) {
	r := github.Runner{Out: brokenWriter{}, Getenv: environment(nil)}
	if err := r.Annotate(reporttest.Outcome(), github.All, nil); err == nil {
		t.Error("the error of the writer is lost")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("closed pipe") }
