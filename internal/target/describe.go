package target

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// describe makes a target out of an image configuration. The caller adds what
// only the transport knows. Named is the platform for which an index names the
// image; nil where none does.
func (o *opener) describe(raw []byte, named *v1.Platform) (*Target, error) {
	id := digestOf(raw)
	if err := checkJSON(raw); err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", id, err)
	}
	cf, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", id, err)
	}
	have := configPlatform(cf)
	if o.explicit && !o.all && !o.suits(have, named) {
		return nil, notExamined("open image "+redactText(o.req.Reference),
			fmt.Errorf("the image is for %s, not for %s", platformText(have), o.platform.String()),
			"leave --platform away or name an image for that platform")
	}
	if o.all && named != nil && sameMachine(have, *named) {
		have = *named // the images of an index are told apart by it
	} else {
		have.OSVersion = ""
	}
	img := &inventory.Image{
		ID: id, Platform: platformText(have),
		Created: cf.Created.UTC(), Config: plainConfig(cf.Config),
	}
	for _, h := range cf.History {
		img.History = append(img.History, inventory.History{
			CreatedBy: h.CreatedBy, Comment: h.Comment, Author: h.Author, Created: h.Created.UTC(), EmptyLayer: h.EmptyLayer,
		})
	}
	for _, d := range cf.RootFS.DiffIDs {
		if err := checkDescriptor(v1.Descriptor{Digest: d}); err != nil {
			return nil, fmt.Errorf("read configuration %s: diff id: %w", id, err)
		}
		img.Layers = append(img.Layers, inventory.Layer{DiffID: d.String(), History: -1})
	}
	linkHistory(img)
	return &Target{Kind: Image, Image: img, RawConfig: raw}, nil
}

// suits reports whether an image is one for the wanted platform. Where the index
// says so, variants and versions are its to tell: many configurations have none,
// or that of the base image.
func (o *opener) suits(have v1.Platform, named *v1.Platform) bool {
	if named != nil {
		return sameMachine(have, o.platform)
	}
	return matches(have, o.platform)
}

func sameMachine(a, b v1.Platform) bool {
	a, b = normal(a), normal(b)
	return a.OS == b.OS && a.Architecture == b.Architecture
}

// linkHistory tells which history entry made which layer. It is known only
// when there are as many entries with a layer as layers.
func linkHistory(img *inventory.Image) {
	var made []int
	for i, h := range img.History {
		if !h.EmptyLayer {
			made = append(made, i)
		}
	}
	if len(made) != len(img.Layers) {
		return
	}
	for i := range img.Layers {
		img.Layers[i].History = made[i]
	}
}

func plainConfig(c v1.Config) inventory.Config {
	out := inventory.Config{
		User: c.User, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd, WorkingDir: c.WorkingDir,
		ExposedPorts: slices.Sorted(maps.Keys(c.ExposedPorts)), Volumes: slices.Sorted(maps.Keys(c.Volumes)),
		Labels: c.Labels, StopSignal: c.StopSignal, Shell: c.Shell, OnBuild: c.OnBuild,
	}
	if c.Healthcheck != nil {
		out.Healthcheck = c.Healthcheck.Test
	}
	return out
}
