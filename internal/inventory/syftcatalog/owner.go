package syftcatalog

import (
	"strings"

	"github.com/anchore/syft/syft/pkg"
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
				owners[withoutUsr(path)] = string(p.ID())
			}
		}
	}
	return func(path string) string { return owners[withoutUsr(path)] }
}

// ownerTypes are the packages of operating systems.
var ownerTypes = map[pkg.Type]bool{pkg.DebPkg: true, pkg.ApkPkg: true, pkg.RpmPkg: true, pkg.AlpmPkg: true, pkg.PortagePkg: true}

// withoutUsr maps the directories that are links to those under /usr in most
// distributions to one name.
func withoutUsr(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	for _, dir := range []string{"/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/"} {
		if strings.HasPrefix(path, dir) {
			return path[len("/usr"):]
		}
	}
	return path
}
