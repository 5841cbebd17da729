package kubernetes

import (
	"context"
	"testing"
)

func TestObjectsThatNoRuleKnowsAreCounted(t *testing.T) {
	const workload = "\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a, image: a}]}}}\n"
	for name, c := range map[string]struct {
		text    string
		unknown int
	}{
		"an Argo Workflow":                  {"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  templates:\n  - {name: a, container: {image: a, securityContext: {privileged: true}}}\n", 1},
		"an Argo Rollout":                   {"apiVersion: argoproj.io/v1alpha1\nkind: Rollout" + workload, 0},
		"a Rollout that refers to another":  {"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {workloadRef: {kind: Deployment, name: a}}\n", 0},
		"a Tekton task":                     {"apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: a}\nspec: {steps: [{image: a}]}\n", 1},
		"a kind of its own with a pod":      {"apiVersion: example.com/v1\nkind: X" + workload, 0},
		"a kind of its own without one":     {"apiVersion: example.com/v1\nkind: X\nmetadata: {name: a}\n", 1},
		"a kind of a group that rules know": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", 0},
	} {
		result := Lint(context.Background(), files("a.yaml", c.text), Options{})
		if result.Objects != 1 || result.Unknown != c.unknown {
			t.Errorf("%s: %d objects, %d unknown, want %d", name, result.Objects, result.Unknown, c.unknown)
		}
	}
}
