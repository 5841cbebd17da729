package syftcatalog

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
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
// name are of one kind: a database that moved is not one that is gone.
var managerDirs = []struct{ kind, dir string }{
	{singleLists, "/var/lib/dpkg/status.d/"},
	{"dpkg", "/var/lib/dpkg/"},
	{"apk", "/lib/apk/db/"},
	{"rpm", "/var/lib/rpm/"},
	{"rpm", "/usr/share/rpm/"},
	{"rpm", "/usr/lib/sysimage/rpm/"},
	{"rpm", "/var/lib/rpmmanifest/"},
}

// singleLists are those of images without dpkg: one package in each file.
const singleLists = "status.d"

// managed is one kind of list in an image, or in a directory of it.
type managed struct{ root, kind string }

// managedBy says to which lists a file belongs.
func managedBy(p string) (managed, bool) {
	for _, d := range managerDirs {
		if at := strings.Index(p, d.dir); at >= 0 {
			return managed{strings.TrimSuffix(p[:at], "/usr"), d.kind}, true
		}
	}
	return managed{}, false
}

// managers says of one file after the other to which lists it belongs. Most stand
// in the directory of the one before, which decides.
type managers struct {
	dir string
	managed
	known bool
}

func (m *managers) of(p string) (managed, bool) {
	if dir := p[:strings.LastIndexByte(p, '/')+1]; dir != m.dir {
		m.dir = dir
		m.managed, m.known = managedBy(dir)
	}
	return m.managed, m.known
}

// isPackageList reports whether a file lists packages of the system.
func isPackageList(m managed, p string) bool {
	if m.kind == singleLists {
		return !strings.HasSuffix(p, ".md5sums")
	}
	return inventory.Unreadable{Path: p}.PackageDatabase()
}

// restoredLists are lists of packages that a later layer deletes or empties.
type restoredLists struct {
	// byPath are those that were read as they were before.
	byPath map[string]*layers.Entry
	// unreadable are those in whose place something else stands.
	unreadable []inventory.Unreadable
}

// restoreLists shows the lists of packages again that a later layer deleted or
// emptied, with the files beside them: that makes an image smaller and takes none
// of the packages out of it. Where there is another list of the kind with packages
// in it, that one is right.
func restoreLists(ctx context.Context, x *layers.Index) (restoredLists, error) {
	out := restoredLists{byPath: map[string]*layers.Entry{}}
	last := map[managed]int32{}
	var managers managers
	for e := range x.Covered() {
		if m, ok := managers.of(e.Path); ok && isPackageList(m, e.Path) && listsPackages(ctx, x, m, e) {
			last[m] = max(last[m], e.Layer)
		}
	}
	if len(last) == 0 {
		return out, nil
	}
	for e := range x.All() {
		if m, ok := managers.of(e.Path); ok && isPackageList(m, e.Path) && listsPackages(ctx, x, m, x.Resolve(e.Path, true)) {
			delete(last, m)
		}
	}
	files := map[string]*layers.Entry{}
	for e := range x.Covered() {
		m, ok := managers.of(e.Path)
		layer, gone := last[m]
		if !ok || !gone || e.Size == 0 || !belongs(e, layer) {
			continue
		}
		now, clear := x.Clear(e)
		isList := isPackageList(m, e.Path)
		switch {
		case isList && e.Layer != layer && m.kind != singleLists:
			// A later list took its place. Files of one package each, which later
			// layers add to, are all of them the list.
		case isList && (!clear || now != nil && !isBlank(ctx, x, now)):
			out.unreadable = append(out.unreadable, inventory.Unreadable{Path: e.Path, Reason: "a later layer puts something else in the place of this list of packages"})
		case isList:
			out.byPath[e.Path], files[e.Path] = e, e
		case clear && (now == nil || now.Size == 0):
			if known := files[e.Path]; known == nil || known.Layer <= e.Layer {
				files[e.Path] = e
			}
		}
	}
	order := slices.SortedFunc(maps.Values(files), func(a, b *layers.Entry) int { return cmp.Compare(a.Path, b.Path) })
	return out, x.Restore(order)
}

// belongs reports whether a file stood beside a list of a layer. The log of changes
// to a database of rpm may be newer than it, and one that is older was written back
// when the database was.
func belongs(e *layers.Entry, layer int32) bool {
	if strings.HasSuffix(e.Path, "/rpmdb.sqlite"+walSuffix) {
		return e.Layer >= layer
	}
	return e.Layer <= layer
}

