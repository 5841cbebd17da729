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

// BenchmarkCatalogersWithNothingToRead is what it saves to choose the catalogers
// by what an image holds, where that is nothing.
func BenchmarkCatalogersWithNothingToRead(b *testing.B) {
	all := config(Options{})
	ctx, err := licenceContext(b.Context(), false, all.Licenses)
	if err != nil {
		b.Fatal(err)
	}
	index, err := layers.Read(ctx, nil, selector, layers.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = index.Close() }()
	image := &target.Target{Kind: target.Image, Name: "empty"}
	for name, choose := range map[string]func(*layerSource) (*syft.CreateSBOMConfig, error){
		"all": func(*layerSource) (*syft.CreateSBOMConfig, error) { return all, nil },
		"chosen": func(s *layerSource) (*syft.CreateSBOMConfig, error) {
			own := *all
			return withCatalogersFor(&own, s.resolver)
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				src := newSource(ctx, image, index)
				cfg, err := choose(src)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := createSBOM(ctx, src, cfg, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
