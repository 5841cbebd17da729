package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func chartFiles(template, values string) []File {
	return []File{
		{Path: "deploy/web/Chart.yaml", Content: []byte("apiVersion: v2\nname: web\nversion: 1.0.0\n")},
		{Path: "deploy/web/values.yaml", Content: []byte(values)},
		{Path: "deploy/web/templates/_helpers.tpl", Content: []byte("{{ define \"web.sc\" }}privileged: true{{ end }}")},
		{Path: "deploy/web/templates/pod.yaml", Content: []byte(template)},
		{Path: "k8s/plain.yaml", Content: []byte(pod("hostPID: true"))},
	}
}

// places returns the places of a rule's findings.
func places(result Result, id string) []string {
	var got []string
	for _, f := range result.Findings {
		if f.RuleID != id {
			continue
		}
		text := ""
		for _, l := range f.Locations {
			text += fmt.Sprintf("%s:%d:%d ", l.Path, l.Line, l.Column)
		}
		got = append(got, text[:len(text)-1])
	}
	return got
}

const chartTemplate = `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  hostPID: {{ .Values.pod.hostPID }}
  {{- if .Values.ipc }}
  hostIPC: true
  {{- end }}
  containers:
    - name: web
      image: {{ .Values.image }}
      securityContext:
        {{- include "web.sc" . | nindent 8 }}
`

