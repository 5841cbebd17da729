package kubernetes

var identityCases = map[string][]ruleCase{
	"k8s-run-as-non-root": {
		{"fires at the container where nobody says anything", bareContainer("➤")},
		{"fires at the securityContext that leaves it out", container("➤securityContext:\n  privileged: false")},
		{"fires at the container's false over the pod's true", pod("securityContext: {runAsNonRoot: true}\ninitContainers:\n  - name: i\n    securityContext: {➤runAsNonRoot: false}")},
		{"fires at the pod's false once for two containers", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  securityContext:\n    ➤runAsNonRoot: false\n  containers:\n    - name: a\n    - name: b\n"},
		{"fires although a user id is set, as the standard demands", container("➤securityContext:\n  runAsUser: 1000")},
		{"is silent about the pod's true", pod("securityContext:\n  runAsNonRoot: true")},
		{"is silent about the container's own true", container("securityContext:\n  runAsNonRoot: true")},
		{"is silent about the container's true over the pod's false", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  securityContext: {runAsNonRoot: false}\n  containers:\n    - name: a\n      securityContext: {runAsNonRoot: true}\n"},
		{"is silent about user 0, which has its own rule", container("securityContext:\n  runAsUser: 0")},
	},
	"k8s-run-as-root-uid": {
		{"fires on the container's user", container("securityContext:\n  ➤runAsUser: 0")},
		{"fires on the pod's user", pod("securityContext:\n  ➤runAsUser: 0")},
		{"fires on zero in another notation", pod("securityContext:\n  ➤runAsUser: 0x0")},
		{"fires on an init container of a StatefulSet", inWorkload("apps/v1", "StatefulSet", "initContainers:\n  - name: chown\n    securityContext:\n      ➤runAsUser: 0\ncontainers:\n  - name: app")},
		{"is silent about another user", container("securityContext:\n  runAsUser: 10001")},
		{"is silent where nothing is said", bareContainer("")},
		{"is silent about group 0, which has its own rule", pod("securityContext:\n  runAsGroup: 0")},
		{"is silent about null", pod("securityContext:\n  runAsUser: null")},
	},
}
