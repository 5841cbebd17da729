// Package kustomization builds kustomizations from files in memory and finds
// for each field of a built object the file in which it was written. It reads
// no disk, runs no plugin and fetches nothing: a remote base is a Problem.
// Its main function is Build.
package kustomization

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// Problem is something that could not be built.
type Problem struct {
	Path    string
	Span    manifest.Span
	Message string
}

// Built is an object that a kustomization makes.
type Built struct {
	// Kustomization is the file of the kustomization that was built.
	Kustomization string
	// Name is the object as kind and name.
	Name    string
	Content []byte
	places  *places
}

// Locate returns the file and the place in it that decide what stands at a
// place of the built object.
func (b *Built) Locate(span manifest.Span) (string, manifest.Span) { return b.places.locate(span) }

// unit is one kustomization.
type unit struct {
	dir  string
	file manifest.File
	root *manifest.Place
	// bases are the directories, and files the files, that it names.
	bases   []string
	files   []string
	patches []string
	remote  []*manifest.Place
	// named are the places of all local names of resources and patches, data
	// the files that generators and the build itself read.
	named []*manifest.Place
	data  []string
	// component marks those that are only for others.
	component bool
}

// names are those under which a kustomization is found in its directory.
var names = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// Result is what became of all kustomizations among some files.
type Result struct {
	Built    []Built
	Problems []Problem
	// Used are the patches of all kustomizations, and the files that those which
	// were built are made of: looking at them alone would judge what nobody
	// deploys.
	Used map[string]bool
}

// Sources are where Build finds what kustomizations are made of.
type Sources struct {
	// Files are those among which kustomizations are looked for.
	Files []manifest.File
	// Charts are files of charts, which kustomizations may name.
	Charts []manifest.File
	// Read, if it is there, returns the content of a file that a kustomization
	// names and that is not among the others, such as a script that goes into a
	// ConfigMap.
	Read func(name string) ([]byte, error)
}

// Build builds every kustomization that no other one uses.
func Build(sources Sources) Result {
	result := Result{Used: make(map[string]bool)}
	files := slices.Concat(sources.Files, sources.Charts)
	all := library{files: make(map[string]manifest.File, len(files)), objects: make(map[string][]*manifest.Object)}
	for _, f := range files {
		all.files[f.Path] = f
	}
	units := find(sources.Files)
	if len(units) == 0 {
		return result
	}
	files = append(files, sources.named(units, all)...)
	for _, u := range units {
		result.Used[u.file.Path] = true
		// What is changed says nothing by itself, also if nothing comes of it.
		for _, name := range u.patches {
			result.Used[name] = true
		}
	}
	disk := newTree(files)
	for _, u := range roots(units) {
		reach := u.reach(units)
		if problems := append(remotes(reach), absent(reach, units, all)...); len(problems) > 0 {
			for _, p := range problems {
				// A base that cannot be built is one problem for all that use it.
				if !slices.Contains(result.Problems, p) {
					result.Problems = append(result.Problems, p)
				}
			}
			continue
		}
		built, err := u.build(disk, reach, all)
		if err != nil {
			result.Problems = append(result.Problems, Problem{u.file.Path, manifest.Span{Line: 1}, "the kustomization does not build: " + firstLine(err)})
			continue
		}
		result.Built = append(result.Built, built...)
		for _, r := range reach {
			for _, name := range r.files {
				result.Used[name] = true
			}
		}
	}
	return result
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// find reads all kustomizations.
func find(files []manifest.File) map[string]*unit {
	units := make(map[string]*unit)
	for _, f := range files {
		if !slices.Contains(names, path.Base(f.Path)) {
			continue
		}
		u := &unit{dir: path.Dir(f.Path), file: f}
		for _, doc := range manifest.Parse(f, manifest.Limits{}) {
			if doc.Root != nil {
				u.read(manifest.NewPlace(doc.Root))
			}
		}
		units[u.dir] = u
	}
	for _, u := range units {
		u.sort(units)
	}
	return units
}

// read takes down what a kustomization names.
func (u *unit) read(root *manifest.Place) {
	u.root = root
	u.component = root.At("kind").Text() == "Component"
	for _, field := range []string{"resources", "bases", "components", "crds", "generators", "transformers"} {
		for _, item := range root.At(field).Items() {
			u.name(item, &u.files)
		}
	}
	for _, item := range root.At("patchesStrategicMerge").Items() {
		if !strings.Contains(item.Text(), "\n") {
			u.name(item, &u.patches)
		}
	}
	u.readData(root)
	for _, field := range []string{"patches", "patchesJson6902", "replacements"} {
		for _, item := range root.At(field).Items() {
			if at := item.At("path"); at.Text() != "" {
				u.name(at, &u.patches)
			}
		}
	}
}

// readData takes down the files that generators and the build itself read.
func (u *unit) readData(root *manifest.Place) {
	places := append(root.At("configurations").Items(), root.At("validators").Items()...)
	places = append(places, root.At("openapi", "path"))
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		for _, g := range root.At(field).Items() {
			places = append(places, g.At("env"))
			places = append(places, g.At("files").Items()...)
			places = append(places, g.At("envs").Items()...)
		}
	}
	for _, at := range places {
		_, file, named := strings.Cut(at.Text(), "=")
		if !named {
			file = at.Text()
		}
		switch {
		case remote(file):
			u.remote = append(u.remote, at)
		case file != "":
			u.data = append(u.data, path.Join(u.dir, file))
		}
	}
}

