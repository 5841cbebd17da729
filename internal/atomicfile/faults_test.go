package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// failing is a file that takes some bytes and then no more, or fails at one of
// the steps after it.
type failing struct {
	*os.File
	room  int    // bytes that it takes; -1 for all
	short bool   // says that it took fewer bytes, and no error
	step  string // what fails
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room < 0 || len(p) <= f.room {
		if f.room >= 0 {
			f.room -= len(p)
		}
		return f.File.Write(p)
	}
	n, err := f.File.Write(p[:f.room])
	f.room = 0
	if err == nil && !f.short {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *failing) Chmod(mode fs.FileMode) error {
	return errors.Join(f.fault("chmod"), f.File.Chmod(mode))
}

func (f *failing) Sync() error { return errors.Join(f.fault("sync"), f.File.Sync()) }

func (f *failing) Close() error { return errors.Join(f.fault("close"), f.File.Close()) }

func (f *failing) fault(step string) error {
	if f.step == step {
		return syscall.ENOSPC
	}
	return nil
}

// Whatever a disk refuses, at whatever byte: the error tells it, the older file
// is as it was, and nothing else is left.
func TestNoFaultOfTheDiskLeavesHalfAFile(t *testing.T) {
	const buffer = 64 << 10
	content := bytes.Repeat([]byte("0123456789abcdef"), (3*buffer+160)/16)
	faults := map[string]failing{}
	for _, room := range []int{0, 1, 15, 4095, 4096, buffer - 1, buffer, buffer + 1, 2 * buffer, len(content) - 1} {
		faults[fmt.Sprintf("no space after %d bytes", room)] = failing{room: room}
		faults[fmt.Sprintf("a short write after %d bytes", room)] = failing{room: room, short: true}
	}
	for _, step := range []string{"create", "chmod", "sync", "close", "rename"} {
		faults[step] = failing{room: -1, step: step}
	}
	for name, fault := range faults {
		for _, pieces := range []int{1, 7, len(content)} {
			dir := t.TempDir()
			path := filepath.Join(dir, "report.json")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			d := disk{
				create: func(folder, pattern string) (file, error) {
					if fault.step == "create" {
						return nil, syscall.EROFS
					}
					f, err := os.CreateTemp(folder, pattern)
					one := fault
					one.File = f
					return &one, err
				},
				rename: func(from, to string) error {
					if fault.step == "rename" {
						return syscall.EROFS
					}
					return os.Rename(from, to)
				},
			}
			err := d.write(path, func(w io.Writer) error {
				for at := 0; at < len(content); at += (len(content) + pieces - 1) / pieces {
					if _, err := w.Write(content[at:min(len(content), at+(len(content)+pieces-1)/pieces)]); err != nil {
						return err
					}
				}
				return nil
			})
			if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EROFS) && !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%s, %d pieces: error %v", name, pieces, err)
			}
			if data, _ := os.ReadFile(path); string(data) != "old" {
				t.Errorf("%s, %d pieces: %d bytes in place of the old content", name, pieces, len(data))
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%s, %d pieces: %d files are left", name, pieces, len(left))
			}
		}
	}
}
