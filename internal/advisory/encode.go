package advisory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// magic begins the content of every shard of advisories; its digit is the
// version of the layout.
const magic = "PCADV1\n"

// Package is one package name with all that is known about it.
type Package struct {
	Name    string
	Entries []Entry
}

// The flags of an entry say which optional parts follow.
const (
	hasVariant = 1 << iota
	hasModule
	hasFixState
	hasNote
	hasVersions
	hasRatings
	hasImports
	// simpleRange: the only range is introduced 0, fixed X, and X follows.
	simpleRange
)

// EncodeAdvisories writes a shard: the compressed file, the size of its content
// and the number of entries, of which equal ones count once. Packages, entries and everything below are put in order, so that
// equal advisories give equal bytes. Each advisory must be one value however
// many entries point to it, and each vulnerability the same wherever it occurs.
func (p *Packer) EncodeAdvisories(packages []Package) (file []byte, size int64, entries int) {
	content, entries := layOut(packages)
	return p.Pack(content), int64(len(content)), entries
}

// layOut writes a shard's content.
func layOut(packages []Package) (content []byte, entries int) {
	e := newEncoder(packages)
	content = append(content, magic...)
	content = appendSorted(content, e.strings.finish())
	content = appendColumn(content, e.titles())
	content = appendColumn(content, e.vulnerabilities())
	content = appendColumn(content, e.advisories())
	content = appendAscending(content, e.ids(len(e.vulns), func(i int) string { return e.vulns[i].ID }))
	content = appendAscending(content, e.ids(len(e.advs), func(i int) string { return e.advs[i].ID }))
	items, entries := e.packages()
	return appendColumn(content, items), entries
}

// Packer compresses the content of shards. It keeps its tables from one shard
// to the next, which are larger than most shards; it is for one goroutine.
type Packer struct {
	w *zstd.Encoder
}

// NewPacker makes a packer.
func NewPacker() (*Packer, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("compress shard: %w", err)
	}
	return &Packer{w: w}, nil
}

// Pack compresses content. The result depends on nothing else.
func (p *Packer) Pack(content []byte) []byte { return p.w.EncodeAll(content, nil) }

// Decompress unpacks a shard's file of which the manifest says that it holds
// size bytes. The error wraps ErrCorrupt.
func Decompress(file []byte, size int64) ([]byte, error) {
	if size < 0 || size > maxShardData {
		return nil, fmt.Errorf("%w: content of %d bytes is out of bounds", ErrCorrupt, size)
	}
	r, err := zstd.NewReader(bytes.NewReader(nil), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(size)+1<<20))
	if err != nil {
		return nil, fmt.Errorf("decompress shard: %w", err)
	}
	defer r.Close()
	content, err := r.DecodeAll(file, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: decompress: %w", ErrCorrupt, err)
	}
	if int64(len(content)) != size {
		return nil, fmt.Errorf("%w: content has %d bytes, expected %d", ErrCorrupt, len(content), size)
	}
	return content, nil
}

type encoder struct {
	strings table
	pkgs    []Package
	advs    []*Advisory
	advIdx  map[*Advisory]uint64
	vulns   []Vulnerability
	vulnIdx map[string]uint64
}

func newEncoder(packages []Package) *encoder {
	e := &encoder{advIdx: make(map[*Advisory]uint64), vulnIdx: make(map[string]uint64)}
	e.pkgs = slices.SortedFunc(slices.Values(packages), func(a, b Package) int { return cmp.Compare(a.Name, b.Name) })
	for _, p := range e.pkgs {
		e.strings.add(p.Name)
		for _, entry := range p.Entries {
			e.collectEntry(entry)
		}
	}
	slices.SortFunc(e.advs, func(a, b *Advisory) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Title, b.Title), a.Published.Compare(b.Published))
	})
	for i, a := range e.advs {
		e.advIdx[a] = uint64(i)
	}
	slices.SortFunc(e.vulns, func(a, b Vulnerability) int { return cmp.Compare(a.ID, b.ID) })
	for i, v := range e.vulns {
		e.vulnIdx[v.ID] = uint64(i)
	}
	return e
}

func (e *encoder) collectEntry(entry Entry) {
	e.strings.add(entry.Variant, entry.Module, string(entry.FixState), entry.Note)
	e.strings.add(entry.Versions...)
	e.collectRatings(entry.Ratings)
	for _, r := range entry.Ranges {
		for _, ev := range r.Events {
			e.strings.add(ev.Version)
		}
	}
	for _, i := range entry.Imports {
		e.strings.add(i.Path)
		e.strings.add(i.Symbols...)
		e.strings.add(i.GOOS...)
		e.strings.add(i.GOARCH...)
	}
	a := entry.Advisory
	if _, ok := e.advIdx[a]; ok {
		return
	}
	e.advIdx[a] = 0
	e.advs = append(e.advs, a)
	e.strings.add(a.ID)
	e.collectRatings(a.Ratings)
	for _, v := range a.Vulnerabilities {
		if _, ok := e.vulnIdx[v.ID]; ok {
			continue
		}
		e.vulnIdx[v.ID] = 0
		e.vulns = append(e.vulns, v)
		e.strings.add(v.ID)
		e.strings.add(v.Aliases...)
		e.collectRatings(v.Ratings)
	}
}

