package manifest

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// locator turns the parser's positions into places in the file. The parser
// breaks lines as YAML 1.1 does, also at lone CR, NEL, LS and PS; editors and
// SARIF viewers break them at LF alone.
type locator struct {
	chunk chunk
	// starts are the offsets in chunk.text at which the parser's lines start.
	starts []int
	// lines are the offsets at which the editor's lines start; nil when they
	// are the parser's.
	lines []int
	ascii bool
	// The cursors remember the place that was asked for last: nodes come in
	// ascending order, and counting on from there keeps long lines linear.
	seek  cursor
	count cursor
	// lineEnd is the offset of the first line end behind lineFrom.
	lineFrom, lineEnd int
}

type cursor struct {
	line, column, offset int
}

func newLocator(c chunk) *locator {
	l := &locator{chunk: c, starts: []int{0}, ascii: true, lineEnd: -1}
	odd := false
	for i := 0; i < len(c.text); i++ {
		switch b := c.text[i]; {
		case b == '\n':
			l.starts = append(l.starts, i+1)
		case b == '\r' && (i+1 == len(c.text) || c.text[i+1] != '\n'):
			l.starts = append(l.starts, i+1)
			odd = true
		case b >= utf8.RuneSelf:
			l.ascii = false
			if n := oddBreak(c.text[i:]); n > 0 {
				l.starts = append(l.starts, i+n)
				odd = true
			}
		}
	}
	if odd {
		l.lines = []int{0}
		for i, b := range c.text {
			if b == '\n' {
				l.lines = append(l.lines, i+1)
			}
		}
	}
	return l
}

// oddBreak returns the length of the line break NEL, LS or PS at the start of
// text, or 0.
func oddBreak(text []byte) int {
	for _, mark := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return len(mark)
		}
	}
	return 0
}

// offset returns the byte in chunk.text of the parser's line and column.
func (l *locator) offset(line, column int) int {
	line = min(max(line, 1), len(l.starts))
	start := l.starts[line-1]
	if l.ascii {
		return min(start+column-1, len(l.chunk.text))
	}
	at := cursor{line: line, column: 1, offset: start}
	if l.seek.line == line && l.seek.column <= column {
		at = l.seek
	}
	for at.column < column && at.offset < len(l.chunk.text) {
		_, n := utf8.DecodeRune(l.chunk.text[at.offset:])
		at.offset += n
		at.column++
	}
	l.seek = at
	return at.offset
}

// place returns line and column in the file of a byte of chunk.text whose
// place the parser gave as line and column.
func (l *locator) place(line, column, offset int) (int, int) {
	if l.lines == nil {
		if line == 1 {
			column += l.chunk.column
		}
		return l.chunk.line + line - 1, column
	}
	i := sort.SearchInts(l.lines, offset+1) - 1
	at := cursor{line: i, column: 1, offset: l.lines[i]}
	if l.count.line == i && l.count.offset > at.offset && l.count.offset <= offset {
		at = l.count
	}
	at.column += utf8.RuneCount(l.chunk.text[at.offset:offset])
	at.offset = offset
	l.count = at
	if i == 0 {
		return l.chunk.line, at.column + l.chunk.column
	}
	return l.chunk.line + i, at.column
}

// span sets the place of a node that the parser saw at line and column.
func (l *locator) span(n *Node, line, column int) {
	if last := len(l.starts); line > last {
		// A missing value at the end of the text is one line beyond it.
		line, column = last, 1+utf8.RuneCount(l.chunk.text[l.starts[last-1]:])
	}
	start := l.offset(line, column)
	fileLine, fileColumn := l.place(line, column, start)
	end := l.end(n, start)
	n.place(Span{Line: fileLine, Column: fileColumn, EndColumn: fileColumn + utf8.RuneCount(l.chunk.text[start:end])})
}

// end returns the offset after the last byte of the node on its first line.
func (l *locator) end(n *Node, start int) int {
	text := l.chunk.text[start:l.endOfLine(start)]
	at := properties(text)
	rest := text[at:]
	switch {
	case n.Kind == Map || n.Kind == List:
		return start + at + min(1, len(rest))
	case len(rest) == 0:
		return start + at
	case rest[0] == '"' || rest[0] == '\'':
		return start + at + quotedEnd(rest)
	case n.Block:
		if i := bytes.IndexAny(rest, " \t"); i >= 0 {
			rest = rest[:i]
		}
		return start + at + len(rest)
	case strings.HasPrefix(string(rest[:min(len(rest), len(n.Value))]), n.Value):
		return start + at + len(n.Value)
	default:
		// A plain scalar that goes on in the next line.
		if i := bytes.Index(rest, []byte(" #")); i >= 0 {
			rest = rest[:i]
		}
		return start + at + len(bytes.TrimRight(rest, " \t"))
	}
}

// endOfLine returns the offset of the first line end behind another offset.
func (l *locator) endOfLine(start int) int {
	if start < l.lineFrom || start > l.lineEnd {
		l.lineFrom, l.lineEnd = start, len(l.chunk.text)
		if i := bytes.IndexAny(l.chunk.text[start:], "\r\n"); i >= 0 {
			l.lineEnd = start + i
		}
	}
	return l.lineEnd
}

// properties returns the length of the anchor and tag before a value.
func properties(text []byte) int {
	at := 0
	for at < len(text) && (text[at] == '&' || text[at] == '!') {
		i := bytes.IndexAny(text[at:], " \t")
		if i < 0 {
			return len(text)
		}
		at += i
		for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
			at++
		}
	}
	return at
}

// quotedEnd returns the offset after the closing quote, or the length of the
// line when the scalar goes on in the next one.
func quotedEnd(text []byte) int {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}
