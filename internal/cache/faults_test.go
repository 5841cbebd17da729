package cache

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
)

// failing takes some bytes and then no more, or cannot be closed.
type failing struct {
	*os.File
	room   int
	short  bool
	closes bool
}

func (f *failing) Write(p []byte) (int, error) {
	if len(p) <= f.room {
		f.room -= len(p)
		return f.File.Write(p)
	}
	n, err := f.File.Write(p[:f.room])
	f.room = 0
	if err == nil && !f.short {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *failing) Close() error {
	if err := f.File.Close(); err != nil || f.closes {
		return err
	}
	return syscall.EIO
}

// What the disk refuses, at whatever byte, is noted, leaves no file, and leaves
// the entry that was there before.
func TestNoFaultOfTheDiskLeavesHalfAnEntry(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	old, renewed := []byte("old"), make([]byte, 300<<10) // does not compress
	_, _ = random.Read(renewed)
	const whole = 1 << 30
	faults := map[string]func(d *Dir){
		"create": func(d *Dir) { d.create = func(string, string) (entry, error) { return nil, syscall.EROFS } },
		"rename": func(d *Dir) { d.rename = func(string, string) error { return syscall.EROFS } },
		"close":  func(d *Dir) { d.create = onFailing(failing{room: whole}) },
	}
	for _, room := range []int{0, 1, 8, 100, 64 << 10, 64<<10 + 1, 200 << 10, 300 << 10} {
		faults[fmt.Sprintf("no space after %d bytes", room)] = func(d *Dir) { d.create = onFailing(failing{room: room, closes: true}) }
		faults[fmt.Sprintf("a short write after %d bytes", room)] = func(d *Dir) { d.create = onFailing(failing{room: room, short: true, closes: true}) }
	}
	put := func(d *Dir, data []byte) {
		d.Put("key", func(w io.Writer) error { _, err := w.Write(data); return err })
	}
	for name, fault := range faults {
		dir, notes := t.TempDir(), 0
		d, err := Open(dir, DefaultSize, func(string, ...any) { notes++ })
		if err != nil {
			t.Fatal(err)
		}
		put(d, old)
		fault(d)
		put(d, renewed)
		var got bytes.Buffer
		if !d.Get("key", func(r io.Reader) error { _, err := got.ReadFrom(r); return err }) || !bytes.Equal(got.Bytes(), old) || notes != 1 {
			t.Errorf("%s: %d bytes came back, with %d notes; want the old entry and one note", name, got.Len(), notes)
		}
		if left, _ := os.ReadDir(d.path); len(left) != 1 {
			t.Errorf("%s: %d files, want the old entry alone", name, len(left))
		}
	}
}

func onFailing(f failing) func(dir, pattern string) (entry, error) {
	return func(dir, pattern string) (entry, error) {
		file, err := os.CreateTemp(dir, pattern)
		one := f
		one.File = file
		return &one, err
	}
}