// named reads the files that kustomizations name and that are not there yet. One
// that cannot be read is missing, and the kustomization says so.
func (s Sources) named(units map[string]*unit, all library) []manifest.File {
	if s.Read == nil {
		return nil
	}
	var more []manifest.File
	for _, u := range units {
		for _, name := range slices.Concat(u.files, u.patches, u.data) {
			if _, there := all.files[name]; there {
				continue
			}
			content, err := s.Read(name)
			if err != nil {
				continue
			}
			f := manifest.File{Path: name, Content: content}
			all.files[name] = f
			more = append(more, f)
		}
	}
	return more
}

func (u *unit) name(at *manifest.Place, list *[]string) {
	text := at.Text()
	switch {
	case text == "" || strings.Contains(text, "\n") && !strings.Contains(text, "://"):
		// What is written in place names no file.
	case remote(text):
		u.remote = append(u.remote, at)
	default:
		*list = append(*list, path.Join(u.dir, text))
		u.named = append(u.named, at)
	}
}

// remote reports whether kustomize would fetch what a name stands for.
func remote(text string) bool {
	return strings.Contains(text, "//") || strings.Contains(text, "git@") || strings.Contains(text, "git::") || strings.Contains(text, "?") ||
		strings.HasSuffix(text, ".git") || strings.Contains(text, ".git/") || strings.Contains(text, "_git/") ||
		strings.HasPrefix(text, "github.com/") || strings.HasPrefix(text, "gitlab.com/") || strings.HasPrefix(text, "bitbucket.org/")
}

// sort tells the bases among the resources from the files.
func (u *unit) sort(units map[string]*unit) {
	var files []string
	for _, name := range u.files {
		if units[name] != nil {
			u.bases = append(u.bases, name)
		} else {
			files = append(files, name)
		}
	}
	u.files = files
}

// roots returns the kustomizations that no other one uses, by directory.
func roots(units map[string]*unit) []*unit {
	used := make(map[string]bool)
	for _, u := range units {
		for _, base := range u.bases {
			used[base] = true
		}
	}
	var out []*unit
	for dir, u := range units {
		if !used[dir] && !u.component {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *unit) int { return strings.Compare(a.dir, b.dir) })
	return out
}

