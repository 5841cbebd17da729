package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// objectsOf returns all objects of a text, and the problems.
func objectsOf(t *testing.T, text string) (ids, problems []string, other int) {
	t.Helper()
	docs := Parse(File{Path: "a.yaml", Content: []byte(text)}, Limits{})
	for i := range docs {
		objects, no, more := Objects(&docs[i])
		for _, o := range objects {
			ids = append(ids, o.APIVersion+" "+o.ID())
		}
		for _, p := range more {
			problems = append(problems, fmt.Sprintf("%d: %s", p.Span.Line, p.Message))
		}
		if no {
			other++
		}
	}
	return ids, problems, other
}

func TestObjectsAreFoundInListsOfLists(t *testing.T) {
	ids, problems, other := objectsOf(t, `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a, namespace: n1}
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleList
items: [{metadata: {name: c}}, {metadata: {generateName: d-}}]
---
services: {web: {image: a}}
---
{"family": "f", "containerDefinitions": []}
---
null
`)
	want := []string{
		"v1 ConfigMap/n1/a", "apps/v1 Deployment/b",
		"rbac.authorization.k8s.io/v1 Role/c", "rbac.authorization.k8s.io/v1 Role/d-", "ecs.amazonaws.com/v1 TaskDefinition/f",
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if len(problems) != 0 || other != 2 {
		t.Errorf("problems %v, %d other documents", problems, other)
	}
}

func TestObjectsWithoutAKindAreProblems(t *testing.T) {
	deep := strings.Repeat("{apiVersion: v1, kind: List, items: [", 25) + strings.Repeat("]}", 25)
	for name, text := range map[string]string{
		"an item without a kind":       "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]\n",
		"an apiVersion without a kind": "apiVersion: v1\nmetadata: {name: a}\n",
		"a kind without an apiVersion": "kind: Pod\nmetadata: {name: a}\n",
		"a kind with a spec only":      "kind: Pod\nspec: {containers: []}\n",
		"an apiVersion with a spec":    "apiVersion: v1\nspec: {containers: []}\n",
		"a list without an apiVersion": "kind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}}]\n",
		"a list without a kind":        "apiVersion: v1\nitems: [{kind: Pod}]\n",
		"an item that is no map":       "apiVersion: v1\nkind: List\nitems: [text]\n",
		"lists without end":            deep,
	} {
		if _, problems, other := objectsOf(t, text); len(problems) != 1 || other != 0 {
			t.Errorf("%s: problems %v, want one; %d other documents, want none", name, problems, other)
		}
	}
}

func TestFilesOfOtherToolsAreNoObjects(t *testing.T) {
	for name, text := range map[string]string{
		"a chart repository's index": "apiVersion: v1\nentries: {web: [{apiVersion: v2, name: web}]}\n",
		"a plugin":                   "apiVersion: v1\nname: echo\ntype: cli/v1\nruntime: subprocess\n",
		"a kind alone":               "kind: pipeline\nname: default\n",
		"metadata that is a text":    "kind: page\nmetadata: none\n",
		"items of another sort":      "apiVersion: 2\nitems: [{id: 1}, text]\n",
	} {
		if ids, problems, other := objectsOf(t, text); len(problems) != 0 || len(ids) != 0 || other != 1 {
			t.Errorf("%s: objects %v, problems %v, %d other documents; want one other document", name, ids, problems, other)
		}
	}
}

func TestPodsAreFoundWhereverAKindKeepsThem(t *testing.T) {
	containers := "spec: {containers: [{name: c, image: i}]}"
	tests := []struct {
		name, object string
		want         string
	}{
		{"Pod", "apiVersion: v1\nkind: Pod\n" + containers, "[spec]"},
		{"Deployment", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {" + containers + "}}", "[spec.template.spec]"},
		{"CronJob", "apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {" + containers + "}}}}", "[spec.jobTemplate.spec.template.spec]"},
		{"PodTemplate", "apiVersion: v1\nkind: PodTemplate\ntemplate: {" + containers + "}", "[template.spec]"},
		{"Rollout", "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: {" + containers + "}}", "[spec.template.spec]"},
		{"Cloud Run job", "apiVersion: run.googleapis.com/v1\nkind: Job\nspec: {template: {spec: {template: {" + containers + "}}}}", "[spec.template.spec.template.spec]"},
		{"DeploymentConfig", "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nspec: {template: {" + containers + "}}", "[spec.template.spec]"},
		{"leader and workers", "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\nspec: {leaderWorkerTemplate: {leaderTemplate: {" + containers + "}, workerTemplate: {" + containers + "}}}", "[spec.leaderWorkerTemplate.workerTemplate.spec spec.leaderWorkerTemplate.leaderTemplate.spec]"},
		{"an unknown kind with two", "apiVersion: example.com/v1\nkind: X\nspec: {a: {" + containers + "}, list: [{" + containers + "}]}", "[spec.a.spec spec.list[0].spec]"},
		{"a custom Deployment", "apiVersion: example.com/v1\nkind: Deployment\nspec: {podTemplate: {" + containers + "}}", "[spec.podTemplate.spec]"},
		{"a list of names is no pod", "apiVersion: example.com/v1\nkind: X\nspec: {containers: [a, b]}", "[]"},
		{"maps with only names are no containers", "apiVersion: example.com/v1\nkind: X\nspec: {containers: [{name: a}]}", "[]"},
		{"a ConfigMap has none", "apiVersion: v1\nkind: ConfigMap\n" + containers, "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			docs := Parse(File{Path: "a.yaml", Content: []byte(tt.object)}, Limits{})
			objects, _, _ := Objects(&docs[0])
			var paths []string
			for _, pod := range Pods(objects[0]) {
				paths = append(paths, pod.Spec.Path())
			}
			if got := fmt.Sprint(paths); got != tt.want {
				t.Errorf("pods at %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCommentsKnowWhatTheyAreAbout(t *testing.T) {
	text := `# NOTE whole
a: 1
---
b:
  # NOTE map
  c:
    d: 1 # NOTE field

    e: "# NOTE no"
  f: |
    # NOTE no
    text
  g: # NOTE block
    - h: 1
      i: 2
    # NOTE item
    - j: 3
      k: 4
l: 5
`
	file := File{Path: "a.yaml", Content: []byte(text)}
	var got []string
	for _, c := range Comments(file, Parse(file, Limits{}), "NOTE") {
		got = append(got, fmt.Sprintf("%s %d:%d covers %d-%d", c.Text, c.Span.Line, c.Span.Column, c.Scope.From, c.Scope.To))
	}
	want := []string{
		"NOTE whole 1:1 covers 1-2", "NOTE map 5:3 covers 6-9", "NOTE field 7:10 covers 7-7",
		"NOTE block 13:6 covers 13-18", "NOTE item 16:5 covers 17-18",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
}
