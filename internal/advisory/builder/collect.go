package builder

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// converted is a record after the part of the work that can be done in
// parallel.
type converted struct {
	advisory advisory.Advisory // without Vulnerabilities
	source   *osv.Source
	modified time.Time
	fetched  time.Time
	// feed names the download that it came with; see document.
	feed string
	// digest is the beginning of the record's SHA-256.
	digest    [8]byte
	withdrawn bool
	// partial records are one file's part of what a vendor knows about a flaw:
	// parts with one id are put together.
	partial bool
	// same are other ids of the flaw, contents ids of flaws that are bundled.
	same, contents []string
	entries        []filed
	skipped        []string
}

// held is a record in the collection.
type held struct {
	converted
	key        string
	entryCount int
	// places are the ecosystems of the entries, older is the next older copy of
	// the record, which still counts for ecosystems that no newer one names:
	// each ecosystem's archive may have a copy of its own.
	places []*ecosystem.Ecosystem
	older  *held
}

// compact is an entry in the collection: hundreds of thousands of them are
// held, and most are no more than one fixed version.
type compact struct {
	record *held
	name   string
	// fixed is set for a plain "everything before this version"; all else is
	// in full.
	fixed string
	mark  *mark
	full  *advisory.Entry
}

// mark is what an entry says besides versions. Few different ones exist.
type mark struct {
	variant, module, note string
	state                 finding.FixState
}

// pile is everything that goes into one shard.
type pile struct {
	place   ecosystem.Place
	entries []compact
	// keep makes a shard of it even when it is empty.
	keep bool
}

// collection gathers records. The result does not depend on their order: of
// several records with one id the newest that names an ecosystem counts for it,
// then the one with the lower digest.
type collection struct {
	records    map[string]*held
	piles      map[string]*pile
	skipped    map[string]int
	strings    map[string]string
	marks      map[mark]*mark
	publishers map[string]*osv.Source
	// neverFixed stands for all entries that are "everything, no fix".
	neverFixed *advisory.Entry
	risk       riskData
}

func newCollection(packer *advisory.Packer) *collection {
	return &collection{
		risk: riskData{packer: packer}, marks: make(map[mark]*mark), publishers: make(map[string]*osv.Source),
		neverFixed: &advisory.Entry{Ranges: []advisory.Range{{Events: []advisory.Event{{Kind: advisory.Introduced, Version: "0"}}}}},
		records:    make(map[string]*held), piles: make(map[string]*pile),
		skipped: make(map[string]int), strings: make(map[string]string),
	}
}

// intern keeps one copy of each string, and none of the JSON it came from.
func (c *collection) intern(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := c.strings[s]; ok {
		return known
	}
	s = strings.Clone(s)
	c.strings[s] = s
	return s
}

func (c *collection) add(r converted) {
	key := r.advisory.ID
	if r.partial {
		// Never replaced by, nor replacing, the OSV record of the same id.
		key += " in parts"
	}
	h, ok := c.records[key]
	switch {
	case ok && r.partial:
		h.extend(r)
	case ok && r.digest == h.digest:
		return
	default:
		h = c.hold(key, r)
		c.insert(h)
	}
	for _, f := range r.entries {
		name := f.place.Shard()
		if f.malware {
			name += malwareSuffix
		}
		p := c.pileOf(name, f.place)
		p.entries = append(p.entries, c.pack(h, f))
	}
}

// pileOf finds or begins the pile of a shard.
func (c *collection) pileOf(shard string, place ecosystem.Place) *pile {
	p := c.piles[shard]
	if p == nil {
		place.Variant = ""
		p = &pile{place: place}
		c.piles[shard] = p
	}
	return p
}

// hold keeps a record under a key, with one copy of each of its strings.
func (c *collection) hold(key string, r converted) *held {
	h := &held{converted: r, key: c.intern(key), entryCount: len(r.entries)}
	if known, ok := c.publishers[r.source.Name]; ok {
		h.source = known
	} else {
		c.publishers[r.source.Name] = r.source
	}
	h.advisory.ID, h.feed = c.intern(r.advisory.ID), c.intern(r.feed)
	h.advisory.Title = strings.Clone(r.advisory.Title)
	h.same, h.contents = c.internAll(r.same), c.internAll(r.contents)
	h.advisory.Ratings = c.internRatings(r.advisory.Ratings)
	for _, f := range r.entries {
		if !slices.Contains(h.places, f.place.Ecosystem) {
			h.places = append(h.places, f.place.Ecosystem)
		}
	}
	h.converted.entries, h.skipped = nil, nil
	return h
}

// hasEntries reports whether any copy of the record says something.
func (h *held) hasEntries() bool {
	return h != nil && (h.entryCount > 0 || h.older.hasEntries())
}

// insert puts a record among the copies with its key, the newest first.
func (c *collection) insert(h *held) {
	first := c.records[h.key]
	if first == nil || newer(h.converted, first.converted) {
		h.older, c.records[h.key] = first, h
		return
	}
	at := first
	for at.older != nil && !newer(h.converted, at.older.converted) {
		at = at.older
	}
	h.older, at.older = at.older, h
}

