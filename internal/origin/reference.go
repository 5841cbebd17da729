package origin

import "strings"

// SameRepository reports whether an image reference names the repository, with
// Docker Hub's short forms read as what they stand for.
func SameRepository(reference, repository string) bool {
	if reference == "" || repository == "" {
		return false
	}
	return repositoryOf(reference) == repositoryOf(repository)
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
