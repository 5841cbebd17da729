package chart

import (
	"bytes"
	"context"
	"errors"
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
	pieces  []piece
	sources map[string][]byte
	// trace knows which values decided what in the template unit, and places
	// where they stand.
	trace  *tracing
	unit   int
	places *places
	lines  *lines
}

// index finds lines in the text.
func (r *Rendered) index() *lines {
	if r.lines == nil {
		r.lines = newLines(r.Content)
	}
	return r.lines
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
}

// Source is where a place of the output came from.
type Source struct {
	Path string
	Span manifest.Span
}

// Locate returns from where a place of the output came.
func (r *Rendered) Locate(span manifest.Span) (Source, bool) {
	offset, end := r.index().bytes(span)
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
	source := Source{Path: p.from.path}
	source.Span = spanOf(content, from, to)
	if span.Column == 0 {
		source.Span.Column, source.Span.EndColumn = 0, 0
	}
	return source, true
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
}

// zero makes a text without bytes that has an address of its own.
func (m *marker) zero(pos parse.Pos) *parse.TextNode {
	b := make([]byte, 1, 16)
	// The tree has the place of the first word; the action starts before it.
	if before := m.content[:min(int(pos), len(m.content))]; len(before) > 0 {
		if i := bytes.LastIndex(before, []byte("{{")); i >= 0 {
			pos = parse.Pos(i)
		}
	}
	m.marks[&b[0]] = origin{path: m.path, offset: int(pos)}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: pos, Text: b[:0]}
}

func (m *marker) list(list *parse.ListNode, loop bool) {
	if list == nil {
		return
	}
	var nodes []parse.Node
	if loop {
		nodes = append(nodes, m.zero(list.Pos))
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			if len(n.Text) > 0 {
				m.marks[&n.Text[0]] = origin{path: m.path, offset: int(n.Pos)}
			}
		case *parse.ActionNode:
			nodes = append(nodes, m.zero(n.Pos))
			showing(n.Pipe)
		case *parse.TemplateNode:
			nodes = append(nodes, m.zero(n.Pos))
		case *parse.IfNode:
			m.list(n.List, false)
			m.list(n.ElseList, false)
		case *parse.WithNode:
			m.list(n.List, false)
			m.list(n.ElseList, false)
		case *parse.RangeNode:
			m.list(n.List, true)
			m.list(n.ElseList, false)
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}
