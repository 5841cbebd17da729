package licencetext

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/licensecheck"
	"github.com/klauspost/compress/zstd"
)

// A table is what licensecheck makes of its texts: the words that occur in them,
// by their numbers; an automaton that goes from word to word; and the pairs of
// words with which a text may start.
//
// The automaton is a list of states, one after the other, each of which is
//
//	the count of the numbers that follow, which is odd where the state is the
//	end of a licence;
//	there, the number of that licence;
//	pairs of a word, or -2 for any, and of the place of the state to which the
//	word leads, or -1 for none.
//
// States were added in the order in which a walk reaches them that follows each
// pair to its end before it looks at the next.
type table struct {
	words  []string
	states []int32
	start  [][2]int32
}

// sumOf tells lists of licences apart.
func sumOf(licences []licensecheck.License) [sha256.Size]byte {
	h := sha256.New()
	for _, l := range licences {
		for _, field := range []string{l.ID, l.URL, l.LRE} {
			_, _ = io.WriteString(h, field)
			_, _ = h.Write([]byte{0})
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// The packed form is the checksum of the licences and six streams, each with its
// length before it, compressed together: the words, the pairs they start with,
// and of the states, in the order of the walk, the counts, the licences, the
// words and the targets. Numbers are varints. A target is 0 where it is a state
// that was not reached before, which is the next one then; n where it is the nth
// last one that the same word led to; or more than recent, and then a place.
const (
	streamWords = iota
	streamStart
	streamCounts
	streamLicences
	streamNext
	streamTargets
	streams
)

// recent is how many targets are remembered of each word.
const recent = 40

// memory remembers of each word the states that it led to, the last one first.
type memory [][]int32

// of finds the list of a word, or of -2 for any.
func (m memory) of(word int32) *[]int32 { return &m[word+2] }

// add puts a target first, which was at the place of a rank or nowhere.
func (m memory) add(word, target int32, rank int) {
	list := m.of(word)
	switch {
	case rank >= 0:
	case len(*list) < recent:
		rank = len(*list)
		*list = append(*list, 0)
	default:
		rank = recent - 1
	}
	copy((*list)[1:], (*list)[:rank])
	(*list)[0] = target
}

// errBroken is the error of a table that does not end where it should.
var errBroken = errors.New("the table is broken")

// pack is the inverse of unpack.
func (t *table) pack(sum [sha256.Size]byte) ([]byte, error) {
	var out [streams][]byte
	for _, w := range t.words {
		out[streamWords] = append(append(out[streamWords], w...), '\n')
	}
	start := slices.SortedFunc(slices.Values(t.start), func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	for _, p := range start {
		out[streamStart] = binary.AppendUvarint(binary.AppendUvarint(out[streamStart], uint64(p[0])), uint64(p[1]))
	}
	known, reached := make(memory, len(t.words)+2), int32(0)
	var walk func(place int32)
	walk = func(place int32) {
		count := t.states[place]
		place++
		end := place + count
		reached = end
		out[streamCounts] = binary.AppendUvarint(out[streamCounts], uint64(count))
		if count%2 == 1 {
			out[streamLicences] = binary.AppendUvarint(out[streamLicences], uint64(t.states[place]))
			place++
		}
		for ; place < end; place += 2 {
			word, target := t.states[place], t.states[place+1]
			out[streamNext] = binary.AppendUvarint(out[streamNext], uint64(word+2))
			rank := slices.Index(*known.of(word), target)
			switch {
			case target == reached:
				out[streamTargets] = binary.AppendUvarint(out[streamTargets], 0)
				walk(target)
			case rank >= 0:
				out[streamTargets] = binary.AppendUvarint(out[streamTargets], uint64(1+rank))
			default:
				out[streamTargets] = binary.AppendUvarint(binary.AppendUvarint(out[streamTargets], recent+1), uint64(target+1))
			}
			known.add(word, target, rank)
		}
	}
	walk(0)
	if int(reached) != len(t.states) {
		return nil, fmt.Errorf("%w: a walk reaches %d of %d numbers", errBroken, reached, len(t.states))
	}
	plain := binary.AppendUvarint(sum[:], uint64(len(t.states)))
	for _, s := range out {
		plain = append(binary.AppendUvarint(plain, uint64(len(s))), s...)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(plain, nil), nil
}

// unpack reads a table that was made of the licences with a checksum. What it
// reads is embedded into the program: it is no foreign input, but is checked
// far enough not to be taken for another.
func unpack(packed []byte, sum [sha256.Size]byte) (t *table, err error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	plain, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(plain, sum[:]) {
		return nil, errors.New("it was made of other licences")
	}
	whole := numbers(plain[len(sum):])
	size := whole.next()
	var in [streams]numbers
	for i := range in {
		n := whole.next()
		if n < 0 || int(n) > len(whole) {
			return nil, errBroken
		}
		in[i], whole = whole[:n], whole[n:]
	}
	t = &table{words: strings.Split(strings.TrimSuffix(string(in[streamWords]), "\n"), "\n"), states: make([]int32, size)}
	for len(in[streamStart]) > 0 {
		t.start = append(t.start, [2]int32{in[streamStart].next(), in[streamStart].next()})
	}
	w := walker{states: t.states, in: &in, known: make(memory, len(t.words)+2)}
	w.walk()
	if int(w.reached) != len(t.states) {
		return nil, errBroken
	}
	return t, nil
}

// numbers are varints that were not read yet.
type numbers []byte

// next reads one. After the last, all are 0.
func (n *numbers) next() int32 {
	if len(*n) > 0 && (*n)[0] < 0x80 {
		v := (*n)[0]
		*n = (*n)[1:]
		return int32(v)
	}
	v, size := binary.Uvarint(*n)
	*n = (*n)[max(size, 0):]
	return int32(v)
}

// walker reads states in the order in which they were added.
type walker struct {
	states  []int32
	in      *[streams]numbers
	known   memory
	reached int32
}

// walk reads a state and all that follow from it, and returns its place.
func (w *walker) walk() (place int32) {
	place = w.reached
	count := w.in[streamCounts].next()
	at, end := place+1, place+1+count
	w.states[place], w.reached = count, end
	if count%2 == 1 {
		w.states[at] = w.in[streamLicences].next()
		at++
	}
	for ; at < end; at += 2 {
		word, rank := w.in[streamNext].next()-2, int(w.in[streamTargets].next())-1
		var target int32
		switch {
		case rank < 0:
			target = w.walk()
		case rank < recent:
			target = (*w.known.of(word))[rank]
		default:
			target, rank = w.in[streamTargets].next()-1, -1
		}
		w.states[at], w.states[at+1] = word, target
		w.known.add(word, target, rank)
	}
	return place
}
