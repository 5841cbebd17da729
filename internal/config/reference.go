package config

import (
	"fmt"
	"strings"
)

// Reference returns the description of all keys in Markdown. It is made from
// the table of keys.
func Reference() string {
	var b strings.Builder
	describe(&b, "", topKeys())
	return b.String()
}

func describe(b *strings.Builder, prefix string, fields []field[Config]) {
	for _, f := range fields {
		path := prefix + f.name
		fmt.Fprintf(b, "### `%s`\n\n%s\n\n", path, f.doc)
		if f.fields != nil {
			describe(b, path+".", f.fields)
			continue
		}
		standard := "none"
		if v := f.show(Default()); v != nil {
			standard = "`" + flow(v) + "`"
		}
		fmt.Fprintf(b, "Default: %s.", standard)
		if f.example != "" {
			fmt.Fprintf(b, " Example: `%s: %s`", f.name, f.example)
		}
		b.WriteString("\n\n")
	}
}

// Starter returns a file to begin with: every key with its meaning, set to its
// default or, where that is nothing, as an example in a comment. It decodes to
// the defaults.
func Starter() []byte {
	var b strings.Builder
	b.WriteString("# yaml-language-server: $schema=" + SchemaID + "\n")
	b.WriteString("# What Portcullis demands, and how it looks. Everything here is the default;\n")
	b.WriteString("# lines behind a # are examples. `portcullis config show` prints what holds.\n")
	start(&b, "", topKeys())
	return []byte(b.String())
}

func start(b *strings.Builder, indent string, fields []field[Config]) {
	for _, f := range fields {
		if indent == "" {
			b.WriteString("\n")
		}
		for _, line := range wrap(plainText(f.doc), 76-len(indent)) {
			b.WriteString(indent + "# " + line + "\n")
		}
		if f.fields != nil {
			b.WriteString(f.name + ":\n")
			start(b, indent+"  ", f.fields)
			continue
		}
		if v := f.show(Default()); v != nil {
			fmt.Fprintf(b, "%s%s: %s\n", indent, f.name, flow(v))
			continue
		}
		fmt.Fprintf(b, "%s# %s: %s\n", indent, f.name, f.example)
	}
}

// wrap breaks a text into lines of at most the given width, where its words
// allow it.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
