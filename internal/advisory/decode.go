package advisory

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Advisories is an opened shard. It is safe for use by several goroutines.
type Advisories struct {
	strings  texts
	titles   column
	vulns    column
	advs     column
	packages column
	// vulnIDs and advIDs are the ids' indexes into strings.
	vulnIDs, advIDs []uint32
	// decoded keeps each advisory as one value, however many entries name it.
	decoded []atomic.Pointer[Advisory]
}

// DecodeAdvisories opens a shard's file of which the manifest says that its
// content has size bytes. Entries are decoded when they are looked up. The
// error wraps ErrCorrupt.
func DecodeAdvisories(file []byte, size int64) (*Advisories, error) {
	content, err := Decompress(file, size)
	if err != nil {
		return nil, err
	}
	return openAdvisories(content)
}

// openAdvisories reads the layout of a shard's content.
func openAdvisories(content []byte) (*Advisories, error) {
	rest, ok := bytes.CutPrefix(content, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%w: content does not begin with %q", ErrCorrupt, magic)
	}
	a := &Advisories{}
	var err error
	if a.strings, rest, err = cutSorted(rest); err != nil {
		return nil, err
	}
	for _, c := range []*column{&a.titles, &a.vulns, &a.advs} {
		if *c, rest, err = cutColumn(rest); err != nil {
			return nil, err
		}
	}
	for _, list := range []*[]uint32{&a.vulnIDs, &a.advIDs} {
		if *list, rest, err = cutAscending(rest, a.strings.len()); err != nil {
			return nil, err
		}
	}
	if a.packages, rest, err = cutColumn(rest); err != nil {
		return nil, err
	}
	switch {
	case len(rest) > 0:
		return nil, fmt.Errorf("%w: %d bytes after the last column", ErrCorrupt, len(rest))
	case a.titles.len() != a.advs.len() || len(a.advIDs) != a.advs.len() || len(a.vulnIDs) != a.vulns.len():
		return nil, fmt.Errorf("%w: columns of different lengths", ErrCorrupt)
	}
	a.decoded = make([]atomic.Pointer[Advisory], a.advs.len())
	return a, nil
}

// Len is the number of packages.
func (a *Advisories) Len() int { return a.packages.len() }

// Lookup returns all entries for a package name in its folded form; none is no
// error. The error wraps ErrCorrupt.
func (a *Advisories) Lookup(name string) ([]Entry, error) {
	entries, _, err := a.LookupNear(name, a.packages.len()/2)
	return entries, err
}

// LookupNear is Lookup that begins to search at a package's index, such as the
// one that an earlier lookup returned: where names come in order it takes a few
// steps.
func (a *Advisories) LookupNear(name string, near int) (entries []Entry, at int, err error) {
	n := a.packages.len()
	before := func(i int) bool {
		found, bad := a.nameAt(i)
		if bad != nil {
			err = bad
		}
		return found < name
	}
	// The name is not before from, and before to; each step goes twice as far.
	near = max(0, min(near, n))
	from, to := near, near
	if near < n && before(near) {
		for step := 1; to < n && before(to); step *= 2 {
			from, to = to+1, min(n, to+step)
		}
	} else {
		for step := 1; from > 0 && !before(from-1); step *= 2 {
			from, to = max(0, from-step), from-1
		}
	}
	at = from + sort.Search(to-from, func(i int) bool { return !before(from + i) })
	if err != nil || at == n {
		return nil, at, err
	}
	if found, err := a.nameAt(at); err != nil || found != name {
		return nil, at, err
	}
	p, err := a.Package(at)
	return p.Entries, at, err
}

func (a *Advisories) nameAt(i int) (string, error) {
	r := a.reader(a.packages.at(i))
	name := r.str()
	return name, r.err
}

// Package decodes the package with the given index in the order of names. The
// error wraps ErrCorrupt.
func (a *Advisories) Package(i int) (Package, error) {
	r := a.reader(a.packages.at(i))
	p := Package{Name: r.str()}
	n := r.count()
	p.Entries = make([]Entry, 0, n)
	advisory := uint64(0)
	for range n {
		advisory += min(r.uvarint(), uint64(a.advs.len()))
		p.Entries = append(p.Entries, Entry{})
		r.entry(&p.Entries[len(p.Entries)-1], advisory)
		if r.err != nil {
			return Package{}, fmt.Errorf("package %d: %w", i, r.err)
		}
	}
	r.end()
	if r.err != nil {
		return Package{}, fmt.Errorf("package %d: %w", i, r.err)
	}
	return p, nil
}

// shardReader reads the items of one shard, whose columns it follows.
type shardReader struct {
	reader
	shard *Advisories
}

