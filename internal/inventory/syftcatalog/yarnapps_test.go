package syftcatalog_test

import (
	"os"
	"slices"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestPackagesThatYarnLeavesPackedAreFound(t *testing.T) {
	script, err := os.ReadFile("testdata/pnp.cjs")
	must(t, err)
	data, err := os.ReadFile("testdata/pnp.data.json")
	must(t, err)
	base := imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"})
	apart := "const file = path.resolve(__dirname, \".pnp.data.json\");"
	for _, tt := range []struct {
		why               string
		files             []imagetest.File
		place, unreadable string
	}{
		{"in the script", []imagetest.File{{Path: "app/.pnp.cjs", Body: script}}, "/app/.pnp.cjs", ""},
		{"in a file of its own", []imagetest.File{imagetest.Text("app/.pnp.cjs", apart), {Path: "app/.pnp.data.json", Body: data}}, "/app/.pnp.data.json", ""},
		{"in a file that is not there", []imagetest.File{imagetest.Text("app/.pnp.cjs", apart)}, "", "/app/.pnp.cjs"},
		{"nowhere", []imagetest.File{imagetest.Text("app/.pnp.cjs", "module.exports = {}")}, "", "/app/.pnp.cjs"},
		{"damaged", []imagetest.File{{Path: "app/.pnp.cjs", Body: script[:len(script)/2]}}, "", "/app/.pnp.cjs"},
	} {
		img, err := imagetest.New().Layer("RUN yarn install", append(base, tt.files...)...).Image()
		must(t, err)
		inv, _ := catalog(t, layout(t, img))
		var places []string
		for _, p := range inv.Packages {
			if p.PURL == "pkg:npm/%40babel/code-frame@7.12.11" && p.Type == "npm" {
				places = append(places, p.Places[0].Path)
			}
		}
		if tt.place != "" && !slices.Equal(places, []string{tt.place}) || tt.place == "" && len(places) > 0 {
			t.Errorf("%s: found at %q, want %q", tt.why, places, tt.place)
		}
		told := slices.ContainsFunc(inv.Unreadable, func(u inventory.Unreadable) bool { return u.Path == tt.unreadable })
		if told != (tt.unreadable != "") || len(inv.Unreadable) > 1 {
			t.Errorf("%s: unreadable %v, want %q", tt.why, inv.Unreadable, tt.unreadable)
		}
	}
}
