package match

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// Image is an examined image by all the names under which others know it.
type Image struct {
	// repository is the name with Docker Hub's short forms spelled out.
	repository   string
	tag          string
	digests      []string
	architecture string
}

// ImageOf collects the names of an image.
func ImageOf(img *inventory.Image) Image {
	i := Image{repository: Repository(img.Name)}
	_, i.tag, _ = split(img.Reference)
	for _, d := range []string{img.Digest, img.IndexDigest, img.ID} {
		if d != "" {
			i.digests = append(i.digests, d)
		}
	}
	if parts := strings.Split(img.Platform, "/"); len(parts) > 1 && len(img.Platforms) == 0 {
		i.architecture = parts[1]
	}
	return i
}

// NamedImage is an image of which only the name is known.
func NamedImage(name string) Image { return Image{repository: Repository(name)} }

// IsNamedBy reports whether text means the image: a package URL of type oci or
// docker, a digest, or a reference with or without tag and digest. What the
// text says must all be true; what it leaves out may be anything.
func (i Image) IsNamedBy(text string) bool {
	switch {
	case strings.HasPrefix(text, "pkg:"):
		return i.isPURL(text)
	case strings.HasPrefix(text, "sha256:"):
		return i.HasDigest(text)
	}
	name, tag, digest := split(text)
	return name != "" && Repository(name) == i.repository &&
		(tag == "" || tag == i.tag) && (digest == "" || i.HasDigest(digest))
}

// HasDigest reports whether the digest (sha256:…) is that of the image's
// manifest, index or configuration.
func (i Image) HasDigest(digest string) bool { return slices.Contains(i.digests, digest) }

// isPURL compares with a package URL whose version is a digest (the oci type
// knows no other) or, as some write it, a tag.
// https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md
func (i Image) isPURL(text string) bool {
	p, err := ParsePURL(text)
	if err != nil {
		return false
	}
	qualifiers := p.url.Qualifiers.Map()
	switch strings.ToLower(p.url.Type) {
	case "oci":
		if !i.hasName(p.url.Name, qualifiers["repository_url"]) {
			return false
		}
	case "docker":
		name := path.Join(p.url.Namespace, p.url.Name)
		if registry := qualifiers["repository_url"]; registry != "" {
			name = path.Join(strings.TrimPrefix(registry, "https://"), name)
		}
		if Repository(name) != i.repository {
			return false
		}
	default:
		return false
	}
	return i.hasVersion(p.url.Version) &&
		(qualifiers["tag"] == "" || qualifiers["tag"] == i.tag) &&
		(qualifiers["arch"] == "" || qualifiers["arch"] == i.architecture)
}

// hasName compares with the name of an oci package URL, the last part of the
// repository, and with its repository_url, which is the whole repository or,
// as some tools write it, what stands before the name.
func (i Image) hasName(name, repository string) bool {
	if !strings.EqualFold(path.Base(i.repository), name) {
		return false
	}
	if repository == "" {
		return true
	}
	return Repository(repository) == i.repository || Repository(repository+"/"+name) == i.repository
}

func (i Image) hasVersion(version string) bool {
	if strings.Contains(version, ":") {
		return i.HasDigest(version)
	}
	return version == "" || version == i.tag
}

// Names are the references under which a glob may mean the image: its
// repository in full and in the short form of Docker Hub, alone, with the tag
// and with each digest.
func (i Image) Names() []string {
	names := []string{i.repository}
	if short, ok := strings.CutPrefix(i.repository, "docker.io/"); ok {
		names = append(names, short)
		if shorter, ok := strings.CutPrefix(short, "library/"); ok {
			names = append(names, shorter)
		}
	}
	for _, name := range slices.Clone(names) {
		if i.tag != "" {
			names = append(names, name+":"+i.tag)
		}
		for _, d := range i.digests {
			names = append(names, name+"@"+d)
		}
	}
	return names
}

// split takes a reference apart. A colon that belongs to a port is no tag.
func split(reference string) (name, tag, digest string) {
	name, digest, _ = strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, tag = name[:colon], name[colon+1:]
	}
	return name, tag, digest
}

// Repository returns the repository of a reference without tag and digest and
// with Docker Hub's short forms spelled out, so that two spellings of one
// repository are equal.
func Repository(reference string) string {
	name, _, _ := split(strings.TrimPrefix(reference, "https://"))
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

// IsExact reports whether a reference names a tag or digest, not only a
// repository.
func IsExact(reference string) bool {
	if strings.HasPrefix(reference, "sha256:") {
		return true
	}
	_, tag, digest := split(reference)
	return tag != "" || digest != ""
}
