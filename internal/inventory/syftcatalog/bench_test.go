package syftcatalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// benchmarkImages are those that PORTCULLIS_COMPARE names, else a small
// generated one.
func benchmarkImages(b *testing.B) map[string]string {
	images := map[string]string{}
	for file := range strings.SplitSeq(os.Getenv("PORTCULLIS_COMPARE"), ":") {
		if file != "" {
			images[filepath.Base(file)] = file
		}
	}
	if len(images) == 0 {
		images["generated"] = layout(b, sample(b))
	}
	return images
}

// BenchmarkCatalog takes the inventory from the layer stream.
func BenchmarkCatalog(b *testing.B) {
	for name, reference := range benchmarkImages(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				t, err := target.Open(b.Context(), target.Request{Reference: reference}, target.Environment{})
				must(b, err)
				_, bom, err := syftcatalog.Catalog(b.Context(), t, syftcatalog.Options{})
				must(b, err)
				b.SetBytes(bom.Stats().Inflated)
				must(b, t.Close())
			}
		})
	}
}

// BenchmarkStock is the same through syft's own image reader.
func BenchmarkStock(b *testing.B) {
	for name, reference := range benchmarkImages(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				stock(b, load(b, strings.TrimPrefix(reference, "oci:")))
			}
		})
	}
}

// BenchmarkInflate only reads the layers of the same images: the floor.
func BenchmarkInflate(b *testing.B) {
	for name, reference := range benchmarkImages(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				t, err := target.Open(b.Context(), target.Request{Reference: reference}, target.Environment{})
				must(b, err)
				x, err := layers.Read(b.Context(), t.Layers, layers.Selector{}, layers.Limits{})
				must(b, err)
				b.SetBytes(x.Stats().Inflated)
				must(b, x.Close())
				must(b, t.Close())
			}
		})
	}
}
