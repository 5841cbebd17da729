package packed

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// place holds numbers and texts of one kind.
type place struct{ numbers, texts []byte }

func (p *place) byte(b byte)   { p.numbers = append(p.numbers, b) }
func (p *place) uint(v uint64) { p.numbers = binary.AppendUvarint(p.numbers, v) }

func (p *place) int(v int64) { p.numbers = binary.AppendVarint(p.numbers, v) }

func (p *place) text(s string) {
	p.uint(uint64(len(s)))
	p.texts = append(p.texts, s...)
}

// count writes the number of things in a list, and tells none from an empty one.
func (p *place) count(n int, none bool) {
	if none {
		p.uint(0)
		return
	}
	p.uint(uint64(n) + 1)
}

// flag writes yes or no.
func (p *place) flag(yes bool) {
	if yes {
		p.byte(1)
		return
	}
	p.byte(0)
}

type encoder struct {
	places [places]place
	texts  table
	// lists are lists of texts that several packages share, by what is in them.
	lists   table
	listsOf [][]string
	// at is the number of each package by its id.
	at map[string]int
}

// table gives texts numbers from 1; the empty one is 0.
type table struct {
	number map[string]uint64
	texts  []string
}

func (t *table) of(s string) (number uint64, isNew bool) {
	if s == "" {
		return 0, false
	}
	n, known := t.number[s]
	if !known {
		n = uint64(len(t.texts)) + 1
		t.number[s] = n
		t.texts = append(t.texts, s)
	}
	return n, !known
}

func newEncoder() *encoder {
	return &encoder{texts: table{number: map[string]uint64{}}, lists: table{number: map[string]uint64{}}}
}

// refer writes the number of a shared text.
func (e *encoder) refer(p *place, s string) {
	n, _ := e.texts.of(s)
	p.uint(n)
}

// referList writes the number of a shared list.
func (e *encoder) referList(p *place, list []string) {
	if list == nil {
		p.uint(0)
		return
	}
	n, isNew := e.lists.of(fmt.Sprintf("%q", list))
	if isNew {
		e.listsOf = append(e.listsOf, list)
	}
	p.uint(n)
}

// shared writes the shared texts and lists, once all are known.
func (e *encoder) shared() {
	p := &e.places[sharedTexts]
	lists := place{}
	lists.uint(uint64(len(e.listsOf)))
	for _, list := range e.listsOf {
		lists.uint(uint64(len(list)))
		for _, s := range list {
			e.refer(&lists, s)
		}
	}
	p.uint(uint64(len(e.texts.texts)))
	for _, s := range e.texts.texts {
		p.text(s)
	}
	p.numbers = append(p.numbers, lists.numbers...)
}

func (e *encoder) packages(list []inventory.Package) {
	e.at = make(map[string]int, len(list))
	for i, p := range list {
		e.at[p.ID] = i
	}
	e.places[packages].count(len(list), list == nil)
	for _, p := range list {
		e.pkg(p)
	}
}

func (e *encoder) pkg(p inventory.Package) {
	var has byte
	set := func(flag byte, yes bool) {
		if yes {
			has |= flag
		}
	}
	raw, plainID := rawID(p.ID)
	name, version := told(p.PURL)
	owner, owned := e.at[p.Owner]
	set(hasHexID, plainID)
	set(hasPURL, p.PURL != "")
	set(hasToldName, p.Name == name && p.PURL != "")
	set(hasToldVersion, p.Version == version && p.PURL != "")
	set(hasSource, p.Source != nil)
	set(hasOwner, owned && p.Owner != "")
	set(hasVendor, p.Vendor+p.Architecture+p.Module != "" || p.GuessedGroup)
	set(hasOnePlace, len(p.Places) == 1)
	n := &e.places[packages]
	n.byte(has)
	e.refer(n, p.Type)
	e.refer(n, p.Layer)
	e.referList(n, p.Licenses)
	if has&hasVendor != 0 {
		e.refer(n, p.Vendor)
		e.refer(n, p.Architecture)
		e.refer(n, p.Module)
		n.flag(p.GuessedGroup)
	}
	if p.Source != nil {
		e.refer(n, p.Source.Name)
		e.refer(n, p.Source.Version)
	}
	if has&hasOwner != 0 {
		n.uint(uint64(owner))
	}
	if plainID {
		e.places[ids].texts = append(e.places[ids].texts, raw...)
	} else {
		e.places[names].text(p.ID)
	}
	if p.PURL != "" {
		e.places[purls].text(p.PURL)
	}
	if has&hasToldName == 0 {
		e.places[names].text(p.Name)
	}
	if has&hasToldVersion == 0 {
		e.places[names].text(p.Version)
	}
	if has&hasOnePlace == 0 {
		n.count(len(p.Places), p.Places == nil)
	}
	for _, at := range p.Places {
		e.refer(n, at.Layer)
		e.places[paths].text(at.Path)
	}
}

// rawIDSize is that of the usual id of a package: 64 bits in hexadecimal digits.
const rawIDSize = 8

func rawID(id string) ([]byte, bool) {
	if len(id) != 2*rawIDSize {
		return nil, false
	}
	raw, err := hex.DecodeString(id)
	return raw, err == nil && hex.EncodeToString(raw) == id
}

// algorithms are those of digests that are kept as bytes; the number 0 is for
// what looks otherwise.
var algorithms = []struct {
	prefix string
	size   int
}{{}, {"md5:", 16}, {"sha1:", 20}, {"sha256:", 32}}