func TestFindingsInChartsPointIntoTemplatesAndValues(t *testing.T) {
	files := chartFiles(chartTemplate, "# values\npod:\n  hostPID: true\nimage: registry.example/web:1\nipc: false\n")
	result := Lint(context.Background(), files, Options{})
	checkResult(t, result)
	for id, want := range map[string][]string{
		"k8s-host-pid":          {"deploy/web/templates/pod.yaml:7:3 deploy/web/values.yaml:3:3", "k8s/plain.yaml:7:3"},
		"k8s-host-ipc":          nil,
		"k8s-privileged":        {"deploy/web/templates/pod.yaml:15:9"},
		"k8s-default-namespace": nil,
		"k8s-unreadable":        nil,
	} {
		if diff := cmp.Diff(want, places(result, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	if len(result.Images) != 2 || result.Images[0].Location.Path != "deploy/web/templates/pod.yaml" || result.Images[0].Location.Line != 13 || result.Images[0].Reference != "registry.example/web:1" {
		t.Errorf("images: %+v", result.Images)
	}
}

func TestChartsAreRenderedWithGivenValues(t *testing.T) {
	files := chartFiles(chartTemplate, "pod: {hostPID: true}\nimage: a:1\n")
	result := Lint(context.Background(), files, Options{Helm: []HelmSettings{{
		Chart: "deploy/web", Values: []File{{Path: "prod.yaml", Content: []byte("ipc: true\n")}}, Set: []string{"pod.hostPID=false"},
	}}})
	if diff := cmp.Diff([]string{"deploy/web/templates/pod.yaml:9:3 prod.yaml:1:1"}, places(result, "k8s-host-ipc")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := places(result, "k8s-host-pid"); len(got) != 1 {
		t.Errorf("k8s-host-pid at %v, want only in the plain manifest", got)
	}
}

func TestATemplateThatDoesNotRenderIsAFinding(t *testing.T) {
	files := chartFiles("a: 1\nb: {{ required \"a name, please\" .Values.name }}\n", "x: 1\n")
	result := Lint(context.Background(), files, Options{})
	if diff := cmp.Diff([]string{"deploy/web/templates/pod.yaml:2:0"}, places(result, "k8s-unreadable")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if result.Unreadable != 1 || result.Objects != 1 {
		t.Errorf("unreadable %d, objects %d", result.Unreadable, result.Objects)
	}
}

func TestIgnoresWorkInTemplates(t *testing.T) {
	files := chartFiles("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  # portcullis:ignore k8s-host-pid reason=agent\n  hostPID: {{ .Values.on }}\n  containers: [{name: a}]\n", "\"on\": true\n")
	for _, f := range Lint(context.Background(), files, Options{}).Findings {
		if f.RuleID == "k8s-host-pid" && f.Locations[0].Path != "k8s/plain.yaml" && f.Status != "waived" {
			t.Errorf("%+v is not waived", f.Locations)
		}
	}
}

func TestPlainObjectsAreKeptWhereAskedFor(t *testing.T) {
	files := chartFiles(chartTemplate, "pod: {hostPID: yes}\nimage: a:1\n")
	files = append(files, File{Path: "list.yaml", Content: []byte("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, data: {n: 1, f: 0.5, b: on, s: \"on\", e: null, l: [a]}}\n")})
	result := Lint(context.Background(), files, Options{KeepObjects: true})
	var got []string
	for _, o := range result.Plain {
		got = append(got, fmt.Sprintf("%s:%d %v", o.Location.Path, o.Location.Line, o.Value["kind"]))
	}
	want := []string{"deploy/web/templates/pod.yaml:1 Pod", "k8s/plain.yaml:1 Pod", "list.yaml:4 ConfigMap"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	data := map[string]any{"n": int64(1), "f": 0.5, "b": true, "s": "on", "e": nil, "l": []any{"a"}}
	// The key n is a boolean to YAML 1.1, and so to the API server.
	data["false"] = data["n"]
	delete(data, "n")
	if diff := cmp.Diff(data, result.Plain[2].Value["data"]); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if Lint(context.Background(), files, Options{}).Plain != nil {
		t.Error("objects are kept although nobody asked")
	}
}

func TestValuesThatTheirChartRefusesAreReportedInTheValuesFile(t *testing.T) {
	const schema = `{"properties": {"tag": {"type": "string"}, "ports": {"items": {"type": "integer"}}, "pod": {"required": ["name"]}}}`
	const redis = `{"properties": {"port": {"type": "integer"}, "host": {"type": "string"}}}`
	files := append(chartFiles(chartTemplate, "# values\ntag:\n  name: web\npod:\n  hostPID: true\nports: [80,\n  http]\nredis:\n  port: x\n"),
		File{Path: "deploy/web/values.schema.json", Content: []byte(schema)},
		File{Path: "deploy/web/charts/redis/Chart.yaml", Content: []byte("apiVersion: v2\nname: redis\nversion: 1.0.0\n")},
		File{Path: "deploy/web/charts/redis/values.yaml", Content: []byte("port: 1\nhost: 5\n")},
		File{Path: "deploy/web/charts/redis/values.schema.json", Content: []byte(redis)})
	settings := []HelmSettings{{Chart: "deploy/web", Values: []File{{Path: "prod.yaml", Content: []byte("tag: [a]\n")}}}}
	result := Lint(context.Background(), files, Options{Helm: settings})
	checkResult(t, result)
	want := []string{
		"deploy/web/charts/redis/values.yaml:2:1 deploy/web/charts/redis/values.schema.json:1:0",
		"deploy/web/values.yaml:4:1 deploy/web/values.schema.json:1:0",
		"deploy/web/values.yaml:7:3 deploy/web/values.schema.json:1:0",
		"deploy/web/values.yaml:9:3 deploy/web/charts/redis/values.schema.json:1:0",
		"prod.yaml:1:1 deploy/web/values.schema.json:1:0",
	}
	got := places(result, "k8s-schema")
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if result.Unreadable != 0 {
		t.Errorf("%d unreadable: the templates are rendered all the same", result.Unreadable)
	}
	if off := Lint(context.Background(), files, Options{Helm: settings, Disable: []string{"k8s-schema"}}); len(places(off, "k8s-schema")) != 0 {
		t.Error("the rule cannot be switched off")
	}
}

func TestFilesThatAChartIgnoresAreNotLinted(t *testing.T) {
	files := append(chartFiles(chartTemplate, "pod: {hostPID: true}\n"), File{Path: "deploy/web/.helmignore", Content: []byte("pod.yaml\n")})
	result := Lint(context.Background(), files, Options{})
	checkResult(t, result)
	if got := places(result, "k8s-host-pid"); len(got) != 1 || got[0] != "k8s/plain.yaml:7:3" {
		t.Errorf("got %v", got)
	}
	if !Wanted("deploy/web/.helmignore") || result.Unreadable != 0 {
		t.Errorf("the file of ignored files is not asked for, or read as a manifest: %d", result.Unreadable)
	}
}

func TestTemplatesOfAnyNameAreExamined(t *testing.T) {
	files := append(chartFiles("{{/* nothing */}}", ""),
		File{Path: "deploy/web/templates/agent.yaml.gotmpl", Content: []byte(pod("hostPID: {{ true }}"))},
		File{Path: "deploy/web/templates/words.txt", Content: []byte("Words: for people\nand: [not for the cluster\n")},
		File{Path: "deploy/web/templates/README.md", Content: []byte("# Title\n\n* one\n* two\n")},
		File{Path: "deploy/web/templates/NOTES.txt", Content: []byte(pod("hostPID: true"))})
	result := Lint(context.Background(), files, Options{})
	checkResult(t, result)
	if diff := cmp.Diff([]string{"k8s/plain.yaml:7:3", "deploy/web/templates/agent.yaml.gotmpl:7:3"}, places(result, "k8s-host-pid")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := places(result, "k8s-unreadable"); len(got) > 0 || result.Unreadable > 0 {
		t.Errorf("what is no manifest is reported: %v", got)
	}
}

func TestOnlyTemplatesOfChartsAreWantedUnderAnyName(t *testing.T) {
	names := []string{
		"web/Chart.yaml", "web/templates/a.gotmpl", "web/templates/deep/b", "web/charts/sub/Chart.yaml", "web/charts/sub/templates/c.conf.tmpl",
		"web/files/d.sh", "site/templates/e.html", "site/templates/f.yaml", "templates/g.html", "web/templates.html",
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !Wanted(name) })
	want := []string{"web/Chart.yaml", "web/templates/a.gotmpl", "web/templates/deep/b", "web/charts/sub/Chart.yaml", "web/charts/sub/templates/c.conf.tmpl", "site/templates/f.yaml"}
	if diff := cmp.Diff(want, WithoutForeign(names)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Chart.yaml", "templates/a.html"}, WithoutForeign([]string{"Chart.yaml", "templates/a.html"})); diff != "" {
		t.Errorf("a chart at the top (-want +got):\n%s", diff)
	}
}

func TestAMissingDependencyIsSaidWhereItIsNamed(t *testing.T) {
	files := chartFiles("{{/* nothing */}}", "")
	files[0].Content = []byte(string(files[0].Content) + "dependencies:\n  - name: redis\n    version: 1.x\n  - name: mail\n")
	result := Lint(context.Background(), files, Options{})
	checkResult(t, result)
	if diff := cmp.Diff([]string{"deploy/web/Chart.yaml:5:0", "deploy/web/Chart.yaml:7:0"}, places(result, "k8s-unreadable")); diff != "" || result.Unreadable != 2 {
		t.Errorf("%d unreadable (-want +got):\n%s", result.Unreadable, diff)
	}
	for _, f := range result.Findings {
		if f.RuleID == "k8s-unreadable" && !strings.HasPrefix(f.Message, "The chart web depends on ") {
			t.Errorf("message %q", f.Message)
		}
	}
}
