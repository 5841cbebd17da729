package chart

import (
	"fmt"
	"reflect"
	"slices"
	"text/template/parse"
)

// evaluator runs a template a second time, to learn of each value from where
// it came. It does what the template engine does with lists, conditions,
// loops and variables, and leaves fields and functions to the engine. Whether
// it did the same shows in the text, which has to be that of the engine.
type evaluator struct {
	*tracing
	// trees are templates that a text defined that is one itself.
	trees map[string]*parse.Tree
	out   *written
	vars  []variable
	under *branch
	// source is the text of the template where that came out of values.
	source *written
	depth  int
	// included is true for what is written into a text.
	included bool
}

type variable struct {
	name string
	value
}

// untraceable stops an evaluator for what it does not know.
type untraceable string

func (u untraceable) Error() string { return "this is not traced: " + string(u) }

// flow says how a list of nodes ended.
type flow int

const (
	onwards flow = iota
	breaks
	continues
)

func (e *evaluator) list(dot value, list *parse.ListNode) flow {
	if list == nil {
		return onwards
	}
	for _, node := range list.Nodes {
		if f := e.node(dot, node); f != onwards {
			return f
		}
	}
	return onwards
}

func (e *evaluator) node(dot value, node parse.Node) flow {
	e.step()
	switch n := node.(type) {
	case *parse.TextNode:
		if from := int(n.Pos); e.source != nil && len(n.Text) > 0 && from+len(n.Text) <= e.source.buf.Len() {
			e.out.embed(e.source.cut(from, from+len(n.Text)), nil, e.under)
		} else {
			e.out.add(string(n.Text), nil, e.under)
		}
		e.write(len(n.Text))
	case *parse.ActionNode:
		if v := e.pipeline(dot, n.Pipe); len(n.Pipe.Decl) == 0 {
			e.print(v, e.sourceRefs(n.Pos, 1))
		}
	case *parse.IfNode:
		return e.condition(dot, &n.BranchNode, false)
	case *parse.WithNode:
		return e.condition(dot, &n.BranchNode, true)
	case *parse.RangeNode:
		return e.loop(dot, n)
	case *parse.TemplateNode:
		e.template(n.Name, e.pipeline(dot, n.Pipe))
	case *parse.BreakNode:
		return breaks
	case *parse.ContinueNode:
		return continues
	case *parse.CommentNode:
	default:
		panic(untraceable(node.String()))
	}
	return onwards
}

// sourceRefs are the values out of which a piece of the template itself came.
func (e *evaluator) sourceRefs(pos parse.Pos, length int) []*ref {
	if e.source == nil || length == 0 {
		return nil
	}
	return e.source.refsBetween(int(pos), int(pos)+length)
}

// print writes a value as the template engine does.
func (e *evaluator) print(v value, more []*ref) {
	var shown any = string(noValue)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v.Value = v.Elem()
	}
	if v.IsValid() {
		shown = v.Interface()
	}
	text := fmt.Sprint(shown)
	e.write(len(text))
	if text == string(noValue) && !e.included {
		return
	}
	if v.from.text != nil && v.from.text.text() == text {
		e.out.embed(v.from.text, with(more, v.from.refs), e.under)
		return
	}
	e.out.add(text, with(more, e.flat(v)), e.under)
}

func (e *evaluator) condition(dot value, n *parse.BranchNode, with bool) flow {
	defer e.pop(len(e.vars))
	v := e.pipeline(dot, n.Pipe)
	truth := isTrue(v.Value)
	refs := e.flat(v)
	if !truth {
		e.gap(n.List, refs)
		return e.in(refs, func() flow { return e.list(dot, n.ElseList) })
	}
	result := e.in(refs, func() flow {
		if with {
			return e.list(v, n.List)
		}
		return e.list(dot, n.List)
	})
	e.gap(n.ElseList, refs)
	return result
}

// in does something in a branch.
func (e *evaluator) in(refs []*ref, do func() flow) flow {
	if len(refs) == 0 {
		return do()
	}
	up := e.under
	e.under = &branch{refs: refs, up: up}
	result := do()
	e.under = up
	return result
}

// gap notes that a branch is not taken.
func (e *evaluator) gap(list *parse.ListNode, refs []*ref) {
	if list == nil || len(refs) == 0 {
		return
	}
	if keys := e.keysOf(list); len(keys) > 0 {
		e.out.gaps = append(e.out.gaps, gap{start: e.out.buf.Len(), keys: keys, refs: refs, under: e.under})
	}
}

func (e *evaluator) pop(to int) { e.vars = e.vars[:to] }

