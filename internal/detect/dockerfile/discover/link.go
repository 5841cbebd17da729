package discover

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// maxLinks bounds the links followed for one path, as kernels do.
const maxLinks = 40

// resolve follows the symbolic links in a path. A link that leads out of the
// root is an error: a checkout must not have files of the build host read, parts
// of which would then stand in messages.
func (f *finder) resolve(name string) (string, error) {
	done, todo := ".", strings.Split(path.Clean(name), "/")
	for links := 0; len(todo) > 0; {
		next := path.Join(done, todo[0])
		todo = todo[1:]
		if next == ".." || strings.HasPrefix(next, "../") {
			return "", errors.New("a link leads out of the checkout")
		}
		info, err := fs.Lstat(f.fsys, next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("too many symbolic links")
		}
		target, err := fs.ReadLink(f.fsys, next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(filepath.ToSlash(target)) || filepath.IsAbs(target) {
			inside, ok := f.inside(target)
			if !ok {
				return "", errors.New("a link leads out of the checkout")
			}
			done, target = ".", inside
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return done, nil
}

// inside is the name in the file system of an absolute path, if it has one.
func (f *finder) inside(target string) (string, bool) {
	if f.opts.Dir == "" {
		return "", false
	}
	roots := []string{f.opts.Dir}
	if real, err := filepath.EvalSymlinks(f.opts.Dir); err == nil {
		roots = append(roots, real)
	}
	for _, root := range roots {
		if rel, err := filepath.Rel(root, target); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}
