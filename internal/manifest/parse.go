package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads all documents of a file. It never fails as a whole: what cannot
// be read is a document without Root and with a Problem that says why.
func Parse(file File, limits Limits) []Document {
	limits = limits.withDefaults()
	whole := func(message string) []Document {
		return []Document{{Path: file.Path, Line: 1, EndLine: 1, Problems: []Problem{{
			Span: Span{Line: 1}, Message: message, Subject: "file", Fatal: true,
		}}}}
	}
	if len(file.Content) > limits.Bytes {
		return whole(fmt.Sprintf("the file has %d bytes, more than the %d that are looked into", len(file.Content), limits.Bytes))
	}
	content, err := toUTF8(file.Content)
	if err != nil {
		return whole(err.Error())
	}
	left := limits.FileNodes
	var docs []Document
	chunks := split(content, file.Chart)
	for i, c := range chunks {
		for _, doc := range parseChunk(c, limits, &left) {
			doc.Path, doc.Index = file.Path, len(docs)
			docs = append(docs, doc)
		}
		// One problem stands for all that is left of a file that is too much.
		if i+1 < len(chunks) && (left < 0 || len(docs) >= maxDocuments) {
			docs[len(docs)-1].endFile(limits)
			break
		}
	}
	return docs
}

// endFile notes that nothing behind a document was looked into.
func (d *Document) endFile(limits Limits) {
	if n := len(d.Problems); n > 0 && d.Problems[n-1].Subject == restOfFile {
		return
	}
	d.Problems = append(d.Problems, Problem{Span: Span{Line: d.Line}, Subject: restOfFile, Fatal: d.Root == nil, Message: fmt.Sprintf(
		"what comes after this document was not looked into, since the file has more than %d values or %d documents; split it", limits.FileNodes, maxDocuments)})
}

const restOfFile = "rest"

// maxDocuments bounds the documents of one file.
const maxDocuments = 100_000

// structural are the bytes of which every value in YAML or JSON needs at
// least one: their number is an upper bound for the cost of parsing.
const structural = "\n:,[{-?"

// parseChunk reads the documents of a chunk, and takes from what is left for the
// file what they cost.
func parseChunk(c chunk, limits Limits, left *int) []Document {
	endLine := c.line + bytes.Count(bytes.TrimRight(c.text, "\n"), []byte{'\n'})
	broken := func(line int, message string) Document {
		line = min(max(line, c.line), endLine)
		return Document{Line: c.line, EndLine: endLine, Problems: []Problem{{
			Span: Span{Line: line}, Message: message, Subject: "document", Fatal: true,
		}}}
	}
	marks := 0
	for i := range len(structural) {
		marks += bytes.Count(c.text, []byte{structural[i]})
	}
	// Twice the limit, since dashes and colons are common inside of words.
	if marks > 2*limits.Nodes {
		return []Document{broken(c.line, fmt.Sprintf("the document has more than the %d values that are looked into", limits.Nodes))}
	}
	loc := newLocator(c)
	decoder := yaml.NewDecoder(bytes.NewReader(surrogateFree(c.text)))
	var docs []Document
	for {
		node, err := decode(decoder)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			line, message := explain(err, c.text)
			doc := broken(c.line+line-1, message)
			doc.Problems[0].Syntax = true
			return append(docs, doc)
		}
		if *left < 0 && len(docs) > 0 {
			docs[len(docs)-1].endFile(limits)
			return docs
		}
		doc := Document{Line: c.line, EndLine: endLine}
		t := tree{loc: loc, limits: limits, left: limits.Nodes, done: map[*yaml.Node]*Node{}}
		root, err := t.convert(node, 0)
		if err != nil {
			*left -= t.built
			line := c.line
			var at *positionError
			if errors.As(err, &at) {
				line, _ = loc.place(at.line, 1, loc.offset(at.line, 1))
			}
			doc := broken(line, err.Error())
			doc.Problems[0].Syntax = at != nil && at.syntax
			docs = append(docs, doc)
			continue
		}
		*left -= limits.Nodes - t.left
		doc.Root, doc.Problems = root, t.problems
		docs = append(docs, doc)
	}
}