// extend adds another part of the same record. Where parts differ in what
// should be the same, the result does not depend on their order.
func (h *held) extend(r converted) {
	h.entryCount += len(r.entries)
	if r.modified.After(h.modified) {
		h.modified = r.modified
	}
	if r.fetched.After(h.fetched) {
		h.fetched = r.fetched
	}
	if r.advisory.Title > h.advisory.Title {
		h.advisory.Title = strings.Clone(r.advisory.Title)
	}
}

// malwareSuffix marks shards of malicious packages, which outnumber all other
// advisories of some ecosystems.
const malwareSuffix = "-malware"

func newer(a, b converted) bool {
	if n := a.modified.Compare(b.modified); n != 0 {
		return n > 0
	}
	return bytes.Compare(a.digest[:], b.digest[:]) < 0
}

func (c *collection) pack(h *held, f filed) compact {
	e := f.entry
	p := compact{record: h, name: c.intern(f.name), mark: c.markOf(e)}
	if len(e.Ranges) == 1 && len(e.Versions)+len(e.Ratings)+len(e.Imports) == 0 {
		ev := e.Ranges[0].Events
		zero := len(ev) > 0 && ev[0] == advisory.Event{Kind: advisory.Introduced, Version: "0"}
		switch {
		case zero && len(ev) == 1:
			p.full = c.neverFixed
			return p
		case zero && len(ev) == 2 && ev[1].Kind == advisory.FixedIn:
			p.fixed = c.intern(ev[1].Version)
			return p
		}
	}
	for _, r := range e.Ranges {
		for i := range r.Events {
			r.Events[i].Version = c.intern(r.Events[i].Version)
		}
	}
	for i, im := range e.Imports {
		e.Imports[i] = advisory.Import{Path: c.intern(im.Path), Symbols: c.internAll(im.Symbols), GOOS: c.internAll(im.GOOS), GOARCH: c.internAll(im.GOARCH)}
	}
	p.full = &advisory.Entry{Ranges: e.Ranges, Versions: c.internAll(e.Versions), Ratings: c.internRatings(e.Ratings), Imports: e.Imports}
	return p
}

func (c *collection) markOf(e advisory.Entry) *mark {
	m := mark{e.Variant, e.Module, e.Note, e.FixState}
	known, ok := c.marks[m]
	if !ok {
		known = &mark{c.intern(e.Variant), c.intern(e.Module), c.intern(e.Note), e.FixState}
		c.marks[*known] = known
	}
	return known
}

func (c *collection) internAll(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = c.intern(s)
	}
	return out
}

func (c *collection) internRatings(list []advisory.Rating) []advisory.Rating {
	for i, r := range list {
		list[i] = advisory.Rating{Source: c.intern(r.Source), Vector: c.intern(r.Vector), Word: c.intern(r.Word)}
	}
	return list
}

// unpack is the entry in full, pointing to the given advisory.
func (p compact) unpack(a *advisory.Advisory) advisory.Entry {
	e := advisory.Entry{}
	if p.full != nil {
		e = *p.full
	} else {
		e.Ranges = []advisory.Range{{Events: []advisory.Event{
			{Kind: advisory.Introduced, Version: "0"}, {Kind: advisory.FixedIn, Version: p.fixed},
		}}}
	}
	e.Advisory, e.Variant, e.Module, e.Note, e.FixState = a, p.mark.variant, p.mark.module, p.mark.note, p.mark.state
	return e
}

// live reports whether what a record says of an ecosystem counts: the newest
// copy has not been taken back, and none that is newer names the ecosystem.
func (c *collection) live(h *held, in *ecosystem.Ecosystem) bool {
	newest := c.records[h.key]
	if newest.withdrawn {
		return false
	}
	for n := newest; n != h; n = n.older {
		if slices.Contains(n.places, in) {
			return false
		}
	}
	return true
}

// resolve gives every live record its vulnerabilities: groups of aliases,
// contents expanded, ratings joined where any record needs them. A flaw is the
// same value in all records.
func (c *collection) resolve() {
	g := newGroups()
	for _, h := range c.records {
		if h.withdrawn {
			continue
		}
		for _, id := range h.same {
			g.join(h.advisory.ID, id)
		}
	}
	members, ratings := g.members(), c.joinRatings(g)
	flaws := make(map[string]advisory.Vulnerability)
	for _, h := range c.records {
		if h.withdrawn {
			continue
		}
		for _, id := range flawsOf(h.converted, g) {
			v := flaws[id]
			v.ID, v.Aliases = id, members[id]
			if r, ok := ratings[id]; ok && needsRating(h.converted) {
				v.Ratings = []advisory.Rating{r.rating}
			}
			flaws[id] = v
		}
	}
	for _, h := range c.records {
		if h.withdrawn {
			continue
		}
		for _, id := range flawsOf(h.converted, g) {
			h.advisory.Vulnerabilities = append(h.advisory.Vulnerabilities, flaws[id])
		}
		h.same, h.contents = nil, nil // said by the vulnerabilities now
	}
}

// flawsOf lists the canonical ids of the flaws that a record is about: what it
// bundles, and itself where it names a flaw or bundles nothing.
func flawsOf(r converted, g *groups) []string {
	var ids []string
	for _, id := range r.contents {
		ids = append(ids, g.find(id))
	}
	if len(r.same) > 0 || len(ids) == 0 {
		ids = append(ids, g.find(r.advisory.ID))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
