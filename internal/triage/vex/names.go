package vex

import (
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
