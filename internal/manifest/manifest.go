// Package manifest reads Kubernetes-like YAML and JSON into trees that know
// where each value stands in the file, finds the objects in them and the pods
// in the objects. Everything is read the way the API server reads it (YAML 1.1
// booleans, merge keys, lists of objects), from bytes that nobody trusts:
// sizes, depth and the expansion of aliases are limited, and a document that
// cannot be read is a Problem beside the other documents, never a gap.
//
// The package knows no rules and decodes into no Kubernetes types. Its main
// types are Document, Object, Pod and Place.
package manifest

import "strconv"

// File is one file as it was read.
type File struct {
	// Path is relative to the root of the checkout, with forward slashes.
	Path    string
	Content []byte
	// Chart is true for what a Helm chart was rendered to, where every line that
	// begins with --- ends a document and what follows is the next one.
	Chart bool
	// Named is true for a file that the user named, not the directory that it
	// lies in.
	Named bool
	// Target is the path of the file to which it leads as a symbolic link;
	// empty for a file by itself.
	Target string
}

// Limits bound what one file may cost. The zero value of a field stands for
// its default.
type Limits struct {
	// Bytes is the largest file that is looked into.
	Bytes int
	// Nodes is the largest number of values in one document, counting those
	// that aliases and merge keys repeat.
	Nodes int
	// FileNodes is after how many values, counted in the same way, no further
	// document of a file is looked into. Of a document that was given up, only
	// what was built of it counts. The default is a multiple of Nodes.
	FileNodes int
	// Depth is how deep values may lie inside each other.
	Depth int
}

// The defaults leave room for the largest manifests that exist (an object in
// etcd is at most 1.5 MiB, some 100,000 values; dumps of whole clusters reach
// tens of megabytes) and stop alias bombs within a few hundred megabytes.
const (
	defaultBytes = 256 << 20
	defaultNodes = 2_000_000
	defaultDepth = 200
	// fileFactor is how many of the largest documents a file may hold.
	fileFactor = 2
)

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = defaultBytes
	}
	if l.Nodes == 0 {
		l.Nodes = defaultNodes
	}
	if l.FileNodes == 0 {
		l.FileNodes = fileFactor * l.Nodes
	}
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	return l
}

// Problem is something that keeps a document, or a part of one, from being
// read as it was meant.
type Problem struct {
	Span Span
	// Message says what is wrong, without the place.
	Message string
	// Subject names what is wrong without line numbers, so that the problem
	// can be known again after other lines have moved.
	Subject string
	// Syntax is true for text that is no YAML, such as a template of some other
	// tool; false for what was given up for its size or meaning.
	Syntax bool
	// Duplicate is true for a key that is there twice.
	Duplicate bool
	// Fatal is true when the document has no tree because of it.
	Fatal bool
}

// Document is one YAML document or JSON value of a file.
type Document struct {
	Path string
	// Index counts the documents of the file from 0, empty ones left out.
	Index int
	// Line and EndLine are the first and last line of the document's text.
	Line    int
	EndLine int
	// Root is nil when the document could not be read.
	Root     *Node
	Problems []Problem
}

// Kind is the kind of a value.
type Kind uint8

// The kinds of values, as the API server's YAML reader tells them apart.
const (
	Null Kind = iota
	Map
	List
	String
	Bool
	Int
	Float
)

// String names the kind for messages, with its article.
func (k Kind) String() string {
	return [...]string{"null", "a map", "a list", "a string", "a boolean", "an integer", "a number"}[k]
}

// Span is a piece of one line. Lines and columns start at 1, columns count
// Unicode code points, and EndColumn is the column after the last one. A zero
// Column means the whole line.
type Span struct {
	Line      int
	Column    int
	EndColumn int
}

// Node is a value. Where an alias stood, it is the anchor's node itself with
// the anchor's position, so one node can be reached on several ways. All nodes
// of a run are in memory together, and most are keys and scalars: what only maps
// and lists have lies apart.
type Node struct {
	// Value is the text of a scalar without its quotes.
	Value string
	inner *inner
	// The place; a file has less bytes than fit.
	line, column, endColumn int32

	Kind Kind
	// Truth is the value of a Bool.
	Truth bool
	// Quoted is true for scalars in quotes and block scalars.
	Quoted bool
	// Block is true for literal and folded block scalars.
	Block bool
	// Flow is true for maps in braces and lists in brackets.
	Flow bool
}

// inner is what maps and lists have beside a Node.
type inner struct {
	fields []Field
	items  []*Node
	// size is the number of values in the tree, aliases expanded, and height the
	// number of levels below.
	size, height int
}

// Fields are the entries of a map, none for any other value.
func (n *Node) Fields() []Field {
	if n.inner == nil {
		return nil
	}
	return n.inner.fields
}

// Items are those of a list, none for any other value.
func (n *Node) Items() []*Node {
	if n.inner == nil {
		return nil
	}
	return n.inner.items
}

// Span is the value's place, or for a map or list that of its start.
func (n *Node) Span() Span {
	return Span{Line: int(n.line), Column: int(n.column), EndColumn: int(n.endColumn)}
}

func (n *Node) place(s Span) {
	n.line, n.column, n.endColumn = int32(s.Line), int32(s.Column), int32(s.EndColumn)
}

func (n *Node) size() int {
	if n.inner == nil {
		return 1
	}
	return n.inner.size
}

func (n *Node) height() int {
	if n.inner == nil {
		return 0
	}
	return n.inner.height
}

// Field is one entry of a map.
type Field struct {
	Key   *Node
	Value *Node
}

// Get returns the value of a key, or nil. Of a key that is there twice the
// last one counts, as it does for most readers; the document has a Problem.
func (n *Node) Get(key string) *Node {
	_, v := n.find(key)
	return v
}

func (n *Node) find(key string) (k, v *Node) {
	if n == nil || n.Kind != Map {
		return nil, nil
	}
	fields := n.Fields()
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].Key.Value == key {
			return fields[i].Key, fields[i].Value
		}
	}
	return nil, nil
}

// Plain returns the value as the API server would decode it from JSON: maps
// with string keys, slices, strings, booleans, int64, float64 and nil.
func (n *Node) Plain() any {
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Fields()))
		// Of a key that is there twice the last one counts.
		for _, f := range n.Fields() {
			m[f.Key.Value] = f.Value.Plain()
		}
		return m
	case List:
		list := make([]any, len(n.Items()))
		for i, item := range n.Items() {
			list[i] = item.Plain()
		}
		return list
	case Bool:
		return n.Truth
	case Int:
		if i, ok := (&Place{Node: n}).Int(); ok {
			return i
		}
		return n.Value
	case Float:
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
		return n.Value
	case Null:
		return nil
	}
	return n.Value
}
