package chart

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sort"
	"text/template/parse"
	"unicode/utf8"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// Rendered is a rendered template.
type Rendered struct {
	// Path is the template's file.
	Path    string
	Content []byte
	// Levels are the charts whose values its templates see, from the outermost
	// to its own.
	Levels  []Level
	pieces  []piece
	sources map[string][]byte
}

// Level is a chart, and the keys below which its values hold those of a chart
// inside of it.
type Level struct {
	Dir  string
	Keys []string
}

// inside returns the levels of a subchart.
func inside(levels []Level, sub *tree) []Level {
	inner := make([]Level, 0, len(levels)+1)
	for _, l := range levels {
		inner = append(inner, Level{Dir: l.Dir, Keys: slices.Concat(l.Keys, []string{sub.alias})})
	}
	return append(inner, Level{Dir: sub.dir})
}

// piece is a run of output that came from one place: from the text of a
// template byte by byte, or as a whole from an action.
type piece struct {
	start   int
	from    origin
	literal bool
}

// origin is a place in a template.
type origin struct {
	path   string
	offset int
	// values are the paths below .Values that an action names.
	values [][]string
}

// Source is where a place of the output came from.
type Source struct {
	Path string
	Span manifest.Span
	// Values are the paths below .Values that decide what stands there.
	Values [][]string
}

// Locate returns from where a place of the output came.
func (r *Rendered) Locate(span manifest.Span) (Source, bool) {
	offset, end := r.offsets(span)
	i := sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].start > offset }) - 1
	if i < 0 {
		return Source{}, false
	}
	p := r.pieces[i]
	content := r.sources[p.from.path]
	from := p.from.offset
	to := actionEnd(content, from)
	if p.literal {
		from += offset - p.start
		to = from + max(0, end-offset)
		if i+1 < len(r.pieces) && r.pieces[i+1].start < end {
			to = from + r.pieces[i+1].start - offset
		}
	}
	source := Source{Path: p.from.path, Values: p.from.values}
	source.Span = spanOf(content, from, to)
	if span.Column == 0 {
		source.Span.Column, source.Span.EndColumn = 0, 0
	}
	// A value that an action wrote behind a literal key decides as well.
	for j := i + 1; j < len(r.pieces) && (r.pieces[j].start < end || len(bytes.Trim(r.Content[end:r.pieces[j].start], ": \t\r\n")) == 0); j++ {
		source.Values = append(source.Values, r.pieces[j].from.values...)
	}
	return source, true
}

// offsets returns the bytes of the output that a span covers.
func (r *Rendered) offsets(span manifest.Span) (from, to int) {
	for line := 1; line < span.Line; line++ {
		n := bytes.IndexByte(r.Content[from:], '\n')
		if n < 0 {
			break
		}
		from += n + 1
	}
	to = from
	for column := 1; to < len(r.Content) && r.Content[to] != '\n' && column < max(span.EndColumn, 1); column++ {
		_, n := utf8.DecodeRune(r.Content[to:])
		to += n
		if column < span.Column {
			from = to
		}
	}
	return from, max(from, to)
}

// actionEnd returns the offset behind the action that starts at an offset.
func actionEnd(content []byte, from int) int {
	from = min(from, len(content))
	if n := bytes.Index(content[from:], []byte("}}")); n >= 0 {
		return from + n + 2
	}
	return from
}

// spanOf returns the piece of one line between two offsets of a file.
func spanOf(content []byte, from, to int) manifest.Span {
	from, to = min(from, len(content)), min(max(from, to), len(content))
	start := bytes.LastIndexByte(content[:from], '\n') + 1
	if n := bytes.IndexByte(content[from:to], '\n'); n >= 0 {
		to = from + n
	}
	column := utf8.RuneCount(content[start:from]) + 1
	return manifest.Span{
		Line: bytes.Count(content[:from], []byte{'\n'}) + 1, Column: column,
		EndColumn: column + utf8.RuneCount(content[from:to]),
	}
}

// errTooMuch stops a template that writes or loops without end.
var errTooMuch = errors.New("the template writes or loops more than a chart may")

// The limits of one template: bytes written, directly and into included
// pieces, and steps, which are actions and rounds of loops.
const (
	maxOutput = 16 << 20
	maxSteps  = 500_000
)

// budget is what is left for one template.
type budget struct {
	ctx    context.Context
	output int
	steps  int
	volume int
}

func (b *budget) spend(n int) error {
	b.steps--
	b.output -= n
	if b.steps < 0 || b.output < 0 {
		return errTooMuch
	}
	if b.steps%1024 == 0 {
		return b.ctx.Err()
	}
	return nil
}

