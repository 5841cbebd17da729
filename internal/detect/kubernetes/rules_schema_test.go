package kubernetes

var schemaCases = map[string][]ruleCase{
	"k8s-schema": {
		{"fires on a misspelt field", container("➤securtyContext: {}")},
		{"fires on a field in the wrong letters", pod("➤hostpid: true")},
		{"fires on a field in the wrong place", pod("➤runAsNonRoot: true")},
		{"fires on a quoted boolean", container("securityContext: {➤privileged: \"true\"}")},
		{"fires on a number for a string", container("env:\n  - name: A\n    ➤value: 1")},
		{"fires on a YAML 1.1 boolean for a string", container("env:\n  - name: A\n    ➤value: yes")},
		{"fires on a map for a list", container("➤command: {a: b}")},
		{"fires in an Argo Rollout's pod", inWorkload("argoproj.io/v1alpha1", "Rollout", "➤containrs: []")},
		{"fires on a port that cannot be", ports("➤containerPort: 70000")},
		{"fires on a NetworkPolicy", netpol("podSelector: {}\n➤ingres: []")},
		{"is silent about a pod", container("ports: [{containerPort: 80, name: http}]\nresources: {limits: {cpu: 1}}")},
		{"is silent about an unknown kind", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {anything: goes}\n"},
		{"is silent about null", pod("hostPID: null")},
		{"is silent about what the cluster wrote", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, creationTimestamp: null, managedFields: [{fieldsV1: {f:data: {}}}]}\nstatus: {a: b}\n"},
		{"is silent about Knative's own fields", inWorkload("serving.knative.dev/v1", "Service", "containerConcurrency: 1\ncontainers: [{image: a}]")},
		{"is silent about SOPS", secret("stringData: {a: \"ENC[x]\"}\nsops: {version: \"3\"}")},
	},
}
