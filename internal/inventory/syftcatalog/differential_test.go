package syftcatalog_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	stereofile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/stereoscope/pkg/image"
	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/sbom"
	"github.com/anchore/syft/syft/source/stereoscopesource"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
)

// stock catalogs an image as syft itself does: through stereoscope, which
// unpacks every layer.
func stock(t testing.TB, img v1.Image) *sbom.SBOM {
	t.Helper()
	dirs := stereofile.NewTempDirGenerator("stock")
	defer func() { _ = dirs.Cleanup() }()
	read := image.New(img, dirs, t.TempDir())
	must(t, read.Read(t.Context()))
	src := stereoscopesource.New(read, stereoscopesource.ImageConfig{Reference: "image"})
	defer func() { _ = src.Close() }()
	model, err := syft.CreateSBOM(t.Context(), src, syft.DefaultCreateSBOMConfig().WithoutFiles())
	must(t, err)
	return model
}

func packagesOf(inv inventory.Inventory) []string {
	var out []string
	for _, p := range inv.Packages {
		var places []string
		for _, l := range p.Places {
			places = append(places, l.Path+" in "+l.Layer)
		}
		out = append(out, fmt.Sprintf("%s %s at %s", p.Name, p.PURL, strings.Join(places, ", ")))
	}
	slices.Sort(out)
	return out
}

func stockPackages(model *sbom.SBOM) []string {
	var out []string
	for p := range model.Artifacts.Packages.Enumerate() {
		var places []string
		for _, l := range p.Locations.ToSlice() {
			places = append(places, l.RealPath+" in "+l.FileSystemID)
		}
		slices.Sort(places)
		out = append(out, fmt.Sprintf("%s %s at %s", p.Name, p.PURL, strings.Join(slices.Compact(places), ", ")))
	}
	slices.Sort(out)
	return out
}

func TestInventoryEqualsThatOfStockSyft(t *testing.T) {
	alpine, err := imagetest.New().Layer("ADD /", imagetest.Alpine("3.20.1",
		imagetest.Package{Name: "libcrypto3", Version: "3.3.0-r2", Source: "openssl", Files: []string{"/usr/lib/libcrypto.so.3"}},
		imagetest.Package{Name: "musl", Version: "1.2.5-r0"})...).Image()
	must(t, err)
	programs, err := imagetest.New().Layer("COPY bin /bin",
		imagetest.File{Path: "bin/with-symbols", Body: syftcatalog.GoProgram(t, ""), Mode: 0o755},
		imagetest.File{Path: "bin/without-symbols", Body: syftcatalog.GoProgram(t, "-s"), Mode: 0o755}).Image()
	must(t, err)
	nix, err := imagetest.New().Layer("ADD /", imagetest.Dir("nix/store/h0cnbmfcn93xm5dg2x27ixhag1cwndga-glibc-2.34-210-bin"),
		imagetest.Text("nix/store/h0cnbmfcn93xm5dg2x27ixhag1cwndga-glibc-2.34-210-bin/bin/getconf", "x"),
		imagetest.Text("usr/store/h0cnbmfcn93xm5dg2x27ixhag1cwndga-other-1.0/bin/x", "x")).Image()
	must(t, err)
	for name, img := range map[string]v1.Image{"Debian with npm, Python and Go": sample(t), "Alpine": alpine, "Go programs": programs, "a Nix store": nix} {
		t.Run(name, func(t *testing.T) {
			inv, bom := catalog(t, layout(t, img))
			if len(inv.Packages) == 0 {
				t.Fatal("no packages")
			}
			if n := bom.Stats().Rereads; n != 0 {
				t.Errorf("%d second passes over layers", n)
			}
			if diff := cmp.Diff(stockPackages(stock(t, img)), packagesOf(inv)); diff != "" {
				t.Errorf("(-stock +ours):\n%s", diff)
			}
			// What stands only in an SBOM is not made where none is written.
			bare, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
			must(t, err)
			if diff := cmp.Diff(owned(inv), owned(bare)); diff != "" {
				t.Errorf("(-with an SBOM +without):\n%s", diff)
			}
		})
	}
}

// owned are the packages with those that own their files.
func owned(inv inventory.Inventory) []string {
	names := make(map[string]string)
	for _, p := range inv.Packages {
		names[p.ID] = p.Name
	}
	out := packagesOf(inv)
	for _, p := range inv.Packages {
		out = append(out, p.Name+" of "+names[p.Owner])
	}
	slices.Sort(out)
	return out
}

// TestInventoryOfAGivenImageEqualsThatOfStockSyft compares on the images that
// PORTCULLIS_COMPARE names: layouts or docker archives, separated by colons.
func TestInventoryOfAGivenImageEqualsThatOfStockSyft(t *testing.T) {
	files := os.Getenv("PORTCULLIS_COMPARE")
	if files == "" {
		t.Skip("PORTCULLIS_COMPARE names no image; the generated images of the test above are compared in any case")
	}
	for file := range strings.SplitSeq(files, ":") {
		t.Run(file, func(t *testing.T) {
			inv, bom := catalog(t, file)
			t.Logf("%d packages; %v", len(inv.Packages), bom.Stats())
			if diff := cmp.Diff(stockPackages(stock(t, load(t, file))), packagesOf(inv)); diff != "" {
				t.Errorf("(-stock +ours):\n%s", diff)
			}
		})
	}
}

func load(t testing.TB, file string) v1.Image {
	t.Helper()
	info, err := os.Stat(file)
	must(t, err)
	if !info.IsDir() {
		img, err := tarball.ImageFromPath(file, nil)
		must(t, err)
		return img
	}
	index, err := ocilayout.ImageIndexFromPath(file)
	must(t, err)
	m, err := index.IndexManifest()
	must(t, err)
	img, err := index.Image(m.Manifests[0].Digest)
	must(t, err)
	return img
}
