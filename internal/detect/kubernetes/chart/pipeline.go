package chart

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

func (e *evaluator) pipeline(dot value, pipe *parse.PipeNode) value {
	var v value
	if pipe == nil {
		return v
	}
	for i, command := range pipe.Cmds {
		v = e.command(dot, command, v, i > 0)
		if v.Kind() == reflect.Interface && v.NumMethod() == 0 {
			v.Value = reflect.ValueOf(v.Interface())
		}
	}
	for _, declared := range pipe.Decl {
		if pipe.IsAssign {
			e.assign(declared.Ident[0], v)
		} else {
			e.vars = append(e.vars, variable{name: declared.Ident[0], value: v})
		}
	}
	return v
}

// command evaluates one command of a pipeline; piped is what comes out of the
// one before it.
func (e *evaluator) command(dot value, c *parse.CommandNode, piped value, more bool) value {
	e.step()
	arguments := func() []argument {
		var all []argument
		for _, node := range c.Args[1:] {
			all = append(all, e.argument(dot, node))
		}
		if more {
			all = append(all, argument{value: piped})
		}
		return all
	}
	switch n := c.Args[0].(type) {
	case *parse.FieldNode:
		return e.fields(dot, n.Ident, arguments)
	case *parse.ChainNode:
		return e.fields(e.argument(dot, n.Node).value, n.Field, arguments)
	case *parse.VariableNode:
		return e.fields(e.variable(n.Ident[0]), n.Ident[1:], arguments)
	case *parse.IdentifierNode:
		if n.Ident == "and" || n.Ident == "or" {
			return e.logic(dot, n.Ident, c.Args[1:], piped, more)
		}
		return e.call(n.Ident, arguments())
	default:
		return e.argument(dot, n).value
	}
}

func (e *evaluator) variable(name string) value {
	for i := len(e.vars) - 1; i >= 0; i-- {
		if e.vars[i].name == name {
			return e.vars[i].value
		}
	}
	panic(untraceable("the variable " + name))
}

// argument is a value, or a word of the template that means what the
// parameter wants.
type argument struct {
	value
	word string
}

func (e *evaluator) argument(dot value, node parse.Node) argument {
	switch n := node.(type) {
	case *parse.DotNode:
		return argument{value: dot}
	case *parse.FieldNode:
		return argument{value: e.fields(dot, n.Ident, nil)}
	case *parse.VariableNode:
		return argument{value: e.fields(e.variable(n.Ident[0]), n.Ident[1:], nil)}
	case *parse.ChainNode:
		return argument{value: e.fields(e.argument(dot, n.Node).value, n.Field, nil)}
	case *parse.PipeNode:
		return argument{value: e.pipeline(dot, n)}
	case *parse.IdentifierNode:
		return argument{value: e.call(n.Ident, nil)}
	case *parse.StringNode:
		return argument{value: value{Value: reflect.ValueOf(n.Text)}}
	case *parse.BoolNode:
		return argument{value: value{Value: reflect.ValueOf(n.True)}}
	case *parse.NilNode:
		return argument{word: "nil"}
	case *parse.NumberNode:
		return argument{value: value{Value: e.apply("number", "", []argument{{word: n.Text}})}, word: n.Text}
	}
	panic(untraceable(node.String()))
}

// fields goes down from a value by names of entries, fields and methods; the
// last may take arguments.
func (e *evaluator) fields(v value, names []string, arguments func() []argument) value {
	for i, name := range names {
		var given []argument
		if arguments != nil && i == len(names)-1 {
			given = arguments()
		}
		v = e.field(v, name, given)
	}
	return v
}

func (e *evaluator) field(v value, name string, given []argument) value {
	plain := plainValue(v.Value)
	if plain.Kind() == reflect.Map && plain.Type().Key().Kind() == reflect.String && !hasMethod(plain, name) && len(given) == 0 {
		found := plain.MapIndex(reflect.ValueOf(name).Convert(plain.Type().Key()))
		if !found.IsValid() {
			found = reflect.Zero(plain.Type().Elem())
		}
		return value{Value: found, from: e.entry(plain, name)}
	}
	if !plain.IsValid() || plain.Kind() == reflect.Interface {
		// What is below a value that is missing is missing as well.
		if refs := v.from.refs; len(refs) == 1 && !refs[0].there {
			return value{from: lineage{refs: []*ref{e.ref(append(slices.Clone(refs[0].keys), name)...)}}}
		}
		return value{}
	}
	out := e.apply("method", name, append([]argument{{value: v}}, given...))
	return value{Value: out, from: e.madeOf(out, append([]argument{{value: v}}, given...))}
}

func hasMethod(v reflect.Value, name string) bool {
	return v.Type().NumMethod() > 0 && v.MethodByName(name).IsValid()
}

// logic is "and" and "or", which look at no more than they need. Where all
// were looked at in vain, all decide.
func (e *evaluator) logic(dot value, name string, nodes []parse.Node, piped value, more bool) value {
	var v value
	var before []*ref
	step := func(next value) bool {
		v = next
		truth := isTrue(v.Value)
		if truth == (name == "or") {
			return true
		}
		before = with(before, e.flat(v))
		return false
	}
	for _, node := range nodes {
		if step(e.argument(dot, node).value) {
			return e.deciding(v, before)
		}
	}
	if more {
		step(piped)
	}
	v.from.refs = with(before, v.from.refs)
	return v
}

// isTrue is what a condition makes of a value.
func isTrue(v reflect.Value) bool {
	if v = plainValue(v); !v.IsValid() {
		return false
	}
	truth, _ := template.IsTrue(v.Interface())
	return truth
}

// deciding returns a value that was taken. It decides alone, unless it is one
// that the template has itself: then those decide because of which it was.
func (e *evaluator) deciding(v value, others []*ref) value {
	if isContainer(plainValue(v.Value)) && len(e.flat(v)) > 0 || len(v.from.refs) > 0 {
		return v
	}
	if text := v.from.text; text != nil && len(text.refsBetween(0, text.buf.Len())) > 0 {
		return v
	}
	v.from.refs = others
	return v
}

// apply lets the template engine call a function or method, or read a number.
// The small templates that it takes are kept.
func (e *evaluator) apply(kind, name string, given []argument) reflect.Value {
	var b strings.Builder
	word := func(i int) {
		if given[i].word != "" {
			b.WriteString(" " + given[i].word)
		} else {
			fmt.Fprintf(&b, " (%s %d)", passedIn, i)
		}
	}
	b.WriteString("{{" + passedOut + " (")
	first := 0
	switch kind {
	case "method":
		fmt.Fprintf(&b, "(%s 0).%s", passedIn, name)
		first = 1
	case "function":
		b.WriteString(name)
	}
	for i := first; i < len(given); i++ {
		word(i)
	}
	b.WriteString(")}}")
	code := b.String()
	t, known := e.small[code]
	if !known {
		var err error
		if t, err = template.New("").Option("missingkey=zero").Funcs(e.calls).Parse(code); err != nil {
			panic(untraceable(err.Error()))
		}
		e.small[code] = t
	}
	outer := e.passed
	e.passed = given
	defer func() { e.passed = outer }()
	if err := t.Execute(nowhere{}, nil); err != nil {
		panic(untraceable(err.Error()))
	}
	return e.taken
}

// The functions by which values get into and out of the template engine.
const (
	passedIn  = "_in"
	passedOut = "_out"
)

// nowhere is a writer for what nobody reads.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
