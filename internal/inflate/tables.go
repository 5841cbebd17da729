package inflate

import "math/bits"

// An entry of a decoding table says what the next bits mean:
//
//	bits 0-5    how many bits to consume: those of the code and its extra bits
//	bits 8-11   length of the code alone; of a link, the bits that index its table
//	bit  13     the end of the block
//	bit  14     a link to a further table, for codes longer than the index
//	bit  15     neither a literal, a length nor a distance: one of the two above,
//	            or, alone, bits that no code begins with
//	bits 16-30  the literal, the length or distance before its extra bits are
//	            added, or where the further table begins
//	bit  31     a literal
type entry = uint32

const (
	literal entry = 1 << 31
	special entry = 1 << 15
	link    entry = 1 << 14
	ended   entry = 1 << 13
)

const (
	// longestCode is in bits, RFC 1951 section 3.2.7.
	longestCode = 15

	// Indexes of these many bits decode most symbols in one step. With further
	// tables for the longer codes that makes at most 2342 and 402 entries; the
	// arrays are powers of two, so that a masked index needs no check.
	literalBits  = 11
	literalSize  = 4096
	distanceBits = 8
	distanceSize = 512
	// Codes of code lengths have at most seven bits.
	lengthBits = 7

	literals    = 288
	distances   = 32
	codeLengths = 19

	endOfBlock = 256
)

// alphabet says what symbols mean: entries that lack their code's length.
type alphabet struct {
	literals  [literals]entry
	distances [distances]entry
	lengths   [codeLengths]entry
}

// newAlphabet follows RFC 1951 section 3.2.5. Symbols that it leaves out stay
// special alone: data that uses them is corrupt.
func newAlphabet() *alphabet {
	a := new(alphabet)
	for s := range endOfBlock {
		a.literals[s] = literal | entry(s)<<16
	}
	a.literals[endOfBlock] = special | ended
	length := 3
	for s := endOfBlock + 1; s < literals; s++ {
		extra := max(0, (s-endOfBlock-1)/4-1)
		switch {
		case s < 285:
			a.literals[s] = entry(length)<<16 | entry(extra)
			length += 1 << extra
		case s == 285:
			a.literals[s] = 258 << 16
		default:
			a.literals[s] = special
		}
	}
	distance := 1
	for s := range distances {
		a.distances[s] = special
		if extra := max(0, s/2-1); s < 30 {
			a.distances[s] = entry(distance)<<16 | entry(extra)
			distance += 1 << extra
		}
	}
	for s := range a.lengths {
		a.lengths[s] = entry(s) << 16
	}
	return a
}

// build fills a decoding table for the code whose lengths are given, one for
// each symbol, 0 for those without a code (RFC 1951 section 3.2.2). It reports
// whether they make a code: one that is complete, that has a single symbol of
// one bit, or that has none, as it may be where no distance is used.
func build(table []entry, index int, lengths []uint8, meaning []entry) bool {
	var count, next [longestCode + 1]int
	longest := 0
	for _, n := range lengths {
		count[n]++
		longest = max(longest, int(n))
	}
	count[0] = 0
	code := 0
	for n := 1; n <= longest; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
	}
	code += count[longest]
	first := table[:1<<index]
	switch {
	case longest > 0 && code == 1<<longest:
	case longest == 0 || longest == 1 && code == 1:
		for i := range first {
			first[i] = special
		}
	default:
		return false
	}
	var reversed, long [literals]uint16
	longs := long[:0]
	for s, n := range lengths {
		if n == 0 {
			continue
		}
		r := bits.Reverse16(uint16(next[n])) >> (16 - n)
		next[n]++
		if int(n) > index {
			reversed[s] = r
			longs = append(longs, uint16(s))
			continue
		}
		e := meaning[s] + entry(n)<<8 + entry(n)
		for i := int(r); i < len(first); i += 1 << n {
			first[i] = e
		}
	}
	if len(longs) > 0 {
		further(table, index, lengths, longs, &reversed, meaning)
	}
	return true
}

// further makes the tables of codes that are longer than the index. One table
// holds those that begin with the same bits.
func further(table []entry, index int, lengths []uint8, longs []uint16, reversed *[literals]uint16, meaning []entry) {
	mask := uint16(1)<<index - 1
	for _, s := range longs {
		table[reversed[s]&mask] = 0
	}
	for _, s := range longs {
		first := &table[reversed[s]&mask]
		*first = max(*first, entry(lengths[s])-entry(index))
	}
	free := 1 << index
	for _, s := range longs {
		first := &table[reversed[s]&mask]
		if *first&link == 0 {
			n := *first
			*first = special | link | entry(free)<<16 | n<<8
			free += 1 << n
		}
		n := lengths[s]
		begin, size := int(*first>>16), 1<<(*first>>8&15)
		e := meaning[s] + entry(n)<<8 + entry(n)
		for i := int(reversed[s] >> index); i < size; i += 1 << (int(n) - index) {
			table[begin+i] = e
		}
	}
}
