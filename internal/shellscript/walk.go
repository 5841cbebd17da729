package shellscript

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func (r *reader) stmts(list []*syntax.Stmt) {
	for _, s := range list {
		r.stmt(s)
	}
}

// stmt walks one statement. Chains of && and | are flattened first, so that a
// long chain does not become a deep recursion.
func (r *reader) stmt(s *syntax.Stmt) {
	switch cmd := s.Cmd.(type) {
	case nil:
		r.inside(s)
	case *syntax.BinaryCmd:
		r.chain(cmd)
		r.redirects(s)
	case *syntax.CallExpr:
		r.call(s, cmd)
	case *syntax.DeclClause:
		r.declare(cmd)
		r.inside(cmd)
	case *syntax.IfClause:
		r.ifClause(cmd)
	case *syntax.WhileClause:
		r.guard(func() { r.stmts(cmd.Cond) })
		r.stmts(cmd.Do)
	case *syntax.ForClause:
		if it, ok := cmd.Loop.(*syntax.WordIter); ok {
			r.local[it.Name.Value] = Arg{}
		}
		r.inside(cmd)
	default:
		r.inside(cmd)
	}
	if _, simple := s.Cmd.(*syntax.CallExpr); !simple && s.Cmd != nil {
		r.redirects(s)
	}
}

func (r *reader) ifClause(c *syntax.IfClause) {
	for ; c != nil; c = c.Else {
		r.guard(func() { r.stmts(c.Cond) })
		r.stmts(c.Then)
	}
}

// guard walks what f walks as a condition.
func (r *reader) guard(f func()) {
	outer := r.guarded
	r.guarded = true
	f()
	r.guarded = outer
}

// inside walks the statements below a node: those of substitutions, loops,
// functions and so on.
func (r *reader) inside(node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			if n == node {
				return true
			}
			r.stmt(n)
			return false
		case *syntax.CmdSubst:
			r.substitution(n.Stmts)
			return false
		case *syntax.ProcSubst:
			r.substitution(n.Stmts)
			return false
		}
		return true
	})
}

func (r *reader) substitution(list []*syntax.Stmt) {
	outer := r.subst
	r.subst = true
	r.stmts(list)
	r.subst = outer
}

func (r *reader) redirects(s *syntax.Stmt) {
	for _, rd := range s.Redirs {
		r.inside(rd)
	}
}

// chain walks a && b || c and a | b | c.
func (r *reader) chain(cmd *syntax.BinaryCmd) {
	if cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll {
		r.pipeline(cmd)
		return
	}
	var parts []*syntax.Stmt
	for {
		parts = append(parts, cmd.Y)
		left, ok := cmd.X.Cmd.(*syntax.BinaryCmd)
		if !ok || left.Op == syntax.Pipe || left.Op == syntax.PipeAll || len(cmd.X.Redirs) > 0 {
			parts = append(parts, cmd.X)
			break
		}
		cmd = left
	}
	r.guard(func() {
		for i := len(parts) - 1; i >= 0; i-- {
			r.stmt(parts[i])
		}
	})
}

func (r *reader) pipeline(cmd *syntax.BinaryCmd) {
	var parts []*syntax.Stmt
	var pipes []Range
	for {
		parts = append(parts, cmd.Y)
		pipes = append(pipes, r.span(cmd.OpPos, len(cmd.Op.String())))
		left, ok := cmd.X.Cmd.(*syntax.BinaryCmd)
		if !ok || left.Op != syntax.Pipe && left.Op != syntax.PipeAll || len(cmd.X.Redirs) > 0 {
			parts = append(parts, cmd.X)
			break
		}
		cmd = left
	}
	var p Pipeline
	for i := len(parts) - 1; i >= 0; i-- {
		before := len(r.commands)
		r.stmt(parts[i])
		p.Elements = append(p.Elements, r.commands[before:len(r.commands):len(r.commands)])
	}
	for i := len(pipes) - 1; i >= 0; i-- {
		p.Pipes = append(p.Pipes, pipes[i])
	}
	r.pipelines = append(r.pipelines, p)
}

func (r *reader) span(pos syntax.Pos, length int) Range {
	start := int(pos.Offset())
	return r.rangeOf(start, start+length)
}

func (r *reader) rangeOf(start, end int) Range {
	if r.script.whole != nil {
		return *r.script.whole
	}
	end = min(end, len(r.script.Source))
	if end <= start {
		return Range{r.script.at(start), r.script.at(start)}
	}
	return Range{r.script.at(start), r.script.at(end-1) + 1}
}

func (r *reader) nodeRange(n syntax.Node) Range {
	return r.rangeOf(int(n.Pos().Offset()), int(n.End().Offset()))
}

// call makes a Command of a simple command, and further ones of what it runs.
func (r *reader) call(s *syntax.Stmt, call *syntax.CallExpr) {
	c := &Command{
		Whole: r.nodeRange(call), Guarded: r.guarded || s.Negated, Subst: r.subst, Script: r.script, Via: r.via,
	}
	for _, a := range call.Assigns {
		c.Assigns = append(c.Assigns, r.assign(a))
	}
	var fields []Arg
	for _, w := range call.Args {
		fields = append(fields, r.fields(w)...)
	}
	if len(call.Args) == 0 {
		for _, a := range c.Assigns {
			r.local[a.Name] = a.Value
		}
	}
	if len(fields) > 0 {
		c.setName(fields[0])
		c.Args = fields[1:]
	}
	r.commands = append(r.commands, c)
	hdoc := r.streams(s, c)
	for _, w := range call.Args {
		r.inside(w)
	}
	for _, a := range call.Assigns {
		r.inside(a)
	}
	r.redirects(s)
	r.runs(c, hdoc)
}

func (c *Command) setName(a Arg) {
	c.At = a.At
	if !a.Known {
		return
	}
	name := a.Text
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	c.Name = name
}

// streams notes redirections and returns the body of a here-document that is
// the command's standard input.
func (r *reader) streams(s *syntax.Stmt, c *Command) *syntax.Word {
	var hdoc *syntax.Word
	for _, rd := range s.Redirs {
		switch rd.Op {
		case syntax.Hdoc, syntax.DashHdoc:
			c.Stdin = true
			hdoc = rd.Hdoc
		case syntax.WordHdoc, syntax.RdrIn:
			c.Stdin = true
		case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
			c.Redirects = append(c.Redirects, r.word(rd.Word))
		}
	}
	return hdoc
}

func (r *reader) assign(a *syntax.Assign) Assign {
	out := Assign{At: r.nodeRange(a)}
	if a.Name != nil {
		out.Name = a.Name.Value
	}
	switch {
	case a.Array != nil || a.Append || a.Index != nil:
	case a.Value == nil:
		out.Value.Known = !a.Naked
		out.Value.At = out.At
	default:
		out.Value = r.word(a.Value)
	}
	return out
}

// declare takes in export, local, readonly and typeset.
func (r *reader) declare(d *syntax.DeclClause) {
	c := &Command{
		Name: d.Variant.Value, At: r.nodeRange(d.Variant), Whole: r.nodeRange(d),
		Guarded: r.guarded, Subst: r.subst, Script: r.script, Via: r.via,
	}
	for _, a := range d.Args {
		if a.Name == nil {
			continue
		}
		as := r.assign(a)
		if a.Naked {
			continue
		}
		c.Assigns = append(c.Assigns, as)
		r.local[as.Name] = as.Value
	}
	r.commands = append(r.commands, c)
}
