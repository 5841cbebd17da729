package kubernetes

import "strings"

// hardenedWorkload satisfies every rule. The examples of the rules about pods
// are this text with one thing changed.
const hardenedWorkload = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      hostUsers: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
        appArmorProfile: {type: RuntimeDefault}
      containers:
        - name: web
          image: registry.example/shop/web:1.4.2@sha256:6a1f2b0c9d8e7f60514233241506f7e8d9c0b1a29384756617283940a5b6c7d8
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          resources:
            requests: {cpu: 100m, memory: 128Mi, ephemeral-storage: 64Mi}
            limits: {memory: 128Mi, ephemeral-storage: 64Mi}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`

// hardened returns the hardened workload with pieces of text replaced, given
// as old, new, old, new … A test sees to it that every old piece is there.
func hardened(replacements ...string) string {
	return strings.NewReplacer(replacements...).Replace(hardenedWorkload)
}

// withPodField returns the hardened workload with lines added to the pod.
func withPodField(lines string) string {
	return hardened("      hostUsers: false\n", "      hostUsers: false\n"+indent(6, lines))
}

// withContainerField returns the hardened workload with lines added to the
// container.
func withContainerField(lines string) string {
	return hardened("          resources:\n", indent(10, lines)+"          resources:\n")
}

// withMount returns the hardened workload with a directory of the node, and a
// container that mounts it.
func withMount(path, mount string) string {
	return hardened(
		"      hostUsers: false\n", "      hostUsers: false\n"+indent(6, "volumes:\n  - name: host\n    "+path),
		"          resources:\n", indent(10, "volumeMounts:\n  - {name: host, mountPath: /host"+mount+"}")+"          resources:\n",
	)
}

func indent(n int, lines string) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(strings.TrimRight(lines, "\n"), "\n", "\n"+pad) + "\n"
}

// replaced is a text with one piece replaced.
func replaced(text, old, new string) string {
	return strings.Replace(text, old, new, 1)
}
