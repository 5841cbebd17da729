package origin

import (
	"fmt"
	"path"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/lockfile"
)

// enoughBeside is the number of packages, in the image and in the lock file,
// from which on their sharing few of them says that the file is of another
// project.
const enoughBeside = 4

// besides knows which packages of an image lie together, and how much of that a
// lock file holds.
type besides struct {
	groups map[string][]*inventory.Package
	shared map[string]int // by group and lock file
}

func newBesides(packages []inventory.Package) *besides {
	b := &besides{groups: make(map[string][]*inventory.Package), shared: make(map[string]int)}
	for i := range packages {
		p := &packages[i]
		for _, place := range p.Places {
			g := groupOf(p.Type, place.Path)
			if list := b.groups[g]; len(list) == 0 || list[len(list)-1] != p {
				b.groups[g] = append(list, p)
			}
		}
	}
	return b
}

// groupOf names what was installed together: one tree of node_modules, one
// site-packages, one program or archive. Other packages are all together.
func groupOf(typ, file string) string {
	switch typ {
	case "npm":
		file, _, _ = strings.Cut(file, "/node_modules/")
	case "pypi":
		if i := max(strings.Index(file, "/site-packages/"), strings.Index(file, "/dist-packages/")); i >= 0 {
			file = file[:i]
		} else {
			file = ""
		}
	case "maven":
		outer, _, nested := strings.Cut(file, ":")
		if file = outer; !nested {
			file = path.Dir(outer)
		}
	case "golang", "cargo", "nuget":
	default:
		file = ""
	}
	return typ + "\x00" + file
}

// stranger is besides.stranger of what lies in the image, which is seldom asked
// for, and which many packages make large.
func (t *Tracer) stranger(f finding.Finding, file *lockfile.File) string {
	if t.besides == nil {
		t.besides = newBesides(t.opt.Packages)
	}
	return t.besides.stranger(f, file)
}

// stranger says why a lock file is that of another project: of what lies beside
// the finding's package it holds less than half, and most of what it holds is
// not there. It is "" where too little is known to say so.
func (b *besides) stranger(f finding.Finding, file *lockfile.File) string {
	group := groupOf(f.Package.Type, f.Locations[0].Path)
	packages := b.groups[group]
	distinct := make(map[string]bool, len(file.Entries))
	for _, e := range file.Entries {
		distinct[lockfile.FoldName(e.Type, e.Name)+"\x00"+lockfile.FoldVersion(e.Type, e.Version)] = true
	}
	if len(packages) < enoughBeside || len(distinct) < enoughBeside {
		return ""
	}
	key := group + "\x00" + file.Path
	common, known := b.shared[key]
	if !known {
		only := lockfile.NewSet(*file)
		for _, p := range packages {
			if len(lookup(only, &finding.Package{Name: p.Name, Version: p.Version, Type: p.Type, PURL: p.PURL})) > 0 {
				common++
			}
		}
		b.shared[key] = common
	}
	if common*2 >= len(packages) || common*2 >= len(distinct) {
		return ""
	}
	return fmt.Sprintf("%s has only %d of the %d packages that lie together", file.Path, common, len(packages))
}
