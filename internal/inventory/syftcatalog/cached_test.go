package syftcatalog_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/portcullis-ci/portcullis/internal/cache"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// stocktaking is all that Catalog tells of an image.
type stocktaking struct {
	Inventory   inventory.Inventory
	Inspections *layers.Inspections
	SBOMs       []string
	stats       layers.Stats
}

func takeStock(t *testing.T, img v1.Image, opts syftcatalog.Options) stocktaking {
	t.Helper()
	var s stocktaking
	opts.Inspectors, opts.SBOM = []layers.Inspector{counter{}}, syftcatalog.Formats()
	opts.Inspected = func(i *layers.Inspections) { s.Inspections = i }
	inv, bom, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), opts)
	must(t, err)
	inv.Image.Reference, inv.Image.Name = "", ""
	s.Inventory, s.stats = inv, bom.Stats()
	for _, f := range syftcatalog.Formats() {
		var b bytes.Buffer
		must(t, bom.Write(&b, f, imagetest.Created))
		s.SBOMs = append(s.SBOMs, b.String())
	}
	return s
}

// onceMore is an image on the layers of another one.
func onceMore(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	raw, err := imagetest.Tar(imagetest.Text("srv/empty/.npmrc", ""), imagetest.Text("etc/.wh.os-release", ""),
		imagetest.Text("srv/.npmrc", "//registry.example/:_authToken=hidden-value\n"), imagetest.Text("../outside", ""))
	must(t, err)
	layer, err := imagetest.NewLayer(raw, imagetest.Gzip)
	must(t, err)
	more, err := mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "COPY . /srv"}})
	must(t, err)
	return more
}

func TestWhatTheCacheGivesIsWhatWasPutIn(t *testing.T) {
	base := sample(t)
	img := onceMore(t, base)
	want := takeStock(t, img, syftcatalog.Options{ToolVersion: "1"})
	if len(want.Inventory.Ambiguous) != 1 {
		t.Errorf("ambiguous = %+v, want the entry that leads outside", want.Inventory.Ambiguous)
	}
	dir := t.TempDir()
	options := func(build string) syftcatalog.Options {
		c, err := cache.Open(dir, cache.DefaultSize, func(format string, args ...any) { t.Errorf("note: "+format, args...) })
		must(t, err)
		return syftcatalog.Options{ToolVersion: "1", Cache: c, Build: build}
	}
	same := func(name string, got stocktaking) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(layers.Inspections{}), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".stats" }, cmp.Ignore())); diff != "" {
			t.Errorf("%s (-without a cache +with it):\n%s", name, diff)
		}
	}
	count := int64(len(want.Inventory.Image.Layers))
	takeStock(t, base, options("a"))
	got := takeStock(t, img, options("a"))
	same("on a known base", got)
	if got.stats.Cached != count-1 || got.stats.Inflated == 0 {
		t.Errorf("stats = %+v, want %d cached layers and one that was read", got.stats, count-1)
	}
	got = takeStock(t, img, options("a"))
	same("a known image", got)
	if got.stats.Cached != count || got.stats.Inflated != 0 {
		t.Errorf("stats = %+v, want %d cached layers and nothing read", got.stats, count)
	}
	if got = takeStock(t, img, options("b")); got.stats.Cached != 0 {
		t.Errorf("another build of the program took %d layers from the cache", got.stats.Cached)
	}
	if got = takeStock(t, img, options("")); got.stats.Cached != 0 {
		t.Errorf("a build without a name took %d layers from the cache", got.stats.Cached)
	}
	entries, err := filepath.Glob(filepath.Join(dir, "scans", "*"))
	must(t, err)
	if len(entries) == 0 {
		t.Fatal("nothing is in the cache")
	}
	for _, entry := range entries {
		data, err := os.ReadFile(entry)
		must(t, err)
		if bytes.Contains(data, []byte("hidden-value")) {
			t.Errorf("%s holds a credential in clear", entry)
		}
	}
}

