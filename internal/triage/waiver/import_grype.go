package waiver

import (
	"strings"

	"github.com/package-url/packageurl-go"
	"go.yaml.in/yaml/v3"
)

// grype reads the list ignore of .grype.yaml. What a rule demands beyond
// vulnerability and package cannot be kept, so such rules are noted.
// https://github.com/anchore/grype#specifying-matches-to-ignore
func (i *importer) grype(root *yaml.Node) {
	for _, n := range items(value(root, "ignore")) {
		if w, ok := i.grypeRule(n); ok {
			i.add(n.Line, w)
		}
	}
}

func (i *importer) grypeRule(n *yaml.Node) (Waiver, bool) {
	w := Waiver{ID: AnyID}
	if n.Kind != yaml.MappingNode {
		i.note(n.Line, "a rule is no mapping; not imported")
		return w, false
	}
	for key, v := range pairs(n) {
		switch key.Value {
		case "vulnerability":
			w.ID = v.Value
		case "reason":
			w.Reason = v.Value
		case "include-aliases": // a waiver always means the aliases too
		case "package":
			if !i.grypePackage(v, &w) {
				return w, false
			}
		default:
			i.note(key.Line, "a waiver cannot express %.80q; the rule is not imported", key.Value)
			return w, false
		}
	}
	if w.ID == AnyID && w.Package == "" {
		i.note(n.Line, "a rule names neither vulnerability nor package; not imported")
		return w, false
	}
	return w, true
}

// grypeTypes are the package URL types of those types of grype whose package
// URLs have nothing but the name.
var grypeTypes = map[string]string{
	"npm": packageurl.TypeNPM, "python": packageurl.TypePyPi, "gem": packageurl.TypeGem,
	"rust-crate": packageurl.TypeCargo, "dotnet": packageurl.TypeNuget,
}

func (i *importer) grypePackage(n *yaml.Node, w *Waiver) bool {
	purlType, version := "", ""
	for key, v := range pairs(n) {
		switch key.Value {
		case "name", "upstream-name":
			if strings.ContainsAny(v.Value, `*?[]()|^$\`) {
				i.note(v.Line, "the package name %.80q is a pattern; the rule is not imported", v.Value)
				return false
			}
			if w.Package != "" && w.Package != v.Value {
				i.note(v.Line, "a waiver cannot demand name and upstream-name; the rule is not imported")
				return false
			}
			w.Package = v.Value
		case "version":
			version = v.Value
		case "location":
			w.Path = v.Value
		case "type":
			purlType = grypeTypes[v.Value]
			if purlType == "" {
				i.note(v.Line, "package type %.80q cannot be kept: name the package by its package URL; the rule is not imported", v.Value)
				return false
			}
		default:
			i.note(key.Line, "a waiver cannot express package.%.80s; the rule is not imported", key.Value)
			return false
		}
	}
	if w.Package == "" {
		i.note(n.Line, "a rule names no package; not imported")
		return false
	}
	if purlType != "" {
		namespace, name := "", w.Package
		if purlType == packageurl.TypeNPM && strings.HasPrefix(name, "@") {
			namespace, name, _ = strings.Cut(name, "/")
		}
		w.Package = packageurl.NewPackageURL(purlType, namespace, name, "", nil, "").ToString()
	}
	if version != "" {
		w.Versions = "=" + version
	}
	return true
}
