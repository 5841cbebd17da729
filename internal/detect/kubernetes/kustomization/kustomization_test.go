package kustomization

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

func TestPathsAreShortenedStepByStep(t *testing.T) {
	var got []string
	for path := "spec.containers[a.b].env[X].value"; path != ""; path = shorten(path) {
		got = append(got, path)
	}
	want := []string{"spec.containers[a.b].env[X].value", "spec.containers[a.b].env[X]", "spec.containers[a.b].env", "spec.containers[a.b]", "spec.containers", "spec"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRemoteNamesAreRecognised(t *testing.T) {
	for _, name := range []string{"https://example.com/base", "github.com/org/repo//base?ref=v1", "git@example.com:org/repo", "ssh://git@example.com/repo", "../base?ref=v1"} {
		if !remote(name) {
			t.Errorf("%q is taken for a local name", name)
		}
	}
	for _, name := range []string{"../base", "pod.yaml", "github.com.yaml", "./a/b"} {
		if remote(name) {
			t.Errorf("%q is taken for a remote name", name)
		}
	}
}

func build(pairs ...string) Result {
	var files []manifest.File
	for i := 0; i < len(pairs); i += 2 {
		files = append(files, manifest.File{Path: pairs[i], Content: []byte(pairs[i+1])})
	}
	return Build(files)
}

func TestOnlyRootsAreBuilt(t *testing.T) {
	result := build(
		"base/kustomization.yml", "resources: [a.yaml]\n", "base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
		"over/Kustomization", "resources: [../base]\ncomponents: [../part]\nnameSuffix: -x\n",
		"part/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [b.yaml]\n", "part/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
		"else.yaml", "a: 1\n",
	)
	var built []string
	for _, b := range result.Built {
		file, span := b.Locate(manifest.Span{Line: 2, Column: 1, EndColumn: 16})
		built = append(built, b.Kustomization+" "+b.Name+" "+file)
		if span.Line == 0 {
			t.Errorf("%s has no place", b.Name)
		}
	}
	want := []string{"over/Kustomization ConfigMap/a-x base/a.yaml", "over/Kustomization ConfigMap/b-x part/b.yaml"}
	if diff := cmp.Diff(want, built); diff != "" || len(result.Problems) > 0 {
		t.Errorf("problems %v (-want +got):\n%s", result.Problems, diff)
	}
	if result.Used["else.yaml"] || !result.Used["base/a.yaml"] || !result.Used["part/b.yaml"] {
		t.Errorf("used: %v", result.Used)
	}
}

func TestAFileThatKustomizeCannotNameStopsNoOther(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
	result := build(
		"!odd!/a:b/pod.yaml", pod, "a/kustomization.yaml", "resources: [pod.yaml]\n", "a/pod.yaml", pod,
		"b/kustomization.yaml", "resources: [../a]\nnamePrefix: b-\n", "!odd!/kustomization.yaml", "resources: [a:b/pod.yaml]\n",
	)
	if len(result.Built) != 1 || result.Built[0].Name != "Pod/b-p" {
		t.Errorf("built %v", result.Built)
	}
	if len(result.Problems) != 1 || result.Problems[0].Path != "!odd!/kustomization.yaml" {
		t.Errorf("problems %v", result.Problems)
	}
}

func TestWhatAComponentChangesIsNoManifest(t *testing.T) {
	result := build(
		"part/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [b.yaml]\npatches: [{path: c.yaml}]\n",
		"part/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
		"part/c.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n$patch: delete\n",
	)
	if len(result.Built) != 0 || len(result.Problems) != 0 || result.Used["part/b.yaml"] || !result.Used["part/c.yaml"] {
		t.Errorf("built %v, problems %v, used %v", result.Built, result.Problems, result.Used)
	}
}

func TestNothingIsRunAndNothingRead(t *testing.T) {
	for name, text := range map[string]string{
		"a Helm chart":             "helmCharts: [{name: a, repo: \"https://charts.example\"}]\n",
		"a plugin":                 "generators: [plugin.yaml]\n",
		"a file outside":           "resources: [../../../etc/passwd]\n",
		"a secret from a file":     "secretGenerator: [{name: s, files: [/etc/shadow]}]\n",
		"a file that is a link":    "resources: [missing.yaml]\n",
		"a remote file for data":   "configMapGenerator: [{name: c, files: [\"x=https://example.com/a\"]}]\n",
		"a remote schema":          "openapi: {path: \"https://example.com/a\"}\n",
		"a remote configuration":   "configurations: [\"https://example.com/a\"]\n",
		"a repository in disguise": "resources: [example.com/org/repo.git/base]\n",
	} {
		result := build("a/kustomization.yaml", text, "a/plugin.yaml", "apiVersion: example.com/v1\nkind: Exec\nmetadata: {name: x, annotations: {config.kubernetes.io/function: \"exec: {path: /bin/true}\"}}\n")
		if len(result.Problems) != 1 || len(result.Built) != 0 {
			t.Errorf("%s: problems %v, %d objects", name, result.Problems, len(result.Built))
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add("resources: [pod.yaml]\nnamePrefix: a-\n", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}\n")
	f.Add("patches: [{patch: \"[]\", target: {kind: Pod}}]\nresources: [pod.yaml]", "a: 1")
	f.Fuzz(func(t *testing.T, text, resource string) {
		result := build("a/kustomization.yaml", text, "a/pod.yaml", resource)
		for _, b := range result.Built {
			file, span := b.Locate(manifest.Span{Line: 1, Column: 1, EndColumn: 2})
			lines := 1 + strings.Count(map[string]string{"a/kustomization.yaml": text, "a/pod.yaml": resource}[file], "\n")
			if span.Line < 1 || span.Line > lines {
				t.Fatalf("%s comes from line %d of %d in %s", b.Name, span.Line, lines, file)
			}
		}
	})
}
