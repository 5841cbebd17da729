package lockfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth bounds the nesting of objects. npm nests a dependency's own
// dependencies, which real trees do some twenty times.
const maxDepth = 500

var errTooDeep = errors.New("the file is nested too deeply")

// member is one key of a JSON object with the place of the key between its
// quotes.
type member struct {
	key        string
	start, end int
	value      *value
}

// value is a JSON value: an object, an array or a string. Numbers and other
// literals are kept as nothing.
type value struct {
	members    []member
	items      []*value
	text       string
	start, end int // of a string, between its quotes
}

// at is the value of the first member of the name, and never nil.
func (v *value) at(key string) *value {
	for _, m := range v.members {
		if m.key == key {
			return m.value
		}
	}
	return &value{}
}

// readJSON reads the document as a tree with places. What follows a fault is
// lost; what stands before it is returned with the error.
func readJSON(d *document) (*value, error) {
	text := strings.TrimPrefix(d.text, "\ufeff")
	r := &jsonReader{dec: json.NewDecoder(strings.NewReader(text)), text: d.text, shift: len(d.text) - len(text)}
	r.dec.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return v, fmt.Errorf("parse JSON: %w", err)
	}
	return v, nil
}

type jsonReader struct {
	dec   *json.Decoder
	text  string
	shift int
}

func (r *jsonReader) value(depth int) (*value, error) {
	v := &value{}
	if depth > maxDepth {
		return v, errTooDeep
	}
	tok, err := r.token()
	if err != nil {
		return v, err
	}
	switch t := tok.(type) {
	case string:
		v.text = t
		v.start, v.end = r.place()
	case json.Delim:
		if t == '{' {
			return v, r.object(v, depth)
		}
		return v, r.array(v, depth)
	}
	return v, nil
}

func (r *jsonReader) object(v *value, depth int) error {
	for r.dec.More() {
		tok, err := r.token()
		if err != nil {
			return err
		}
		m := member{value: &value{}}
		m.key, _ = tok.(string)
		m.start, m.end = r.place()
		m.value, err = r.value(depth + 1)
		v.members = append(v.members, m)
		if err != nil {
			return err
		}
	}
	_, err := r.token()
	return err
}

func (r *jsonReader) array(v *value, depth int) error {
	for r.dec.More() {
		item, err := r.value(depth + 1)
		v.items = append(v.items, item)
		if err != nil {
			return err
		}
	}
	_, err := r.token()
	return err
}

func (r *jsonReader) token() (json.Token, error) {
	tok, err := r.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return tok, err
}

// place is the range, without quotes, of the string that was read last.
func (r *jsonReader) place() (start, end int) {
	end = int(r.dec.InputOffset()) + r.shift - 1
	for start = end; start > 0; start-- {
		if r.text[start-1] == '"' && !escaped(r.text, start-1) {
			break
		}
	}
	return start, end
}

// escaped reports whether an odd number of backslashes stands before i.
func escaped(s string, i int) bool {
	n := 0
	for i-n-1 >= 0 && s[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// parsePipfile reads https://pipenv.pypa.io/en/latest/pipfile.html#pipfile-lock.
func parsePipfile(d *document) error {
	root, err := readJSON(d)
	for _, section := range root.members {
		if section.key == "_meta" {
			continue
		}
		for _, m := range section.value.members {
			version, pinned := strings.CutPrefix(m.value.at("version").text, "==")
			if pinned {
				d.add(Entry{Name: m.key, Version: strings.TrimPrefix(version, "=")}, m.start, m.end)
			}
		}
	}
	return err
}

// parseConan reads what conan.lock requires: name/version@user/channel#revision.
// What only the build or a recipe needs gets into no image. Version 1 has the
// references in the nodes of a graph.
// https://docs.conan.io/2/tutorial/versioning/lockfiles.html
func parseConan(d *document) error {
	root, err := readJSON(d)
	for _, item := range root.at("requires").items {
		d.addReference(item)
	}
	for _, node := range root.at("graph_lock").at("nodes").members {
		if node.value.at("context").text != "build" {
			d.addReference(node.value.at("ref"))
		}
	}
	return err
}

// addReference enters a reference of Conan whose place is name/version.
func (d *document) addReference(v *value) {
	end := strings.IndexAny(v.text, "@#%")
	if end < 0 {
		end = len(v.text)
	}
	if name, version, ok := strings.Cut(v.text[:end], "/"); ok && v.start+end <= v.end {
		d.add(Entry{Name: name, Version: version}, v.start, v.start+end)
	}
}

// parseComposer reads composer.lock.
func parseComposer(d *document) error {
	root, err := readJSON(d)
	for _, section := range []string{"packages", "packages-dev"} {
		for _, item := range root.at(section).items {
			name := item.at("name")
			d.add(Entry{Name: name.text, Version: item.at("version").text}, name.start, name.end)
		}
	}
	return err
}

// parseNuGet reads packages.lock.json: per target framework, by name. Projects
// of the same solution are not packages.
func parseNuGet(d *document) error {
	root, err := readJSON(d)
	for _, framework := range root.at("dependencies").members {
		for _, m := range framework.value.members {
			if !strings.EqualFold(m.value.at("type").text, "project") {
				d.add(Entry{Name: m.key, Version: m.value.at("resolved").text}, m.start, m.end)
			}
		}
	}
	return err
}
