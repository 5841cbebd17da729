package layers_test

import (
	"fmt"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// manyFiles is a layer of small files in a hundred directories.
func manyFiles(t testing.TB, n int) layers.Blob {
	t.Helper()
	files := make([]imagetest.File, n)
	for i := range files {
		files[i] = imagetest.File{Path: fmt.Sprintf("srv/%d/file%d.txt", i%100, i), Body: []byte("content of a small file")}
	}
	return blob(t, imagetest.Gzip, files...)
}

func readOnce(t testing.TB, b layers.Blob) {
	x, err := layers.Read(t.Context(), []layers.Blob{b}, layers.Selector{}, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileCostsFewAllocations(t *testing.T) {
	few, many := manyFiles(t, 1000), manyFiles(t, 3000)
	base := testing.AllocsPerRun(3, func() { readOnce(t, few) })
	each := (testing.AllocsPerRun(3, func() { readOnce(t, many) }) - base) / 2000
	// archive/tar takes most of them.
	if each > 18 {
		t.Errorf("%.1f allocations for one file", each)
	}
}

func BenchmarkReadSmallFiles(b *testing.B) {
	layer := manyFiles(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		readOnce(b, layer)
	}
}
