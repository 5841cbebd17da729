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

// maxCharts is to how many charts that lie in one another, each rendered by
// itself, a file is given: templates may ask for any file below their chart's
// directory. Otherwise what all of them read would grow with the square of
// the depth.
const maxCharts = 10

// charts is how the files of a run lie in charts and beside them.
type charts struct {
	// dirs are the directories of charts that are no subcharts of another one,
	// files what lies below each, and others what of Options.Others does.
	dirs   []string
	files  map[string][]File
	others map[string][]ChartFile
	// templates are the files that charts are rendered from, plain all others.
	templates, plain []File
	// lenient are those plain files, by their paths, in which a chart may keep
	// other things than manifests: its values, settings of tools, templates that
	// its own templates read.
	lenient map[string]bool
	// deep are the paths that lie in more than maxCharts charts, those outermost
	// of which go without them.
	deep []string
}

// sortCharts finds the charts among the files. What lies in a chart's directory
// and is not rendered stays a manifest: kubectl applies it, whether or not a
// Chart.yaml stands above it.
func sortCharts(files []File, others []ChartFile) charts {
	c := charts{dirs: chartDirs(files), files: make(map[string][]File), others: make(map[string][]ChartFile), lenient: make(map[string]bool)}
	owners := newOwners(c.dirs)
	for _, f := range files {
		for _, dir := range c.around(owners, f.Path) {
			c.files[dir] = append(c.files[dir], f)
		}
	}
	for _, o := range others {
		for _, dir := range c.around(owners, o.Path) {
			c.others[dir] = append(c.others[dir], o)
		}
	}
	rendered := make(map[string]map[string]bool)
	for _, dir := range c.dirs {
		rendered[dir] = chart.Templates(dir, c.files[dir])
	}
	for _, f := range files {
		dir := owners.of(f.Path)
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

// around are the charts that are given a file, the innermost first.
func (c *charts) around(owners *owners, name string) []string {
	var dirs []string
	for dir := owners.of(name); dir != ""; dir = owners.of(dir) {
		if len(dirs) == maxCharts {
			c.deep = append(c.deep, name)
			break
		}
		dirs = append(dirs, dir)
	}
	return dirs
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
	all = slices.Compact(all)
	owners := newOwners(all)
	return slices.DeleteFunc(all, func(dir string) bool {
		outer := owners.of(dir)
		if outer == "" {
			return false
		}
		// A template may be called Chart.yaml.
		inTemplates := strings.HasPrefix(strings.TrimPrefix(dir, strings.TrimSuffix(outer, "/")+"/")+"/", "templates/")
		return inTemplates || chart.IsSubchart(outer, dir)
	})
}

// owners finds the innermost of some directories in which others lie.
type owners struct {
	dirs map[string]bool
	// known keeps the answers about directories, themselves included.
	known map[string]string
}

func newOwners(dirs []string) *owners {
	o := &owners{dirs: make(map[string]bool, len(dirs)), known: make(map[string]string)}
	for _, dir := range dirs {
		o.dirs[dir] = true
	}
	return o
}

// of is the innermost of the directories in which a file or directory lies;
// empty for none.
func (o *owners) of(name string) string {
	var passed []string
	found := ""
	for dir := path.Dir(name); dir != name; name, dir = dir, path.Dir(dir) {
		answer, ok := o.known[dir]
		if !ok && o.dirs[dir] {
			answer, ok = dir, true
		}
		if ok {
			found = answer
			break
		}
		passed = append(passed, dir)
	}
	for _, dir := range passed {
		o.known[dir] = found
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
