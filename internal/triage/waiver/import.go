package waiver

import (
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Format is the ignore file of another tool.
type Format string

// The formats that can be imported.
const (
	// TrivyIgnore is .trivyignore, one id a line.
	TrivyIgnore Format = "trivyignore"
	// TrivyIgnoreYAML is .trivyignore.yaml.
	TrivyIgnoreYAML Format = "trivyignore-yaml"
	// GrypeConfig is .grype.yaml with its list ignore.
	GrypeConfig Format = "grype"
	// SnykPolicy is .snyk.
	SnykPolicy Format = "snyk"
)

// Formats are the names of the formats.
func Formats() []string {
	return []string{string(TrivyIgnore), string(TrivyIgnoreYAML), string(GrypeConfig), string(SnykPolicy)}
}

// FormatOf tells the format by the name of the file.
func FormatOf(name string) (Format, error) {
	switch path.Base(name) {
	case ".trivyignore":
		return TrivyIgnore, nil
	case ".trivyignore.yaml", ".trivyignore.yml":
		return TrivyIgnoreYAML, nil
	case ".grype.yaml", ".grype.yml", "grype.yaml":
		return GrypeConfig, nil
	case ".snyk":
		return SnykPolicy, nil
	}
	return "", fmt.Errorf("%s is no ignore file that can be imported: expected .trivyignore, .trivyignore.yaml, .grype.yaml or .snyk; a file with another name needs its format", name)
}

// Imported is what was made of a foreign ignore file. The waivers are drafts:
// what the file does not say (owner, often reason and expiry) is empty, Write
// puts placeholders there, and Decode accepts none of them.
type Imported struct {
	Waivers []Waiver
	// Notes say, with file and line, what could not be carried over or is
	// wider than it was.
	Notes []string
}

// Import converts a foreign ignore file. Created is the day that drafts get
// where the file knows none. An entry with a condition that a waiver cannot
// express is left out and noted: it would excuse more than it did.
func Import(format Format, name string, content []byte, created time.Time) (Imported, error) {
	return importWith(document, format, name, content, created)
}

func importWith(parse parser, format Format, name string, content []byte, created time.Time) (imported Imported, err error) {
	defer recovered.As(&err, name)
	if len(content) > maxSize {
		return Imported{}, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxSize)
	}
	i := importer{name: name, created: created.UTC().Truncate(24 * time.Hour)}
	if format == TrivyIgnore {
		if !utf8.Valid(content) {
			return Imported{}, fmt.Errorf("%s: is not UTF-8 text", name)
		}
		i.trivyLines(string(content))
		return i.Imported, nil
	}
	root, err := parse(name, content)
	if err != nil || root == nil {
		return Imported{}, err
	}
	if root.Kind != yaml.MappingNode {
		return Imported{}, fmt.Errorf("%s:%w", name, at(root, "expected keys and values"))
	}
	switch format {
	case TrivyIgnoreYAML:
		i.trivyYAML(root)
	case GrypeConfig:
		i.grype(root)
	case SnykPolicy:
		i.snyk(root)
	default:
		return Imported{}, fmt.Errorf("unknown format %q", format)
	}
	return i.Imported, nil
}

// importer gathers drafts and notes.
type importer struct {
	Imported
	name    string
	created time.Time
}

func (i *importer) note(line int, format string, args ...any) {
	i.Notes = append(i.Notes, fmt.Sprintf("%s:%d: %s", i.name, line, fmt.Sprintf(format, args...)))
}

// add keeps a draft, unless there are too many or its id is none.
func (i *importer) add(line int, w Waiver) {
	switch {
	case len(i.Waivers) >= maxWaivers:
		if len(i.Waivers) == maxWaivers && !strings.HasSuffix(strings.Join(i.Notes[max(0, len(i.Notes)-1):], ""), tooMany) {
			i.note(line, tooMany)
		}
		return
	case w.ID != AnyID && !idPattern().MatchString(w.ID):
		i.note(line, "%.80q is no id of a rule or advisory; not imported", w.ID)
		return
	}
	if isPlaceholder(w.Reason) || strings.EqualFold(strings.TrimSpace(w.Reason), "none given") {
		w.Reason = ""
	}
	if w.Created.IsZero() {
		w.Created = i.created
	}
	w.Reason, w.Owner = clean(w.Reason), clean(w.Owner)
	w.Place = Place{File: i.name, Line: line, Column: 1, EndColumn: 2}
	i.Waivers = append(i.Waivers, w)
}

const tooMany = "there are more entries than a waiver file may have; the rest is not imported"

// clean drops what YAML cannot hold and cuts what a waiver file would refuse.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	for len(s) > maxText {
		s = s[:maxText]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return strings.TrimSpace(s)
}

// value returns the value of a key, or nil.
func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for k, v := range pairs(n) {
		if k.Value == key {
			return v
		}
	}
	return nil
}

// items are the elements of a list, or nothing.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// parseDay reads the day of a date or moment.
func parseDay(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05.999Z", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC().Truncate(24 * time.Hour), true
		}
	}
	return time.Time{}, false
}
