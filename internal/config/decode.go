package config

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// maxSize bounds the configuration file in bytes. Real ones have a few
	// kilobytes; more is a wrong file.
	maxSize = 1 << 20
	// maxDepth bounds how deep values nest; the keys need seven levels.
	maxDepth = 20
)

// document is one file, read but not yet decoded.
type document struct {
	name string
	// root is nil for an empty file.
	root *yaml.Node
}

// parse reads a file's content as one YAML document without aliases.
func parse(name string, content []byte) (parsed document, err error) {
	defer recovered.As(&err, name)
	if len(content) > maxSize {
		return document{}, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxSize)
	}
	dec := yaml.NewDecoder(strings.NewReader(string(content)))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return document{name: name}, nil
	case err != nil:
		return document{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return document{}, fmt.Errorf("%s: holds more than one YAML document", name)
	}
	root := doc.Content[0]
	return document{name, root}, plain(name, root, 0)
}

// plain refuses what makes a file mean something other than what stands there.
func plain(name string, n *yaml.Node, depth int) error {
	v := value{Node: n, file: name}
	switch {
	case n.Kind == yaml.AliasNode:
		return v.errorf("aliases are not read: write the value out")
	case depth > maxDepth:
		return v.errorf("nested too deeply")
	}
	var errs []error
	for _, child := range n.Content {
		errs = append(errs, plain(name, child, depth+1))
	}
	return errors.Join(errs...)
}

// value returns the document's root for decoding into c.
func (d document) value(c *Config, profile string) value {
	v := value{Node: d.root, file: d.name}
	v.record = func(leaf value) {
		path := leaf.path
		if profile != "" {
			path = strings.TrimPrefix(path, "profiles."+profile+".")
		}
		c.note(path, Source{Kind: FromFile, Name: d.name, Line: leaf.Line, Column: leaf.Column, Profile: profile})
	}
	return v
}

// topKeys are the keys of a file: those of the table, and those about files.
// What stands under include and profiles is only checked here; Load reads the
// files and lays the selected profile over the rest.
func topKeys() []field[Config] {
	return append(keys(),
		field[Config]{
			name: "profiles", example: "{release: {fail-on: medium}}",
			doc:    "Further settings by name, laid over the others when the profile is selected with `--profile` or `PORTCULLIS_PROFILE`. A profile may hold every key but `include` and `profiles`.",
			schema: schema{"type": "object", "additionalProperties": schema{"$ref": "#/$defs/settings"}},
			decode: checkProfiles,
			show:   func(Config) any { return nil },
		},
		field[Config]{
			name: "include", example: "[policy/base.yaml]",
			doc:    "Files that this one builds on, such as the organisation's policy: paths relative to this file, or `oci://REGISTRY/REPOSITORY@sha256:…`. This file wins over them.",
			schema: schema{"anyOf": []schema{textSchema, textsSchema}},
			decode: func(_ *Config, v value) error { _, err := includes(v); return err },
			show:   func(Config) any { return nil },
		})
}

var profileName = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

// checkProfiles decodes every profile, also those that are not selected: a
// fault in the release's must not wait for the release.
func checkProfiles(c *Config, v value) error {
	pairs, err := v.pairs()
	errs := []error{err}
	for _, p := range pairs {
		if !profileName.MatchString(p.key.Value) {
			errs = append(errs, p.key.errorf("profile name %q: expected lower-case letters and digits, with hyphens", p.key.Value))
		}
		scratch := Default()
		p.value.record = nil
		errs = append(errs, decodeRecord(&scratch, p.value, keys()))
		if !slices.Contains(c.Profiles, p.key.Value) {
			c.Profiles = append(slices.Clone(c.Profiles), p.key.Value)
			slices.Sort(c.Profiles)
		}
	}
	return errors.Join(errs...)
}

var ociReference = regexp.MustCompile(`^oci://[^@\s]+/[^@\s]+@sha256:[0-9a-f]{64}$`)

