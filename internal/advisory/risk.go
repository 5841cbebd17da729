package advisory

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names of the shards of risk data.
const (
	EPSSShard = "epss"
	KEVShard  = "kev"
)

const (
	epssMagic = "PCEPSS1\n"
	kevMagic  = "PCKEV1\n"
)

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
	keys   []uint64
	scores []uint32
	ranks  []uint32
}

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

// EncodeEPSS writes a shard of scores: the compressed file and the size of its
// content. Ids that are no CVE are an error.
func EncodeEPSS(scores []EPSSScore) ([]byte, int64, error) {
	type row struct {
		key         uint64
		score, rank uint64
	}
	rows := make([]row, 0, len(scores))
	for _, s := range scores {
		key, ok := cveKey(s.CVE)
		if !ok {
			return nil, 0, fmt.Errorf("EPSS score of %q: not a CVE id", s.CVE)
		}
		rows = append(rows, row{key, uint64(s.Score*epssUnit + 0.5), uint64(s.Percentile*epssUnit + 0.5)})
	}
	slices.SortFunc(rows, func(a, b row) int {
		return slices.Compare([]uint64{a.key, a.score, a.rank}, []uint64{b.key, b.score, b.rank})
	})
	rows = slices.CompactFunc(rows, func(a, b row) bool { return a.key == b.key })
	content := binary.AppendUvarint([]byte(epssMagic), uint64(len(rows)))
	last := uint64(0)
	for _, r := range rows {
		content = binary.AppendUvarint(content, r.key-last)
		last = r.key
	}
	for _, r := range rows {
		content = binary.AppendUvarint(content, r.score)
	}
	for _, r := range rows {
		content = binary.AppendUvarint(content, r.rank)
	}
	file, err := Compress(content)
	return file, int64(len(content)), err
}

// DecodeEPSS opens a shard of scores. The error wraps ErrCorrupt.
func DecodeEPSS(file []byte, size int64) (*EPSS, error) {
	content, err := Decompress(file, size)
	if err != nil {
		return nil, err
	}
	rest, ok := bytes.CutPrefix(content, []byte(epssMagic))
	if !ok {
		return nil, fmt.Errorf("%w: content does not begin with %q", ErrCorrupt, epssMagic)
	}
	r := reader{data: rest}
	n := r.count()
	e := &EPSS{keys: make([]uint64, n), scores: make([]uint32, n), ranks: make([]uint32, n)}
	last := uint64(0)
	for i := range e.keys {
		last += r.uvarint()
		e.keys[i] = last
	}
	for _, list := range [][]uint32{e.scores, e.ranks} {
		for i := range list {
			v := r.uvarint()
			if v > epssUnit {
				r.fail("an EPSS value is above 1")
			}
			list[i] = uint32(v)
		}
	}
	if r.err == nil && (len(r.data) > 0 || !slices.IsSorted(e.keys)) {
		r.fail("EPSS scores are not in order")
	}
	return e, r.err
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
	return EPSSScore{CVE: cve, Score: float64(e.scores[i]) / epssUnit, Percentile: float64(e.ranks[i]) / epssUnit}, true
}

// Len is the number of scores.
func (e *EPSS) Len() int { return len(e.keys) }

// KnownExploited is one entry of CISA's catalogue,
// https://www.cisa.gov/known-exploited-vulnerabilities-catalog.
type KnownExploited struct {
	CVE string
	// Added is the day on which it entered the catalogue, Due the day by which
	// US agencies must have acted.
	Added, Due time.Time
	// Ransomware is true when its use in ransomware campaigns is known.
	Ransomware bool
}

// KEV is an opened shard of known exploited vulnerabilities by CVE.
type KEV map[string]KnownExploited

// EncodeKEV writes a shard: the compressed file and the size of its content.
func EncodeKEV(list []KnownExploited) ([]byte, int64, error) {
	lines := make([]string, 0, len(list))
	for _, k := range list {
		if _, ok := cveKey(k.CVE); !ok {
			return nil, 0, fmt.Errorf("known exploited vulnerability %q: not a CVE id", k.CVE)
		}
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%t", k.CVE, dayOf(k.Added), dayOf(k.Due), k.Ransomware))
	}
	slices.Sort(lines)
	content := []byte(kevMagic + strings.Join(lines, "\n"))
	file, err := Compress(content)
	return file, int64(len(content)), err
}

// DecodeKEV opens a shard of known exploited vulnerabilities. The error wraps
// ErrCorrupt.
func DecodeKEV(file []byte, size int64) (KEV, error) {
	content, err := Decompress(file, size)
	if err != nil {
		return nil, err
	}
	rest, ok := strings.CutPrefix(string(content), kevMagic)
	if !ok {
		return nil, fmt.Errorf("%w: content does not begin with %q", ErrCorrupt, kevMagic)
	}
	kev := make(KEV)
	for line := range strings.Lines(rest) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("%w: a line of known exploited vulnerabilities has %d fields", ErrCorrupt, len(f))
		}
		added, errA := strconv.ParseUint(f[1], 10, 32)
		due, errD := strconv.ParseUint(f[2], 10, 32)
		if errA != nil || errD != nil {
			return nil, fmt.Errorf("%w: a day of %q is not a number", ErrCorrupt, f[0])
		}
		kev[f[0]] = KnownExploited{CVE: f[0], Added: timeOf(added), Due: timeOf(due), Ransomware: f[3] == "true"}
	}
	return kev, nil
}

// EPSS reads the shard of scores; nil without error when there is none.
func (db *Database) EPSS(ctx context.Context) (*EPSS, error) {
	return riskShard(ctx, db, EPSSShard, ShardEPSS, DecodeEPSS)
}

// KEV reads the shard of known exploited vulnerabilities; nil without error
// when there is none.
func (db *Database) KEV(ctx context.Context) (KEV, error) {
	return riskShard(ctx, db, KEVShard, ShardKEV, DecodeKEV)
}

func riskShard[T any](ctx context.Context, db *Database, name string, kind ShardKind, decode func([]byte, int64) (T, error)) (T, error) {
	var none T
	if s, ok := db.manifest.Shard(name); !ok || s.Kind != kind {
		return none, nil
	}
	data, s, err := db.Bytes(ctx, name)
	if err != nil {
		return none, err
	}
	v, err := decode(data, s.Data)
	if err != nil {
		return none, fmt.Errorf("open shard %s: %w", name, err)
	}
	return v, nil
}
