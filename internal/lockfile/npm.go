package lockfile

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

const modules = "node_modules/"

// parseNPM reads package-lock.json and npm-shrinkwrap.json. From version 2 on
// "packages" has everything by its folder; version 1 nests "dependencies".
// https://docs.npmjs.com/cli/configuring-npm/package-lock-json
func parseNPM(d *document) error {
	root, err := readJSON(d)
	if packages := root.at("packages"); len(packages.members) > 0 {
		for _, m := range packages.members {
			i := strings.LastIndex(m.key, modules)
			if i < 0 {
				continue // the project itself or one of its workspaces
			}
			e := Entry{Name: m.key[i+len(modules):], Version: m.value.at("version").text, Path: m.key}
			if real := m.value.at("name").text; real != "" {
				e.Name = real // installed under an alias
				d.addAliased(e, m)
				continue
			}
			d.add(e, m.start, m.end)
		}
		return err
	}
	d.nested(root.at("dependencies"), "")
	return err
}

// addAliased places an entry that is installed under another name at its key
// where that holds the name, and else at its "name".
func (d *document) addAliased(e Entry, m member) {
	if strings.Contains(m.key, e.Name) {
		d.add(e, m.start, m.end)
		return
	}
	name := m.value.at("name")
	d.add(e, name.start, name.end)
}

// nested reads the tree of version 1.
func (d *document) nested(dependencies *value, under string) {
	for _, m := range dependencies.members {
		version := m.value.at("version")
		folder := under + modules + m.key
		if alias, ok := strings.CutPrefix(version.text, "npm:"); ok {
			if i := strings.LastIndexByte(alias, '@'); i > 0 {
				d.add(Entry{Name: alias[:i], Version: alias[i+1:], Path: folder}, version.start, version.end)
			}
		} else if !strings.ContainsAny(version.text, ":/") {
			d.add(Entry{Name: m.key, Version: version.text, Path: folder}, m.start, m.end)
		}
		d.nested(m.value.at("dependencies"), folder+"/")
	}
}

// splitSpec cuts name@range; the @ of a scope belongs to the name.
func splitSpec(spec string) (name, rest string, ok bool) {
	if spec == "" {
		return "", "", false
	}
	i := strings.IndexByte(spec[1:], '@')
	if i < 0 {
		return "", "", false
	}
	return spec[:i+1], spec[i+2:], true
}

// parseYarn reads yarn.lock, the classic form and that of Yarn 2 and later
// ("berry"), by its lines: an entry begins with the ranges that it answers, its
// fields are indented.
func parseYarn(d *document) error {
	var e yarnEntry
	for start, line := range d.lines {
		switch {
		case line == "" || line[0] == '#':
		case line[0] != ' ':
			e.finish(d)
			e = yarnEntry{header: strings.TrimSuffix(line, ":"), start: start}
		case strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   "):
			e.field(line[2:])
		}
	}
	e.finish(d)
	return nil
}

type yarnEntry struct {
	header, version, resolution string
	start                       int
}

func (e *yarnEntry) field(line string) {
	key, rest, _ := strings.Cut(line, " ")
	text := strings.Trim(strings.TrimSpace(rest), `"`)
	switch strings.TrimSuffix(key, ":") {
	case "version":
		e.version = text
	case "resolution":
		e.resolution = text
	}
}

func (e *yarnEntry) finish(d *document) {
	if e.version == "" || strings.HasPrefix(e.header, "__") {
		return
	}
	first, _, _ := strings.Cut(e.header, ",")
	spec := strings.Trim(strings.TrimSpace(first), `"`)
	start := e.start + strings.Index(e.header, spec)
	name, rest, ok := splitSpec(spec)
	if !ok {
		return
	}
	if alias, isAlias := strings.CutPrefix(rest, "npm:"); isAlias {
		if real, _, ok := splitSpec(alias); ok {
			name = real
		}
	}
	if e.resolution != "" {
		real, from, ok := splitSpec(e.resolution)
		if !ok || !strings.HasPrefix(from, "npm:") && !strings.HasPrefix(from, "patch:") {
			return // a workspace, link or checkout
		}
		name = real
	}
	d.add(Entry{Name: name, Version: e.version}, start, start+len(spec))
}

// parsePNPM reads the keys of "packages" in pnpm-lock.yaml, which hold name and
// version: /name/1.2.3_peer in version 5, /name@1.2.3(peer) in 6, name@1.2.3
// in 9. https://github.com/pnpm/spec/tree/master/lockfile
func parsePNPM(d *document) error {
	root, err := readYAML(d)
	if err != nil {
		return err
	}
	for key, val := range pairs(child(root, "packages")) {
		name, version := pnpmKey(key.Value)
		if n := child(val, "name"); n != nil {
			name = n.Value
		}
		if v := child(val, "version"); v != nil {
			version = v.Value
		}
		d.addNode(Entry{Name: name, Version: version}, key)
	}
	return nil
}

