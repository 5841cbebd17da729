package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v3"
)

// schema is a piece of JSON Schema (draft 2020-12).
type schema map[string]any

// field is one key of a record: everything that is known about it. T is what
// the record is decoded into.
type field[T any] struct {
	name string
	// doc says what it means, in Markdown; example is a value in YAML.
	doc     string
	example string
	schema  schema
	decode  func(*T, value) error
	// show returns the value for `config show` as text, boolean, number, list
	// or map of these; nil when it is not set.
	show func(T) any
	// fields makes the field a section of the same record.
	fields []field[T]
	// required fields must be there.
	required bool
}

// value is a node of a file with its place.
type value struct {
	*yaml.Node
	file string
	// path is the dotted path of its key.
	path string
	// record is called with the path of each leaf that was decoded; may be nil.
	record func(value)
}

// child is the value of a key below v.
func (v value) child(name string, n *yaml.Node) value {
	v.Node = n
	if v.path != "" {
		name = v.path + "." + name
	}
	v.path = name
	return v
}

// item is an entry of the list v.
func (v value) item(n *yaml.Node) value {
	v.Node, v.record = n, nil
	return v
}

// name is the last part of the path: the key as written.
func (v value) name() string {
	return v.path[strings.LastIndexByte(v.path, '.')+1:]
}

// written says in a message what stands there.
func (v value) written() string {
	switch v.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a section"
	}
	return strconv.Quote(v.Value)
}

// suggestion names the known word that a misspelt one may stand for.
func (v value) suggestion(known []string) string {
	if v.Kind != yaml.ScalarNode {
		return ""
	}
	return suggestion(v.Value, known, "")
}

// errorf makes an error with the place of the value.
func (v value) errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if v.Line == 0 {
		return fmt.Errorf("%s: %w", v.file, err)
	}
	return fmt.Errorf("%s:%d:%d: %w", v.file, v.Line, v.Column, err)
}

// null reports whether nothing is written; then the defaults stay, as in an
// empty section.
func (v value) null() bool { return v.Tag == "!!null" }

// pair is a key with its value.
type pair struct {
	key   value
	value value
}

// pairs returns the keys and values of a mapping. The error names all keys
// that are there twice; the pairs are then the first of each.
func (v value) pairs() ([]pair, error) {
	if v.null() {
		return nil, nil
	}
	if v.Kind != yaml.MappingNode {
		return nil, v.errorf("expected keys and values here")
	}
	var out []pair
	var errs []error
	seen := make(map[string]int)
	for i := 0; i+1 < len(v.Content); i += 2 {
		key := v.item(v.Content[i])
		if line, twice := seen[key.Value]; twice {
			errs = append(errs, key.errorf("key %q is already on line %d", key.Value, line))
			continue
		}
		seen[key.Value] = key.Line
		out = append(out, pair{key, v.child(key.Value, v.Content[i+1])})
	}
	return out, errors.Join(errs...)
}

// items returns the entries of a list; one text stands for a list of one.
func (v value) items(what string) ([]value, error) {
	switch {
	case v.null():
		return nil, nil
	case v.Kind != yaml.SequenceNode:
		return nil, v.errorf("%s: expected a list of %s", v.name(), what)
	}
	out := make([]value, len(v.Content))
	for i, n := range v.Content {
		out[i] = v.item(n)
	}
	return out, nil
}

// decodeRecord applies a table of fields to a mapping and reports all faults.
func decodeRecord[T any](into *T, v value, fields []field[T]) error {
	pairs, err := v.pairs()
	if err != nil && v.Kind != yaml.MappingNode && len(fields) <= maxNamed {
		return v.errorf("expected keys and values here; known here are %s", strings.Join(names(fields), ", "))
	}
	errs := []error{err}
	given := make(map[string]bool)
	for _, p := range pairs {
		i := slices.IndexFunc(fields, func(f field[T]) bool { return f.name == p.key.Value })
		if i < 0 {
			errs = append(errs, p.key.errorf("unknown key %q%s", p.key.Value, suggestion(p.key.Value, names(fields), "known here are ")))
			continue
		}
		given[p.key.Value] = !p.value.null()
		errs = append(errs, fields[i].apply(into, p.value))
	}
	for _, f := range fields {
		if f.required && !given[f.name] && err == nil && !v.null() {
			errs = append(errs, v.errorf("%s is missing", f.name))
		}
	}
	return errors.Join(errs...)
}

// maxNamed is how many keys an error lists.
const maxNamed = 12

// apply decodes the value of a field or section.
func (f field[T]) apply(into *T, v value) error {
	if f.fields != nil {
		return decodeRecord(into, v, f.fields)
	}
	if v.null() {
		return nil
	}
	if err := f.decode(into, v); err != nil {
		return err
	}
	if v.record != nil {
		v.record(v)
	}
	return nil
}

func names[T any](fields []field[T]) []string {
	var list []string
	for _, f := range fields {
		list = append(list, f.name)
	}
	slices.Sort(list)
	return list
}

// suggestion names the known word that is nearest to a misspelt one, or lists
// all of them.
func suggestion(word string, known []string, list string) string {
	if nearest, ok := nearest(word, known); ok {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	if list == "" {
		return ""
	}
	return "; " + list + strings.Join(known, ", ")
}

// nearest returns the known word that a misspelt one most likely stands for.
// Half of the letters must be in place: two swapped ones in a word of four
// still get a suggestion, unrelated words do not.
func nearest(word string, known []string) (string, bool) {
	best, most := "", 0.5
	for _, k := range known {
		if s := levenshtein.Similarity(strings.ToLower(word), k, nil); s > most || s == most && best == "" {
			best, most = k, s
		}
	}
	return best, best != ""
}
