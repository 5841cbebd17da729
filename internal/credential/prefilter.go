package credential

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strings"
)

// prefilter finds the few places of a text at which one of many keywords
// stands. It looks at every second position only: of two neighbouring blocks of
// three bytes of a keyword, one is at such a position, and a set of bits tells
// whether any keyword has such a block. Letter case is folded, so that one set
// serves keywords in any spelling. Almost all positions end with one look into
// 32 KiB.
type prefilter struct {
	bits [1 << (setBits - 5)]uint32
	// first is the place in anchors of those of each bucket, and one more.
	first    [1<<bucketBits + 1]uint16
	anchors  []anchor
	keywords []keyword
	// reach is the greatest offset of an anchor.
	reach int
}

// keyword is a text that stands in every match of something to look for.
type keyword struct {
	text string
	// fold compares without regard to letter case; the text is in lower case.
	fold bool
	// before and after are what may stand next to the text where there is
	// something to find; nil for anything. They are not checked: they keep the
	// number of blocks of short texts low.
	before, after *charset
	// action is the index of what looks at its places.
	action int
}

// anchor says that a block is the bytes at offset of a keyword. It begins
// before the keyword where the offset is -1.
type anchor struct {
	keyword, offset int
	// start are the first bytes of the keyword, folded, as far as mask goes: they
	// tell most places apart at which another text has the block.
	start, mask uint32
}

const (
	setBits    = 18
	bucketBits = 12
	// caseMask folds letters of both cases together, and some other bytes with
	// them, which comparing the whole keyword sorts out.
	caseMask = 0xdfdfdf
)

// foldMask is caseMask for eight bytes.
const foldMask = 0xdfdfdfdfdfdfdfdf

// hashOf is the place of a folded block in the set; its first bits are the bucket.
// The factor drops what stands in the byte behind the block.
func hashOf(block uint32) uint32 {
	return block * (0x3779b1 << 8) >> (32 - setBits)
}

// has reports whether a place is in the set, by the lowest bit.
func (p *prefilter) has(h uint32) uint32 { return p.bits[h/32] >> (h % 32) }

func newPrefilter(keywords []keyword) *prefilter {
	p := &prefilter{keywords: keywords}
	type entry struct {
		bucket uint32
		anchor
	}
	var entries []entry
	for i := range keywords {
		at := keywords[i].rarest()
		p.reach = max(p.reach, at+1)
		start := []byte(keywords[i].text + "\x00\x00\x00\x00")[:4]
		mask := uint32(math.MaxUint32>>(8*max(0, 4-len(keywords[i].text)))) & (foldMask & math.MaxUint32)
		for _, offset := range []int{at, at + 1} {
			for block := range keywords[i].blocks(offset) {
				h := hashOf(block & caseMask)
				p.bits[h/32] |= 1 << (h % 32)
				entries = append(entries, entry{h >> (setBits - bucketBits), anchor{i, offset, binary.LittleEndian.Uint32(start) & mask, mask}})
			}
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.keyword, b.keyword), cmp.Compare(a.offset, b.offset))
	})
	entries = slices.Compact(entries)
	for _, e := range entries {
		p.first[e.bucket+1]++
		p.anchors = append(p.anchors, e.anchor)
	}
	for b := range 1 << bucketBits {
		p.first[b+1] += p.first[b]
	}
	return p
}

// blocks are the blocks that begin at an offset of the keyword.
func (k *keyword) blocks(offset int) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		var sets [3]charset
		for i := range sets {
			switch at := offset + i; {
			case at < 0:
				sets[i] = foldedOf(k.before)
			case at >= len(k.text):
				sets[i] = foldedOf(k.after)
			default:
				sets[i] = foldedOf(newCharset(k.text[at:at+1] + k.text[at:at+1]))
			}
		}
		for a := range sets[0].bytes() {
			for b := range sets[1].bytes() {
				for c := range sets[2].bytes() {
					if !yield(uint32(a) | uint32(b)<<8 | uint32(c)<<16) {
						return
					}
				}
			}
		}
	}
}

// rarest is the offset of the two neighbouring blocks that texts hold least
// often, going by how common letters are.
func (k *keyword) rarest() int {
	from, to := 0, len(k.text)-4
	if len(k.text) == 3 {
		from, to = -1, 0
	}
	best, least := from, math.Inf(1)
	for offset := from; offset <= to; offset++ {
		sum := 0.0
		for _, o := range []int{offset, offset + 1} {
			for block := range k.blocks(o) {
				sum += frequency(byte(block))*frequency(byte(block>>8))*frequency(byte(block>>16)) + collision
			}
		}
		if sum < least {
			best, least = offset, sum
		}
	}
	return best
}

// collision is how often another block falls on the place of one in the set.
const collision = 1.0 / (1 << setBits)

// letters are the letters of English text from the most common on.
const letters = "ETAOINSRHLDCUMFPGWYBVKXJQZ"

// frequency is about how often a folded byte stands in a text, by Zipf's law.
func frequency(c byte) float64 {
	switch i := strings.IndexByte(letters, c); {
	case i >= 0:
		return 0.2 / float64(i+1)
	case c == ' '&0xdf, c == '-'&0xdf:
		return 0.1
	case c < ' ', c == '_':
		return 0.01
	default:
		return 0.001
	}
}

// padding is the number of zero bytes that must follow the data given to each.
const padding = 8

// each calls hit for every keyword that begins in data[from:to], about in the
// order of places, with the index of the keyword and its offset. Keywords may
// reach beyond to. The data ends with padding, which to does not count.
func (p *prefilter) each(data []byte, from, to int, hit func(keyword, at int)) {
	last := min(to+p.reach, len(data)-padding)
	i := from
	// Eight bytes hold three blocks at every second position. One branch serves
	// those of two times eight.
	for ; i+step <= last; i += 2 * step {
		d := data[i : i+step+8 : i+step+8]
		v, w := binary.LittleEndian.Uint64(d)&foldMask, binary.LittleEndian.Uint64(d[step:])&foldMask
		a, b, c := hashOf(uint32(v)), hashOf(uint32(v>>16)), hashOf(uint32(v>>32))
		x, y, z := hashOf(uint32(w)), hashOf(uint32(w>>16)), hashOf(uint32(w>>32))
		if (p.has(a)|p.has(b)|p.has(c)|p.has(x)|p.has(y)|p.has(z))&1 == 0 {
			continue
		}
		for j, h := range [...]uint32{a, b, c, x, y, z} {
			if p.has(h)&1 != 0 {
				p.verify(data, h>>(setBits-bucketBits), i+2*j, from, to, hit)
			}
		}
	}
	for ; i <= last; i += 2 {
		if h := hashOf(binary.LittleEndian.Uint32(data[i:]) & (foldMask & math.MaxUint32)); p.has(h)&1 != 0 {
			p.verify(data, h>>(setBits-bucketBits), i, from, to, hit)
		}
	}
}

// step is how far three blocks at every second position reach.
const step = 6

func (p *prefilter) verify(data []byte, bucket uint32, i, from, to int, hit func(keyword, at int)) {
	for _, a := range p.anchors[p.first[bucket]:p.first[bucket+1]] {
		at := i - a.offset
		if at < from || at >= to || binary.LittleEndian.Uint32(data[at:])&a.mask != a.start {
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
