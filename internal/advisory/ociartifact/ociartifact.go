// Package ociartifact carries databases through container registries: as an
// image manifest whose configuration is the database's manifest and whose
// layers are its shards, one each. A shard's digest in the database is its
// digest in the registry, so that single shards can be fetched. It is not for
// images that run.
package ociartifact

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// The media types of the artifact.
const (
	// ManifestType is that of the configuration: manifest.json as it is.
	ManifestType types.MediaType = "application/vnd.portcullis.advisories.manifest.v1+json"
	// ShardType is that of the layers.
	ShardType types.MediaType = "application/vnd.portcullis.advisories.shard.v1+zstd"
)

// shardAnnotation names a layer's shard; titleAnnotation its file, which other
// clients use when they store layers.
const (
	shardAnnotation = "io.portcullis.shard"
	titleAnnotation = "org.opencontainers.image.title"
)

// maxManifest bounds the database's manifest, in bytes; real ones have some 30 KB.
const maxManifest = 16 << 20

// Registry says how to talk to registries.
type Registry struct {
	// Options hold transport and credentials.
	Options []remote.Option
	// Names hold how references are read; name.Insecure allows plain HTTP.
	Names []name.Option
}

// Push uploads a whole database and returns the digest (sha256:…) under which
// it can be pinned. The same database always has the same digest.
func (r Registry) Push(ctx context.Context, db *advisory.Database, reference string) (string, error) {
	ref, err := name.ParseReference(reference, r.Names...)
	if err != nil {
		return "", fmt.Errorf("push database: %w", err)
	}
	img, err := imageOf(ctx, db)
	if err != nil {
		return "", fmt.Errorf("push database to %s: %w", ref, err)
	}
	if err := remote.Write(ref, img, r.with(ctx)...); err != nil {
		return "", fmt.Errorf("push database to %s: %w", ref, err)
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("push database to %s: %w", ref, err)
	}
	return digest.String(), nil
}

// Artifact is a database in a registry.
type Artifact struct {
	// Digest (sha256:…) is the artifact's own; a reference may pin it.
	Digest string
	// Manifest is the content of manifest.json.
	Manifest []byte
	repo     name.Repository
	options  []remote.Option
}

// Resolve fetches the manifest of a database and nothing else. The error wraps
// advisory.ErrForeign when the reference is something else.
func (r Registry) Resolve(ctx context.Context, reference string) (Artifact, error) {
	ref, err := name.ParseReference(reference, r.Names...)
	if err != nil {
		return Artifact{}, fmt.Errorf("pull database: %w", err)
	}
	a, err := r.resolve(ctx, ref)
	if err != nil {
		return Artifact{}, fmt.Errorf("pull database %s: %w", ref, err)
	}
	return a, nil
}

// At is an artifact of which the manifest is known already, so that only its
// shards are fetched. Its other fields are empty.
func (r Registry) At(reference string) (Artifact, error) {
	ref, err := name.ParseReference(reference, r.Names...)
	if err != nil {
		return Artifact{}, fmt.Errorf("pull database: %w", err)
	}
	return Artifact{repo: ref.Context(), options: r.Options}, nil
}

func (r Registry) resolve(ctx context.Context, ref name.Reference) (Artifact, error) {
	options := r.with(ctx)
	desc, err := remote.Get(ref, options...)
	if err != nil {
		return Artifact{}, err
	}
	img, err := desc.Image()
	if err != nil {
		return Artifact{}, fmt.Errorf("%w: %w", advisory.ErrForeign, err)
	}
	m, err := img.Manifest()
	if err != nil {
		return Artifact{}, fmt.Errorf("%w: %w", advisory.ErrForeign, err)
	}
	if m.Config.MediaType != ManifestType {
		return Artifact{}, fmt.Errorf("%w: its configuration is %s, expected %s", advisory.ErrForeign, m.Config.MediaType, ManifestType)
	}
	if m.Config.Size > maxManifest {
		return Artifact{}, fmt.Errorf("%w: a manifest of %d bytes is over the limit of %d", advisory.ErrCorrupt, m.Config.Size, maxManifest)
	}
	manifest, err := img.RawConfigFile()
	if err != nil {
		return Artifact{}, err
	}
	return Artifact{Digest: desc.Digest.String(), Manifest: manifest, repo: ref.Context(), options: options}, nil
}

