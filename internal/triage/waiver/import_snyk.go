package waiver

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// snyk reads the mapping ignore of a .snyk policy: id, then a list of paths,
// each with reason and expiry.
// https://docs.snyk.io/manage-risk/policies/the-.snyk-file
func (i *importer) snyk(root *yaml.Node) {
	for key, v := range pairs(root) {
		switch key.Value {
		case "ignore":
			if v.Kind != yaml.MappingNode {
				continue
			}
			for id, list := range pairs(v) {
				i.snykID(id, list)
			}
		case "version", "language-settings":
		default:
			if len(v.Content) > 0 {
				i.note(key.Line, "%.80q has no counterpart; not imported", key.Value)
			}
		}
	}
}

func (i *importer) snykID(id, list *yaml.Node) {
	if strings.HasPrefix(id.Value, "SNYK-") || strings.HasPrefix(id.Value, "npm:") {
		i.note(id.Line, "%.80s is an id of Snyk's own, which the advisory data does not have: write the CVE or GHSA id instead", id.Value)
	}
	for _, n := range items(list) {
		if n.Kind != yaml.MappingNode {
			i.note(n.Line, "an entry of %.80s is no mapping; not imported", id.Value)
			continue
		}
		for where, terms := range pairs(n) {
			i.snykPath(id.Value, where, terms)
		}
	}
}

// snykPath makes a draft of one path of dependencies. Of the path only the
// last package is kept.
func (i *importer) snykPath(id string, where, terms *yaml.Node) {
	w := Waiver{ID: id, Reason: text(value(terms, "reason"))}
	if by := value(terms, "ignoredBy"); by != nil {
		w.Owner = text(value(by, "email"))
		if w.Owner == "" {
			w.Owner = text(value(by, "name"))
		}
	}
	if t, ok := parseDay(text(value(terms, "created"))); ok {
		w.Created = t
	}
	if e := value(terms, "expires"); e != nil {
		t, ok := parseDay(e.Value)
		if !ok {
			i.note(e.Line, "%.80q is no date; set one", e.Value)
		} else {
			w.Expires = t.AddDate(0, 0, -1)
		}
	}
	if d := value(terms, "disregardIfFixable"); d != nil && d.Value == "true" {
		i.note(d.Line, "%.80s is only ignored while there is no fix, which a waiver cannot express; not imported", id)
		return
	}
	if where.Value != "*" {
		steps := strings.Split(where.Value, ">")
		last := strings.TrimSpace(steps[len(steps)-1])
		if at := strings.LastIndexByte(last, '@'); at > 0 {
			last, w.Versions = last[:at], "="+last[at+1:]
		}
		if last == "" || last == "*" {
			i.note(where.Line, "the path %.80q ends in no package; not imported", where.Value)
			return
		}
		w.Package = last
		if len(steps) > 1 {
			i.note(where.Line, "the draft means every %s, not only the one that %.80q leads to", last, where.Value)
		}
	}
	i.add(where.Line, w)
}
