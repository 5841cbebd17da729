package layers

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// layerSchema is the form of a cached layer; it changes with it, and with what
// a pass records.
const layerSchema = "portcullis layer 5"

// layer takes a layer from the cache, or reads it and keeps what the pass left
// behind. The diff id, which the pass verifies against the content and package
// target against the manifest, stands for the content.
func (x *Index) layer(ctx context.Context, i int) (layer, error) {
	key := x.cacheKey(i)
	if key == "" {
		return x.scan(ctx, i)
	}
	var found layer
	if x.selector.Cache.Get(key, func(r io.Reader) (err error) {
		found, err = x.decodeLayer(r, i)
		return err
	}) {
		x.cached.Add(1)
		// What a limit refuses, it refuses wherever it comes from.
		return found, errors.Join(x.budget.inflate(found.inflated), x.budget.addFiles(found.headers()))
	}
	x.forget(found)
	l, err := x.scan(ctx, i)
	if err == nil {
		x.selector.Cache.Put(key, func(w io.Writer) error { return encodeLayer(w, l) })
	}
	l.withholders = nil // and the inspections behind them
	return l, err
}

// cacheKey says all that a pass over a layer depends on; it is empty when the
// cache is not to be used.
func (x *Index) cacheKey(i int) string {
	if x.selector.Cache == nil || x.selector.Version == "" || x.blobs[i].DiffID == "" {
		return ""
	}
	parts := []string{layerSchema, x.blobs[i].DiffID, x.selector.Version}
	for _, inspector := range x.selector.Inspectors {
		parts = append(parts, inspector.Name())
	}
	return strings.Join(parts, "\x00")
}

// forget gives the memory back of a layer that was decoded in vain.
func (x *Index) forget(l layer) {
	for _, e := range l.entries {
		if c := e.content.Load(); c != nil {
			x.store.release(c)
		}
	}
}

// headers is how many entries of the archive count against the limit of files.
func (l layer) headers() int { return len(l.entries) + len(l.whiteouts) + len(l.opaque) }

// encoder writes numbers and strings; the first error stays.
type encoder struct {
	w   *bufio.Writer
	err error
}

