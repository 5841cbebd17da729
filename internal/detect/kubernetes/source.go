package kubernetes

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/chart"
	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/kustomization"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// ChartFile is a file in the directory of a chart.
type ChartFile = chart.Other

// HelmSettings are what a chart among the files is rendered with.
type HelmSettings struct {
	// Chart is the chart's directory, as in the paths of the files.
	Chart string
	// Values are values files, later ones over earlier ones, and Set single
	// values in the form of --set.
	Values []File
	Set    []string
	// Release and Namespace default to Helm's own: release-name, default.
	Release   string
	Namespace string
}

// Wanted reports whether Lint has a use for a file of this path: manifests,
// and what charts and kustomizations are made of.
func Wanted(name string) bool {
	return wantedAnywhere(name) || slices.Contains(strings.Split(path.Dir(name), "/"), "templates")
}

func wantedAnywhere(name string) bool {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json", ".tpl", ".properties", ".env", ".conf", ".txt", chart.IgnoreFile:
		return true
	case ".tgz":
		// A packed subchart.
		return path.Base(path.Dir(name)) == "charts"
	}
	return path.Base(name) == "Kustomization"
}

// ManifestName reports whether tools that apply a directory take a file of this
// name for manifests.
func ManifestName(name string) bool {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// WithoutForeign leaves out of the files of a directory for which Wanted was
// asked those that are of use in a chart alone and lie in none: Helm renders
// all files in a chart's templates, and many other tools have directories of
// that name.
func WithoutForeign(names []string) []string {
	charts := make(map[string]bool)
	for _, name := range names {
		if path.Base(name) == "Chart.yaml" {
			charts[path.Dir(name)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		if wantedAnywhere(name) {
			return false
		}
		for dir := path.Dir(name); dir != path.Dir(dir); dir = path.Dir(dir) {
			if path.Base(dir) == "templates" && charts[path.Dir(dir)] {
				return false
			}
		}
		return true
	})
}

// InCharts returns the names that lie in the directories of charts among them.
func InCharts(names []string) []string {
	charts := make(map[string]bool)
	for _, name := range names {
		if path.Base(name) == "Chart.yaml" {
			charts[path.Dir(name)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		for dir := path.Dir(name); ; dir = path.Dir(dir) {
			if charts[dir] {
				return false
			}
			if dir == path.Dir(dir) {
				return true
			}
		}
	})
}

// rendering is a text that was made of files, under a path that stands for it
// while rules run.
type rendering struct {
	// file is the file that is named where nothing better is known.
	file string
	// merge is true where several texts may be made of the same files: a
	// problem that all of them have from there is reported once.
	merge bool
	// locate leads back to a file.
	locate func(manifest.Span) (chart.Source, bool)
	// decisions returns the values that decide what stands at a place; nil
	// where there are none.
	decisions func(*manifest.Place) []chart.Decision
}

// sources takes charts and kustomizations apart from manifests: it renders
// them, reads the rest, and remembers what came from where.
func (l *linter) sources(ctx context.Context, files []File) {
	c := sortCharts(files, l.opts.Others)
	made := kustomization.Build(kustomization.Sources{Files: c.plain, Charts: c.templates, Read: l.opts.Read})
	l.plain(ctx, c, made.Used)
	l.kustomizations(ctx, made, files)
	for _, dir := range c.dirs {
		if ctx.Err() == nil {
			l.chart(ctx, dir, c.files[dir], c.others[dir])
		}
	}
	if len(c.deep) > 0 {
		l.result.Failures = append(l.result.Failures, outcome.Failure{
			Stage: stage, Code: exit.NotExamined,
			Message: fmt.Sprintf("%d files such as %.200q lie in more than %d charts that lie in one another: the outermost of these were rendered without them", len(c.deep), c.deep[0], maxCharts),
			Hint:    "keep charts that belong to another one in its charts/, and check others in runs of their own",
		})
	}
}

// manifestFile reports whether a file outside of charts may hold manifests.
func manifestFile(name string) bool {
	switch path.Ext(name) {
	case ".tpl", ".properties", ".env", ".conf", ".txt", ".tgz", chart.IgnoreFile:
		return false
	}
	return true
}

// chart renders one chart and reads what comes out.
func (l *linter) chart(ctx context.Context, dir string, files []File, others []ChartFile) {
	settings, values := l.settingsOf(dir, files)
	settings.Others = others
	rendered, problems := chart.Render(ctx, dir, files, settings)
	l.readValues(dir, values, files)
	for _, p := range problems {
		if p.Refusal != nil {
			l.refused(dir, values, files, *p.Refusal)
			continue
		}
		name := p.Path
		if name == "" {
			name = path.Join(dir, "Chart.yaml")
		}
		subject := "chart"
		if p.Read {
			subject = p.Message
		}
		l.unread(name, manifest.Problem{
			Span: manifest.Span{Line: max(p.Line, 1)}, Message: p.Message, Subject: subject, Fatal: !p.Read,
		})
	}
	for i := range rendered {
		r := &rendered[i]
		// A subchart under two aliases is rendered twice.
		name := r.Path + "~"
		for l.made(name) {
			name += "~"
		}
		l.rendered[name] = rendering{file: r.Path, locate: r.Locate, decisions: r.Decisions}
		l.read(File{Path: name, Content: r.Content, Chart: true})
	}
}

// kustomizations reads the objects that kustomizations make. The files that
// these are made of are not judged by themselves, but the ignores in them hold.
func (l *linter) kustomizations(ctx context.Context, made kustomization.Result, files []File) {
	for _, p := range made.Problems {
		l.unread(p.Path, manifest.Problem{Span: p.Span, Message: p.Message, Subject: "kustomization " + p.Message, Fatal: true})
	}
	for i := range made.Built {
		if ctx.Err() != nil {
			return
		}
		b := &made.Built[i]
		name := b.Kustomization + "~" + b.Name
		for l.made(name) {
			name += "~"
		}
		l.rendered[name] = rendering{file: b.Kustomization, merge: true, locate: func(span manifest.Span) (chart.Source, bool) {
			file, at := b.Locate(span)
			return chart.Source{Path: file, Span: at}, true
		}}
		l.read(File{Path: name, Content: b.Content})
	}
	for _, f := range files {
		if made.Used[f.Path] && manifestFile(f.Path) {
			l.ignoresOnly(f)
		}
	}
}

// made reports whether a name stands for a rendered text already.
func (l *linter) made(name string) bool {
	_, there := l.rendered[name]
	return there
}

// unread reports and counts a file of which nothing could be made.
func (l *linter) unread(name string, p manifest.Problem) {
	l.unreadable(name, nil, p)
	l.count(FileResult{Path: name, Documents: 1, Unreadable: 1})
}

// ignoresOnly takes the ignores out of a file whose objects are read as part
// of something that is made of it.
func (l *linter) ignoresOnly(f File) {
	docs := manifest.Parse(f, l.opts.Limits)
	var objects []*manifest.Object
	for i := range docs {
		more, _, _ := manifest.Objects(&docs[i])
		objects = append(objects, more...)
	}
	before := len(l.ignores)
	l.readIgnores(f, docs, objects)
	for i := before; i < len(l.ignores); i++ {
		l.ignores[i].late = true
	}
}

// settingsOf returns what a chart is rendered with, and its values files, the
// ones that win first.
func (l *linter) settingsOf(dir string, files []File) (chart.Settings, []File) {
	s := chart.Settings{KubeVersion: l.opts.KubeVersion}
	for _, h := range l.opts.Helm {
		if path.Clean(h.Chart) == path.Clean(dir) {
			s = chart.Settings{Values: h.Values, Set: h.Set, Release: h.Release, Namespace: h.Namespace, KubeVersion: l.opts.KubeVersion}
		}
	}
	values := slices.Clone(s.Values)
	slices.Reverse(values)
	for _, f := range files {
		if f.Path == path.Join(dir, "values.yaml") {
			values = append(values, f)
		}
	}
	return s, values
}

// trace leads the places of findings and images in rendered texts back to
// the files that people can change.
func (l *linter) trace() {
	if len(l.rendered) == 0 {
		return
	}
	type place struct {
		rule, path   string
		line, column int
		evidence     string
	}
	seen := make(map[place]bool)
	kept := l.found[:0]
	for i := range l.found {
		f := &l.found[i]
		r := l.rendered[f.Locations[0].Path]
		l.traceFinding(f)
		at := f.Locations[0]
		key := place{rule: f.RuleID, path: at.Path, line: at.Line, column: at.Column}
		if f.RuleID == ImageVulnerableRule {
			key.evidence = fmt.Sprint(f.Evidence) // overlays may name other images
		}
		if !r.merge || !seen[key] {
			kept = append(kept, *f)
		}
		seen[key] = true
	}
	clear(l.found[len(kept):])
	l.found = kept
	for i := range l.result.Images {
		l.result.Images[i].Location = l.traceOne(l.result.Images[i].Location)
	}
	for i := range l.result.Plain {
		l.result.Plain[i].Location = l.traceOne(l.result.Plain[i].Location)
	}
	for i := range l.result.Files {
		if r, ok := l.rendered[l.result.Files[i].Path]; ok {
			l.result.Files[i].Path = r.file
		}
	}
}

func (l *linter) traceFinding(f *finding.Finding) {
	for i := range f.Locations {
		f.Locations[i] = l.traceOne(f.Locations[i])
	}
	f.Target = f.Locations[0].Path
}

// traceOne leads one place back.
func (l *linter) traceOne(at finding.Location) finding.Location {
	r, rendered := l.rendered[at.Path]
	if !rendered {
		return at
	}
	source, ok := r.locate(manifest.Span{Line: at.Line, Column: at.Column, EndColumn: at.EndColumn})
	if !ok {
		return finding.Location{Space: at.Space, Path: r.file, Line: 1, Note: at.Note}
	}
	return location(source.Path, source.Span, at.Note)
}
