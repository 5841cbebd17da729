package dockerfile

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Span is a half-open range of byte offsets into the file's content.
type Span struct {
	Start, End int
}

// Text is a string that was put together from pieces of the file, such as the
// logical line of an instruction without its continuation marks. It knows for
// each of its bytes where in the file that byte stands.
type Text struct {
	// S is the string itself.
	S    string
	segs []segment
}

// segment says that the bytes of a Text from at on stand in the file from
// offset file on, up to the next segment.
type segment struct {
	at, file int
}

// TextAt is the piece of content that the span covers, as a Text.
func TextAt(content string, span Span) Text {
	return Text{S: content[span.Start:span.End], segs: []segment{{at: 0, file: span.Start}}}
}

// Offset is the file offset of byte i of the text. The offset of the text's
// end is that after its last byte.
func (t Text) Offset(i int) int {
	if len(t.segs) == 0 {
		return 0
	}
	if i == len(t.S) && i > 0 {
		return t.Offset(i-1) + 1
	}
	n := sort.Search(len(t.segs), func(k int) bool { return t.segs[k].at > i }) - 1
	if n < 0 {
		n = 0
	}
	return t.segs[n].file + i - t.segs[n].at
}

// Span is the range of the file that the bytes from start to end of the text
// come from. It may run over several lines.
func (t Text) Span(start, end int) Span {
	from := t.Offset(start)
	if end <= start {
		return Span{from, from}
	}
	return Span{from, t.Offset(end-1) + 1}
}

// Joints are the offsets in the text at which pieces meet that do not follow one
// another in the file, in order.
func (t Text) Joints() []int {
	var out []int
	for i := 1; i < len(t.segs); i++ {
		before, seg := t.segs[i-1], t.segs[i]
		if seg.at > 0 && seg.at < len(t.S) && before.file+seg.at-before.at != seg.file {
			out = append(out, seg.at)
		}
	}
	return out
}

// Slice is the part of the text from start to end.
func (t Text) Slice(start, end int) Text {
	out := Text{S: t.S[start:end]}
	n := sort.Search(len(t.segs), func(k int) bool { return t.segs[k].at > start }) - 1
	if n < 0 {
		n = 0
	}
	for ; n < len(t.segs) && (t.segs[n].at < end || t.segs[n].at <= start); n++ {
		seg := t.segs[n]
		if seg.at < start {
			seg.file += start - seg.at
			seg.at = start
		}
		out.segs = append(out.segs, segment{at: seg.at - start, file: seg.file})
	}
	return out
}

// Join puts texts behind one another.
func Join(parts ...Text) Text {
	var b textBuilder
	for _, p := range parts {
		b.addText(p)
	}
	return b.text()
}

// textBuilder assembles a Text from pieces of a file's content.
type textBuilder struct {
	b    strings.Builder
	segs []segment
}

func (tb *textBuilder) add(s string, file int) {
	if s == "" {
		return
	}
	tb.segs = append(tb.segs, segment{at: tb.b.Len(), file: file})
	tb.b.WriteString(s)
}

func (tb *textBuilder) addText(t Text) {
	for _, seg := range t.segs {
		tb.segs = append(tb.segs, segment{at: tb.b.Len() + seg.at, file: seg.file})
	}
	tb.b.WriteString(t.S)
}

func (tb *textBuilder) text() Text {
	return Text{S: tb.b.String(), segs: tb.segs}
}

// lineIndex maps byte offsets to lines and columns.
type lineIndex struct {
	content string
	starts  []int
}

func newLineIndex(content string) lineIndex {
	starts := make([]int, 1, strings.Count(content, "\n")+1)
	for i := 0; i < len(content); i++ {
		if content[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return lineIndex{content: content, starts: starts}
}

// lineOf is the index, from 0, of the line that holds the offset.
func (x lineIndex) lineOf(offset int) int {
	return sort.Search(len(x.starts), func(k int) bool { return x.starts[k] > offset }) - 1
}

// position is the line and the column, both from 1, of the offset. Columns
// count code points; a byte order mark at the start of the file is not counted.
func (x lineIndex) position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(x.content))
	n := x.lineOf(offset)
	head := x.content[x.starts[n]:offset]
	if n == 0 {
		head = strings.TrimPrefix(head, byteOrderMark)
	}
	return n + 1, utf8.RuneCountInString(head) + 1
}

// line is the text of the line with the index n without its line ending, and
// the offset at which it starts.
func (x lineIndex) line(n int) (string, int) {
	start, end := x.starts[n], len(x.content)
	if n+1 < len(x.starts) {
		end = x.starts[n+1]
	}
	return strings.TrimRight(x.content[start:end], "\r\n"), start
}

// next is the offset at which the line after n starts.
func (x lineIndex) next(n int) int {
	if n+1 < len(x.starts) {
		return x.starts[n+1]
	}
	return len(x.content)
}

const byteOrderMark = "\ufeff"