func TestABrokenCacheIsMadeAnew(t *testing.T) {
	img := onceMore(t, sample(t))
	want := takeStock(t, img, syftcatalog.Options{ToolVersion: "1"})
	dir := t.TempDir()
	var notes atomic.Int64 // entries of several layers are read at once
	options := func() syftcatalog.Options {
		c, err := cache.Open(dir, cache.DefaultSize, func(string, ...any) { notes.Add(1) })
		must(t, err)
		return syftcatalog.Options{ToolVersion: "1", Cache: c, Build: "a"}
	}
	takeStock(t, img, options())
	entries, err := filepath.Glob(filepath.Join(dir, "scans", "*.entry"))
	must(t, err)
	for _, entry := range entries {
		data, err := os.ReadFile(entry)
		must(t, err)
		must(t, os.WriteFile(entry, data[:len(data)-len(data)/3], 0o600))
	}
	for _, warm := range []int64{0, int64(len(want.Inventory.Image.Layers))} {
		got := takeStock(t, img, options())
		if diff := cmp.Diff(want.Inventory, got.Inventory); diff != "" {
			t.Errorf("(-without a cache +with a broken one):\n%s", diff)
		}
		if got.stats.Cached != warm {
			t.Errorf("%d layers came from the cache, want %d", got.stats.Cached, warm)
		}
	}
	// With a broken SBOM the other one and the inventory are not asked for any more.
	if got := notes.Load(); got != int64(len(entries)-2) {
		t.Errorf("%d notes about %d broken entries, want all but two", got, len(entries))
	}
}

// An SBOM is an entry of its own. Where nobody wants it, it is not needed; where
// somebody does and it is gone, the image is read anew.
func TestAnSBOMThatIsGoneFromTheCacheIsMadeAnew(t *testing.T) {
	img, dir := sample(t), t.TempDir()
	catalog := func(wanted ...syftcatalog.Format) *syftcatalog.SBOM {
		c, err := cache.Open(dir, cache.DefaultSize, nil)
		must(t, err)
		_, bom, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{ToolVersion: "1", Cache: c, Build: "a", SBOM: wanted})
		must(t, err)
		return bom
	}
	// What differs between documents that are encoded at other times is filled in.
	late, early := imagetest.Created.AddDate(1, 0, 0), imagetest.Created
	catalog()
	var first, then bytes.Buffer
	must(t, catalog(syftcatalog.CycloneDX).Write(&then, syftcatalog.CycloneDX, late))
	must(t, catalog(syftcatalog.CycloneDX).Write(&first, syftcatalog.CycloneDX, imagetest.Created))
	if id := regexp.MustCompile(`"serialNumber": "urn:uuid:.{36}"`); id.FindString(first.String()) == id.FindString(then.String()) ||
		!strings.Contains(first.String(), early.Format(time.RFC3339)) || !strings.Contains(then.String(), late.Format(time.RFC3339)) {
		t.Errorf("SBOMs of two times:\n%.300s\n%.300s", &first, &then)
	}
	unwanted := catalog()
	if unwanted.Stats().Cached == 0 {
		t.Error("the inventory did not come from the cache")
	}
	if err := unwanted.Write(io.Discard, syftcatalog.CycloneDX, imagetest.Created); err == nil {
		t.Error("an SBOM that was not asked for was written, though it is nowhere")
	}
	entries, err := filepath.Glob(filepath.Join(dir, "scans", "*.entry"))
	must(t, err)
	for _, entry := range entries {
		held := filepath.Join(t.TempDir(), "held")
		must(t, os.Rename(entry, held))
		var again bytes.Buffer
		must(t, catalog(syftcatalog.CycloneDX).Write(&again, syftcatalog.CycloneDX, imagetest.Created))
		if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Errorf("without %s the SBOM is another one", filepath.Base(entry)[:8])
		}
		must(t, os.Rename(held, entry))
	}
}
