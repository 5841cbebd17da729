package kustomization

import (
	"errors"
	"slices"
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
	return Build(Sources{Files: files})
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

func TestKustomizationsAreBuiltUnderAnyNames(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
	for _, dir := range []string{"plain", "job@2", "!odd!/a:b", "with space", "über/naïve", "v1.2+build(3),x", "a..b"} {
		t.Run(dir, func(t *testing.T) {
			result := build(
				dir+"/base/kustomization.yaml", "resources: ['the pod, #1.yaml']\n", dir+"/base/the pod, #1.yaml", pod,
				dir+"/over/kustomization.yaml", "resources: [../base]\nnamePrefix: b-\n",
			)
			if len(result.Built) != 1 || result.Built[0].Name != "Pod/b-p" || len(result.Problems) > 0 {
				t.Fatalf("built %v, problems %v", result.Built, result.Problems)
			}
			file, span := result.Built[0].Locate(manifest.Span{Line: 2, Column: 1, EndColumn: 10})
			if file != dir+"/base/the pod, #1.yaml" || span.Line != 2 {
				t.Errorf("the field is at %s:%d", file, span.Line)
			}
		})
	}
}

func TestAKustomizationReachesNoFileOutsideItsFolder(t *testing.T) {
	result := build(
		"secret.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n",
		"a/kustomization.yaml", "resources: [../secret.yaml]\n",
	)
	if len(result.Built) != 0 || len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Message, "secret.yaml") {
		t.Errorf("built %v, problems %v", result.Built, result.Problems)
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

func TestFilesOfChartsAndOfOtherKindsAreFound(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
	files := []manifest.File{
		{Path: "k/kustomization.yaml", Content: []byte("resources: [chart/upstream.yaml, pod]\nconfigMapGenerator:\n- {name: c, files: [run.sh, as.txt=other.bin]}\n")},
	}
	asked := make(map[string]int)
	result := Build(Sources{
		Files: files, Charts: []manifest.File{{Path: "k/chart/upstream.yaml", Content: []byte(pod)}},
		Read: func(name string) ([]byte, error) {
			asked[name]++
			switch name {
			case "k/pod":
				return []byte(strings.ReplaceAll(pod, "name: p", "name: q")), nil
			case "k/run.sh", "k/other.bin":
				return []byte("echo " + name), nil
			}
			return nil, errors.New("not there")
		},
	})
	var built []string
	for _, b := range result.Built {
		built = append(built, b.Name)
	}
	slices.Sort(built)
	if len(built) != 3 || built[1] != "Pod/p" || built[2] != "Pod/q" || !strings.HasPrefix(built[0], "ConfigMap/c-") || len(result.Problems) > 0 {
		t.Errorf("built %v, problems %v", built, result.Problems)
	}
	if diff := cmp.Diff(map[string]int{"k/pod": 1, "k/run.sh": 1, "k/other.bin": 1}, asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestABaseThatDoesNotBuildIsNamedOnce(t *testing.T) {
	result := build(
		"base/kustomization.yaml", "resources: [absent.yaml, there.yaml]\npatches: [{path: patch.yaml}]\n",
		"base/there.yaml", "a: 1\n", "base/patch.yaml", "a: 2\n",
		"a/kustomization.yaml", "resources: [../base]\n", "b/kustomization.yaml", "resources: [../base]\n",
	)
	if len(result.Problems) != 1 || result.Problems[0].Path != "base/kustomization.yaml" || result.Problems[0].Span.Line != 1 {
		t.Errorf("problems %v", result.Problems)
	}
	if result.Used["base/there.yaml"] || !result.Used["base/patch.yaml"] {
		t.Errorf("used: %v", result.Used)
	}
}
