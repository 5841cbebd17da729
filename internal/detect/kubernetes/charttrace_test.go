package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// workload is a template around the pod that a case writes.
const workload = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
`

// tracedCase is a template, the values of its chart, and where the findings of
// a rule have to lead: each the places in values files, with = for a value
// that was written, + for one because of which something is there, - for one
// because of which it is missing, and the flags that decide.
type tracedCase struct {
	name     string
	values   string
	template string
	partials string
	rule     string
	want     []string
	opts     HelmSettings
	// whole is true where the template is not put into a workload.
	whole bool
	more  []File
}

func (c tracedCase) run(t *testing.T) {
	t.Helper()
	template := workload + c.template
	if c.whole {
		template = c.template
	}
	files := append([]File{
		{Path: "web/Chart.yaml", Content: []byte("apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: \"2.1\"\n")},
		{Path: "web/values.yaml", Content: []byte(c.values)},
		{Path: "web/templates/deployment.yaml", Content: []byte(template)},
		{Path: "web/templates/_helpers.tpl", Content: []byte(c.partials)},
	}, c.more...)
	c.opts.Chart = "web"
	result := Lint(context.Background(), files, Options{Helm: []HelmSettings{c.opts}, Enable: []string{"reliability"}})
	checkResult(t, result)
	var got []string
	for _, f := range result.Findings {
		if f.RuleID == "k8s-unreadable" {
			t.Errorf("%s: %s", f.Locations[0].Path, f.Message)
		}
		if f.RuleID != c.rule {
			continue
		}
		var places []string
		for _, at := range f.Locations[1:] {
			if mark, ok := map[string]string{
				"the value comes from here": "=", "it is there because of this value": "+", "it is missing because of this value": "-",
			}[at.Note]; ok {
				places = append(places, fmt.Sprintf("%s%s:%d:%d", mark, strings.TrimPrefix(at.Path, "web/"), at.Line, at.Column))
			}
		}
		for _, fact := range f.Evidence {
			if strings.HasPrefix(fact.Value, "--set") {
				places = append(places, fact.Value)
			}
		}
		got = append(got, strings.Join(places, " "))
	}
	if diff := cmp.Diff(c.want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", c.rule, diff)
	}
}

// containers is the start of a pod with one container.
const oneContainer = "      containers:\n        - name: web\n          image: registry.example/web:1\n"

// The shapes are those in which charts that people use write their workloads.
func TestValuesAreFoundInTheShapesOfPopularCharts(t *testing.T) {
	const sc = "resources: {}\nsecurityContext:\n  runAsUser: 0\n  privileged: true\n"
	for _, tt := range []tracedCase{
		{
			name: "a list of containers, each written field by field", rule: "k8s-privileged",
			values:   "containers:\n  - name: a\n    privileged: false\n  - name: b\n    privileged: true\n",
			template: "      containers:\n      {{- range .Values.containers }}\n        - name: {{ .name }}\n          image: registry.example/web:1\n          securityContext:\n            privileged: {{ .privileged }}\n      {{- end }}\n",
			want:     []string{"=values.yaml:5:5"},
		},
		{
			name: "a map of containers with its keys as names", rule: "k8s-privileged",
			values:   "containers:\n  a: {securityContext: {privileged: false}}\n  b:\n    securityContext:\n      privileged: true\n",
			template: "      containers:\n      {{- range $name, $c := .Values.containers }}\n        - name: {{ $name }}\n          image: registry.example/web:1\n          securityContext:\n            {{- toYaml $c.securityContext | nindent 12 }}\n      {{- end }}\n",
			want:     []string{"=values.yaml:5:7"},
		},
		{
			name: "a literal field in each round of a loop", rule: "k8s-privileged",
			values:   "agents:\n  - name: a\n  - name: b\n",
			template: "      containers:\n      {{- range .Values.agents }}\n        - name: {{ .name }}\n          image: registry.example/web:1\n          securityContext: {privileged: true}\n      {{- end }}\n",
			want:     []string{"+values.yaml:2:5", "+values.yaml:3:5"},
		},
		{
			name: "loops in loops", rule: "k8s-secret-env-literal",
			values:   "groups:\n  - env:\n      - {name: A, value: x}\n  - env:\n      - {name: DB_PASSWORD, value: hunter2-Zx81}\n",
			template: "      containers:\n        - name: web\n          image: registry.example/web:1\n          env:\n          {{- range .Values.groups }}\n          {{- range .env }}\n            - name: {{ .name }}\n              value: {{ .value | quote }}\n          {{- end }}\n          {{- end }}\n",
			want:     []string{"=values.yaml:5:29"},
		},
		{
			name: "a map of environment variables", rule: "k8s-secret-env-literal",
			values:   "env:\n  MODE: fast\n  DB_PASSWORD: hunter2-Zx81\n",
			template: oneContainer + "          env:\n          {{- range $key, $value := .Values.env }}\n            - name: {{ $key }}\n              value: {{ $value | quote }}\n          {{- end }}\n",
			want:     []string{"=values.yaml:3:3"},
		},
		{
			name: "a variable for a part of the values", rule: "k8s-host-pid",
			values:   "pod:\n  host:\n    pid: true\n",
			template: "      {{- $host := .Values.pod.host }}\n      hostPID: {{ $host.pid }}\n" + oneContainer,
			want:     []string{"=values.yaml:3:5"},
		},
		{
			name: "a variable that a condition sets", rule: "k8s-host-pid",
			values:   "debug:\n  pid: true\n",
			template: "      {{- $pid := false }}\n      {{- if .Values.debug }}\n      {{- $pid = .Values.debug.pid }}\n      {{- end }}\n      hostPID: {{ $pid }}\n" + oneContainer,
			want:     []string{"=values.yaml:2:3"},
		},
		{
			name: "a default over a value that is there", rule: "k8s-host-pid",
			values: "pid: true\n", template: "      hostPID: {{ .Values.pid | default false }}\n" + oneContainer,
			want: []string{"=values.yaml:1:1"},
		},
		{
			name: "a default out of the values", rule: "k8s-image-latest",
			values:   "image:\n  repository: registry.example/web\n  tag: \"\"\nglobal:\n  tag: latest\n",
			template: "      containers:\n        - name: web\n          image: \"{{ .Values.image.repository }}:{{ default .Values.global.tag .Values.image.tag }}\"\n",
			want:     []string{"=values.yaml:2:3 =values.yaml:5:3"},
		},
		{
			name: "an empty value because of which the default is taken", rule: "k8s-image-latest",
			values:   "image:\n  tag: \"\"\n",
			template: "      containers:\n        - name: web\n          image: \"registry.example/web:{{ .Values.image.tag | default \"latest\" }}\"\n",
			want:     []string{"=values.yaml:2:3"},
		},
		{
			name: "the first of several values", rule: "k8s-host-network",
			values:   "a: false\nnet:\n  host: true\nlast: true\n",
			template: "      hostNetwork: {{ coalesce .Values.a .Values.net.host .Values.last }}\n" + oneContainer,
			want:     []string{"=values.yaml:3:3"},
		},
		{
			name: "one of two values by a third", rule: "k8s-host-network",
			values:   "production: true\nnet: {prod: true, dev: false}\n",
			template: "      hostNetwork: {{ ternary .Values.net.prod .Values.net.dev .Values.production }}\n" + oneContainer,
			want:     []string{"=values.yaml:2:7 =values.yaml:1:1"},
		},
		{
			name: "YAML of a map under a key of the template", rule: "k8s-privileged",
			values: sc, template: oneContainer + "          securityContext:\n            {{- toYaml .Values.securityContext | nindent 12 }}\n",
			want: []string{"=values.yaml:4:3"},
		},
		{
			name: "what is missing in YAML of a map", rule: "k8s-read-only-root-fs",
			values: sc, template: oneContainer + "          securityContext:\n            {{- toYaml .Values.securityContext | nindent 12 }}\n",
			want: []string{"=values.yaml:2:1"},
		},
		{
			name: "an item deep in YAML of a map", rule: "k8s-caps-dangerous",
			values:   "securityContext:\n  capabilities:\n    drop: [ALL]\n    add:\n      - NET_BIND_SERVICE\n      - SYS_ADMIN\n",
			template: oneContainer + "          securityContext:\n{{ toYaml .Values.securityContext | indent 12 }}\n",
			want:     []string{"=values.yaml:6:9"},
		},
		{
			name: "a with and the dot", rule: "k8s-privileged",
			values: sc, template: oneContainer + "          {{- with .Values.securityContext }}\n          securityContext:\n            {{- toYaml . | nindent 12 }}\n          {{- end }}\n",
			want: []string{"=values.yaml:4:3"},
		},
		{
			name: "a map without the switch in it", rule: "k8s-privileged",
			values:   "containerSecurityContext:\n  enabled: true\n  privileged: true\n",
			template: oneContainer + "          {{- if .Values.containerSecurityContext.enabled }}\n          securityContext: {{- omit .Values.containerSecurityContext \"enabled\" | toYaml | nindent 12 }}\n          {{- end }}\n",
			want:     []string{"=values.yaml:3:3 +values.yaml:2:3"},
		},
		{
			name: "a switch that is off", rule: "k8s-read-only-root-fs",
			values:   "containerSecurityContext:\n  enabled: false\n  readOnlyRootFilesystem: true\n",
			template: oneContainer + "          {{- if .Values.containerSecurityContext.enabled }}\n          securityContext: {{- omit .Values.containerSecurityContext \"enabled\" | toYaml | nindent 12 }}\n          {{- end }}\n",
			want:     []string{"-values.yaml:2:3"},
		},
		{
			name: "a field that a condition writes", rule: "k8s-host-pid",
			values: "features:\n  profiling: true\n", template: "      {{- if .Values.features.profiling }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			want: []string{"+values.yaml:2:3"},
		},
		{
			name: "a field that a template would write if a value were set", rule: "k8s-read-only-root-fs",
			values:   "locked: false\n",
			template: oneContainer + "          {{- if .Values.locked }}\n          {{- include \"web.locked\" . | nindent 10 }}\n          {{- end }}\n",
			partials: "{{- define \"web.locked\" -}}\nsecurityContext:\n  readOnlyRootFilesystem: true\n{{- end -}}\n",
			want:     []string{"-values.yaml:1:1"},
		},
		{
			name: "a field that a template leaves out", rule: "k8s-read-only-root-fs",
			values:   "locked: false\n",
			template: oneContainer + "          securityContext:\n            {{- include \"web.sc\" . | nindent 12 }}\n",
			partials: "{{- define \"web.sc\" -}}\nrunAsUser: 1\n{{- if .Values.locked }}\nreadOnlyRootFilesystem: true\n{{- end }}\n{{- end -}}\n",
			want:     []string{"-values.yaml:1:1"},
		},
		{
			name: "a field that the other branch writes", rule: "k8s-host-pid",
			values: "isolated: false\n", template: "      {{- if .Values.isolated }}\n      hostPID: false\n      {{- else }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			want: []string{"+values.yaml:1:1"},
		},
		{
			name: "a condition of two values", rule: "k8s-host-pid",
			values: "a: true\nb: {c: true}\n", template: "      {{- if and .Values.a .Values.b.c }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			want: []string{"+values.yaml:1:1 +values.yaml:2:5"},
		},
		{
			name: "the one value of two that a condition needs", rule: "k8s-host-pid",
			values: "a: false\nb: true\n", template: "      {{- if or .Values.a .Values.b }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			want: []string{"+values.yaml:2:1"},
		},
		{
			name: "a comparison", rule: "k8s-host-network",
			values: "net:\n  mode: host\n", template: "      {{- if eq .Values.net.mode \"host\" }}\n      hostNetwork: true\n      {{- end }}\n" + oneContainer,
			want: []string{"+values.yaml:2:3"},
		},
		{
			name: "a key that is not an identifier", rule: "k8s-host-pid",
			values: "pod:\n  host-pid: true\n", template: "      hostPID: {{ index .Values \"pod\" \"host-pid\" }}\n" + oneContainer,
			want: []string{"=values.yaml:2:3"},
		},
		{
			name: "an item of a list", rule: "k8s-host-pid",
			values: "pids: [false,\n  true]\n", template: "      hostPID: {{ index .Values.pids 1 }}\n" + oneContainer,
			want: []string{"=values.yaml:2:3"},
		},
		{
			name: "get and dig", rule: "k8s-host-ipc",
			values: "pod:\n  ipc:\n    host: true\n", template: "      hostIPC: {{ dig \"ipc\" \"host\" false (get .Values \"pod\") }}\n" + oneContainer,
			want: []string{"=values.yaml:3:5"},
		},
		{
			name: "defaults that are merged below a component's own", rule: "k8s-privileged",
			values:   "defaults:\n  privileged: true\n  runAsUser: 1\nworker:\n  runAsUser: 0\n",
			template: oneContainer + "          securityContext:\n            {{- merge (deepCopy .Values.worker) .Values.defaults | toYaml | nindent 12 }}\n",
			want:     []string{"=values.yaml:2:3"},
		},
		{
			name: "a component's own over the defaults", rule: "k8s-run-as-root-uid",
			values:   "defaults:\n  runAsUser: 1000\n  runAsNonRoot: false\nworker:\n  runAsUser: 0\n",
			template: oneContainer + "          securityContext:\n            {{- toYaml (mergeOverwrite (dict) .Values.defaults .Values.worker) | nindent 12 }}\n",
			want:     []string{"=values.yaml:5:3"},
		},
		{
			name: "a template for a part of the values", rule: "k8s-privileged",
			values:   "worker:\n  securityContext:\n    privileged: true\n",
			template: oneContainer + "          {{- include \"web.sc\" .Values.worker | nindent 10 }}\n",
			partials: "{{- define \"web.sc\" -}}\nsecurityContext:\n  {{- toYaml .securityContext | nindent 2 }}\n{{- end -}}\n",
			want:     []string{"=values.yaml:3:5"},
		},
		{
			name: "a template for a dict", rule: "k8s-privileged",
			values:   "worker:\n  privileged: true\n",
			template: oneContainer + "          {{- include \"web.sc\" (dict \"ctx\" $ \"sc\" .Values.worker \"name\" \"w\") | nindent 10 }}\n",
			partials: "{{- define \"web.sc\" -}}\nsecurityContext: # {{ .ctx.Release.Name }} {{ .name }}\n  privileged: {{ .sc.privileged }}\n{{- end -}}\n",
			want:     []string{"=values.yaml:2:3"},
		},
		{
			name: "a template in place", rule: "k8s-host-ipc",
			values: "ipc: true\n", template: "      {{- template \"web.ipc\" . }}\n" + oneContainer,
			partials: "{{- define \"web.ipc\" }}\n      hostIPC: {{ .Values.ipc }}\n{{- end -}}\n",
			want:     []string{"=values.yaml:1:1"},
		},
		{
			name: "an image out of its parts by a template of a library", rule: "k8s-image-latest",
			values:   "global:\n  imageRegistry: \"\"\nimage:\n  registry: registry.example\n  repository: web\n  tag: latest\n",
			template: "      containers:\n        - name: web\n          image: {{ include \"web.image\" (dict \"imageRoot\" .Values.image \"global\" .Values.global) }}\n",
			partials: "{{- define \"web.image\" -}}\n{{- $registry := .imageRoot.registry -}}\n{{- if .global.imageRegistry }}{{ $registry = .global.imageRegistry }}{{ end -}}\n{{- printf \"%s/%s:%s\" $registry .imageRoot.repository (.imageRoot.tag | toString) -}}\n{{- end -}}\n",
			want:     []string{"=values.yaml:4:3 =values.yaml:5:3 =values.yaml:6:3"},
		},
		{
			name: "YAML that is read again", rule: "k8s-privileged",
			values:   "sc:\n  privileged: true\n",
			template: oneContainer + "          {{- $sc := include \"web.sc\" . | fromYaml }}\n          securityContext:\n            privileged: {{ $sc.privileged }}\n",
			partials: "{{- define \"web.sc\" -}}\n{{ toYaml .Values.sc }}\n{{- end -}}\n",
			want:     []string{"=values.yaml:2:3"},
		},
		{
			name: "values that are templates", rule: "k8s-privileged",
			values:   "enabled: true\nsc:\n  privileged: \"{{ .Values.enabled }}\"\n  runAsUser: 1\n",
			template: oneContainer + "          securityContext:\n            privileged: {{ tpl .Values.sc.privileged $ }}\n",
			want:     []string{"=values.yaml:3:3 =values.yaml:1:1"},
		},
		{
			name: "extra containers as a text", rule: "k8s-privileged",
			values:   "sidecars: |\n  - name: side\n    image: registry.example/side:1\n    securityContext: {privileged: true}\n",
			template: oneContainer + "        {{- tpl .Values.sidecars . | nindent 8 }}\n",
			want:     []string{"=values.yaml:1:1"},
		},
		{
			name: "extra containers as a list that is a template", rule: "k8s-privileged",
			values:   "sidecars:\n  - name: \"{{ .Release.Name }}-side\"\n    image: registry.example/side:1\n    securityContext:\n      privileged: true\n",
			template: oneContainer + "        {{- include \"web.render\" (dict \"value\" .Values.sidecars \"context\" $) | nindent 8 }}\n",
			partials: "{{- define \"web.render\" -}}\n{{- $value := typeIs \"string\" .value | ternary .value (.value | toYaml) }}\n{{- if contains \"{{\" (toJson .value) }}\n{{- tpl $value .context }}\n{{- else }}\n{{- $value }}\n{{- end }}\n{{- end -}}\n",
			want:     []string{"=values.yaml:5:7"},
		},
		{
			name: "a condition in a template that gives a word", rule: "k8s-host-pid",
			values: "debug:\n  enabled: true\n", template: "      {{- if eq (include \"web.debug\" .) \"true\" }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			partials: "{{- define \"web.debug\" -}}\n{{- if .Values.debug.enabled }}true{{ else }}false{{ end -}}\n{{- end -}}\n",
			want:     []string{"+values.yaml:2:3"},
		},
		{
			name: "a field that is missing for want of a value in a loop's item", rule: "k8s-read-only-root-fs",
			values:   "containers:\n  - name: a\n    locked: true\n  - name: b\n    locked: false\n",
			template: "      containers:\n      {{- range .Values.containers }}\n        - name: {{ .name }}\n          image: registry.example/web:1\n          securityContext:\n            privileged: false\n            {{- if .locked }}\n            readOnlyRootFilesystem: true\n            {{- end }}\n      {{- end }}\n",
			want:     []string{"-values.yaml:5:5"},
		},
		{
			name: "a whole object that a value switches on", rule: "k8s-host-pid", whole: true,
			values:   "debugger:\n  create: true\n",
			template: "{{- if .Values.debugger.create }}\n" + workload + "      hostPID: true\n" + oneContainer + "{{- end }}\n",
			want:     []string{"+values.yaml:2:3"},
		},
		{
			name: "a map that templates change", rule: "k8s-privileged",
			values:   "base:\n  runAsUser: 1\nextra:\n  privileged: true\n",
			template: "      {{- $sc := deepCopy .Values.base }}\n      {{- $_ := set $sc \"privileged\" .Values.extra.privileged }}\n" + oneContainer + "          securityContext:\n            {{- toYaml $sc | nindent 12 }}\n",
			want:     []string{"=values.yaml:4:3"},
		},
		{
			name: "lists that are joined", rule: "k8s-privileged",
			values:   "own: []\nglobal:\n  sidecars:\n    - name: side\n      image: registry.example/side:1\n      securityContext: {privileged: true}\n",
			template: oneContainer + "        {{- toYaml (concat .Values.own .Values.global.sidecars) | nindent 8 }}\n",
			want:     []string{"=values.yaml:6:25"},
		},
		{
			name: "quotes, text and numbers", rule: "k8s-run-as-root-uid",
			values: "user:\n  id: 0\n", template: oneContainer + "          securityContext:\n            runAsUser: {{ .Values.user.id | int64 }}\n",
			want: []string{"=values.yaml:2:3"},
		},
	} {
		t.Run(tt.name, tt.run)
	}
}

// A wrong line is worse than none: these lead to the template alone.
func TestNoValuesAreNamedWhereNoneDecidesForCertain(t *testing.T) {
	for _, tt := range []tracedCase{
		{
			name: "a literal field beside values", rule: "k8s-host-pid",
			values: "pid: true\nimage: x\n", template: "      hostPID: true\n" + oneContainer + "          workingDir: {{ .Values.image }}\n",
			want: []string{""},
		},
		{
			name: "a field that nothing would write", rule: "k8s-read-only-root-fs",
			values: "probe: {enabled: false}\n", template: oneContainer + "          {{- if .Values.probe.enabled }}\n          livenessProbe: {exec: {command: [a]}}\n          {{- end }}\n",
			want: []string{""},
		},
		{
			name: "a condition that writes a field of this name elsewhere", rule: "k8s-read-only-root-fs",
			values: "extra: {enabled: false}\n", template: oneContainer + "      {{- if .Values.extra.enabled }}\n      securityContext: {runAsUser: 1}\n      {{- end }}\n",
			want: []string{""},
		},
		{
			name: "a condition that would add another container", rule: "k8s-read-only-root-fs",
			values: "agent: {enabled: false}\n", template: oneContainer + "        {{- if .Values.agent.enabled }}\n        - name: agent\n          image: registry.example/agent:1\n          securityContext: {readOnlyRootFilesystem: true}\n        {{- end }}\n",
			want: []string{""},
		},
		{
			name: "a condition that would add another container by a template", rule: "k8s-read-only-root-fs",
			values: "agent: {enabled: false}\n", template: oneContainer + "        {{- if .Values.agent.enabled }}\n        {{- include \"web.agent\" . | nindent 8 }}\n        {{- end }}\n",
			partials: "{{- define \"web.agent\" -}}\n- name: agent\n  image: registry.example/agent:1\n  securityContext: {readOnlyRootFilesystem: true}\n{{- end -}}\n",
			want:     []string{""},
		},
		{
			name: "what is there for want of a value", rule: "k8s-host-pid",
			values: "pod:\n  a: 1\n", template: "      {{- if not .Values.pod.isolated }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			want: []string{""},
		},
		{
			name: "the release and the chart", rule: "k8s-image-latest",
			values: "a: 1\n", template: "      containers:\n        - name: web\n          image: {{ .Release.Name }}/{{ .Chart.Name }}:latest\n",
			want: []string{""},
		},
		{
			name: "the cluster's version", rule: "k8s-host-pid",
			values: "a: 1\n", template: "      {{- if .Capabilities.APIVersions.Has \"apps/v1\" }}\n      hostPID: true\n      {{- end }}\n" + oneContainer,
			want: []string{""},
		},
		{
			name: "a default in place of a value that is nowhere", rule: "k8s-host-pid",
			values: "a: 1\n", template: "      hostPID: {{ .Values.pid | default true }}\n" + oneContainer,
			want: []string{""},
		},
		{
			name: "a value that templates have put over another", rule: "k8s-host-pid",
			values: "pod:\n  pid: false\n", template: "      {{- $_ := set .Values.pod \"pid\" true }}\n      hostPID: {{ .Values.pod.pid }}\n" + oneContainer,
			want: []string{""},
		},
		{
			name: "two maps that both have the entry", rule: "k8s-privileged",
			values:   "a: {privileged: true}\nb: {privileged: true}\n",
			template: oneContainer + "          {{- $both := list .Values.a .Values.b }}\n          {{- $one := dict }}\n          {{- range $both }}{{ $one = pick . \"privileged\" }}{{ end }}\n          securityContext:\n            privileged: {{ $one.privileged }}\n",
			want:     []string{"=values.yaml:2:5"},
		},
		{
			name: "equal items of a list that was sorted out", rule: "k8s-privileged",
			values:   "flags: [true, true]\n",
			template: oneContainer + "          securityContext:\n            privileged: {{ last (compact .Values.flags) }}\n",
			want:     []string{""},
		},
		{
			name: "more values than anybody would look at", rule: "k8s-image-latest",
			values: "a: registry.example\nb: x\nc: y\nd: z\ne: latest\n", template: "      containers:\n        - name: web\n          image: {{ .Values.a }}/{{ .Values.b }}/{{ .Values.c }}/{{ .Values.d }}:{{ .Values.e }}\n",
			want: []string{""},
		},
		{
			name: "all values in a checksum", rule: "k8s-host-pid",
			values: "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\n", template: "      hostPID: {{ if sha256sum (toYaml .Values) }}true{{ end }}\n" + oneContainer,
			want: []string{""},
		},
		{
			name: "a loop over a number", rule: "k8s-privileged",
			values: "a: 1\n", template: "      containers:\n        {{- range $i := until 2 }}\n        - name: web-{{ $i }}\n          image: registry.example/web:1\n          securityContext: {privileged: true}\n        {{- end }}\n",
			want: []string{"", ""},
		},
		{
			name: "an answer of the cluster", rule: "k8s-host-pid",
			values: "name: web\n", template: "      hostPID: {{ if not (lookup \"v1\" \"Secret\" \"default\" .Values.name) }}true{{ end }}\n" + oneContainer,
			want: []string{""},
		},
	} {
		t.Run(tt.name, tt.run)
	}
}

// What wins is what decides: --set over values files over those of the chart
// over those of its subcharts.
func TestValuesAreFoundInTheFileThatWins(t *testing.T) {
	given := func(pairs ...string) []File {
		var files []File
		for i := 0; i < len(pairs); i += 2 {
			files = append(files, File{Path: pairs[i], Content: []byte(pairs[i+1])})
		}
		return files
	}
	const sub = "apiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: shop}\nspec:\n  hostIPC: {{ .Values.pod.ipc }}\n  hostNetwork: {{ .Values.global.net }}\n  containers: [{name: db, image: registry.example/db:1}]\n"
	subchart := func(values string) []File {
		return given("web/charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n", "web/charts/db/values.yaml", values, "web/charts/db/templates/pod.yaml", sub)
	}
	pid := "      hostPID: {{ .Values.pod.pid }}\n" + oneContainer
	sc := oneContainer + "          securityContext:\n            {{- toYaml .Values.sc | nindent 12 }}\n"
	for _, tt := range []tracedCase{
		{
			name: "the last of several files", rule: "k8s-host-pid", values: "pod: {pid: false}\n", template: pid,
			opts: HelmSettings{Values: given("a.yaml", "pod: {pid: true}\n", "b.yaml", "pod:\n  pid: true\n", "c.yaml", "other: 1\n")}, want: []string{"=b.yaml:2:3"},
		},
		{
			name: "a flag", rule: "k8s-host-pid", values: "pod: {pid: false}\n", template: pid,
			opts: HelmSettings{Values: given("a.yaml", "pod: {pid: true}\n"), Set: []string{"x=1,pod.pid=true"}}, want: []string{"--set pod.pid"},
		},
		{
			name: "a flag for an entry of a map", rule: "k8s-privileged", values: "sc: {runAsUser: 1}\n", template: sc,
			opts: HelmSettings{Set: []string{"sc.privileged=true"}}, want: []string{"--set sc.privileged"},
		},
		{
			name: "a flag for another entry of the map", rule: "k8s-privileged", values: "sc:\n  privileged: true\n", template: sc,
			opts: HelmSettings{Set: []string{"sc.runAsUser=1"}}, want: []string{"=values.yaml:2:3"},
		},
		{
			name: "a flag for an item of a list", rule: "k8s-host-pid", values: "a: 1\n", template: "      hostPID: {{ index .Values.pids 1 }}\n" + oneContainer,
			opts: HelmSettings{Set: []string{"pids[1]=true"}}, want: []string{"--set pids.1"},
		},
		{
			name: "a map out of two files", rule: "k8s-privileged", values: "sc:\n  runAsUser: 1\n  privileged: true\n", template: sc,
			opts: HelmSettings{Values: given("a.yaml", "sc:\n  runAsUser: 2\n")}, want: []string{"=values.yaml:3:3"},
		},
		{
			name: "null that takes a default away", rule: "k8s-run-as-non-root", values: "sc:\n  runAsNonRoot: true\n  runAsUser: 1\n",
			template: oneContainer + "          {{- if .Values.sc.runAsNonRoot }}\n          securityContext:\n            runAsNonRoot: true\n          {{- end }}\n",
			opts:     HelmSettings{Values: given("a.yaml", "sc:\n  runAsNonRoot: null\n")}, want: []string{"-a.yaml:2:3"},
		},
		{
			name: "a subchart's own value", rule: "k8s-host-ipc", values: "a: 1\n", template: oneContainer, more: subchart("pod:\n  ipc: true\n"),
			want: []string{"=charts/db/values.yaml:2:3"},
		},
		{
			name: "its parent's value for it", rule: "k8s-host-ipc", values: "db:\n  pod:\n    ipc: true\n", template: oneContainer, more: subchart("pod:\n  ipc: false\n"),
			want: []string{"=values.yaml:3:5"},
		},
		{
			name: "a file's value for it", rule: "k8s-host-ipc", values: "db: {pod: {ipc: false}}\n", template: oneContainer, more: subchart("pod: {ipc: false}\n"),
			opts: HelmSettings{Values: given("a.yaml", "db: {pod: {ipc: true}}\n")}, want: []string{"=a.yaml:1:12"},
		},
		{
			name: "a flag's value for it", rule: "k8s-host-ipc", values: "a: 1\n", template: oneContainer, more: subchart("pod: {ipc: false}\n"),
			opts: HelmSettings{Set: []string{"db.pod.ipc=true"}}, want: []string{"--set db.pod.ipc"},
		},
		{
			name: "a global of the parent", rule: "k8s-host-network", values: "global:\n  net: true\n", template: oneContainer, more: subchart("pod: {}\nglobal: {net: false}\n"),
			want: []string{"=values.yaml:2:3"},
		},
		{
			name: "a global of the subchart alone", rule: "k8s-host-network", values: "global: {a: 1}\n", template: oneContainer, more: subchart("pod: {}\nglobal: {net: true}\n"),
			want: []string{"=charts/db/values.yaml:2:10"},
		},
		{
			name: "a global of a file", rule: "k8s-host-network", values: "global: {net: false}\n", template: oneContainer, more: subchart("pod: {}\n"),
			opts: HelmSettings{Values: given("a.yaml", "global:\n  net: true\n")}, want: []string{"=a.yaml:2:3"},
		},
		{
			name: "a value that the parent takes over", rule: "k8s-host-pid", values: "a: 1\n", template: "      hostPID: {{ .Values.debug.pid }}\n" + oneContainer,
			more: append(subchart("pod: {}\nexports:\n  data:\n    debug:\n      pid: true\n"), given("web/requirements.yaml", "dependencies:\n  - name: db\n    version: 1.0.0\n    import-values: [data]\n")...),
			want: []string{"=charts/db/values.yaml:5:7"},
		},
		{
			name: "an anchor in values", rule: "k8s-privileged", values: "base: &base\n  privileged: true\nsc:\n  <<: *base\n", template: sc,
			want: []string{"=values.yaml:2:3"},
		},
		{
			name: "values with a byte order mark and line ends of Windows", rule: "k8s-host-pid", values: "\ufeffa: 1\r\npod:\r\n  pid: true\r\n", template: pid,
			want: []string{"=values.yaml:3:3"},
		},
	} {
		t.Run(tt.name, tt.run)
	}
}
