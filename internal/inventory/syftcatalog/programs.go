package syftcatalog

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// programs collects the files and links that are programs with a role.
type programs struct {
	index *layers.Index
	found []*layers.Entry
	// shells are the contents of shells.
	shells map[*layers.Entry]bool
}

// add looks at one entry.
func (p *programs) add(e *layers.Entry) {
	role := inventory.RoleOf(e.Path)
	if role == "" {
		return
	}
	content := executable(p.index, e)
	if content == nil {
		return
	}
	p.found = append(p.found, e)
	if role == inventory.Shell {
		if p.shells == nil {
			p.shells = make(map[*layers.Entry]bool)
		}
		p.shells[content] = true
	}
}

// all returns them. A program whose content is that of a shell is nothing else:
// BusyBox has dozens of names, among them those of package managers.
func (p *programs) all() []*layers.Entry {
	return slices.DeleteFunc(p.found, func(e *layers.Entry) bool {
		return inventory.RoleOf(e.Path) != inventory.Shell && p.shells[executable(p.index, e)]
	})
}

// executable returns the file that is run under the name of an entry, or nil.
func executable(x *layers.Index, e *layers.Entry) *layers.Entry {
	if e.Type == layers.Symlink {
		e = x.Resolve(e.Path, true)
	}
	if e == nil || e.Type != layers.Regular || e.Mode&0o111 == 0 {
		return nil
	}
	return e.Data()
}

// releaseFile is the file that names the distribution: os-release(5), or what
// systems had before it, in the order in which syft asks for them.
func releaseFile(x *layers.Index) inventory.Place {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release", "/etc/system-release-cpe", "/etc/redhat-release"} {
		if e := x.Resolve(path, true); e != nil && e.Type == layers.Regular {
			return inventory.Place{Path: e.Path, Layer: x.DiffID(int(e.Layer))}
		}
	}
	return inventory.Place{}
}

// opaquePrograms lists the programs that hold packages of which nothing says what
// they are. A program of Go that holds these signatures looks for them, as this
// one; what a package of the system brought is judged as that package.
func opaquePrograms(inv inventory.Inventory, x *layers.Index) []inventory.Unreadable {
	var out []inventory.Unreadable
	for e := range x.All() {
		if e.Type != layers.Regular || e.Signs&opaque == 0 || e.Signs&goBuildInfo != 0 {
			continue
		}
		if _, owned := inv.Owner(e.Path); owned {
			continue
		}
		var reason string
		switch {
		case e.Signs&pyInstaller != 0:
			reason = "PyInstaller packed Python packages into this program, and does not say which"
		case e.Signs&nodeApplication != 0:
			reason = "an application of Node is packed into this program, which does not say of which packages"
		case e.Signs&(cargoAuditable|cargoAuditableOld) == 0 && e.Mode&0o111 != 0 && !isLibrary(e.Name()):
			reason = "this program of Rust does not say of which crates it is made; cargo auditable builds it so that it does"
		default:
			continue
		}
		out = append(out, inventory.Unreadable{Path: e.Path, Reason: reason})
	}
	return out
}

// isLibrary reports whether an executable is one that other programs load: those of
// Python's and Node's packages are judged as these.
func isLibrary(name string) bool {
	switch path.Ext(name) {
	case ".so", ".node", ".dll", ".dylib":
		return true
	}
	return strings.Contains(name, ".so.")
}
