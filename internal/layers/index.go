package layers

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Index is the file tree of an image after all layers are laid over each
// other. It is safe for concurrent use. The caller closes it.
type Index struct {
	blobs    []Blob
	selector Selector
	store    *store
	budget   *budget
	layers   []layer
	root     *node
	// all are the entries of the tree in the order of paths by component.
	all      []*Entry
	problems []Problem
	// removed are files and directories that a later layer deleted.
	removed []*node

	// sought makes what is looked for in executables, once a layer is read.
	sought func() *sought
	// holding bounds what is held of large executables until it is known what
	// is kept of them.
	holding *semaphore.Weighted
	pieces  pieces

	// again serialises second passes.
	again   sync.Mutex
	rereads atomic.Int64
	cached  atomic.Int64
}

// maxHops is how many symbolic links are followed for one path, as in Linux
// (path_resolution(7)).
const maxHops = 40

// maxRereads bounds the second passes over layers.
const maxRereads = 64

// Close frees what the index holds. Contents must not be read afterwards.
func (x *Index) Close() error { return x.store.close() }

// Problems lists what was wrong with the layers' archives, in their order.
func (x *Index) Problems() []Problem { return x.problems }

// Stats says what reading cost.
type Stats struct {
	// Inflated is the number of bytes of all passes after inflating.
	Inflated int64
	Files    int64
	// KeptInMemory and Spilled are bytes of contents.
	KeptInMemory int64
	Spilled      int64
	// Rereads is the number of second passes over a layer.
	Rereads int64
	// Cached is the number of layers that were not read, because the cache had
	// them.
	Cached int64
}

// Stats returns what reading has cost so far.
func (x *Index) Stats() Stats {
	return Stats{
		Inflated: x.budget.inflated.Load(), Files: x.budget.files.Load(),
		KeptInMemory: x.store.memory.Load(), Spilled: x.store.spilled.Load(), Rereads: x.rereads.Load(), Cached: x.cached.Load(),
	}
}

// Resolve finds a path. Symbolic links in its directories are followed, and in
// its last component if followLast is set. It returns nil when there is no
// such path, or a link leads nowhere or in circles. Relative paths start at
// the root.
func (x *Index) Resolve(p string, followLast bool) *Entry {
	n := x.find(p, followLast)
	if n == nil {
		return nil
	}
	return n.entry
}

// Children returns the entries of a directory in the order of names; links on
// the way to it are followed. It is empty for what is no directory.
func (x *Index) Children(dir string) []*Entry {
	n := x.find(dir, true)
	if n == nil {
		return nil
	}
	out := make([]*Entry, 0, len(n.children))
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		out = append(out, n.children[name].entry)
	}
	return out
}

func (x *Index) find(p string, followLast bool) *node {
	at := x.root
	for rest := p; ; {
		part, after, more := strings.Cut(rest, "/")
		rest = after
		switch part {
		case "", ".":
		case "..":
			return x.findByLinks(p, followLast)
		default:
			if at = at.children[part]; at == nil {
				return nil
			}
			if at.entry.Type == Symlink && (followLast || more) {
				return x.findByLinks(p, followLast)
			}
		}
		if !more {
			return at
		}
	}
}

// findByLinks is find for paths with links on the way, and ones that lead up.
func (x *Index) findByLinks(p string, followLast bool) *node {
	rest := splitPath(p)
	stack := []*node{x.root}
	for hops := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
			continue
		}
		at := stack[len(stack)-1].children[part]
		if at == nil {
			return nil
		}
		if at.entry.Type == Symlink && (followLast || len(rest) > 0) {
			if hops++; hops > maxHops || at.entry.Link == "" {
				return nil
			}
			if strings.HasPrefix(at.entry.Link, "/") {
				stack = stack[:1]
			}
			rest = append(splitPath(at.entry.Link), rest...)
			continue
		}
		stack = append(stack, at)
	}
	return stack[len(stack)-1]
}

// splitPath cuts a path into its components, without empty ones and dots.
func splitPath(p string) []string {
	parts := make([]string, 0, strings.Count(p, "/")+1)
	for part := range strings.SplitSeq(p, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}

// All yields every entry of the squashed tree in the order of paths by
// component, the root first.
func (x *Index) All() iter.Seq[*Entry] { return slices.Values(x.all) }

// Removed yields the regular files of lower layers that a later one deleted, in
// no order. Some of their paths may be in use again.
func (x *Index) Removed() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, n := range x.removed {
			if !n.files(yield) {
				return
			}
		}
	}
}

func (n *node) files(yield func(*Entry) bool) bool {
	if n.entry != nil && n.entry.Type == Regular && !yield(n.entry) {
		return false
	}
	for _, child := range n.children {
		if !child.files(yield) {
			return false
		}
	}
	return true
}

// Open returns the content of a regular file. What was not kept in the first
// pass is read in a second one over its layer, at the latest when the content
// is read there.
func (x *Index) Open(ctx context.Context, e *Entry) (Content, error) {
	if e.Type != Regular {
		return Content{}, fmt.Errorf("open %s: not a regular file", e.Path)
	}
	d := e.data()
	if d.Size == 0 {
		return (&content{}).open(), nil
	}
	if c := d.content.Load(); c != nil && c.whole() {
		return c.open(), nil
	} else if c != nil {
		return c.openParts(func() (Content, error) { return x.openWhole(ctx, d, e.Path) }), nil
	}
	return x.openWhole(ctx, d, e.Path)
}

func (x *Index) openWhole(ctx context.Context, d *Entry, path string) (Content, error) {
	if err := x.reread(ctx, d); err != nil {
		return Content{}, fmt.Errorf("open %s: %w", path, err)
	}
	return d.content.Load().open(), nil
}

// smallNeighbour is the size up to which files beside a wanted one are kept in
// a second pass, since who asked for one will ask for them too.
const smallNeighbour = 256 * kib

// reread makes a second pass over a layer for a file that was not kept.
func (x *Index) reread(ctx context.Context, want *Entry) error {
	x.again.Lock()
	defer x.again.Unlock()
	if c := want.content.Load(); c != nil && c.whole() {
		return nil
	}
	if x.rereads.Add(1) > maxRereads {
		return &LimitError{Limit: "number of second passes over layers", Value: maxRereads}
	}
	s, err := openStream(ctx, x.blobs[want.Layer], x.budget)
	if err != nil {
		return err
	}
	defer s.close()
	r := tar.NewReader(s.r)
	entries := x.layers[want.Layer].entries
	for next := 0; next <= int(want.order); {
		h, err := r.Next()
		if err != nil {
			return fmt.Errorf("second pass: %w", err)
		}
		var seen Entry
		if !seen.fill(h) || seen.tooDeep() || seen.isWhiteout() {
			continue
		}
		if next >= len(entries) {
			break
		}
		e := entries[next]
		next++
		if e != want && !x.neighbour(e, want) {
			continue
		}
		c, err := x.store.put(r, e.Size)
		if err != nil {
			return fmt.Errorf("second pass: %w", err)
		}
		if parts := e.content.Swap(c); parts != nil {
			x.store.release(parts)
		}
	}
	if c := want.content.Load(); c == nil || !c.whole() {
		return errors.New("the layer changed between two passes")
	}
	return nil
}

func (x *Index) neighbour(e, want *Entry) bool {
	return e.Type == Regular && e.Size > 0 && e.Size <= smallNeighbour && e.source == nil &&
		e.content.Load() == nil && e.Dir() == want.Dir()
}

var _ interface {
	io.ReadSeekCloser
	io.ReaderAt
} = Content{}
