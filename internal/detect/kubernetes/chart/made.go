package chart

import (
	"reflect"
	"strings"
)

// madeOf finds out from where the result of a function came about which
// nothing else is known. A plain value is decided by all arguments. Of what is
// in a map or list, those decide that have the same there.
func (e *evaluator) madeOf(out reflect.Value, given []argument) lineage {
	out = plainValue(out)
	if !isContainer(out) {
		var refs []*ref
		for _, a := range given {
			refs = with(refs, e.scalars(a.value))
		}
		return lineage{refs: refs}
	}
	if c, known := e.known(out); known {
		if c.at != nil {
			return lineage{refs: []*ref{c.at}}
		}
		return lineage{}
	}
	var sources []reflect.Value
	var refs []*ref
	for _, a := range given {
		if v := plainValue(a.Value); isContainer(v) {
			sources = append(sources, v)
		} else {
			refs = with(refs, e.flat(a.value))
		}
	}
	if len(sources) == 0 {
		from := lineage{refs: refs}
		e.note(out, container{rest: from})
		return from
	}
	e.alike(out, sources, 0)
	return lineage{}
}

// scalars are the values that decide a plain value which was made of v. What a
// template gives along with all values of a chart does not.
func (e *evaluator) scalars(v value) []*ref {
	plain := plainValue(v.Value)
	if !isContainer(plain) {
		return e.flat(v)
	}
	if c, ok := e.known(plain); ok && c.at != nil {
		return []*ref{c.at}
	}
	if plain.Kind() == reflect.Slice {
		return e.flat(v)
	}
	return nil
}

// alike gives the entries of a new map or list the lineages of those in the
// sources that are the same, if there is one such.
func (e *evaluator) alike(out reflect.Value, sources []reflect.Value, depth int) {
	if depth > maxNesting {
		panic(errTooMuch)
	}
	switch out.Kind() {
	case reflect.Map:
		if out.Type().Key().Kind() != reflect.String {
			return
		}
		for _, key := range sortedNames(out) {
			v := plainValue(out.MapIndex(reflect.ValueOf(key).Convert(out.Type().Key())))
			var same []lineage
			var inner []reflect.Value
			for _, s := range sources {
				if s.Kind() != reflect.Map || s.Type().Key().Kind() != reflect.String {
					continue
				}
				theirs := plainValue(s.MapIndex(reflect.ValueOf(key).Convert(s.Type().Key())))
				if theirs.IsValid() && e.same(v, theirs) {
					same = append(same, e.entry(s, key))
				} else if theirs.Kind() == reflect.Map {
					inner = append(inner, theirs)
				}
			}
			e.oneOf(v, same, inner, depth, func(from lineage) { e.noteEntry(out, key, from) })
		}
	case reflect.Slice:
		const most = 1000
		for i := range min(out.Len(), most) {
			v := plainValue(out.Index(i))
			var same []lineage
			for _, s := range sources {
				if s.Kind() != reflect.Slice || s.Len() > most || s.Len()*out.Len() > most*most/10 {
					continue
				}
				for j := range s.Len() {
					e.step()
					if e.same(v, plainValue(s.Index(j))) {
						same = append(same, e.item(s, j))
					}
				}
			}
			e.oneOf(v, same, nil, depth, func(from lineage) { e.noteItem(out, i, from) })
		}
	}
}

// oneOf notes the only lineage there is, and goes down where a map is a new one.
func (e *evaluator) oneOf(v reflect.Value, same []lineage, inner []reflect.Value, depth int, note func(lineage)) {
	switch {
	case len(same) == 1:
		note(same[0])
	case len(same) > 1:
		// Two have it. No one can tell which was taken.
		note(lineage{})
	case v.Kind() == reflect.Map && len(inner) > 0:
		if _, known := e.known(v); !known {
			e.alike(v, inner, depth+1)
		}
		note(lineage{})
	default:
		note(lineage{})
	}
}

// same reports whether two values are one map or list, or equal plain values.
func (e *evaluator) same(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() || a.Kind() != b.Kind() {
		return false
	}
	if isContainer(a) {
		at, ok := address(a)
		other, also := address(b)
		return ok && also && at == other && a.Len() == b.Len()
	}
	return a.Comparable() && b.Comparable() && a.Type() == b.Type() && a.Equal(b)
}

