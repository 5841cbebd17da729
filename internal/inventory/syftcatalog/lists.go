package syftcatalog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// rpmManifest is where images without rpm's database list its packages, one on a
// line (Azure Linux and CBL-Mariner "distroless").
const rpmManifest = "/var/lib/rpmmanifest/container-manifest-2"

// manifestFields are the fields of a line, with tabs between; the first is the
// name, the second version and release
// (https://github.com/microsoft/azurelinux/blob/2.0/toolkit/docs/how_it_works/5_misc.md).
const manifestFields = 10

// isRPMManifest reports whether a file is such a list.
func isRPMManifest(p string) bool { return strings.HasSuffix(p, rpmManifest) }

// ended passes a list on with a line end behind it: syft leaves out a last line
// without one.
func ended(c io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(c, strings.NewReader("\n")), c}
}

// damagedLists are the lists of packages in text that do not say all that they
// said: the packages that can be read in them count, and nobody knows the others.
func damagedLists(ctx context.Context, x *layers.Index) ([]inventory.Unreadable, error) {
	var out []inventory.Unreadable
	for e := range x.All() {
		var damage func(context.Context, *layers.Index, *layers.Entry) (string, error)
		switch {
		case isRPMManifest(e.Path):
			damage = noManifest
		case strings.HasSuffix(e.Path, "/lib/apk/db/installed"), isDpkgStatus(e.Path):
			damage = cutList
		case strings.Contains(e.Path, pacmanLocal) && strings.HasSuffix(e.Path, "/desc"):
			damage = noDescription
		}
		if damage == nil {
			continue
		}
		to := x.Resolve(e.Path, true)
		if to == nil || to.Type != layers.Regular || to.Size == 0 {
			continue
		}
		reason, err := damage(ctx, x, to)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			out = append(out, inventory.Unreadable{Path: e.Path, Reason: reason})
		}
	}
	return out, nil
}

// noManifest says which line of a manifest names no package.
func noManifest(ctx context.Context, x *layers.Index, e *layers.Entry) (string, error) {
	data, err := text(ctx, x, e)
	if err != nil {
		return "", err
	}
	for n, line := range bytes.Split(data, []byte("\n")) {
		fields := bytes.Split(line, []byte("\t"))
		if len(line) > 0 && (len(fields) < manifestFields || len(fields[0]) == 0 || bytes.Count(fields[1], []byte("-")) != 1) {
			return fmt.Sprintf("line %d of this list names no package", n+1), nil
		}
	}
	if int64(len(data)) < e.Size {
		return fmt.Sprintf("the list has %d bytes, more than the limit of %d", e.Size, maxText), nil
	}
	return "", nil
}

// pacmanLocal is where pacman describes each package in a directory of its own.
const pacmanLocal = "/var/lib/pacman/local/"

// noDescription says that a file in which pacman describes a package names none:
// syft passes over it.
func noDescription(ctx context.Context, x *layers.Index, e *layers.Entry) (string, error) {
	data, err := text(ctx, x, e)
	if err != nil {
		return "", err
	}
	for _, field := range []string{"%NAME%\n", "%VERSION%\n"} {
		_, value, _ := bytes.Cut(data, []byte(field))
		if line, _, _ := bytes.Cut(value, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
			return "this description of an installed package lacks its name or version", nil
		}
	}
	return "", nil
}

// cutList says that a list of dpkg or apk ends in the middle of a line: both end
// each package with an empty one.
func cutList(ctx context.Context, x *layers.Index, e *layers.Entry) (string, error) {
	c, err := x.Open(ctx, e)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", e.Path, err)
	}
	defer func() { _ = c.Close() }()
	var last [1]byte
	if _, err := c.ReadAt(last[:], e.Size-1); err != nil {
		return "", fmt.Errorf("read the end of %s: %w", e.Path, err)
	}
	if last[0] != '\n' {
		return "the list ends in the middle of a line: it was cut, and packages behind that place are not known", nil
	}
	return "", nil
}

// ofSystem reports whether the managers of systems install packages of a type. That
// of Nix has no database in which they share a place.
func ofSystem(kind string) bool { return sharedDatabase[kind] || kind == "nix" }

// withoutEmptyDatabases leaves out databases of rpm that can be read and list
// nothing, where another manager installed the system: building a package of rpm
// makes one. On a system of rpm they are lists that were lost.
func (r *resolver) withoutEmptyDatabases(list []inventory.Unreadable, packages []inventory.Package) []inventory.Unreadable {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.empty) == 0 || !slices.ContainsFunc(packages, func(p inventory.Package) bool { return ofSystem(p.Type) && p.Type != "rpm" }) {
		return list
	}
	return slices.DeleteFunc(list, func(u inventory.Unreadable) bool { return r.empty[u.Path] })
}

// unlisted says that the image has a distribution and no list of its packages, as
// where the step that installed them also deleted it. Busybox alone has none.
func unlisted(inv inventory.Inventory) []inventory.Unreadable {
	d := inv.Distro
	if d == nil || d.Place.Path == "" || d.ID == "busybox" {
		return nil
	}
	for _, p := range inv.Packages {
		if ofSystem(p.Type) {
			return nil
		}
	}
	for _, u := range inv.Unreadable {
		if u.PackageDatabase() {
			return nil
		}
	}
	return []inventory.Unreadable{{Path: d.Place.Path, Reason: fmt.Sprintf(
		"nothing lists the packages of the distribution that this file names, %s: what is in the image of them was not assessed; keep the package manager's database",
		cmp.Or(d.PrettyName, strings.TrimSpace(d.ID+" "+d.Version), "without a name"))}}
}
