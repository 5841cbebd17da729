package chart

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// call calls a function and finds out from where its result came.
func (e *evaluator) call(name string, given []argument) value {
	switch {
	case name == shown && len(given) == 1:
		return given[0].value
	case name == "include" && len(given) == 2:
		if to := plainValue(given[0].Value); to.Kind() == reflect.String {
			return e.include(to.String(), given[1].value)
		}
	case name == "tpl" && len(given) == 2:
		return e.tpl(given[0].value, given[1].value)
	}
	before := e.beforeMerge(name, given)
	out := e.apply("function", name, given)
	return value{Value: out, from: e.result(name, given, plainValue(out), before)}
}

// result finds out from where the result of a function came.
func (e *evaluator) result(name string, given []argument, out reflect.Value, before *unmerged) lineage {
	text := strings.TrimPrefix(name, "must")
	switch {
	case before != nil:
		e.afterMerge(before, given, out)
		return lineage{}
	case strings.EqualFold(text, "toYaml"), name == "toYamlPretty", strings.EqualFold(text, "toJson"), strings.EqualFold(text, "toPrettyJson"), strings.EqualFold(text, "toRawJson"):
		if len(given) == 1 && out.Kind() == reflect.String {
			return e.layout(out.String(), given[0].value)
		}
	case name == "fromYaml", name == "fromJson", name == "fromYamlArray", name == "fromJsonArray", strings.EqualFold(text, "fromJson"):
		if len(given) == 1 {
			return e.read(given[0].value, out)
		}
	case name == "lookup", name == "now", name == "fail":
		return lineage{}
	}
	if choose, ok := choices[text]; ok {
		if from, ok := choose(e, given, out); ok {
			return from
		}
	}
	if out.Kind() == reflect.String {
		if from, ok := e.texts(name, given, out.String()); ok {
			return from
		}
	}
	return e.madeOf(out, given)
}

// choices are functions of which is known what they take. They report false
// for arguments about which nothing is known.
var choices = map[string]func(e *evaluator, given []argument, out reflect.Value) (lineage, bool){
	"default": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		return e.firstTrue(slices.Backward(given)), len(given) == 2
	},
	"coalesce": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		return e.firstTrue(slices.All(given)), len(given) > 0
	},
	"ternary": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		if len(given) != 3 {
			return lineage{}, false
		}
		taken := given[1]
		if isTrue(given[2].Value) {
			taken = given[0]
		}
		from := taken.from
		from.refs = with(from.refs, e.flat(given[2].value))
		return from, true
	},
	"required": func(_ *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		return last(given).from, len(given) == 2
	},
	"get": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		return e.down(given[0].value, given[1:]), len(given) == 2
	},
	"index": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		if len(given) == 0 {
			return lineage{}, false
		}
		return e.down(given[0].value, given[1:]), true
	},
	"hasKey": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		if len(given) != 2 || plainValue(given[0].Value).Kind() != reflect.Map {
			return lineage{}, false
		}
		name := plainValue(given[1].Value).String()
		return lineage{refs: with(e.place(plainValue(given[0].Value), name), e.flat(given[1].value))}, true
	},
	"dig": func(e *evaluator, given []argument, out reflect.Value) (lineage, bool) {
		if len(given) < 3 {
			return lineage{}, false
		}
		keys, otherwise := given[:len(given)-2], given[len(given)-2]
		from := e.down(last(given).value, keys)
		if e.reaches(plainValue(last(given).Value), keys) || len(e.flat(otherwise.value)) == 0 {
			return from, true
		}
		return otherwise.from, true
	},
	"first": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		return e.itemOf(given, 0)
	},
	"last": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		return e.itemOf(given, -1)
	},
	"dict": func(e *evaluator, given []argument, out reflect.Value) (lineage, bool) {
		for i := 0; i+1 < len(given) && out.Kind() == reflect.Map; i += 2 {
			e.noteEntry(out, keyText(given[i].Value), given[i+1].from)
		}
		return lineage{}, true
	},
	"list":  (*evaluator).noteItems,
	"tuple": (*evaluator).noteItems,
	"set": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		if len(given) != 3 {
			return lineage{}, false
		}
		e.noteEntry(plainValue(given[0].Value), plainValue(given[1].Value).String(), given[2].from)
		return given[0].from, true
	},
	"unset": func(e *evaluator, given []argument, _ reflect.Value) (lineage, bool) {
		if len(given) != 2 {
			return lineage{}, false
		}
		e.noteEntry(plainValue(given[0].Value), plainValue(given[1].Value).String(), lineage{})
		return given[0].from, true
	},
	"keys": func(e *evaluator, given []argument, out reflect.Value) (lineage, bool) {
		if len(given) != 1 || out.Kind() != reflect.Slice {
			return lineage{}, false
		}
		for i := range out.Len() {
			e.noteItem(out, i, lineage{refs: e.place(plainValue(given[0].Value), keyText(out.Index(i)))})
		}
		return lineage{}, true
	},
	"deepCopy": func(e *evaluator, given []argument, out reflect.Value) (lineage, bool) {
		if len(given) != 1 {
			return lineage{}, false
		}
		e.copied(plainValue(given[0].Value), out)
		return given[0].from, true
	},
	"indent": func(e *evaluator, given []argument, out reflect.Value) (lineage, bool) {
		return e.indentation("", given, out)
	},
	"nindent": func(e *evaluator, given []argument, out reflect.Value) (lineage, bool) {
		return e.indentation("\n", given, out)
	},
}

