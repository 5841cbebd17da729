package syftcatalog

import (
	"testing"

	"github.com/anchore/syft/syft"

	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

func TestAskingWhetherAFileIsWantedAllocatesNothing(t *testing.T) {
	paths := []string{"/srv/app/node_modules/left-pad/index.js", "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", "/usr/bin/python3.11", "/etc/passwd"}
	if n := testing.AllocsPerRun(10, func() {
		for _, p := range paths {
			wanted.keep(p, 0o644, 1)
		}
	}); n > 0 {
		t.Errorf("%g allocations for %d files", n, len(paths))
	}
}

func BenchmarkWanted(b *testing.B) {
	for b.Loop() {
		wanted.keep("/srv/app/node_modules/left-pad/index.js", 0o644, 1)
	}
}

// BenchmarkCatalogersWithNothingToRead is what it would save to choose the
// catalogers by what an image holds.
func BenchmarkCatalogersWithNothingToRead(b *testing.B) {
	cfg := config(Options{})
	ctx, err := syft.SetContextLicenseScanner(b.Context(), cfg.Licenses)
	if err != nil {
		b.Fatal(err)
	}
	index, err := layers.Read(ctx, nil, selector, layers.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = index.Close() }()
	for b.Loop() {
		if _, err := createSBOM(ctx, newSource(ctx, &target.Target{Kind: target.Image, Name: "empty"}, index), cfg, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLicenceMatcher is what syft spends once for each examination that is
// not in the cache.
func BenchmarkLicenceMatcher(b *testing.B) {
	for b.Loop() {
		if _, err := syft.SetContextLicenseScanner(b.Context(), config(Options{}).Licenses); err != nil {
			b.Fatal(err)
		}
	}
}
