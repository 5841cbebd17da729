// Package workload joins what was found in an image with the manifests of the
// same run that name it: which of them run that image, what makes a flaw weigh
// more there, and which lines roll it out.
package workload

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/origin"
)

// match says how sure it is that a reference in a manifest means the image that
// was examined.
type match int

// From no to yes. A digest is content: equal digests are the same image under
// whatever name. A tag says the same where neither side tells otherwise.
const (
	// another image altogether.
	noMatch match = iota
	// otherVersion has the image's repository with a different digest or tag.
	otherVersion
	// anyVersion has the repository; one side does not say which version.
	anyVersion
	// byTag has the repository and the tag.
	byTag
	// byDigest has the digest of the image or of its index.
	byDigest
)

// String says what is alike.
func (m match) String() string {
	switch m {
	case byDigest:
		return "same digest"
	case byTag:
		return "same repository and tag"
	case anyVersion:
		return "same repository, version not known"
	case otherVersion:
		return "same repository, another version"
	}
	return "another image"
}

// tag is the form of a tag in the distribution specification; what differs is a
// placeholder.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
var tag = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
})

// versionOf is the tag and the digest of a reference. Where it has neither, the
// runtime takes the tag latest.
func versionOf(reference string) (version, digest string) {
	name, digest, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[colon+1:], digest
	}
	if digest == "" {
		version = "latest"
	}
	return version, digest
}

// matches compares a reference as a manifest has it with the examined image.
func matches(reference string, s inventory.Subject) match {
	version, digest := versionOf(reference)
	if digest != "" && slices.Contains(s.Digests, digest) {
		return byDigest
	}
	best := noMatch
	for _, known := range s.References {
		if origin.SameRepository(reference, known) {
			best = max(best, compareVersions(version, digest, known, len(s.Digests) > 0))
		}
	}
	return best
}

// compareVersions compares a manifest's tag and digest with a reference of the
// same repository under which the image is known. The digest is not among the
// image's, where those are known.
func compareVersions(version, digest, known string, digestsKnown bool) match {
	if digest != "" && digestsKnown {
		return otherVersion
	}
	have, _ := versionOf(known)
	switch {
	case !strings.ContainsAny(known[strings.LastIndexByte(known, '/')+1:], ":@"):
		return anyVersion // A name that was given for the image, without a version.
	case !tag().MatchString(version) || !tag().MatchString(have):
		return anyVersion
	case version == have:
		return byTag
	}
	return otherVersion
}
