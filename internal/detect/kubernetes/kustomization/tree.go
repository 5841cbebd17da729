package kustomization

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// tree is what kustomize takes for the disk: the files that were read, under
// whatever names they have. kustomize's own file system in memory refuses names
// that disks take, such as the `job@2` of a build server's second workspace.
// Nothing can be written to it.
type tree struct {
	content map[string][]byte
	// folders are the names in each directory, sorted.
	folders map[string][]string
	// changed is the file, if any, of which kustomize gets other content.
	changed string
	to      []byte
}

var _ filesys.FileSystem = (*tree)(nil)

// newTree holds the files by absolute path.
func newTree(files []manifest.File) *tree {
	t := &tree{content: make(map[string][]byte, len(files)), folders: make(map[string][]string)}
	names := make(map[string]map[string]bool)
	for _, f := range files {
		at := absolute(f.Path)
		t.content[at] = f.Content
		for at != "/" {
			dir := path.Dir(at)
			if names[dir] == nil {
				names[dir] = make(map[string]bool)
			}
			names[dir][path.Base(at)] = true
			at = dir
		}
	}
	for dir, all := range names {
		t.folders[dir] = slices.Sorted(maps.Keys(all))
	}
	return t
}

// absolute is the path by which kustomize asks for a file.
func absolute(name string) string { return path.Clean("/" + filepath.ToSlash(name)) }

// with is the tree with other content of one file that it holds.
func (t *tree) with(name string, content []byte) *tree {
	return &tree{content: t.content, folders: t.folders, changed: absolute(name), to: content}
}

func missing(op, name string) error {
	return &fs.PathError{Op: op, Path: strings.TrimPrefix(name, "/"), Err: fs.ErrNotExist}
}

// ReadFile returns the content of a file. See [filesys.FileSystem].
func (t *tree) ReadFile(name string) ([]byte, error) {
	at := absolute(name)
	content, ok := t.content[at]
	if !ok {
		return nil, missing("read", name)
	}
	if at == t.changed {
		content = t.to
	}
	return slices.Clone(content), nil
}

// Exists reports whether there is a file or directory of that name.
func (t *tree) Exists(name string) bool {
	_, file := t.content[absolute(name)]
	return file || t.IsDir(name)
}

// IsDir reports whether there is a directory of that name.
func (t *tree) IsDir(name string) bool { return t.folders[absolute(name)] != nil }

// ReadDir returns the names in a directory, sorted.
func (t *tree) ReadDir(name string) ([]string, error) {
	if !t.IsDir(name) {
		return nil, missing("read", name)
	}
	return slices.Clone(t.folders[absolute(name)]), nil
}

// CleanedAbs splits a name into the directory and the file in it, which is empty
// if the name is that of a directory.
func (t *tree) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	at := absolute(name)
	if t.IsDir(at) {
		return filesys.ConfirmedDir(at), "", nil
	}
	if _, ok := t.content[at]; !ok {
		return "", "", missing("find", name)
	}
	return filesys.ConfirmedDir(path.Dir(at)), path.Base(at), nil
}

// Glob returns the files whose path matches, sorted.
func (t *tree) Glob(pattern string) ([]string, error) {
	var out []string
	for at := range t.content {
		ok, err := path.Match(pattern, at)
		if err != nil {
			return nil, fmt.Errorf("match %q: %w", pattern, err)
		}
		if ok {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out, nil
}

// What kustomize needs for writing, or for what it does not do here.
var errReadOnly = fmt.Errorf("the files of a kustomization are only read: %w", errors.ErrUnsupported)

func (t *tree) Create(string) (filesys.File, error)  { return nil, errReadOnly }
func (t *tree) Open(string) (filesys.File, error)    { return nil, errReadOnly }
func (t *tree) Mkdir(string) error                   { return errReadOnly }
func (t *tree) MkdirAll(string) error                { return errReadOnly }
func (t *tree) RemoveAll(string) error               { return errReadOnly }
func (t *tree) WriteFile(string, []byte) error       { return errReadOnly }
func (t *tree) Walk(string, filepath.WalkFunc) error { return errReadOnly }
