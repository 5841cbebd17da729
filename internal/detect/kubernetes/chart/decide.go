package chart

import (
	"bytes"
	"slices"
	"sort"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// Reason is how a value decides.
type Reason int

// The reasons.
const (
	// Written is for a value that was written, or that lacks what is missing.
	Written Reason = iota
	// Present is for a value because of which something is there.
	Present
	// Missing is for a value because of which something is not there.
	Missing
)

// Decision is a value that decides what stands at a place, in the values file
// that has it, or with Flag in a setting that is no file's.
type Decision struct {
	Path   string
	Span   manifest.Span
	Flag   string
	Reason Reason
}

// maxDecisions bounds what is named for one place. What comes out of more
// values than these is led back to none.
const maxDecisions = 4

// Decisions returns the values that decide what stands at a place of the
// rendered text, or that nothing does.
func (r *Rendered) Decisions(at *manifest.Place) []Decision {
	if r.trace == nil || at == nil {
		return nil
	}
	r.trace.run()
	w := r.trace.texts[r.unit]
	if w == nil {
		return nil
	}
	d := decider{written: w, lines: r.index(), content: r.Content, places: r.places}
	there, missing := at, ""
	for there.Node == nil && there.Key == nil && there.Up() != nil {
		there, missing = there.Up(), there.Name()
	}
	if there.Node == nil {
		return nil
	}
	if missing != "" {
		return d.missing(there, missing)
	}
	return d.present(there)
}

// maxGaps bounds how many branches are looked at for one place, and maxBlock
// how far its map reaches.
const (
	maxGaps  = 1000
	maxBlock = 1 << 20
)

type decider struct {
	*written
	*lines
	content []byte
	places  *places
}

func (d decider) present(at *manifest.Place) []Decision {
	data := d.data(at)
	found := d.locate(data, Written, nil)
	var near, far []*ref
	outside := make(map[*branch]bool)
	if up := item(at.Up()); up != nil {
		for b := d.underAt(d.startOf(up)); b != nil; b = b.up {
			outside[b] = true
		}
	}
	for b := d.underAt(d.valueStart(at)); b != nil; b = b.up {
		if !outside[b] {
			near = with(near, b.refs)
		} else if len(far) == 0 {
			far = b.refs
		}
	}
	switch {
	case len(near) > 0:
		return d.locate(near, Present, found, data...)
	case len(data) == 0:
		return d.locate(far, Present, found)
	}
	return found
}

// item is the nearest list item around a place, a container for one, or else
// the object.
func item(at *manifest.Place) *manifest.Place {
	for at != nil && at.Up() != nil && at.Key != nil {
		at = at.Up()
	}
	return at
}

// data are the values of which a place was made.
func (d decider) data(at *manifest.Place) []*ref {
	n := at.Node
	var refs []*ref
	if at.Key != nil {
		refs = d.refsBetween(d.covered(at.Key))
	}
	switch n.Kind {
	case manifest.Map, manifest.List:
		if holder := d.holderAt(d.start(n)); holder != nil {
			return []*ref{holder}
		}
		return refs
	}
	from, end := d.covered(n)
	if n.Block && at.Key != nil {
		end = d.blockEnd(from, at.Key.Span().Column-1)
	}
	return with(refs, d.refsBetween(from, end))
}

// valueStart is where a plain value begins, or the key of others.
func (d decider) valueStart(at *manifest.Place) int {
	if at.Node.Kind == manifest.Map || at.Node.Kind == manifest.List || at.Node.Kind == manifest.Null {
		return d.startOf(at)
	}
	return d.start(at.Node)
}

func (d decider) startOf(at *manifest.Place) int {
	switch {
	case at.Key != nil:
		return d.start(at.Key)
	case at.Node != nil && at.Node.Kind == manifest.Map && len(at.Node.Fields()) > 0:
		return d.start(at.Node.Fields()[0].Key)
	case at.Node != nil:
		return d.start(at.Node)
	}
	return 0
}

func (d decider) underAt(offset int) *branch {
	if parts := d.between(offset, offset+1); len(parts) > 0 {
		return parts[0].under
	}
	return nil
}

// missing finds the values because of which a key is missing in a map.
func (d decider) missing(at *manifest.Place, key string) []Decision {
	var found []Decision
	n := at.Node
	indent := -1
	switch {
	case n.Kind == manifest.Map && len(n.Fields()) > 0:
		if holder := d.holderAt(d.start(n)); holder != nil {
			found = d.locate([]*ref{holder}, Written, nil)
		}
		if !n.Flow {
			indent = n.Fields()[0].Key.Span().Column - 1
		}
	default:
		found = d.locate(d.data(at), Written, nil)
	}
	from, least := d.startOf(at), indent
	if indent < 0 {
		if at.Key == nil || n.Kind == manifest.Map && len(n.Fields()) > 0 {
			return found
		}
		least = at.Key.Span().Column
	}
	to := d.blockEnd(from, least-1)
	var refs []*ref
	i := sort.Search(len(d.gaps), func(i int) bool { return d.gaps[i].start >= from })
	for _, g := range d.gaps[i:min(len(d.gaps), i+maxGaps)] {
		if g.start <= to && d.wouldWrite(g, key, indent, least) {
			refs = with(refs, g.refs)
		}
	}
	return d.locate(refs, Missing, found)
}

// wouldWrite reports whether a branch that was not taken has a key with the
// indentation of its map, or where the map is empty, with at least that much.
func (d decider) wouldWrite(g gap, key string, indent, least int) bool {
	before := d.content[bytes.LastIndexByte(d.content[:g.start], '\n')+1 : g.start]
	return slices.ContainsFunc(g.keys, func(k indentedKey) bool {
		if k.name != key {
			return false
		}
		column := k.indent + g.shift
		if k.indent == inLine {
			if len(bytes.Trim(before, " ")) > 0 {
				return false
			}
			column = len(before)
		}
		return column == indent || indent < 0 && column >= least
	})
}

// blockEnd returns the start of the first line behind an offset that has no
// more than so many spaces, and is not empty.
func (d decider) blockEnd(from, most int) int {
	at := from
	for {
		n := bytes.IndexByte(d.content[at:], '\n')
		switch {
		case n < 0:
			return len(d.content)
		case at > from+maxBlock:
			return at
		}
		at += n + 1
		line := d.content[at:]
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		text := bytes.TrimLeft(line, " ")
		if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] != '#' && len(line)-len(text) <= most || bytes.HasPrefix(line, []byte("---")) {
			return at
		}
	}
}

// locate adds the places of values to what was found, but for those around or
// inside of others that are named already.
func (d decider) locate(refs []*ref, reason Reason, found []Decision, known ...*ref) []Decision {
	if len(refs) > 2*maxDecisions || len(refs) > maxDecisions && reason == Written {
		return found
	}
	for _, r := range refs {
		at := r.keys
		if !r.there {
			at = at[:max(len(at)-1, 0)]
		}
		if len(found) >= 2*maxDecisions || slices.ContainsFunc(known, func(k *ref) bool { return around(at, k.keys) || around(k.keys, at) }) {
			continue
		}
		one := d.places.of(r)
		one.Reason = reason
		// That something is there for want of a value, a map does not say.
		if one.ok && !(one.around && reason == Present) && !slices.ContainsFunc(found, func(f Decision) bool { return f.Path == one.Path && f.Span == one.Span && f.Flag == one.Flag }) {
			found = append(found, one.Decision)
		}
	}
	return found
}

// around reports whether a value is, or holds, another.
func around(outer, inner []string) bool {
	return len(outer) <= len(inner) && slices.Equal(outer, inner[:len(outer)])
}
