package origin

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// SameRepository reports whether an image reference names the repository, with
// Docker Hub's short forms read as what they stand for.
func SameRepository(reference, repository string) bool {
	if reference == "" || repository == "" {
		return false
	}
	return repositoryOf(reference) == repositoryOf(repository)
}

// sameImage reports whether a reference to the image's repository names its
// digest, or the tag that the user asked for where it has no digest.
func sameImage(reference string, image *inventory.Image) bool {
	if _, digest, ok := strings.Cut(reference, "@"); ok {
		return digest != "" && (digest == image.Digest || digest == image.IndexDigest)
	}
	return image.Reference != "" && SameRepository(reference, image.Reference) && tagOf(reference) == tagOf(image.Reference)
}

// tagOf is the tag of a reference, latest where there is none and "" where a
// digest alone names the image.
func tagOf(reference string) string {
	name, _, digest := strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[colon+1:]
	}
	if digest {
		return ""
	}
	return "latest"
}

// repositoryOf drops tag and digest and spells Docker Hub's names out.
func repositoryOf(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	host, rest, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, rest = "docker.io", name
	}
	if host == "index.docker.io" {
		host = "docker.io"
	}
	if host == "docker.io" && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	return host + "/" + rest
}
