// Package wordsearch looks for many byte strings at once in contents that
// stream past. It is not for patterns. The main types are Finder, the words in
// a form that is fast to look for, and Stream, one pass over one content.
package wordsearch

import "bytes"

// Finder looks for words by the method of Wu and Manber ("A fast algorithm for
// multi-pattern searching", 1994): the last two of as many bytes as the
// shortest word has tell how far the window may be moved. It is safe for
// concurrent use.
type Finder struct {
	words   [][]byte
	window  int
	longest int
	shift   [1 << 16]uint8
	// ending are the indexes of words by the last two bytes of their window.
	ending map[uint16][]int
}

// New returns a finder of words, each of which has at least two bytes. The
// longer the shortest of them is, the faster it is.
func New(words [][]byte) *Finder {
	f := &Finder{words: words, window: 255, ending: map[uint16][]int{}}
	for _, w := range words {
		f.window, f.longest = min(f.window, len(w)), max(f.longest, len(w))
	}
	for i := range f.shift {
		f.shift[i] = uint8(f.window - 1)
	}
	for n, w := range words {
		for i := 1; i < f.window; i++ {
			b := block(w[i-1], w[i])
			f.shift[b] = min(f.shift[b], uint8(f.window-1-i))
		}
		b := block(w[f.window-2], w[f.window-1])
		f.ending[b] = append(f.ending[b], n)
	}
	return f
}

func block(a, b byte) uint16 { return uint16(a) | uint16(b)<<8 }

// lanes is the size from which data is searched at several places side by side:
// a step waits for the one before it, but not for those of the other places.
const lanes = 4096

// Find calls hit with the index of each word for each of its occurrences, in no
// order.
func (f *Finder) Find(data []byte, hit func(word int)) {
	first := f.window - 1
	if len(data) < lanes {
		f.scan(data, first, len(data), hit)
		return
	}
	quarter := (len(data) - first) / 4
	endA, endB, endC, endD := first+quarter, first+2*quarter, first+3*quarter, len(data)
	a, b, c, d := first, endA, endB, endC
	for a < endA && b < endB && c < endC && d < endD {
		stepA, stepB := f.shift[block(data[a-1], data[a])], f.shift[block(data[b-1], data[b])]
		stepC, stepD := f.shift[block(data[c-1], data[c])], f.shift[block(data[d-1], data[d])]
		if stepA == 0 {
			f.check(data, a, hit)
			stepA = 1
		}
		if stepB == 0 {
			f.check(data, b, hit)
			stepB = 1
		}
		if stepC == 0 {
			f.check(data, c, hit)
			stepC = 1
		}
		if stepD == 0 {
			f.check(data, d, hit)
			stepD = 1
		}
		a, b, c, d = a+int(stepA), b+int(stepB), c+int(stepC), d+int(stepD)
	}
	f.scan(data, a, endA, hit)
	f.scan(data, b, endB, hit)
	f.scan(data, c, endC, hit)
	f.scan(data, d, endD, hit)
}

// scan looks for words whose window ends at from or behind it and before to.
func (f *Finder) scan(data []byte, from, to int, hit func(word int)) {
	for at := from; at < to; {
		if step := f.shift[block(data[at-1], data[at])]; step > 0 {
			at += int(step)
			continue
		}
		f.check(data, at, hit)
		at++
	}
}

// check compares the words whose window may end at a place.
func (f *Finder) check(data []byte, at int, hit func(word int)) {
	for _, n := range f.ending[block(data[at-1], data[at])] {
		if bytes.HasPrefix(data[at-f.window+1:], f.words[n]) {
			hit(n)
		}
	}
}

// Stream is the search of one content that comes in pieces. The zero Stream is
// not ready; Reset makes it so.
type Stream struct {
	finder *Finder
	hit    func(word int)
	// tail is what a word may begin in that ends in the next piece.
	tail []byte
}

// Reset begins a content. What the stream allocated is used again.
func (s *Stream) Reset(f *Finder, hit func(word int)) {
	s.finder, s.hit, s.tail = f, hit, s.tail[:0]
}

// Write searches the next piece. A word that stands across pieces may be hit
// more than once.
func (s *Stream) Write(data []byte) {
	overlap := s.finder.longest - 1
	if len(s.tail) > 0 {
		before := len(s.tail)
		s.tail = append(s.tail, data[:min(len(data), overlap)]...)
		s.finder.Find(s.tail, s.hit)
		s.tail = s.tail[:before]
	}
	s.finder.Find(data, s.hit)
	if len(data) >= overlap {
		s.tail = append(s.tail[:0], data[len(data)-overlap:]...)
		return
	}
	s.tail = append(s.tail, data...)
	s.tail = append(s.tail[:0], s.tail[max(0, len(s.tail)-overlap):]...)
}
