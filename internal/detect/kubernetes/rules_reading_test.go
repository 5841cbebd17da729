package kubernetes

var readingCases = map[string][]ruleCase{
	"k8s-unreadable": {
		{"fires on a key that is there twice", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  ➤name: b\n"},
		{"fires on an object of a list without a kind", "apiVersion: v1\nkind: List\nitems:\n  - ➤metadata: {name: a}\n"},
		{"fires on a kind without an apiVersion", "➤kind: Pod\nmetadata: {name: a}\n"},
		{"fires on an apiVersion without a kind", "➤apiVersion: v1\nmetadata: {name: a}\n"},
		{"is silent about YAML that is no manifest", "services:\n  web: {image: nginx}\n"},
		{"is silent about an empty file", ""},
		{"is silent about a file with only comments", "# nothing\n---\n# here\n"},
		{"is silent about a template of another tool", "{% for host in hosts %}\n- name: {{ host }}\n{% endfor %}\n"},
		{"is silent about two keys that differ", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  Name: b\n"},
	},
}
