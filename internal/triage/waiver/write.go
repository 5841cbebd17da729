package waiver

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// placeholder stands where a person has to write something. Decode takes no
// entry that still holds it.
const placeholder = "TODO"

// Write writes waivers as a waiver file. Required values that are missing are
// written as TODO, which Decode refuses until somebody fills them in.
func Write(w io.Writer, waivers []Waiver) error {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, entry := range waivers {
		list.Content = append(list.Content, entry.node())
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		scalar("version"),
		{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(Version)},
		scalar("waivers"), list,
	}}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return fmt.Errorf("write waivers: %w", err)
	}
	return enc.Close()
}

// node is the entry with its keys in their usual order.
func (w Waiver) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	add := func(key string, value *yaml.Node) { n.Content = append(n.Content, scalar(key), value) }
	for _, f := range []struct {
		key, value string
		required   bool
	}{
		{"id", w.ID, true},
		{"package", w.Package, false},
		{"versions", w.Versions, false},
		{"path", w.Path, false},
		{"image", w.Image, false},
		{"object", w.Object, false},
		{"owner", w.Owner, true},
		{"reason", w.Reason, true},
	} {
		switch {
		case f.value != "":
			add(f.key, scalar(f.value))
		case f.required:
			add(f.key, scalar(placeholder))
		}
	}
	add("created", day(w.Created))
	add("expires", day(w.Expires))
	return n
}

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func day(t time.Time) *yaml.Node {
	if t.IsZero() {
		return scalar(placeholder)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: t.Format(time.DateOnly)}
}
