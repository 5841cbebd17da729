package kubernetes

// podSC is a pod with lines in its securityContext, containerSC one with lines
// in that of its container.
func podSC(lines string) string       { return pod("securityContext:\n" + indent(2, lines)) }
func containerSC(lines string) string { return container("securityContext:\n" + indent(2, lines)) }

// annotated is a pod with an annotation.
func annotated(annotation string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    " + annotation + "\nspec:\n  containers:\n    - name: app\n      image: a:1\n"
}

var profileCases = map[string][]ruleCase{
	"k8s-seccomp-missing": {
		{"fires at the container where nobody says anything", bareContainer("➤")},
		{"fires at the container's securityContext without it", container("➤securityContext: {runAsNonRoot: true}")},
		{"fires at a profile without a type", containerSC("➤seccompProfile: {}")},
		{"fires at a type that does not exist", podSC("seccompProfile: {➤type: Default}")},
		{"is silent about the pod's profile", podSC("seccompProfile: {type: RuntimeDefault}")},
		{"is silent about the container's profile", containerSC("seccompProfile: {type: Localhost, localhostProfile: a.json}")},
		{"is silent about Unconfined, which another rule reports", podSC("seccompProfile: {type: Unconfined}")},
		{"is silent about the old annotation", annotated("seccomp.security.alpha.kubernetes.io/pod: runtime/default")},
		{"is silent about Windows", inWorkload("apps/v1", "Deployment", windows+"\ncontainers:\n  - name: app")},
	},
	"k8s-apparmor-unconfined": {
		{"fires on the pod's profile", podSC("appArmorProfile: {➤type: Unconfined}")},
		{"fires on the container's profile", containerSC("appArmorProfile:\n  ➤type: Unconfined")},
		{"fires on the annotation", annotated("➤container.apparmor.security.beta.kubernetes.io/app: unconfined")},
		{"fires on a type that does not exist", podSC("appArmorProfile: {➤type: none}")},
		{"is silent about the default", podSC("appArmorProfile: {type: RuntimeDefault}")},
		{"is silent about a profile of the node", containerSC("appArmorProfile: {type: Localhost, localhostProfile: web}")},
		{"is silent about the annotation with the default", annotated("container.apparmor.security.beta.kubernetes.io/app: runtime/default")},
		{"is silent where nothing is said", bareContainer("")},
	},
	"k8s-apparmor-missing": {
		{"fires at the container where nobody says anything", bareContainer("➤")},
		{"fires at the securityContext without it", container("➤securityContext: {runAsNonRoot: true}")},
		{"fires in a StatefulSet", inWorkload("apps/v1", "StatefulSet", "containers:\n  - ➤name: app")},
		{"fires for an annotation of another container", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {container.apparmor.security.beta.kubernetes.io/other: runtime/default}}\nspec:\n  containers:\n    - ➤name: app\n"},
		{"is silent about the pod's profile", podSC("appArmorProfile: {type: RuntimeDefault}")},
		{"is silent about the container's profile", containerSC("appArmorProfile: {type: Localhost, localhostProfile: a}")},
		{"is silent about the annotation", annotated("container.apparmor.security.beta.kubernetes.io/app: runtime/default")},
		{"is silent about a privileged container", containerSC("privileged: true")},
	},
	"k8s-selinux-options": {
		{"fires on a type of the pod", podSC("seLinuxOptions: {➤type: spc_t}")},
		{"fires on a type of the container", containerSC("seLinuxOptions: {➤type: unconfined_t}")},
		{"fires on a user", podSC("seLinuxOptions: {➤user: system_u}")},
		{"fires on a role", containerSC("seLinuxOptions:\n  type: container_t\n  ➤role: sysadm_r")},
		{"is silent about a type for containers", podSC("seLinuxOptions: {type: container_t}")},
		{"is silent about a type for container engines", containerSC("seLinuxOptions: {type: container_engine_t}")},
		{"is silent about a level", podSC("seLinuxOptions: {level: \"s0:c1,c2\"}")},
		{"is silent about empty values", podSC("seLinuxOptions: {user: \"\", type: \"\"}")},
	},
	"k8s-proc-mount": {
		{"fires on Unmasked", containerSC("➤procMount: Unmasked")},
		{"fires on an init container", pod("initContainers:\n  - name: i\n    securityContext: {➤procMount: Unmasked}")},
		{"fires on a value that does not exist", containerSC("➤procMount: none")},
		{"fires where user namespaces are off", pod("hostUsers: true\ninitContainers:\n  - name: i\n    securityContext: {➤procMount: Unmasked}")},
		{"is silent about Default", containerSC("procMount: Default")},
		{"is silent where nothing is said", bareContainer("")},
		{"is silent in a user namespace", pod("hostUsers: false\ninitContainers:\n  - name: i\n    securityContext: {procMount: Unmasked}")},
		{"is silent about null", containerSC("procMount: null")},
	},
	"k8s-unsafe-sysctl": {
		{"fires on a parameter of the whole node", podSC("sysctls: [{➤name: kernel.msgmax, value: \"1\"}]")},
		{"fires on a network parameter", podSC("sysctls:\n  - ➤name: net.core.somaxconn\n    value: \"1024\"")},
		{"fires on each", podSC("sysctls:\n  - ➤name: vm.swappiness\n    value: \"1\"\n  - ➤name: fs.file-max\n    value: \"1\"")},
		{"fires in a Deployment", inWorkload("apps/v1", "Deployment", "securityContext: {sysctls: [{➤name: kernel.sem, value: \"1\"}]}\ncontainers: [{name: a}]")},
		{"is silent about syncookies", podSC("sysctls: [{name: net.ipv4.tcp_syncookies, value: \"1\"}]")},
		{"is silent about keep-alive, safe since 1.29", podSC("sysctls: [{name: net.ipv4.tcp_keepalive_time, value: \"1\"}]")},
		{"is silent about an empty list", podSC("sysctls: []")},
		{"is silent where nothing is said", bareContainer("")},
	},
	"k8s-security-context-missing": {
		{"fires at the spec of a pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n➤spec:\n  containers:\n    - name: app\n"},
		{"fires at an empty one", pod("➤securityContext: {}")},
		{"fires where only the container has one", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n➤spec:\n  containers:\n    - name: app\n      securityContext: {runAsNonRoot: true}\n"},
		{"fires in a Deployment", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: p}\nspec:\n  template:\n    ➤spec:\n      containers:\n        - name: app\n"},
		{"is silent about a pod that has one", podSC("runAsNonRoot: true")},
		{"is silent about a single field", podSC("fsGroup: 10001")},
		{"is silent about a CronJob that has one", inWorkload("batch/v1", "CronJob", "securityContext: {runAsUser: 10001}\ncontainers: [{name: a}]")},
		{"is silent about objects without pods", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {a: b}}\n"},
	},
}