// bunPackage is a package of bun.lock: its folder, and name@version as the first
// element of its list.
var bunPackage = regexp.MustCompile(`^\s*"((?:@[^/"\\]+/)?[^"\\]+)":\s*\[\s*"([^"\\]+)"`)

// parseBun reads the text form of Bun's lock file by its lines: a package has a
// line of its own. The file is JSON with trailing commas.
// https://bun.sh/docs/pm/lockfile
func parseBun(d *document) error {
	inside := false
	for start, line := range d.lines {
		if strings.HasPrefix(line, "  \"") && strings.HasSuffix(line, "{") {
			inside = strings.HasPrefix(line, `  "packages":`)
			continue
		}
		m := bunPackage.FindStringSubmatchIndex(line)
		if !inside || m == nil {
			continue
		}
		// What was not taken from a registry has a scheme or an address there.
		name, version, ok := splitSpec(line[m[4]:m[5]])
		if ok && !strings.ContainsAny(version, ":/") {
			d.add(Entry{Name: name, Version: version, Path: bunFolder(line[m[2]:m[3]])}, start+m[4], start+m[5])
		}
	}
	return nil
}

// bunFolder is the folder for a key such as debug/ms or @a/b/c.
func bunFolder(key string) string {
	var out []string
	parts := strings.Split(key, "/")
	for i := 0; i < len(parts); i++ {
		name := parts[i]
		if strings.HasPrefix(name, "@") && i+1 < len(parts) {
			i++
			name += "/" + parts[i]
		}
		out = append(out, modules+name)
	}
	return strings.Join(out, "/")
}

// parseDeno reads the packages from npm in deno.lock; the key is name@version,
// and after an underscore the peers. Version 3 has them one level deeper.
// https://docs.deno.com/runtime/fundamentals/modules/#integrity-checking-and-lock-files
func parseDeno(d *document) error {
	root, err := readJSON(d)
	for _, section := range []*value{root.at("npm"), root.at("packages").at("npm")} {
		for _, m := range section.members {
			if name, version, ok := splitSpec(m.key); ok {
				d.add(Entry{Name: name, Version: cutPeers(version)}, m.start, m.end)
			}
		}
	}
	return err
}

// versionFolder is the key of version 5: the version is the last folder.
var versionFolder = regexp.MustCompile(`^(.+)/(\d[^_/@]*)(?:_.*)?$`)

func pnpmKey(key string) (name, version string) {
	key, _, _ = strings.Cut(key, "(")
	key = strings.TrimPrefix(key, "/")
	if strings.Contains(key, ":") {
		return "", "" // a link, file or checkout
	}
	if m := versionFolder.FindStringSubmatch(key); m != nil {
		return m[1], m[2]
	}
	cut := strings.LastIndexByte(key, '@')
	if cut <= 0 {
		return "", ""
	}
	return key[:cut], cutPeers(key[cut+1:])
}

func cutPeers(version string) string {
	version, _, _ = strings.Cut(version, "_")
	return version
}

// readYAML reads the first document as nodes; aliases are not followed, so that
// none can multiply itself.
func readYAML(d *document) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(d.text), &doc); err != nil {
		return nil, fmt.Errorf("parse YAML: %w", err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// pairs are the keys and values of a mapping; none of anything else.
func pairs(n *yaml.Node) func(yield func(key, val *yaml.Node) bool) {
	return func(yield func(key, val *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	for k, v := range pairs(n) {
		if k.Value == key {
			return v
		}
	}
	return nil
}

// addNode enters a package whose place is the text of a plain or quoted scalar.
func (d *document) addNode(e Entry, n *yaml.Node) {
	if n.Line < 1 || n.Line > len(d.starts) || n.Value == "" {
		return
	}
	start := d.starts[n.Line-1]
	end := len(d.text)
	if n.Line < len(d.starts) {
		end = d.starts[n.Line] - 1
	}
	line := d.text[start:end]
	// The parser's columns are not relied on beyond the line: the text is
	// looked for from there on, or else from the start of the line.
	i := strings.Index(line[min(max(n.Column-1, 0), len(line)):], n.Value)
	if i >= 0 {
		i += min(max(n.Column-1, 0), len(line))
	} else if i = strings.Index(line, n.Value); i < 0 {
		return
	}
	d.add(e, start+i, start+i+len(n.Value))
}

// parsePubspec reads pubspec.lock of Dart.
func parsePubspec(d *document) error {
	root, err := readYAML(d)
	if err != nil {
		return err
	}
	for key, val := range pairs(child(root, "packages")) {
		source, version := child(val, "source"), child(val, "version")
		if source != nil && source.Value == "hosted" && version != nil {
			d.addNode(Entry{Name: key.Value, Version: version.Value}, key)
		}
	}
	return nil
}