// decode reads the next document as nodes. The parser is known to panic on
// some input: that is one more way of not being readable.
func decode(decoder *yaml.Decoder) (node *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	node = new(yaml.Node)
	if err := decoder.Decode(node); err != nil {
		return nil, err
	}
	return node, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

var unknownAnchor = regexp.MustCompile(`^unknown anchor '([^']+)' referenced`)

// explain takes the parser's message apart into a line and a reason.
func explain(err error, text []byte) (int, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n  ")
	line := 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		message = message[len(m[0]):]
	}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		// The parser names no line for these.
		if i := bytes.Index(text, []byte("*"+m[1])); i >= 0 {
			line = 1 + bytes.Count(text[:i], []byte{'\n'})
		}
	}
	if strings.Contains(message, "cannot start any token") && !strings.Contains(message, "tab") {
		message += " (a tab, or a character that has to be quoted)"
	}
	return line, message
}

var surrogate = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)

// surrogateFree replaces JSON's escaped surrogate pairs, which the YAML parser
// refuses, by replacement characters of the same length. No rule looks at
// characters beyond the basic plane.
func surrogateFree(text []byte) []byte {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' || !bytes.Contains(text, []byte(`\u`)) {
		return text
	}
	return surrogate.ReplaceAll(text, []byte(`\ufffd\ufffd`))
}

// positionError is a reason for not reading a document, with the line of the
// chunk at which it shows.
type positionError struct {
	line    int
	message string
	// syntax becomes that of the Problem.
	syntax bool
}

func (e *positionError) Error() string { return e.message }

// tree builds the nodes of one document.
type tree struct {
	loc    *locator
	limits Limits
	// left is how many values the document may still have, and built how many
	// were made, without those that aliases repeat.
	left     int
	built    int
	done     map[*yaml.Node]*Node
	problems []Problem
}

func (t *tree) convert(y *yaml.Node, depth int) (*Node, error) {
	switch y.Kind {
	case 0:
		n := &Node{Kind: Null}
		n.place(Span{Line: t.loc.chunk.line, Column: 1, EndColumn: 1})
		return n, nil
	case yaml.DocumentNode:
		return t.convert(y.Content[0], depth)
	case yaml.AliasNode:
		return t.alias(y, depth)
	}
	if depth > t.limits.Depth {
		return nil, t.fail(y, "the document is nested more than %d levels deep", t.limits.Depth)
	}
	n := &Node{}
	if y.Anchor != "" {
		// Nil marks a node that is being built: an alias to it is a cycle.
		t.done[y] = nil
	}
	var err error
	switch y.Kind {
	case yaml.MappingNode:
		n.Kind, n.Flow = Map, y.Style&yaml.FlowStyle != 0
		t.loc.span(n, y.Line, y.Column)
		err = t.fillMap(n, y, depth)
	case yaml.SequenceNode:
		n.Kind, n.Flow = List, y.Style&yaml.FlowStyle != 0
		t.loc.span(n, y.Line, y.Column)
		err = t.fillList(n, y, depth)
	default:
		scalar(n, y)
		t.loc.span(n, y.Line, y.Column)
	}
	if err != nil {
		return nil, err
	}
	if y.Anchor != "" {
		t.done[y] = n
	}
	t.built++
	return n, t.spend(y, 1)
}

// alias returns the anchor's own node, and charges for what it repeats.
func (t *tree) alias(y *yaml.Node, depth int) (*Node, error) {
	n, ok := t.done[y.Alias]
	if !ok || n == nil {
		return nil, t.fail(y, "the alias *%s is part of its own anchor", y.Value)
	}
	if depth+n.height() > t.limits.Depth {
		return nil, t.fail(y, "the document is nested more than %d levels deep by its aliases", t.limits.Depth)
	}
	return n, t.spend(y, n.size())
}

// spend takes n values from what is left for the document.
func (t *tree) spend(y *yaml.Node, n int) error {
	t.left -= n
	if t.left < 0 {
		return t.fail(y, "the document has more than %d values, aliases counted as often as they are used", t.limits.Nodes)
	}
	return nil
}

func (t *tree) fail(y *yaml.Node, format string, args ...any) error {
	return &positionError{line: y.Line, message: fmt.Sprintf(format, args...)}
}

