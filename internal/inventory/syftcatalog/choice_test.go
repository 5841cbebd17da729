package syftcatalog

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

func TestCatalogersAreChosenByWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []imagetest.File
		want  []string
	}{
		{"nothing is there", nil, nil},
		{"a list of apk", []imagetest.File{imagetest.Text("lib/apk/db/installed", "P:musl\nV:1\n\n")}, []string{"apk-db-cataloger"}},
		{
			"packages of two kinds, one of them reached by a link",
			[]imagetest.File{
				imagetest.Text("srv/real/package.json", `{"name": "a", "version": "1"}`),
				imagetest.Symlink("app", "srv/real"),
				imagetest.Text("opt/x/site-packages/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n"),
			},
			[]string{"javascript-package-cataloger", "python-installed-package-cataloger"},
		},
		{"a link to nowhere has no contents", []imagetest.File{imagetest.Symlink("app/package.json", "/nowhere")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := withCatalogersFor(config(Options{}), newResolver(t.Context(), index(t, c.files...)))
			if err != nil {
				t.Fatal(err)
			}
			left := maps.Clone(globsOf)
			for _, name := range cfg.CatalogerSelection.RemoveNamesOrTags {
				delete(left, name)
			}
			if diff := cmp.Diff(c.want, slices.Sorted(maps.Keys(left))); diff != "" {
				t.Errorf("(-want +chosen):\n%s", diff)
			}
		})
	}
}
