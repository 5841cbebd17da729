package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// archiveKind tells by its content what sort of archive a file is. A file with
// both an OCI layout and docker's manifest.json, as docker itself writes since
// version 25, is read as an OCI archive, whose digests can be verified.
func archiveKind(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	t, err := openTar(f)
	if err != nil {
		return "", fmt.Errorf("not an image archive: %w", err)
	}
	defer func() { _ = f.Close() }()
	if t.isLayout() {
		return "oci-archive", nil
	}
	if _, ok := t.entries["manifest.json"]; ok {
		return "docker-archive", nil
	}
	if _, ok := t.entries["repositories"]; ok {
		return "", errors.New("an archive as Docker wrote it before version 1.10: it has no manifest.json; load it and save it again with a current tool")
	}
	return "", errors.New("not an image archive: it has neither oci-layout nor manifest.json")
}

func (o *opener) dockerArchive(ctx context.Context, ref string) ([]*Target, error) {
	file, selector := splitPath(ref)
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open docker archive: %w", err)
	}
	t, err := openTar(f)
	if err != nil {
		return nil, fmt.Errorf("open docker archive: %w", err)
	}
	return o.openSaved(ctx, t, baseName(file), selector)
}

// openSaved opens what docker save writes. Of an image for several platforms
// manifest.json has one, so that where platforms are named the other list counts,
// if there is one.
func (o *opener) openSaved(ctx context.Context, f *tarFiles, name, selector string) ([]*Target, error) {
	if o.explicit && f.isLayout() {
		targets, err := o.openLayout(ctx, f, f.f.Close, "", selector)
		for _, t := range targets {
			t.Name = name
		}
		return targets, err
	}
	t, err := o.readDockerArchive(f, strings.TrimPrefix(selector, ":"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read docker archive: %w", err), f.f.Close())
	}
	t.Name = name
	t.closers = append(t.closers, f.f.Close)
	return []*Target{t}, nil
}

// dockerManifest is one image of manifest.json in a docker archive.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// readDockerArchive describes an image of a docker archive. Diff ids come from
// the configuration; asking go-containerregistry for digests would compress
// the whole image.
func (o *opener) readDockerArchive(f files, selector string) (*Target, error) {
	all, err := readDockerManifest(f)
	if err != nil {
		return nil, err
	}
	m, err := o.chooseDocker(all, selector)
	if err != nil {
		return nil, err
	}
	config, err := readFile(f, m.Config, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	t, err := o.describe(config, nil)
	if err != nil {
		return nil, err
	}
	if err := checkConfigName(m.Config, t.Image.ID); err != nil {
		return nil, err
	}
	if len(m.Layers) != len(t.Image.Layers) {
		return nil, fmt.Errorf("manifest.json has %d layers, but the configuration has %d diff ids", len(m.Layers), len(t.Image.Layers))
	}
	for i, name := range m.Layers {
		r, size, err := f.file(name)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		_ = r.Close()
		t.Layers = append(t.Layers, layers.Blob{
			DiffID: t.Image.Layers[i].DiffID, Size: size,
			Open: func(context.Context) (io.ReadCloser, error) {
				r, _, err := f.file(name)
				return r, err
			},
		})
	}
	t.Tags = m.RepoTags
	return t, nil
}

func readDockerManifest(f files) ([]dockerManifest, error) {
	raw, err := readFile(f, "manifest.json", maxManifest)
	if err != nil {
		return nil, err
	}
	if err := checkJSON(raw); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	var all []dockerManifest
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	return all, nil
}

// chooseDocker chooses among the images of an archive: by name, by the digest of
// the configuration, which is the image's id, or the only one there is.
func (o *opener) chooseDocker(all []dockerManifest, selector string) (dockerManifest, error) {
	var images []dockerManifest
	known := map[string]int{}
	for _, m := range all {
		key := m.Config + "\x00" + strings.Join(m.Layers, "\x00")
		if i, ok := known[key]; ok {
			images[i].RepoTags = append(images[i].RepoTags, m.RepoTags...)
			continue
		}
		known[key] = len(images)
		m.RepoTags = slices.Clone(m.RepoTags)
		images = append(images, m)
	}
	var have []string
	chosen := images
	if selector != "" {
		chosen = nil
	}
	for _, m := range images {
		id := idIn(m.Config)
		switch {
		case len(m.RepoTags) > 0:
			have = append(have, m.RepoTags...)
		case id != "":
			have = append(have, "@"+id)
		default:
			have = append(have, m.Config)
		}
		if selector != "" && (isNamed(m.RepoTags, selector) || id != "" && selector == "@"+id) {
			chosen = append(chosen, m)
		}
	}
	const hint = "name one of them: PATH:REPOSITORY:TAG or PATH@ID"
	switch {
	case len(images) == 0:
		return dockerManifest{}, errors.New("manifest.json lists no image")
	case len(chosen) == 1:
		return chosen[0], nil
	case len(chosen) == 0:
		return dockerManifest{}, notExamined("open image "+o.req.Reference,
			fmt.Errorf("there is no image %q, only %s", strings.TrimPrefix(selector, "@"), listing(have)), hint)
	case selector != "":
		return dockerManifest{}, notExamined("open image "+o.req.Reference,
			fmt.Errorf("%d images are named %q", len(chosen), strings.TrimPrefix(selector, "@")), hint)
	default:
		return dockerManifest{}, notExamined("open image "+o.req.Reference,
			fmt.Errorf("it holds %d images: %s", len(images), listing(have)), hint)
	}
}

// idIn is the digest that the name of a configuration usually is, or "".
func idIn(name string) string {
	base := strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".json")
	base = strings.TrimPrefix(base, "sha256:")
	if !sha256Hex.MatchString(base) {
		return ""
	}
	return "sha256:" + base
}

// checkConfigName compares the configuration with the digest that its file
// name usually is.
func checkConfigName(name, id string) error {
	if named := idIn(name); named != "" && named != id {
		return fmt.Errorf("the configuration %s has the digest %s", name, id)
	}
	return nil
}
