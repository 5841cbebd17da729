package repository

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// part is a folder that a run looks at: a checkout, or a folder outside of any.
type part struct {
	dir      string
	checkout bool
}

// Covering returns the root for a run that looks at the given paths. It is r
// where they lie in it. Otherwise it is what holds them all: the checkout of a
// file elsewhere, its folder where there is none, or the folder above several of
// these. So each file has a name of its own, by which it is found again.
func (r Root) Covering(given []string) Root {
	var parts []part
	outside := false
	for _, g := range given {
		p := r.partOf(r.Path(g))
		outside = outside || p.dir != r.Dir
		parts = append(parts, p)
	}
	if !outside {
		return r
	}
	parts = outermost(parts)
	above := parts[0].dir
	for _, p := range parts {
		for !within(above, p.dir) {
			if above == filepath.Dir(above) {
				return r // they lie on several volumes
			}
			above = filepath.Dir(above)
		}
	}
	r.Dir, r.parts = above, parts
	return r
}

// partOf is the part that a path is in.
func (r Root) partOf(path string) part {
	if within(r.Dir, path) {
		return part{r.Dir, true}
	}
	dir := path
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		dir = filepath.Dir(path)
	}
	found, err := FindRoot(dir)
	if err != nil {
		return part{dir: dir}
	}
	_, err = os.Lstat(filepath.Join(found.Dir, ".git"))
	return part{found.Dir, err == nil}
}

// outermost drops parts that lie in others.
func outermost(parts []part) []part {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(len(a.dir), len(b.dir)), strings.Compare(a.dir, b.dir))
	})
	var kept []part
	for _, p := range parts {
		if !slices.ContainsFunc(kept, func(k part) bool { return within(k.dir, p.dir) }) {
			kept = append(kept, p)
		}
	}
	return kept
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// Part returns the folder that a path given by the user may not lead out of, and
// the path in it, with forward slashes: the checkout that it is in. Elsewhere it
// is the path's own folder.
func (r Root) Part(given string) (dir, name string) {
	path := r.Path(given)
	dir = filepath.Dir(path)
	if p, ok := r.find(path); ok {
		dir = p.dir
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		rel = filepath.Base(path)
	}
	return dir, filepath.ToSlash(rel)
}

// find is the part of the root that a path is in.
func (r Root) find(path string) (part, bool) {
	for _, p := range r.parts {
		if within(p.dir, path) {
			return p, true
		}
	}
	return part{r.Dir, true}, len(r.parts) == 0 && within(r.Dir, path)
}

// WorkingName is the name of the working directory; that of the root where it
// lies elsewhere.
func (r Root) WorkingName() string {
	if !within(r.Dir, r.Working) {
		return "."
	}
	return r.Name(".")
}

// FS is the file system of the root. Of a root above several checkouts it holds
// these alone, so that nobody walks through what lies beside them.
func (r Root) FS() fs.FS {
	if len(r.parts) < 2 {
		return os.DirFS(r.Dir)
	}
	var names []string
	for _, p := range r.parts {
		names = append(names, r.Name(p.dir))
	}
	return partsFS{os.DirFS(r.Dir), names}
}

// partsFS is a file system of which only some folders are seen.
type partsFS struct {
	all   fs.FS
	parts []string
}

// sees reports whether a name is in one of the folders, or on the way to one.
func (f partsFS) sees(name string) bool {
	return name == "." || slices.ContainsFunc(f.parts, func(part string) bool {
		return name == part || strings.HasPrefix(name, part+"/") || strings.HasPrefix(part, name+"/")
	})
}

// Open implements fs.FS.
func (f partsFS) Open(name string) (fs.File, error) {
	if !f.sees(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.all.Open(name)
}

// ReadDir implements fs.ReadDirFS.
func (f partsFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if !f.sees(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	entries, err := fs.ReadDir(f.all, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !f.sees(path.Join(name, e.Name())) }), err
}
