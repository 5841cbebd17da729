package chart

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// ref is a value among those of the outermost chart, by the keys that lead to
// it; items of lists are their numbers. It may be missing there. Each exists
// once, so that refs are compared by their addresses.
type ref struct {
	keys []string
	// there is true where the value is there, and v is it unless it is a map or
	// list; of these, size is the number of entries.
	there bool
	v     any
	kind  reflect.Kind
	size  int
}

// lineage is what is known of where a value came from: the values that decide
// it, and for a text that was put together, those of its parts. The zero value
// stands for what no value decides.
type lineage struct {
	refs []*ref
	text *written
}

// maxRefs bounds how many values are remembered for one place. What depends on
// more is not led back to any.
const maxRefs = 16

// with returns the union of two lists of refs.
func with(refs, more []*ref) []*ref {
	for _, r := range more {
		if len(refs) <= maxRefs && !slices.Contains(refs, r) {
			refs = append(slices.Clip(refs), r)
		}
	}
	return refs
}

// slot is an entry of a map, or an item of a list, whose address is at.
type slot struct {
	at  any
	key string
}

// container is what is known of a map or list.
type container struct {
	// at is the value that it is.
	at *ref
	// rest is the lineage of the entries of which nothing else is known, where
	// the whole was made out of something.
	rest lineage
}

// ledger knows where maps, lists and what is in them came from, by their
// addresses: templates hand them around, and change maps in place. What it
// knows it also keeps alive, so that no address is used twice.
type ledger struct {
	refs       map[string]*ref
	slots      map[slot]lineage
	containers map[any]container
	// left is how many more entries may be noted.
	left int
}

func newLedger() *ledger {
	return &ledger{refs: make(map[string]*ref), slots: make(map[slot]lineage), containers: make(map[any]container), left: maxSlots}
}

// maxSlots bounds the entries that are known for one chart.
const maxSlots = 500_000

func (l *ledger) ref(keys ...string) *ref {
	name := strings.Join(keys, "\x00")
	r, known := l.refs[name]
	if !known {
		l.spend()
		r = &ref{keys: slices.Clone(keys)}
		l.refs[name] = r
	}
	return r
}

func (l *ledger) spend() {
	if l.left--; l.left < 0 {
		panic(errTooMuch)
	}
}

// plainValue takes a value out of interfaces.
func plainValue(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	return v
}

// address tells maps and lists apart; nothing does for empty lists, which may
// share theirs.
func address(v reflect.Value) (any, bool) {
	switch v.Kind() {
	case reflect.Map:
		return v.UnsafePointer(), !v.IsNil()
	case reflect.Slice:
		return v.UnsafePointer(), v.Len() > 0
	}
	return nil, false
}

func isContainer(v reflect.Value) bool {
	return v.Kind() == reflect.Map || v.Kind() == reflect.Slice || v.Kind() == reflect.Array
}

// known returns what is known of a map or list. A list that begins where a
// longer one does is not it.
func (l *ledger) known(v reflect.Value) (container, bool) {
	at, ok := address(v)
	if !ok {
		return container{}, false
	}
	if v.Kind() == reflect.Slice {
		at = listAddress{at: at, len: v.Len()}
	}
	c, ok := l.containers[at]
	return c, ok
}

// listAddress is the address of a list.
type listAddress struct {
	at  any
	len int
}

func (l *ledger) note(v reflect.Value, c container) {
	at, ok := address(v)
	if !ok {
		return
	}
	if v.Kind() == reflect.Slice {
		at = listAddress{at: at, len: v.Len()}
	}
	l.spend()
	l.containers[at] = c
}

// noteEntry notes where an entry of a map came from.
func (l *ledger) noteEntry(m reflect.Value, key string, from lineage) {
	if at, ok := address(m); ok {
		l.spend()
		l.slots[slot{at: at, key: key}] = from
	}
}