func (e *encoder) uint(v uint64) {
	if e.err == nil {
		_, e.err = e.w.Write(binary.AppendUvarint(e.w.AvailableBuffer(), v))
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// encodeLayer writes a layer as the pass left it; squashing changes it.
func encodeLayer(w io.Writer, l layer) error {
	e := &encoder{w: bufio.NewWriterSize(w, 64*kib)}
	e.uint(uint64(l.inflated))
	e.strings(l.whiteouts)
	e.strings(l.opaque)
	e.uint(uint64(len(l.problems)))
	for _, p := range l.problems {
		e.string(p.Path)
		e.uint(uint64(p.Kind))
		e.string(p.Reason)
	}
	e.uint(uint64(len(l.inspected)))
	for _, name := range slices.Sorted(maps.Keys(l.inspected)) {
		e.string(name)
		e.string(string(l.inspected[name]))
	}
	e.uint(uint64(len(l.entries)))
	for _, entry := range l.entries {
		e.entry(entry, slices.ContainsFunc(l.withholders, func(w Withholder) bool { return w.Withhold(entry.Path) }))
	}
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}

// entry writes an entry with its content, where it was kept and is not withheld.
func (e *encoder) entry(entry *Entry, withheld bool) {
	e.string(entry.Path)
	e.string(entry.Link)
	e.uint(uint64(entry.Size))
	e.string(entry.Capabilities)
	e.string(entry.MIME)
	e.uint(uint64(entry.Signs))
	e.uint(uint64(entry.Mode))
	e.uint(uint64(uint32(entry.UID)))
	e.uint(uint64(uint32(entry.GID)))
	e.uint(uint64(entry.Type))
	c := entry.content.Load()
	switch {
	case c == nil, withheld:
		e.uint(keptNothing)
	case c.whole():
		e.uint(keptWhole)
		e.content(c)
	default:
		e.uint(keptParts)
		e.uint(uint64(len(c.parts)))
		for _, p := range c.parts {
			e.uint(uint64(p.at))
			e.uint(uint64(p.size))
			e.content(p.content)
		}
	}
}

// What was kept of a content.
const (
	keptNothing = iota
	keptWhole
	keptParts
)

func (e *encoder) content(c *content) {
	if e.err == nil {
		_, e.err = io.Copy(e.w, c.open())
	}
}

// decoder reads what an encoder wrote; the first error stays.
type decoder struct {
	r   *bufio.Reader
	err error
	// common holds the few strings that many entries have.
	common map[string]string
}

// maxCachedString bounds a string: the largest are results of inspectors.
const maxCachedString = 256 * mib

func (d *decoder) uint() uint64 {
	if d.err != nil {
		return 0
	}
	v, err := binary.ReadUvarint(d.r)
	if d.err = err; err == io.EOF {
		d.err = io.ErrUnexpectedEOF
	}
	return v
}

// length reads a number of things, of which there can be no more than limit.
func (d *decoder) length(limit int) int {
	n := d.uint()
	if n > uint64(limit) && d.err == nil {
		d.err = fmt.Errorf("%d things, more than the limit of %d", n, limit)
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.length(maxCachedString)
	if d.err != nil || n == 0 {
		return nil
	}
	if n <= 64*kib {
		b := make([]byte, n)
		_, d.err = io.ReadFull(d.r, b)
		return b
	}
	// What is long is believed as far as it is there.
	b, err := io.ReadAll(io.LimitReader(d.r, int64(n)))
	if d.err = err; err == nil && len(b) < n {
		d.err = io.ErrUnexpectedEOF
	}
	return b
}

func (d *decoder) string() string { return string(d.bytes()) }

// repeated reads a string of which there are few different ones.
func (d *decoder) repeated() string {
	b := d.bytes()
	if s, ok := d.common[string(b)]; ok {
		return s
	}
	s := string(b)
	d.common[s] = s
	return s
}

func (d *decoder) strings(limit int) []string {
	var list []string
	for n := d.length(limit); n > 0 && d.err == nil; n-- {
		list = append(list, d.string())
	}
	return list
}

// decodeLayer reads a layer. With an error it returns what it has come to, so
// that it can be forgotten.
func (x *Index) decodeLayer(r io.Reader, index int) (l layer, err error) {
	d := &decoder{r: bufio.NewReaderSize(r, 64*kib), common: map[string]string{}}
	files := x.budget.limits.Files
	l.inflated = int64(d.uint())
	l.whiteouts, l.opaque = d.strings(files), d.strings(files)
	for n := d.length(4 * files); n > 0 && d.err == nil; n-- {
		l.problems = append(l.problems, Problem{Path: d.string(), Kind: ProblemKind(d.uint()), Reason: d.string(), Layer: index})
	}
	l.inspected = map[string][]byte{}
	for n := d.length(1000); n > 0 && d.err == nil; n-- {
		name := d.string()
		l.inspected[name] = d.bytes()
	}
	var slab []Entry
	for n := d.length(files); n > 0 && d.err == nil; n-- {
		if len(slab) == 0 {
			slab = make([]Entry, min(n, 256))
		}
		e := &slab[0]
		slab = slab[1:]
		e.Layer, e.order = int32(index), int32(len(l.entries))
		if x.decodeEntry(d, e); d.err == nil {
			l.entries = append(l.entries, e)
		}
	}
	if d.err == nil {
		if _, err := d.r.ReadByte(); err == nil {
			d.err = errors.New("something follows the last entry")
		} else if err != io.EOF {
			d.err = err
		}
	}
	return l, d.err
}

func (x *Index) decodeEntry(d *decoder, e *Entry) {
	e.Path, e.Link, e.Size = d.string(), d.string(), int64(d.uint())
	e.Capabilities, e.MIME, e.Signs = d.repeated(), d.repeated(), uint32(d.uint())
	e.Mode, e.UID, e.GID = uint32(d.uint()), int32(uint32(d.uint())), int32(uint32(d.uint()))
	e.Type = Type(d.uint())
	kept := d.uint()
	if kept == keptNothing || d.err != nil {
		return
	}
	if e.Type != Regular || e.Size < 0 || e.Size > x.budget.limits.ImageSize {
		d.err = fmt.Errorf("%s: contents of %d bytes", quote(e.Path), e.Size)
		return
	}
	var c *content
	if kept == keptWhole {
		c, d.err = x.store.put(d.r, e.Size)
	} else {
		c = x.decodeParts(d, e.Size)
	}
	if d.err == nil {
		e.content.Store(c)
	}
}

// decodeParts reads the parts of a content of the given size.
func (x *Index) decodeParts(d *decoder, size int64) *content {
	c := &content{size: size, parts: []part{}}
	end := int64(0)
	for n := d.length(maxParts); n > 0 && d.err == nil; n-- {
		at, length := int64(d.uint()), int64(d.uint())
		if at < end || length < 0 || length > size || at > size-length {
			d.err = fmt.Errorf("%d bytes at %d of %d", length, at, size)
			break
		}
		end = at + length
		var kept *content
		if kept, d.err = x.store.put(d.r, length); d.err == nil {
			c.parts = append(c.parts, part{at: at, content: kept})
		}
	}
	if d.err != nil {
		x.store.release(c)
	}
	return c
}
