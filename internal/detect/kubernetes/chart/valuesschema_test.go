package chart

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// refusals renders a chart with a schema and returns what that refuses, as
// "keys: message".
func refusals(t *testing.T, s Settings, pairs ...string) []string {
	t.Helper()
	_, problems := render(t, s, pairs...)
	var got []string
	for _, p := range problems {
		if p.Refusal == nil {
			t.Fatalf("problem: %+v", p)
		}
		got = append(got, strings.Join(p.Refusal.Keys, ".")+": "+p.Refusal.Message)
	}
	return got
}

func TestValuesAreHeldAgainstTheSchemaOfTheChart(t *testing.T) {
	const schema = `{
		"$schema": "https://json-schema.org/draft-07/schema#", "type": "object", "required": ["image"],
		"properties": {
			"image": {"type": "object", "required": ["tag"], "additionalProperties": false,
				"properties": {"tag": {"type": "string", "pattern": "^[0-9.]+$"}, "pull": {"enum": ["Always", "IfNotPresent"]}}},
			"replicas": {"type": "integer", "minimum": 1},
			"ports": {"type": "array", "items": {"$ref": "#/definitions/port"}},
			"size": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "Gi$"}]}
		},
		"definitions": {"port": {"type": "integer", "maximum": 65535}}
	}`
	for name, tt := range map[string]struct {
		values string
		want   []string
	}{
		"all well":         {"image: {tag: \"1.2\", pull: Always}\nreplicas: 2\nports: [80]\nsize: 1Gi\n", nil},
		"values of others": {"image: {tag: \"1.2\"}\nmore: {a: 1}\n", nil},
		"nothing":          {"{}", []string{": the schema of the chart requires image here"}},
		"a wrong type":     {"image: {tag: 1.2}", []string{"image.tag: the schema of the chart wants string here, and this is number"}},
		"a wrong text":     {"image: {tag: latest}", []string{"image.tag: the schema of the chart wants a value that matches ^[0-9.]+$ here"}},
		"a misspelt name":  {"image: {tag: \"1\", pul: Always}", []string{"image.pul: the schema of the chart knows no value of this name"}},
		"another word":     {"image: {tag: \"1\", pull: Never}", []string{"image.pull: the schema of the chart allows only Always, IfNotPresent here"}},
		"an item":          {"image: {tag: \"1\"}\nports: [80, 70000]", []string{"ports.1: this breaks what the schema of the chart demands with maximum"}},
		"no form of it":    {"image: {tag: \"1\"}\nsize: 1Mi", []string{"size: this does not have one of the forms that the schema of the chart allows here"}},
		"a number of them": {"image: {}\nreplicas: 0", []string{
			"image: the schema of the chart requires tag here", "replicas: this breaks what the schema of the chart demands with minimum",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(t, Settings{}, "values.yaml", tt.values, "values.schema.json", schema, "templates/a.yaml", "a: 1")
			if strings.Join(got, "|") != strings.Join(tt.want, "|") && strings.Join(reversed(got), "|") != strings.Join(tt.want, "|") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := refusals(t, Settings{Set: []string{"replicas=0"}}, "values.yaml", "image: {tag: \"1\"}", "values.schema.json", schema); len(got) != 1 {
		t.Errorf("with a value of the command line: %q", got)
	}
}

func reversed(list []string) []string {
	var out []string
	for _, s := range list {
		out = append([]string{s}, out...)
	}
	return out
}

func TestValuesOfSubchartsAreHeldAgainstTheirSchemas(t *testing.T) {
	got := refusals(t, Settings{},
		"Chart.yaml", description+"dependencies:\n  - {name: redis, alias: store}\n", "values.yaml", "store: {port: x}\n",
		"charts/redis/Chart.yaml", "name: redis\nversion: 1\n", "charts/redis/values.yaml", "port: 1\n",
		"charts/redis/values.schema.json", `{"properties": {"port": {"type": "integer"}, "global": {"type": "object"}}, "required": ["global"], "additionalProperties": false}`)
	if len(got) != 1 || got[0] != "store.port: the schema of the chart wants integer here, and this is string" {
		t.Errorf("got %q", got)
	}
}

func TestASchemaThatCannotBeUsedIsSaid(t *testing.T) {
	twice := `{"allOf": [{"$ref": "#/d/a"}, {"$ref": "#/d/a"}], "d": {"a": {"properties": {"x": {"$ref": "#"}}}}}`
	deep := strings.Repeat("{x: ", 60) + "1" + strings.Repeat("}", 60)
	for name, tt := range map[string]struct{ schema, values, want string }{
		"no JSON":          {"{", "a: 1", "it is no JSON"},
		"no schema":        {`{"type": 1}`, "a: 1", "it is no valid schema"},
		"a remote part":    {`{"$ref": "https://example.com/a.json#/x"}`, "a: 1", "it refers to https://example.com/a.json, which is not loaded"},
		"a file":           {`{"$ref": "file:///etc/passwd"}`, "a: 1", "it refers to file:///etc/passwd, which is not loaded"},
		"doubling":         {twice, "x: " + deep, "it is applied to them too often"},
		"no end":           {`{"$ref": "#"}`, "a: 1", "it is applied to them too often"},
		"a broken pattern": {`{"properties": {"a": {"pattern": "("}}}`, "a: b", "it is no valid schema"},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(t, Settings{}, "values.yaml", tt.values, "values.schema.json", tt.schema)
			if len(got) != 1 || !strings.Contains(got[0], "the values are not checked against this schema: "+tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// FuzzValuesSchema changes schema and values. Whatever they are, a schema says
// the same inside of an allOf and the opposite inside of a not, and each refusal
// leads to a value or to where one is missing.
func FuzzValuesSchema(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"type": "object", "properties": {"a": {"type": "string"}}}`, "a: b"},
		{`{"properties": {"a": {"type": "integer", "maximum": 3}}, "required": ["a", "b"], "additionalProperties": false}`, "a: 4\nc: [1]"},
		{`{"allOf": [{"$ref": "#"}], "anyOf": [true, false], "not": {"enum": [1]}}`, "x: {y: 1}"},
		{`{"patternProperties": {"^a": {"items": {"pattern": "^x"}, "minItems": 2}}}`, "a: [y, {z: null}]"},
		{`{"items": {"$dynamicRef": "#x"}, "propertyNames": {"maxLength": 2}}`, "a: 2026-01-01\nlong: 1.5"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, schema, text []byte) {
		var values map[string]any
		if err := yaml.Unmarshal(text, &values); err != nil || values == nil {
			return
		}
		found, err := violations(schema, values)
		if err != nil {
			if len(found) > 0 {
				t.Errorf("%v, and yet %v", err, found)
			}
			return
		}
		for _, r := range found {
			if r.Message == "" || !leads(values, r.Own) {
				t.Errorf("refusal %+v of %v", r, values)
			}
		}
		if bytes.ContainsAny(schema, "$\\") || bytes.Contains(schema, []byte(`"id"`)) {
			return // References lead elsewhere from inside of another schema.
		}
		if all, err := violations(fmt.Appendf(nil, `{"allOf": [%s]}`, schema), values); err == nil && len(all) > 0 != (len(found) > 0) {
			t.Errorf("%v, and inside of an allOf %v", found, all)
		}
		if not, err := violations(fmt.Appendf(nil, `{"not": %s}`, schema), values); err == nil && len(not) > 0 == (len(found) > 0) {
			t.Errorf("%v, and inside of a not %v", found, not)
		}
	})
}

// leads reports whether keys lead to a value, or to one that is missing in a map
// or list that is there.
func leads(at any, keys []string) bool {
	for i, key := range keys {
		switch v := at.(type) {
		case map[string]any:
			next, there := v[key]
			if !there {
				return i == len(keys)-1
			}
			at = next
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n < 0 || n >= len(v) {
				return false
			}
			at = v[n]
		default:
			return false
		}
	}
	return true
}
