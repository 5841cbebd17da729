package builder

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// write encodes all shards and installs them.
func write(ctx context.Context, req Request, c *collection) (advisory.Manifest, error) {
	m := advisory.Manifest{Tool: req.Tool, Built: req.Now.UTC().Truncate(time.Second), Skipped: c.skipped}
	contents := make(map[string][]byte)
	for _, name := range slices.Sorted(maps.Keys(c.piles)) {
		if err := ctx.Err(); err != nil {
			return advisory.Manifest{}, err
		}
		shard, file := c.shard(name, c.piles[name], req)
		delete(c.piles, name)
		if file == nil {
			continue
		}
		contents[shard.Name] = file
		m.Shards = append(m.Shards, shard)
	}
	risk, files, sources, err := c.risk.shards(req)
	if err != nil {
		return advisory.Manifest{}, err
	}
	for i, shard := range risk {
		contents[shard.Name] = files[i]
	}
	m.Shards = append(m.Shards, risk...)
	if len(m.Shards) == 0 {
		return advisory.Manifest{}, fmt.Errorf("nothing in the input can be used: %w", ErrNoInput)
	}
	m.Sources = append(c.sources(req.Now), sources...)
	data, err := m.Encode()
	if err != nil {
		return advisory.Manifest{}, err
	}
	return store.Install(ctx, req.Out, data, nil, func(_ context.Context, s advisory.Shard) ([]byte, error) {
		return contents[s.Name], nil
	})
}

// shard encodes one pile. It returns no file when nothing in it is alive.
func (c *collection) shard(name string, p *pile, req Request) (advisory.Shard, []byte) {
	byName := make(map[string][]advisory.Entry)
	records := make(map[*held]bool)
	s := advisory.Shard{Name: name, Kind: advisory.ShardAdvisories, Ecosystem: p.place.OSVName()}
	age := ageOf{now: req.Now, feeds: make(map[string]time.Time)}
	for _, e := range p.entries {
		if !c.live(e.record, p.place.Ecosystem) {
			continue
		}
		entry := e.unpack(c.advisoryOf(e.record))
		byName[e.name] = append(byName[e.name], entry)
		if !hasFix(entry) {
			s.Unfixed++
		}
		if records[e.record] {
			continue
		}
		records[e.record] = true
		s.Date = latest(s.Date, e.record.modified, req.Now)
		age.add(e.record)
		if !slices.Contains(s.Sources, e.record.source.Name) {
			s.Sources = append(s.Sources, e.record.source.Name)
		}
	}
	if len(records) == 0 && !p.keep {
		return s, nil
	}
	slices.Sort(s.Sources)
	if s.Sources == nil {
		s.Sources = []string{}
	}
	s.Records, s.Packages = len(records), len(byName)
	s.Fetched = firstSet(req.Fetched.UTC(), age.fetched(), s.Date)
	packages := make([]advisory.Package, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		packages = append(packages, advisory.Package{Name: name, Entries: byName[name]})
	}
	file, size, entries := c.risk.packer.EncodeAdvisories(packages)
	s.Entries = entries
	return describe(s, file, size), file
}

// ageOf finds out when the data of a shard was obtained.
type ageOf struct {
	now time.Time
	// feeds holds the newest time of each noted download, newest that of all
	// else.
	feeds  map[string]time.Time
	newest time.Time
}

func (a *ageOf) add(h *held) {
	if h.feed != "" {
		a.feeds[h.feed] = latest(a.feeds[h.feed], h.fetched, a.now)
		return
	}
	a.newest = latest(a.newest, h.fetched, a.now)
}

// fetched is the time of the oldest of several downloads: one that is fresh must
// not hide that another has been dead for weeks.
func (a *ageOf) fetched() time.Time {
	var oldest time.Time
	for _, t := range a.feeds {
		if oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
	}
	return firstSet(oldest, a.newest)
}

// advisoryOf is the advisory that a record's entries point to: parts from a
// vendor's feed join the OSV record of the same id, if there is one.
func (c *collection) advisoryOf(h *held) *advisory.Advisory {
	if whole, ok := c.records[h.advisory.ID]; h.partial && ok && !whole.withdrawn {
		return &whole.advisory
	}
	// All copies of a record are about the same flaws; the newest has them.
	return &c.records[h.key].advisory
}

// describe fills in what the manifest says about a shard's file.
func describe(s advisory.Shard, file []byte, size int64) advisory.Shard {
	s.SHA256 = advisory.Digest(file)
	s.File = s.Name + "." + s.SHA256[:12] + ".zst"
	s.Size, s.Data = int64(len(file)), size
	return s
}

func hasFix(e advisory.Entry) bool {
	for _, r := range e.Ranges {
		for _, ev := range r.Events {
			if ev.Kind == advisory.FixedIn {
				return true
			}
		}
	}
	return false
}

// latest returns the later of two times, leaving out what lies behind now:
// some records have dates in the future, which would make data look fresh.
func latest(a, b, now time.Time) time.Time {
	if b.After(now) || b.Unix() <= 0 || !b.After(a) {
		return a
	}
	return b
}

func firstSet(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func (c *collection) sources(now time.Time) []advisory.Source {
	byName := make(map[string]advisory.Source)
	for _, h := range c.records {
		if h.withdrawn || !h.hasEntries() {
			continue
		}
		s := byName[h.source.Name]
		s.Name, s.Licence, s.Redistributable = h.source.Name, h.source.Licence, h.source.Redistributable
		s.Records++
		s.Date = latest(s.Date, h.modified, now)
		byName[h.source.Name] = s
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b advisory.Source) int { return strings.Compare(a.Name, b.Name) })
}