// isBlank reports whether a file holds nothing but white space, as what emptied a
// list leaves. One that cannot be read is not: whoever reads it says why.
func isBlank(ctx context.Context, x *layers.Index, e *layers.Entry) bool {
	const most = 4096
	if e.Size == 0 || e.Size > most {
		return e.Size == 0
	}
	data, err := text(ctx, x, e)
	return err == nil && len(bytes.TrimSpace(data)) == 0
}

// packageBegins are the first words of a package in a list, by kind.
var packageBegins = map[string][]byte{"dpkg": []byte("Package:"), singleLists: []byte("Package:"), "apk": []byte("P:")}

// listsPackages reports whether a file lists any package. Databases of rpm do
// unless they are empty.
func listsPackages(ctx context.Context, x *layers.Index, m managed, e *layers.Entry) bool {
	if e == nil || e.Type != layers.Regular || e.Size == 0 {
		return false
	}
	begin, text := packageBegins[m.kind]
	if !text {
		return true
	}
	c, err := x.Open(ctx, e)
	if err != nil {
		return true // whoever reads it will say why it cannot be read
	}
	lines := bufio.NewReaderSize(c, 4096)
	for start := true; ; {
		line, err := lines.ReadSlice('\n')
		if start && bytes.HasPrefix(line, begin) {
			return true
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		}
		start = err == nil
	}
}

// dropUninstalled takes the packages of restored lists out of the model of which
// no file is left: their manager emptied its list by removing them. So do those
// that name no files go, where all others of their list went. Lists of which
// nothing is left are none that was restored.
func (r *restoredLists) dropUninstalled(model *sbom.SBOM, x *layers.Index) {
	gone := map[artifact.ID]bool{}
	for list, l := range r.listed(model, x) {
		if !l.alive && len(l.lost) > 0 {
			l.lost, l.fileless = append(l.lost, l.fileless...), nil
		}
		for _, id := range l.lost {
			gone[id] = true
		}
		if !l.alive && len(l.fileless) == 0 {
			delete(r.byPath, list)
		}
	}
	if len(gone) == 0 {
		return
	}
	model.Artifacts.Packages.Delete(slices.Collect(maps.Keys(gone))...)
	model.Relationships = slices.DeleteFunc(model.Relationships, func(r artifact.Relationship) bool {
		return gone[r.From.ID()] || gone[r.To.ID()]
	})
}

// listedPackages are the packages of a restored list: whether any has a file that
// is there, and those that have lost all of theirs or name none.
type listedPackages struct {
	alive          bool
	lost, fileless []artifact.ID
}

// listed sorts the packages of the restored lists.
func (r *restoredLists) listed(model *sbom.SBOM, x *layers.Index) map[string]*listedPackages {
	out := make(map[string]*listedPackages, len(r.byPath))
	for list := range r.byPath {
		out[list] = &listedPackages{}
	}
	if len(out) == 0 {
		return out
	}
	for p := range model.Artifacts.Packages.Enumerate() {
		for _, at := range p.Locations.ToSlice() {
			l := out[at.RealPath]
			if l == nil {
				continue
			}
			switch left, files := filesLeft(p, at.RealPath, x); {
			case !files:
				l.fileless = append(l.fileless, p.ID())
			case left:
				l.alive = true
			default:
				l.lost = append(l.lost, p.ID())
			}
		}
	}
	return out
}

// filesLeft reports whether any file of a package in a list is there still, and
// whether the package names files at all.
func filesLeft(p pkg.Package, list string, x *layers.Index) (left, files bool) {
	m, _ := managedBy(list)
	recorded := recordedFiles(p)
	for _, f := range recorded {
		if e := x.Resolve(m.root+f.path, false); e != nil && e.Type != layers.Directory {
			return true, true
		}
	}
	return false, len(recorded) > 0
}

// places are the restored lists, in the order of their paths.
func (r restoredLists) places(x *layers.Index) []inventory.Place {
	var places []inventory.Place
	for _, p := range slices.Sorted(maps.Keys(r.byPath)) {
		places = append(places, inventory.Place{Path: p, Layer: x.DiffID(int(r.byPath[p].Layer))})
	}
	return places
}
