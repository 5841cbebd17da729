package vex

import (
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// narrowed leaves out the names of one product that say less than another of
// them: a package URL without version beside one with, or that of an image
// beside its digest. Each name that is left identifies the product by itself, so
// that the wider one would excuse versions which the author has not named.
func narrowed(names []string) []string {
	var exact []match.PURL
	digest := false
	for _, name := range names {
		digest = digest || strings.HasPrefix(name, "sha256:")
		if p, err := match.ParsePURL(name); err == nil && p.Version() != "" {
			exact = append(exact, p)
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		p, err := match.ParsePURL(name)
		if err != nil || p.Version() != "" {
			return false
		}
		return digest && isImageType(p.Type()) || slices.ContainsFunc(exact, p.IsOf)
	})
}

func isImageType(purlType string) bool {
	return strings.EqualFold(purlType, "oci") || strings.EqualFold(purlType, "docker")
}

// withVersion adds a version that stands beside a package URL, where that has
// none of its own.
func withVersion(purl, version string) string {
	p, err := match.ParsePURL(purl)
	if err != nil || version == "" || p.Version() != "" {
		return purl
	}
	return p.WithVersion(version).String()
}

var (
	// startsAsVersion is how versions begin in nearly all schemes.
	startsAsVersion = regexp.MustCompile(`^[vV]?[0-9]\S*$`)
	// onlyVersion is what is never the name of a package. The last part of a Go
	// module's path may look so.
	onlyVersion = regexp.MustCompile(`^[vV]?[0-9]+(\.[0-9]+)*$`)
)

// namesPackage reports whether the name of a version's branch is that of the
// package itself, as vendors write it who mean all of its versions: alone or
// behind a namespace, repository or module stream.
func namesPackage(branch string, purl match.PURL) bool {
	if onlyVersion.MatchString(branch) {
		return false
	}
	same := func(name string) bool {
		return strings.EqualFold(strings.ReplaceAll(name, "_", "-"), strings.ReplaceAll(purl.Name(), "_", "-"))
	}
	return same(branch) || same(branch[strings.LastIndexByte(branch, '/')+1:]) || same(branch[strings.LastIndexAny(branch, "/:")+1:])
}