// copied gives a copy the lineages of what it was copied from.
func (e *evaluator) copied(from, to reflect.Value) {
	from, to = plainValue(from), plainValue(to)
	e.step()
	if from.Kind() != to.Kind() || !isContainer(from) || from.Len() != to.Len() {
		return
	}
	if c, known := e.known(from); known {
		e.note(to, c)
	}
	switch from.Kind() {
	case reflect.Map:
		if from.Type().Key().Kind() != reflect.String || to.Type().Key().Kind() != reflect.String {
			return
		}
		for _, key := range sortedNames(from) {
			k := reflect.ValueOf(key)
			e.noteEntry(to, key, e.entry(from, key))
			e.copied(from.MapIndex(k.Convert(from.Type().Key())), to.MapIndex(k.Convert(to.Type().Key())))
		}
	case reflect.Slice:
		for i := range from.Len() {
			e.noteItem(to, i, e.item(from, i))
			e.copied(from.Index(i), to.Index(i))
		}
	}
}

// unmerged is a map before others are merged into it.
type unmerged struct {
	entries map[string]unmergedEntry
	// overwrite is true where the last one wins, and not the first.
	overwrite bool
}

type unmergedEntry struct {
	v     reflect.Value
	from  lineage
	below *unmerged
}

// beforeMerge keeps what is in the first argument of a function that merges.
func (e *evaluator) beforeMerge(name string, given []argument) *unmerged {
	overwrite := false
	switch strings.TrimPrefix(name, "must") {
	case "merge", "Merge":
	case "mergeOverwrite", "MergeOverwrite":
		overwrite = true
	default:
		return nil
	}
	if len(given) == 0 || plainValue(given[0].Value).Kind() != reflect.Map {
		return nil
	}
	return e.unmerged(plainValue(given[0].Value), overwrite, 0)
}

func (e *evaluator) unmerged(m reflect.Value, overwrite bool, depth int) *unmerged {
	if depth > maxNesting {
		panic(errTooMuch)
	}
	u := &unmerged{entries: make(map[string]unmergedEntry, m.Len()), overwrite: overwrite}
	if m.Type().Key().Kind() != reflect.String {
		return u
	}
	for iter := m.MapRange(); iter.Next(); {
		e.spend()
		v := plainValue(iter.Value())
		entry := unmergedEntry{v: v, from: e.entry(m, iter.Key().String())}
		if v.Kind() == reflect.Map {
			entry.below = e.unmerged(v, overwrite, depth+1)
		}
		u.entries[iter.Key().String()] = entry
	}
	return u
}

// afterMerge finds out of which map each entry of the merged one was taken.
func (e *evaluator) afterMerge(before *unmerged, given []argument, out reflect.Value) {
	var sources []reflect.Value
	for _, a := range given[1:] {
		sources = append(sources, plainValue(a.Value))
	}
	e.merged(before, sources, out)
}

func (e *evaluator) merged(before *unmerged, sources []reflect.Value, out reflect.Value) {
	if out.Kind() != reflect.Map || out.Type().Key().Kind() != reflect.String {
		return
	}
	for _, key := range sortedNames(out) {
		e.step()
		v := plainValue(out.MapIndex(reflect.ValueOf(key).Convert(out.Type().Key())))
		old, there := before.entries[key]
		var below []reflect.Value
		from, found := lineage{}, false
		for _, s := range sources {
			if s.Kind() != reflect.Map || s.Type().Key().Kind() != reflect.String {
				continue
			}
			theirs := plainValue(s.MapIndex(reflect.ValueOf(key).Convert(s.Type().Key())))
			if theirs.Kind() == reflect.Map {
				below = append(below, theirs)
			}
			// An empty value takes the place of nothing.
			if truth := isTrue(theirs); (before.overwrite || !found) && (truth || !there) && e.same(v, theirs) {
				from, found = e.entry(s, key), true
			}
		}
		full := isTrue(old.v)
		if there && e.same(v, old.v) && (!found || full && !before.overwrite) {
			from = old.from
		}
		if old.below != nil && v.Kind() == reflect.Map && e.same(v, old.v) && len(below) > 0 {
			e.merged(old.below, below, v)
		}
		e.noteEntry(out, key, from)
	}
}
