package advisory

import (
	"context"
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

const kevMagic = "PCKEV1\n"

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
func (p *Packer) EncodeKEV(list []KnownExploited) (file []byte, size int64, err error) {
	lines := make([]string, 0, len(list))
	for _, k := range list {
		if _, ok := cveKey(k.CVE); !ok {
			return nil, 0, fmt.Errorf("known exploited vulnerability %q: not a CVE id", k.CVE)
		}
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%t", k.CVE, dayOf(k.Added), dayOf(k.Due), k.Ransomware))
	}
	slices.Sort(lines)
	content := []byte(kevMagic + strings.Join(lines, "\n"))
	return p.Pack(content), int64(len(content)), nil
}

// DecodeKEV opens a shard of known exploited vulnerabilities. The error wraps
// ErrCorrupt.
func DecodeKEV(file []byte, size int64) (KEV, error) {
	content, err := Decompress(file, size)
	if err != nil {
		return nil, err
	}
	return openKEV(content)
}

func openKEV(content []byte) (KEV, error) {
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
