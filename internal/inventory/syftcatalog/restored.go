package syftcatalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// managerDirs are where the package managers of systems keep their lists, each
// possibly below a directory that a root file system was copied to. Those of one
// name belong to one manager: a database that moved is not one that is gone.
var managerDirs = []struct{ manager, dir string }{
	{"dpkg", "/var/lib/dpkg/"},
	{"apk", "/lib/apk/db/"},
	{"rpm", "/var/lib/rpm/"},
	{"rpm", "/usr/share/rpm/"},
	{"rpm", "/usr/lib/sysimage/rpm/"},
}

// managed is one package manager's part of an image.
type managed struct{ root, manager string }

// managedBy says whose directory a file lies in.
func managedBy(p string) (managed, bool) {
	for _, d := range managerDirs {
		if at := strings.Index(p, d.dir); at >= 0 {
			return managed{strings.TrimSuffix(p[:at], "/usr"), d.manager}, true
		}
	}
	return managed{}, false
}

// isPackageList reports whether a file lists packages of the system.
func isPackageList(p string) bool {
	return inventory.Unreadable{Path: p}.PackageDatabase() || strings.Contains(p, "/var/lib/dpkg/status.d/")
}

// restoreLists shows the lists of packages again that a later layer deleted or
// emptied, with the files beside them, and returns their paths: that makes an
// image smaller and takes none of the packages out of it. Where the manager has
// another list that is not empty, that one is right.
func restoreLists(x *layers.Index) (map[string]*layers.Entry, error) {
	last := map[managed]int32{}
	for e := range x.Covered() {
		if m, ok := managedBy(e.Path); ok && e.Size > 0 && isPackageList(e.Path) {
			last[m] = max(last[m], e.Layer)
		}
	}
	if len(last) == 0 {
		return nil, nil
	}
	for e := range x.All() {
		if m, ok := managedBy(e.Path); ok && isPackageList(e.Path) {
			if at := x.Resolve(e.Path, true); at != nil && at.Type == layers.Regular && at.Size > 0 {
				delete(last, m)
			}
		}
	}
	lists, files := map[string]*layers.Entry{}, map[string]*layers.Entry{}
	for e := range x.Covered() {
		m, ok := managedBy(e.Path)
		layer, gone := last[m]
		switch {
		case !ok || !gone || e.Size == 0 || e.Layer > layer:
		case !isPackageList(e.Path):
			if now := x.Resolve(e.Path, true); now == nil || now.Size == 0 {
				files[e.Path] = e
			}
		case e.Layer == layer:
			lists[e.Path], files[e.Path] = e, e
		}
	}
	order := slices.SortedFunc(maps.Values(files), func(a, b *layers.Entry) int { return cmp.Compare(a.Path, b.Path) })
	return lists, x.Restore(order)
}

// dropUninstalled takes the packages of restored lists out of the model of which
// no file is left: their manager emptied its list by removing them.
func dropUninstalled(model *sbom.SBOM, lists map[string]*layers.Entry, x *layers.Index) {
	if len(lists) == 0 {
		return
	}
	gone := map[artifact.ID]bool{}
	for p := range model.Artifacts.Packages.Enumerate() {
		if uninstalled(p, lists, x) {
			gone[p.ID()] = true
		}
	}
	model.Artifacts.Packages.Delete(slices.Collect(maps.Keys(gone))...)
	model.Relationships = slices.DeleteFunc(model.Relationships, func(r artifact.Relationship) bool {
		return gone[r.From.ID()] || gone[r.To.ID()]
	})
}

// uninstalled reports whether a package lists files and none of them is there.
func uninstalled(p pkg.Package, lists map[string]*layers.Entry, x *layers.Index) bool {
	files := recordedFiles(p)
	if len(files) == 0 {
		return false
	}
	for _, l := range p.Locations.ToSlice() {
		m, ok := managedBy(l.RealPath)
		if !ok || lists[l.RealPath] == nil {
			continue
		}
		return !slices.ContainsFunc(files, func(f recorded) bool {
			e := x.Resolve(m.root+f.path, false)
			return e != nil && e.Type != layers.Directory
		})
	}
	return false
}

// placesOf are the restored lists, in the order of their paths.
func placesOf(lists map[string]*layers.Entry, x *layers.Index) []inventory.Place {
	var places []inventory.Place
	for _, p := range slices.Sorted(maps.Keys(lists)) {
		places = append(places, inventory.Place{Path: p, Layer: x.DiffID(int(lists[p].Layer))})
	}
	return places
}
