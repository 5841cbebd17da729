package kubernetes

// hostFieldCases are those of a boolean field of the pod.
func hostFieldCases(field string) []ruleCase {
	return []ruleCase{
		{"fires on a Pod", pod("➤" + field + ": true")},
		{"fires on the boolean on", pod("➤" + field + ": on")},
		{"fires on a DaemonSet", inWorkload("apps/v1", "DaemonSet", "➤"+field+": true\ncontainers:\n  - name: app")},
		{"fires on a Knative Service", inWorkload("serving.knative.dev/v1", "Service", "➤"+field+": true\ncontainers:\n  - name: app")},
		{"fires on a PodTemplate", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: t}\ntemplate:\n  spec:\n    ➤" + field + ": true\n    containers: [{name: app}]\n"},
		{"fires in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"},\n \"spec\": {➤\"" + field + "\": true, \"containers\": [{\"name\": \"app\"}]}}\n"},
		{"is silent about false", pod(field + ": false")},
		{"is silent where nothing is said", bareContainer("")},
		{"is silent about null", pod(field + ":")},
		{"is silent about a field of the same name elsewhere", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nspec:\n  " + field + ": true\n"},
	}
}

var hostCases = map[string][]ruleCase{
	"k8s-host-pid":     hostFieldCases("hostPID"),
	"k8s-host-ipc":     hostFieldCases("hostIPC"),
	"k8s-host-network": hostFieldCases("hostNetwork"),
	"k8s-hostpath-sensitive": {
		{"fires on the root of the node", mount("➤path: /")},
		{"fires on etc", mount("➤path: /etc")},
		{"fires below the kubelet's directory", mount("➤path: /var/lib/kubelet/pods")},
		{"fires on a path with dots in it", mount("➤path: /var/../etc/ssh")},
		{"fires on a path with a slash at its end", mount("➤path: /proc/")},
		{"fires on the logs of all pods", mount("➤path: /var/log")},
		{"is silent about a directory made for data", mount("path: /srv/data")},
		{"is silent about a name that only begins like one", mount("path: /etcetera")},
		{"is silent about the time zone", mount("path: /etc/localtime")},
		{"is silent about the runtime's socket, which has its own rule", mount("path: /var/run/docker.sock")},
		{"is silent about other volumes", pod("volumes:\n  - name: etc\n    configMap: {name: etc}")},
	},
	"k8s-runtime-socket": {
		{"fires on Docker's socket", mount("➤path: /var/run/docker.sock")},
		{"fires on the other name of that directory", mount("➤path: /run/docker.sock")},
		{"fires on containerd's directory", mount("➤path: /run/containerd/")},
		{"fires on the socket of CRI-O", mount("➤path: /var/run/crio/crio.sock")},
		{"fires on the directory that holds all of them", mount("➤path: /var/run")},
		{"fires on the socket of k3s", mount("➤path: /run/k3s/containerd/containerd.sock")},
		{"is silent about another program's socket", mount("path: /var/run/app/app.sock")},
		{"is silent about the directory of lock files", mount("path: /run/lock")},
		{"is silent about a file of a similar name", mount("path: /srv/docker.sock.d")},
		{"is silent about an emptyDir mounted there", pod("volumes:\n  - name: run\n    emptyDir: {}")},
	},
}
