package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// The pieces of schema that several keys share.
var (
	textSchema  = schema{"type": "string", "minLength": 1}
	boolSchema  = schema{"type": "boolean"}
	textsSchema = listOf(textSchema)
	ageSchema   = schema{"type": "string", "pattern": `^(any|0|[1-9][0-9]*d|([0-9]+(\.[0-9]+)?(h|m|s))+)$`}
)

func listOf(items schema) schema { return schema{"type": "array", "items": items} }

func mapOf(values schema) schema {
	return schema{"type": "object", "additionalProperties": values}
}

func choiceOf(words []string) schema { return schema{"enum": words} }

// texts reads a list of texts that hold before the checks.
func texts(v value, what string, checks ...func(string) error) ([]string, error) {
	items, err := v.items(what)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(items))
	var errs []error
	for _, item := range items {
		s, err := text(item)
		errs = append(errs, err)
		for _, check := range checks {
			if err == nil {
				if fault := check(s); fault != nil {
					errs = append(errs, item.errorf("%s: %w", v.name(), fault))
				}
			}
		}
		out = append(out, s)
	}
	return out, errors.Join(errs...)
}

// registryPattern refuses what no registry matches.
func registryPattern(s string) error {
	if n := strings.Count(s, "*"); n > 1 || n == 1 && s[0] != '*' && s[len(s)-1] != '*' {
		return fmt.Errorf("%q matches no registry: one * may stand at the start or at the end", s)
	}
	return nil
}

// pathPattern refuses what is no pattern of paths.
func pathPattern(s string) error {
	if !doublestar.ValidatePattern(s) {
		return fmt.Errorf("%q is not a pattern of paths: brackets and braces must be closed", s)
	}
	return nil
}

func text(v value) (string, error) {
	if v.Kind != yaml.ScalarNode || v.Tag != "!!str" || v.Value == "" {
		return "", v.errorf("expected a text, not %s", v.written())
	}
	return v.Value, nil
}

func boolean(v value) (bool, error) {
	if v.Kind != yaml.ScalarNode || v.Tag != "!!bool" {
		known := []string{"true", "false"}
		if v.Kind == yaml.ScalarNode && slices.Contains(known, v.Value) {
			return false, v.errorf("expected true or false, not the text %q: write it without quotes", v.Value)
		}
		return false, v.errorf("expected true or false, not %s%s", v.written(), v.suggestion(known))
	}
	var b bool
	err := v.Decode(&b)
	return b, err
}

// word reads one of the given words.
func word(v value, known []string) (string, error) {
	if v.Kind == yaml.ScalarNode && slices.Contains(known, v.Value) {
		return v.Value, nil
	}
	return "", v.errorf("%s is %s: expected %s%s", v.name(), v.written(), alternatives(known), v.suggestion(known))
}

func alternatives(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// number reads a number within bounds.
func number(v value, low, high float64) (float64, error) {
	n, err := strconv.ParseFloat(v.Value, 64)
	if v.Kind != yaml.ScalarNode || err != nil || !(n >= low && n <= high) {
		return 0, v.errorf("%s is %s: expected a number from %g to %g", v.name(), v.written(), low, high)
	}
	return n, nil
}

func age(v value) (time.Duration, error) {
	d, err := ParseAge(v.Value)
	if v.Kind != yaml.ScalarNode {
		err = errors.New("expected an age such as 7d")
	}
	if err != nil {
		return 0, v.errorf("%s: %w", v.name(), err)
	}
	return d, nil
}

// ageText writes an age as it is read.
func ageText(d time.Duration) string {
	switch {
	case d == 0:
		return "any"
	case d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	default:
		return d.String()
	}
}

// severityNames are the severities of a threshold, lowest first.
func severityNames() []string {
	var list []string
	for s := finding.Info; s <= finding.Critical; s++ {
		list = append(list, s.String())
	}
	return list
}

func threshold(v value) (*finding.Severity, error) {
	known := append([]string{"none"}, severityNames()...)
	s, err := ParseFailOn(v.Value)
	if err != nil || v.Kind != yaml.ScalarNode {
		return nil, v.errorf("%s is %s: expected %s%s", v.name(), v.written(), alternatives(known), v.suggestion(known))
	}
	return s, nil
}

func thresholdText(s *finding.Severity) any {
	if s == nil {
		return "none"
	}
	return s.String()
}

var effects = []policy.Effect{policy.Passes, policy.Warns, policy.Fails}

func effectNames() []string {
	var list []string
	for _, e := range effects {
		list = append(list, e.String())
	}
	return list
}

func effect(v value) (policy.Effect, error) {
	w, err := word(v, effectNames())
	return policy.Effect(max(slices.Index(effectNames(), w), 0)), err
}

// textMap reads a mapping of texts and lays it over the given one.
func textMap(over map[string]string, v value, check func(key string, v value) error) (map[string]string, error) {
	pairs, err := v.pairs()
	errs := []error{err}
	out := maps.Clone(over)
	if out == nil {
		out = make(map[string]string)
	}
	for _, p := range pairs {
		if p.value.Kind != yaml.ScalarNode || p.value.null() {
			errs = append(errs, p.value.errorf("%s: expected a text", p.key.Value))
			continue
		}
		if err := check(p.key.Value, p.value); err != nil {
			errs = append(errs, err)
			continue
		}
		out[p.key.Value] = p.value.Value
	}
	return out, errors.Join(errs...)
}

// bySeverity reads a mapping from severities and lays it over the given one.
func bySeverity[V any](over map[finding.Severity]V, v value, read func(value) (V, error)) (map[finding.Severity]V, error) {
	pairs, err := v.pairs()
	errs := []error{err}
	out := maps.Clone(over)
	if out == nil {
		out = make(map[finding.Severity]V)
	}
	known := append(severityNames(), finding.Unknown.String())
	for _, p := range pairs {
		if _, err := word(value{Node: p.key.Node, file: v.file, path: v.path}, known); err != nil {
			errs = append(errs, err)
			continue
		}
		// The name is known: it is one of the list.
		s, _ := finding.ParseSeverity(p.key.Value)
		x, err := read(p.value)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out[s] = x
	}
	return out, errors.Join(errs...)
}

func severityMapSchema(values schema) schema {
	properties := schema{}
	for _, name := range append(severityNames(), finding.Unknown.String()) {
		properties[name] = values
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// showBySeverity writes a mapping from severities as it is read.
func showBySeverity[V any](m map[finding.Severity]V, show func(V) any) any {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]any, len(m))
	for s, v := range m {
		out[s.String()] = show(v)
	}
	return out
}

// ParseFailOn reads the value of fail-on: a severity from info to critical, or
// none, which gives nil.
func ParseFailOn(value string) (*finding.Severity, error) {
	if value == "none" {
		return nil, nil
	}
	s, err := finding.ParseSeverity(value)
	if err != nil || s == finding.Unknown {
		return nil, fmt.Errorf("fail-on is %q: expected none, info, low, medium, high or critical", value)
	}
	return &s, nil
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
