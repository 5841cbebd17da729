package kubernetes

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shopChart is a chart with a subchart, both with values of the same names.
func shopChart(values string) []File {
	template := `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  hostPID: {{ .Values.hostPID }}
  containers:
    - name: web
      image: {{ .Values.image }}
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
`
	sub := `apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop}
spec:
  hostIPC: {{ .Values.hostIPC }}
  hostNetwork: {{ .Values.hostNetwork }}
  shareProcessNamespace: {{ .Values.global.share }}
  containers: [{name: db, image: db, securityContext: {readOnlyRootFilesystem: true}}]
`
	return []File{
		{Path: "web/Chart.yaml", Content: []byte("apiVersion: v2\nname: web\nversion: 1.0.0\n")},
		{Path: "web/values.yaml", Content: []byte(values)},
		{Path: "web/templates/pod.yaml", Content: []byte(template)},
		{Path: "web/charts/db/Chart.yaml", Content: []byte("apiVersion: v2\nname: db\nversion: 1.0.0\n")},
		{Path: "web/charts/db/values.yaml", Content: []byte("hostIPC: false\nhostNetwork: true\n")},
		{Path: "web/charts/db/templates/pod.yaml", Content: []byte(sub)},
	}
}

const shopValues = `image: registry.example/web:1
hostPID: true
hostIPC: false
hostNetwork: false
securityContext:
  privileged: true
  runAsNonRoot: true
db:
  hostIPC: true
global: {share: true}
`

func TestTheValueThatDecidesIsFound(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts HelmSettings
		rule string
		want []string
	}{
		{"a scalar", HelmSettings{}, "k8s-host-pid", []string{"web/templates/pod.yaml:5:3 web/values.yaml:2:1"}},
		{"a part of a map that a with names and toYaml writes", HelmSettings{}, "k8s-privileged", []string{"web/templates/pod.yaml:11:9 web/values.yaml:6:3"}},
		{"a field that the map lacks", HelmSettings{}, "k8s-read-only-root-fs", []string{"web/templates/pod.yaml:10:7 web/values.yaml:5:1"}},
		{"a subchart's value in its parent", HelmSettings{}, "k8s-host-ipc", []string{"web/charts/db/templates/pod.yaml:5:3 web/values.yaml:9:3"}},
		{"a subchart's own value", HelmSettings{}, "k8s-host-network", []string{"web/charts/db/templates/pod.yaml:6:3 web/charts/db/values.yaml:2:1"}},
		{"a global value", HelmSettings{}, "k8s-share-process-namespace", []string{"web/charts/db/templates/pod.yaml:7:3 web/values.yaml:10:10"}},
		{"the last values file that has it", HelmSettings{Values: []File{{Path: "a.yaml", Content: []byte("hostPID: true\n")}, {Path: "b.yaml", Content: []byte("\nhostPID: true\n")}}}, "k8s-host-pid", []string{"web/templates/pod.yaml:5:3 b.yaml:2:1"}},
		{"a single value, which stands in no file", HelmSettings{Set: []string{"x=1,hostPID=true"}}, "k8s-host-pid", []string{"web/templates/pod.yaml:5:3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Chart = "web"
			result := Lint(context.Background(), shopChart(shopValues), Options{Helm: []HelmSettings{tt.opts}})
			checkResult(t, result)
			if diff := cmp.Diff(tt.want, places(result, tt.rule)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.rule, diff)
			}
		})
	}
}

func TestIgnoresInValuesAreAboutWhatTheyDecide(t *testing.T) {
	above := func(key, comment string) string {
		return strings.Replace(shopValues, key, "# "+comment+"\n"+key, 1)
	}
	inner := strings.Replace(shopValues, "  privileged", "  # portcullis:ignore k8s-privileged reason=agent\n  privileged", 1)
	prod := []File{{Path: "prod.yaml", Content: []byte("hostPID: true # portcullis:ignore k8s-host-pid reason=agent\n")}}
	for _, tt := range []struct {
		name, values string
		opts         HelmSettings
		rule         string
		want         string
		// unused is the place of an ignore that silences nothing.
		unused []string
	}{
		{"above a scalar", above("hostPID", "portcullis:ignore k8s-host-pid reason=agent"), HelmSettings{}, "k8s-host-pid", "waived", nil},
		{"above a part of a map", inner, HelmSettings{}, "k8s-privileged", "waived", nil},
		{"above the map", above("securityContext", "portcullis:ignore k8s-privileged reason=agent"), HelmSettings{}, "k8s-privileged", "waived", nil},
		{"above a map that lacks the field", above("securityContext", "portcullis:ignore k8s-read-only-root-fs reason=writes its cache"), HelmSettings{}, "k8s-read-only-root-fs", "waived", nil},
		{"above the values of a subchart", above("db:", "portcullis:ignore k8s-host-ipc reason=agent"), HelmSettings{}, "k8s-host-ipc", "waived", nil},
		{"in a given file", shopValues, HelmSettings{Values: prod}, "k8s-host-pid", "waived", nil},
		{"trivy's form", above("hostPID", "trivy:ignore:KSV-0010"), HelmSettings{}, "k8s-host-pid", "waived", nil},
		{"not above another key", above("image", "nothing\nx: 1 # portcullis:ignore k8s-host-pid"), HelmSettings{}, "k8s-host-pid", "open", []string{"web/values.yaml:2:6"}},
		{"not another rule", above("hostPID", "portcullis:ignore k8s-host-ipc"), HelmSettings{}, "k8s-host-pid", "open", []string{"web/values.yaml:2:1"}},
		{"not where another file decides", strings.Replace(shopValues, "hostPID: true", "hostPID: true # portcullis:ignore k8s-host-pid", 1), HelmSettings{Values: []File{{Path: "b.yaml", Content: []byte("hostPID: true\n")}}}, "k8s-host-pid", "open", []string{"web/values.yaml:2:15"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Chart = "web"
			result := Lint(context.Background(), shopChart(tt.values), Options{Helm: []HelmSettings{tt.opts}})
			checkResult(t, result)
			found := 0
			for _, f := range result.Findings {
				if f.RuleID == tt.rule {
					found++
					if string(f.Status) != tt.want {
						t.Errorf("%+v is %s, want %s", f.Locations, f.Status, tt.want)
					}
				}
			}
			if found != 1 {
				t.Errorf("%d findings", found)
			}
			if diff := cmp.Diff(tt.unused, places(result, "k8s-ignore-unused")); diff != "" {
				t.Errorf("unused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIgnoresInTheFilesOfOtherToolsAreLeftToThem(t *testing.T) {
	files := []File{
		{Path: "compose.yaml", Content: []byte("# trivy:ignore:AVD-DS-0001\nservices: {web: {image: a}}\n")},
		{Path: "pipeline.yml", Content: []byte("# checkov:skip=CKV_GHA_1:no\non: push\n")},
		{Path: "pod.yaml", Content: []byte("# trivy:ignore:AVD-KSV-9999\n" + pod(""))},
	}
	result := Lint(context.Background(), files, Options{})
	if diff := cmp.Diff([]string{"pod.yaml:1:1"}, places(result, "k8s-ignore-unknown")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