func (e *evaluator) loop(dot value, n *parse.RangeNode) flow {
	defer e.pop(len(e.vars))
	v := e.pipeline(dot, n.Pipe)
	over := plainValue(v.Value)
	for over.Kind() == reflect.Pointer && !over.IsNil() {
		over = over.Elem()
	}
	mark, rounds := len(e.vars), 0
	round := func(index, item value) bool {
		defer e.pop(mark)
		rounds++
		e.step()
		e.setLoopVariables(n.Pipe, index, item)
		return e.in(with(e.flat(item), index.from.refs), func() flow { return e.list(item, n.List) }) != breaks
	}
	switch over.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		for i := range over.Seq() {
			if !round(value{}, value{Value: i, from: v.from}) {
				break
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range over.Len() {
			if !round(value{Value: reflect.ValueOf(i)}, value{Value: over.Index(i), from: e.item(over, i)}) {
				break
			}
		}
	case reflect.Map:
		if over.Type().Key().Kind() != reflect.String {
			panic(untraceable("a loop over " + over.Type().String()))
		}
		for _, key := range sortedNames(over) {
			name := reflect.ValueOf(key).Convert(over.Type().Key())
			from := e.entry(over, key)
			if !round(value{Value: name, from: lineage{refs: e.place(over, key)}}, value{Value: over.MapIndex(name), from: from}) {
				break
			}
		}
	case reflect.Invalid, reflect.Interface:
	default:
		panic(untraceable("a loop over " + over.Type().String()))
	}
	refs := e.flat(v)
	if rounds > 0 {
		e.gap(n.ElseList, refs)
		return onwards
	}
	e.gap(n.List, refs)
	return e.in(refs, func() flow { return e.list(dot, n.ElseList) })
}

// place is the entry of a map of values, by which its key is known.
func (e *evaluator) place(m reflect.Value, key string) []*ref {
	if c, ok := e.known(m); ok && c.at != nil {
		return []*ref{e.ref(slices.Concat(c.at.keys, []string{key})...)}
	}
	return e.entry(m, key).refs
}

func (e *evaluator) setLoopVariables(pipe *parse.PipeNode, index, item value) {
	last := len(e.vars) - 1
	switch n := len(pipe.Decl); {
	case n == 1 && pipe.IsAssign:
		e.assign(pipe.Decl[0].Ident[0], item)
	case n == 2 && pipe.IsAssign:
		e.assign(pipe.Decl[0].Ident[0], index)
		e.assign(pipe.Decl[1].Ident[0], item)
	case n == 1:
		e.vars[last].value = item
	case n == 2:
		e.vars[last].value, e.vars[last-1].value = item, index
	}
}

func (e *evaluator) assign(name string, v value) {
	for i := len(e.vars) - 1; i >= 0; i-- {
		if e.vars[i].name == name {
			e.vars[i].value = v
			return
		}
	}
	panic(untraceable("the variable " + name))
}

// template runs another template in place.
func (e *evaluator) template(name string, dot value) {
	inner := *e
	inner.depth, inner.source = e.depth+1, nil
	if inner.depth > maxIncludes {
		panic(errTooMuch)
	}
	inner.vars = []variable{{name: "$", value: dot}}
	inner.list(dot, e.lookup(name).Root)
}

func (e *evaluator) lookup(name string) *parse.Tree {
	if tree, ok := e.trees[name]; ok {
		return tree
	}
	if t := e.set.Lookup(name); t != nil && t.Tree != nil {
		return t.Tree
	}
	panic(untraceable("the template " + name))
}

// include runs another template into a text.
func (e *evaluator) include(name string, dot value) value {
	return e.textOf(e.lookup(name), e.trees, nil, dot)
}

func (e *evaluator) textOf(tree *parse.Tree, trees map[string]*parse.Tree, source *written, dot value) value {
	inner := &evaluator{
		tracing: e.tracing, trees: trees, out: &written{base: e.under}, under: e.under,
		source: source, depth: e.depth + 1, included: true, vars: []variable{{name: "$", value: dot}},
	}
	if inner.depth > maxIncludes {
		panic(errTooMuch)
	}
	inner.list(dot, tree.Root)
	text := inner.out.withoutNoValue()
	return value{Value: reflect.ValueOf(text.text()), from: lineage{text: text}}
}

// tpl runs a text as a template.
func (e *evaluator) tpl(text, dot value) value {
	code := plainValue(text.Value)
	if code.Kind() != reflect.String {
		panic(untraceable("tpl of what is no text"))
	}
	e.write(code.Len())
	trees, err := parse.Parse("tpl", code.String(), "", "", e.names)
	if err != nil {
		panic(untraceable(err.Error()))
	}
	main := trees["tpl"]
	for name, tree := range e.trees {
		if _, there := trees[name]; !there {
			trees[name] = tree
		}
	}
	source := text.from.text
	if source == nil {
		source = &written{}
		source.add(code.String(), e.flat(text), nil)
	}
	return e.textOf(main, trees, source, dot)
}