// noteItem notes where an item of a list came from.
func (l *ledger) noteItem(s reflect.Value, i int, from lineage) {
	l.spend()
	l.slots[slot{at: s.Index(i).Addr().UnsafePointer()}] = from
}

// entry returns where an entry of a map came from, or the one that is missing.
func (l *ledger) entry(m reflect.Value, key string) lineage {
	at, ok := address(m)
	if !ok {
		return lineage{}
	}
	if from, ok := l.slots[slot{at: at, key: key}]; ok {
		return from
	}
	c := l.containers[at]
	if c.at != nil && !m.MapIndex(reflect.ValueOf(key).Convert(m.Type().Key())).IsValid() {
		return lineage{refs: []*ref{l.ref(slices.Concat(c.at.keys, []string{key})...)}}
	}
	return c.rest
}

// item returns where an item of a list came from.
func (l *ledger) item(s reflect.Value, i int) lineage {
	if s.Kind() != reflect.Slice {
		return lineage{}
	}
	if from, ok := l.slots[slot{at: s.Index(i).Addr().UnsafePointer()}]; ok {
		return from
	}
	c, _ := l.known(s)
	return c.rest
}

// noteValues notes the values of a chart, which keys lead to. What is reached
// on two ways keeps the name that it got first.
func (l *ledger) noteValues(v reflect.Value, keys []string) lineage {
	v = plainValue(v)
	here := l.ref(keys...)
	here.there, here.kind = true, v.Kind()
	if isContainer(v) {
		here.size = v.Len()
	} else if v.IsValid() && v.CanInterface() {
		here.v = v.Interface()
	}
	switch v.Kind() {
	case reflect.Map:
		if c, known := l.known(v); known {
			return lineage{refs: []*ref{c.at}}
		}
		l.note(v, container{at: here})
		for iter := v.MapRange(); iter.Next(); {
			key := iter.Key().String()
			l.noteEntry(v, key, l.noteValues(iter.Value(), append(slices.Clone(keys), key)))
		}
	case reflect.Slice:
		if c, known := l.known(v); known {
			return lineage{refs: []*ref{c.at}}
		}
		l.note(v, container{at: here})
		for i := range v.Len() {
			l.noteItem(v, i, l.noteValues(v.Index(i), append(slices.Clone(keys), strconv.Itoa(i))))
		}
	}
	return lineage{refs: []*ref{here}}
}

// value is a value of a template with its lineage.
type value struct {
	reflect.Value
	from lineage
}

// flat returns all values that decide a value as a whole.
func (l *ledger) flat(v value) []*ref {
	refs := v.from.refs
	if v.from.text != nil {
		refs = with(refs, v.from.text.flat())
	}
	plain := plainValue(v.Value)
	if !isContainer(plain) {
		return refs
	}
	if c, ok := l.known(plain); ok {
		if c.at != nil {
			return with(refs, []*ref{c.at})
		}
		refs = with(refs, l.flat(value{from: c.rest}))
	}
	for _, from := range l.entries(plain) {
		refs = with(refs, l.flat(value{from: from}))
		if len(refs) > maxRefs {
			break
		}
	}
	return refs
}

// entries returns the lineages of what is in a map or list, as far as known,
// of the first few.
func (l *ledger) entries(v reflect.Value) []lineage {
	const most = 64
	var all []lineage
	switch v.Kind() {
	case reflect.Map:
		if v.Len() <= most && v.Type().Key().Kind() == reflect.String {
			for _, key := range sortedNames(v) {
				all = append(all, l.entry(v, key))
			}
		}
	case reflect.Slice:
		for i := range min(v.Len(), most) {
			all = append(all, l.item(v, i))
		}
	}
	return all
}

// sortedNames returns the keys of a map of texts.
func sortedNames(m reflect.Value) []string {
	names := make([]string, 0, m.Len())
	for iter := m.MapRange(); iter.Next(); {
		names = append(names, iter.Key().String())
	}
	slices.Sort(names)
	return names
}
