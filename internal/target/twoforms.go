package target

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// checkForms compares the two lists of images that an archive of docker save
// has, index.json and manifest.json. Which of them is loaded depends on the
// version and storage of Docker, so that an image in manifest.json to which
// index.json does not lead could run in place of the one that is examined.
func checkForms(f files) error {
	docker, err := readDockerManifest(f)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	listed, err := configsOf(f)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	checked := map[string]bool{}
	for _, m := range docker {
		if checked[m.Config] {
			continue
		}
		checked[m.Config] = true
		config, err := readFile(f, m.Config, maxConfig)
		if err != nil {
			return fmt.Errorf("configuration in manifest.json: %w", err)
		}
		if id := digestOf(config); !listed[id] {
			return fmt.Errorf("ambiguous: manifest.json holds the image %s, to which index.json does not lead, and either may be loaded", id)
		}
	}
	return nil
}

// configsOf returns the digests of the configurations to which index.json leads.
// Of images for several platforms some may not be there.
func configsOf(f files) (map[string]bool, error) {
	raw, err := readFile(f, "index.json", maxManifest)
	if err != nil {
		return nil, err
	}
	w := configWalk{f: f, configs: map[string]bool{}, seen: map[string]bool{}}
	if err := w.visit(raw, 0); err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	return w.configs, nil
}

// configWalk follows indexes to the configurations of images.
type configWalk struct {
	f             files
	configs, seen map[string]bool
}

func (w configWalk) visit(raw []byte, depth int) error {
	entries, err := entriesIn(raw, w.configs)
	if err != nil || depth > maxIndexDepth+1 {
		return err
	}
	for _, d := range entries {
		if checkDescriptor(d) != nil || w.seen[d.Digest.Hex] {
			continue
		}
		w.seen[d.Digest.Hex] = true
		raw, err := readFile(w.f, "blobs/sha256/"+d.Digest.Hex, maxManifest)
		if err != nil || verify(raw, d) != nil {
			continue
		}
		if err := w.visit(raw, depth+1); err != nil {
			return fmt.Errorf("%s: %w", d.Digest, err)
		}
	}
	return nil
}

// entriesIn notes the configuration that a manifest names, and returns the
// entries of an index.
func entriesIn(raw []byte, configs map[string]bool) ([]v1.Descriptor, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if m, err := v1.ParseManifest(bytes.NewReader(raw)); err == nil && m.Config.Digest.Hex != "" {
		configs[m.Config.Digest.String()] = true
	}
	return index.Manifests, nil
}
