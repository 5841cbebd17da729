package chart

import (
	"bytes"
	"reflect"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// layout returns the lineage of a text that a value was written to as YAML or
// JSON: the text is read again, to learn at which place which part of the
// value lies.
func (e *evaluator) layout(text string, v value) lineage {
	refs := e.flat(v)
	out := &written{base: e.under}
	from := lineage{text: out}
	plain := plainValue(v.Value)
	if !isContainer(plain) || len(refs) == 0 && len(e.entries(plain)) == 0 {
		if v.from.text != nil && v.from.text.text() == text {
			return v.from
		}
		out.add(text, refs, e.under)
		return from
	}
	out.begin(part{under: e.under})
	out.buf.WriteString(text)
	if root := e.parsed(text); root != nil {
		e.lay(out, newLines([]byte(text)), root, v, 0)
	}
	return from
}

// parsed reads YAML, within what may be read for one chart.
func (e *evaluator) parsed(text string) *manifest.Node {
	if e.reading -= len(text); e.reading < 0 {
		panic(errTooMuch)
	}
	docs := manifest.Parse(manifest.File{Content: []byte(text)}, manifest.Limits{})
	if len(docs) != 1 || len(docs[0].Problems) > 0 || bytes.HasPrefix([]byte(text), []byte("\xef\xbb\xbf")) {
		return nil
	}
	return docs[0].Root
}

// lay notes at which places of a text the parts of a value lie.
func (e *evaluator) lay(out *written, at *lines, node *manifest.Node, v value, depth int) {
	if depth > maxNesting {
		panic(errTooMuch)
	}
	plain := plainValue(v.Value)
	if whole := e.whole(plain); whole != nil && (node.Kind == manifest.Map || node.Kind == manifest.List) {
		out.holders = append(out.holders, holder{start: at.start(node), at: whole})
	}
	switch {
	case node.Kind == manifest.Map && len(node.Fields()) > 0 && plain.Kind() == reflect.Map && plain.Type().Key().Kind() == reflect.String:
		for _, f := range node.Fields() {
			found := plain.MapIndex(reflect.ValueOf(f.Key.Value).Convert(plain.Type().Key()))
			if !found.IsValid() {
				// The key is no text in YAML.
				out.begin(part{start: at.start(f.Key), under: e.under})
				continue
			}
			entry := value{Value: found, from: e.entry(plain, f.Key.Value)}
			out.begin(part{start: at.start(f.Key), refs: e.own(entry), under: e.under})
			e.lay(out, at, f.Value, entry, depth+1)
		}
	case node.Kind == manifest.List && len(node.Items()) > 0 && plain.Kind() == reflect.Slice && plain.Len() == len(node.Items()):
		for i, n := range node.Items() {
			item := value{Value: plain.Index(i), from: e.item(plain, i)}
			out.begin(part{start: at.start(n), refs: e.own(item), under: e.under})
			e.lay(out, at, n, item, depth+1)
		}
	default:
		out.begin(part{start: at.start(node), refs: e.own(v), under: e.under})
	}
}

// whole returns the value that a map or list is.
func (e *evaluator) whole(v reflect.Value) *ref {
	if c, ok := e.known(v); ok {
		return c.at
	}
	return nil
}

// own are the values that decide a part of a value.
func (e *evaluator) own(v value) []*ref {
	plain := plainValue(v.Value)
	if !isContainer(plain) {
		return e.flat(v)
	}
	if at := e.whole(plain); at != nil {
		return []*ref{at}
	}
	return v.from.refs
}

// read gives what was read from YAML or JSON the lineages of its text.
func (e *evaluator) read(text value, out reflect.Value) lineage {
	if text.from.text == nil {
		refs := e.flat(text)
		e.note(out, container{rest: lineage{refs: refs}})
		return lineage{refs: refs}
	}
	if !isContainer(out) {
		return lineage{refs: e.flat(text)}
	}
	if root := e.parsed(text.from.text.text()); root != nil {
		return e.readNode(text.from.text, newLines(text.from.text.buf.Bytes()), root, out, 0)
	}
	return lineage{}
}

func (e *evaluator) readNode(text *written, lines *lines, node *manifest.Node, v reflect.Value, depth int) lineage {
	if depth > maxNesting {
		panic(errTooMuch)
	}
	v = plainValue(v)
	if at := text.holderAt(lines.start(node)); at != nil && isContainer(v) {
		e.note(v, container{at: at})
	}
	switch {
	case node.Kind == manifest.Map && v.Kind() == reflect.Map:
		for _, f := range node.Fields() {
			if found := v.MapIndex(reflect.ValueOf(f.Key.Value)); found.IsValid() {
				e.noteEntry(v, f.Key.Value, e.readNode(text, lines, f.Value, found, depth+1))
			}
		}
	case node.Kind == manifest.List && v.Kind() == reflect.Slice && v.Len() == len(node.Items()):
		for i, n := range node.Items() {
			e.noteItem(v, i, e.readNode(text, lines, n, v.Index(i), depth+1))
		}
	default:
		return lineage{refs: text.refsBetween(lines.covered(node))}
	}
	return lineage{refs: e.own(value{Value: v})}
}
