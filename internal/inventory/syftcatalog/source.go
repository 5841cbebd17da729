package syftcatalog

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/source"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// layerSource is a target as syft wants to see it.
type layerSource struct {
	target   *target.Target
	resolver *resolver
}

func newSource(ctx context.Context, t *target.Target, x *layers.Index) *layerSource {
	return &layerSource{target: t, resolver: newResolver(ctx, x)}
}

// ID returns the digest of the image configuration.
func (s *layerSource) ID() artifact.ID {
	if s.target.Image == nil {
		return artifact.ID(path.Base(s.target.Name))
	}
	return artifact.ID(strings.TrimPrefix(s.target.Image.ID, "sha256:"))
}

// FileResolver returns the squashed tree. Other scopes are never asked for.
func (s *layerSource) FileResolver(scope source.Scope) (file.Resolver, error) {
	if scope != source.SquashedScope {
		return nil, fmt.Errorf("scope %q is not supported", scope)
	}
	return s.resolver, nil
}

// Close does nothing: the index belongs to the caller.
func (s *layerSource) Close() error { return nil }

// Describe names the target. The metadata is that of an image for root file
// systems as well, because syft chooses the catalogers for installed packages
// by its type.
func (s *layerSource) Describe() source.Description {
	m := source.ImageMetadata{UserInput: s.target.Name, MediaType: s.target.MediaType}
	version := ""
	if img := s.target.Image; img != nil {
		p := strings.SplitN(img.Platform, "/", 3)
		m.ID, m.ManifestDigest, m.UserInput = img.ID, img.Digest, img.Reference
		m.OS, m.Labels = p[0], showableLabels(img.Config.Labels)
		if len(p) > 1 {
			m.Architecture = p[1]
		}
		if len(p) > 2 {
			m.Variant = p[2]
		}
		m.RawConfig, m.RawManifest, m.Tags = s.target.RawConfig, s.target.RawManifest, s.target.Tags
		if version = img.Digest; version == "" {
			version = img.ID
		}
	}
	for _, l := range s.target.Layers {
		m.Layers = append(m.Layers, source.LayerMetadata{MediaType: l.MediaType, Digest: l.DiffID, Size: max(l.Size, 0)})
		m.Size += max(l.Size, 0)
	}
	return source.Description{ID: string(s.ID()), Name: s.target.Name, Version: version, Metadata: m}
}

// showableLabels withholds the values of labels that hold a secret: an SBOM is
// passed around.
func showableLabels(labels map[string]string) map[string]string {
	out := make(map[string]string, len(labels))
	for name, value := range labels {
		if _, secret := credential.OfPair(name, value); secret {
			value = "(not shown: holds a secret)"
		}
		out[name] = value
	}
	return out
}
