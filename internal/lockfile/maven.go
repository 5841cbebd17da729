package lockfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// parsePOM reads the dependencies of a pom.xml whose versions are written in
// it, directly or by a property of the same file. What a parent or an imported
// list of versions decides is not in the file and has no entry.
// https://maven.apache.org/pom.html#Dependencies
func parsePOM(d *document) error {
	r := &pomReader{d: d, properties: make(map[string]string)}
	err := r.read()
	for _, dep := range r.dependencies {
		e := Entry{Name: r.resolve(dep.group) + ":" + r.resolve(dep.artifact), Version: r.resolve(dep.version)}
		if slices.Contains([]string{"test", "provided", "import"}, dep.scope) {
			continue // nothing of it gets into what is built
		}
		if dep.artifact != "" && !strings.Contains(e.Name+e.Version, "${") {
			// The artifact's name as it is written must be there to be shown.
			d.add(e, dep.start, dep.end)
		}
	}
	if err != nil {
		return fmt.Errorf("parse XML: %w", err)
	}
	return nil
}

type pomDependency struct {
	group, artifact, version, scope string
	start, end                      int // of the artifact's text
}

type pomReader struct {
	d            *document
	path         []string
	properties   map[string]string
	dependencies []pomDependency
	current      *pomDependency
}

func (r *pomReader) read() error {
	dec := xml.NewDecoder(strings.NewReader(r.d.text))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // known to be UTF-8
	for {
		start := int(dec.InputOffset())
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(r.path) >= maxDepth {
				return errTooDeep
			}
			r.path = append(r.path, t.Name.Local)
			if r.dependency() == 0 {
				r.current = &pomDependency{}
			}
		case xml.EndElement:
			if r.dependency() == 0 && r.current != nil {
				r.dependencies = append(r.dependencies, *r.current)
				r.current = nil
			}
			r.path = r.path[:len(r.path)-1]
		case xml.CharData:
			r.text(string(t), start)
		}
	}
}

// dependency is how far the path is below a dependency element of the project,
// of its management or of a profile, or -1. What a plugin depends on runs in the
// build alone.
func (r *pomReader) dependency() int {
	if slices.Contains(r.path, "plugin") {
		return -1
	}
	for i := len(r.path) - 1; i > 0; i-- {
		if r.path[i] == "dependency" && r.path[i-1] == "dependencies" {
			return len(r.path) - 1 - i
		}
	}
	return -1
}

func (r *pomReader) text(text string, start int) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return
	}
	n := len(r.path)
	switch {
	case r.current != nil && r.dependency() == 1:
		switch r.path[n-1] {
		case "groupId":
			r.current.group = trimmed
		case "version":
			r.current.version = trimmed
		case "scope":
			r.current.scope = trimmed
		case "artifactId":
			r.current.artifact = trimmed
			start += strings.Index(text, trimmed)
			r.current.start, r.current.end = start, start+len(trimmed)
		}
	case n == 3 && r.path[1] == "properties":
		r.properties[r.path[2]] = trimmed
	case n == 2 && (r.path[1] == "version" || r.path[1] == "groupId"):
		r.properties["project."+r.path[1]] = trimmed
	case n == 3 && r.path[1] == "parent":
		r.properties["project.parent."+r.path[2]] = trimmed
		if _, own := r.properties["project."+r.path[2]]; !own {
			r.properties["project."+r.path[2]] = trimmed
		}
	}
}

var property = regexp.MustCompile(`\$\{([^{}]+)\}`)

// resolve replaces properties, also within properties, to a bound.
func (r *pomReader) resolve(text string) string {
	for range 5 {
		if !strings.Contains(text, "${") || len(text) > 4096 {
			break
		}
		text = property.ReplaceAllStringFunc(text, func(ref string) string {
			if v, ok := r.properties[ref[2:len(ref)-1]]; ok {
				return v
			}
			return ref
		})
	}
	return text
}