func last(given []argument) argument { return given[len(given)-1] }

// keyText is the text that sprig makes of a key.
func keyText(v reflect.Value) string {
	if v = plainValue(v); v.Kind() == reflect.String {
		return v.String()
	}
	return ""
}

// firstTrue returns the lineage of the first argument that is not empty; where
// that stands in the template, of those that are.
func (e *evaluator) firstTrue(given func(func(int, argument) bool)) lineage {
	var empty []*ref
	var v argument
	for _, v = range given {
		if isTrue(v.Value) {
			return e.deciding(v.value, empty).from
		}
		empty = with(empty, e.flat(v.value))
	}
	return lineage{refs: empty}
}

// down follows keys and numbers. What they come from decides as well.
func (e *evaluator) down(v value, keys []argument) lineage {
	var chosen []*ref
	for _, key := range keys {
		at, k := plainValue(v.Value), plainValue(key.Value)
		chosen = with(chosen, e.flat(key.value))
		switch {
		case at.Kind() == reflect.Map && k.Kind() == reflect.String && at.Type().Key().Kind() == reflect.String:
			v = value{Value: at.MapIndex(k.Convert(at.Type().Key())), from: e.entry(at, k.String())}
		case at.Kind() == reflect.Slice && k.CanInt() && k.Int() >= 0 && k.Int() < int64(at.Len()):
			v = value{Value: at.Index(int(k.Int())), from: e.item(at, int(k.Int()))}
		default:
			return lineage{refs: chosen}
		}
	}
	v.from.refs = with(v.from.refs, chosen)
	return v.from
}

// reaches reports whether keys lead to something.
func (e *evaluator) reaches(at reflect.Value, keys []argument) bool {
	for _, key := range keys {
		k := plainValue(key.Value)
		if at.Kind() != reflect.Map || k.Kind() != reflect.String || at.Type().Key().Kind() != reflect.String {
			return false
		}
		if at = plainValue(at.MapIndex(k.Convert(at.Type().Key()))); !at.IsValid() {
			return false
		}
	}
	return true
}

func (e *evaluator) itemOf(given []argument, i int) (lineage, bool) {
	if len(given) != 1 {
		return lineage{}, false
	}
	items := plainValue(given[0].Value)
	if items.Kind() != reflect.Slice || items.Len() == 0 {
		return lineage{}, false
	}
	return e.item(items, (i+items.Len())%items.Len()), true
}

func (e *evaluator) noteItems(given []argument, out reflect.Value) (lineage, bool) {
	for i := 0; i < len(given) && out.Kind() == reflect.Slice && i < out.Len(); i++ {
		e.noteItem(out, i, given[i].from)
	}
	return lineage{}, true
}

func (e *evaluator) indentation(before string, given []argument, out reflect.Value) (lineage, bool) {
	if len(given) != 2 || given[1].from.text == nil {
		return lineage{}, false
	}
	n := plainValue(given[0].Value)
	if given[0].word != "" {
		number, err := strconv.Atoi(given[0].word)
		if err != nil {
			return lineage{}, false
		}
		n = reflect.ValueOf(number)
	}
	if !n.CanInt() || n.Int() < 0 || n.Int() > 1000 {
		return lineage{}, false
	}
	text := given[1].from.text.indented(before, int(n.Int()))
	return lineage{refs: given[1].from.refs, text: text}, text.text() == out.String()
}

// texts finds the parts of a text that was put together or cut out of texts
// that have parts.
func (e *evaluator) texts(name string, given []argument, out string) (lineage, bool) {
	var parted []argument
	for _, a := range given {
		if a.from.text != nil && a.from.text.buf.Len() > 0 {
			parted = append(parted, a)
		}
	}
	if len(parted) == 0 {
		return lineage{}, false
	}
	if len(parted) == 1 {
		if whole := parted[0].from.text.text(); strings.HasPrefix(strings.ToLower(name), "trim") || strings.HasPrefix(name, "trunc") {
			if i := strings.Index(whole, out); i >= 0 {
				return lineage{refs: parted[0].from.refs, text: parted[0].from.text.cut(i, i+len(out))}, true
			}
		}
	}
	switch name {
	case "print", "printf", "println", "cat", "quote", "squote", "toString":
	default:
		return lineage{}, false
	}
	text := &written{base: e.under}
	at := 0
	for _, a := range given {
		piece := plainValue(a.Value)
		if piece.Kind() != reflect.String || len(e.flat(a.value)) == 0 && a.from.text == nil {
			continue
		}
		i := strings.Index(out[at:], piece.String())
		if i < 0 {
			return lineage{}, false
		}
		text.add(out[at:at+i], nil, e.under)
		if a.from.text != nil {
			text.embed(a.from.text, a.from.refs, e.under)
		} else {
			text.add(piece.String(), a.from.refs, e.under)
		}
		at += i + piece.Len()
	}
	text.add(out[at:], nil, e.under)
	return lineage{text: text}, true
}
