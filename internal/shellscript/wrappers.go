package shellscript

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// wrapper says how to find the command that another one runs: the options that
// take a value in the next word, and the number of operands before it.
type wrapper struct {
	valued   string // one-letter options with a value
	long     []string
	operands int
	assigns  bool // NAME=value words may stand before the command
}

var wrappers = map[string]wrapper{
	"sudo":        {valued: "ugphCcrtTUDR", long: []string{"--user", "--group", "--host", "--prompt", "--chdir", "--chroot"}, assigns: true},
	"doas":        {valued: "uC"},
	"env":         {valued: "uCS", long: []string{"--unset", "--chdir"}, assigns: true},
	"exec":        {valued: "a"},
	"command":     {},
	"builtin":     {},
	"nice":        {valued: "n", long: []string{"--adjustment"}},
	"ionice":      {valued: "cnp"},
	"nohup":       {},
	"setsid":      {},
	"stdbuf":      {valued: "ioe"},
	"timeout":     {valued: "ks", long: []string{"--signal", "--kill-after"}, operands: 1},
	"gosu":        {operands: 1},
	"su-exec":     {operands: 1},
	"chroot":      {operands: 1},
	"busybox":     {},
	"eatmydata":   {},
	"faketime":    {operands: 1},
	"xargs":       {valued: "adEILnPs", long: []string{"--arg-file", "--delimiter", "--max-args", "--max-procs", "--max-lines", "--replace"}},
	"xvfb-run":    {valued: "efnps"},
	"time":        {valued: "fo"},
	"runuser":     {valued: "ugG", long: []string{"--user", "--group"}},
	"setpriv":     {},
	"chronic":     {},
	"unbuffer":    {},
	"proxychains": {},
}

var shells = map[string]bool{
	"sh": true, "bash": true, "dash": true, "ash": true, "ksh": true, "zsh": true, "mksh": true,
}

// IsShell reports whether the name is that of a Bourne-like shell.
func IsShell(name string) bool { return shells[name] }

// runs follows a command into what it runs.
func (r *reader) runs(c *Command, hdoc *syntax.Word) {
	if r.depth >= maxNested {
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	switch {
	case shells[c.Name]:
		r.shell(c, hdoc)
	case c.Name == "su" || c.Name == "runuser" && hasArg(c, "-c"):
		for i, a := range c.Args {
			if a.Text == "-c" && i+1 < len(c.Args) {
				r.nested(c, c.Args[i+1])
			}
		}
	case c.Name == "eval":
		if len(c.Args) == 1 {
			r.nested(c, c.Args[0])
		}
	case c.Name == "find":
		r.findExec(c)
	default:
		if w, ok := wrappers[c.Name]; ok {
			r.wrapped(c, w, hdoc)
		}
	}
}

func hasArg(c *Command, text string) bool {
	for _, a := range c.Args {
		if a.Text == text {
			return true
		}
	}
	return false
}

// shell follows sh -c '…' and a script on standard input.
func (r *reader) shell(c *Command, hdoc *syntax.Word) {
	for i := 0; i < len(c.Args); i++ {
		a := c.Args[i].Text
		switch {
		case a == "-o" || a == "+o" || a == "-O":
			i++
		case strings.HasPrefix(a, "--"):
		case strings.HasPrefix(a, "-") && strings.Contains(a, "c"):
			for i++; i < len(c.Args) && strings.HasPrefix(c.Args[i].Text, "-"); i++ {
				if strings.HasSuffix(c.Args[i].Text, "o") {
					i++
				}
			}
			if i < len(c.Args) {
				r.nested(c, c.Args[i])
			}
			return
		case strings.HasPrefix(a, "-") && strings.HasSuffix(a, "o"):
			i++
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "+"):
		default:
			return // a script file
		}
	}
	if hdoc != nil && len(hdoc.Parts) > 0 {
		r.body(c, hdoc)
	}
}