// tracker is a writer that remembers from where its bytes came. The template
// engine hands over each text as the parse tree's own slice, so the address
// of its first byte tells which it is. Marks, which are texts without bytes,
// stand before each action.
type tracker struct {
	budget *budget
	marks  map[*byte]origin
	buf    bytes.Buffer
	pieces []piece
	// action is the last mark that went by.
	action origin
}

var noValue = []byte("<no value>")

// Write implements io.Writer.
func (w *tracker) Write(p []byte) (int, error) {
	from, known := origin{}, false
	if cap(p) > 0 {
		from, known = w.marks[&p[:1][0]]
	}
	if known && len(p) == 0 {
		w.action = from
	}
	if err := w.budget.spend(len(p)); err != nil {
		return 0, err
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case known:
		w.pieces = append(w.pieces, piece{start: w.buf.Len(), from: from, literal: true})
	case bytes.Equal(p, noValue):
		// Helm removes what the template engine writes for nothing.
		return len(p), nil
	default:
		if n := len(w.pieces); n == 0 || w.pieces[n-1].literal || w.pieces[n-1].from.offset != w.action.offset || w.pieces[n-1].from.path != w.action.path {
			w.pieces = append(w.pieces, piece{start: w.buf.Len(), from: w.action})
		}
	}
	return w.buf.Write(p)
}

// plain is a writer without memory for pieces that are included.
type plain struct {
	budget *budget
	buf    bytes.Buffer
}

// Write implements io.Writer.
func (w *plain) Write(p []byte) (int, error) {
	if err := w.budget.spend(len(p)); err != nil {
		return 0, err
	}
	return w.buf.Write(p)
}

// marker notes the texts of parse trees and puts marks before actions.
type marker struct {
	marks   map[*byte]origin
	path    string
	content []byte
	// dot is the path below .Values that the dot stands for inside of a
	// with, and nil elsewhere.
	dot []string
}

// zero makes a text without bytes that has an address of its own.
func (m *marker) zero(pos parse.Pos, values [][]string) *parse.TextNode {
	b := make([]byte, 1, 16)
	// The tree has the place of the first word; the action starts before it.
	if before := m.content[:min(int(pos), len(m.content))]; len(before) > 0 {
		if i := bytes.LastIndex(before, []byte("{{")); i >= 0 {
			pos = parse.Pos(i)
		}
	}
	m.marks[&b[0]] = origin{path: m.path, offset: int(pos), values: values}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: pos, Text: b[:0]}
}

func (m *marker) list(list *parse.ListNode, loop bool) {
	if list == nil {
		return
	}
	var nodes []parse.Node
	if loop {
		nodes = append(nodes, m.zero(list.Pos, nil))
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			if len(n.Text) > 0 {
				m.marks[&n.Text[0]] = origin{path: m.path, offset: int(n.Pos)}
			}
		case *parse.ActionNode:
			nodes = append(nodes, m.zero(n.Pos, m.valuePaths(n.Pipe)))
			showing(n.Pipe)
		case *parse.TemplateNode:
			nodes = append(nodes, m.zero(n.Pos, m.valuePaths(n.Pipe)))
		case *parse.IfNode:
			m.list(n.List, false)
			m.list(n.ElseList, false)
		case *parse.WithNode:
			m.below(m.dotOf(n.Pipe)).list(n.List, false)
			m.list(n.ElseList, false)
		case *parse.RangeNode:
			m.below(nil).list(n.List, true)
			m.list(n.ElseList, false)
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}

// below is the marker for where the dot stands for another value.
func (m *marker) below(dot []string) *marker {
	inner := *m
	inner.dot = dot
	return &inner
}

// dotOf is the one path below .Values that a with names, or nil.
func (m *marker) dotOf(pipe *parse.PipeNode) []string {
	if paths := m.valuePaths(pipe); len(paths) == 1 && len(pipe.Cmds) == 1 && len(pipe.Cmds[0].Args) == 1 {
		return paths[0]
	}
	return nil
}

// valuePaths returns the paths below .Values that a pipeline names.
func (m *marker) valuePaths(pipe *parse.PipeNode) [][]string {
	if pipe == nil {
		return nil
	}
	var paths [][]string
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			switch a := arg.(type) {
			case *parse.DotNode:
				if m.dot != nil {
					paths = append(paths, m.dot)
				}
			case *parse.FieldNode:
				switch {
				case m.dot != nil:
					paths = append(paths, slices.Concat(m.dot, a.Ident))
				case len(a.Ident) > 1 && a.Ident[0] == "Values":
					paths = append(paths, a.Ident[1:])
				}
			case *parse.VariableNode:
				if len(a.Ident) > 2 && a.Ident[0] == "$" && a.Ident[1] == "Values" {
					paths = append(paths, a.Ident[2:])
				}
			case *parse.PipeNode:
				paths = append(paths, m.valuePaths(a)...)
			}
		}
	}
	return paths
}
