package target

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

const (
	// maxManifest is the size above which no registry has to accept a manifest
	// (OCI distribution specification, "Pushing Manifests").
	maxManifest = 4 << 20
	// maxConfig bounds the image configuration, whose history may be long.
	maxConfig = 16 << 20
	// maxIndexDepth is how deep indexes may be nested.
	maxIndexDepth = 4
)

// store holds the parts of an image by digest.
type store interface {
	// open returns a blob from its start. The bytes are not verified.
	open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
	// manifest returns a manifest. The bytes are not verified.
	manifest(ctx context.Context, d v1.Descriptor) ([]byte, error)
}

// document is a manifest or index as it was read.
type document struct {
	raw       []byte
	digest    string
	mediaType string
}

// maxPlatforms bounds how many entries of indexes are looked at; the official
// ones have about a dozen images.
const maxPlatforms = 64

// found is a manifest, and the index that led to it with the platform that it
// names for it.
type found struct {
	document
	indexDigest string
	platform    *v1.Platform
}

// ociImages follows a manifest or index to the images of the wanted platform,
// or of all, and describes them. What cannot be read of several is in the error
// beside the others.
func (o *opener) ociImages(ctx context.Context, s store, root document) ([]*Target, error) {
	manifests, err := o.follow(ctx, s, found{document: root}, 0)
	errs := []error{err}
	var targets []*Target
	for i, m := range manifests {
		if slices.ContainsFunc(manifests[:i], func(f found) bool { return f.digest == m.digest }) {
			continue
		}
		t, err := o.fromManifest(ctx, s, m)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		targets = append(targets, t)
	}
	return targets, errors.Join(errs...)
}

// follow returns the manifests that an index leads to.
func (o *opener) follow(ctx context.Context, s store, doc found, depth int) ([]found, error) {
	kind, err := classify(doc.document)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read manifest %s: %w", doc.digest, err)
	case kind == "manifest":
		return []found{doc}, nil
	case depth >= maxIndexDepth:
		return nil, fmt.Errorf("read index %s: indexes are nested more than %d deep", doc.digest, maxIndexDepth)
	}
	choice, err := o.choose(doc.document)
	if err != nil {
		return nil, err
	}
	if o.followed += len(choice.follow) + len(choice.unnamed); o.followed > maxPlatforms {
		return nil, fmt.Errorf("read index %s: it lists more than %d images", doc.digest, maxPlatforms)
	}
	if len(choice.follow) == 0 {
		return o.search(ctx, s, doc, choice, depth)
	}
	var manifests []found
	var errs []error
	for _, d := range choice.follow {
		next, err := doc.entry(ctx, s, d)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		below, err := o.follow(ctx, s, next, depth+1)
		manifests, errs = append(manifests, below...), append(errs, err)
	}
	return manifests, errors.Join(errs...)
}

// entry reads what an entry of the index names.
func (f found) entry(ctx context.Context, s store, d v1.Descriptor) (found, error) {
	doc, err := readManifest(ctx, s, d)
	return found{document: doc, indexDigest: cmp.Or(f.indexDigest, f.digest), platform: d.Platform}, err
}

func readManifest(ctx context.Context, s store, d v1.Descriptor) (document, error) {
	raw, err := s.manifest(ctx, d)
	if err != nil {
		return document{}, fmt.Errorf("read manifest %s: %w", d.Digest, err)
	}
	if err := verify(raw, d); err != nil {
		return document{}, fmt.Errorf("read manifest %s: %w", d.Digest, err)
	}
	return document{raw: raw, digest: d.Digest.String(), mediaType: string(d.MediaType)}, nil
}

// verify compares bytes with what a descriptor promises.
func verify(raw []byte, d v1.Descriptor) error {
	if d.Size > 0 && int64(len(raw)) != d.Size {
		return fmt.Errorf("%d bytes read, but %d were promised", len(raw), d.Size)
	}
	if got := digestOf(raw); got != d.Digest.String() {
		return fmt.Errorf("the content has the digest %s", got)
	}
	return nil
}

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// classify tells a manifest from an index and refuses what could be taken for
// both (CVE-2021-41190) or read in two ways.
func classify(d document) (string, error) {
	if err := checkJSON(d.raw); err != nil {
		return "", err
	}
	var probe struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     string          `json:"mediaType"`
		Config        json.RawMessage `json:"config"`
		Layers        json.RawMessage `json:"layers"`
		FSLayers      json.RawMessage `json:"fsLayers"`
		Manifests     json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(d.raw, &probe); err != nil {
		return "", fmt.Errorf("not a manifest: %w", err)
	}
	isImage, isIndex := probe.Config != nil || probe.Layers != nil, probe.Manifests != nil
	switch {
	case probe.FSLayers != nil || probe.SchemaVersion == 1 || strings.Contains(d.mediaType, "docker.distribution.manifest.v1"):
		return "", errors.New("manifests of schema 1 are not supported; push the image again with a current tool")
	case isImage && isIndex:
		return "", errors.New("ambiguous: it has both layers and manifests")
	case probe.MediaType != "" && d.mediaType != "" && probe.MediaType != d.mediaType:
		return "", fmt.Errorf("ambiguous: it was announced as %s and calls itself %s", d.mediaType, probe.MediaType)
	case isIndex:
		return "index", nil
	case probe.Config != nil && probe.Layers != nil:
		return "manifest", nil
	default:
		return "", errors.New("neither an image manifest nor an index")
	}
}

