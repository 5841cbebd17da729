package target

import (
	"bytes"
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
	head := make([]byte, 4)
	if n, _ := io.ReadFull(f, head); n >= 2 && (bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd})) {
		return "", errors.Join(errors.New("the archive is compressed as a whole; unpack it with gzip -d or zstd -d first"), f.Close())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", errors.Join(err, f.Close())
	}
	t, err := openTar(f)
	if err != nil {
		return "", fmt.Errorf("not an image archive: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, ok := t.entries["oci-layout"]; ok {
		if _, ok := t.entries["index.json"]; ok {
			return "oci-archive", nil
		}
	}
	if _, ok := t.entries["manifest.json"]; ok {
		return "docker-archive", nil
	}
	return "", errors.New("not an image archive: it has neither oci-layout nor manifest.json")
}

func (o *opener) dockerArchive(_ context.Context, ref string) (*Target, error) {
	file, selector := splitPath(ref)
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open docker archive: %w", err)
	}
	t, err := openTar(f)
	if err != nil {
		return nil, fmt.Errorf("open docker archive: %w", err)
	}
	return o.openDockerArchive(t, f.Close, baseName(file), strings.TrimPrefix(selector, ":"))
}

func (o *opener) openDockerArchive(f files, done func() error, name, selector string) (*Target, error) {
	t, err := o.readDockerArchive(f, selector)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read docker archive: %w", err), done())
	}
	t.Name = name
	t.closers = append(t.closers, done)
	return t, nil
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
	m, err := o.pickDocker(f, selector)
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

func (o *opener) pickDocker(f files, selector string) (dockerManifest, error) {
	raw, err := readFile(f, "manifest.json", maxManifest)
	if err != nil {
		return dockerManifest{}, err
	}
	if err := checkJSON(raw); err != nil {
		return dockerManifest{}, fmt.Errorf("manifest.json: %w", err)
	}
	var all []dockerManifest
	if err := json.Unmarshal(raw, &all); err != nil {
		return dockerManifest{}, fmt.Errorf("manifest.json: %w", err)
	}
	var have []string
	for _, m := range all {
		have = append(have, m.RepoTags...)
		if selector != "" && slices.Contains(m.RepoTags, selector) {
			return m, nil
		}
	}
	switch {
	case len(all) == 0:
		return dockerManifest{}, errors.New("manifest.json lists no image")
	case selector != "":
		return dockerManifest{}, fmt.Errorf("there is no image %q, only %s", selector, strings.Join(have, ", "))
	case len(all) > 1:
		return dockerManifest{}, notExamined("open image "+o.req.Reference, fmt.Errorf("it holds %d images: %s", len(all), strings.Join(have, ", ")),
			"name one: docker-archive:PATH:REPOSITORY:TAG")
	}
	return all[0], nil
}

// checkConfigName compares the configuration with the digest that its file
// name usually is.
func checkConfigName(name, id string) error {
	base := strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".json")
	base = strings.TrimPrefix(base, "sha256:")
	if sha256Hex.MatchString(base) && "sha256:"+base != id {
		return fmt.Errorf("the configuration %s has the digest %s", name, id)
	}
	return nil
}
