package dockerfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// ShellComment is one remark of ShellCheck about a script. Lines and columns
// start at 1; columns count characters, the end exclusive.
type ShellComment struct {
	Line      int    `json:"line"`
	EndLine   int    `json:"endLine"`
	Column    int    `json:"column"`
	EndColumn int    `json:"endColumn"`
	Level     string `json:"level"`
	Code      int    `json:"code"`
	Message   string `json:"message"`
}

// ShellChecker looks at one script for the named shell (sh, bash, dash, ksh).
type ShellChecker func(ctx context.Context, shell, script string) ([]ShellComment, error)

// ShellCheckCommand is the ShellChecker that runs the shellcheck program at the
// given path. It sees the script on standard input, and nothing else.
func ShellCheckCommand(program string) ShellChecker {
	return func(ctx context.Context, shell, script string) ([]ShellComment, error) {
		// 2187 is about ash, 1090 and 1091 about files that are not there yet.
		cmd := exec.CommandContext(ctx, program, "--norc", "--format=json1", "--shell="+shell, "--exclude=2187,1090,1091", "-")
		cmd.Stdin = strings.NewReader(script)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: there are remarks
			return nil, fmt.Errorf("run %s: %w: %s", program, err, strings.TrimSpace(stderr.String()))
		}
		var result struct {
			Comments []ShellComment `json:"comments"`
		}
		if err := json.Unmarshal(out, &result); err != nil {
			return nil, fmt.Errorf("read the output of %s: %w", program, err)
		}
		return result.Comments, nil
	}
}

// shellCheckRule stands in the catalogue for all of ShellCheck's findings; each
// finding has its own number, such as SC2086, as alias.
var shellCheckRule = Rule{Rule: rules.Rule{
	ID: "PC-DF500", Kind: finding.Dockerfile, Severity: finding.Info, Since: "0.1", Off: true, Language: "dockerfile",
	Title:        "Finding of ShellCheck",
	Why:          "ShellCheck, which was asked for, found a defect in the shell code of this step.",
	Fix:          "See the page of the number that the finding names.",
	WhenToIgnore: "The page of the number says when.",
	References:   []string{"https://www.shellcheck.net/wiki/"},
	Bad:          onDebian + "RUN echo \"$(ls)\"/x*\n" + nonRoot,
	Good:         onDebian + "RUN true\n" + nonRoot,
}}

// native are the rules whose work ShellCheck does when it runs.
var native = set("PC-DF501", "PC-DF502", "PC-DF503", "PC-DF504", "PC-DF505", "PC-DF506")

var shellLevels = map[string]finding.Severity{
	"error": finding.High, "warning": finding.Medium, "info": finding.Info, "style": finding.Info,
}

// shellCheck has ShellCheck look at all scripts of a file. ARG and ENV are put
// in front as exported variables, so that it knows them.
func (l *linter) shellCheck(ctx context.Context, path string, sh *shared) ([]*Report, *outcome.Failure) {
	var reports []*Report
	for _, run := range sh.runs {
		shell, ok := checkedShell(run)
		if !ok {
			continue
		}
		prefix := exports(run)
		comments, err := l.opts.ShellCheck(ctx, shell, prefix+run.text.S+"\n")
		if err != nil {
			f := notExamined(path, "ShellCheck broke down: "+err.Error(), "repair the shellcheck on PATH, or lint without it")
			return reports, &f
		}
		skip := strings.Count(prefix, "\n")
		for _, c := range comments {
			if c.Line <= skip {
				continue
			}
			at := shellscript.Range{
				Start: offsetIn(run.text.S, c.Line-skip, c.Column),
				End:   offsetIn(run.text.S, c.EndLine-skip, c.EndColumn),
			}
			code := fmt.Sprintf("SC%04d", c.Code)
			rule := shellCheckRule
			rule.Aliases = []string{code}
			rule.sorted = rule.Aliases
			rule.References = []string{wiki(code)}
			rule.Severity = shellLevels[c.Level]
			reports = append(reports, &Report{
				In: run.In, At: run.span(at), Key: code + " " + run.text.S[at.Start:max(at.End, at.Start)],
				Message: code + ": " + c.Message, FixText: "See " + wiki(code) + ".", rule: &rule,
			})
		}
	}
	return reports, nil
}

func checkedShell(run *Run) (string, bool) {
	if run.In.Exec || run.text.S == "" {
		return "", false
	}
	switch run.Shell {
	case "sh", "ash":
		return "sh", true
	case "bash", "dash", "ksh":
		return run.Shell, true
	}
	return "", false
}

// exports is a line that exports the names of ARG and ENV; empty for none.
func exports(run *Run) string {
	names := make(map[string]bool)
	for _, in := range run.In.File().Instructions {
		if in.Index >= run.In.Index || in.Keyword != "ARG" && in.Keyword != "ENV" {
			continue
		}
		for _, pair := range in.Pairs {
			if _, ok := run.In.Lookup(pair.Key); ok && syntax.ValidName(pair.Key) {
				names[pair.Key] = true
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n+`="$1"`) // a value that ShellCheck cannot know
	}
	slices.Sort(list)
	return "export " + strings.Join(list, " ") + "\n"
}

// offsetIn is the byte offset of a line and column in a text.
func offsetIn(s string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(s[at:], '\n')
		if i < 0 {
			return len(s)
		}
		at += i + 1
	}
	for ; column > 1 && at < len(s) && s[at] != '\n'; column-- {
		_, width := utf8.DecodeRuneInString(s[at:])
		at += width
	}
	return at
}