func (t *tree) fillList(n *Node, y *yaml.Node, depth int) error {
	in := &inner{items: make([]*Node, 0, len(y.Content)), size: 1}
	n.inner = in
	for _, c := range y.Content {
		item, err := t.convert(c, depth+1)
		if err != nil {
			return err
		}
		in.items = append(in.items, item)
		in.size += item.size()
		in.height = max(in.height, 1+item.height())
	}
	return nil
}

func (t *tree) fillMap(n *Node, y *yaml.Node, depth int) error {
	in := &inner{fields: make([]Field, 0, len(y.Content)/2), size: 1}
	n.inner = in
	seen := make(map[string]*Node, len(y.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		ky, vy := y.Content[i], y.Content[i+1]
		if ky.Kind == yaml.ScalarNode && ky.Value == "<<" && (ky.Tag == "!!merge" || ky.Style == 0) {
			merges = append(merges, vy)
			continue
		}
		key, err := t.convert(ky, depth+1)
		if err != nil {
			return err
		}
		if key.Kind == Map || key.Kind == List {
			// What {{ a template }} is to YAML.
			return &positionError{line: ky.Line, syntax: true, message: fmt.Sprintf("a key is %s: keys have to be strings", key.Kind)}
		}
		value, err := t.convert(vy, depth+1)
		if err != nil {
			return err
		}
		name := keyName(key)
		if first, twice := seen[name.Value]; twice {
			t.problems = append(t.problems, Problem{Span: key.Span(), Subject: "duplicate " + name.Value, Duplicate: true, Message: fmt.Sprintf(
				"the key %q is there twice, first on line %d: readers disagree on which value counts", name.Value, first.Span().Line)})
		}
		seen[name.Value] = name
		in.add(Field{Key: name, Value: value})
	}
	for _, m := range merges {
		if err := t.merge(n, m, seen, depth); err != nil {
			return err
		}
	}
	return nil
}

func (in *inner) add(f Field) {
	in.fields = append(in.fields, f)
	in.size += 1 + f.Value.size()
	in.height = max(in.height, 1+f.Value.height())
}

// merge adds the fields of a merge key (https://yaml.org/type/merge.html):
// keys that are there already win.
func (t *tree) merge(n *Node, y *yaml.Node, seen map[string]*Node, depth int) error {
	from, err := t.convert(y, depth+1)
	if err != nil {
		return err
	}
	sources := []*Node{from}
	if from.Kind == List {
		sources = from.Items()
	}
	for _, source := range sources {
		if source.Kind != Map {
			return t.fail(y, "the merge key << needs a map, and this is %s", source.Kind)
		}
		for _, f := range source.Fields() {
			t.built++
			if err := t.spend(y, 1+f.Value.size()); err != nil {
				return err
			}
			if _, there := seen[f.Key.Value]; there {
				continue
			}
			seen[f.Key.Value] = f.Key
			n.inner.add(f)
		}
	}
	return nil
}

// keyName returns the key with the name that it gets in JSON: `yes: 1` is the
// field "true" to the API server.
func keyName(key *Node) *Node {
	name := key.Value
	switch {
	case key.Kind == Bool:
		name = strconv.FormatBool(key.Truth)
	case key.Kind == Null && name == "":
		name = "null"
	}
	if name == key.Value {
		return key
	}
	renamed := *key
	renamed.Value = name
	return &renamed
}

// booleans are those of YAML 1.1 (https://yaml.org/type/bool.html), which
// sigs.k8s.io/yaml reads as such.
var booleans = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"true": true, "True": true, "TRUE": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
	"false": false, "False": false, "FALSE": false,
}

func scalar(n *Node, y *yaml.Node) {
	n.Value = y.Value
	n.Quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	n.Block = y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	tag := y.ShortTag()
	truth, boolean := booleans[y.Value]
	tagged := y.Style&yaml.TaggedStyle != 0
	switch {
	case boolean && (tag == "!!bool" || (!n.Quoted && !tagged)):
		n.Kind, n.Truth = Bool, truth
	case tag == "!!null":
		n.Kind = Null
	case tag == "!!int":
		n.Kind = Int
	case tag == "!!float":
		n.Kind = Float
	default:
		n.Kind = String
	}
}
