package chart

import (
	"regexp"
	"strings"
	"text/template/parse"
)

// indentedKey is a key that a branch would write, with the spaces before it;
// inLine stands for one that goes on in the line in which the branch begins.
type indentedKey struct {
	indent int
	name   string
}

const inLine = -1

// maxKeys bounds what is remembered of one branch, and maxKeyDepth how deep
// templates are followed for it.
const (
	maxKeys     = 200
	maxLines    = 5000
	maxKeyDepth = 5
)

// lineStart matches the start of a line that is neither empty nor a comment:
// its spaces, the mark of an item, and its key.
var lineStart = regexp.MustCompile(`^( *)(- )?(?:["']?([A-Za-z0-9_./-]+)["']?:(?:\s|$)|[^\s#])`)

// keysOf returns the outermost keys that stand in a list of nodes, and in the
// templates that it includes. Those that values would bring are not known.
func (e *evaluator) keysOf(list *parse.ListNode) []indentedKey {
	keys, known := e.keys[list]
	if !known {
		keys = outermost(e.linesOf(list, 0))
		keys = keys[:min(len(keys), maxKeys)]
		e.keys[list] = keys
	}
	return keys
}

func (e *evaluator) linesOf(list *parse.ListNode, depth int) []indentedKey {
	if list == nil || depth > maxKeyDepth {
		return nil
	}
	var keys []indentedKey
	first := true
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			if len(n.Text) > 0 {
				keys = append(keys, keysIn(string(n.Text), first)...)
				first = false
			}
		case *parse.ActionNode:
			keys = append(keys, e.linesOfPipe(n.Pipe, depth)...)
			first = false
		case *parse.TemplateNode:
			if t := e.set.Lookup(n.Name); t != nil && t.Tree != nil {
				keys = append(keys, e.linesOf(t.Root, depth+1)...)
			}
			first = false
		case *parse.IfNode:
			keys = append(append(keys, e.linesOf(n.List, depth)...), e.linesOf(n.ElseList, depth)...)
		case *parse.WithNode:
			keys = append(append(keys, e.linesOf(n.List, depth)...), e.linesOf(n.ElseList, depth)...)
		case *parse.RangeNode:
			keys = append(append(keys, e.linesOf(n.List, depth)...), e.linesOf(n.ElseList, depth)...)
		}
	}
	return keys[:min(len(keys), maxLines)]
}

// linesOfPipe returns the lines of a template that is included and indented.
func (e *evaluator) linesOfPipe(pipe *parse.PipeNode, depth int) []indentedKey {
	if pipe == nil || len(pipe.Cmds) == 0 || len(pipe.Decl) > 0 {
		return nil
	}
	args := pipe.Cmds[0].Args
	if len(args) < 2 || args[0].String() != "include" {
		return nil
	}
	name, isText := args[1].(*parse.StringNode)
	if !isText {
		return nil
	}
	shift := 0
	for _, c := range pipe.Cmds[1:] {
		if n, isNumber := c.Args[len(c.Args)-1].(*parse.NumberNode); isNumber && len(c.Args) == 2 && strings.HasSuffix(c.Args[0].String(), "indent") {
			shift += int(n.Int64)
		}
	}
	t := e.set.Lookup(name.Text)
	if t == nil || t.Tree == nil {
		return nil
	}
	var keys []indentedKey
	for _, k := range e.linesOf(t.Root, depth+1) {
		k.indent = max(k.indent, 0) + shift
		keys = append(keys, k)
	}
	return keys
}

// keysIn returns the keys at the starts of lines, and of lines that begin
// something else their indentation without a name. The first piece of a branch
// begins within a line.
func keysIn(text string, first bool) []indentedKey {
	var keys []indentedKey
	for i, line := range strings.Split(text, "\n") {
		m := lineStart.FindStringSubmatch(line)
		if m == nil || i == 0 && !first {
			continue
		}
		k := indentedKey{indent: len(m[1]), name: m[3]}
		if m[2] != "" {
			// What follows belongs to an item.
			k.name = ""
		}
		if i == 0 {
			k.indent = inLine
		}
		keys = append(keys, k)
	}
	return keys
}

// outermost leaves out the keys that lie in others, or in items of lists.
func outermost(keys []indentedKey) []indentedKey {
	least := maxOutput
	var out []indentedKey
	for _, k := range keys {
		switch {
		case k.indent == inLine && k.name == "":
			// How deep the item lies is not known, nor what is in it.
			return out
		case k.indent > least:
			continue
		case k.indent != inLine:
			least = k.indent
		}
		if k.name != "" {
			out = append(out, k)
		}
	}
	return out
}
