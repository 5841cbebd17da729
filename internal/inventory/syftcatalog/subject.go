package syftcatalog

import (
	"strings"

	"github.com/anchore/syft/syft/source"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// subjectOf says by which names the image is known that an SBOM file describes.
// What formats keep of it differs: a version may be a digest or a tag, and may
// be part of the name.
func subjectOf(d source.Description) inventory.Subject {
	image, ok := d.Metadata.(source.ImageMetadata)
	if !ok {
		return inventory.Subject{}
	}
	var s inventory.Subject
	name := strings.Replace(image.UserInput, ":sha256:", "@sha256:", 1)
	references := append([]string{name, d.Name}, image.Tags...)
	switch version := image.ManifestDigest; {
	case strings.HasPrefix(version, "sha256:"):
		s.Digests = append(s.Digests, version)
	case version != "" && name != "" && !strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], ":@"):
		references[0] += ":" + version
	}
	references = append(references, image.RepoDigests...)
	for _, reference := range references {
		if _, digest, ok := strings.Cut(reference, "@"); ok {
			s.Digests = append(s.Digests, digest)
		}
	}
	s.References = references
	return s.Join(inventory.Subject{})
}