func (a *Advisories) reader(item []byte) *shardReader {
	return &shardReader{reader: reader{data: item}, shard: a}
}

func (r *shardReader) end() {
	if r.err == nil && len(r.data) > 0 {
		r.fail("%d bytes after the end of an item", len(r.data))
	}
}

func (r *shardReader) str() string {
	i := r.index(r.shard.strings.len())
	if r.err != nil {
		return ""
	}
	return r.shard.strings.at(i)
}

func (a *Advisories) text(i uint32) string { return a.strings.at(int(i)) }

func (r *shardReader) strs() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.str())
	}
	return list
}

func (r *shardReader) oneByte(limit byte) byte {
	if len(r.data) == 0 {
		r.fail("a byte is missing")
		return 0
	}
	b := r.data[0]
	if b > limit {
		r.fail("byte %d is above %d", b, limit)
		return 0
	}
	r.data = r.data[1:]
	return b
}

func (r *shardReader) ratings() []Rating {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]Rating, 0, n)
	for range n {
		list = append(list, Rating{Source: r.str(), Vector: r.str(), Word: r.str()})
	}
	return list
}

func (r *shardReader) entry(e *Entry, advisory uint64) {
	flags := r.oneByte(0xff)
	if r.err == nil && advisory >= uint64(r.shard.advs.len()) {
		r.fail("advisory %d of %d", advisory, r.shard.advs.len())
	}
	if r.err != nil {
		return
	}
	a, err := r.shard.advisory(int(advisory))
	if err != nil {
		r.fail("%s", strings.TrimPrefix(err.Error(), ErrCorrupt.Error()+": "))
		return
	}
	e.Advisory = a
	if flags&hasVariant != 0 {
		e.Variant = r.str()
	}
	if flags&hasModule != 0 {
		e.Module = r.str()
	}
	if flags&hasFixState != 0 {
		e.FixState = finding.FixState(r.str())
	}
	if flags&hasNote != 0 {
		e.Note = r.str()
	}
	if flags&simpleRange != 0 {
		// In one piece: most entries are no more than this.
		simple := &struct {
			ranges [1]Range
			events [2]Event
		}{events: [2]Event{{Introduced, "0"}, {FixedIn, r.str()}}}
		simple.ranges[0].Events = simple.events[:]
		e.Ranges = simple.ranges[:]
	} else {
		e.Ranges = r.ranges()
	}
	if flags&hasVersions != 0 {
		e.Versions = r.strs()
	}
	if flags&hasRatings != 0 {
		e.Ratings = r.ratings()
	}
	if flags&hasImports != 0 {
		e.Imports = r.imports()
	}
}

func (r *shardReader) ranges() []Range {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]Range, 0, n)
	for range n {
		m := r.count()
		events := make([]Event, 0, m)
		for range m {
			events = append(events, Event{Kind: EventKind(r.oneByte(byte(Limit))), Version: r.str()})
		}
		list = append(list, Range{Events: events})
	}
	return list
}

func (r *shardReader) imports() []Import {
	n := r.count()
	var list []Import
	for range n {
		list = append(list, Import{Path: r.str(), Symbols: r.strs(), GOOS: r.strs(), GOARCH: r.strs()})
	}
	return list
}

func (a *Advisories) advisory(i int) (*Advisory, error) {
	if adv := a.decoded[i].Load(); adv != nil {
		return adv, nil
	}
	adv, err := a.decodeAdvisory(i)
	if err != nil {
		return nil, err
	}
	a.decoded[i].CompareAndSwap(nil, adv)
	return a.decoded[i].Load(), nil
}

func (a *Advisories) decodeAdvisory(i int) (*Advisory, error) {
	r := a.reader(a.advs.at(i))
	adv := &Advisory{ID: a.text(a.advIDs[i]), Title: string(a.titles.at(i)), Published: timeOf(r.uvarint()), Kind: Kind(r.oneByte(byte(Notice)))}
	adv.Ratings = r.ratings()
	n := r.count()
	adv.Vulnerabilities = make([]Vulnerability, 0, n)
	for range n {
		v := r.index(a.vulns.len())
		if r.err != nil {
			break
		}
		vuln, err := a.vulnerability(v)
		if err != nil {
			return nil, err
		}
		adv.Vulnerabilities = append(adv.Vulnerabilities, vuln)
	}
	if r.end(); r.err == nil && n == 0 {
		r.fail("advisory %s is about nothing", adv.ID)
	}
	return adv, r.err
}

func (a *Advisories) vulnerability(i int) (Vulnerability, error) {
	r := a.reader(a.vulns.at(i))
	v := Vulnerability{ID: a.text(a.vulnIDs[i]), Aliases: r.strs(), Ratings: r.ratings()}
	r.end()
	return v, r.err
}
