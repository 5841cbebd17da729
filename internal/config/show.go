package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Setting is one effective value.
type Setting struct {
	// Key is the dotted path, such as db.max-age.
	Key string
	// Value is the value in YAML, on one line; empty when nothing is set.
	Value  string
	Source Source
}

// Settings returns all effective values in the order of the reference.
func Settings(c Config) []Setting { return settings(c, "", keys()) }

func settings(c Config, prefix string, fields []field[Config]) []Setting {
	var out []Setting
	for _, f := range fields {
		path := prefix + f.name
		if f.fields != nil {
			out = append(out, settings(c, path+".", f.fields)...)
			continue
		}
		s := Setting{Key: path, Source: c.sourceOf(path)}
		if v := f.show(c); v != nil {
			s.Value = flow(v)
		}
		out = append(out, s)
	}
	return out
}

// sourceOf returns where the value of a key comes from.
func (c Config) sourceOf(path string) Source {
	if s, ok := c.Sources[path]; ok {
		return s
	}
	return Source{Kind: FromDefault}
}

// Show writes the effective configuration as a file that says the same, with
// the source of each value behind it.
func Show(c Config) string {
	var lines [][2]string
	width := 0
	section := ""
	for _, s := range Settings(c) {
		if s.Value == "" {
			continue
		}
		head, name, nested := strings.Cut(s.Key, ".")
		text := head + ": " + s.Value
		if nested {
			if head != section {
				lines = append(lines, [2]string{head + ":", ""})
			}
			section, text = head, "  "+name+": "+s.Value
		}
		lines = append(lines, [2]string{text, s.Source.String()})
		if n := len([]rune(text)); n <= 50 {
			width = max(width, n)
		}
	}
	var b strings.Builder
	if c.Profile != "" {
		fmt.Fprintf(&b, "# profile: %s\n", c.Profile)
	}
	for _, l := range lines {
		if l[1] == "" {
			b.WriteString(l[0] + "\n")
			continue
		}
		fmt.Fprintf(&b, "%-*s  # %s\n", width, l[0], oneLine(l[1]))
	}
	return b.String()
}

// oneLine keeps a file's name from ending a comment.
func oneLine(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// showRecord returns the fields of a record that are set.
func showRecord[T any](t T, fields []field[T]) map[string]any {
	out := make(map[string]any)
	for _, f := range fields {
		if v := f.show(t); v != nil {
			out[f.name] = v
		}
	}
	return out
}

func showRecords[T any](list []T, fields []field[T]) any {
	if len(list) == 0 {
		return nil
	}
	var out []any
	for _, t := range list {
		out = append(out, showRecord(t, fields))
	}
	return out
}

// bare are texts that YAML reads as texts without quotes, in a flow too.
var bare = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./+%-]*$`)

// notText are bare words that YAML reads as something else.
var notText = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)

// flow writes a value in YAML on one line. Quoted texts are written as JSON,
// which YAML holds.
func flow(v any) string {
	switch v := v.(type) {
	case string:
		if bare.MatchString(v) && !notText.MatchString(v) || ageWord.MatchString(v) {
			return v
		}
		return jsonText(v)
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, flow(k)+": "+flow(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []string:
		parts := make([]string, len(v))
		for i, s := range v {
			parts[i] = flow(s)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = flow(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// ageWord are ages, which start with a digit and are texts all the same.
var ageWord = regexp.MustCompile(`^[0-9]+d$`)

func jsonText(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return strconv.Quote(s)
	}
	return cmp.Or(strings.TrimSuffix(b.String(), "\n"), `""`)
}
