package chart

import (
	"bytes"
	"sort"
	"strings"
)

// written is a text that a template wrote, with what decided its parts.
type written struct {
	buf   bytes.Buffer
	parts []part
	// holders are the values that lie in the text as maps or lists, in the
	// order of their places.
	holders []holder
	// gaps are where branches were not taken, in the order of their places.
	gaps []gap
	// base is the branch in which the text was begun.
	base *branch
}

// part is a run of a text up to the next part.
type part struct {
	start int
	// refs are the values that it was made of; none for what stands in a
	// template.
	refs  []*ref
	under *branch
}

// holder is a value that was written as a map or list.
type holder struct {
	start int
	at    *ref
}

// branch is a condition, or a round of a loop, because of which something is
// written.
type branch struct {
	refs []*ref
	up   *branch
}

// gap is a place where something would be if a condition were another.
type gap struct {
	start int
	// shift is by how much the text was indented later.
	shift int
	keys  []indentedKey
	refs  []*ref
	under *branch
}

// text returns what was written.
func (w *written) text() string { return w.buf.String() }

// add appends a text that has one lineage.
func (w *written) add(text string, refs []*ref, under *branch) {
	if text == "" {
		return
	}
	w.begin(part{start: w.buf.Len(), refs: refs, under: under})
	w.buf.WriteString(text)
}

func (w *written) begin(p part) {
	if n := len(w.parts); n > 0 {
		last := &w.parts[n-1]
		if len(last.refs) == 0 && len(p.refs) == 0 && last.under == p.under {
			return
		}
		if last.start == p.start {
			*last = p
			return
		}
	}
	w.parts = append(w.parts, p)
}

// embed appends a text with its parts. What decides the whole besides is more.
func (w *written) embed(t *written, more []*ref, under *branch) {
	at := w.buf.Len()
	moved := map[*branch]*branch{t.base: under}
	var move func(*branch) *branch
	move = func(b *branch) *branch {
		to, known := moved[b]
		switch {
		case t.base == under && b != nil:
			return b
		case known:
			return to
		case b == nil:
			return under
		}
		to = &branch{refs: b.refs, up: move(b.up)}
		moved[b] = to
		return to
	}
	for _, p := range t.parts {
		w.begin(part{start: at + p.start, refs: with(p.refs, more), under: move(p.under)})
	}
	for _, h := range t.holders {
		w.holders = append(w.holders, holder{start: at + h.start, at: h.at})
	}
	for _, g := range t.gaps {
		g.start, g.under = at+g.start, move(g.under)
		w.gaps = append(w.gaps, g)
	}
	w.buf.Write(t.buf.Bytes())
}

// flat returns all values that decide a text: what is in it, and the
// conditions inside of what made it.
func (w *written) flat() []*ref {
	var refs []*ref
	seen := make(map[*branch]bool)
	conditions := func(b *branch) {
		for ; b != nil && b != w.base && !seen[b]; b = b.up {
			seen[b] = true
			refs = with(refs, b.refs)
		}
	}
	for _, p := range w.parts {
		refs = with(refs, p.refs)
		conditions(p.under)
	}
	for _, g := range w.gaps {
		refs = with(refs, g.refs)
		conditions(g.under)
	}
	return refs
}

// between returns the parts that cover bytes of the text.
func (w *written) between(from, to int) []part {
	i := sort.Search(len(w.parts), func(i int) bool { return w.parts[i].start > from }) - 1
	j := sort.Search(len(w.parts), func(i int) bool { return w.parts[i].start >= to })
	return w.parts[max(i, 0):max(j, max(i, 0))]
}

// refsBetween returns the values of which bytes of the text were made.
func (w *written) refsBetween(from, to int) []*ref {
	var refs []*ref
	for _, p := range w.between(from, to) {
		refs = with(refs, p.refs)
	}
	return refs
}

// holderAt returns the value that was written as the map or list that begins
// at a place.
func (w *written) holderAt(start int) *ref {
	i := sort.Search(len(w.holders), func(i int) bool { return w.holders[i].start >= start })
	if i < len(w.holders) && w.holders[i].start == start {
		return w.holders[i].at
	}
	return nil
}

// mapped returns a text of which each place has moved; shift is by how much it
// was indented.
func (w *written) mapped(text string, place func(int) int, shift int) *written {
	out := &written{base: w.base}
	out.buf.WriteString(text)
	for i, p := range w.parts {
		if p.start = place(p.start); i == 0 {
			p.start = 0
		}
		out.parts = append(out.parts, p)
	}
	for _, h := range w.holders {
		h.start = place(h.start)
		out.holders = append(out.holders, h)
	}
	for _, g := range w.gaps {
		g.start, g.shift = place(g.start), g.shift+shift
		out.gaps = append(out.gaps, g)
	}
	return out
}

// indented returns the text with spaces in front of every line, and behind a
// text.
func (w *written) indented(before string, n int) *written {
	text := w.text()
	breaks := make([]int, 0, strings.Count(text, "\n"))
	for i := range len(text) {
		if text[i] == '\n' {
			breaks = append(breaks, i)
		}
	}
	pad := strings.Repeat(" ", n)
	return w.mapped(before+pad+strings.ReplaceAll(text, "\n", "\n"+pad), func(at int) int {
		return len(before) + at + n*(1+sort.SearchInts(breaks, at))
	}, n)
}

// cut returns the bytes between two places.
func (w *written) cut(from, to int) *written {
	out := &written{base: w.base}
	out.buf.WriteString(w.text()[from:to])
	for _, p := range w.between(from, to) {
		p.start = max(p.start-from, 0)
		out.parts = append(out.parts, p)
	}
	for _, h := range w.holders {
		if h.start >= from && h.start < to {
			out.holders = append(out.holders, holder{start: h.start - from, at: h.at})
		}
	}
	for _, g := range w.gaps {
		g.start = min(max(g.start-from, 0), to-from)
		out.gaps = append(out.gaps, g)
	}
	return out
}

// withoutNoValue returns the text without what the template engine writes for
// nothing, which Helm removes.
func (w *written) withoutNoValue() *written {
	text, no := w.text(), string(noValue)
	if !strings.Contains(text, no) {
		return w
	}
	var removed []int
	for at := 0; ; {
		i := strings.Index(text[at:], no)
		if i < 0 {
			break
		}
		removed = append(removed, at+i)
		at += i + len(no)
	}
	return w.mapped(strings.ReplaceAll(text, no, ""), func(at int) int {
		before := sort.SearchInts(removed, at)
		if before > 0 && at < removed[before-1]+len(no) {
			at = removed[before-1] + len(no)
		}
		return at - before*len(no)
	}, 0)
}
