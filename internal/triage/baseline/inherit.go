package baseline

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Base is a base image: one that the user names and that was examined, or one
// that the Dockerfile's FROM names and of which only the layers are known.
type Base struct {
	// Reference is how it is named.
	Reference string
	// Layers are the diff ids of its layers from the bottom up.
	Layers []string
	// PackageURLs are those of its packages; nil when it was not examined.
	PackageURLs []string
	// Places are where its packages lie that findings are about.
	Places []PackagePlace
}

// PackagePlace is a path of the image at which a package lies, and the directory
// of the copied root file system whose package it is, if any.
type PackagePlace struct{ PURL, Path, Root string }

// BaseOf makes a Base of the outcome of a run over the base image.
func BaseOf(reference string, o outcome.Outcome) Base {
	b := Base{Reference: reference, PackageURLs: o.PackageURLs}
	for _, f := range o.Findings {
		if f.Package == nil {
			continue
		}
		paths := pathsInImage(f)
		for _, path := range paths {
			b.Places = append(b.Places, PackagePlace{f.Package.PURL, path, finding.CopiedRoot(paths)})
		}
	}
	// The layers of several platforms are not in one order.
	if o.Image != nil && len(o.Image.Platforms) == 0 {
		for _, l := range o.Image.Layers {
			b.Layers = append(b.Layers, l.DiffID)
		}
	}
	return b
}

// Inherit gives open findings about the image that come from its base the
// status Inherited. Where the base's layers are the image's first ones, the
// layer of the finding's first place in the image decides. Where they are not,
// because the base has been rebuilt since or the image was squashed, a package of
// the distribution is inherited if the base has it in the same version and in the
// same root file system, and any other, which may lie in the image many times, if
// it lies where the base's does.
// Nothing else is: what neither a layer nor a package shows to be the base's
// counts as the image's.
func Inherit(findings []finding.Finding, base Base, image *inventory.Image) []finding.Finding {
	out := slices.Clone(findings)
	if image == nil {
		return out
	}
	layers := base.layersOf(image)
	packages := base.packages()
	for i, f := range out {
		if f.Status != finding.Open || f.Target != image.Name {
			continue
		}
		if reason := inherited(f, layers, packages); reason != "" {
			f.Status, f.StatusReason, f.StatusSource = finding.Inherited, reason+" the base image "+base.Reference, base.Reference
			out[i] = f
		}
	}
	return out
}

// layersOf returns the base's layers if the image is built on exactly them.
func (b Base) layersOf(image *inventory.Image) map[string]bool {
	if len(b.Layers) == 0 || len(b.Layers) > len(image.Layers) {
		return nil
	}
	set := make(map[string]bool, len(b.Layers))
	for i, diffID := range b.Layers {
		if image.Layers[i].DiffID != diffID {
			return nil
		}
		set[diffID] = true
	}
	for _, l := range image.Layers[len(b.Layers):] {
		// An equal layer above, such as an empty one, is the image's own.
		delete(set, l.DiffID)
	}
	return set
}

// inherited says in which way a finding is the base's, or "".
func inherited(f finding.Finding, layers map[string]bool, packages basePackages) string {
	switch f.Kind {
	case finding.Vulnerability, finding.Secret, finding.Malware, finding.ImageConfig, finding.Coverage:
	default:
		return ""
	}
	if layers != nil {
		// A package is where its own files are: the database of packages is
		// written anew by each layer that installs. A finding about files may
		// be about several: one of the image's own makes it the image's.
		known := false
		for _, l := range f.Locations {
			if l.Space != finding.InImage || l.Layer == "" || known && f.Package != nil {
				continue
			}
			if !layers[l.Layer] {
				return ""
			}
			known = true
		}
		if known {
			return "in a layer of"
		}
	}
	if f.Package == nil {
		return ""
	}
	if packages.have(f) {
		return "a package of"
	}
	return ""
}

// basePackages are the base's packages by name and version, and the places of
// those that findings are about.
type basePackages struct {
	versions packageSet
	places   map[[2]string][]PackagePlace
}

func (b Base) packages() basePackages {
	p := basePackages{versions: newPackageSet(b.PackageURLs), places: make(map[[2]string][]PackagePlace)}
	for _, place := range b.Places {
		if name, version, ok := packageKey(place.PURL); ok {
			key := [2]string{name, version}
			p.places[key] = append(p.places[key], place)
		}
	}
	return p
}

// ofDistribution are the package URL types of which a root file system has each
// package once, wherever it says so.
var ofDistribution = map[string]bool{"deb": true, "apk": true, "rpm": true, "alpm": true, "portage": true, "ebuild": true}

// have reports whether the base has the package that a finding is about.
func (p basePackages) have(f finding.Finding) bool {
	name, version, ok := packageKey(f.Package.PURL)
	if !ok || !slices.Contains(p.versions[name], version) {
		return false
	}
	known, paths := p.places[[2]string{name, version}], pathsInImage(f)
	if typ, _, _ := strings.Cut(name, "/"); ofDistribution[typ] {
		root := finding.CopiedRoot(paths)
		// Where the base has no finding about the package it is taken to have it
		// among its own: copied roots are rare.
		return len(known) == 0 && root == "" || slices.ContainsFunc(known, func(at PackagePlace) bool { return at.Root == root })
	}
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(path string) bool {
		return !slices.ContainsFunc(known, func(at PackagePlace) bool { return at.Path == path })
	})
}
