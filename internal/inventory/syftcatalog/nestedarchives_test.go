package syftcatalog

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// archiveOf holds an archive several times over, and a text.
func archiveOf(t *testing.T, times int, inner []byte, method uint16) []byte {
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

func TestArchivesInArchivesAreCounted(t *testing.T) {
	for _, tt := range []struct {
		why  string
		jar  []byte
		want int
	}{
		{"none", nest(t, 0, 1, zip.Deflate), 0},
		{"a fat jar", nest(t, 300, 1, zip.Store), 300},
		{"an archive of applications", nest(t, 10, 2, zip.Deflate), 110},
		{"two million in 17 kB", nest(t, 8, 7, zip.Deflate), maxNestedArchives},
		{"uncompressed ones", nest(t, 8, 5, zip.Store), 8 + 64 + 512 + 4096 + 32768},
		{"a nest that is too deep", nest(t, 1, maxArchiveDepth+5, zip.Store), maxNestedArchives},
		{"no archive", []byte("PK\x05\x06 no archive"), 0},
	} {
		got := nestedArchives(t.Context(), bytes.NewReader(tt.jar), int64(len(tt.jar)), maxNestedArchives, maxArchiveDepth)
		if got != tt.want {
			t.Errorf("%s: %d, want %d", tt.why, got, tt.want)
		}
	}
}

func TestABombOfArchivesEndsTheRun(t *testing.T) {
	for _, tt := range []struct {
		why string
		jar []byte
		bad bool
	}{
		{"a fat jar", nest(t, 300, 1, zip.Store), false},
		{"a bomb", nest(t, 8, 7, zip.Deflate), true},
	} {
		x := indexOf(t, "app/a.jar", tt.jar)
		err := tooManyArchives(t.Context(), newResolver(t.Context(), x), 0)
		var limit *layers.LimitError
		if errors.As(err, &limit) != tt.bad {
			t.Errorf("%s: %v", tt.why, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tooManyArchives(ended, nil, archivePatience); err != nil {
		t.Errorf("after the end: %v", err)
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

// Without a tree to look at, whoever looks breaks down: syft's catalogers in
// goroutines of theirs, and the count of archives in one of ours.
func TestAPanicWhilePackagesAreReadIsAnError(t *testing.T) {
	model, err := createSBOM(t.Context(), &layerSource{target: &target.Target{Name: "x"}}, config(Options{}), 0)
	if err == nil || model != nil {
		t.Errorf("cataloging gave %v, %v", model, err)
	}
	var broken *recovered.Panic
	if err := tooManyArchives(t.Context(), nil, 0); !errors.As(err, &broken) {
		t.Errorf("counting archives gave %v", err)
	}
}
