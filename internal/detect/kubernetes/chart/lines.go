package chart

import (
	"bytes"
	"unicode/utf8"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// lines finds the bytes of places in a text.
type lines struct {
	text   []byte
	starts []int
	// last is where one was found before: lines may be very long.
	last cursor
}

func newLines(text []byte) *lines {
	l := &lines{text: text, starts: make([]int, 1, bytes.Count(text, []byte{'\n'})+1)}
	for i, b := range text {
		if b == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// bytes returns those that a span covers.
func (l *lines) bytes(span manifest.Span) (from, to int) {
	line, column := min(max(span.Line, 1), len(l.starts)), max(span.Column, 1)
	at := cursor{line: line, column: 1, offset: l.starts[line-1]}
	if l.last.line == line && l.last.column <= column {
		at = l.last
	}
	at = l.forward(at, column)
	l.last = at
	return at.offset, l.forward(at, span.EndColumn).offset
}

// cursor is a place in a line.
type cursor struct{ line, column, offset int }

// forward goes to a column of the same line, or its end.
func (l *lines) forward(at cursor, column int) cursor {
	for at.column < column && at.offset < len(l.text) && l.text[at.offset] != '\n' {
		_, n := utf8.DecodeRune(l.text[at.offset:])
		at.offset += n
		at.column++
	}
	return at
}

// start returns where a value begins.
func (l *lines) start(n *manifest.Node) int {
	from, _ := l.bytes(n.Span())
	return from
}

// covered returns the bytes of a value in its first line, at least one.
func (l *lines) covered(n *manifest.Node) (from, to int) {
	from, to = l.bytes(n.Span())
	return from, max(to, from+1)
}
