package layers

import (
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
)

// node is a path of the squashed tree.
type node struct {
	entry    *Entry
	children map[string]*node
}

func (n *node) isDir() bool { return n.entry.Type == Directory }

func newDir(p string) *node {
	return &node{entry: &Entry{Path: p, Type: Directory, Mode: 0o755, Layer: -1}, children: map[string]*node{}}
}

// squash lays the layers over each other, lowest first, as the OCI image
// specification (layer.md, "Applying Changesets") has it. Whiteouts of a layer
// act on lower layers only, wherever in the archive they stand. A path whose
// parent is a symbolic link to a directory ends up behind the link, as in
// containerd; other runtimes put a directory in the link's place.
//
// Directories that no layer mentions count against the limit of files: a short
// name can ask for thousands of them.
func (x *Index) squash() error {
	x.root = newDir("/")
	entries := 1
	for _, l := range x.layers {
		entries += len(l.entries)
	}
	defer func() { x.all = walk(x.root, make([]*Entry, 0, entries)) }()
	for i := range x.layers {
		l := &x.layers[i]
		for _, p := range l.opaque {
			n, err := x.parent(p)
			if err != nil {
				return fmt.Errorf("lay out layer %d (%s): %w", i, x.LayerName(i), err)
			}
			if n.isDir() {
				x.remove(&node{children: n.children})
				n.children = map[string]*node{}
			}
		}
		for _, p := range l.whiteouts {
			n, err := x.parent(path.Dir(p))
			if err != nil {
				return fmt.Errorf("lay out layer %d (%s): %w", i, x.LayerName(i), err)
			}
			x.remove(n.children[path.Base(p)])
			delete(n.children, path.Base(p))
		}
		var dir string
		var at *node
		for _, e := range l.entries {
			parent := e.Dir()
			if at == nil || parent != dir {
				made, err := x.makeDir(parent)
				if err != nil {
					return fmt.Errorf("lay out layer %d (%s): %w", i, x.LayerName(i), err)
				}
				dir, at = parent, made
			}
			if x.put(at, e) {
				at = nil
			}
		}
		x.problems = append(x.problems, l.problems...)
	}
	return nil
}

// walk adds the entries of a tree in the order of paths by component, the top
// first.
func walk(n *node, out []*Entry) []*Entry {
	n.entry.shown = true
	out = append(out, n.entry)
	if len(n.children) == 0 {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		out = walk(n.children[name], out)
	}
	return out
}

// parent returns the directory that a whiteout stands in, and makes it as
// runtimes do when it is not there.
func (x *Index) parent(p string) (*node, error) {
	if n := x.find(p, true); n != nil {
		return n, nil
	}
	return x.makeDir(p)
}

// remove remembers what a layer takes out of those below it.
func (x *Index) remove(n *node) {
	if n != nil {
		x.removed = append(x.removed, n)
	}
}

// put sets an entry in its directory. It reports whether the shape of the tree
// above later entries may have changed, so that a remembered directory is no
// longer to be trusted.
func (x *Index) put(dir *node, e *Entry) (reshaped bool) {
	if e.Path == "/" {
		if e.Type == Directory {
			x.root.entry = e
		}
		return false
	}
	name := e.Name()
	if dir.entry.Path != e.Dir() {
		x.layers[e.Layer].move(e, path.Join(dir.entry.Path, name))
	}
	if e.Type == HardLink {
		x.link(e)
	}
	old := dir.children[name]
	if e.Type == Directory {
		if old != nil && old.isDir() {
			old.entry = e
			return false
		}
		dir.children[name] = &node{entry: e, children: map[string]*node{}}
		return old != nil
	}
	if old != nil && old.isDir() {
		x.remove(old)
	}
	dir.children[name] = &node{entry: e}
	return old != nil && (old.isDir() || old.entry.Type == Symlink)
}

// link makes a hard link a second name of the file that it names, which may
// lie in a lower layer.
func (x *Index) link(e *Entry) {
	target := x.find(path.Clean("/"+e.Link), false)
	if target == nil || target.entry == e || target.isDir() || target.entry.Type == HardLink {
		x.problems = append(x.problems, Problem{Path: e.Path, Layer: int(e.Layer), Kind: Lost, Reason: "hard link to " + quote(e.Link) + ", which is no file of the image"})
		return
	}
	t := target.entry
	e.Type, e.Size, e.MIME, e.Signs, e.Link = t.Type, t.Size, t.MIME, t.Signs, t.Link
	if t.Type == Regular {
		e.source = t.data()
	}
}

func quote(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return `"` + s + `"`
}

// makeDir returns the node of a directory and creates what is missing of it.
func (x *Index) makeDir(p string) (*node, error) {
	at, hops := x.root, 0
	for part := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
		if part == "" {
			continue
		}
		child := at.children[part]
		if child != nil && child.entry.Type == Symlink && hops < maxHops {
			if n := x.find(child.entry.Path, true); n != nil && n.isDir() {
				hops++
				at = n
				continue
			}
		}
		if child == nil || !child.isDir() {
			if err := x.budget.file(); err != nil {
				return nil, err
			}
			child = newDir(path.Join(at.entry.Path, part))
			at.children[part] = child
		}
		at = child
	}
	return at, nil
}

// Covered yields the regular files of all layers that the squashed tree does not
// show since something later deletes or replaces them, those of lower layers
// first.
func (x *Index) Covered() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for _, l := range x.layers {
			for _, e := range l.entries {
				if e.Type == Regular && !e.shown && !yield(e) {
					return
				}
			}
		}
	}
}

// Clear returns what stands at the real path of a covered file: nil for nothing,
// or a regular file. It reports false where something else does, or a link or a
// file in the place of a directory on the way: to show the file again would hide
// what is there now.
func (x *Index) Clear(covered *Entry) (now *Entry, clear bool) {
	at := x.root
	for _, part := range splitPath(covered.Path) {
		if !at.isDir() {
			return nil, false
		}
		if at = at.children[part]; at == nil {
			return nil, true
		}
	}
	return at.entry, at.entry.Type == Regular
}

// Restore shows covered files again whose places are clear. It must not be called
// once others use the index.
func (x *Index) Restore(covered []*Entry) error {
	for _, e := range covered {
		if _, clear := x.Clear(e); !clear {
			return fmt.Errorf("restore %s: its place is taken", e.Path)
		}
		dir, err := x.makeDir(e.Dir())
		if err != nil {
			return fmt.Errorf("restore %s: %w", e.Path, err)
		}
		if old := dir.children[e.Name()]; old != nil {
			old.entry.shown = false
		}
		dir.children[e.Name()] = &node{entry: e}
	}
	x.all = walk(x.root, make([]*Entry, 0, len(x.all)+len(covered)))
	return nil
}
