package syftcatalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// setLayers fills Package.Layer. The database of a package manager is written
// anew by every installation, so the layer that holds it says nothing about a
// single package; the files that the package owns do, since they are written
// when this version of it is installed.
func setLayers(inv *inventory.Inventory, packages []pkg.Package, index *layers.Index) {
	owners := make(map[string]pkg.FileOwner)
	for _, p := range packages {
		if owner, ok := p.Metadata.(pkg.FileOwner); ok {
			owners[string(p.ID())] = owner
		}
	}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		switch {
		case sharedDatabase[p.Type]:
			p.Layer = installedIn(*p, owners[p.ID], index)
		case len(p.Places) > 0:
			p.Layer = p.Places[0].Layer
		}
	}
}

// sharedDatabase are the types of packages that one database of the image
// lists; others have files of their own by which they are found.
var sharedDatabase = map[string]bool{"deb": true, "apk": true, "rpm": true, "alpm": true, "opkg": true, "ebuild": true}

// dpkgInfo is where dpkg keeps what it knows of each package apart from the
// database.
const dpkgInfo = "/var/lib/dpkg/info/"

// installedIn returns the diff id of the layer that installed the package: the
// one that holds dpkg's own files about it, else most of the files that it
// owns, the lower of two that hold as many. It is empty when no file tells.
func installedIn(p inventory.Package, owner pkg.FileOwner, index *layers.Index) string {
	for _, place := range p.Places {
		if strings.HasPrefix(place.Path, dpkgInfo) {
			return place.Layer
		}
	}
	if owner == nil {
		return ""
	}
	votes := make(map[int32]int)
	for _, path := range owner.OwnedFiles() {
		// A directory is shared with other packages and tells nothing.
		if e := index.Resolve(path, false); e != nil && e.Type != layers.Directory && e.Layer >= 0 {
			votes[e.Layer]++
		}
	}
	if len(votes) == 0 {
		return ""
	}
	best := slices.MaxFunc(slices.Collect(maps.Keys(votes)), func(a, b int32) int {
		return cmp.Or(cmp.Compare(votes[a], votes[b]), cmp.Compare(b, a))
	})
	return index.DiffID(int(best))
}
