package dockerfile

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// Run is the shell code of a RUN instruction, also one behind ONBUILD.
type Run struct {
	// In is the RUN instruction.
	In *df.Instruction
	// Script is the parsed code; it has no commands when another interpreter
	// than a Bourne-like shell runs it.
	Script *shellscript.Script
	// Shell is the name of the interpreter: sh, bash, powershell, cmd …
	Shell string
	text  df.Text

	feeders map[*shellscript.Command]string
	sorted  []*shellscript.Command
	plain   map[string]bool
	checked *bool
}

// feeder is the name of the command whose output the given one reads in a
// pipe; empty for none.
func (r *Run) feeder(c *shellscript.Command) string {
	if r.feeders == nil {
		r.feeders = make(map[*shellscript.Command]string)
		for _, pipe := range r.Script.Pipelines {
			for i := 1; i < len(pipe.Elements); i++ {
				if len(pipe.Elements[i-1]) == 0 {
					continue
				}
				for _, reader := range pipe.Elements[i] {
					r.feeders[reader] = pipe.Elements[i-1][0].Name
				}
			}
		}
	}
	return r.feeders[c]
}

// within are the commands whose names stand in a range of the script, in order.
func (r *Run) within(at shellscript.Range) []*shellscript.Command {
	if r.sorted == nil {
		r.sorted = slices.Clone(r.Script.Commands)
		slices.SortStableFunc(r.sorted, func(a, b *shellscript.Command) int { return a.At.Start - b.At.Start })
	}
	from, _ := slices.BinarySearchFunc(r.sorted, at.Start, func(c *shellscript.Command, start int) int { return c.At.Start - start })
	to := from
	for to < len(r.sorted) && r.sorted[to].At.End <= at.End {
		to++
	}
	return r.sorted[from:to]
}

// span is the place in the file of a range of the script.
func (r *Run) span(at shellscript.Range) df.Span {
	return r.text.Span(min(at.Start, len(r.text.S)), min(at.End, len(r.text.S)))
}

// runsOf parses the scripts of all RUN instructions.
func runsOf(f *df.File) []*Run {
	var out []*Run
	pragmas := shellPragmas(f)
	unknownSystem := slices.ContainsFunc(f.Stages, func(s *df.Stage) bool { return !s.Root().Base.Value.Known }) &&
		windowsText.MatchString(f.Content)
	for _, in := range f.Instructions {
		if eff := in.Effective(); eff.Keyword == "RUN" && in.Problem == nil {
			out = append(out, newRun(eff, shellOf(eff, pragmas, unknownSystem)))
		}
	}
	return out
}

// windowsText is what only a Dockerfile for Windows holds.
var windowsText = regexp.MustCompile(`(?i)\bc:\\|\bcontainer(?:user|administrator)\b`)

// shellPragma is a comment "# hadolint shell=powershell": it names the shell of
// the steps below it, up to the next SHELL or the end of the stage.
type shellPragma struct {
	line  int
	shell string
}

var shellComment = regexp.MustCompile(`(?i)^(?:hadolint|portcullis)\s+shell\s*=\s*([\w./-]+)`)

func shellPragmas(f *df.File) []shellPragma {
	var out []shellPragma
	for _, c := range f.Comments {
		if m := shellComment.FindStringSubmatch(c.Text); m != nil {
			out = append(out, shellPragma{c.Line, strings.ToLower(path.Base(m[1]))})
		}
	}
	return out
}

// shellOf is the name of the shell that runs a step. Where the base image is
// not known, windowsFile says whether the file looks like one for Windows.
func shellOf(in *df.Instruction, pragmas []shellPragma, windowsFile bool) string {
	i, _ := slices.BinarySearchFunc(pragmas, in.Line, func(p shellPragma, line int) int { return p.line - line })
	if i > 0 {
		since := 0
		if in.Stage != nil {
			since = in.Stage.From.Line
		}
		if in.ShellSetBy != nil {
			since = max(since, in.ShellSetBy.Line)
		}
		if p := pragmas[i-1]; p.line > since || in.Stage != nil && in.Stage.Index == 0 && in.ShellSetBy == nil {
			return p.shell
		}
	}
	if windowsFile && len(in.Shell) == 0 && in.Stage != nil && !in.Stage.Root().Base.Value.Known {
		return "cmd"
	}
	return shellName(in)
}

