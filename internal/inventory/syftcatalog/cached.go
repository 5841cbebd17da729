package syftcatalog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/packed"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// imageSchema is the form of a cached image; it changes with what is recorded.
const imageSchema = "portcullis image 10 " + packed.Schema

// programVersion identifies what is selected in layers and who reads it: two
// builds that differ in either do not share entries of the cache.
func programVersion(build string) string {
	h := sha256.New()
	for _, pattern := range wantedGlobs {
		fmt.Fprintln(h, pattern)
	}
	for _, signature := range signatures {
		fmt.Fprintf(h, "%x %d\n", signature.Bytes, signature.Within)
	}
	return build + " " + hex.EncodeToString(h.Sum(nil))
}

// imageKey says all that the inventory of an image depends on; it is empty when
// the cache is not to be used. The digest of the configuration and the diff ids
// in it, which are verified, stand for the layers.
func imageKey(t *target.Target, opts Options) string {
	if opts.Cache == nil || opts.Build == "" || t.Image == nil || t.Image.ID == "" || len(t.Layers) == 0 {
		return ""
	}
	parts := []string{imageSchema, programVersion(opts.Build), opts.ToolVersion, t.Image.ID}
	for _, l := range t.Layers {
		if l.DiffID == "" {
			return ""
		}
		parts = append(parts, l.DiffID)
	}
	for _, inspector := range opts.Inspectors {
		parts = append(parts, inspector.Name())
	}
	return strings.Join(parts, "\x00")
}

// licencesKey is the key of an inventory with the licences of packages.
func licencesKey(key string) string { return key + "\x00licences" }

// keys are those of the entries that serve, the best one first: an inventory
// with licences where they will be looked at, and otherwise one without or with
// them.
func (o Options) keys(key string) []string {
	if o.Licences {
		return []string{licencesKey(key)}
	}
	return []string{key, licencesKey(key)}
}

// documentKey is the key of an image's SBOM in a format. It is several times as
// large as all the rest, and few runs write one, so that it is an entry of its
// own. It names the image, as the rest does not: the SBOM of nothing says how.
func documentKey(key string, f Format, t *target.Target) (string, error) {
	src := &layerSource{target: t}
	empty := &SBOM{model: &sbom.SBOM{Source: src.Describe(), Artifacts: sbom.Artifacts{Packages: pkg.NewCollection()}}}
	named, err := empty.document(f)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{key, string(f), string(named)}, "\x00"), nil
}

// fromCache takes an image's inventory from the cache, and its SBOM where one
// will be written. What a limit refuses is left to the reading of the layers,
// which says so. The inventory was valid when it was put in, and the cache
// vouches that it is what was put in.
func (s *SBOM) fromCache(key string, t *target.Target, opts Options) (inventory.Inventory, bool) {
	documents := make(map[Format]func() ([]byte, error))
	for _, f := range opts.SBOM {
		key, err := documentKey(key, f, t)
		var document []byte
		if err != nil || !opts.Cache.Get(key, func(r io.Reader) (err error) {
			document, err = io.ReadAll(r)
			return err
		}) {
			return inventory.Inventory{}, false
		}
		documents[f] = func() ([]byte, error) { return document, nil }
	}
	var found packed.Image
	ok := opts.Cache.Get(key, func(r io.Reader) (err error) {
		found, err = packed.Decode(r)
		return err
	})
	limits := opts.Limits.WithDefaults()
	if !ok || found.Stats.Inflated > limits.ImageSize || found.Stats.Files > int64(limits.Files) || len(t.Layers) > limits.Layers {
		return inventory.Inventory{}, false
	}
	found.Inventory.Image = t.Image
	if opts.Inspected != nil {
		opts.Inspected(&found.Inspections)
	}
	s.stats, s.documents = layers.Stats{Cached: int64(len(t.Layers))}, documents
	return found.Inventory, true
}

// holdsSecret reports whether the text of a file holds a secret.
func holdsSecret(f inventory.File) bool {
	if len(f.Content) == 0 {
		return false
	}
	scanner := credential.NewScanner()
	scanner.Begin(f.Path, f.Content)
	scanner.Write(f.Content)
	found, _ := scanner.End()
	return len(found) > 0
}

// keep puts an image's inventory into the cache.
//
// One with a text that holds a secret is not kept, nor is the configuration, in
// which there may be one; a cache is a file like any other. The inventory must be
// valid: what comes out is not looked at again.
func (s *SBOM) keep(key string, inv inventory.Inventory, t *target.Target, opts Options) {
	if slices.ContainsFunc(inv.Files, holdsSecret) {
		return
	}
	key = opts.keys(key)[0]
	for _, f := range opts.SBOM {
		document, err := s.document(f)
		if err != nil {
			return // Who writes it is told.
		}
		key, err := documentKey(key, f, t)
		if err != nil {
			return
		}
		opts.Cache.Put(key, func(w io.Writer) error {
			_, err := w.Write(document)
			return err
		})
	}
	opts.Cache.Put(key, func(w io.Writer) error {
		return packed.Encode(w, packed.Image{Inventory: inv, Inspections: *s.inspections, Stats: s.stats})
	})
}