// fromManifest reads the configuration of an image and describes its layers.
func (o *opener) fromManifest(ctx context.Context, s store, doc found) (*Target, error) {
	m, config, err := readImage(ctx, s, doc.document)
	if err != nil {
		return nil, err
	}
	t, err := o.describe(config, doc.platform)
	if err != nil {
		return nil, err
	}
	t.MediaType, t.RawManifest = doc.mediaType, doc.raw
	t.Image.Digest, t.Image.IndexDigest = doc.digest, doc.indexDigest
	if len(m.Layers) != len(t.Image.Layers) {
		return nil, fmt.Errorf("read manifest %s: it has %d layers, but its configuration has %d diff ids", doc.digest, len(m.Layers), len(t.Image.Layers))
	}
	for i, d := range m.Layers {
		if err := checkLayer(d); err != nil {
			return nil, fmt.Errorf("read manifest %s: layer %d: %w", doc.digest, i, err)
		}
		t.Layers = append(t.Layers, layers.Blob{
			DiffID: t.Image.Layers[i].DiffID, Digest: d.Digest.String(), Size: d.Size, MediaType: string(d.MediaType),
			Open: func(ctx context.Context) (io.ReadCloser, error) { return s.open(ctx, d) },
		})
	}
	return t, nil
}

// readImage reads a manifest and its configuration.
func readImage(ctx context.Context, s store, doc document) (*v1.Manifest, []byte, error) {
	m, err := v1.ParseManifest(bytes.NewReader(doc.raw))
	if err != nil {
		return nil, nil, fmt.Errorf("read manifest %s: %w", doc.digest, err)
	}
	if err := checkDescriptor(m.Config); err != nil {
		return nil, nil, fmt.Errorf("read manifest %s: configuration: %w", doc.digest, err)
	}
	switch m.Config.MediaType {
	case types.OCIConfigJSON, types.DockerConfigJSON, "", "application/octet-stream":
		// The last two are what tools of Docker 1.10 wrote.
	default:
		return nil, nil, fmt.Errorf("read manifest %s: %w", doc.digest, &artifactError{string(m.Config.MediaType)})
	}
	config, err := readConfig(ctx, s, m.Config)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration %s: %w", m.Config.Digest, err)
	}
	return m, config, nil
}

// artifactError says that something in a registry is not a container image; no
// runtime runs what has a configuration of another type.
type artifactError struct{ mediaType string }

func (e *artifactError) Error() string {
	return fmt.Sprintf("it is an artifact and not a container image: its configuration is of type %q", e.mediaType)
}

func readConfig(ctx context.Context, s store, d v1.Descriptor) ([]byte, error) {
	if d.Size > maxConfig {
		return nil, fmt.Errorf("it claims %d bytes, more than the limit of %d", d.Size, maxConfig)
	}
	r, err := s.open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	raw, err := readAtMost(r, maxConfig)
	if err != nil {
		return nil, err
	}
	return raw, verify(raw, d)
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return raw, err
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

func checkDescriptor(d v1.Descriptor) error {
	if d.Digest.Algorithm != "sha256" || !sha256Hex.MatchString(d.Digest.Hex) {
		return fmt.Errorf("digest %q is not a SHA-256 digest", d.Digest.String())
	}
	if d.Size < 0 {
		return fmt.Errorf("size %d is negative", d.Size)
	}
	return nil
}

func checkLayer(d v1.Descriptor) error {
	if err := checkDescriptor(d); err != nil {
		return err
	}
	if !d.MediaType.IsDistributable() || len(d.URLs) > 0 {
		return fmt.Errorf("it is a foreign layer (%s), which is not in the registry and is not fetched from elsewhere", d.MediaType)
	}
	switch d.MediaType {
	case types.OCILayer, types.OCILayerZStd, types.OCIUncompressedLayer, types.DockerLayer, types.DockerUncompressedLayer,
		"application/vnd.docker.image.rootfs.diff.tar.zstd":
		return nil
	}
	return fmt.Errorf("media type %q is not that of a container image layer", d.MediaType)
}
