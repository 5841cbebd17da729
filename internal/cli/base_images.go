package cli

import (
	"context"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// baseImages asks registries about the base images that Dockerfiles name, each
// once. What cannot be had is told and stays unknown.
type baseImages struct {
	open func(reference string) (*inventory.Image, error)
	tell func(reference string, err error)

	mu    sync.Mutex
	known map[string]*inventory.Image
}

// baseImages returns access to the registries of base images.
func (p Program) baseImages(ctx context.Context, insecure bool) *baseImages {
	return &baseImages{
		known: make(map[string]*inventory.Image),
		open: func(reference string) (*inventory.Image, error) {
			t, err := target.Open(ctx, target.Request{Reference: "registry:" + reference, Insecure: insecure},
				target.Environment{Getenv: p.Getenv, HTTP: p.Transport})
			if err != nil {
				return nil, err
			}
			return t.Image, t.Close()
		},
		tell: func(reference string, err error) {
			p.printf("portcullis: base image %s: %s\n", neutralise.Log(reference), neutralise.Log(err.Error()))
		},
	}
}

// image returns what is known of a base image, or nil.
func (b *baseImages) image(reference string) *inventory.Image {
	b.mu.Lock()
	defer b.mu.Unlock()
	img, asked := b.known[reference]
	if asked {
		return img
	}
	img, err := b.open(reference)
	if err != nil {
		b.tell(reference, err)
		img = nil
	}
	b.known[reference] = img
	return img
}

// digest is the digest by which the image can be pinned on every platform.
func (b *baseImages) digest(reference string) (string, bool) {
	img := b.image(reference)
	switch {
	case img == nil:
		return "", false
	case img.IndexDigest != "":
		return img.IndexDigest, true
	default:
		return img.Digest, img.Digest != ""
	}
}

// user is the user that the image is configured with.
func (b *baseImages) user(reference string) (string, bool) {
	img := b.image(reference)
	if img == nil {
		return "", false
	}
	return img.Config.User, true
}
