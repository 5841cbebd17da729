package credential

import (
	"encoding/binary"
	"slices"
)

// prefilter finds the few places of a text at which one of many keywords
// stands. It looks at every second position only: a keyword of four bytes or
// more has a block of three bytes at one of two neighbouring positions, and a
// small set of bits tells whether any keyword has such a block there. Letter
// case is folded, so that one set serves keywords in any spelling. Almost all
// positions end with one look into 16 KiB.
type prefilter struct {
	bits [setSize / 64]uint64
	// first is the place in anchors of those of each bucket, and one more.
	first    []uint16
	anchors  []anchor
	keywords []keyword
}

// keyword is a text that stands in every match of something to look for.
type keyword struct {
	text string
	// fold compares without regard to letter case.
	fold bool
	// action is the index of what looks at its places.
	action int
}

// anchor says that a block is the bytes at offset of a keyword.
type anchor struct {
	keyword int
	offset  int
}

const (
	setSize = 1 << 17
	// caseMask folds letters of both cases together, and some other bytes with
	// them, which comparing the whole keyword sorts out.
	caseMask = 0xdfdfdf
)

func bucketOf(block uint32) uint32 {
	return (block & caseMask) * 0x9e3779b1 >> (32 - 17)
}

func newPrefilter(keywords []keyword) *prefilter {
	p := &prefilter{first: make([]uint16, setSize+1), keywords: keywords}
	buckets := make(map[uint32][]anchor)
	for i, k := range keywords {
		addBlock(buckets, k.text, anchor{i, 0})
		if len(k.text) >= 4 {
			addBlock(buckets, k.text[1:], anchor{i, 1})
			continue
		}
		// A keyword of three bytes is seen at every second position by its
		// last two and whatever follows.
		for next := range 256 {
			if b := byte(next); b&0xdf == b {
				addBlock(buckets, k.text[1:]+string([]byte{b}), anchor{i, 1})
			}
		}
	}
	for b := range uint32(setSize) {
		if len(buckets[b]) > 0 {
			p.bits[b/64] |= 1 << (b % 64)
		}
		p.first[b] = uint16(len(p.anchors))
		p.anchors = append(p.anchors, buckets[b]...)
	}
	p.first[setSize] = uint16(len(p.anchors))
	return p
}

func addBlock(buckets map[uint32][]anchor, block string, a anchor) {
	b := bucketOf(uint32(block[0]) | uint32(block[1])<<8 | uint32(block[2])<<16)
	if !slices.Contains(buckets[b], a) {
		buckets[b] = append(buckets[b], a)
	}
}

// padding is the number of zero bytes that must follow the data given to each.
const padding = 8

// each calls hit for every keyword that begins in data[from:to], about in the
// order of places, with the index of the keyword and its offset. Keywords may
// reach beyond to. The data ends with padding, which to does not count.
func (p *prefilter) each(data []byte, from, to int, hit func(keyword, at int)) {
	// Eight bytes hold three blocks at every second position, and one branch
	// serves all of them.
	for i := from; i <= to; i += 6 {
		w := binary.LittleEndian.Uint64(data[i : i+8])
		a, b, c := bucketOf(uint32(w)), bucketOf(uint32(w>>16)), bucketOf(uint32(w>>32))
		if (p.bits[a/64]>>(a%64)|p.bits[b/64]>>(b%64)|p.bits[c/64]>>(c%64))&1 == 0 {
			continue
		}
		for j, bucket := range [...]uint32{a, b, c} {
			if p.bits[bucket/64]>>(bucket%64)&1 != 0 {
				p.verify(data, bucket, i+2*j, from, to, hit)
			}
		}
	}
}

func (p *prefilter) verify(data []byte, bucket uint32, i, from, to int, hit func(keyword, at int)) {
	for _, a := range p.anchors[p.first[bucket]:p.first[bucket+1]] {
		at := i - a.offset
		if at < from || at >= to {
			continue
		}
		k := &p.keywords[a.keyword]
		if len(data)-at >= len(k.text) && k.equal(data[at:at+len(k.text)]) {
			hit(a.keyword, at)
		}
	}
}

func (k *keyword) equal(b []byte) bool {
	if !k.fold {
		return string(b) == k.text
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != k.text[i] {
			return false
		}
	}
	return true
}
