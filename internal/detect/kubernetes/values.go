package kubernetes

import (
	"path"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/chart"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// readValues reads what is ignored in the values files of a chart and its
// subcharts. The given ones are those of the chart itself.
func (l *linter) readValues(dir string, given, files []File) {
	for _, f := range files {
		if of := path.Dir(f.Path); of != dir && path.Base(f.Path) == "values.yaml" && path.Base(path.Dir(of)) == "charts" {
			given = append(slices.Clip(given), f)
		}
	}
	for _, f := range given {
		before := len(l.ignores)
		l.readIgnores(f, manifest.Parse(f, l.opts.Limits), nil)
		for i := before; i < len(l.ignores); i++ {
			l.ignores[i].late, l.ignores[i].values = true, true
		}
	}
}

// reasons are the notes of places in values files.
var reasons = map[chart.Reason]string{
	chart.Written: "the value comes from here",
	chart.Present: "it is there because of this value",
	chart.Missing: "it is missing because of this value",
}

// decidingNote reports whether a note is that of a place in a values file.
func decidingNote(note string) bool {
	for _, known := range reasons {
		if note == known {
			return true
		}
	}
	return false
}

// decided adds to a finding which values decide what stands at a place of a
// chart. What was set by itself stands in no file and is named.
func (l *linter) decided(f *finding.Finding, file string, at *manifest.Place) {
	r, rendered := l.rendered[file]
	if !rendered || r.decisions == nil {
		return
	}
	for _, d := range r.decisions(at) {
		if d.Flag != "" {
			if fact := (finding.Fact{Name: "value", Value: d.Flag}); !slices.Contains(f.Evidence, fact) {
				f.Evidence = append(f.Evidence, fact)
			}
			continue
		}
		f.Locations = append(f.Locations, location(d.Path, d.Span, reasons[d.Reason]))
	}
}
