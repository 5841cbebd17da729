package lockfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
)

// Limits bound a search. The zero value stands for DefaultLimits.
type Limits struct {
	// Names is the number of files and folders that are looked at.
	Names int
	// Files is the number of lock files that are read.
	Files int
	// Bytes is the number of bytes that are read in all.
	Bytes int64
}

// DefaultLimits are far beyond the largest checkouts in use.
var DefaultLimits = Limits{Names: 500_000, Files: 5_000, Bytes: 512 << 20}

// File is one lock file that was read.
type File struct {
	// Path is relative to the root that was searched, with forward slashes.
	Path    string
	Format  Format
	Entries []Entry
}

// Unread is a lock file that could not be read, or not as a whole.
type Unread struct {
	Path string
	Err  error
}

// Set is all lock files below a root.
type Set struct {
	// Files in the order of their paths.
	Files []File
	// Unread lists what a search could not look into. While there is any, that
	// only one file holds a package is not certain.
	Unread []Unread
	index  map[string][]Hit
}

// Hit is an entry with the file that holds it.
type Hit struct {
	File  *File
	Entry Entry
}

// ErrBound says that a search was cut off.
var ErrBound = errors.New("the search for lock files has reached its limit")

// skipped are folders that hold other people's files.
var skipped = []string{".git", "node_modules", "vendor", ".venv", "venv", "site-packages", ".terraform", "bower_components"}

// Find reads all lock files below the root of a checkout. Folders of installed
// packages are passed over, symbolic links are not followed. An error is
// returned only when the context ends; all other faults are in Set.Unread.
func Find(ctx context.Context, root fs.FS, limits Limits) (*Set, error) {
	if limits == (Limits{}) {
		limits = DefaultLimits
	}
	w := walk{root: root, limits: limits, set: &Set{}}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		return w.visit(name, entry, err)
	})
	if ctx.Err() != nil {
		return nil, fmt.Errorf("search for lock files: %w", ctx.Err())
	}
	if err != nil {
		w.set.Unread = append(w.set.Unread, Unread{".", err})
	}
	w.set.fill()
	return w.set, nil
}

// NewSet makes a set of files that were read already.
func NewSet(files ...File) *Set {
	s := &Set{Files: files}
	s.fill()
	return s
}

type walk struct {
	root   fs.FS
	limits Limits
	set    *Set
}

func (w *walk) visit(name string, entry fs.DirEntry, err error) error {
	if err != nil {
		w.set.Unread = append(w.set.Unread, Unread{name, err})
		if entry != nil && entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if w.limits.Names--; w.limits.Names < 0 {
		return ErrBound
	}
	if entry.IsDir() {
		if slices.Contains(skipped, entry.Name()) {
			return fs.SkipDir
		}
		return nil
	}
	format, ok := FormatOf(name)
	if !ok || !entry.Type().IsRegular() {
		return nil
	}
	if w.limits.Files--; w.limits.Files < 0 || w.limits.Bytes <= 0 {
		return ErrBound
	}
	content, err := w.read(name)
	var entries []Entry
	if err == nil {
		entries, err = Parse(name, content)
	}
	if err != nil {
		w.set.Unread = append(w.set.Unread, Unread{name, err})
	}
	if len(entries) > 0 {
		w.set.Files = append(w.set.Files, File{Path: name, Format: format, Entries: entries})
	}
	return nil
}

// read reads no more than MaxSize and what is left of the limit.
func (w *walk) read(name string) ([]byte, error) {
	f, err := w.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing is lost
	bound := min(MaxSize, w.limits.Bytes)
	content, err := io.ReadAll(io.LimitReader(f, bound+1))
	w.limits.Bytes -= int64(len(content))
	switch {
	case err != nil:
		return nil, err
	case int64(len(content)) > bound:
		return nil, ErrTooLarge
	}
	return content, nil
}

func (s *Set) fill() {
	s.index = make(map[string][]Hit)
	for i := range s.Files {
		for _, e := range s.Files[i].Entries {
			k := keyOf(e.Type, e.Name, e.Version)
			s.index[k] = append(s.index[k], Hit{&s.Files[i], e})
			if e.Type == "maven" {
				// Archives often do not tell their group.
				k = keyOf(e.Type, ShortName(e), e.Version)
				s.index[k] = append(s.index[k], Hit{&s.Files[i], e})
			}
		}
	}
}

// Lookup returns all entries of a package in a version; the type is that of its
// package URL. A maven name may be without its group.
func (s *Set) Lookup(typ, name, version string) []Hit {
	if s == nil || name == "" || version == "" {
		return nil
	}
	return s.index[keyOf(typ, name, version)]
}

// Folder is the folder of the file relative to the root, "." for the root.
func (f *File) Folder() string { return path.Dir(f.Path) }

func keyOf(typ, name, version string) string {
	return typ + "\x00" + FoldName(typ, name) + "\x00" + FoldVersion(typ, version)
}
