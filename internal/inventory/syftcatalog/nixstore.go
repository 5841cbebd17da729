package syftcatalog

import (
	"context"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
)

// nixStore is the cataloger of Nix packages, which goes through all files for the
// few images that have a store of them.
type nixStore struct{ pkg.Cataloger }

// Catalog implements pkg.Cataloger.
func (c nixStore) Catalog(ctx context.Context, r file.Resolver) ([]pkg.Package, []artifact.Relationship, error) {
	if own, ok := r.(*resolver); ok {
		r = storeResolver{own}
	}
	return c.Cataloger.Catalog(ctx, r)
}

// storeResolver is the tree of files as the cataloger of Nix packages sees it.
type storeResolver struct{ *resolver }

// AllLocations sends what the cataloger does not pass over.
func (r storeResolver) AllLocations(ctx context.Context) <-chan file.Location {
	return r.send(ctx, func(path string) bool { return strings.Contains(path, "nix/store/") })
}
