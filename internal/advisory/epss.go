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

// EPSS is an opened shard of scores.
type EPSS struct {
	keys []uint64
	// which is the index of each key's pair.
	which []uint32
	pairs []epssPair
}

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
	e.keys = make([]uint64, r.count())
	last := uint64(0)
	for i := range e.keys {
		last += r.uvarint()
		e.keys[i] = last
	}
	if r.err == nil && (len(r.data) != 3*len(e.keys) || !slices.IsSorted(e.keys)) {
		r.fail("EPSS scores are cut off or not in order")
	}
	if r.err != nil {
		return nil, r.err
	}
	return e, e.readIndexes(r.data)
}

func (e *EPSS) readIndexes(planes []byte) error {
	n := len(e.keys)
	e.which = make([]uint32, n)
	for i := range e.which {
		w := uint32(planes[i]) | uint32(planes[n+i])<<8 | uint32(planes[2*n+i])<<16
		if w >= uint32(len(e.pairs)) {
			return fmt.Errorf("%w: EPSS score %d of %d", ErrCorrupt, w, len(e.pairs))
		}
		e.which[i] = w
	}
	return nil
}

// Find returns the score of a CVE.
func (e *EPSS) Find(cve string) (EPSSScore, bool) {
	key, ok := cveKey(cve)
	if !ok {
		return EPSSScore{}, false
	}
	i, ok := slices.BinarySearch(e.keys, key)
	if !ok {
		return EPSSScore{}, false
	}
	p := e.pairs[e.which[i]]
	return EPSSScore{CVE: cve, Score: float64(p.score) / epssUnit, Percentile: float64(p.rank) / epssUnit}, true
}

// Len is the number of scores.
func (e *EPSS) Len() int { return len(e.keys) }
