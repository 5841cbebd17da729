package kubernetes

import (
	"path"
	"strconv"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/chart"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// refused reports a value that the schema of its chart does not allow, in the
// values file that has it. A value that is missing is reported where it would
// belong.
func (l *linter) refused(dir string, values, files []File, refusal chart.Refusal) {
	r := schemaRule.complete()
	if !r.runs(l.opts) {
		return
	}
	best := placeOfValue{file: refusal.Schema, span: manifest.Span{Line: 1}, missing: len(refusal.Keys) + 1}
	consider := func(f File, keys []string) {
		if found, ok := findValue(f, keys); ok && found.missing < best.missing {
			best = found
		}
	}
	if refusal.Values != "" {
		for _, f := range values {
			consider(f, refusal.Keys)
		}
		// The values of the outermost chart are among those already.
		if refusal.Values != path.Join(dir, "values.yaml") {
			for _, f := range files {
				if f.Path == refusal.Values {
					consider(f, refusal.Own)
				}
			}
		}
	}
	f := r.finding(best.file, best.span, upperFirst(refusal.Message)+".")
	field := ""
	for _, key := range refusal.Keys {
		field += "." + key
	}
	if field != "" {
		f.Evidence = []finding.Fact{{Name: "value", Value: field[1:]}}
	}
	if best.file != refusal.Schema {
		f.Locations = append(f.Locations, location(refusal.Schema, manifest.Span{Line: 1}, "the schema of the values"))
	}
	f.Fingerprint = finding.Fingerprint(f.Kind, f.RuleID, refusal.Schema, field, refusal.Message)
	l.found = append(l.found, f)
}

// placeOfValue is where a value stands, or the deepest map above it.
type placeOfValue struct {
	file string
	span manifest.Span
	// missing is how many of the keys are not there.
	missing int
}

// findValue goes down the keys in a values file as far as they are there. Keys
// of list items are their numbers.
func findValue(f File, keys []string) (placeOfValue, bool) {
	docs := manifest.Parse(f, manifest.Limits{})
	if len(docs) == 0 || docs[0].Root == nil {
		return placeOfValue{}, false
	}
	at := manifest.NewPlace(docs[0].Root)
	found := placeOfValue{file: f.Path, span: at.Span(), missing: len(keys)}
	for i, key := range keys {
		next := at.At(key)
		if n, err := strconv.Atoi(key); err == nil && at.Node.Kind == manifest.List && n >= 0 && n < len(at.Items()) {
			next = at.Items()[n]
		}
		if next.Node == nil {
			break
		}
		at = next
		found.span, found.missing = at.Span(), len(keys)-i-1
	}
	return found, true
}