// Fetch returns the file of one shard; it is a store.Fetch.
func (a Artifact) Fetch(ctx context.Context, s advisory.Shard) ([]byte, error) {
	layer, err := remote.Layer(a.repo.Digest("sha256:"+s.SHA256), Registry{Options: a.options}.with(ctx)...)
	if err != nil {
		return nil, err
	}
	content, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer content.Close() //nolint:errcheck // only read
	return io.ReadAll(io.LimitReader(content, s.Size+1))
}

// Pull installs a database into a directory, with the shards that want accepts
// (nil for all), and returns the artifact's digest.
func (r Registry) Pull(ctx context.Context, reference, dir string, want func(advisory.Shard) bool) (string, advisory.Manifest, error) {
	a, err := r.Resolve(ctx, reference)
	if err != nil {
		return "", advisory.Manifest{}, err
	}
	m, err := store.Install(ctx, dir, a.Manifest, want, a.Fetch)
	if err != nil {
		return "", advisory.Manifest{}, fmt.Errorf("pull database %s: %w", reference, err)
	}
	return a.Digest, m, nil
}

// Copy brings a database from one registry to another, unchanged, and returns
// its digest.
func (r Registry) Copy(ctx context.Context, from, to string) (string, error) {
	a, err := r.Resolve(ctx, from)
	if err != nil {
		return "", err
	}
	target, err := name.ParseReference(to, r.Names...)
	if err != nil {
		return "", fmt.Errorf("copy database: %w", err)
	}
	img, err := remote.Image(a.repo.Digest(a.Digest), a.options...)
	if err != nil {
		return "", fmt.Errorf("copy database from %s: %w", from, err)
	}
	if err := remote.Write(target, img, r.with(ctx)...); err != nil {
		return "", fmt.Errorf("copy database to %s: %w", target, err)
	}
	return a.Digest, nil
}

func (r Registry) with(ctx context.Context) []remote.Option {
	return append(slices.Clone(r.Options), remote.WithContext(ctx))
}

// image is a database as go-containerregistry sees an image.
type image struct {
	manifest []byte
	config   []byte
	layers   map[v1.Hash]v1.Layer
}

func imageOf(ctx context.Context, db *advisory.Database) (v1.Image, error) {
	config, err := db.Manifest().Encode()
	if err != nil {
		return nil, err
	}
	i := image{config: config, layers: make(map[v1.Hash]v1.Layer)}
	size, digest, err := hash(config)
	if err != nil {
		return nil, err
	}
	m := v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: v1.Descriptor{MediaType: ManifestType, Size: size, Digest: digest},
		Annotations: map[string]string{
			"org.opencontainers.image.title":   "portcullis advisory database",
			"org.opencontainers.image.created": db.Manifest().Built.Format("2006-01-02T15:04:05Z07:00"),
		},
	}
	for _, s := range db.Manifest().Shards {
		data, _, err := db.Bytes(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		h := v1.Hash{Algorithm: "sha256", Hex: s.SHA256}
		i.layers[h] = static.NewLayer(data, ShardType)
		m.Layers = append(m.Layers, v1.Descriptor{
			MediaType: ShardType, Size: s.Size, Digest: h,
			Annotations: map[string]string{shardAnnotation: s.Name, titleAnnotation: s.File},
		})
	}
	if i.manifest, err = json.Marshal(m); err != nil {
		return nil, err
	}
	return partial.CompressedToImage(i)
}

func hash(data []byte) (int64, v1.Hash, error) {
	h, n, err := v1.SHA256(bytes.NewReader(data))
	return n, h, err
}

// MediaType is that of an OCI image manifest.
func (i image) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// RawManifest is the artifact's manifest.
func (i image) RawManifest() ([]byte, error) { return i.manifest, nil }

// RawConfigFile is the database's manifest.
func (i image) RawConfigFile() ([]byte, error) { return i.config, nil }

// LayerByDigest finds the configuration or a shard.
func (i image) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if layer, ok := i.layers[h]; ok {
		return layer, nil
	}
	if _, digest, err := hash(i.config); err == nil && digest == h {
		return static.NewLayer(i.config, ManifestType), nil
	}
	return nil, fmt.Errorf("no layer %s", h)
}
