package chart

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Render renders the chart in a directory from the files below it, as `helm
// template` would. Each template is rendered apart: what fails is a Problem
// and takes no other with it.
func Render(ctx context.Context, dir string, files []manifest.File, s Settings) (rendered []Rendered, problems []Problem) {
	var broken error
	defer func() {
		if broken != nil {
			problems = append(problems, Problem{Path: path.Join(dir, "Chart.yaml"), Line: 1, Message: broken.Error()})
		}
	}()
	defer recovered.As(&broken, "read the chart")
	rules, problems := ignoredIn(dir, files)
	files = withOthers(dir, rules.without(files), s.Others, rules)
	root, more := load(dir, "", files, 0)
	problems = append(problems, more...)
	if root.meta.Name == "" {
		return nil, append(problems, Problem{Path: path.Join(dir, "Chart.yaml"), Line: 1, Message: "the chart has no name"})
	}
	given, more := userValues(s)
	problems = append(problems, more...)
	root.meta.IsRoot = true
	problems = append(problems, root.coalesce(given)...)
	for _, refusal := range root.checkValues(nil) {
		problems = append(problems, Problem{Path: refusal.Schema, Line: 1, Message: refusal.Message, Refusal: &refusal})
	}
	e := &engine{ctx: ctx, root: root, marks: make(map[*byte]origin), sources: make(map[string][]byte), settings: s}
	problems = append(problems, e.parse(root)...)
	trace, found := newTracing(e), newPlaces(root, s)
	for i, unit := range e.units {
		out, at, err := e.execute(unit)
		if err != nil {
			p := e.problem(unit.file.Path, err)
			if p.Line == 1 && at.path == p.Path {
				p.Line = spanOf(unit.file.Content, at.offset, at.offset).Line
			}
			problems = append(problems, p)
			continue
		}
		trace.wanted[i] = out.Content
		out.trace, out.unit, out.places = trace, i, found
		rendered = append(rendered, out)
	}
	slices.SortFunc(rendered, func(a, b Rendered) int { return strings.Compare(a.Path, b.Path) })
	return rendered, problems
}

// unit is one template of one chart.
type unit struct {
	chart *tree
	// name is the name of the template: web/templates/deployment.yaml.
	name string
	file manifest.File
}

// engine renders the templates of a chart and its subcharts, which share
// their definitions.
type engine struct {
	ctx      context.Context
	root     *tree
	settings Settings
	// scopes are what the templates of each chart see as the dot.
	scopes map[*tree]map[string]any
	// values are those of each chart where they are not its own.
	values  map[*tree]map[string]any
	set     *template.Template
	units   []unit
	marks   map[*byte]origin
	sources map[string][]byte
	// paths are the files by the names of their templates.
	paths  map[string]string
	budget *budget
	depth  int
	marked map[any]bool
}

// parse reads all templates. Charts further out come later, so that their
// definitions win, and later names first: the order of Helm, in which
// templates are also rendered, since one may change the values for the next.
func (e *engine) parse(root *tree) []Problem {
	e.set = template.New("gotpl").Option("missingkey=zero").Funcs(e.functions())
	e.paths, e.marked = make(map[string]string), make(map[any]bool)
	var all []unit
	collect(root, &all)
	slices.SortFunc(all, func(a, b unit) int {
		return cmp.Or(cmp.Compare(strings.Count(b.name, "/"), strings.Count(a.name, "/")), strings.Compare(b.name, a.name))
	})
	var problems []Problem
	for _, u := range all {
		e.sources[u.file.Path], e.paths[u.name] = u.file.Content, u.file.Path
		if _, err := e.set.New(u.name).Parse(string(u.file.Content)); err != nil {
			problems = append(problems, e.problem(u.file.Path, err))
			continue
		}
		e.mark(u)
		if renders(u) {
			e.units = append(e.units, u)
		}
	}
	return problems
}

