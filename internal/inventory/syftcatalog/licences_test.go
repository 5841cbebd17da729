package syftcatalog_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/cache"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
)

// mit is the text of a licence that no field names, as copyright files of Debian
// and packages of Python may have it.
const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

// Without a use for licences they are left out, whole: half of them would be
// worse than none, and their texts' matcher is not made.
func TestLicencesAreReadWhereTheyWillBeLookedAt(t *testing.T) {
	img, err := imagetest.New().Layer("ADD /", append(imagetest.Debian(imagetest.Package{Name: "tool", Version: "1"}),
		imagetest.Text("usr/share/doc/tool/copyright", mit),
		imagetest.Text("usr/lib/node_modules/named/package.json", `{"name": "named", "version": "1.0.0", "license": "ISC"}`))...).Image()
	must(t, err)
	reference, dir := layout(t, img), t.TempDir()
	read := func(opts syftcatalog.Options, cached bool) (inventory.Inventory, *syftcatalog.SBOM) {
		t.Helper()
		opts.ToolVersion = "1"
		if cached {
			c, err := cache.Open(dir, cache.DefaultSize, nil)
			must(t, err)
			opts.Cache, opts.Build = c, "a"
		}
		inv, bom, err := syftcatalog.Catalog(t.Context(), open(t, reference), opts)
		must(t, err)
		return inv, bom
	}
	none := map[string]string{"tool": "", "named": ""}
	all := map[string]string{"tool": "MIT", "named": "ISC"}
	for _, run := range []struct {
		name   string
		opts   syftcatalog.Options
		cached bool
		want   map[string]string
	}{
		{"nobody looks at them", syftcatalog.Options{}, false, none},
		{"somebody looks at them", syftcatalog.Options{Licences: true}, false, all},
		{"an SBOM is written", syftcatalog.Options{SBOM: syftcatalog.Formats()}, false, all},
		{"nobody looks at them, and the cache learns of the image", syftcatalog.Options{}, true, none},
		{"the cache knows the image without", syftcatalog.Options{}, true, none},
		{"the cache knows the image without, and an SBOM is written", syftcatalog.Options{SBOM: syftcatalog.Formats()}, true, all},
		{"the cache knows the image with them", syftcatalog.Options{Licences: true}, true, all},
	} {
		inv, bom := read(run.opts, run.cached)
		got := make(map[string]string)
		for _, p := range inv.Packages {
			got[p.Name] = strings.Join(p.Licenses, " ")
		}
		if diff := cmp.Diff(run.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", run.name, diff)
		}
		if err := bom.Write(io.Discard, syftcatalog.SPDX, imagetest.Created); (err == nil) != (len(run.opts.SBOM) > 0) {
			t.Errorf("%s: writing the SBOM: error %v", run.name, err)
		}
	}
	bare, _ := read(syftcatalog.Options{}, false)
	full, _ := read(syftcatalog.Options{Licences: true}, false)
	if !slices.Equal(packagesOf(full), packagesOf(bare)) {
		t.Errorf("packages depend on licences (-with +without):\n%s", cmp.Diff(packagesOf(full), packagesOf(bare)))
	}
}
