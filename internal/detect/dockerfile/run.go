package dockerfile

import (
	"errors"
	"fmt"
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
func runsOf(f *df.File, policy InlineIgnores) []*Run {
	var out []*Run
	var pragmas []shellPragma
	if !policy.Disallow {
		pragmas = shellPragmas(f)
	}
	looksWindows := f.Escape == '`' || slices.ContainsFunc(f.Instructions, func(in *df.Instruction) bool { return windowsText.MatchString(in.Text.S) })
	for _, in := range f.Instructions {
		eff := in.Effective()
		if eff.Keyword == "SHELL" && eff.Exec && in.Problem == nil && holdsScript(eff) {
			out = append(out, newRun(eff, "sh", false))
		}
		if eff.Keyword == "RUN" && in.Problem == nil {
			shell, sure := shellOf(eff, pragmas)
			out = append(out, newRun(eff, shell, !sure && (looksWindows || windowsName(eff))))
		}
	}
	return out
}

// unread is the number of steps in shells that no rule reads.
func unread(runs []*Run) int {
	n := 0
	for _, r := range runs {
		if !r.In.Exec && !shellscript.IsShell(r.Shell) {
			n++
		}
	}
	return n
}

// newRun reads one script for the named shell. In doubt, when the system may be
// Windows, what does not read as a script of sh is one of cmd.
func newRun(in *df.Instruction, shell string, doubt bool) *Run {
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
		if name, ok := interpreter(in, r.text.S); ok {
			if r.Shell = name; !shellscript.IsShell(name) {
				return r
			}
		}
		r.Script = shellscript.Parse(r.text.S, lookup)
		if doubt && r.Script.Err != nil && brokenScript(r.Script) == nil {
			r.Shell, r.Script = "cmd", &shellscript.Script{}
		}
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
	if onlyHeredoc(in) {
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

// onlyHeredoc reports whether a step is nothing but one here-document.
func onlyHeredoc(in *df.Instruction) bool {
	mark := strings.TrimSpace(in.Body.S)
	return len(in.Heredocs) == 1 && strings.HasPrefix(mark, "<<") && !strings.ContainsAny(strings.TrimLeft(mark, "<- \t"), " \t;|&<>")
}
