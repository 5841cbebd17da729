package kubernetes

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/chart"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// valueNote is the note of the place in a values file that decides.
const valueNote = "the value comes from here"

// valuesFile is a values file of a chart, read.
type valuesFile struct {
	path string
	docs []manifest.Document
	// keys lead to the values of the chart that looks something up.
	keys []string
}

// chartValues are the values files of a chart and its subcharts by their
// directories, each with the ones that win first.
type chartValues map[string][]valuesFile

// readValues reads the values files of a chart and what is ignored in them.
// The given ones are those of the chart itself.
func (l *linter) readValues(dir string, given, files []File) chartValues {
	known := make(chartValues)
	read := func(dir string, f File) {
		docs := manifest.Parse(f, l.opts.Limits)
		known[dir] = append(known[dir], valuesFile{path: f.Path, docs: docs})
		before := len(l.ignores)
		l.readIgnores(f, docs, nil)
		for i := before; i < len(l.ignores); i++ {
			l.ignores[i].late, l.ignores[i].values = true, true
		}
	}
	for _, f := range given {
		read(dir, f)
	}
	for _, f := range files {
		if of := path.Dir(f.Path); of != dir && path.Base(f.Path) == "values.yaml" && path.Base(path.Dir(of)) == "charts" {
			read(of, f)
		}
	}
	return known
}

// seenBy are the files in which the values of a chart are looked up: the
// values of the charts around it win over its own.
func (v chartValues) seenBy(levels []chart.Level) []valuesFile {
	var files []valuesFile
	for _, level := range levels {
		for _, f := range v[level.Dir] {
			f.keys = level.Keys
			files = append(files, f)
		}
	}
	return files
}

// valuePlace finds a value in the first file that has it. Where it is a map of
// which the field is a part, the part is pointed at. What was given by itself
// stands in no file.
func (r rendering) valuePlace(keys []string, field string) (manifest.Span, string, bool) {
	for _, f := range r.values {
		at := keys
		if keys[0] != "global" {
			at = slices.Concat(f.keys, keys)
		}
		if givenAlone(r.set, at) {
			return manifest.Span{}, "", false
		}
		for _, doc := range f.docs {
			if doc.Root == nil {
				continue
			}
			if place := manifest.NewPlace(doc.Root).At(at...); place.Node != nil {
				return partOf(place, field).Span(), f.path, true
			}
		}
	}
	return manifest.Span{}, "", false
}

// givenAlone reports whether a value, or a map around it, is among those of
// --set.
func givenAlone(set, keys []string) bool {
	wanted := strings.Join(keys, ".")
	return slices.ContainsFunc(set, func(text string) bool {
		for one := range strings.SplitSeq(text, ",") {
			if name, _, _ := strings.Cut(one, "="); name == wanted || strings.HasPrefix(wanted, name+".") {
				return true
			}
		}
		return false
	})
}

// partOf returns the part of a map from which a field was made, by the longest
// end of the field's path that leads to something, and the map itself if none
// does.
func partOf(place *manifest.Place, field string) *manifest.Place {
	if place.Node.Kind != manifest.Map || field == "" {
		return place
	}
	steps := strings.Split(field[strings.LastIndexByte(field, ']')+1:], ".")
	for i := range steps {
		if part := place.At(steps[i:]...); steps[i] != "" && part.Node != nil {
			return part
		}
	}
	return place
}

// fieldOf is the path of the field that a finding is about.
func fieldOf(f finding.Finding) string {
	for _, fact := range f.Evidence {
		if fact.Name == "field" {
			return fact.Value
		}
	}
	return ""
}
