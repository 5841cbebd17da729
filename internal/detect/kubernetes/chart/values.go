package chart

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// userValues merges values files and --set values.
func userValues(s Settings) (map[string]any, []Problem) {
	merged := make(map[string]any)
	var problems []Problem
	for _, f := range s.Values {
		values, err := valuesOf(f.Content)
		if err != nil {
			problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the values cannot be read: " + err.Error()})
			continue
		}
		merged = onto(values, merged)
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

// valuesOf reads a values file. Of several documents in it, Helm lays each over
// those before.
func valuesOf(content []byte) (map[string]any, error) {
	values := make(map[string]any)
	for _, text := range manifest.Texts(content) {
		var more map[string]any
		if err := yaml.Unmarshal(text, &more); err != nil {
			return values, err
		}
		values = onto(more, values)
	}
	return values, nil
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

// onto lays a values file over those before it: maps are merged, all else
// replaces. Null stays, to take away what a chart has.
func onto(top, base map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = make(map[string]any)
	}
	for key, value := range top {
		below, _ := out[key].(map[string]any)
		if above, isMap := value.(map[string]any); isMap {
			value = onto(above, below)
		}
		out[key] = value
	}
	return out
}

// over lays values over those with less weight. Null takes away what stands
// below it, and stays where nothing does; with keepNull it stays in any case,
// for the chart further down.
func over(top, base map[string]any, keepNull bool) map[string]any {
	out := make(map[string]any, len(base))
	for key, value := range base {
		if _, covered := top[key]; !covered {
			out[key] = value
		}
	}
	for key, value := range top {
		below := base[key]
		if value == nil && below != nil && !keepNull {
			continue
		}
		above, isMap := value.(map[string]any)
		lower, both := below.(map[string]any)
		if isMap && both {
			value = over(above, lower, keepNull)
		}
		out[key] = value
	}
	return out
}

// withoutNull returns values without null: what a chart itself sets to null is
// not there.
func withoutNull(values map[string]any) map[string]any {
	out := make(map[string]any, len(values))
	for key, value := range values {
		if m, isMap := value.(map[string]any); isMap {
			out[key] = withoutNull(m)
		} else if value != nil {
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
// switches off are removed. It returns the dependencies that are wanted and not
// there. The order is that of Helm, by which null means different things:
// https://helm.sh/docs/chart_template_guide/values_files/#deleting-a-default-key
func (t *tree) coalesce(given map[string]any) []Problem {
	problems := t.enableAll(given, nil)
	t.importValues()
	t.settle(given)
	return problems
}

// enableAll removes the subcharts that are not wanted; tags are those of the
// outermost chart.
func (t *tree) enableAll(given, tags map[string]any) []Problem {
	seen := t.under(given)
	if tags == nil {
		tags, _ = seen["tags"].(map[string]any)
	}
	problems := t.enable(seen, tags)
	for _, sub := range t.subs {
		own, _ := seen[sub.alias].(map[string]any)
		problems = append(problems, sub.enableAll(withGlobals(own, seen["global"]), tags)...)
	}
	return problems
}

// settle gives each chart its values in the end.
func (t *tree) settle(given map[string]any) {
	t.values = t.under(given)
	for _, sub := range t.subs {
		own, _ := t.values[sub.alias].(map[string]any)
		sub.settle(withGlobals(own, t.values["global"]))
		t.values[sub.alias] = sub.values
	}
}

// merged returns the values of a chart and its subcharts below others. Null
// stays, to be taken for what it means later.
func (t *tree) merged(given map[string]any) map[string]any {
	out := maps.Clone(given)
	if out == nil {
		out = make(map[string]any)
	}
	for key, value := range t.values {
		above, there := out[key]
		table, both := above.(map[string]any)
		own, isMap := value.(map[string]any)
		switch {
		case !there:
			out[key] = value
		case isMap && both:
			out[key] = over(table, own, true)
		}
	}
	for _, sub := range t.subs {
		own, isMap := out[sub.alias].(map[string]any)
		if _, there := out[sub.alias]; there && !isMap {
			continue
		}
		out[sub.alias] = sub.merged(withGlobals(own, out["global"]))
	}
	return out
}

// under returns the chart's own values below others.
func (t *tree) under(given map[string]any) map[string]any {
	out := maps.Clone(given)
	if out == nil {
		out = make(map[string]any)
	}
	for key, value := range t.values {
		own, isMap := value.(map[string]any)
		above, there := given[key]
		table, both := above.(map[string]any)
		switch {
		case there && above == nil:
			delete(out, key)
		case isMap && both && t.holds(key):
			// Null goes further down, to take away what the subchart has.
			out[key] = over(table, own, true)
		case isMap && both:
			out[key] = over(table, withoutNull(own), false)
		case there, value == nil:
		case isMap:
			out[key] = withoutNull(own)
		default:
			out[key] = value
		}
	}
	return out
}

// holds reports whether a key is that of a subchart.
func (t *tree) holds(key string) bool {
	return slices.ContainsFunc(t.subs, func(sub *tree) bool { return sub.alias == key })
}

// withGlobals returns the values for a subchart with its parent's globals,
// which win. Helm gives every subchart globals.
func withGlobals(own map[string]any, globals any) map[string]any {
	out := maps.Clone(own)
	if out == nil {
		out = make(map[string]any)
	}
	has, isMap := out["global"].(map[string]any)
	if _, there := out["global"]; there && !isMap {
		return out
	}
	given, _ := globals.(map[string]any)
	all := over(given, has, true)
	for key, value := range given {
		// Where one is a map and the other is none, that of the subchart stays.
		_, above := value.(map[string]any)
		if lower, there := has[key]; there {
			if _, below := lower.(map[string]any); above != below {
				all[key] = lower
			}
		}
	}
	out["global"] = all
	return out
}

// enable keeps the subcharts that are wanted by these values, once for each
// alias.
func (t *tree) enable(values, tags map[string]any) []Problem {
	var kept []*tree
	var problems []Problem
	var wanted []Dependency
	listed := make(map[string]bool)
	for _, d := range t.meta.Dependencies {
		i := slices.IndexFunc(t.subs, func(sub *tree) bool { return sub.meta.Name == d.Name })
		listed[d.Name] = true
		switch {
		case !d.wanted(t.withDefaultsOf(i, d, values), tags):
			continue
		case i < 0:
			problems = append(problems, t.missing(d))
		default:
			kept = append(kept, t.subs[i].as(d.Alias))
		}
		d.Enabled, d.Name = true, cmp.Or(d.Alias, d.Name)
		wanted = append(wanted, d)
	}
	for _, sub := range t.subs {
		if !listed[sub.meta.Name] {
			kept = append(kept, sub)
		}
	}
	t.subs, t.meta.Dependencies = kept, wanted
	return problems
}

// missing says that a dependency is not there, at the place that names it.
func (t *tree) missing(d Dependency) Problem {
	what := d.Name
	if d.Version != "" {
		what += " " + d.Version
	}
	if d.Repository != "" {
		what += " from " + d.Repository
	}
	p := Problem{Path: t.dependencies.Path, Line: 1, Read: true, Message: fmt.Sprintf(
		"the chart %s depends on %s, which is not in %s, so what it brings was not examined; run `helm dependency build %s` before the check",
		t.meta.Name, what, path.Join(t.dir, "charts"), t.dir)}
	for _, doc := range manifest.Parse(t.dependencies, manifest.Limits{}) {
		if doc.Root == nil {
			continue
		}
		for _, item := range manifest.NewPlace(doc.Root).At("dependencies").Items() {
			if name := item.At("name"); name.Text() == d.Name && item.At("alias").Text() == d.Alias {
				p.Line = name.Span().Line
			}
		}
	}
	return p
}

// withDefaultsOf adds what a subchart has itself to values: it may switch itself
// off.
func (t *tree) withDefaultsOf(i int, d Dependency, values map[string]any) map[string]any {
	if i < 0 {
		return values
	}
	key := cmp.Or(d.Alias, d.Name)
	out := maps.Clone(values)
	given, _ := values[key].(map[string]any)
	out[key] = over(given, withoutNull(t.subs[i].values), false)
	return out
}

// as returns the chart under another name.
func (t *tree) as(alias string) *tree {
	one := *t
	if alias != "" {
		one.alias = alias
		one.meta.Name = alias
		one.name = strings.TrimSuffix(t.name, t.meta.Name) + alias
	}
	return one.apart()
}

// apart returns the chart with subcharts of its own, so that what becomes of
// them under one name does not change those under another.
func (t tree) apart() *tree {
	subs := make([]*tree, len(t.subs))
	for i, sub := range t.subs {
		one := *sub
		one.name = path.Join(t.name, "charts", one.meta.Name)
		subs[i] = one.apart()
	}
	t.subs = subs
	return &t
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

// importValues takes over what Chart.yaml's import-values ask for, from the
// innermost charts on. A chart that lists a dependency has the values of all of
// them from then on as if they were its own, as in Helm: null in given values
// does not take away what its globals made of these.
func (t *tree) importValues() {
	for _, sub := range t.subs {
		sub.importValues()
	}
	if len(t.meta.Dependencies) == 0 {
		return
	}
	all := t.merged(nil)
	t.values = all
	for _, d := range t.meta.Dependencies {
		for _, wish := range d.ImportValues {
			t.importOne(all, d.Name, wish)
		}
	}
}

// importOne takes over one of them out of all values.
func (t *tree) importOne(all map[string]any, name string, wish any) {
	var path, parent string
	switch w := wish.(type) {
	case string:
		path, parent = "exports."+w, "."
	case map[string]any:
		path, _ = w["child"].(string)
		parent, _ = w["parent"].(string)
	}
	found, _ := lookup(all, name+"."+path)
	values, isMap := found.(map[string]any)
	if !isMap || parent == "" {
		return
	}
	if parent != "." {
		below := make(map[string]any)
		put(below, strings.Split(parent, "."), values)
		values = below
	}
	t.values = over(t.values, values, true)
}
