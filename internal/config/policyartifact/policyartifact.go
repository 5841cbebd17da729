// Package policyartifact carries policies through container registries, so that
// the repositories of an organisation can include one by its digest: as an OCI
// artifact with one layer, the YAML file. Everything that is read is compared
// with the digests that lead to it, also what lies in the cache. It does not
// know what a policy says.
package policyartifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/portcullis-ci/portcullis/internal/atomicfile"
)

// The media types of the artifact (OCI image specification, "Guidelines for
// Artifact Usage").
const (
	// ArtifactType says what the artifact is.
	ArtifactType = "application/vnd.portcullis.policy.v1"
	// LayerType is that of the policy's file.
	LayerType types.MediaType = "application/vnd.portcullis.policy.v1+yaml"

	emptyType types.MediaType = "application/vnd.oci.empty.v1+json"
)

// maxSize bounds manifest and policy in bytes; the configuration's reader takes
// no larger file.
const maxSize = 1 << 20

// Registry says how to talk to registries.
type Registry struct {
	// Options hold transport and credentials, Names how references are read.
	Options []remote.Option
	Names   []name.Option
}

// Source reads policies.
type Source struct {
	// Connect returns access to the registry of a reference. It is called only
	// for what the cache does not hold, and refuses where the network is
	// switched off.
	Connect func(reference string) (Registry, error)
	// Cache is the directory that keeps what was read; empty for none.
	Cache string
	// Tell is told that the cache could not be written; may be nil.
	Tell func(error)
}

// manifest is the part of an OCI image manifest that the artifact uses.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// policy returns the descriptor of the policy's file.
func (m manifest) policy() (v1.Descriptor, error) {
	if len(m.Layers) != 1 || m.Layers[0].MediaType != LayerType {
		return v1.Descriptor{}, fmt.Errorf("it is no policy: a policy has one layer of the type %s", LayerType)
	}
	if m.Layers[0].Size > maxSize {
		return v1.Descriptor{}, fmt.Errorf("the policy has %d bytes, at most %d are read", m.Layers[0].Size, maxSize)
	}
	return m.Layers[0], nil
}

// Fetch returns the policy that a reference with a digest names.
func (s Source) Fetch(ctx context.Context, reference string) ([]byte, error) {
	ref, err := name.NewDigest(reference)
	if err != nil {
		return nil, fmt.Errorf("read the reference: %w", err)
	}
	digest, err := v1.NewHash(ref.DigestStr())
	if err != nil {
		return nil, fmt.Errorf("read the reference: %w", err)
	}
	if content, err := s.cached(digest); err == nil {
		return content, nil
	}
	access, err := s.Connect(reference)
	if err != nil {
		return nil, err
	}
	raw, content, err := access.fetch(ctx, reference)
	if err != nil {
		return nil, fmt.Errorf("fetch the policy: %w", err)
	}
	if err := s.keep(digest, raw, content); err != nil && s.Tell != nil {
		s.Tell(fmt.Errorf("keep the policy in the cache: %w", err))
	}
	return content, nil
}

// fetch reads manifest and policy from the registry.
func (r Registry) fetch(ctx context.Context, reference string) (raw, content []byte, err error) {
	ref, err := name.NewDigest(reference, r.Names...)
	if err != nil {
		return nil, nil, err
	}
	options := append(append([]remote.Option{}, r.Options...), remote.WithContext(ctx))
	desc, err := remote.Get(ref, options...)
	if err != nil {
		return nil, nil, err
	}
	want, err := parse(desc.Manifest, desc.Digest)
	if err != nil {
		return nil, nil, err
	}
	layer, err := remote.Layer(ref.Digest(want.Digest.String()), options...)
	if err != nil {
		return nil, nil, err
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = body.Close() }()
	content, err = io.ReadAll(io.LimitReader(body, maxSize+1))
	if err != nil {
		return nil, nil, err
	}
	return desc.Manifest, content, verify(content, want.Digest)
}

// parse reads a manifest and returns the policy that it names.
func parse(raw []byte, digest v1.Hash) (v1.Descriptor, error) {
	if err := verify(raw, digest); err != nil {
		return v1.Descriptor{}, err
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return v1.Descriptor{}, fmt.Errorf("read its manifest: %w", err)
	}
	return m.policy()
}

func verify(content []byte, want v1.Hash) error {
	sum := sha256.Sum256(content)
	if got := hex.EncodeToString(sum[:]); want.Algorithm != "sha256" || got != want.Hex {
		return fmt.Errorf("the content has the digest sha256:%s, but %s was promised", got, want)
	}
	return nil
}

// cached reads a policy from the cache.
func (s Source) cached(digest v1.Hash) ([]byte, error) {
	if s.Cache == "" {
		return nil, os.ErrNotExist
	}
	raw, err := os.ReadFile(filepath.Join(s.Cache, digest.Hex+".json"))
	if err != nil {
		return nil, err
	}
	want, err := parse(raw, digest)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(s.Cache, want.Digest.Hex+".yaml"))
	if err != nil {
		return nil, err
	}
	return content, verify(content, want.Digest)
}

// keep writes a policy that was fetched into the cache.
func (s Source) keep(digest v1.Hash, raw, content []byte) error {
	if s.Cache == "" {
		return nil
	}
	want, err := parse(raw, digest)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Cache, 0o755); err != nil {
		return err
	}
	return errors.Join(atomicfile.WriteBytes(filepath.Join(s.Cache, want.Digest.Hex+".yaml"), content),
		atomicfile.WriteBytes(filepath.Join(s.Cache, digest.Hex+".json"), raw))
}

// Push uploads a policy and returns the digest (sha256:…) by which it is
// included. The same policy always has the same digest.
func (r Registry) Push(ctx context.Context, content []byte, reference string) (string, error) {
	ref, err := name.ParseReference(reference, r.Names...)
	if err != nil {
		return "", fmt.Errorf("push policy: %w", err)
	}
	empty := static.NewLayer([]byte("{}"), emptyType)
	policy := static.NewLayer(content, LayerType)
	raw, err := encode(content)
	if err != nil {
		return "", fmt.Errorf("push policy to %s: %w", ref, err)
	}
	options := append(append([]remote.Option{}, r.Options...), remote.WithContext(ctx))
	for _, layer := range []v1.Layer{empty, policy} {
		if err := remote.WriteLayer(ref.Context(), layer, options...); err != nil {
			return "", fmt.Errorf("push policy to %s: %w", ref, err)
		}
	}
	if err := remote.Put(ref, artifact(raw), options...); err != nil {
		return "", fmt.Errorf("push policy to %s: %w", ref, err)
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// encode makes the manifest of a policy.
func encode(content []byte) ([]byte, error) {
	describe := func(data []byte, mediaType types.MediaType) v1.Descriptor {
		sum := sha256.Sum256(data)
		return v1.Descriptor{MediaType: mediaType, Size: int64(len(data)), Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}}
	}
	layer := describe(content, LayerType)
	layer.Annotations = map[string]string{"org.opencontainers.image.title": "policy.yaml"}
	return json.Marshal(manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: ArtifactType,
		Config: describe([]byte("{}"), emptyType), Layers: []v1.Descriptor{layer},
		Annotations: map[string]string{"org.opencontainers.image.title": "portcullis policy"},
	})
}

// artifact is a manifest as go-containerregistry uploads it.
type artifact []byte

// RawManifest is the manifest.
func (a artifact) RawManifest() ([]byte, error) { return a, nil }

// MediaType is that of an OCI image manifest.
func (a artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
