package kubernetes

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	rootChart = "apiVersion: v2\nname: x\nversion: 1.0.0\n"
	badPod    = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostPID: true\n  containers: [{name: a, image: a}]\n"
)

// badIn lints files, given as path and content in turn, and returns the files
// in which pods share the host's processes.
func badIn(t *testing.T, files []File) ([]string, Result) {
	t.Helper()
	result := Lint(context.Background(), files, Options{})
	checkResult(t, result)
	var got []string
	for _, f := range result.Findings {
		if f.RuleID == "k8s-host-pid" {
			got = append(got, f.Locations[0].Path)
		}
	}
	slices.Sort(got)
	return got, result
}

func files(pairs ...string) []File {
	var out []File
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, File{Path: pairs[i], Content: []byte(pairs[i+1])})
	}
	return out
}

func TestAChartHidesNoManifestBelowIt(t *testing.T) {
	for name, c := range map[string]struct {
		files []File
		want  []string
	}{
		"beside the templates of a chart at the root": {
			files("Chart.yaml", rootChart, "templates/c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", "k8s/prod/bad.yaml", badPod),
			[]string{"k8s/prod/bad.yaml"},
		},
		"in a chart's directory": {
			files("k8s/Chart.yaml", rootChart, "k8s/prod/bad.yaml", badPod, "k8s/also.json", `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "j"}, "spec": {"hostPID": true, "containers": [{"name": "a"}]}}`),
			[]string{"k8s/also.json", "k8s/prod/bad.yaml"},
		},
		"in what .helmignore leaves out": {
			files("k8s/Chart.yaml", rootChart, "k8s/.helmignore", "prod/\ntemplates/bad.yaml\n", "k8s/prod/bad.yaml", badPod, "k8s/templates/bad.yaml", badPod),
			[]string{"k8s/prod/bad.yaml", "k8s/templates/bad.yaml"},
		},
		"in the templates of a library, which nobody renders": {
			files("k8s/Chart.yaml", rootChart+"type: library\n", "k8s/templates/bad.yaml", badPod),
			[]string{"k8s/templates/bad.yaml"},
		},
		"in charts/ where no chart is": {
			files("k8s/Chart.yaml", rootChart, "k8s/charts/bad.yaml", badPod, "k8s/charts/prod/bad.yaml", badPod),
			[]string{"k8s/charts/bad.yaml", "k8s/charts/prod/bad.yaml"},
		},
		"in the directory of a subchart": {
			files("k8s/Chart.yaml", rootChart, "k8s/charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n", "k8s/charts/sub/more/bad.yaml", badPod),
			[]string{"k8s/charts/sub/more/bad.yaml"},
		},
		"in a file with the name of the values": {
			files("k8s/Chart.yaml", rootChart, "k8s/values.yaml", badPod),
			[]string{"k8s/values.yaml"},
		},
		"in a document beside values": {
			files("k8s/Chart.yaml", rootChart, "k8s/more.yaml", "kind: x\nmetadata: {}\n---\n"+badPod),
			[]string{"k8s/more.yaml"},
		},
		"in a list": {
			files("k8s/Chart.yaml", rootChart, "k8s/list.yaml", "apiVersion: v1\nkind: List\nitems:\n- "+`{"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "j-"}, "spec": {"hostPID": true, "containers": [{"name": "a"}]}}`),
			[]string{"k8s/list.yaml"},
		},
		"in crds/ of a chart": {
			files("k8s/Chart.yaml", rootChart, "k8s/crds/bad.yaml", badPod),
			[]string{"k8s/crds/bad.yaml"},
		},
		"in the templates of a chart that lies in another one's directory": {
			files("Chart.yaml", rootChart, "deploy/web/Chart.yaml", "name: web\nversion: 1.0.0\n", "deploy/web/templates/bad.yaml", badPod),
			[]string{"deploy/web/templates/bad.yaml"},
		},
		"in what a kustomization in the chart's directory builds": {
			files("Chart.yaml", rootChart, "k8s/kustomization.yaml", "resources: [bad.yaml]\n", "k8s/bad.yaml", badPod),
			[]string{"k8s/bad.yaml"},
		},
		"below a kustomization that does not name it": {
			files("k8s/kustomization.yaml", "resources: [good.yaml]\n", "k8s/good.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", "k8s/bad.yaml", badPod),
			[]string{"k8s/bad.yaml"},
		},
		"once where a chart renders it": {
			files("Chart.yaml", rootChart, "templates/bad.yaml", badPod, "charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n", "charts/sub/templates/bad.yaml", badPod),
			[]string{"charts/sub/templates/bad.yaml", "templates/bad.yaml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := badIn(t, c.files)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatElseLiesInAChartIsNoManifest(t *testing.T) {
	chart := files("web/Chart.yaml", rootChart, "web/templates/c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n")
	for name, content := range map[string]string{
		"web/values.yaml":                   "kind: DaemonSet\nmetadata: {labels: {a: b}}\nspec: {}\n",
		"web/values-prod.yaml":              "apiVersion: apps/v1\nkind: Deployment\nreplicas: 2\n",
		"web/ci/test-values.yaml":           "image: {tag: a}\n",
		"web/values.schema.json":            `{"properties": {"kind": {"type": "string"}}}`,
		"web/Chart.lock.yaml":               "dependencies: []\ndigest: a\n",
		"web/.github/workflows/release.yml": "on: push\njobs: {a: {runs-on: x}}\n",
		"web/tests/pod_test.yaml":           "suite: pod\ntests:\n- it: works\n  asserts: [{isKind: {of: Pod}}]\n",
		"web/files/job.yaml":                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\nspec:\n  hostPID: true\n  {{- range .Values.a }}\n  {{- end }}\n",
		"web/files/quoted.yaml":             "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"{{ .Values.name }}\"\nspec: {hostPID: true, containers: [{name: a}]}\n",
		"web/files/kustomization.yaml":      "resources:\n{{ range .Values.files }}\n- {{ . }}\n{{ end }}\n",
		"web/templates/_pod.yaml":           "{{ define \"a\" }}\napiVersion: v1\nkind: Pod\n{{ end }}\n",
		"web/dashboards/a.json":             `{"panels": [], "panels": []}`,
		"web/values-twice.yaml":             "kind: a\nkind: b\n",
	} {
		result := Lint(context.Background(), append(slices.Clone(chart), files(name, content)...), Options{})
		if len(result.Findings) > 0 || result.Unreadable > 0 || result.Objects != 1 || len(result.Failures) > 0 || len(result.Files) != 1 {
			t.Errorf("%s: %d objects, %d unreadable, files %+v, findings %+v", name, result.Objects, result.Unreadable, result.Files, result.Findings)
		}
	}
}

func TestAFileThatTheUserNamesIsReadAsOneOutsideOfCharts(t *testing.T) {
	broken := files("web/Chart.yaml", rootChart, "web/files/job.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n  {{- end }}\n")
	if result := Lint(context.Background(), broken, Options{}); result.Unreadable != 0 {
		t.Errorf("found in a chart: %+v", result)
	}
	broken[1].Named = true
	if result := Lint(context.Background(), broken, Options{}); result.Unreadable != 1 {
		t.Errorf("named: %+v", result)
	}
}

func TestALinkToAFileThatIsReadAddsNothing(t *testing.T) {
	at := func(path, target string) File { return File{Path: path, Content: []byte(badPod), Target: target} }
	for name, c := range map[string]struct {
		files []File
		want  []string
	}{
		"to a file beside it":             {[]File{at("k8s/latest.yaml", "k8s/v2.yaml"), at("k8s/v2.yaml", "")}, []string{"k8s/v2.yaml"}},
		"to a file elsewhere":             {[]File{at("k8s/bad.yaml", "other/bad.yaml")}, []string{"k8s/bad.yaml"}},
		"two to one file elsewhere":       {[]File{at("k8s/a.yaml", "other/bad.yaml"), at("k8s/b.yaml", "other/bad.yaml")}, []string{"k8s/a.yaml"}},
		"to a file that is no manifest":   {[]File{at("k8s/a.yaml", "k8s/notes.txt"), at("k8s/notes.txt", "")}, []string{"k8s/a.yaml"}},
		"to the template of a chart":      {append(files("web/Chart.yaml", rootChart, "web/templates/a.yaml", badPod), at("k8s/a.yaml", "web/templates/a.yaml")), []string{"k8s/a.yaml", "web/templates/a.yaml"}},
		"to the patch of a kustomization": {append(files("o/kustomization.yaml", "resources: [../b/p.yaml]\npatches: [{path: a.yaml}]\n", "b/p.yaml", badPod, "o/a.yaml", badPod), at("k8s/a.yaml", "o/a.yaml")), []string{"b/p.yaml", "k8s/a.yaml"}},
	} {
		if got, _ := badIn(t, c.files); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
