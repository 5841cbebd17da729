package target

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// parts is a store that answers every digest with the bytes that have it.
type parts [][]byte

func (p parts) manifest(_ context.Context, d v1.Descriptor) ([]byte, error) {
	for _, raw := range p {
		if digestOf(raw) == d.Digest.String() {
			return raw, nil
		}
	}
	return nil, errors.New("not there")
}

func (p parts) open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	raw, err := p.manifest(ctx, d)
	return io.NopCloser(bytes.NewReader(raw)), err
}

// file answers as an archive with these parts as manifest.json and its config.
func (p parts) file(name string) (io.ReadCloser, int64, error) {
	i := 1
	if name == "manifest.json" {
		i = 0
	}
	return io.NopCloser(bytes.NewReader(p[i])), int64(len(p[i])), nil
}

// FuzzDescribe reads any bytes as an image's manifest and configuration. What
// is accepted has the digests of what was read and a diff id for each layer.
func FuzzDescribe(f *testing.F) {
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:` + zeros + `"]},"history":[{"created_by":"ADD x /"}],"config":{"User":"a"}}`)
	manifest := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` +
		digestOf(config) + `","size":` + strconv.Itoa(len(config)) + `},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:` + zeros + `","size":1}]}`)
	f.Add(manifest, config)
	f.Add([]byte(`[{"Config":"config.json","RepoTags":["a:1"],"Layers":["l.tar"]}]`), config)
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"`+digestOf(manifest)+`","size":`+strconv.Itoa(len(manifest))+`,"platform":{"os":"linux","architecture":"amd64"}}]}`), manifest)
	whole := &opener{platform: v1.Platform{OS: "linux", Architecture: "amd64"}}
	if targets, err := whole.ociImages(context.Background(), parts{manifest, config}, document{raw: manifest, digest: digestOf(manifest)}); err != nil || len(targets) != 1 {
		f.Fatalf("the whole image is refused: %v", err)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		check := func(got *Target) {
			if got.Image.ID != digestOf(second) && got.Image.ID != digestOf(first) {
				t.Errorf("id %s is that of nothing that was read", got.Image.ID)
			}
			if len(got.Layers) != len(got.Image.Layers) {
				t.Errorf("%d layers to read, but %d are described", len(got.Layers), len(got.Image.Layers))
			}
			for _, h := range got.Image.Layers {
				if h.History >= len(got.Image.History) {
					t.Errorf("a layer of history entry %d of %d", h.History, len(got.Image.History))
				}
			}
		}
		store := parts{first, second}
		for _, all := range []bool{false, true} {
			o := &opener{platform: v1.Platform{OS: "linux", Architecture: "amd64"}, all: all}
			targets, err := o.ociImages(t.Context(), store, document{raw: first, digest: digestOf(first)})
			if err == nil && len(targets) == 0 {
				t.Error("no image and no error")
			}
			for _, got := range targets {
				check(got)
			}
		}
		if got, err := (&opener{}).readDockerArchive(store, ""); err == nil {
			check(got)
		}
	})
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
