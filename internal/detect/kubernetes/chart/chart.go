// Package chart renders Helm charts from files in memory and knows of each
// byte of the result from which place of which template it came. It reads no
// disk, no network and no environment, calls no cluster, and is bounded in
// time, depth and output, since charts may come from anybody.
//
// It is not a package manager: dependencies must lie unpacked in charts/. Its
// main function is Render.
package chart

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// Settings are what `helm template` would be told.
type Settings struct {
	// Values are values files, later ones over earlier ones.
	Values []manifest.File
	// Set are single values in the form of --set: path.to.key=value.
	Set []string
	// Release and Namespace default to "release-name" and "default".
	Release   string
	Namespace string
	// Others are further files, those of the chart among them.
	Others []Other
	// KubeVersion is the cluster's version, such as "1.34".
	KubeVersion string
}

// Problem is something that could not be loaded or rendered, or with Refusal
// something that could be all the same.
type Problem struct {
	Path    string
	Line    int
	Message string
	// Read is true where the file was read, and something besides it is wrong.
	Read    bool
	Refusal *Refusal
}

// Metadata is Chart.yaml, under the names that templates use.
type Metadata struct {
	Name         string            `json:"name"`
	Home         string            `json:"home"`
	Sources      []string          `json:"sources"`
	Version      string            `json:"version"`
	Description  string            `json:"description"`
	Keywords     []string          `json:"keywords"`
	Maintainers  []any             `json:"maintainers"`
	Icon         string            `json:"icon"`
	APIVersion   string            `json:"apiVersion"`
	Condition    string            `json:"condition"`
	Tags         string            `json:"tags"`
	AppVersion   string            `json:"appVersion"`
	Deprecated   bool              `json:"deprecated"`
	Annotations  map[string]string `json:"annotations"`
	KubeVersion  string            `json:"kubeVersion"`
	Dependencies []Dependency      `json:"dependencies"`
	Type         string            `json:"type"`
	IsRoot       bool              `json:"-"`
}

// Dependency is one entry of Chart.yaml's dependencies.
type Dependency struct {
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Repository   string   `json:"repository"`
	Condition    string   `json:"condition"`
	Tags         []string `json:"tags"`
	Enabled      bool     `json:"-"`
	ImportValues []any    `json:"import-values"`
	Alias        string   `json:"alias"`
}

// tree is a chart with its subcharts.
type tree struct {
	// dir is the chart's directory, and name the path by which templates know
	// it: web, web/charts/redis.
	dir  string
	name string
	meta Metadata
	// dependencies is the file that lists them.
	dependencies manifest.File
	values       map[string]any
	valuesFile   manifest.File
	templates    []manifest.File
	// schema is what the values have to satisfy; nil for anything.
	schema []byte
	// files are all others, by their path in the chart.
	files map[string][]byte
	subs  []*tree
	// alias is the key under which the parent keeps this chart's values.
	alias string
}

// maxDepth bounds how deep subcharts may lie in one another.
const maxDepth = 10

// load reads the chart in a directory from the files below it.
func load(dir, name string, files []manifest.File, depth int) (*tree, []Problem) {
	t := &tree{dir: dir, files: make(map[string][]byte), values: make(map[string]any)}
	var problems []Problem
	subs := make(map[string][]manifest.File)
	var required struct {
		Dependencies []Dependency `json:"dependencies"`
	}
	var older manifest.File
	for _, f := range files {
		f.Content = bytes.TrimPrefix(f.Content, []byte("\ufeff"))
		rel := relative(dir, f.Path)
		switch parts := strings.Split(rel, "/"); {
		case rel == "Chart.yaml":
			t.dependencies = f
			if err := yaml.Unmarshal(f.Content, &t.meta); err != nil {
				problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the chart's description cannot be read: " + err.Error()})
			}
		case rel == "values.yaml":
			t.valuesFile = f
			var err error
			if t.values, err = valuesOf(f.Content); err != nil {
				problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the values cannot be read: " + err.Error()})
			}
		case rel == schemaFile:
			t.schema = f.Content
		case rel == "requirements.yaml":
			// Charts of the first version keep their dependencies here.
			older = f
			if err := yaml.Unmarshal(f.Content, &required); err != nil {
				problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the dependencies cannot be read: " + err.Error()})
			}
		case parts[0] == "charts" && len(parts) > 1 && strings.ContainsAny(parts[1][:min(1, len(parts[1]))], "_."):
			// Helm keeps these out.
		case parts[0] == "charts" && len(parts) == 2 && strings.HasSuffix(rel, ".tgz"):
			more, err := unpack(f)
			if err != nil {
				problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the packed chart cannot be read: " + err.Error()})
			}
			subs[parts[1]] = more
		case parts[0] == "charts" && len(parts) > 2:
			subs[parts[1]] = append(subs[parts[1]], f)
		case parts[0] == "templates":
			t.templates = append(t.templates, f)
		case rel == "Chart.lock", rel == "requirements.lock", parts[0] == "charts" && path.Ext(rel) != ".prov":
			// These are no files to Helm.
		default:
			t.files[rel] = f.Content
		}
	}
	if t.values == nil {
		t.values = make(map[string]any)
	}
	if len(t.meta.Dependencies) == 0 && len(required.Dependencies) > 0 {
		t.meta.Dependencies, t.dependencies = required.Dependencies, older
	}
	t.name = path.Join(name, t.meta.Name)
	t.alias = t.meta.Name
	return t, append(problems, t.loadSubs(dir, subs, depth)...)
}

func (t *tree) loadSubs(dir string, subs map[string][]manifest.File, depth int) []Problem {
	var problems []Problem
	for _, sub := range sortedKeys(subs) {
		at := path.Join(dir, "charts", sub)
		if !slices.ContainsFunc(subs[sub], func(f manifest.File) bool { return f.Path == path.Join(at, "Chart.yaml") }) {
			continue
		}
		if depth >= maxDepth {
			problems = append(problems, Problem{Path: path.Join(at, "Chart.yaml"), Line: 1, Message: "charts lie in one another too deep"})
			continue
		}
		child, more := load(at, path.Join(t.name, "charts"), subs[sub], depth+1)
		problems = append(problems, more...)
		t.subs = append(t.subs, child)
	}
	return problems
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