// includes reads the references under include.
func includes(v value) ([]value, error) {
	items := []value{v}
	if v.Kind != yaml.ScalarNode {
		var err error
		if items, err = v.items("files"); err != nil {
			return nil, err
		}
	}
	var errs []error
	for _, item := range items {
		reference, err := text(item)
		errs = append(errs, err)
		if strings.HasPrefix(reference, "oci:") && !ociReference.MatchString(reference) {
			errs = append(errs, item.errorf("include %q: expected oci://REGISTRY/REPOSITORY@sha256: and the digest", reference))
		}
	}
	return items, errors.Join(errs...)
}

// Decode reads a configuration file's content over the defaults, without what
// it includes and without any profile. The name is used in error messages,
// which hold the line and column of every fault; all faults are reported
// together.
func Decode(name string, content []byte) (Config, error) {
	c := Default()
	doc, err := parse(name, content)
	if err != nil || doc.root == nil {
		return c, err
	}
	err = decodeRecord(&c, doc.value(&c, ""), topKeys())
	return c, err
}

// CheckShared holds that a file can be included from anywhere: it decodes, and
// includes nothing but artifacts in registries.
func CheckShared(name string, content []byte) error {
	_, err := Decode(name, content)
	doc, parseErr := parse(name, content)
	if parseErr != nil || doc.root == nil {
		return err
	}
	errs := []error{err}
	for _, ref := range doc.includes() {
		if !ociReference.MatchString(ref.Value) {
			errs = append(errs, ref.errorf("include %q: a shared policy can include artifacts in registries only, by digest", ref.Value))
		}
	}
	return errors.Join(errs...)
}

// DecodePolicy reads settings from a node of another file over the defaults.
// The name of that file is used in errors.
func DecodePolicy(name string, n *yaml.Node) (policy.Policy, error) {
	if err := plain(name, n, 0); err != nil {
		return policy.Policy{}, err
	}
	c := Default()
	err := decodeRecord(&c, value{Node: n, file: name}, keys())
	return c.Policy, err
}

// Set lays one value over the configuration, as flags and environment
// variables do. The path is the key's, such as db.max-age; the value is read
// as in the file.
func Set(c *Config, path, written string, from Source) error {
	f, ok := findKey(path)
	if !ok {
		return fmt.Errorf("no key %s in the configuration", path)
	}
	n, err := scalar(f, written)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	v := value{Node: n, file: from.String(), path: path}
	v.record = func(value) { c.note(path, from) }
	return f.apply(c, v)
}

// scalar makes a node of text; what is a text in the file needs no quotes, and
// a list may be words with commas between them.
func scalar(f field[Config], written string) (*yaml.Node, error) {
	if f.schema["type"] == "string" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: written}, nil
	}
	if f.schema["type"] == "array" && !strings.HasPrefix(written, "[") && !strings.HasPrefix(written, "- ") {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for word := range strings.SplitSeq(written, ",") {
			list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.TrimSpace(word)})
		}
		return list, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(written), &doc); err != nil || len(doc.Content) == 0 {
		return nil, errors.Join(fmt.Errorf("%q is not a value", written), err)
	}
	n := doc.Content[0]
	if err := plain("value", n, 0); err != nil {
		return nil, err
	}
	unplace(n)
	return n, nil
}

// unplace removes the places from a value that is in no file.
func unplace(n *yaml.Node) {
	n.Line, n.Column = 0, 0
	for _, child := range n.Content {
		unplace(child)
	}
}

// findKey looks a key up by its dotted path.
func findKey(path string) (field[Config], bool) {
	fields := keys()
	for name, rest, more := strings.Cut(path, "."); ; name, rest, more = strings.Cut(rest, ".") {
		i := slices.IndexFunc(fields, func(f field[Config]) bool { return f.name == name })
		if i < 0 {
			return field[Config]{}, false
		}
		if !more {
			return fields[i], fields[i].fields == nil
		}
		fields = fields[i].fields
	}
}