// nested parses an argument as a script. Places are exact where the argument is
// one literal; else all of them are the argument's.
func (r *reader) nested(via *Command, a Arg) {
	source, base, exact := a.Text, a.At, false
	if a.word != nil && len(a.word.Parts) == 1 {
		switch p := a.word.Parts[0].(type) {
		case *syntax.SglQuoted:
			source, exact = p.Value, !p.Dollar
			base.Start++
		case *syntax.DblQuoted:
			raw := r.script.Source[p.Pos().Offset()+1 : p.End().Offset()-1]
			if !strings.ContainsAny(raw, "\\`") {
				source, exact = raw, true
				base.Start++
			}
		}
	}
	if root := r.root; a.word == nil && a.At.End <= len(root) && root[a.At.Start:a.At.End] == a.Text {
		exact = true // a string of the exec form
	}
	if !exact && !a.Known && !strings.Contains(source, " ") {
		return
	}
	if exact {
		start := base.Start
		r.child(via, source, nil, func(i int) int { return start + i })
		return
	}
	r.child(via, source, &a.At, func(int) int { return a.At.Start })
}

// body parses a here-document as a script.
func (r *reader) body(via *Command, hdoc *syntax.Word) {
	start, end := int(hdoc.Pos().Offset()), int(hdoc.End().Offset())
	if lit, ok := hdoc.Parts[len(hdoc.Parts)-1].(*syntax.Lit); ok {
		end = int(lit.Pos().Offset()) + len(lit.Value) // its End covers the end mark
	}
	if end <= start || end > len(r.script.Source) {
		return
	}
	at := r.script.at
	r.child(via, r.script.Source[start:end], r.script.whole, func(i int) int { return at(start + i) })
}

func (r *reader) child(via *Command, source string, whole *Range, at func(int) int) {
	outer, outerVia, guarded := r.script, r.via, r.guarded
	r.via, r.guarded = via, false
	s := r.parse(source, whole, at)
	r.script, r.via, r.guarded = outer, outerVia, guarded
	outer.Nested = append(outer.Nested, s)
}

// wrapped makes a command of what stands behind a wrapper.
func (r *reader) wrapped(c *Command, w wrapper, hdoc *syntax.Word) {
	rest, assigns := behind(c.Args, w)
	if len(rest) == 0 {
		return
	}
	if c.Name == "command" && len(c.Args) > 0 && strings.HasPrefix(c.Args[0].Text, "-") && c.Args[0].Text != "-p" {
		return // command -v only asks
	}
	r.inner(c, rest, assigns, hdoc)
}

func (r *reader) inner(c *Command, rest []Arg, assigns []Assign, hdoc *syntax.Word) {
	inner := &Command{
		Args: rest[1:], Assigns: append(assigns, c.Assigns...), Via: c, Guarded: c.Guarded, Redirects: c.Redirects,
		Stdin: c.Stdin, Subst: c.Subst, Script: c.Script, Whole: Range{rest[0].At.Start, c.Whole.End},
	}
	inner.setName(rest[0])
	r.commands = append(r.commands, inner)
	r.runs(inner, hdoc)
}

// behind skips a wrapper's options, operands and assignments.
func behind(args []Arg, w wrapper) ([]Arg, []Assign) {
	var assigns []Assign
	operands := w.operands
	for i := 0; i < len(args); i++ {
		a := args[i].Text
		switch {
		case a == "--":
			return args[i+1:], assigns
		case strings.HasPrefix(a, "--"):
			for _, l := range w.long {
				if a == l {
					i++
				}
			}
		case len(a) > 1 && a[0] == '-':
			if len(a) == 2 && strings.IndexByte(w.valued, a[1]) >= 0 {
				i++
			}
		case w.assigns && strings.IndexByte(a, '=') > 0:
			name, value, _ := strings.Cut(a, "=")
			v := args[i]
			v.Text, v.word = value, nil
			assigns = append(assigns, Assign{Name: name, Value: v, At: args[i].At})
		case operands > 0:
			operands--
		default:
			return args[i:], assigns
		}
	}
	return nil, assigns
}

// findExec follows find -exec cmd … \; and +.
func (r *reader) findExec(c *Command) {
	for i, a := range c.Args {
		if a.Text != "-exec" && a.Text != "-execdir" {
			continue
		}
		end := i + 1
		for end < len(c.Args) && c.Args[end].Text != ";" && c.Args[end].Text != "+" {
			end++
		}
		if end > i+1 {
			r.inner(c, c.Args[i+1:end], nil, nil)
		}
	}
}
