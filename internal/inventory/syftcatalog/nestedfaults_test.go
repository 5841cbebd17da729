package syftcatalog

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/filelimit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// noise does not compress.
func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	return data
}

// failingAt gives the first bytes of a content, and then an error.
type failingAt struct {
	io.Reader
	err error
}

func (f failingAt) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = f.err
	}
	return n, err
}

// left are the temporary files that are there.
func left(t *testing.T) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// A large archive in an archive is looked into whole or is an error of the disk,
// or is broken, at whatever byte that happens; its temporary file goes.
func TestNoFaultLeavesTheTemporaryFileOfAnArchiveInAnArchive(t *testing.T) {
	if !filelimit.Alone(t) {
		return
	}
	t.Setenv("TMPDIR", t.TempDir())
	content := noise(200 << 10)
	for _, at := range []int64{0, 1, 511, 512, 4095, 4096, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64 << 10, 128<<10 + 7, 200<<10 - 1} {
		filelimit.During(t, at, func() {
			got, err := spoolNested(bytes.NewReader(content), int64(len(content)))
			if got != nil || !errors.Is(err, filelimit.Full) {
				t.Errorf("disk full after %d bytes: %v, %v", at, got, err)
			}
		})
		for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.EIO} {
			if got, err := spoolNested(failingAt{bytes.NewReader(content[:at]), end}, int64(len(content))); got != nil || err != nil {
				t.Errorf("%v after %d bytes: %v, %v", end, at, got, err)
			}
		}
		if entries := left(t); len(entries) != 0 {
			t.Fatalf("after %d bytes: left behind: %v", at, entries)
		}
	}
	whole, err := spoolNested(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(io.NewSectionReader(whole, 0, 1<<20)); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back: %v", len(got), err)
	}
	if err := whole.Close(); err != nil || len(left(t)) != 0 {
		t.Errorf("closed: %v, left behind: %v", err, left(t))
	}
}

// The cataloger of Java archives unpacks archives in archives to temporary
// files. A disk that is full, wherever it is, loses no package in silence.
func TestAFullDiskHidesNoPackageOfAnArchiveInAnArchive(t *testing.T) {
	// Each inventory takes a second, hence few places.
	if !filelimit.Alone(t) {
		return
	}
	inner := archiveWith(t, "META-INF/MANIFEST.MF", []byte("Manifest-Version: 1.0\nImplementation-Title: inner\nImplementation-Version: 1.0\n"), "noise", noise(100<<10))
	outer := archiveWith(t, "META-INF/MANIFEST.MF", []byte("Manifest-Version: 1.0\nImplementation-Title: outer\nImplementation-Version: 1.0\n"), "lib/inner.jar", inner)
	img, err := imagetest.New().Layer("ADD app.jar /", imagetest.File{Path: "app/app.jar", Body: outer}).Image()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "image")
	if err := imagetest.WriteLayout(dir, "v1", img); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	catalog := func() (packages string, failed bool) {
		opened, err := target.Open(t.Context(), target.Request{Reference: "oci:" + dir}, target.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		inv, _, err := Catalog(t.Context(), opened, Options{})
		if closeErr := opened.Close(); closeErr != nil {
			t.Error(closeErr)
		}
		for _, p := range inv.Packages {
			packages += " " + p.Name
		}
		return packages, err != nil
	}
	whole, failed := catalog()
	if whole != " app inner" || failed {
		t.Fatalf("packages%s, failed: %v", whole, failed)
	}
	refused := 0
	for _, at := range []int64{0, 32<<10 + 1, int64(len(inner)) - 1, int64(len(outer)) - 1} {
		filelimit.During(t, at, func() {
			got, failed := catalog()
			if !failed && got != whole {
				t.Errorf("disk full after %d bytes: packages%s and no error", at, got)
			}
			if failed {
				refused++
			}
		})
		if entries := left(t); len(entries) != 0 {
			t.Errorf("disk full after %d bytes: left behind: %v", at, entries)
		}
	}
	if refused < 3 {
		t.Errorf("only %d of the full disks were met", refused)
	}
}

func archiveWith(t *testing.T, parts ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		f, err := w.Create(fmt.Sprint(parts[i]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(parts[i+1].([]byte)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
