package chart

import (
	"fmt"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxVolume bounds what all functions of one template may take in and give
// out together: a few lines can double a text until memory is gone.
const maxVolume = 64 << 20

// guarded puts a meter on every function, those that are built into the
// template engine included.
func (e *engine) guarded(functions template.FuncMap) template.FuncMap {
	out := template.FuncMap{shown: showable}
	for name, f := range functions {
		out[name] = e.guard(f)
		if !passing[name] {
			out[name] = guardTree(out[name])
		}
	}
	for name, f := range (template.FuncMap{
		"printf": fmt.Sprintf, "print": fmt.Sprint, "println": fmt.Sprintln,
		"html": template.HTMLEscaper, "js": template.JSEscaper, "urlquery": template.URLQueryEscaper,
	}) {
		out[name] = guardTree(e.guard(f))
	}
	return out
}

// passing are functions that hand values on without looking into them. They are
// often given all values of a chart.
var passing = map[string]bool{
	"include": true, "tpl": true, "dict": true, "list": true, "tuple": true, "get": true, "set": true, "hasKey": true,
	"default": true, "empty": true, "coalesce": true, "ternary": true, "kindIs": true, "kindOf": true, "typeIs": true, "typeOf": true,
}

// guardTree stops before a function is given a value that repeats or holds
// itself: written out, that has no end.
func guardTree(f any) any {
	value := reflect.ValueOf(f)
	typ := value.Type()
	return reflect.MakeFunc(typ, func(args []reflect.Value) []reflect.Value {
		left := maxRepeat
		for _, arg := range args {
			if !small(arg, &left, 0) {
				panic(errTooMuch)
			}
		}
		if typ.IsVariadic() {
			return value.CallSlice(args)
		}
		return value.Call(args)
	}).Interface()
}

// shown is the name of the function at the end of every pipeline whose value is
// written out. A template that names it gets its value back.
const shown = "_shown"

// showable returns a value that is written out as it is, and stops for one that
// repeats or holds itself.
func showable(v reflect.Value) reflect.Value {
	left := maxRepeat
	if !small(v, &left, 0) {
		panic(errTooMuch)
	}
	return v
}

// showing puts the function shown to the end of a pipeline.
func showing(pipe *parse.PipeNode) {
	if pipe == nil || len(pipe.Decl) > 0 {
		return
	}
	pipe.Cmds = append(pipe.Cmds, &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pipe.Pos,
		Args: []parse.Node{parse.NewIdentifier(shown).SetPos(pipe.Pos)},
	})
}

// maxNesting bounds how deep values of templates may lie in one another.
const maxNesting = 500

// small takes the values below v from what is left, as often as they are
// reached, and reports whether there was enough.
func small(v reflect.Value, left *int, depth int) bool {
	for (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) && !v.IsNil() {
		v = v.Elem()
		if depth++; depth > maxNesting {
			return false
		}
	}
	if *left--; v.Kind() == reflect.String {
		*left -= v.Len() / 64
	}
	if *left < 0 || depth > maxNesting {
		return false
	}
	switch v.Kind() {
	case reflect.Map:
		for iter := v.MapRange(); iter.Next(); {
			if !small(iter.Value(), left, depth+1) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return true
		}
		for i := range v.Len() {
			if !small(v.Index(i), left, depth+1) {
				return false
			}
		}
	}
	return true
}

// guard returns a function that does the same and stops when too much has
// gone through it. The template engine turns the panic into an error.
func (e *engine) guard(f any) any {
	value := reflect.ValueOf(f)
	typ := value.Type()
	return reflect.MakeFunc(typ, func(args []reflect.Value) []reflect.Value {
		e.meter(args)
		var results []reflect.Value
		if typ.IsVariadic() {
			results = value.CallSlice(args)
		} else {
			results = value.Call(args)
		}
		e.meter(results)
		return results
	}).Interface()
}

func (e *engine) meter(values []reflect.Value) {
	n := 1
	for _, v := range values {
		n += weight(v, 0)
	}
	e.budget.volume -= n
	if e.budget.volume < 0 {
		panic(errTooMuch)
	}
	if err := e.budget.spend(0); err != nil {
		panic(err)
	}
}

// weight is about the number of bytes of a value, looked at no deeper than
// arguments lie.
func weight(v reflect.Value, depth int) int {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		n := 8 * v.Len()
		if depth < 2 && v.Type().Elem().Kind() != reflect.Uint8 {
			// Long lists are judged by their first items.
			const sample = 100
			items := 0
			for i := range min(v.Len(), sample) {
				items += weight(v.Index(i), depth+1)
			}
			n += items * max(1, v.Len()/sample)
		}
		return n
	case reflect.Map:
		return 16 * v.Len()
	}
	return 1
}

// markAll puts marks into the trees of a set that has no place in a file, so
// that its loops are counted.
func (e *engine) markAll(set *template.Template) {
	m := marker{marks: e.marks}
	for _, t := range set.Templates() {
		if t.Tree != nil && t.Root != nil && !e.marked[t.Tree] {
			e.marked[t.Tree] = true
			m.list(t.Root, false)
		}
	}
}

// indent puts spaces in front of every line.
func indent(n int, text string) (string, error) {
	if n < 0 || n > 1000 || n*(strings.Count(text, "\n")+1) > maxOutput {
		return "", errTooMuch
	}
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad), nil
}
