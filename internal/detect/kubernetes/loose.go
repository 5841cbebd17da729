package kubernetes

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/chart"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// charts is how the files of a run lie in charts and beside them.
type charts struct {
	// dirs are the directories of charts that are no subcharts of another one,
	// and files what lies below each.
	dirs  []string
	files map[string][]File
	// templates are the files that charts are rendered from, plain all others.
	templates, plain []File
	// lenient are those plain files, by their paths, in which a chart may keep
	// other things than manifests: its values, settings of tools, templates that
	// its own templates read.
	lenient map[string]bool
}

// sortCharts finds the charts among the files. What lies in a chart's directory
// and is not rendered stays a manifest: kubectl applies it, whether or not a
// Chart.yaml stands above it.
func sortCharts(files []File) charts {
	c := charts{dirs: chartDirs(files), files: make(map[string][]File), lenient: make(map[string]bool)}
	for _, f := range files {
		for _, dir := range c.dirs {
			if below(f.Path, dir) {
				c.files[dir] = append(c.files[dir], f)
			}
		}
	}
	rendered := make(map[string]map[string]bool)
	for _, dir := range c.dirs {
		rendered[dir] = chart.Templates(dir, c.files[dir])
	}
	for _, f := range files {
		dir := owner(c.dirs, f.Path)
		own := strings.TrimPrefix(f.Path, strings.TrimSuffix(dir, "/")+"/")
		switch {
		case dir == "":
			c.plain = append(c.plain, f)
		case rendered[dir][f.Path], own == "Chart.yaml", !manifestFile(f.Path), isKustomization(f) && !f.Named && templated(f.Content):
			c.templates = append(c.templates, f)
		default:
			c.plain = append(c.plain, f)
			c.lenient[f.Path] = !strings.HasPrefix(own, "crds/") && (!f.Named || own == "values.yaml")
		}
	}
	return c
}

// isKustomization reports whether a file has a name of kustomizations.
func isKustomization(f File) bool {
	return strings.TrimSuffix(strings.ToLower(path.Base(f.Path)), path.Ext(f.Path)) == "kustomization"
}

// chartDirs returns the directories that hold a chart which is rendered by
// itself, not as a part of the one above it.
func chartDirs(files []File) []string {
	var all []string
	for _, f := range files {
		if path.Base(f.Path) == "Chart.yaml" {
			all = append(all, path.Dir(f.Path))
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Clone(all), func(dir string) bool {
		outer := owner(slices.DeleteFunc(slices.Clone(all), func(d string) bool { return d == dir }), dir)
		if outer == "" {
			return false
		}
		// A template may be called Chart.yaml.
		inTemplates := strings.HasPrefix(strings.TrimPrefix(dir, strings.TrimSuffix(outer, "/")+"/")+"/", "templates/")
		return inTemplates || chart.IsSubchart(outer, dir)
	})
}

func below(name, dir string) bool {
	return dir == "." || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// owner is the innermost of the directories in which a file lies; empty for none.
func owner(dirs []string, name string) string {
	found := ""
	for _, dir := range dirs {
		if below(name, dir) && (found == "" || found == "." || len(dir) > len(found)) {
			found = dir
		}
	}
	return found
}

// plain reads the files that are not rendered and not made part of anything
// else. A link to one that is read by itself says nothing new.
func (l *linter) plain(ctx context.Context, c charts, used map[string]bool) {
	read := make(map[string]bool)
	for _, links := range []bool{false, true} {
		for _, f := range c.plain {
			if ctx.Err() != nil || (f.Target != "") != links || !manifestFile(f.Path) || used[f.Path] || read[f.Target] {
				continue
			}
			read[f.Path], read[cmp.Or(f.Target, f.Path)] = true, true
			l.readPlain(f, c.lenient[f.Path])
		}
	}
}

// readPlain reads a file that is not rendered. In a lenient one only what
// kubectl could apply is ours.
func (l *linter) readPlain(f File, lenient bool) {
	docs := manifest.Parse(f, l.opts.Limits)
	if lenient {
		docs = slices.DeleteFunc(docs, func(d manifest.Document) bool { return notOurs(f, &d) })
		if len(docs) == 0 {
			return
		}
	}
	l.readDocuments(f, docs)
}

// notOurs reports whether a document of a chart's directory is something else
// than a manifest: text that becomes YAML in a template alone, or a document
// without an object that has a name, such as values that speak of a kind.
func notOurs(f File, d *manifest.Document) bool {
	if d.Root == nil {
		return slices.ContainsFunc(d.Problems, func(p manifest.Problem) bool { return p.Syntax }) && templated(f.Content)
	}
	objects, _, _ := manifest.Objects(d)
	return !slices.ContainsFunc(objects, func(o *manifest.Object) bool {
		name := o.Name + o.Root.At("metadata", "generateName").Text()
		return o.Kind == manifest.TaskDefinition || name != "" && !templated([]byte(name))
	})
}
