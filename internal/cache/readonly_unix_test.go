//go:build unix

package cache_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs the rest of the test as a user whom the modes of files bind.
func asNobody(t *testing.T, owns string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	if err := filepath.WalkDir(owns, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, -1)
	}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Seteuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(owns); err != nil {
		t.Skipf("nobody but root reaches the temporary directory: %v", err)
	}
}

func TestACacheThatMayNotBeWrittenToIsStillRead(t *testing.T) {
	path := t.TempDir()
	d, _ := dir(t, path, 1<<20)
	put(d, "key", []byte("kept"))
	scans := filepath.Join(path, "scans")
	if err := os.Chmod(scans, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(scans, 0o700) })
	asNobody(t, filepath.Dir(path))

	d, notes := dir(t, path, 1<<20)
	var got bytes.Buffer
	if !d.Get("key", func(r io.Reader) error { _, err := got.ReadFrom(r); return err }) || got.String() != "kept" {
		t.Errorf("got %q", got.String())
	}
	put(d, "other", []byte("new"))
	if d.Get("other", func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }) {
		t.Error("an entry was added")
	}
	if len(*notes) != 1 || !strings.Contains((*notes)[0], "not added to") {
		t.Errorf("notes %q, want one that says so", *notes)
	}
	if left, err := os.ReadDir(scans); err != nil || len(left) != 1 {
		t.Errorf("%d files, %v", len(left), err)
	}
}