func (e *encoder) collectRatings(ratings []Rating) {
	for _, r := range ratings {
		e.strings.add(r.Source, r.Vector, r.Word)
	}
}

func (e *encoder) str(dst []byte, s string) []byte {
	return binary.AppendUvarint(dst, e.strings.index[s])
}

func (e *encoder) strs(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = e.str(dst, s)
	}
	return dst
}

func (e *encoder) ratings(dst []byte, ratings []Rating) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ratings)))
	for _, r := range ratings {
		dst = e.str(e.str(e.str(dst, r.Source), r.Vector), r.Word)
	}
	return dst
}

func (e *encoder) vulnerabilities() [][]byte {
	items := make([][]byte, len(e.vulns))
	for i, v := range e.vulns {
		items[i] = e.ratings(e.strs(nil, v.Aliases), v.Ratings)
	}
	return items
}

// ids lists the indexes of ids that are in order, and so are their indexes.
func (e *encoder) ids(n int, id func(int) string) []uint64 {
	list := make([]uint64, n)
	for i := range list {
		list[i] = e.strings.index[id(i)]
	}
	return list
}

// titles lists the advisories' titles in the order of advisories: few occur
// twice, and next to each other they compress better than among ids.
func (e *encoder) titles() [][]byte {
	items := make([][]byte, len(e.advs))
	for i, a := range e.advs {
		items[i] = []byte(a.Title)
	}
	return items
}

func (e *encoder) advisories() [][]byte {
	items := make([][]byte, len(e.advs))
	for i, a := range e.advs {
		b := binary.AppendUvarint(nil, dayOf(a.Published))
		b = append(b, byte(a.Kind))
		b = e.ratings(b, a.Ratings)
		b = binary.AppendUvarint(b, uint64(len(a.Vulnerabilities)))
		for _, v := range a.Vulnerabilities {
			b = binary.AppendUvarint(b, e.vulnIdx[v.ID])
		}
		items[i] = b
	}
	return items
}

func (e *encoder) packages() (items [][]byte, total int) {
	type encoded struct {
		advisory uint64
		rest     []byte
	}
	items = make([][]byte, len(e.pkgs))
	for i, p := range e.pkgs {
		entries := make([]encoded, len(p.Entries))
		for j, entry := range p.Entries {
			entries[j] = encoded{e.advIdx[entry.Advisory], e.entry(entry)}
		}
		slices.SortFunc(entries, func(a, b encoded) int {
			return cmp.Or(cmp.Compare(a.advisory, b.advisory), bytes.Compare(a.rest, b.rest))
		})
		entries = slices.CompactFunc(entries, func(a, b encoded) bool {
			return a.advisory == b.advisory && bytes.Equal(a.rest, b.rest)
		})
		b := e.str(nil, p.Name)
		b = binary.AppendUvarint(b, uint64(len(entries)))
		last := uint64(0)
		for _, entry := range entries {
			b = append(binary.AppendUvarint(b, entry.advisory-last), entry.rest...)
			last = entry.advisory
		}
		items[i] = b
		total += len(entries)
	}
	return items, total
}

// entry writes an entry without its advisory.
func (e *encoder) entry(entry Entry) []byte {
	flags := entryFlags(entry)
	b := []byte{flags}
	for _, part := range []struct {
		flag byte
		text string
	}{{hasVariant, entry.Variant}, {hasModule, entry.Module}, {hasFixState, string(entry.FixState)}, {hasNote, entry.Note}} {
		if flags&part.flag != 0 {
			b = e.str(b, part.text)
		}
	}
	if flags&simpleRange != 0 {
		b = e.str(b, entry.Ranges[0].Events[1].Version)
	} else {
		b = e.ranges(b, entry.Ranges)
	}
	if flags&hasVersions != 0 {
		b = e.strs(b, entry.Versions)
	}
	if flags&hasRatings != 0 {
		b = e.ratings(b, entry.Ratings)
	}
	if flags&hasImports != 0 {
		b = binary.AppendUvarint(b, uint64(len(entry.Imports)))
		for _, i := range entry.Imports {
			b = e.strs(e.strs(e.strs(e.str(b, i.Path), i.Symbols), i.GOOS), i.GOARCH)
		}
	}
	return b
}

func (e *encoder) ranges(b []byte, ranges []Range) []byte {
	b = binary.AppendUvarint(b, uint64(len(ranges)))
	for _, r := range ranges {
		b = binary.AppendUvarint(b, uint64(len(r.Events)))
		for _, ev := range r.Events {
			b = e.str(append(b, byte(ev.Kind)), ev.Version)
		}
	}
	return b
}

func entryFlags(entry Entry) byte {
	var flags byte
	set := func(flag byte, on bool) {
		if on {
			flags |= flag
		}
	}
	set(hasVariant, entry.Variant != "")
	set(hasModule, entry.Module != "")
	set(hasFixState, entry.FixState != "")
	set(hasNote, entry.Note != "")
	set(hasVersions, len(entry.Versions) > 0)
	set(hasRatings, len(entry.Ratings) > 0)
	set(hasImports, len(entry.Imports) > 0)
	set(simpleRange, len(entry.Ranges) == 1 && isSimple(entry.Ranges[0]))
	return flags
}

func isSimple(r Range) bool {
	return len(r.Events) == 2 && r.Events[0] == Event{Introduced, "0"} && r.Events[1].Kind == FixedIn
}
