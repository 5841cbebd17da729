package kubernetes

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// overlays are a base and two overlays of it.
func overlays(extra ...string) []File {
	pairs := append([]string{
		"app/base/kustomization.yaml", "resources: [pod.yaml, service.yaml]\n",
		"app/base/pod.yaml", "# the base\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  hostIPC: true\n  hostPID: true # portcullis:ignore k8s-host-pid reason=agent\n  containers:\n    - name: app\n      image: web\n",
		"app/base/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort, ports: [{port: 1}]}\n",
		"app/prod/kustomization.yaml", "resources: [../base]\nnamespace: prod\nnamePrefix: prod-\nimages: [{name: web, newName: registry.example/web, newTag: \"2\"}]\npatches:\n  - path: patch.yaml\n",
		"app/prod/patch.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: app\n      securityContext:\n        privileged: true\n",
		"app/dev/kustomization.yaml", "resources: [../base]\nnamespace: dev\nconfigMapGenerator:\n  - name: settings\n    literals: [password=hunter2]\n",
		"other/pod.yaml", pod("hostIPC: true"),
	}, extra...)
	var files []File
	for i := 0; i < len(pairs); i += 2 {
		files = append(files, File{Path: pairs[i], Content: []byte(pairs[i+1])})
	}
	return files
}

func TestFindingsInKustomizationsPointIntoTheirSources(t *testing.T) {
	result := Lint(context.Background(), overlays(), Options{})
	checkResult(t, result)
	for id, want := range map[string][]string{
		"k8s-unreadable":       nil,
		"k8s-host-ipc":         {"app/base/pod.yaml:7:3", "other/pod.yaml:7:3"},
		"k8s-privileged":       {"app/prod/patch.yaml:8:9"},
		"k8s-service-nodeport": {"app/base/service.yaml:4:8"},
		"k8s-secret-configmap": {"app/dev/kustomization.yaml:1:0"},
		// The image of prod has a tag, that of dev has none.
		"k8s-image-latest": {"app/base/pod.yaml:11:7"},
	} {
		if diff := cmp.Diff(want, places(result, id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	for _, f := range result.Findings {
		if f.RuleID == "k8s-host-pid" && f.Status != "waived" {
			t.Errorf("the ignore in the base does not hold: %+v", f)
		}
		if f.RuleID == "k8s-ignore-unused" {
			t.Errorf("%s", f.Message)
		}
	}
	var images []string
	for _, i := range result.Images {
		images = append(images, i.Reference+" "+i.Location.Path)
	}
	want := []string{"registry.example/web:2 app/base/pod.yaml", "web app/base/pod.yaml", "registry.example/web:1 other/pod.yaml"}
	if len(images) != 3 || !strings.Contains(strings.Join(images, ","), want[0]) || !strings.Contains(strings.Join(images, ","), want[1]) {
		t.Errorf("images %v, want %v", images, want)
	}
}

func TestRemoteBasesAreRefused(t *testing.T) {
	result := Lint(context.Background(), overlays("far/kustomization.yaml", "resources:\n  - local.yaml\n  - https://example.com/base?ref=v1\n", "far/local.yaml", pod("hostIPC: true")), Options{})
	if diff := cmp.Diff([]string{"far/kustomization.yaml:3:5"}, places(result, "k8s-unreadable")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range result.Findings {
		if f.RuleID == "k8s-unreadable" && !strings.Contains(f.Message, "is not fetched") {
			t.Errorf("message: %s", f.Message)
		}
	}
	if got := places(result, "k8s-host-ipc"); !strings.Contains(strings.Join(got, " "), "far/local.yaml") {
		t.Errorf("the files beside the remote base were not looked at: %v", got)
	}
}

func TestAKustomizationThatDoesNotBuildIsAFinding(t *testing.T) {
	result := Lint(context.Background(), overlays("bad/kustomization.yaml", "resources: [missing.yaml]\n"), Options{})
	if diff := cmp.Diff([]string{"bad/kustomization.yaml:1:13"}, places(result, "k8s-unreadable")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(places(result, "k8s-privileged")) != 1 {
		t.Error("the other kustomizations were lost")
	}
}
