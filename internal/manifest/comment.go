package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Comment is a comment of a YAML file.
type Comment struct {
	Span Span
	// Text is what stands behind the #, trimmed.
	Text string
	// Scope is the range of lines that the comment is about: the key, list item
	// or document that it stands above or beside.
	Scope Range
}

// Range is a range of lines, both ends included.
type Range struct {
	From int
	To   int
}

// Holds reports whether a line lies in the range.
func (r Range) Holds(line int) bool { return r.From <= line && line <= r.To }

// Comments returns the comments of a file that hold one of the given words,
// in the order of their lines. Text inside of block scalars is no comment.
func Comments(file File, docs []Document, words ...string) []Comment {
	content, err := toUTF8(file.Content)
	if err != nil || !containsAny(content, words) {
		return nil
	}
	lines := strings.Split(string(content), "\n")
	var comments []Comment
	for i := range docs {
		doc := &docs[i]
		if doc.Root == nil {
			continue
		}
		f := newFinder(doc, lines)
		for n := doc.Line; n <= min(doc.EndLine, len(lines)); n++ {
			text := lines[n-1]
			start := commentStart(text)
			if start < 0 || f.inBlock(n) || !containsAny([]byte(text[start:]), words) {
				continue
			}
			column := utf8.RuneCountInString(text[:start]) + 1
			trimmed := strings.TrimRight(text[start:], " \t\r")
			comments = append(comments, Comment{
				Span:  Span{Line: n, Column: column, EndColumn: column + utf8.RuneCountInString(trimmed)},
				Text:  strings.TrimSpace(strings.TrimLeft(trimmed, "#")),
				Scope: f.scope(n, strings.TrimSpace(text[:start]) == ""),
			})
		}
	}
	return comments
}

func containsAny(content []byte, words []string) bool {
	for _, w := range words {
		if bytes.Contains(content, []byte(w)) {
			return true
		}
	}
	return false
}

// commentStart returns the offset of the # that starts a comment, or -1. A #
// inside of quotes starts none.
func commentStart(line string) int {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" \t[{,:", line[i-1]) >= 0):
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		}
	}
	return -1
}

// finder knows the lines that the keys and items of a document cover.
type finder struct {
	doc   *Document
	lines []string
	// first is the first line with content.
	first int
	// entries are the largest ranges that begin on a line.
	entries map[int]Range
	blocks  []Range
}

func newFinder(doc *Document, lines []string) *finder {
	f := &finder{doc: doc, lines: lines, entries: make(map[int]Range)}
	f.first = doc.Root.Span().Line
	f.walk(doc.Root)
	return f
}

// walk notes the ranges of all entries below a node and returns the last line
// of the node.
func (f *finder) walk(n *Node) int {
	last := n.Span().Line
	for _, field := range n.Fields() {
		end := max(field.Key.Span().Line, f.value(field.Value, field.Key.Span().Column-1))
		f.note(field.Key.Span().Line, end)
		last = max(last, end)
	}
	for _, item := range n.Items() {
		end := f.value(item, f.indent(item.Span().Line))
		f.note(item.Span().Line, end)
		last = max(last, end)
	}
	return last
}

func (f *finder) note(from, to int) {
	if r, there := f.entries[from]; !there || to > r.To {
		f.entries[from] = Range{From: from, To: to}
	}
}

// value returns the last line of a value whose key stands at an indentation.
func (f *finder) value(n *Node, indent int) int {
	if !n.Block {
		return f.walk(n)
	}
	end := n.Span().Line
	for end < min(f.doc.EndLine, len(f.lines)) && (strings.TrimSpace(f.lines[end]) == "" || f.indent(end+1) > indent) {
		end++
	}
	if end > n.Span().Line {
		f.blocks = append(f.blocks, Range{From: n.Span().Line + 1, To: end})
	}
	return end
}

// indent is the number of spaces in front of a line.
func (f *finder) indent(line int) int {
	if line < 1 || line > len(f.lines) {
		return 0
	}
	text := f.lines[line-1]
	return len(text) - len(strings.TrimLeft(text, " "))
}

func (f *finder) inBlock(line int) bool {
	for _, b := range f.blocks {
		if b.Holds(line) {
			return true
		}
	}
	return false
}

// scope returns what a comment is about. One that stands alone is about what
// comes next; above the first content of a document that is all of it.
func (f *finder) scope(line int, alone bool) Range {
	target := line
	if alone {
		for target = line + 1; target <= min(f.doc.EndLine, len(f.lines)); target++ {
			text := strings.TrimSpace(f.lines[target-1])
			if text != "" && text[0] != '#' && text != "---" {
				break
			}
		}
	}
	if alone && target <= f.first {
		return Range{From: f.doc.Line, To: f.doc.EndLine}
	}
	if r, ok := f.entries[target]; ok {
		return r
	}
	return Range{From: target, To: target}
}

// Lines returns the range of lines that a value covers, from the place's key
// or start to the end of what lies below.
func (p *Place) Lines() Range {
	from := p.Span().Line
	if p.Node == nil {
		return Range{From: from, To: from}
	}
	return Range{From: from, To: max(from, lastLine(p.Node))}
}

func lastLine(n *Node) int {
	last := n.Span().Line
	if n.Block {
		last += strings.Count(n.Value, "\n") + 1
	}
	for _, f := range n.Fields() {
		last = max(last, f.Key.Span().Line, lastLine(f.Value))
	}
	for _, i := range n.Items() {
		last = max(last, lastLine(i))
	}
	return last
}
