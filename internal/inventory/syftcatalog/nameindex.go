package syftcatalog

import "github.com/portcullis-ci/portcullis/internal/layers"

// nameIndex finds entries by a name. It is made once for all files of an image,
// of which nearly each has a name of its own, and so needs no list for each name.
type nameIndex struct {
	// first is the place of the first entry of a name.
	first map[string]int32
	items []namedEntry
}

type namedEntry struct {
	*layers.Entry
	// next is the place of the next entry of the name, 0 for none. Of the first
	// one, last is the place of the last.
	next, last int32
}

func newNameIndex(size int) nameIndex {
	return nameIndex{first: make(map[string]int32, size), items: make([]namedEntry, 0, size)}
}

func (x *nameIndex) add(name string, e *layers.Entry) {
	at := int32(len(x.items))
	x.items = append(x.items, namedEntry{Entry: e, last: at})
	first, known := x.first[name]
	if !known {
		x.first[name] = at
		return
	}
	x.items[x.items[first].last].next, x.items[first].last = at, at
}

// of returns the entries of a name in the order in which they were added.
func (x *nameIndex) of(name string) []*layers.Entry {
	at, known := x.first[name]
	if !known {
		return nil
	}
	return x.from(at, nil)
}

// matching returns those of all names that the function chooses, in no order of
// names.
func (x *nameIndex) matching(choose func(name string) bool) (out []*layers.Entry) {
	for name, at := range x.first {
		if choose(name) {
			out = x.from(at, out)
		}
	}
	return out
}

func (x *nameIndex) from(at int32, out []*layers.Entry) []*layers.Entry {
	for {
		out = append(out, x.items[at].Entry)
		if at = x.items[at].next; at == 0 {
			return out
		}
	}
}
