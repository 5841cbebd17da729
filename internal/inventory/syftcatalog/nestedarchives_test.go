package syftcatalog

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/anchore/syft/syft/file"

	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// archiveOf holds an archive several times over, and a text.
func archiveOf(t testing.TB, times int, inner []byte, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	add("META-INF/MANIFEST.MF", []byte("Manifest-Version: 1.0\n"))
	for i := range times {
		add(fmt.Sprintf("lib/%d.jar", i), inner)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func nest(t *testing.T, times, depth int, method uint16) []byte {
	t.Helper()
	b := archiveOf(t, 0, nil, method)
	for range depth {
		b = archiveOf(t, times, b, method)
	}
	return b
}

// overlapping is an archive whose entries are all the same bytes.
func overlapping(t *testing.T, entries int, inner []byte) []byte {
	t.Helper()
	honest := archiveOf(t, 1, inner, zip.Deflate)
	// The entry of the archive alone is repeated.
	directory, end := bytes.LastIndex(honest, []byte("PK\x01\x02")), bytes.LastIndex(honest, []byte("PK\x05\x06"))
	first := bytes.Index(honest, []byte("PK\x01\x02"))
	entry, record := honest[directory:end], bytes.Clone(honest[end:])
	binary.LittleEndian.PutUint16(record[8:], uint16(entries+1))
	binary.LittleEndian.PutUint16(record[10:], uint16(entries+1))
	binary.LittleEndian.PutUint32(record[12:], uint32(directory-first+entries*len(entry)))
	return slices.Concat(honest[:directory], bytes.Repeat(entry, entries), record)
}

func TestArchivesThatWouldFillTheDiskReachALimit(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	wide := make([]byte, 1<<20)
	large := bytes.Repeat([]byte("some text that packs well "), maxHeldArchive/20)
	for _, tt := range []struct {
		why   string
		jar   []byte
		limit string
	}{
		{"none inside", nest(t, 0, 1, zip.Deflate), ""},
		{"a fat jar", nest(t, 300, 1, zip.Store), ""},
		{"an archive of applications", nest(t, 10, 2, zip.Deflate), ""},
		{"thousands", nest(t, 8, 5, zip.Store), ""},
		{"a large one that is held on disk", archiveOf(t, 1, archiveOf(t, 2, large, zip.Store), zip.Deflate), ""},
		{"no archive", []byte("PK\x05\x06 no archive"), ""},
		{"two million in 17 kB", nest(t, 8, 7, zip.Deflate), "archives in an archive"},
		{"a nest that is too deep", nest(t, 1, maxArchiveDepth+5, zip.Store), "depth of archives"},
		{"the same bytes many times", overlapping(t, 100, wide), "packed bytes of entries"},
		{"the same bytes many times, inside", archiveOf(t, 1, overlapping(t, 100, wide), zip.Deflate), "packed bytes of entries"},
		{"the same bytes many times, inside of what is stored", archiveOf(t, 1, archiveOf(t, 1, overlapping(t, 100, wide), zip.Store), zip.Store), "packed bytes of entries"},
		{"the same bytes many times, inside of a large one", archiveOf(t, 1, slices.Concat(large, overlapping(t, 3000, wide)), zip.Deflate), "unpacked bytes"},
		{"archives of zeros", archiveOf(t, 300, wide, zip.Deflate), "unpacked bytes"},
		{"archives of zeros, inside", archiveOf(t, 1, archiveOf(t, 300, wide, zip.Deflate), zip.Deflate), "unpacked bytes"},
	} {
		_, err := checkArchive(t.Context(), bytes.NewReader(tt.jar), int64(len(tt.jar)))
		var limit *layers.LimitError
		if errors.As(err, &limit) != (tt.limit != "") || limit != nil && !strings.Contains(limit.Limit, tt.limit) {
			t.Errorf("%s: %v, want %q", tt.why, err, tt.limit)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	fat := nest(t, 2, 1, zip.Store)
	if _, err := checkArchive(ended, bytes.NewReader(fat), int64(len(fat))); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// TestArchivesAreCheckedByTheNameThatTheyAreReachedBy: a link gives a file another
// name, by which catalogers go.
func TestArchivesAreCheckedByTheNameThatTheyAreReachedBy(t *testing.T) {
	bomb := nest(t, 8, 7, zip.Deflate)
	for name, bad := range map[string]bool{"app/a.jar": true, "app/a.zip": true, "app/a.txt": false} {
		x := indexOf(t, name, bomb)
		r := newResolver(t.Context(), x)
		for range 2 {
			_, err := r.FileContentsByLocation(file.NewLocation("/" + name))
			var limit *layers.LimitError
			if errors.As(err, &limit) != bad || errors.As(r.limit(), &limit) != bad {
				t.Errorf("%s: %v, reached %v", name, err, r.limit())
			}
		}
		_, err := r.FileContentsByLocation(file.NewVirtualLocation("/"+name, "/link.jar"))
		var limit *layers.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s through a link: %v", name, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}

// indexOf reads a layer of one file.
func indexOf(t *testing.T, name string, content []byte) *layers.Index {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	layer := layers.Blob{Size: int64(b.Len()), Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }}
	x, err := layers.Read(t.Context(), []layers.Blob{layer}, selector, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Without anything to look at, whoever looks breaks down: syft's catalogers in
// goroutines of theirs, and who looks into archives.
func TestAPanicWhilePackagesAreReadIsAnError(t *testing.T) {
	model, err := createSBOM(t.Context(), &layerSource{target: &target.Target{Name: "x"}}, config(Options{}), 0)
	if err == nil || model != nil {
		t.Errorf("cataloging gave %v, %v", model, err)
	}
	var broken *recovered.Panic
	if _, err := checkArchive(t.Context(), nil, 100); !errors.As(err, &broken) {
		t.Errorf("looking into an archive gave %v", err)
	}
}
