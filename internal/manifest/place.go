package manifest

import (
	"strconv"
	"strings"
)

// Place is a value that a rule looks at, there or not: a missing field knows
// where it would have to be written. Places are made by going down from an
// object with At, Items and Fields.
type Place struct {
	// Key is the key under which the value stands; nil for list items and
	// roots.
	Key *Node
	// Node is the value, nil when it is missing.
	Node *Node
	up   *Place
	step string
}

// NewPlace returns a place for a node at which paths begin.
func NewPlace(n *Node) *Place { return &Place{Node: n} }

// At goes down through maps by their keys. It never returns nil.
func (p *Place) At(keys ...string) *Place {
	for _, key := range keys {
		k, v := p.Node.find(key)
		p = &Place{Key: k, Node: v, up: p, step: key}
	}
	return p
}

// Exists reports whether the value is there and not null: the API server
// treats null as absent.
func (p *Place) Exists() bool { return p.Node != nil && p.Node.Kind != Null }

// Items returns the items of a list, and none for anything else.
func (p *Place) Items() []*Place {
	if p.Node == nil || p.Node.Kind != List {
		return nil
	}
	items := make([]*Place, len(p.Node.Items()))
	for i, n := range p.Node.Items() {
		items[i] = &Place{Node: n, up: p, step: "[" + itemName(p.step, n, i) + "]"}
	}
	return items
}

// Fields returns the entries of a map, and none for anything else.
func (p *Place) Fields() []*Place {
	if p.Node == nil || p.Node.Kind != Map {
		return nil
	}
	fields := make([]*Place, len(p.Node.Fields()))
	for i, f := range p.Node.Fields() {
		fields[i] = &Place{Key: f.Key, Node: f.Value, up: p, step: f.Key.Value}
	}
	return fields
}

// identifying are the fields by which Kubernetes tells the items of lists
// apart, so that a path survives a new item in front of the old ones.
var identifying = []string{"mountPath", "name", "containerPort", "host"}

// wordLists are lists of plain words, whose items name themselves. The items
// of other lists may be anything, a credential on a command line for one, and
// are known by their place alone: paths are shown to people.
var wordLists = map[string]bool{
	"add": true, "drop": true, "verbs": true, "resources": true, "apiGroups": true, "resourceNames": true, "supplementalGroups": true,
}

func itemName(list string, n *Node, index int) string {
	switch {
	case n.Kind == Map:
		for _, key := range identifying {
			if v := n.Get(key); v != nil && v.Value != "" && len(v.Value) <= 256 {
				return v.Value
			}
		}
	case wordLists[list] && n.Value != "" && len(n.Value) <= 64:
		return n.Value
	}
	return strconv.Itoa(index)
}

// Path names the place inside of its object without line numbers, such as
// spec.containers[web].securityContext.privileged.
func (p *Place) Path() string {
	var steps []string
	for at := p; at.up != nil; at = at.up {
		steps = append(steps, at.step)
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		if b.Len() > 0 && steps[i][0:min(1, len(steps[i]))] != "[" {
			b.WriteByte('.')
		}
		b.WriteString(steps[i])
	}
	return b.String()
}

// Name is the key or item by which the place is reached from its parent.
func (p *Place) Name() string { return strings.Trim(p.step, "[]") }

// Up returns the enclosing place, nil at the root.
func (p *Place) Up() *Place { return p.up }

// Text returns the text of a scalar, and "" for anything else or nothing.
func (p *Place) Text() string {
	if p.Node == nil || p.Node.Kind == Map || p.Node.Kind == List || p.Node.Kind == Null {
		return ""
	}
	return p.Node.Value
}

// True reports whether the value is the boolean true. Quoted, it is a string,
// which the API server refuses; it is taken at its word here so that a rule
// against it is not silent if something on the way removes the quotes.
func (p *Place) True() bool {
	if p.Node == nil {
		return false
	}
	return p.Node.Kind == Bool && p.Node.Truth || p.Node.Kind == String && booleans[p.Node.Value]
}

// False reports whether the value is the boolean false, and not a string.
func (p *Place) False() bool {
	return p.Node != nil && p.Node.Kind == Bool && !p.Node.Truth
}

// Int returns the value of an integer in any notation that YAML 1.1 knows.
func (p *Place) Int() (int64, bool) {
	if p.Node == nil || p.Node.Kind != Int {
		return 0, false
	}
	text := strings.ReplaceAll(p.Node.Value, "_", "")
	i, err := strconv.ParseInt(text, 0, 64)
	return i, err == nil
}

// Span is the piece of one line that shows the place: the key with its value
// if that is a scalar in the same line, the key alone before a map or list,
// the value alone for a list item. For a missing value it is the nearest
// enclosing key or item that is there.
func (p *Place) Span() Span {
	at := p
	for at.Node == nil && at.Key == nil && at.up != nil {
		at = at.up
	}
	switch {
	case at.Key != nil:
		span := at.Key.Span()
		if v := at.Node; v != nil && v.Kind != Map && v.Kind != List && v.Span().Line == span.Line && v.Span().EndColumn > span.EndColumn {
			span.EndColumn = v.Span().EndColumn
		}
		return span
	case at.Node == nil:
		return Span{Line: 1}
	case at.Node.Kind == Map && len(at.Node.Fields()) > 0:
		return firstLine(at.Node)
	default:
		return at.Node.Span()
	}
}

// firstLine is the span of a map's first field.
func firstLine(n *Node) Span {
	f := n.Fields()[0]
	return (&Place{Key: f.Key, Node: f.Value}).Span()
}
