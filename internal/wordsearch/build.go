package wordsearch

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// New returns a finder of words.
func New(words []Word) *Finder {
	f := &Finder{words: words}
	shapes, all := make([]shape, len(words)), anyByte()
	var spans []*span
	for n := range words {
		shapes[n] = shapeOf(&words[n], all)
		for i := range shapes[n].windows {
			spans = append(spans, &shapes[n].windows[i])
		}
		f.reach = max(f.reach, shapes[n].offset+stride-1)
		f.longest = max(f.longest, len(words[n].Text))
	}
	// The commonest come first, so that the others keep apart from them.
	slices.SortStableFunc(spans, func(a, b *span) int { return cmp.Compare(b.common(), a.common()) })
	var common [groups][2]float64
	for _, s := range spans {
		f.join(s, &common)
	}
	f.anchor(shapes)
	return f
}

// shape is where the windows of a word lie, the first at an offset and the
// others behind it, and what their halves may be.
type shape struct {
	offset  int
	windows [stride]span
	// common is how often one of the windows stands in a content by chance.
	common float64
}

// span is a window over a word.
type span struct{ halves [2]half }

// common is how often it stands in a content by chance.
func (s *span) common() float64 { return s.halves[0].common * s.halves[1].common }

// bytes are those of the window that are told, as far as the mask goes: a letter
// in either case without what the cases differ in, one of several not at all.
func (s *span) bytes() (bytes, mask uint32) {
	for i, set := range [...][]byte{s.halves[0].sets[0], s.halves[0].sets[1], s.halves[1].sets[0], s.halves[1].sets[1]} {
		var m byte
		switch {
		case len(set) == 1:
			m = 0xff
		case len(set) == 2 && set[0]^set[1] == 0x20:
			m = 0xdf
		}
		mask |= uint32(m) << (8 * i)
		bytes |= uint32(set[0]&m) << (8 * i)
	}
	return bytes, mask
}

// half is what two neighbouring bytes may be: a byte of each set.
type half struct {
	sets [2][]byte
	// common is about the part of all pairs that are one of them.
	common float64
}

// shapeOf lays the windows where they are rarest.
func shapeOf(w *Word, all []byte) (best shape) {
	best.common = math.Inf(1)
	before, text, after := borders(w.Before, all), []byte(w.Text), borders(w.After, all)
	at := func(offset int) []byte {
		switch {
		case offset == -1:
			return before
		case offset == len(text):
			return after
		case offset < 0 || offset > len(text):
			return all
		case w.Fold && 'a' <= text[offset] && text[offset] <= 'z':
			return []byte{text[offset], text[offset] - 'a' + 'A'}
		default:
			return text[offset : offset+1]
		}
	}
	// With a lower offset both windows of a word at the beginning might lie before
	// it, or at no place that is looked at.
	for offset := 1 - stride; offset < len(text); offset++ {
		common := 0.0
		for n := range stride {
			common += commonest(at(offset+n), at(offset+n+1)) * commonest(at(offset+n+2), at(offset+n+3))
		}
		if common < best.common {
			best.offset, best.common = offset, common
		}
	}
	for n := range best.windows {
		for h := range best.windows[n].halves {
			i := best.offset + n + 2*h
			best.windows[n].halves[h] = half{[2][]byte{at(i), at(i + 1)}, commonest(at(i), at(i+1))}
		}
	}
	return best
}

// anyByte are all bytes.
func anyByte() []byte {
	out := make([]byte, 256)
	for c := range out {
		out[c] = byte(c)
	}
	return out
}

// borders are the bytes that may stand next to a word: zero is also what stands
// behind the end of a content.
func borders(set, all []byte) []byte {
	if set == nil {
		return all
	}
	return append([]byte{0}, set...)
}

// pairs calls do with each pair that a half may be.
func (h *half) pairs(do func(pair uint16)) {
	for _, second := range h.sets[1] {
		for _, first := range h.sets[0] {
			do(uint16(first) | uint16(second)<<8)
		}
	}
}

// commonest is about how often a byte of one set stands before one of another.
func commonest(a, b []byte) float64 { return share(a) * share(b) }

func share(set []byte) float64 {
	if len(set) == 256 {
		return 1
	}
	sum, frequency := 0.0, frequencies()
	for _, c := range set {
		sum += frequency[c]
	}
	return min(sum, 1)
}

// letters are the letters of English text and of programs from the most common
// on.
const letters = "etaoinsrhldcumfpgwybvkxjqz"

// frequencies are those of all bytes.
var frequencies = sync.OnceValue(func() *[256]float64 {
	all := new([256]float64)
	for c := range all {
		all[c] = frequency(byte(c))
	}
	return all
})

// frequency is about how often a byte stands in a text, by Zipf's law.
func frequency(c byte) float64 {
	switch i := strings.IndexByte(letters, c|0x20); {
	case i >= 0 && c >= 'a':
		return 0.15 / float64(i+1)
	case i >= 0:
		return 0.015 / float64(i+1)
	case c == ' ':
		return 0.12
	case c == 0:
		return 0.05
	case c < ' ', '0' <= c && c <= '9', strings.IndexByte("_-./:=(),;'\"{}[]<>", c) >= 0:
		return 0.008
	default:
		return 0.001
	}
}

// join puts a window into the group in which it costs least.
func (f *Finder) join(s *span, common *[groups][2]float64) {
	sums, frequency := *common, frequencies()
	for h := range s.halves {
		half := &s.halves[h]
		if len(half.sets[0])*len(half.sets[1]) > 1024 {
			for g := range sums {
				sums[g][h] += half.common // About, where some were there before.
			}
			continue
		}
		half.pairs(func(pair uint16) {
			for g, more := 0, frequency[byte(pair)]*frequency[byte(pair>>8)]; g < groups; g++ {
				if f.pairs[pair]>>(h*groups+g)&1 == 0 {
					sums[g][h] += more
				}
			}
		})
	}
	best, least := 0, math.Inf(1)
	for g := range groups {
		sums[g][0], sums[g][1] = min(sums[g][0], 1), min(sums[g][1], 1)
		if more := sums[g][0]*sums[g][1] - common[g][0]*common[g][1]; more < least {
			best, least = g, more
		}
	}
	common[best] = sums[best]
	for h := range s.halves {
		s.halves[h].pairs(func(pair uint16) { f.pairs[pair] |= 1 << (h*groups + best) })
	}
}

// anchor makes the anchors: each window is found by the rarer of its halves.
func (f *Finder) anchor(shapes []shape) {
	type entry struct {
		slot uint32
		anchor
	}
	var entries []entry
	for n := range f.words {
		for offset, w := range shapes[n].windows {
			a := anchor{word: uint16(n), offset: int16(shapes[n].offset + offset)}
			a.bytes, a.mask = w.bytes()
			h := 0
			if w.halves[1].common < w.halves[0].common {
				h = 1
			}
			w.halves[h].pairs(func(pair uint16) { entries = append(entries, entry{slotOf(pair, uint32(h)), a}) })
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.word, b.word), cmp.Compare(a.offset, b.offset))
	})
	entries = slices.Compact(entries)
	for _, e := range entries {
		f.slots[e.slot+1]++
		f.anchors = append(f.anchors, e.anchor)
	}
	for slot := range 1 << slotBits {
		f.slots[slot+1] += f.slots[slot]
	}
}
