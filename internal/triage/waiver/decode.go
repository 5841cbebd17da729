package waiver

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// maxSize bounds the waiver file in bytes; a thousand waivers are about
	// 250 kB.
	maxSize = 4 << 20
	// maxWaivers bounds the entries. Each is compared with each finding.
	maxWaivers = 10000
	// maxText bounds one value in bytes; a reason is a paragraph.
	maxText = 4096
)

// Decode reads a waiver file. The name is used for places. An error means that
// the file as a whole cannot be read; faults of single entries are problems of
// the file, which become findings when it is applied.
func Decode(name string, content []byte) (File, error) {
	return decodeWith(document, name, content)
}

// parser makes the tree of a file; it is document outside of tests.
type parser func(name string, content []byte) (*yaml.Node, error)

func decodeWith(parse parser, name string, content []byte) (file File, err error) {
	defer recovered.As(&err, name)
	root, err := parse(name, content)
	if err != nil || root == nil {
		return File{Name: name}, err
	}
	d := decoder{file: File{Name: name}}
	if err := d.top(root); err != nil {
		return File{Name: name}, fmt.Errorf("%s:%w", name, err)
	}
	return d.file, nil
}

// document parses the one YAML document of a file; nil for an empty file.
func document(name string, content []byte) (*yaml.Node, error) {
	if len(content) > maxSize {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxSize)
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: holds more than one YAML document", name)
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

// decoder gathers waivers and problems.
type decoder struct{ file File }

// at makes an error with the position of a node.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%d:%d: %w", n.Line, n.Column, fmt.Errorf(format, args...))
}

// place is the position of a node, as wide as its text on one line.
func (d *decoder) place(n *yaml.Node) Place {
	p := Place{File: d.file.Name, Line: max(n.Line, 1), Column: max(n.Column, 1)}
	p.EndColumn = p.Column + 1
	if n.Kind == yaml.ScalarNode && n.Style == 0 && !strings.Contains(n.Value, "\n") {
		p.EndColumn = p.Column + max(utf8.RuneCountInString(n.Value), 1)
	}
	return p
}

func (d *decoder) problem(n *yaml.Node, subject, format string, args ...any) {
	d.file.Problems = append(d.file.Problems, Problem{Place: d.place(n), Subject: subject, Text: fmt.Sprintf(format, args...)})
}

// top reads the file's two keys.
func (d *decoder) top(root *yaml.Node) error {
	if root.Kind != yaml.MappingNode {
		return at(root, "expected the keys version and waivers")
	}
	var entries *yaml.Node
	seen := make(map[string]bool)
	for key, value := range pairs(root) {
		if seen[key.Value] {
			return at(key, "key %q is there twice", key.Value)
		}
		seen[key.Value] = true
		switch key.Value {
		case "version":
			if value.Value != fmt.Sprint(Version) {
				return at(value, "version is %q: this program reads version %d", value.Value, Version)
			}
		case "waivers":
			entries = value
		default:
			d.problem(key, key.Value, "unknown key %q%s", key.Value, suggestion(key.Value, []string{"version", "waivers"}))
		}
	}
	if entries == nil || entries.Tag == "!!null" {
		return nil
	}
	if entries.Kind != yaml.SequenceNode {
		return at(entries, "waivers: expected a list")
	}
	if len(entries.Content) > maxWaivers {
		return at(entries, "waivers: %d entries, at most %d are read", len(entries.Content), maxWaivers)
	}
	for _, n := range entries.Content {
		d.entry(n)
	}
	return nil
}

// pairs ranges over the keys and values of a mapping.
func pairs(n *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// keys of an entry, in the order in which they are written.
var keys = []string{"id", "package", "versions", "path", "image", "object", "owner", "reason", "created", "expires"}

// entry reads one waiver. All of its faults are told together; one is enough
// to make it void.
func (d *decoder) entry(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		d.problem(n, "", "expected a waiver with the keys %s", strings.Join(keys, ", "))
		return
	}
	before := len(d.file.Problems)
	values := make(map[string]*yaml.Node)
	w := Waiver{Place: d.place(n)}
	for key, value := range pairs(n) {
		switch {
		case !slices.Contains(keys, key.Value):
			d.problem(key, "", "unknown key %q%s", key.Value, suggestion(key.Value, keys))
		case values[key.Value] != nil:
			d.problem(key, "", "key %q is there twice", key.Value)
		case value.Kind != yaml.ScalarNode:
			d.problem(value, "", "%s: expected a text", key.Value)
		case len(value.Value) > maxText:
			d.problem(value, "", "%s: %d bytes, at most %d are read", key.Value, len(value.Value), maxText)
		case strings.TrimSpace(value.Value) == "" || value.Tag == "!!null":
			d.problem(value, "", "%s is empty: give it a value or leave it out", key.Value)
		}
		if values[key.Value] == nil {
			values[key.Value] = value
		}
		if key.Value == "id" {
			w.Place = d.place(value)
		}
	}
	d.fill(&w, n, values, len(d.file.Problems) == before)
	for i := range d.file.Problems[before:] {
		d.file.Problems[before+i].Subject = w.subject()
	}
	if len(d.file.Problems) == before {
		d.file.Waivers = append(d.file.Waivers, w)
	}
}

// fill takes the values over and, if they are texts at all, checks them.
func (d *decoder) fill(w *Waiver, n *yaml.Node, values map[string]*yaml.Node, sound bool) {
	for key, into := range map[string]*string{
		"id": &w.ID, "package": &w.Package, "versions": &w.Versions, "path": &w.Path, "image": &w.Image,
		"object": &w.Object, "owner": &w.Owner, "reason": &w.Reason,
	} {
		if v := values[key]; v != nil && v.Kind == yaml.ScalarNode && len(v.Value) <= maxText {
			*into = strings.TrimSpace(v.Value)
		}
	}
	if !sound {
		return
	}
	where := func(key string) *yaml.Node {
		if v := values[key]; v != nil {
			return v
		}
		return n
	}
	for _, f := range w.check(text(values["created"]), text(values["expires"])) {
		d.problem(where(f.key), "", "%s", f.text)
	}
}

func text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

// suggestion names the known word that is nearest to a misspelt one, or lists
// all of them.
func suggestion(word string, known []string) string {
	nearest := slices.MaxFunc(known, func(a, b string) int {
		return cmp.Compare(levenshtein.Similarity(word, a, nil), levenshtein.Similarity(word, b, nil))
	})
	// Half of the letters in place, as in the configuration.
	if len(word) < 100 && levenshtein.Similarity(word, nearest, nil) >= 0.5 {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return "; known here are " + strings.Join(known, ", ")
}
