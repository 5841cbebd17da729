package syftcatalog

import (
	"slices"

	"github.com/anchore/syft/syft"
)

// withCatalogersFor leaves out the catalogers that would find no file: those that
// ask for nothing but names, and of these there are none. Each of them would look
// up the distribution's release before it learns that.
func withCatalogersFor(cfg *syft.CreateSBOMConfig, r *resolver) (*syft.CreateSBOMConfig, error) {
	var without []string
	for name, globs := range globsOf {
		found := false
		for _, g := range globs {
			// What these are is looked up where the use of memory is watched.
			if found = g == javaPattern && len(r.likeArchives()) > 0; found {
				break
			}
			files, err := r.FilesByGlob(g)
			if err != nil {
				return nil, err
			}
			if found = len(files) > 0; found {
				break
			}
		}
		if !found {
			without = append(without, name)
		}
	}
	slices.Sort(without)
	return cfg.WithCatalogerSelection(cfg.CatalogerSelection.WithRemovals(without...)), nil
}
