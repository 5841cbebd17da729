// Package repository finds and reads the user's files: it knows the root of
// the checkout, gives files the names that CI hosts show (relative to that
// root, with forward slashes) and walks directories for manifests. It parses
// nothing.
package repository

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MaxFileSize bounds a file that is read as a whole, in bytes. Generated
// manifests reach tens of megabytes; beyond this a file is refused, not cut.
const MaxFileSize = 128 << 20

// Root is the top of the checkout.
type Root struct {
	// Dir is absolute.
	Dir string
	// Working is the absolute directory against which relative paths are read.
	Working string
	// Changed are contents that are read in place of files, by their names: what
	// these would hold.
	Changed map[string][]byte
	// parts are the folders in Dir that a run looks at, none of them in another;
	// none for Dir itself.
	parts []part
}

// File is a file's content with the name under which findings show it.
type File struct {
	Name    string
	Content []byte
}

// FindRoot returns the nearest directory at or above working that holds .git;
// without one, working itself is the root.
func FindRoot(working string) (Root, error) {
	abs, err := filepath.Abs(working)
	if err != nil {
		return Root{}, fmt.Errorf("resolve the working directory: %w", err)
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return Root{Dir: dir, Working: abs}, nil
		}
		if filepath.Dir(dir) == dir {
			return Root{Dir: abs, Working: abs}, nil
		}
	}
}

// Path returns the absolute path of a path given by the user.
func (r Root) Path(given string) string {
	if filepath.IsAbs(given) {
		return filepath.Clean(given)
	}
	return filepath.Join(r.Working, given)
}

// Name returns the stable name of a path: relative to the root, with forward
// slashes. A path outside the root keeps what remains of it without the steps
// upwards, because CI hosts refuse names that leave the checkout; such names may
// not tell two files apart, so a run looks at files of a root that covers them.
func (r Root) Name(given string) string {
	path := r.Path(given)
	rel, err := filepath.Rel(r.Dir, path)
	if err != nil {
		rel = path
	}
	name := filepath.ToSlash(rel)
	if name == ".." {
		return "."
	}
	for strings.HasPrefix(name, "../") {
		name = name[len("../"):]
	}
	return strings.TrimLeft(name, "/")
}

// ErrLeadsOut is about a link of the checkout to a file of the machine.
var ErrLeadsOut = errors.New("a link leads out of the checkout")

// ErrOutside is about a file that another one names outside of the checkout.
var ErrOutside = errors.New("lies outside of the checkout")

// staysInside refuses a path in the checkout that links lead out of it. A change
// may put one in place of a file that the job names, and lines of what is read
// stand in reports. What the user names elsewhere is read as it is.
func (r Root) staysInside(given string) error {
	part, ok := r.find(r.Path(given))
	if !ok || !part.checkout {
		return nil
	}
	root, err := filepath.EvalSymlinks(part.dir)
	if err != nil {
		return cause(err)
	}
	path, err := filepath.EvalSymlinks(r.Path(given))
	if err != nil {
		return cause(err)
	}
	if !within(root, path) {
		return ErrLeadsOut
	}
	return nil
}

