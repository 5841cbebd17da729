// Package wordsearch looks for many byte strings at once in contents that
// stream past. It is not for patterns. The main types are Finder, the words in
// a form that is fast to look for, and Stream, one pass over one content.
package wordsearch

import (
	"bytes"
	"encoding/binary"
)

// Word is a byte string to look for.
type Word struct {
	// Text has at least two bytes. The longer it is, and the rarer its bytes are,
	// the faster is the search.
	Text string
	// Fold has letters of ASCII count in either case; Text is in lower case then.
	Fold bool
	// Before and After are the bytes that may stand next to the word where it
	// counts, beside the borders of the content and zero; nil for any. They keep
	// the search for short words fast. They are not checked: the word may be hit
	// between others as well.
	Before, After []byte
}

// Finder looks for words at every second place of a content: of two windows of
// four bytes that lie over a word, one byte apart, one is at such a place. A
// table says for two bytes of which groups of windows they are the first half,
// and of which the last. Hardly any place has both halves of one group, and only
// those are looked at closely. It is safe for concurrent use.
type Finder struct {
	words []Word
	// pairs have a bit for each group, in the low byte for the first half of a
	// window and in the high byte for the last.
	pairs [1 << 16]uint16
	// slots are the places in anchors of those with the same hash, and one more.
	slots   [1<<slotBits + 1]uint16
	anchors []anchor
	// reach is the greatest offset of a window, longest the length of a word.
	reach, longest int
}

const (
	// stride is how far the places lie apart, and how many windows a word has.
	stride = 2
	// groups is how many groups of windows there are.
	groups   = 8
	slotBits = 13
)

// anchor says that the half of a window is that of a word. The window begins at
// the offset in the word, or before it.
type anchor struct {
	word   uint16
	offset int16
	// bytes are those of the window, as far as mask goes: they tell most places
	// apart at which another word has the same half.
	bytes, mask uint32
}

// slotOf is the slot of the anchors of a half, the first or the last of a window.
func slotOf(half uint16, last uint32) uint32 {
	return (uint32(half)<<1 | last) * 0x9e3779b1 >> (32 - slotBits)
}

// Find calls hit with the index of each word for each of its occurrences, and
// where it begins, about in the order of places.
func (f *Finder) Find(data []byte, hit func(word, at int)) { f.FindFrom(data, 0, len(data), hit) }

// FindFrom is Find for the words that begin in data[from:to]. They may reach
// beyond.
func (f *Finder) FindFrom(data []byte, from, to int, hit func(word, at int)) {
	last := min(to+f.reach, len(data)-1)
	for i := from; i <= last; {
		if i = f.pass(data, i, last); i > last {
			return
		}
		w := load(data, i)
		for f.pairs[uint16(w)]&(f.pairs[uint16(w>>16)]>>groups) == 0 {
			if i += stride; i > last {
				return
			}
			w = load(data, i)
		}
		f.look(data, i, w, from, to, hit)
		i += stride
	}
}

// block is how far the windows reach that are looked at with one branch.
const block = 8 * stride

// pass returns the first place from i on, in steps of a block, at which a window
// in the block may be that of a word, or behind which less than a block is left.
func (f *Finder) pass(data []byte, i, last int) int {
	if i+block+2 > len(data) {
		return i
	}
	for p := f.pairs[binary.LittleEndian.Uint16(data[i:])]; i+block+2 <= len(data) && i <= last; i += block {
		d := data[i+2 : i+2+block : i+2+block]
		q := f.pairs[binary.LittleEndian.Uint16(d)]
		r := f.pairs[binary.LittleEndian.Uint16(d[2:])]
		s := f.pairs[binary.LittleEndian.Uint16(d[4:])]
		t := f.pairs[binary.LittleEndian.Uint16(d[6:])]
		both := p&(q>>groups) | q&(r>>groups) | r&(s>>groups) | s&(t>>groups)
		q = f.pairs[binary.LittleEndian.Uint16(d[8:])]
		r = f.pairs[binary.LittleEndian.Uint16(d[10:])]
		s = f.pairs[binary.LittleEndian.Uint16(d[12:])]
		p = f.pairs[binary.LittleEndian.Uint16(d[14:])]
		if both|t&(q>>groups)|q&(r>>groups)|r&(s>>groups)|s&(p>>groups) != 0 {
			break
		}
	}
	return i
}

// load returns the four bytes at a place; zeros follow the data.
func load(data []byte, at int) uint32 {
	if at+4 <= len(data) {
		return binary.LittleEndian.Uint32(data[at:])
	}
	var b [4]byte
	copy(b[:], data[at:])
	return binary.LittleEndian.Uint32(b[:])
}

// look compares the words with an anchor in the window at i.
func (f *Finder) look(data []byte, i int, w uint32, from, to int, hit func(word, at int)) {
	for n, half := range [...]uint16{uint16(w), uint16(w >> 16)} {
		slot := slotOf(half, uint32(n))
		for _, a := range f.anchors[f.slots[slot]:f.slots[slot+1]] {
			if w&a.mask != a.bytes {
				continue
			}
			at := i - int(a.offset)
			if at < from || at >= to {
				continue
			}
			if word := &f.words[a.word]; len(data)-at >= len(word.Text) && word.equal(data[at:at+len(word.Text)]) {
				hit(int(a.word), at)
			}
		}
	}
}

func (w *Word) equal(b []byte) bool {
	if !w.Fold {
		return string(b) == w.Text
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != w.Text[i] {
			return false
		}
	}
	return true
}

// Stream is the search of one content that comes in pieces. The zero Stream is
// not ready; Reset makes it so.
type Stream struct {
	finder *Finder
	hit    func(word int, at int64)
	// each takes the words in what is searched, which begins at base in the
	// content. Where tail is searched, only those count that reach beyond what was
	// searched before.
	each   func(word, at int)
	base   int64
	before int
	// tail is what a word may begin in that ends in the next piece.
	tail []byte
}

// Reset begins a content. What the stream allocated is used again. It calls hit
// once for each word and each place in the content where it begins.
func (s *Stream) Reset(f *Finder, hit func(word int, at int64)) {
	if s.each == nil {
		s.each = func(word, at int) {
			if s.before == 0 || at < s.before && at+len(s.finder.words[word].Text) > s.before {
				s.hit(word, s.base+int64(at))
			}
		}
	}
	s.finder, s.hit, s.base, s.before, s.tail = f, hit, 0, 0, s.tail[:0]
}

// Write searches the next piece, for the words too that began in those before.
func (s *Stream) Write(data []byte) {
	overlap := s.finder.longest - 1
	if s.before = len(s.tail); s.before > 0 {
		s.base -= int64(s.before)
		s.tail = append(s.tail, data[:min(len(data), overlap)]...)
		s.finder.Find(s.tail, s.each)
		s.tail = s.tail[:s.before]
		s.base += int64(s.before)
	}
	s.before = 0
	s.finder.Find(data, s.each)
	s.base += int64(len(data))
	if len(data) >= overlap {
		s.tail = append(s.tail[:0], data[len(data)-overlap:]...)
		return
	}
	s.tail = append(s.tail, data...)
	s.tail = append(s.tail[:0], s.tail[max(0, len(s.tail)-overlap):]...)
}

// Words are words of the given texts, in any surroundings.
func Words(texts [][]byte) []Word {
	out := make([]Word, len(texts))
	for n, text := range texts {
		out[n].Text = string(bytes.Clone(text))
	}
	return out
}
