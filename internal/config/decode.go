package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// maxSize bounds the configuration file in bytes. Real ones have a few
// kilobytes; more is a wrong file.
const maxSize = 1 << 20

// field decodes the value of one key into the configuration.
type field func(*Config, *yaml.Node) error

// fields is the table of keys: the one place to add one.
var fields = map[string]field{
	"fail-on":          decodeFailOn,
	"only-fixed":       func(c *Config, n *yaml.Node) error { return decodeBool(n, &c.OnlyFixed) },
	"unknown-severity": decodeUnknownSeverity,
	"coverage": section(map[string]field{
		"minimum": decodeCoverageMinimum,
		"allow":   decodeCoverageAllow,
	}),
	"db": section(map[string]field{
		"path":    func(c *Config, n *yaml.Node) error { return decodeString(n, &c.DatabasePath) },
		"max-age": decodeMaxAge,
	}),
}

// Decode reads a configuration file's content over the defaults. The name is
// used in error messages, which hold the line and column of every fault; all
// faults are reported together.
func Decode(name string, content []byte) (Config, error) {
	c := Default()
	if len(content) > maxSize {
		return c, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxSize)
	}
	dec := yaml.NewDecoder(strings.NewReader(string(content)))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("%s: %w", name, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%s: holds more than one YAML document", name)
	}
	err := decodeMapping(&c, doc.Content[0], fields)
	return c, prefix(name, err)
}

// prefix puts the file's name before each of the joined errors.
func prefix(name string, err error) error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return fmt.Errorf("%s:%w", name, err)
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, prefix(name, e))
	}
	return errors.Join(out...)
}

// at makes an error with the position of a node.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%d:%d: %w", n.Line, n.Column, fmt.Errorf(format, args...))
}

// section makes a field of a nested mapping.
func section(known map[string]field) field {
	return func(c *Config, n *yaml.Node) error { return decodeMapping(c, n, known) }
}

// decodeMapping applies the table of known keys to a mapping. A null value
// leaves the defaults, as an empty section does.
func decodeMapping(c *Config, n *yaml.Node, known map[string]field) error {
	if n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return at(n, "expected keys and values here")
	}
	var errs []error
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		decode, ok := known[key.Value]
		switch {
		case !ok:
			errs = append(errs, at(key, "unknown key %q%s", key.Value, suggestion(key.Value, known)))
		case seen[key.Value] > 0:
			errs = append(errs, at(key, "key %q is already on line %d", key.Value, seen[key.Value]))
		case value.Kind == yaml.AliasNode:
			errs = append(errs, at(value, "%s: aliases are not read", key.Value))
		default:
			if err := decode(c, value); err != nil {
				errs = append(errs, err)
			}
		}
		seen[key.Value] = key.Line
	}
	return errors.Join(errs...)
}

// suggestion names the known key that is nearest to a misspelt one, or lists
// all of them.
func suggestion(key string, known map[string]field) string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	nearest := slices.MaxFunc(names, func(a, b string) int {
		return cmp.Compare(levenshtein.Similarity(key, a, nil), levenshtein.Similarity(key, b, nil))
	})
	// Half of the letters in place: two swapped ones in a word of four still
	// get a suggestion, unrelated words do not.
	if levenshtein.Similarity(key, nearest, nil) >= 0.5 {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return "; known here are " + strings.Join(names, ", ")
}

func decodeString(n *yaml.Node, into *string) error {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || n.Value == "" {
		return at(n, "expected a text, not %q", n.Value)
	}
	*into = n.Value
	return nil
}

func decodeBool(n *yaml.Node, into *bool) error {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		return at(n, "expected true or false, not %q", n.Value)
	}
	return n.Decode(into)
}

func decodeFailOn(c *Config, n *yaml.Node) error {
	failOn, err := ParseFailOn(n.Value)
	if err != nil {
		return at(n, "%w", err)
	}
	c.FailOn = failOn
	return nil
}

func decodeUnknownSeverity(c *Config, n *yaml.Node) error {
	switch n.Value {
	case "fail":
		c.UnknownSeverityPasses = false
	case "pass":
		c.UnknownSeverityPasses = true
	default:
		return at(n, "unknown-severity is %q: expected fail or pass", n.Value)
	}
	return nil
}

func decodeCoverageMinimum(c *Config, n *yaml.Node) error {
	value, err := strconv.ParseFloat(strings.TrimSuffix(n.Value, "%"), 64)
	if err != nil || !(value >= 0 && value <= 100) {
		return at(n, "minimum is %q: expected a percentage from 0 to 100", n.Value)
	}
	c.CoverageMinimum = value
	return nil
}

// allowable are the reasons that a policy may accept. A missing database is
// not among them: a gate without data has nothing to say.
var allowable = []outcome.Reason{
	outcome.UnknownDistro, outcome.EndOfLife, outcome.NoFeed, outcome.UnsupportedType,
	outcome.VersionUnreadable, outcome.ForeignRepository, outcome.DataStale, outcome.NotIdentified,
}

func decodeCoverageAllow(c *Config, n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return at(n, "allow: expected a list of reasons")
	}
	c.CoverageAllow = nil
	for _, item := range n.Content {
		reason := outcome.Reason(item.Value)
		if !slices.Contains(allowable, reason) {
			return at(item, "allow: %q is not one of %v", item.Value, allowable)
		}
		c.CoverageAllow = append(c.CoverageAllow, reason)
	}
	return nil
}

func decodeMaxAge(c *Config, n *yaml.Node) error {
	age, err := ParseAge(n.Value)
	if err != nil {
		return at(n, "max-age: %w", err)
	}
	c.DatabaseMaxAge = age
	return nil
}

// ParseAge reads an age as days ("7d") or as a Go duration ("36h"); "0" and
// "any" mean that any age will do.
func ParseAge(value string) (time.Duration, error) {
	if value == "any" || value == "0" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n == 0 {
			return 0, fmt.Errorf("%q is not a number of days, such as 7d", value)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	age, err := time.ParseDuration(value)
	if err != nil || age <= 0 {
		return 0, fmt.Errorf("%q is not an age such as 7d, 36h or any", value)
	}
	return age, nil
}
