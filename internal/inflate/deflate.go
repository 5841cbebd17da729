package inflate

import (
	"bufio"
	"encoding/binary"
	"io"
)

const (
	window = 32 << 10
	// inSize is what is read of the source at once, and what is kept of it.
	inSize = 128<<10 + 64
	// lookahead is how many bytes of input the fast loop may look at in one round.
	lookahead = 16
	// A round of the fast loop writes up to three literals and a match of 258
	// bytes, which it copies in steps of sixteen or eight.
	margin  = 3 + 258 + 16
	outSize = window + 256<<10
	outFull = outSize - margin
)

// bitReader holds input that was read and not yet used. Bits above n of bits
// are either zero or those that follow, so that they may be set again.
type bitReader struct {
	src io.Reader
	// exact takes the place of src where nothing behind the data may be taken:
	// input is only lent of its buffer, and discarded when it was used.
	exact    *bufio.Reader
	lent     int
	buf      [inSize]byte
	pos, end int
	bits     uint64
	n        uint
	// err is why the source has no more.
	err error
}

// more reads from the source. It reports whether there is more input than
// before. Eight bytes before the position stay, for align.
func (b *bitReader) more() bool {
	if b.err != nil {
		return false
	}
	keep := max(0, b.pos-8)
	b.end = copy(b.buf[:], b.buf[keep:b.end])
	b.pos -= keep
	for range 100 {
		n, err := b.read(b.buf[b.end:])
		b.end += n
		b.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	b.err = io.ErrNoProgress
	return false
}

func (b *bitReader) read(p []byte) (int, error) {
	if b.exact == nil {
		return b.src.Read(p)
	}
	unused := b.giveBack()
	// At least one byte more, and then all that are there.
	if _, err := b.exact.Peek(unused + 1); err != nil {
		return 0, err
	}
	all, err := b.exact.Peek(b.exact.Buffered())
	n := copy(p, all[unused:])
	b.lent += n
	return n, err
}

// giveBack discards what was used of what is lent, and returns how much is not.
func (b *bitReader) giveBack() (unused int) {
	unused = b.end - b.pos + int(b.n>>3)
	_, _ = b.exact.Discard(b.lent - unused) // It is in the buffer.
	b.lent = unused
	return unused
}

// fill makes 57 bits or more available, or all that there are.
func (b *bitReader) fill() {
	for b.n <= 56 {
		if b.pos == b.end && !b.more() {
			return
		}
		b.bits |= uint64(b.buf[b.pos]) << (b.n & 63)
		b.pos++
		b.n += 8
	}
}

// take returns the next n bits, at most 16.
func (b *bitReader) take(n uint) (uint, bool) {
	if b.n < n {
		if b.fill(); b.n < n {
			return 0, false
		}
	}
	v := uint(b.bits) & (1<<n - 1)
	b.skip(n)
	return v, true
}

func (b *bitReader) skip(n uint) {
	b.bits >>= n & 63
	b.n -= n
}

// align goes to the next whole byte of the input.
func (b *bitReader) align() {
	b.pos -= int(b.n >> 3)
	b.bits, b.n = 0, 0
}

// byte returns the next byte of aligned input.
func (b *bitReader) byte() (byte, bool) {
	if b.pos == b.end && !b.more() {
		return 0, false
	}
	b.pos++
	return b.buf[b.pos-1], true
}

// bytes fills p with the next bytes of aligned input.
func (b *bitReader) bytes(p []byte) bool {
	for i := range p {
		next, ok := b.byte()
		if !ok {
			return false
		}
		p[i] = next
	}
	return true
}

// stage is what comes next in the input.
type stage uint8

const (
	header stage = iota
	block
	stored
	coded
	trailer
)

// decoder unpacks deflate, RFC 1951. Its output is kept in out: what precedes w
// is written, what precedes floor belongs to something else.
type decoder struct {
	bitReader
	alphabet *alphabet
	out      [outSize]byte
	w, floor int
	stage    stage
	// last says that no block follows this one.
	last bool
	// left is how much of a stored block is still to be copied.
	left      int
	literal   [literalSize]entry
	distance  [distanceSize]entry
	lengthsOf [literals + distances]uint8
	// ready says that the tables are those of fixed blocks: to make them takes
	// many times as long as to read a block of ten bits, of which a layer may
	// have millions.
	ready bool
}

// cut is the error of input that ends too early.
func (d *decoder) cut() error {
	if d.err != nil && d.err != io.EOF {
		return d.err
	}
	return io.ErrUnexpectedEOF
}

// slide makes room in out, and keeps what matches may go back to.
func (d *decoder) slide() {
	if by := d.w - window; by > 0 {
		copy(d.out[:window], d.out[by:d.w])
		d.w = window
		d.floor = max(0, d.floor-by)
	}
}

// step works on a block until out is full or the block ends.
func (d *decoder) step() error {
	switch d.stage {
	case block:
		return d.begin()
	case stored:
		return d.copyStored()
	default:
		return d.decode()
	}
}

// endBlock says what follows a block.
func (d *decoder) endBlock() {
	d.stage = block
	if d.last {
		d.align()
		d.stage = trailer
	}
}

func (d *decoder) begin() error {
	kind, ok := d.take(3)
	if !ok {
		return d.cut()
	}
	d.last = kind&1 == 1
	d.stage = coded
	switch kind >> 1 {
	case 0:
		return d.beginStored()
	case 1:
		d.fixed()
		return nil
	case 2:
		return d.dynamic()
	default:
		return errCorrupt
	}
}

func (d *decoder) beginStored() error {
	d.align()
	var head [4]byte
	if !d.bytes(head[:]) {
		return d.cut()
	}
	n := binary.LittleEndian.Uint16(head[:])
	if n != ^binary.LittleEndian.Uint16(head[2:]) {
		return errCorrupt
	}
	d.left = int(n)
	d.stage = stored
	return nil
}

func (d *decoder) copyStored() error {
	for d.left > 0 && d.w < outFull {
		if d.pos == d.end && !d.more() {
			return d.cut()
		}
		n := copy(d.out[d.w:min(outFull, d.w+d.left)], d.buf[d.pos:d.end])
		d.pos += n
		d.w += n
		d.left -= n
	}
	if d.left == 0 {
		d.endBlock()
	}
	return nil
}

// fixed makes the tables of RFC 1951 section 3.2.6.
func (d *decoder) fixed() {
	if d.ready {
		return
	}
	d.ready = true
	n := d.lengthsOf[:]
	for s := range n {
		switch {
		case s < 144:
			n[s] = 8
		case s < 256:
			n[s] = 9
		case s < 280:
			n[s] = 7
		case s < literals:
			n[s] = 8
		default:
			n[s] = 5
		}
	}
	build(d.literal[:], literalBits, n[:literals], d.alphabet.literals[:])
	build(d.distance[:], distanceBits, n[literals:], d.alphabet.distances[:])
}

// order is that of the lengths of the code of code lengths, RFC 1951 section
// 3.2.7.
const order = "\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"

// dynamic reads the codes of a block, RFC 1951 section 3.2.7.
func (d *decoder) dynamic() error {
	d.ready = false
	head, ok := d.take(14)
	if !ok {
		return d.cut()
	}
	nLiteral, nDistance, nCode := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if nLiteral > 286 || nDistance > 30 {
		return errCorrupt
	}
	var code [codeLengths]uint8
	for i := range nCode {
		n, ok := d.take(3)
		if !ok {
			return d.cut()
		}
		code[order[i]] = uint8(n)
	}
	var table [1 << lengthBits]entry
	if !build(table[:], lengthBits, code[:], d.alphabet.lengths[:]) {
		return errCorrupt
	}
	n := d.lengthsOf[:nLiteral+nDistance]
	if err := d.codeLengths(n, &table); err != nil {
		return err
	}
	if !build(d.literal[:], literalBits, n[:nLiteral], d.alphabet.literals[:]) ||
		!build(d.distance[:], distanceBits, n[nLiteral:], d.alphabet.distances[:]) {
		return errCorrupt
	}
	return nil
}

// codeLengths reads the lengths of a block's codes, which are packed with a code
// themselves.
func (d *decoder) codeLengths(lengths []uint8, table *[1 << lengthBits]entry) error {
	for i := 0; i < len(lengths); {
		d.fill()
		e := table[d.bits&(1<<lengthBits-1)]
		used := uint(e & 63)
		if used > d.n || e&special != 0 && d.n < lengthBits {
			return d.cut()
		}
		d.skip(used)
		if e&special != 0 {
			return errCorrupt
		}
		s := e >> 16
		if s < 16 {
			lengths[i] = uint8(s)
			i++
			continue
		}
		var value uint8
		extra, times := uint(3), uint(3)
		switch s {
		case 16:
			if i == 0 {
				return errCorrupt
			}
			value, extra = lengths[i-1], 2
		case 18:
			extra, times = 7, 11
		}
		more, ok := d.take(extra)
		if !ok {
			return d.cut()
		}
		if times += more; int(times) > len(lengths)-i {
			return errCorrupt
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	return nil
}
