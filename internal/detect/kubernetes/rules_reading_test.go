package kubernetes

import (
	"context"
	"strings"
	"testing"
)

var readingCases = map[string][]ruleCase{
	"k8s-unreadable": {
		{"fires on a key that is there twice", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  ➤name: b\n"},
		{"fires on an object of a list without a kind", "apiVersion: v1\nkind: List\nitems:\n  - ➤metadata: {name: a}\n"},
		{"fires on a kind without an apiVersion", "➤kind: Pod\nmetadata: {name: a}\n"},
		{"fires on an apiVersion without a kind", "➤apiVersion: v1\nmetadata: {name: a}\n"},
		{"fires on an apiVersion and a spec without a kind", "➤apiVersion: apps/v1\nspec: {replicas: 1}\n"},
		{"fires on a kind and a spec without an apiVersion", "➤kind: Deployment\nspec: {replicas: 1}\n"},
		{"fires on a kind whose metadata is written a level too high", "➤kind: Pod\nmetadata:\nname: a\n"},
		{"fires on a list without an apiVersion", "➤kind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"},
		{"fires on a key that is there twice in what lacks only a kind", "➤apiVersion: v1\nmetadata:\n  name: a\n  ➤name: b\n"},
		{"is silent about a chart repository's index", "apiVersion: v1\nentries:\n  web:\n    - {apiVersion: v2, name: web, version: 1.0.0, urls: [web-1.0.0.tgz]}\ngenerated: \"2026-01-01T00:00:00Z\"\n"},
		{"is silent about a Helm plugin", "---\nname: echo\nversion: 1.2.3\ntype: cli/v1\napiVersion: v1\nruntime: subprocess\nruntimeConfig: {command: echo}\n"},
		{"is silent about another tool's numbered apiVersion", "apiVersion: 1\nproviders:\n  - {name: dashboards, type: file, options: {path: /var/lib}}\n"},
		{"is silent about another tool's kind", "kind: pipeline\ntype: docker\nname: default\nsteps: [{name: test, image: golang}]\n"},
		{"is silent about a spec that is a file's name", "kind: module\nspec: module.spec\n"},
		{"is silent about a key that is there twice in what is no manifest", "services:\n  web: {image: nginx}\n  web: {image: httpd}\n"},
		{"is silent about a key that is there twice in another tool's file with an apiVersion", "apiVersion: v1\nname: echo\nname: echo\n"},
		{"is silent about YAML that is no manifest", "services:\n  web: {image: nginx}\n"},
		{"is silent about an empty file", ""},
		{"is silent about a file with only comments", "# nothing\n---\n# here\n"},
		{"is silent about a template of another tool", "{% for host in hosts %}\n- name: {{ host }}\n{% endfor %}\n"},
		{"is silent about two keys that differ", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  Name: b\n"},
	},
}

func TestATemplateThatIsNoYAMLIsCalledOne(t *testing.T) {
	for text, want := range map[string]bool{
		"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Name }}\n":              true,
		"apiVersion: v1\nkind: Pod\n{{- if .A }}\nmetadata: {name: a}\n{{- end }}": true,
		"apiVersion: v1\nkind: Pod\nmetadata: [\n":                                 false,
	} {
		result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, Options{})
		if len(result.Findings) != 1 || strings.Contains(result.Findings[0].Message, "template expressions") != want {
			t.Errorf("%q: %+v", text, result.Findings)
		}
	}
}