// newRun reads one script for the named shell.
func newRun(in *df.Instruction, shell string) *Run {
	r := &Run{In: in, Shell: shell, Script: &shellscript.Script{}}
	lookup := func(name string) (string, bool) {
		v, ok := in.Lookup(name)
		return v.Text, ok && v.Known && !v.Unset
	}
	switch {
	case in.Exec:
		r.exec(lookup)
	case !shellscript.IsShell(r.Shell):
	default:
		r.text = scriptText(in)
		if name, ok := interpreter(r.text.S); ok {
			if r.Shell = name; !shellscript.IsShell(name) {
				return r
			}
		}
		r.Script = shellscript.Parse(r.text.S, lookup)
	}
	return r
}

// brokenScripts are the steps at whose scripts the parser broke down, so that
// no rule has looked at them.
func brokenScripts(name string, runs []*Run) (failures []outcome.Failure) {
	for _, r := range runs {
		if reason := brokenScript(r.Script); reason != nil {
			failures = append(failures, brokeDown(name, fmt.Sprintf("line %d: reading the script", r.In.Line), reason))
		}
	}
	return failures
}

// brokenScript is what the parser panicked with at a script or one within it.
func brokenScript(s *shellscript.Script) any {
	var broken *recovered.Panic
	if errors.As(s.Err, &broken) {
		return broken.Reason
	}
	for _, n := range s.Nested {
		if reason := brokenScript(n); reason != nil {
			return reason
		}
	}
	return nil
}

// exec reads the exec form as the one command that it is.
func (r *Run) exec(lookup shellscript.Lookup) {
	base := r.In.Body.Offset(0)
	r.text = df.TextAt(r.In.File().Content, df.Span{Start: base, End: r.In.Span.End})
	var args []shellscript.Arg
	for _, a := range r.In.Args {
		at := shellscript.Range{Start: a.Span.Start - base, End: a.Span.End - base}
		args = append(args, shellscript.Arg{Text: a.Raw, Known: true, Quoted: true, At: at})
	}
	r.Script = shellscript.FromWords(r.text.S, args, lookup)
}

// scriptText is the code that the shell gets: the body of the one
// here-document of `RUN <<EOF`, else the line with its here-documents.
func scriptText(in *df.Instruction) df.Text {
	content := in.File().Content
	if len(in.Heredocs) == 0 {
		return in.Body
	}
	mark := strings.TrimSpace(in.Body.S)
	if len(in.Heredocs) == 1 && strings.HasPrefix(mark, "<<") && !strings.ContainsAny(strings.TrimLeft(mark, "<- \t"), " \t;|&<>") {
		return df.TextAt(content, in.Heredocs[0].Span)
	}
	last := in.Heredocs[len(in.Heredocs)-1].Span.End
	end := len(content)
	if i := strings.IndexByte(content[last:], '\n'); i >= 0 {
		end = last + i
	}
	start := max(in.Heredocs[0].Span.Start-1, 0) // with the line feed before it
	return df.Join(in.Body, df.TextAt(content, df.Span{Start: start, End: end}))
}

// interpreter is the program that a script names in its first line.
func interpreter(script string) (string, bool) {
	line, _, _ := strings.Cut(script, "\n")
	line, ok := strings.CutPrefix(strings.TrimSpace(line), "#!")
	if !ok {
		return "", false
	}
	words := strings.Fields(line)
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "-") })
	}
	if len(words) == 0 {
		return "", false
	}
	return path.Base(words[0]), true
}

// shellName is the name of the shell that runs the instruction's shell form.
func shellName(in *df.Instruction) string {
	if len(in.Shell) > 0 {
		name := strings.ToLower(in.Shell[0])
		name = name[strings.LastIndexAny(name, `/\`)+1:]
		return strings.TrimSuffix(name, ".exe")
	}
	if windows(in) {
		return "cmd"
	}
	return "sh"
}

// windows reports whether the instruction belongs to a Windows image, by the
// name of the image or the escape character that only makes sense there.
func windows(in *df.Instruction) bool {
	if in.File().Escape == '`' {
		return true
	}
	if in.Stage == nil {
		return false
	}
	base := strings.ToLower(in.Stage.Root().Base.Value.Text)
	for _, mark := range []string{"windows", "nanoserver", "servercore"} {
		if strings.Contains(base, mark) {
			return true
		}
	}
	return false
}