// reach returns the kustomization and all that it uses, itself first.
func (u *unit) reach(units map[string]*unit) []*unit {
	seen := make(map[*unit]bool)
	var out []*unit
	queue := []*unit{u}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at == nil || seen[at] {
			continue
		}
		seen[at] = true
		out = append(out, at)
		for _, base := range at.bases {
			queue = append(queue, units[base])
		}
	}
	return out
}

func remotes(reach []*unit) []Problem {
	var problems []Problem
	for _, u := range reach {
		for _, at := range u.remote {
			problems = append(problems, Problem{u.file.Path, at.Span(), fmt.Sprintf(
				"%q lies elsewhere and is not fetched, so this kustomization was not built; copy it into the repository", at.Text())})
		}
	}
	return problems
}

// absent reports names that stand for nothing here. kustomize would take some
// of them for repositories and fetch them.
func absent(reach []*unit, units map[string]*unit, all library) []Problem {
	var problems []Problem
	for _, u := range reach {
		for _, at := range u.named {
			name := path.Join(u.dir, at.Text())
			if _, file := all.files[name]; !file && units[name] == nil {
				problems = append(problems, Problem{u.file.Path, at.Span(), fmt.Sprintf(
					"%q is not here, so this kustomization was not built; correct the name or add the file", at.Text())})
			}
		}
	}
	return problems
}

// build runs kustomize over the files in memory.
func (u *unit) build(disk *tree, reach []*unit, all library) (built []Built, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("kustomize broke down: %v", cause)
		}
	}()
	disk = disk.with(u.file.Path, withOrigins(u.file.Content))
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, absolute(u.dir))
	if err != nil {
		return nil, err
	}
	for _, r := range resources.Resources() {
		b, err := u.object(r, reach, all)
		if err != nil {
			return nil, err
		}
		built = append(built, b)
	}
	return built, nil
}

// withOrigins asks kustomize to say where each object comes from.
func withOrigins(content []byte) []byte {
	var k map[string]any
	if err := yaml.Unmarshal(content, &k); err != nil || k == nil {
		return content
	}
	k["buildMetadata"] = []string{"originAnnotations"}
	out, err := yaml.Marshal(k)
	if err != nil {
		return content
	}
	return out
}

// object writes an object out and finds the files that it is made of.
func (u *unit) object(r *resource.Resource, reach []*unit, all library) (Built, error) {
	kind, source := r.GetKind(), u.file.Path
	if origin, err := r.GetOrigin(); err == nil && origin != nil && origin.Path != "" {
		source = path.Join(u.dir, origin.Path)
	}
	annotations := r.GetAnnotations()
	delete(annotations, "config.kubernetes.io/origin")
	if err := r.SetAnnotations(annotations); err != nil {
		return Built{}, fmt.Errorf("write %s %s: %w", kind, r.GetName(), err)
	}
	content, err := r.AsYAML()
	if err != nil {
		return Built{}, fmt.Errorf("write %s %s: %w", kind, r.GetName(), err)
	}
	p := &places{fallback: u.file.Path}
	p.built(content)
	// The name may have got a prefix or suffix on the way.
	name := original(all.read(source), kind, r.GetName())
	for _, k := range reach {
		for _, patch := range k.patches {
			p.source(patch, all.read(patch), kind, name, true)
		}
	}
	p.source(source, all.read(source), kind, name, false)
	return Built{Kustomization: u.file.Path, Name: kind + "/" + r.GetName(), Content: content, places: p}, nil
}

// library holds the files, and the objects of those that were read already.
type library struct {
	files   map[string]manifest.File
	objects map[string][]*manifest.Object
}

// read returns the objects of a file.
func (l library) read(name string) []*manifest.Object {
	if objects, done := l.objects[name]; done {
		return objects
	}
	var objects []*manifest.Object
	if f, there := l.files[name]; there {
		docs := manifest.Parse(f, manifest.Limits{})
		for i := range docs {
			more, _, _ := manifest.Objects(&docs[i])
			objects = append(objects, more...)
		}
	}
	l.objects[name] = objects
	return objects
}