func (e *encoder) owned(files map[string]inventory.OwnedFile) {
	p := &e.places[owned]
	p.count(len(files), files == nil)
	before := ""
	for _, path := range slices.Sorted(maps.Keys(files)) {
		f := files[path]
		before = p.path(before, path)
		e.owner(p, f.Package)
		p.int(int64(f.Layer))
		p.flag(f.Config)
		e.digest(f.Digest)
	}
}

// removed writes the files of packages that are there no more.
func (e *encoder) removed(files map[string]string) {
	p := &e.places[owned]
	p.count(len(files), files == nil)
	before := ""
	for _, path := range slices.Sorted(maps.Keys(files)) {
		before = p.path(before, path)
		e.owner(p, files[path])
	}
}

// path writes a path without what it shares with the one before.
func (p *place) path(before, path string) string {
	shared := commonPrefix(before, path)
	p.uint(uint64(shared))
	p.text(path[shared:])
	return path
}

// owner writes the number of a package from 1, or 0 and what is no package's id.
func (e *encoder) owner(p *place, id string) {
	n, known := e.at[id]
	if !known {
		p.uint(0)
		e.refer(p, id)
		return
	}
	p.uint(uint64(n) + 1)
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func (e *encoder) digest(digest string) {
	p := &e.places[digests]
	for i, a := range algorithms[1:] {
		digits, ok := strings.CutPrefix(digest, a.prefix)
		if !ok || len(digits) != 2*a.size {
			continue
		}
		if raw, err := hex.DecodeString(digits); err == nil && hex.EncodeToString(raw) == digits {
			p.byte(byte(i + 1))
			p.texts = append(p.texts, raw...)
			return
		}
	}
	p.byte(0)
	e.refer(p, digest)
}

func (p *place) strings(list []string) {
	p.count(len(list), list == nil)
	for _, s := range list {
		p.text(s)
	}
}

func (p *place) spot(at inventory.Place) {
	p.text(at.Path)
	p.text(at.Layer)
}

// inventory writes all but packages and the files that they own.
func (e *encoder) inventory(inv inventory.Inventory) {
	p := &e.places[rest]
	p.flag(inv.Distro != nil)
	if d := inv.Distro; d != nil {
		p.text(d.ID)
		p.strings(d.IDLike)
		for _, s := range []string{d.Name, d.PrettyName, d.Version, d.Codename, d.CPE} {
			p.text(s)
		}
		p.strings(d.ContentSets)
		p.spot(d.Place)
	}
	p.count(len(inv.Files), inv.Files == nil)
	for _, f := range inv.Files {
		p.text(f.Path)
		e.refer(p, f.Layer)
		p.uint(uint64(f.Mode))
		p.int(int64(f.UID))
		p.int(int64(f.GID))
		p.int(f.Size)
		e.refer(p, string(f.Kind))
		p.text(f.Capabilities)
		p.flag(f.Content != nil)
		if f.Content != nil {
			p.text(string(f.Content))
		}
	}
	p.count(len(inv.Caches), inv.Caches == nil)
	for _, c := range inv.Caches {
		p.text(c.Tool)
		p.text(c.Path)
		e.refer(p, c.Layer)
		p.int(int64(c.Files))
		p.int(c.Size)
	}
	p.count(len(inv.GoBinaries), inv.GoBinaries == nil)
	for _, b := range inv.GoBinaries {
		p.text(b.Path)
		p.text(b.Main)
		p.text(b.Unknown)
		p.flag(b.Functions != nil)
		p.uint(uint64(len(b.Functions)))
		for _, f := range b.Functions {
			p.texts = binary.LittleEndian.AppendUint64(p.texts, f)
		}
	}
	p.count(len(inv.Unreadable), inv.Unreadable == nil)
	for _, u := range inv.Unreadable {
		p.text(u.Path)
		p.text(u.Reason)
	}
	p.count(len(inv.Ambiguous), inv.Ambiguous == nil)
	for _, a := range inv.Ambiguous {
		p.spot(a.Place)
		p.text(a.Reason)
		p.flag(a.Repeated)
	}
	p.flag(inv.SourcesUnknown)
	p.count(len(inv.Restored), inv.Restored == nil)
	for _, place := range inv.Restored {
		p.spot(place)
	}
}

func (e *encoder) inspections(i layers.Inspections) {
	p := &e.places[rest]
	p.int(int64(i.Layers))
	p.count(len(i.Results), i.Results == nil)
	for _, name := range slices.Sorted(maps.Keys(i.Results)) {
		p.text(name)
		p.count(len(i.Results[name]), i.Results[name] == nil)
		for _, result := range i.Results[name] {
			p.flag(result != nil)
			if result != nil {
				p.text(string(result))
			}
		}
	}
	p.count(len(i.Hidden), i.Hidden == nil)
	for _, hidden := range i.Hidden {
		p.count(len(hidden), hidden == nil)
		for _, path := range slices.Sorted(maps.Keys(hidden)) {
			p.text(path)
			p.flag(hidden[path])
		}
	}
}

func (e *encoder) stats(s layers.Stats) {
	for _, n := range []int64{s.Inflated, s.Files, s.KeptInMemory, s.Spilled, s.Rereads, s.Cached} {
		e.places[rest].int(n)
	}
}
