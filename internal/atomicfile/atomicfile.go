// Package atomicfile writes regular files that are there whole or not at all,
// whatever ends the program meanwhile. Where a report goes that may be a pipe or
// a device is package report's business. The main function is Write.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write gives a file the content that the function writes, with the mode 0644:
// into a temporary file of the same folder, synced, which takes the place of an
// older one by a rename. A link to a file is followed first, so that the file it
// names is replaced and the link stays; one that leads nowhere is replaced. After
// an error nothing is left behind but the older file.
func Write(path string, content func(io.Writer) error) error { return onDisk.write(path, content) }

// file is what is written to.
type file interface {
	io.WriteCloser
	Name() string
	Chmod(mode fs.FileMode) error
	Sync() error
}

// disk is what files are made with; tests have others that fail.
type disk struct {
	create func(folder, pattern string) (file, error)
	rename func(from, to string) error
}

var onDisk = disk{
	create: func(folder, pattern string) (file, error) { return os.CreateTemp(folder, pattern) },
	rename: os.Rename,
}

func (d disk) write(path string, content func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := d.create(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	b := bufio.NewWriterSize(whole{f}, 64<<10)
	if err := errors.Join(content(b), b.Flush()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return d.rename(f.Name(), path)
}

// whole makes an error of a write that took less than it was given, which a
// buffer would repeat for ever where nothing is taken at all.
type whole struct{ w io.Writer }

// Write implements io.Writer.
func (w whole) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// WriteBytes is Write for content that is at hand. The error names the path.
func WriteBytes(path string, data []byte) error {
	err := Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
