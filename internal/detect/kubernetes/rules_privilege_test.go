package kubernetes

import (
	"context"
	"strings"
	"testing"
)

// windows is the line that makes a pod one for Windows nodes.
const windows = "os: {name: windows}"

var privilegeCases = map[string][]ruleCase{
	"k8s-privileged": {
		{"fires on a privileged container", container("securityContext:\n  ➤privileged: true")},
		{"fires on the YAML 1.1 boolean yes, as the API server reads it", container("securityContext:\n  ➤privileged: yes")},
		{"fires on an init container of a Deployment", inWorkload("apps/v1", "Deployment", "initContainers:\n  - name: init\n    securityContext: {➤privileged: true}\ncontainers:\n  - name: app")},
		{"fires on an ephemeral container", pod("ephemeralContainers:\n  - name: debug\n    securityContext: {➤privileged: on}")},
		{"fires in a CronJob", inWorkload("batch/v1", "CronJob", "containers:\n  - name: app\n    securityContext:\n      ➤privileged: true")},
		{"fires in an Argo Rollout", inWorkload("argoproj.io/v1alpha1", "Rollout", "containers:\n  - name: app\n    securityContext:\n      ➤privileged: true")},
		{"fires in a kind that nobody knows, by the shape of the pod", "apiVersion: example.com/v1\nkind: Fleet\nmetadata: {name: f}\nspec:\n  groups:\n    - template:\n        spec:\n          containers:\n            - name: app\n              image: a:1\n              securityContext:\n                ➤privileged: true\n"},
		{"fires inside of a list inside of a list", "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: List\n    items:\n      - apiVersion: v1\n        kind: Pod\n        metadata: {name: p}\n        spec:\n          containers:\n            - name: app\n              securityContext: {➤privileged: true}\n"},
		{"fires at the anchor for each container whose alias repeats it", pod("initContainers:\n  - name: one\n    securityContext: &sc\n      ➤➤privileged: true\n  - name: two\n    securityContext: *sc")},
		{"fires at the anchor of a merge key", pod("initContainers:\n  - &base\n    name: one\n    securityContext: {➤➤privileged: true}\n  - <<: *base\n    name: two")},
		{"is silent about false", container("securityContext:\n  privileged: false")},
		{"is silent about the boolean no", container("securityContext:\n  privileged: no")},
		{"is silent without a securityContext", bareContainer("")},
		{"is silent about null, which means absent", container("securityContext:\n  privileged: null")},
		{"is silent about a ConfigMap that holds such text", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  pod.yaml: |\n    securityContext:\n      privileged: true\n"},
		{"is silent about the schema in a CustomResourceDefinition", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\nspec:\n  containers:\n    - image: a\n      securityContext: {privileged: true}\n"},
	},
	"k8s-privilege-escalation": {
		{"fires at the container that says nothing", bareContainer("➤")},
		{"fires at the securityContext that leaves it out", container("➤securityContext:\n  runAsNonRoot: true")},
		{"fires at the value true", container("securityContext:\n  ➤allowPrivilegeEscalation: true")},
		{"fires at null, which means absent", container("securityContext:\n  ➤allowPrivilegeEscalation: ~")},
		{"fires at a quoted false, which is a string", container("securityContext:\n  ➤allowPrivilegeEscalation: \"false\"")},
		{"is silent about false", container("securityContext:\n  allowPrivilegeEscalation: false")},
		{"is silent about the boolean off", container("securityContext:\n  allowPrivilegeEscalation: off")},
		{"is silent about a privileged container, which has its own rule", container("securityContext:\n  privileged: true")},
		{"is silent about Windows", inWorkload("apps/v1", "Deployment", windows+"\ncontainers:\n  - name: app")},
	},
	"k8s-read-only-root-fs": {
		{"fires at the container that says nothing", bareContainer("➤")},
		{"fires at the securityContext that leaves it out", container("➤securityContext:\n  runAsNonRoot: true")},
		{"fires at the value false", container("securityContext:\n  ➤readOnlyRootFilesystem: false")},
		{"fires at a quoted true, which is a string", container("securityContext:\n  ➤readOnlyRootFilesystem: 'true'")},
		{"is silent about true", container("securityContext:\n  readOnlyRootFilesystem: true")},
		{"is silent about the boolean yes", container("securityContext:\n  readOnlyRootFilesystem: yes")},
		{"is silent about an ephemeral container", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  ephemeralContainers:\n    - name: debug\n"},
		{"is silent about Windows", inWorkload("apps/v1", "Deployment", windows+"\ncontainers:\n  - name: app")},
	},
	"k8s-seccomp-unconfined": {
		{"fires on the pod's profile", pod("securityContext:\n  seccompProfile:\n    ➤type: Unconfined")},
		{"fires on the container's profile", container("securityContext:\n  seccompProfile: {➤type: Unconfined}")},
		{"fires on the old annotation of the pod", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    ➤seccomp.security.alpha.kubernetes.io/pod: unconfined\nspec:\n  containers:\n    - name: app\n"},
		{"fires on the old annotation of a container", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    ➤container.seccomp.security.alpha.kubernetes.io/app: unconfined\nspec:\n  containers:\n    - name: app\n"},
		{"fires on pod and container alike", pod("securityContext:\n  seccompProfile: {➤type: Unconfined}\ninitContainers:\n  - name: i\n    securityContext:\n      seccompProfile: {➤type: Unconfined}")},
		{"is silent about the runtime's default", pod("securityContext:\n  seccompProfile: {type: RuntimeDefault}")},
		{"is silent about a profile of the node", container("securityContext:\n  seccompProfile: {type: Localhost, localhostProfile: web.json}")},
		{"is silent where nothing is said, which is another rule", bareContainer("")},
		{"is silent about the old annotation with the default", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    seccomp.security.alpha.kubernetes.io/pod: runtime/default\nspec:\n  containers:\n    - name: app\n"},
		{"is silent about Windows", pod(windows + "\nsecurityContext:\n  seccompProfile: {type: Unconfined}")},
	},
}

func TestAContainerWithoutANameIsCalledTheContainer(t *testing.T) {
	manifest := "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {containers: [{image: web:1, securityContext: {privileged: true}}]}}}\n"
	result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(manifest)}}, Options{})
	for _, f := range result.Findings {
		if strings.Contains(f.Message, `""`) {
			t.Errorf("%s: %s", f.RuleID, f.Message)
		}
		if f.RuleID == "k8s-privileged" && !strings.HasPrefix(f.Message, "The container runs privileged") {
			t.Errorf("got %q", f.Message)
		}
	}
}
