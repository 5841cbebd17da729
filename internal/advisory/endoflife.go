package advisory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EndOfLifeShard is the name of the shard of dates of end of life.
const EndOfLifeShard = "end-of-life"

const endOfLifeMagic = "PCEOL1\n"

// SupportEnd is the end of a distribution's release.
type SupportEnd struct {
	// Release is the OSV ecosystem with its release, such as Debian:12; for
	// products that use the advisories of another one their own (CentOS:8).
	Release string
	// Day is the last day of security support that is free for everyone.
	Day time.Time
	// Source is who says so.
	Source string
}

// SupportEnds is an opened shard of dates of end of life by release.
type SupportEnds map[string]SupportEnd

// EncodeEndOfLife writes a shard: the compressed file and the size of its
// content. What has no name, day or source, or is there twice, is an error.
func (p *Packer) EncodeEndOfLife(list []SupportEnd) (file []byte, size int64, err error) {
	lines := make([]string, 0, len(list))
	for _, e := range list {
		lines = append(lines, fmt.Sprintf("%s\t%d\t%s", e.Release, dayOf(e.Day), e.Source))
	}
	slices.Sort(lines)
	content := endOfLifeMagic + strings.Join(lines, "\n")
	if _, err := openEndOfLife([]byte(content)); err != nil {
		return nil, 0, fmt.Errorf("encode dates of end of life: %w", err)
	}
	return p.Pack([]byte(content)), int64(len(content)), nil
}

// DecodeEndOfLife opens a shard of dates of end of life. The error wraps
// ErrCorrupt.
func DecodeEndOfLife(file []byte, size int64) (SupportEnds, error) {
	content, err := Decompress(file, size)
	if err != nil {
		return nil, err
	}
	return openEndOfLife(content)
}

func openEndOfLife(content []byte) (SupportEnds, error) {
	rest, ok := strings.CutPrefix(string(content), endOfLifeMagic)
	if !ok {
		return nil, fmt.Errorf("%w: content does not begin with %q", ErrCorrupt, endOfLifeMagic)
	}
	ends := make(SupportEnds)
	for line := range strings.Lines(rest) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 || f[0] == "" || f[2] == "" {
			return nil, fmt.Errorf("%w: %q is not release, day and source", ErrCorrupt, line)
		}
		day, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil || timeOf(day).IsZero() {
			return nil, fmt.Errorf("%w: end of life of %q: %q is no day", ErrCorrupt, f[0], f[1])
		}
		if _, twice := ends[f[0]]; twice {
			return nil, fmt.Errorf("%w: end of life of %q is there twice", ErrCorrupt, f[0])
		}
		ends[f[0]] = SupportEnd{Release: f[0], Day: timeOf(day), Source: f[2]}
	}
	return ends, nil
}

// EndOfLife reads the shard of dates of end of life; nil without error when
// there is none.
func (db *Database) EndOfLife(ctx context.Context) (SupportEnds, error) {
	return riskShard(ctx, db, EndOfLifeShard, ShardEndOfLife, DecodeEndOfLife)
}
