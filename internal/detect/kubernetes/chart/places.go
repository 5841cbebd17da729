package chart

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// places finds values in the files that they stand in. It follows the order in
// which files win over each other, and believes it only where the value there
// is the one that the chart got.
type places struct {
	root     *tree
	settings Settings
	roots    map[string]*manifest.Place
	sets     []map[string]any
	// known are the places that were looked up before.
	known map[*ref]located
	// left is in how many more places the value is looked for.
	left int
}

func newPlaces(root *tree, s Settings) *places {
	p := &places{root: root, settings: s, roots: make(map[string]*manifest.Place), known: make(map[*ref]located)}
	for _, set := range slices.Backward(s.Set) {
		one := make(map[string]any)
		if err := strvals.ParseInto(set, one); err == nil {
			p.sets = append(p.sets, one)
		}
	}
	return p
}

// layer is a file in which a value may stand, below these keys; without a file
// it is what was set by itself.
type layer struct {
	file *manifest.File
	keys []string
}

// of returns the place of a value. For one that is not there, it is the null
// that takes it away, or the map that lacks it.
func (p *places) of(r *ref) located {
	one, known := p.known[r]
	if !known {
		p.left = maxLayers
		one = p.find(r)
		one.ok = one.ok && p.left >= 0
		p.known[r] = one
	}
	return one
}

// located is a place that was looked up.
type located struct {
	Decision
	ok bool
	// around is true where it is that of the map that lacks the value.
	around bool
}

func (p *places) find(r *ref) located {
	chain, rest := p.chain(r.keys)
	if len(rest) == 0 {
		return located{}
	}
	one, decided := p.first(r, p.layers(chain, rest, true))
	if decided || r.there || len(rest) < 2 {
		return located{Decision: one, ok: one.Path != "" || one.Flag != ""}
	}
	around := &ref{keys: r.keys[:len(r.keys)-1], there: true, size: unknownSize}
	one, _ = p.first(around, p.layers(chain, rest[:len(rest)-1], true))
	return located{Decision: one, ok: one.Path != "", around: true}
}

// unknownSize is for a map of which no more is known.
const unknownSize = -1

// first looks a value up in one layer after another, and reports whether one
// has it. The decision is empty where what it has is not the value.
func (p *places) first(r *ref, layers []layer) (Decision, bool) {
	for _, l := range layers {
		if l.file == nil {
			if p.isSet(l.keys) && (!r.isMap() || len(layers) == 1) {
				return Decision{Flag: "--set " + strings.Join(l.keys, ".")}, true
			}
			continue
		}
		at := p.in(*l.file, l.keys)
		if at == nil {
			continue
		}
		if !r.matches(at.Node) {
			return Decision{}, true
		}
		return Decision{Path: l.file.Path, Span: at.Span()}, true
	}
	return Decision{}, false
}

// chain returns the charts that keys lead through, and the keys in the last.
func (p *places) chain(keys []string) ([]*tree, []string) {
	chain := []*tree{p.root}
	for len(keys) > 0 {
		i := slices.IndexFunc(chain[len(chain)-1].subs, func(sub *tree) bool { return sub.alias == keys[0] })
		if i < 0 {
			break
		}
		chain, keys = append(chain, chain[len(chain)-1].subs[i]), keys[1:]
	}
	return chain, keys
}

// maxLayers bounds in how many places one value is looked for.
const maxLayers = 1000

// layers returns where a value of the last chart may stand, what wins first.
// What charts take over from their subcharts
// is looked for with takenOver alone.
func (p *places) layers(chain []*tree, keys []string, takenOver bool) []layer {
	if p.left--; p.left < 0 {
		return nil
	}
	t, outer := chain[len(chain)-1], chain[:len(chain)-1]
	var all []layer
	if len(outer) == 0 {
		all = append(all, layer{keys: keys})
		for i := range slices.Backward(p.settings.Values) {
			all = append(all, layer{file: &p.settings.Values[i], keys: keys})
		}
	} else {
		if keys[0] == "global" {
			all = append(all, p.layers(outer, keys, takenOver)...)
		}
		all = append(all, p.layers(outer, slices.Concat([]string{t.alias}, keys), takenOver)...)
	}
	if t.valuesFile.Path != "" {
		all = append(all, layer{file: &t.valuesFile, keys: keys})
	}
	if takenOver {
		all = append(all, p.imported(chain, keys)...)
	}
	return all
}