// mark puts marks into the trees that a file has just defined.
func (e *engine) mark(u unit) {
	m := marker{marks: e.marks, path: u.file.Path, content: u.file.Content}
	for _, t := range e.set.Templates() {
		if t.Tree == nil || t.Root == nil || e.marked[t.Tree] || t.ParseName != u.name {
			continue
		}
		e.marked[t.Tree] = true
		m.list(t.Root, false)
	}
}

func collect(t *tree, all *[]unit) {
	for _, f := range t.templates {
		rel := relative(t.dir, f.Path)
		*all = append(*all, unit{chart: t, name: path.Join(t.name, rel), file: f})
	}
	for _, sub := range t.subs {
		collect(sub, all)
	}
}

// renders reports whether a template makes manifests, whatever its name ends
// in: not partials, notes and what a library has.
// https://helm.sh/docs/chart_template_guide/named_templates/#partials-and-_-files
func renders(u unit) bool {
	base := path.Base(u.name)
	return !strings.HasPrefix(base, "_") && !strings.HasSuffix(base, "NOTES.txt") && u.chart.meta.Type != "library"
}

// execute renders one template. On an error it also returns the last action
// that was begun. The engine's own panics are caught: templates can bring them
// about.
func (e *engine) execute(u unit) (out Rendered, at origin, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("rendering broke down: %v", cause)
		}
	}()
	e.budget, e.depth = &budget{ctx: e.ctx, output: maxOutput, steps: maxSteps, volume: maxVolume}, 0
	w := &tracker{budget: e.budget, marks: e.marks}
	if err := e.set.ExecuteTemplate(w, u.name, e.scope(u)); err != nil {
		return Rendered{}, w.action, err
	}
	return Rendered{Path: u.file.Path, Content: w.buf.Bytes(), pieces: w.pieces, sources: e.sources}, origin{}, nil
}

// scope is what a template sees as the dot. All templates of a chart see the
// same one, which they may change.
func (e *engine) scope(u unit) map[string]any {
	if e.scopes == nil {
		e.scopes = make(map[*tree]map[string]any)
		e.addScope(e.root)
	}
	scope := e.scopes[u.chart]
	scope["Template"] = map[string]any{"Name": u.name, "BasePath": path.Join(u.chart.name, "templates")}
	return scope
}

func (e *engine) addScope(t *tree) map[string]any {
	release, namespace := e.settings.Release, e.settings.Namespace
	if release == "" {
		release = "release-name"
	}
	if namespace == "" {
		namespace = "default"
	}
	subs := make(map[string]any)
	for _, sub := range t.subs {
		subs[sub.alias] = e.addScope(sub)
	}
	values := t.values
	if kept, ok := e.values[t]; ok {
		values = kept
	}
	e.scopes[t] = map[string]any{
		"Chart": t.meta, "Values": Values(values), "Files": chartFiles(t.files), "Subcharts": subs,
		"Capabilities": newCapabilities(e.settings.KubeVersion),
		"Release": map[string]any{
			"Name": release, "Namespace": namespace, "IsInstall": true, "IsUpgrade": false, "Revision": 1, "Service": "Helm",
		},
	}
	return e.scopes[t]
}

var where = regexp.MustCompile(`template: ([^\s:]+):(\d+)(?::\d+)?: `)

// problem turns an error of the template engine into one with a place: the
// innermost template that it names.
func (e *engine) problem(file string, err error) Problem {
	message := err.Error()
	p := Problem{Path: file, Line: 1}
	for _, m := range where.FindAllStringSubmatch(message, -1) {
		if path, known := e.paths[m[1]]; known {
			line, _ := strconv.Atoi(m[2])
			if path == file {
				p.Line = max(line, 1)
			}
		}
	}
	if errors.Is(err, errTooMuch) {
		message = errTooMuch.Error()
	}
	if i := strings.LastIndex(message, "error calling "); i >= 0 {
		message = message[i:]
	}
	p.Message = "the template does not render: " + message
	return p
}
