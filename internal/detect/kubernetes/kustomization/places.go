package kustomization

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// places leads from the places of a built object to those in its sources.
type places struct {
	// paths are the field paths of the built object by their places.
	paths map[manifest.Span]string
	// sources are the documents that the object is made of: patches, and last
	// the resource itself.
	sources  []source
	fallback string
}

// source is one object of a file with its fields by their paths.
type source struct {
	file   string
	root   manifest.Span
	fields map[string]manifest.Span
	patch  bool
}

// built notes the places of a built object.
func (p *places) built(content []byte) {
	p.paths = make(map[manifest.Span]string)
	for _, doc := range manifest.Parse(manifest.File{Content: content}, manifest.Limits{}) {
		if doc.Root != nil {
			walk(manifest.NewPlace(doc.Root), func(at *manifest.Place) {
				if _, there := p.paths[at.Span()]; !there || at.Key != nil {
					p.paths[at.Span()] = at.Path()
				}
			})
		}
	}
}

// source takes in the object of a kind and name from a file.
func (p *places) source(file string, objects []*manifest.Object, kind, name string, patch bool) {
	for _, o := range objects {
		if o.Kind != kind || o.Name != name {
			continue
		}
		s := source{file: file, root: o.Root.Span(), fields: make(map[string]manifest.Span), patch: patch}
		walk(o.Root, func(at *manifest.Place) { s.fields[at.Path()] = at.Span() })
		p.sources = append(p.sources, s)
	}
}

// original returns the name that an object had in its file before prefixes and
// suffixes were added: the longest one of its kind that the new name holds.
func original(objects []*manifest.Object, kind, name string) string {
	best := ""
	for _, o := range objects {
		if o.Kind == kind && strings.Contains(name, o.Name) && len(o.Name) > len(best) {
			best = o.Name
		}
	}
	return best
}

func walk(at *manifest.Place, visit func(*manifest.Place)) {
	visit(at)
	for _, f := range at.Fields() {
		walk(f, visit)
	}
	for _, i := range at.Items() {
		walk(i, visit)
	}
}

// locate finds the field in a patch, in the resource, or the nearest field
// that encloses it in the resource.
func (p *places) locate(span manifest.Span) (string, manifest.Span) {
	path := p.paths[span]
	for _, s := range p.sources {
		if at, ok := s.fields[path]; ok && path != "" {
			return s.file, at
		}
	}
	for i := len(p.sources) - 1; i >= 0; i-- {
		s := p.sources[i]
		if s.patch {
			continue
		}
		for outer := shorten(path); outer != ""; outer = shorten(outer) {
			if at, ok := s.fields[outer]; ok {
				return s.file, at
			}
		}
		return s.file, s.root
	}
	return p.fallback, manifest.Span{Line: 1}
}

// shorten drops the last step of a path.
func shorten(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:max(strings.LastIndexByte(path, '['), 0)]
	}
	dot, bracket := strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, ']')
	if bracket > dot {
		return path[:bracket+1]
	}
	return path[:max(dot, 0)]
}
