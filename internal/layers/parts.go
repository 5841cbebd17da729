package layers

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"
)

// Range is a part of a file.
type Range struct{ Offset, Size int64 }

// Parts chooses what is kept of an executable that holds signatures. What it
// leaves out costs a second pass over the layer when somebody reads it after
// all. Both methods get the executable as far as it is there: reading something
// else of it is an error. They are called from several goroutines.
type Parts interface {
	// Hold chooses by the beginning of a large executable what is held while
	// the rest of it streams past. It reports false where it cannot tell, so
	// that all of it is held.
	Hold(head io.ReaderAt, size int64) (ranges []Range, ok bool)
	// Keep chooses what is kept in the end, by what was held and by the
	// signatures, see Entry.Signs. It returns those that count: without any,
	// nothing is kept. It reports false for all of the executable.
	Keep(signs uint32, r io.ReaderAt, size int64) (counting uint32, ranges []Range, ok bool)
}

// maxParts bounds the parts of one executable.
const maxParts = 10_000

// part is a kept part of a file.
type part struct {
	at int64
	*content
}

func (p part) end() int64 { return p.at + p.size }

// whole reports whether all of the file was kept.
func (c *content) whole() bool { return c.parts == nil }

// sparse reads a file of which parts were kept. What was not comes from the
// whole file, or is zero.
type sparse struct {
	*content
	// again opens the whole file; nil where holes are read as zeros.
	again func() (Content, error)
}

func (c *content) openParts(again func() (Content, error)) Content {
	s := &sparse{content: c, again: again}
	return Content{SectionReader: io.NewSectionReader(s, 0, c.size), sparse: s}
}

// ZeroHoles returns the content with zeros in the place of what was not kept,
// which costs no second pass. It is for readers that are known to come to the
// same with them.
func (c Content) ZeroHoles() Content {
	if c.sparse == nil {
		return c
	}
	return c.sparse.openParts(nil)
}

// ReadAt implements io.ReaderAt.
func (s *sparse) ReadAt(p []byte, off int64) (n int, err error) {
	if off >= s.size {
		return 0, io.EOF
	}
	if int64(len(p)) > s.size-off {
		p, err = p[:s.size-off], io.EOF
	}
	next := sort.Search(len(s.parts), func(i int) bool { return s.parts[i].end() > off })
	for n < len(p) {
		at, hole := off+int64(n), p[n:]
		if next < len(s.parts) {
			k := s.parts[next]
			if k.at <= at {
				from := p[n:min(int64(len(p)), k.end()-off)]
				if _, err := k.open().ReadAt(from, at-k.at); err != nil && err != io.EOF {
					return n, err
				}
				n += len(from)
				next++
				continue
			}
			hole = p[n:min(int64(len(p)), k.at-off)]
		}
		if s.again != nil {
			whole, err := s.again()
			if err != nil {
				return n, err
			}
			return whole.ReadAt(p, off)
		}
		clear(hole)
		n += len(hole)
	}
	return n, err
}

// putParts keeps ranges of size bytes.
func (s *store) putParts(r io.ReaderAt, ranges []Range, size int64) (*content, error) {
	c := &content{size: size, parts: []part{}}
	for _, p := range joined(ranges, size) {
		kept, err := s.put(io.NewSectionReader(r, p.Offset, p.Size), p.Size)
		if err != nil {
			s.release(c)
			return nil, err
		}
		c.parts = append(c.parts, part{at: p.Offset, content: kept})
	}
	return c, nil
}

// smallHole is the size up to which what lies between two ranges is kept with
// them.
const smallHole = 4 * kib