// Read returns the file at a path given by the user. The error is ErrLeadsOut
// for a link from the checkout to elsewhere.
func (r Root) Read(given string) (File, error) {
	if content, ok := r.Changed[r.Name(given)]; ok {
		return File{Name: r.Name(given), Content: content}, nil
	}
	if err := r.staysInside(given); err != nil {
		return File{}, err
	}
	f, err := os.Open(r.Path(given))
	if err != nil {
		return File{}, cause(err)
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing is lost
	info, err := f.Stat()
	switch {
	case err != nil:
		return File{}, cause(err)
	case info.IsDir():
		return File{}, errors.New("is a directory")
	}
	content, err := ReadAll(f)
	if err != nil {
		return File{}, err
	}
	return File{Name: r.Name(given), Content: content}, nil
}

// maxNamedSize bounds a file that another file names, in bytes. What goes into a
// ConfigMap, which is what such files are for, may have 1 MiB.
const maxNamedSize = 4 << 20

// ReadInside returns the content of a regular file that another file names, by
// its name as Name gives it. It refuses what lies outside of the checkout, also
// by way of symbolic links, and what is over 4 MiB.
func (r Root) ReadInside(name string) ([]byte, error) {
	part, ok := r.find(filepath.Join(r.Dir, filepath.FromSlash(name)))
	if !ok || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, ErrOutside
	}
	root, err := os.OpenRoot(part.dir)
	if err != nil {
		return nil, fmt.Errorf("open the repository: %w", cause(err))
	}
	defer func() { _ = root.Close() }() // opened for reading: nothing is lost
	inside, err := filepath.Rel(part.dir, filepath.Join(r.Dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, ErrOutside
	}
	info, err := root.Stat(inside)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case info.Size() > maxNamedSize:
		return nil, fmt.Errorf("is over the limit of %d MiB", maxNamedSize>>20)
	}
	content, err := root.ReadFile(inside)
	if err != nil {
		return nil, cause(err)
	}
	return content, nil
}

// ReadAll reads everything from in, or fails when it is over MaxFileSize.
func ReadAll(in io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(in, MaxFileSize+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(content) > MaxFileSize {
		return nil, fmt.Errorf("is over the limit of %d MiB", MaxFileSize>>20)
	}
	return content, nil
}

// skipped are directories that hold other people's files.
var skipped = []string{".git", "node_modules", ".terraform"}

// Link is a symbolic link below a directory.
type Link struct {
	Path string
	// Target is the name of the regular file to which it leads, as Name gives
	// it; empty for one that is not followed, and Left says why.
	Target string
	Left   string
	// Directory is true for one that is not followed since it leads to a
	// directory.
	Directory bool
}

// Files lists what a path given by the user stands for: itself for a file, or
// all files below a directory, in the order of their names, and apart from them
// the symbolic links. Those to files are looked up, but none that leads out of
// the checkout, into its .git, or, for a directory elsewhere, out of this.
func (r Root) Files(given string) (found []string, links []Link, err error) {
	top := r.Path(given)
	info, err := os.Stat(top)
	if err != nil {
		return nil, nil, cause(err)
	}
	if !info.IsDir() {
		return []string{given}, nil, nil
	}
	err = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != top && slices.Contains(skipped, entry.Name()):
			return filepath.SkipDir
		case entry.Type().IsRegular():
			found = append(found, path)
		case entry.Type()&fs.ModeSymlink != 0:
			links = append(links, r.follow(path, top))
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("walk the directory: %w", err)
	}
	return found, links, nil
}

// follow looks up what a link below a directory leads to.
func (r Root) follow(path, top string) Link {
	link := Link{Path: path}
	bound := r.Dir
	if rel, err := filepath.Rel(r.Dir, path); err != nil || !filepath.IsLocal(rel) {
		bound = top
	}
	rel := ""
	root, err := filepath.EvalSymlinks(bound)
	target := ""
	if err == nil {
		target, err = filepath.EvalSymlinks(path)
	}
	if err == nil {
		rel, err = filepath.Rel(root, target)
	}
	if err != nil {
		link.Left = "a link that leads nowhere"
		return link
	}
	info, err := os.Stat(target)
	switch {
	case !filepath.IsLocal(rel):
		link.Left = "a link that leads out of the checkout"
	case slices.Contains(strings.Split(filepath.ToSlash(rel), "/"), ".git"):
		// It may hold the credentials of the job.
		link.Left = "a link into .git"
	case err != nil:
		link.Left = "a link that leads nowhere"
	case info.IsDir():
		link.Left, link.Directory = "a link to a directory", true
	case !info.Mode().IsRegular():
		link.Left = "a link to what is no regular file"
	default:
		link.Target = r.Name(filepath.Join(bound, rel))
	}
	return link
}

// cause drops the operation and path from errors of package os: the caller
// names what it was doing.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
