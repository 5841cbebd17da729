package syftcatalog

import (
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// programs are the files and links that are programs with a role. A program
// whose content is that of a shell is nothing else: BusyBox has dozens of names,
// among them those of package managers.
func programs(x *layers.Index) map[*layers.Entry]bool {
	out := make(map[*layers.Entry]bool)
	shells := make(map[*layers.Entry]bool)
	for e := range x.All() {
		role := inventory.RoleOf(e.Path)
		if role == "" {
			continue
		}
		content := executable(x, e)
		if content == nil {
			continue
		}
		out[e] = true
		if role == inventory.Shell {
			shells[content] = true
		}
	}
	for e := range out {
		if shells[executable(x, e)] && inventory.RoleOf(e.Path) != inventory.Shell {
			delete(out, e)
		}
	}
	return out
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

// releaseFile is the file that names the distribution (os-release(5)).
func releaseFile(x *layers.Index) inventory.Place {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if e := x.Resolve(path, true); e != nil && e.Type == layers.Regular {
			return inventory.Place{Path: e.Path, Layer: x.DiffID(int(e.Layer))}
		}
	}
	return inventory.Place{}
}
