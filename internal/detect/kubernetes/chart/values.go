package chart

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// userValues merges values files and --set values.
func userValues(s Settings) (map[string]any, []Problem) {
	merged := make(map[string]any)
	var problems []Problem
	for _, f := range s.Values {
		var values map[string]any
		if err := yaml.Unmarshal(f.Content, &values); err != nil {
			problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the values cannot be read: " + err.Error()})
			continue
		}
		merged = lay(values, merged, true)
	}
	for _, set := range s.Set {
		err := strvals.ParseInto(set, merged)
		if strings.HasPrefix(set, "=") {
			err = errors.New("it has no key")
		}
		if err != nil {
			// The value may be a password, and the error may quote it.
			key, _, _ := strings.Cut(set, "=")
			if key == set {
				key = ""
			}
			problems = append(problems, Problem{Message: fmt.Sprintf("what is set for %q is not of the form key=value", key)})
		}
	}
	return merged, problems
}

// Values are those of a chart as its templates see them, with the methods that
// Helm gives them.
type Values map[string]any

// AsMap returns the values as a plain map, as functions such as dig want them.
func (v Values) AsMap() map[string]any {
	if v == nil {
		return make(map[string]any)
	}
	return v
}

// YAML returns the values as text.
func (v Values) YAML() (string, error) {
	data, err := yaml.Marshal(v)
	return string(data), err
}

// Table returns the map at a path of keys.
func (v Values) Table(name string) (Values, error) {
	at, _ := lookup(v, name)
	if table, ok := at.(map[string]any); ok {
		return table, nil
	}
	return nil, fmt.Errorf("no table named %q", name)
}

// PathValue returns the value at a path of keys, if it is no map.
func (v Values) PathValue(name string) (any, error) {
	at, ok := lookup(v, name)
	if _, table := at.(map[string]any); !ok || table {
		return nil, fmt.Errorf("no value named %q", name)
	}
	return at, nil
}

func put(m map[string]any, keys []string, value any) {
	for _, key := range keys[:len(keys)-1] {
		next, ok := m[key].(map[string]any)
		if !ok {
			next = make(map[string]any)
			m[key] = next
		}
		m = next
	}
	m[keys[len(keys)-1]] = value
}

// over lays values over others: maps are merged, null deletes, all else
// replaces.
func over(top, base map[string]any) map[string]any { return lay(top, base, false) }

// lay is over; with keepNull a null stays, to delete what comes further below.
func lay(top, base map[string]any, keepNull bool) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = make(map[string]any)
	}
	for key, value := range top {
		below, isMap := out[key].(map[string]any)
		above, both := value.(map[string]any)
		switch {
		case value == nil && !keepNull:
			delete(out, key)
		case isMap && both:
			out[key] = lay(above, below, keepNull)
		case both:
			out[key] = lay(above, nil, keepNull)
		default:
			out[key] = value
		}
	}
	return out
}

// lookup goes down a path of keys.
func lookup(m map[string]any, path string) (any, bool) {
	var at any = m
	for key := range strings.SplitSeq(path, ".") {
		next, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = next[key]; !ok {
			return nil, false
		}
	}
	return at, true
}

// coalesce gives each chart its values: its own, under those that its parent
// has for it, with the globals of all above. Subcharts that a condition or tag
// switches off are removed; tags are those of the outermost chart. It returns
// the dependencies that are wanted and not there.
func (t *tree) coalesce(given, tags map[string]any) []Problem {
	t.values = over(given, t.values)
	if tags == nil {
		tags, _ = t.values["tags"].(map[string]any)
	}
	problems := t.enable(tags)
	t.importValues()
	globals, ok := t.values["global"].(map[string]any)
	if !ok {
		globals = make(map[string]any) // Helm gives every subchart globals.
	}
	for _, sub := range t.subs {
		// Nulls go further down, to delete what the subchart itself has.
		wanted, _ := given[sub.alias].(map[string]any)
		own, _ := t.values[sub.alias].(map[string]any)
		own = lay(wanted, own, true)
		own = lay(map[string]any{"global": globals}, own, true)
		problems = append(problems, sub.coalesce(own, tags)...)
		t.values[sub.alias] = sub.values
	}
	return problems
}

// enable keeps the subcharts that are wanted, once for each alias.
func (t *tree) enable(tags map[string]any) []Problem {
	var kept []*tree
	var problems []Problem
	listed := make(map[string]bool)
	for _, d := range t.meta.Dependencies {
		i := slices.IndexFunc(t.subs, func(sub *tree) bool { return sub.meta.Name == d.Name })
		listed[d.Name] = true
		switch {
		case !d.wanted(t.values, tags):
		case i < 0:
			problems = append(problems, Problem{
				Path: path.Join(t.dir, "Chart.yaml"), Line: 1,
				Message: "the dependency " + d.Name + " is not in charts/, so what it brings was not examined; run helm dependency build",
			})
		default:
			kept = append(kept, t.subs[i].under(d.Alias))
		}
	}
	for _, sub := range t.subs {
		if !listed[sub.meta.Name] {
			kept = append(kept, sub)
		}
	}
	t.subs = kept
	return problems
}

// under returns the chart under another name.
func (t *tree) under(alias string) *tree {
	one := *t
	if alias != "" {
		one.alias = alias
		one.meta.Name = alias
		one.name = strings.TrimSuffix(t.name, t.meta.Name) + alias
	}
	return &one
}

// wanted reports whether a dependency is switched on: by the first of its
// conditions that has a value, else by its tags.
func (d Dependency) wanted(values, tags map[string]any) bool {
	for condition := range strings.SplitSeq(d.Condition, ",") {
		if on, ok := lookup(values, strings.TrimSpace(condition)); ok {
			if b, isBool := on.(bool); isBool {
				return b
			}
		}
	}
	on, off := false, false
	for _, tag := range d.Tags {
		if b, ok := tags[tag].(bool); ok {
			on, off = on || b, off || !b
		}
	}
	return on || !off
}

// importValues takes over what Chart.yaml's import-values ask for.
func (t *tree) importValues() {
	for _, d := range t.meta.Dependencies {
		for _, sub := range t.subs {
			if sub.alias != d.Name && sub.alias != d.Alias {
				continue
			}
			for _, wish := range d.ImportValues {
				t.importOne(sub, wish)
			}
		}
	}
}

func (t *tree) importOne(sub *tree, wish any) {
	switch w := wish.(type) {
	case string:
		if m, ok := lookup(sub.values, "exports."+w); ok {
			if values, ok := m.(map[string]any); ok {
				t.values = over(t.values, values)
			}
		}
	case map[string]any:
		child, _ := w["child"].(string)
		parent, _ := w["parent"].(string)
		if m, ok := lookup(sub.values, child); ok {
			if values, isMap := m.(map[string]any); isMap && parent != "" {
				below := make(map[string]any)
				put(below, strings.Split(parent, "."), values)
				t.values = over(t.values, below)
			}
		}
	}
}
