package config

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
)

// SchemaID is the $id of the JSON Schema of the configuration file, and where
// editors find it.
const SchemaID = "https://raw.githubusercontent.com/portcullis-ci/portcullis/main/docs/schema/portcullis.schema.json"

// Schema returns the JSON Schema (draft 2020-12) of the configuration file,
// for editors. It is made from the table of keys.
func Schema() []byte {
	root := sectionSchema(topKeys())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "Portcullis configuration"
	root["$defs"] = schema{"settings": sectionSchema(keys())}
	// The values are plain maps, lists and texts: encoding cannot fail.
	out, _ := json.MarshalIndent(root, "", "  ")
	return append(out, '\n')
}

// sectionSchema describes a section, with the texts of its keys.
func sectionSchema[T any](fields []field[T]) schema {
	s := recordSchema(fields)
	// An empty section leaves the defaults.
	s["type"] = []string{"object", "null"}
	return s
}

// recordSchema describes a record of the given fields and no others.
func recordSchema[T any](fields []field[T]) schema {
	properties := schema{}
	var required []string
	for _, f := range fields {
		piece := maps.Clone(f.schema)
		if f.fields != nil {
			piece = sectionSchema(f.fields)
		}
		if f.doc != "" {
			piece["description"] = plainText(f.doc)
		}
		properties[f.name] = piece
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		s["required"] = required
	}
	return s
}

var link = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)

// plainText drops the marks of Markdown that editors show as they are.
func plainText(markdown string) string {
	markdown = link.ReplaceAllString(markdown, "$1")
	return strings.NewReplacer("`", "", "*inherited*", "inherited").Replace(markdown)
}