// joined orders ranges, joins those that touch, and cuts them to the file.
func joined(ranges []Range, size int64) []Range {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Offset, b.Offset) })
	out := ranges[:0]
	for _, r := range ranges {
		if r.Offset < 0 || r.Size <= 0 || r.Offset >= size {
			continue
		}
		r.Size = min(r.Size, size-r.Offset)
		if len(out) > 0 {
			last := &out[len(out)-1]
			if r.Offset <= last.Offset+last.Size+smallHole || len(out) == maxParts {
				last.Size = max(last.Size, r.Offset+r.Size-last.Offset)
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

// pieceSize is the size of the pieces in which a large executable is held.
const pieceSize = 256 * kib

// held is what is there of a large executable that streams past.
type held struct {
	size   int64
	pieces [][]byte
}

func newHeld(size int64) *held {
	return &held{size: size, pieces: make([][]byte, (size+pieceSize-1)/pieceSize)}
}

// ReadAt implements io.ReaderAt. What is not there is an error.
func (h *held) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= h.size {
		return 0, io.EOF
	}
	if int64(len(p)) > h.size-off {
		p, err = p[:h.size-off], io.EOF
	}
	for n < len(p) {
		at := off + int64(n)
		piece := h.pieces[at/pieceSize]
		if piece == nil {
			return n, fmt.Errorf("byte %d is not held", at)
		}
		n += copy(p[n:], piece[at%pieceSize:])
	}
	return n, err
}

// wanted returns which pieces hold something of the ranges, and their size.
func (h *held) wanted(ranges []Range) (pieces []bool, size int64) {
	pieces = make([]bool, len(h.pieces))
	for _, r := range joined(ranges, h.size) {
		for n := r.Offset / pieceSize; n*pieceSize < r.Offset+r.Size; n++ {
			pieces[n] = true
		}
	}
	for _, w := range pieces {
		if w {
			size += pieceSize
		}
	}
	return pieces, size
}

// fill reads a piece.
func (h *held) fill(n int, r io.Reader, buf []byte) error {
	buf = buf[:min(pieceSize, h.size-int64(n)*pieceSize)]
	if _, err := io.ReadFull(r, buf); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	h.pieces[n] = buf
	return nil
}

// bufferedExecutable is the size up to which an executable is read whole before
// it is decided what of it to keep.
const bufferedExecutable = 4 * mib

// keepIfSigned keeps an executable, or parts of it, if one of the signatures
// occurs in it.
func (sc *scanner) keepIfSigned(e *Entry) error {
	if e.Size > bufferedExecutable {
		return sc.keepLargeIfSigned(e)
	}
	if int64(cap(sc.buf)) < e.Size {
		sc.buf = make([]byte, e.Size, max(e.Size, int64(2*cap(sc.buf))))
	}
	data := sc.buf[:e.Size]
	if _, err := io.ReadFull(&sc.body, data); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if e.Signs = sc.seeking.signs(); e.Signs == 0 {
		return nil
	}
	r := bytes.NewReader(data)
	ranges, ok := []Range(nil), false
	if sc.x.selector.Parts != nil {
		e.Signs, ranges, ok = sc.x.selector.Parts.Keep(e.Signs, r, e.Size)
	}
	switch {
	case e.Signs == 0:
		return nil
	case ok:
		return sc.keepParts(e, r, ranges)
	default:
		return sc.keep(e, r)
	}
}

func (sc *scanner) keepParts(e *Entry, r io.ReaderAt, ranges []Range) error {
	c, err := sc.x.store.putParts(r, ranges, e.Size)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	e.content.Store(c)
	return nil
}

// keepLargeIfSigned holds of an executable what may be kept of it until its end
// is read. What is not even held is told from what Selector.Parts says about its
// beginning.
func (sc *scanner) keepLargeIfSigned(e *Entry) error {
	h := newHeld(e.Size)
	first := sc.x.pieces.take()
	defer func() { sc.x.pieces.giveBack(h.pieces...) }()
	if err := h.fill(0, &sc.body, first); err != nil {
		return err
	}
	hold, size := h.wanted([]Range{{0, e.Size}})
	if parts := sc.x.selector.Parts; parts == nil {
		return sc.keepWholeIfSigned(e, h.pieces[0])
	} else if ranges, ok := parts.Hold(h, e.Size); ok {
		hold, size = h.wanted(ranges)
	}
	if size > sc.x.budget.limits.Memory {
		return sc.keepWholeIfSigned(e, h.pieces[0])
	}
	if err := sc.x.holding.Acquire(sc.ctx, size); err != nil {
		return err
	}
	defer sc.x.holding.Release(size)
	if err := sc.hold(h, hold); err != nil {
		return err
	}
	if e.Signs = sc.seeking.signs(); e.Signs == 0 {
		return nil
	}
	signs, ranges, ok := sc.x.selector.Parts.Keep(e.Signs, h, e.Size)
	e.Signs = signs
	switch {
	case signs == 0:
		return nil
	case ok && h.covers(ranges):
		return sc.keepParts(e, h, ranges)
	case h.covers([]Range{{0, e.Size}}):
		return sc.keep(e, io.NewSectionReader(h, 0, e.Size))
	default:
		// It is needed, but was not held: who opens it has it read again.
		return nil
	}
}

// hold reads what follows the first piece.
func (sc *scanner) hold(h *held, wanted []bool) error {
	var passing []byte
	for n := 1; n < len(h.pieces); n++ {
		buf := passing
		if buf == nil {
			buf = sc.x.pieces.take()
		}
		if err := h.fill(n, &sc.body, buf); err != nil {
			return err
		}
		if passing = nil; !wanted[n] {
			passing, h.pieces[n] = buf, nil
		}
	}
	sc.x.pieces.giveBack(passing)
	return nil
}

// covers reports whether all of the ranges is there.
func (h *held) covers(ranges []Range) bool {
	wanted, _ := h.wanted(ranges)
	for n, w := range wanted {
		if w && h.pieces[n] == nil {
			return false
		}
	}
	return true
}

// pieces is memory for pieces that is used again by all layers: large executables
// are most of some images, and new memory has to be cleared and collected.
type pieces struct {
	mu    sync.Mutex
	spare [][]byte
}

// maxSpare is how many pieces wait for the next executable: they count beyond what
// bounds those that are in use.
const maxSpare = 32 * mib / pieceSize

// take returns memory for a piece, with whatever it held before.
func (p *pieces) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.spare); n > 0 {
		piece := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return piece
	}
	return make([]byte, pieceSize)
}

// giveBack takes pieces back, of which some are nil.
func (p *pieces) giveBack(done ...[]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, piece := range done {
		if piece != nil && len(p.spare) < maxSpare {
			p.spare = append(p.spare, piece[:pieceSize])
		}
	}
}

// drop lets go of all that waits.
func (p *pieces) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare = nil
}

// keepWholeIfSigned keeps an executable whose first piece was read, and lets it
// go if it holds no signature. What went to the temporary file stays there.
func (sc *scanner) keepWholeIfSigned(e *Entry, first []byte) error {
	if err := sc.keep(e, io.MultiReader(bytes.NewReader(first), &sc.body)); err != nil {
		return err
	}
	if e.Signs = sc.seeking.signs(); e.Signs == 0 {
		sc.x.store.release(e.content.Swap(nil))
	}
	return nil
}
