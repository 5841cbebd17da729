package waiver

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// trivyLines reads .trivyignore: an id a line, perhaps exp:DATE, comments
// after #. The comment right above an id, or behind it, is taken for the
// reason. https://trivy.dev/latest/docs/configuration/filtering/#by-finding-ids
func (i *importer) trivyLines(content string) {
	above, number := "", 0
	for line := range strings.Lines(content) {
		number++
		body, comment, _ := strings.Cut(strings.TrimSpace(line), "#")
		fields := strings.Fields(body)
		comment = strings.TrimSpace(comment)
		if len(fields) == 0 {
			above = strings.TrimSpace(above + " " + comment)
			if comment == "" {
				above = ""
			}
			continue
		}
		w := Waiver{ID: fields[0], Reason: comment}
		if comment == "" {
			w.Reason = above
		}
		above = ""
		if i.trivyFields(number, fields[1:], &w) {
			i.add(number, w)
		}
	}
}

// trivyFields reads what follows the id.
func (i *importer) trivyFields(line int, fields []string, w *Waiver) bool {
	for _, f := range fields {
		day, ok := strings.CutPrefix(f, "exp:")
		if !ok {
			i.note(line, "%.80q is not understood; %s is not imported", f, w.ID)
			return false
		}
		i.trivyExpiry(line, day, w)
	}
	return true
}

// trivyExpiry takes over a date. Trivy's is the first day on which the entry
// does not count, a waiver's the last on which it does.
func (i *importer) trivyExpiry(line int, text string, w *Waiver) {
	t, ok := parseDay(text)
	if !ok {
		i.note(line, "%.80q is no date; set one", text)
		return
	}
	w.Expires = t.AddDate(0, 0, -1)
}

// trivyYAML reads .trivyignore.yaml.
// https://trivy.dev/latest/docs/configuration/filtering/#trivyignoreyaml
func (i *importer) trivyYAML(root *yaml.Node) {
	for key, list := range pairs(root) {
		switch key.Value {
		case "vulnerabilities", "misconfigurations", "secrets":
			for _, n := range items(list) {
				i.trivyEntry(key.Value, n)
			}
		default:
			i.note(key.Line, "%.80q has no counterpart; not imported", key.Value)
		}
	}
}

// trivyEntry makes a draft for each pair of path and package URL.
func (i *importer) trivyEntry(section string, n *yaml.Node) {
	base := Waiver{ID: text(value(n, "id")), Reason: text(value(n, "statement"))}
	if e := value(n, "expired_at"); e != nil {
		i.trivyExpiry(e.Line, e.Value, &base)
	}
	paths, purls := []string{""}, []string{""}
	if list := value(n, "paths"); list != nil {
		paths = nil
		for _, p := range items(list) {
			paths = append(paths, trivyPath(section, p.Value))
		}
	}
	if list := value(n, "purls"); list != nil {
		purls = nil
		for _, p := range items(list) {
			purls = append(purls, p.Value)
		}
	}
	if len(paths)*len(purls) == 0 {
		i.note(n.Line, "%.80s has an empty list of paths or purls; not imported", base.ID)
		return
	}
	for _, p := range paths {
		for _, purl := range purls {
			w := base
			w.Path, w.Package = p, purl
			i.add(n.Line, w)
		}
	}
}

// trivyPath writes a path of an image in full: trivy leaves the first slash
// out, which here means the repository.
func trivyPath(section, p string) string {
	if section == "vulnerabilities" && !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "**") {
		return "/" + p
	}
	return strings.TrimPrefix(p, "./")
}
