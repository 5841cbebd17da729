package advisory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const epssMagic = "PCEPSS1\n"

// EPSSScore is FIRST's estimate for one CVE, https://www.first.org/epss/.
// Score is the probability of exploitation within 30 days and Percentile the
// share of CVEs with the same or a lower score, both 0 to 1.
type EPSSScore struct {
	CVE        string
	Score      float64
	Percentile float64
}

// EPSS is an opened shard of scores. The scores stay as they are written, since
// each run opens all of them to find those of a few.
type EPSS struct {
	n int
	// steps are the differences between the keys.
	steps []byte
	// marks are every markStride-th key.
	marks []epssMark
	// planes are the indexes of the keys' pairs.
	planes []byte
	pairs  []epssPair
}

// epssMark is a key and where the steps of the keys behind it begin.
type epssMark struct {
	key uint64
	at  int
}

// markStride is how many keys are read at most to find one.
const markStride = 64

// epssPair is a score with its percentile. One follows from the other, so that
// there are far fewer pairs than scores.
type epssPair struct{ score, rank uint32 }

// epssUnit is the precision in which FIRST publishes: five decimals.
const epssUnit = 100_000

// cveKey orders CVE ids by year and number.
func cveKey(id string) (uint64, bool) {
	rest, ok := strings.CutPrefix(id, "CVE-")
	if !ok {
		return 0, false
	}
	year, number, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, false
	}
	y, errY := strconv.ParseUint(year, 10, 16)
	n, errN := strconv.ParseUint(number, 10, 40)
	return y<<40 | n, errY == nil && errN == nil
}

type epssRow struct {
	key  uint64
	pair epssPair
}

// EncodeEPSS writes a shard of scores: the compressed file and the size of its
// content. Ids that are no CVE are an error.
func (p *Packer) EncodeEPSS(scores []EPSSScore) (file []byte, size int64, err error) {
	rows := make([]epssRow, 0, len(scores))
	for _, s := range scores {
		key, ok := cveKey(s.CVE)
		if !ok {
			return nil, 0, fmt.Errorf("EPSS score of %q: not a CVE id", s.CVE)
		}
		rows = append(rows, epssRow{key, epssPair{uint32(s.Score*epssUnit + 0.5), uint32(s.Percentile*epssUnit + 0.5)}})
	}
	slices.SortFunc(rows, func(a, b epssRow) int {
		return cmp.Or(cmp.Compare(a.key, b.key), comparePairs(a.pair, b.pair))
	})
	rows = slices.CompactFunc(rows, func(a, b epssRow) bool { return a.key == b.key })
	content := layOutEPSS(rows)
	return p.Pack(content), int64(len(content)), nil
}

func comparePairs(a, b epssPair) int {
	return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.rank, b.rank))
}

// layOutEPSS writes the distinct pairs in order, the keys as differences, and
// the indexes of the rows' pairs byte by byte: all lowest bytes first.
func layOutEPSS(rows []epssRow) []byte {
	pairs := make([]epssPair, 0, len(rows))
	for _, r := range rows {
		pairs = append(pairs, r.pair)
	}
	slices.SortFunc(pairs, comparePairs)
	pairs = slices.Compact(pairs)
	content := binary.AppendUvarint([]byte(epssMagic), uint64(len(pairs)))
	last := epssPair{}
	for _, p := range pairs {
		content = binary.AppendUvarint(content, uint64(p.score-last.score))
		content = binary.AppendVarint(content, int64(p.rank)-int64(last.rank))
		last = p
	}
	content = binary.AppendUvarint(content, uint64(len(rows)))
	lastKey := uint64(0)
	which := make([]int, len(rows))
	for i, r := range rows {
		content = binary.AppendUvarint(content, r.key-lastKey)
		lastKey = r.key
		which[i], _ = slices.BinarySearchFunc(pairs, r.pair, comparePairs)
	}
	for shift := 0; shift < 24; shift += 8 {
		for _, w := range which {
			content = append(content, byte(w>>shift))
		}
	}
	return content
}

// DecodeEPSS opens a shard of scores. The error wraps ErrCorrupt.
func DecodeEPSS(file []byte, size int64) (*EPSS, error) {
	content, err := Decompress(file, size)
	if err != nil {
		return nil, err
	}
	return openEPSS(content)
}

func openEPSS(content []byte) (*EPSS, error) {
	rest, ok := bytes.CutPrefix(content, []byte(epssMagic))
	if !ok {
		return nil, fmt.Errorf("%w: content does not begin with %q", ErrCorrupt, epssMagic)
	}
	r := reader{data: rest}
	e := &EPSS{pairs: make([]epssPair, r.count())}
	var score, rank int64
	for i := range e.pairs {
		score += int64(r.uvarint())
		rank += r.varint()
		if score < 0 || score > epssUnit || rank < 0 || rank > epssUnit {
			r.fail("an EPSS value is not between 0 and 1")
		}
		e.pairs[i] = epssPair{uint32(score), uint32(rank)}
	}
	e.n = r.count()
	if r.err != nil {
		return nil, r.err
	}
	if !e.readKeys(r.data) {
		return nil, fmt.Errorf("%w: EPSS scores are cut off or not in order", ErrCorrupt)
	}
	for i := range e.n {
		if w := e.which(i); w >= len(e.pairs) {
			return nil, fmt.Errorf("%w: EPSS score %d of %d", ErrCorrupt, w, len(e.pairs))
		}
	}
	return e, nil
}

// readKeys goes through the keys, and takes what follows them. It reports false
// where there are too few, or they are not in order.
func (e *EPSS) readKeys(data []byte) bool {
	e.marks = make([]epssMark, 0, e.n/markStride+1)
	key, at := uint64(0), 0
	for i := range e.n {
		step, size := stepAt(data, at)
		if size <= 0 || key+step < key {
			return false
		}
		key, at = key+step, at+size
		if i%markStride == 0 {
			e.marks = append(e.marks, epssMark{key, at})
		}
	}
	e.steps, e.planes = data[:at], data[at:]
	return len(e.planes) == 3*e.n
}

// stepAt reads a number; most have one byte.
func stepAt(data []byte, at int) (step uint64, size int) {
	if at < len(data) && data[at] < 0x80 {
		return uint64(data[at]), 1
	}
	return binary.Uvarint(data[at:])
}

// which is the index of a key's pair.
func (e *EPSS) which(i int) int {
	return int(e.planes[i]) | int(e.planes[e.n+i])<<8 | int(e.planes[2*e.n+i])<<16
}

// index finds a key.
func (e *EPSS) index(key uint64) (int, bool) {
	block, found := slices.BinarySearchFunc(e.marks, key, func(m epssMark, key uint64) int { return cmp.Compare(m.key, key) })
	if !found {
		block--
	}
	if block < 0 {
		return 0, false
	}
	have, at := e.marks[block].key, e.marks[block].at
	for i := block * markStride; ; i++ {
		if have >= key || at >= len(e.steps) {
			return i, have == key
		}
		step, size := stepAt(e.steps, at)
		have, at = have+step, at+size
	}
}

// Find returns the score of a CVE.
func (e *EPSS) Find(cve string) (EPSSScore, bool) {
	key, ok := cveKey(cve)
	if !ok {
		return EPSSScore{}, false
	}
	i, ok := e.index(key)
	if !ok {
		return EPSSScore{}, false
	}
	p := e.pairs[e.which(i)]
	return EPSSScore{CVE: cve, Score: float64(p.score) / epssUnit, Percentile: float64(p.rank) / epssUnit}, true
}

// Len is the number of scores.
func (e *EPSS) Len() int { return e.n }
