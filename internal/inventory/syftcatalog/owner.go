package syftcatalog

import (
	"strings"

	"github.com/anchore/syft/syft/pkg"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// Owners tells which package of the operating system owns a file: the
// returned function gives the package's ID for a path, "" for none. Directories
// that the merged /usr made links (/bin, /lib) are the same as those behind
// them.
func (s *SBOM) Owners() func(path string) string {
	owners := make(map[string]string)
	if s.model.Artifacts.Packages != nil {
		for p := range s.model.Artifacts.Packages.Enumerate() {
			owner, ok := p.Metadata.(pkg.FileOwner)
			if !ok || !ownerTypes[p.Type] {
				continue
			}
			for _, path := range owner.OwnedFiles() {
				owners[rooted(path)] = string(p.ID())
			}
		}
	}
	return func(path string) string { return owners[rooted(path)] }
}

// ownerTypes are the packages of operating systems.
var ownerTypes = map[pkg.Type]bool{pkg.DebPkg: true, pkg.ApkPkg: true, pkg.RpmPkg: true, pkg.AlpmPkg: true, pkg.PortagePkg: true}

// rooted is the one name of a file, whichever its database gives it.
func rooted(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return inventory.UnderUsr(path)
}