// imported returns where a value may stand that a chart takes over from its
// subcharts.
func (p *places) imported(chain []*tree, keys []string) []layer {
	t := chain[len(chain)-1]
	var all []layer
	for _, d := range t.meta.Dependencies {
		if p.left < 0 {
			break
		}
		i := slices.IndexFunc(t.subs, func(sub *tree) bool { return sub.alias == d.Name || sub.alias == d.Alias })
		if i < 0 {
			continue
		}
		inner := append(slices.Clip(chain), t.subs[i])
		for _, wish := range d.ImportValues {
			switch w := wish.(type) {
			case string:
				all = append(all, p.child(inner, slices.Concat([]string{"exports"}, strings.Split(w, "."), keys))...)
			case map[string]any:
				child, _ := w["child"].(string)
				parent, _ := w["parent"].(string)
				to := strings.Split(parent, ".")
				if parent == "." {
					to = nil
				}
				if child != "" && len(keys) > len(to) && slices.Equal(keys[:len(to)], to) {
					all = append(all, p.child(inner, slices.Concat(strings.Split(child, "."), keys[len(to):]))...)
				}
			}
		}
	}
	return all
}

// child returns where a value of a subchart may stand that its parent takes
// over.
func (p *places) child(chain []*tree, keys []string) []layer {
	return append(p.layers(chain, keys, false), p.imported(chain, keys)...)
}

// isSet reports whether a value, or something around it, was set by itself.
func (p *places) isSet(keys []string) bool {
	return slices.ContainsFunc(p.sets, func(set map[string]any) bool {
		var at any = set
		for _, key := range keys {
			switch v := at.(type) {
			case map[string]any:
				next, there := v[key]
				if !there {
					return false
				}
				at = next
			case []any:
				n, err := strconv.Atoi(key)
				// Items before the one that is set are nothing.
				if err != nil || n >= len(v) || v[n] == nil {
					return false
				}
				at = v[n]
			default:
				return true
			}
		}
		return true
	})
}

// in returns the place to which keys lead in a values file, or nil.
func (p *places) in(f manifest.File, keys []string) *manifest.Place {
	at, known := p.roots[f.Path]
	if !known {
		if docs := manifest.Parse(f, manifest.Limits{}); len(docs) > 0 && docs[0].Root != nil {
			at = manifest.NewPlace(docs[0].Root)
		}
		p.roots[f.Path] = at
	}
	for _, key := range keys {
		if at == nil || at.Node == nil {
			return nil
		}
		if at.Node.Kind != manifest.List {
			at = at.At(key)
			continue
		}
		n, err := strconv.Atoi(key)
		if items := at.Items(); err == nil && n >= 0 && n < len(items) {
			at = items[n]
		} else {
			return nil
		}
	}
	if at == nil || at.Node == nil {
		return nil
	}
	return at
}

// isMap reports whether the value is a map, which several files may make.
func (r *ref) isMap() bool {
	return r.there && r.v == nil && (r.size == unknownSize || r.kind == reflect.Map)
}

// matches reports whether a value in a file is this one.
func (r *ref) matches(n *manifest.Node) bool {
	switch {
	case !r.there:
		return n.Kind == manifest.Null
	case r.isMap():
		return n.Kind == manifest.Map
	case r.kind == reflect.Slice:
		return n.Kind == manifest.List && len(n.Items()) == r.size
	}
	switch v := r.v.(type) {
	case nil:
		return n.Kind == manifest.Null
	case string:
		return n.Kind == manifest.String && n.Value == v
	case bool:
		return n.Kind == manifest.Bool && n.Truth == v
	case float64:
		number, err := strconv.ParseFloat(n.Value, 64)
		return (n.Kind == manifest.Int || n.Kind == manifest.Float) && err == nil && number == v || r.otherNotation(n, v)
	case int64:
		return n.Kind == manifest.Int && n.Value == strconv.FormatInt(v, 10)
	}
	return false
}

// otherNotation reports whether an integer that is not decimal is a number.
func (r *ref) otherNotation(n *manifest.Node, v float64) bool {
	i, ok := manifest.NewPlace(n).Int()
	return ok && float64(i) == v
}
