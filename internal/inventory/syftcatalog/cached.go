package syftcatalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/format/syftjson"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/packed"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// imageSchema is the form of a cached image; it changes with what is recorded.
const imageSchema = "portcullis image 8 " + packed.Schema

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

// modelKey is the key of an image's SBOM, as syft JSON. It is several times as
// large as all the rest, and few runs write one, so that it is an entry of its
// own.
func modelKey(key string) string { return key + "\x00model" }

// fromCache takes an image's inventory from the cache, and its SBOM where one
// will be written. What a limit refuses is left to the reading of the layers,
// which says so. The inventory was valid when it was put in, and the cache
// vouches that it is what was put in.
func (s *SBOM) fromCache(key string, t *target.Target, opts Options) (inventory.Inventory, bool) {
	var model []byte
	if opts.SBOM && !opts.Cache.Get(modelKey(key), func(r io.Reader) (err error) {
		model, err = io.ReadAll(r)
		return err
	}) {
		return inventory.Inventory{}, false
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
	s.stats = layers.Stats{Cached: int64(len(t.Layers))}
	s.later = unasked
	if opts.SBOM {
		s.later = func() (*sbom.SBOM, error) { return decodeModel(model, t, opts) }
	}
	return found.Inventory, true
}

// unasked is the SBOM of an image that was read for something else.
func unasked() (*sbom.SBOM, error) {
	return nil, errors.New("it was not asked for when the image was read")
}

// decodeModel reads a cached SBOM, whose source is named as it is now.
func decodeModel(raw []byte, t *target.Target, opts Options) (*sbom.SBOM, error) {
	model, _, _, err := syftjson.NewFormatDecoder().Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the SBOM in the cache: %w", err)
	}
	src := &layerSource{target: t}
	model.Source = src.Describe()
	model.Descriptor.Name, model.Descriptor.Version = "portcullis", opts.ToolVersion
	return model, nil
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
func (s *SBOM) keep(key string, inv inventory.Inventory, opts Options) {
	if slices.ContainsFunc(inv.Files, holdsSecret) {
		return
	}
	key = opts.keys(key)[0]
	if opts.SBOM && !s.keepModel(key, opts) {
		return
	}
	opts.Cache.Put(key, func(w io.Writer) error {
		return packed.Encode(w, packed.Image{Inventory: inv, Inspections: *s.inspections, Stats: s.stats})
	})
}

// keepModel puts an SBOM into the cache.
func (s *SBOM) keepModel(key string, opts Options) bool {
	var model bytes.Buffer
	kept := s.model
	kept.Source = (&layerSource{target: &target.Target{}}).Describe()
	if err := syftjson.NewFormatEncoder().Encode(&model, kept); err != nil {
		return false
	}
	opts.Cache.Put(modelKey(key), func(w io.Writer) error {
		_, err := w.Write(credential.WithholdJSON(model.Bytes()))
		return err
	})
	return true
}
