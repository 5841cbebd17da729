package kubernetes

func ports(list string) string { return container("ports:\n  - " + list) }

// mounted is a pod with a directory of the node and a mount of it.
func mounted(source, mount string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  volumes:\n    - name: v\n      " + source + "\n  containers:\n    - name: app\n      volumeMounts:\n        - " + mount + "\n"
}

func podFlagCases(field, value string) []ruleCase {
	return []ruleCase{
		{"fires on a Pod", pod("➤" + field + ": " + value)},
		{"fires on a Deployment", inWorkload("apps/v1", "Deployment", "➤"+field+": "+value+"\ncontainers: [{name: a}]")},
		{"fires on a CronJob", inWorkload("batch/v1", "CronJob", "➤"+field+": "+value+"\ncontainers: [{name: a}]")},
		{"fires on a CloneSet", inWorkload("apps.kruise.io/v1alpha1", "CloneSet", "➤"+field+": "+value+"\ncontainers: [{name: a}]")},
		{"is silent where nothing is said", bareContainer("")},
		{"is silent about null", pod(field + ": null")},
		{"is silent about a Service", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: ClusterIP}\n"},
	}
}

var hostShareCases = map[string][]ruleCase{
	"k8s-host-port": {
		{"fires on a port of the node", ports("{containerPort: 80, ➤hostPort: 80}")},
		{"fires on each", ports("➤hostPort: 80\n  - ➤hostPort: 81")},
		{"fires on an init container", pod("initContainers:\n  - name: i\n    ports: [{➤hostPort: 99}]")},
		{"fires on a port in quotes, whatever the server makes of it", ports("➤hostPort: \"80\"")},
		{"is silent about a port of the container", ports("containerPort: 80")},
		{"is silent about zero, which means none", ports("{containerPort: 80, hostPort: 0}")},
		{"is silent about null", ports("{containerPort: 80, hostPort: null}")},
		{"is silent about an empty list", container("ports: []")},
	},
	"k8s-hostpath": {
		{"fires on a directory that is mounted read-only", mounted("hostPath: {➤path: /srv}", "{name: v, mountPath: /s, readOnly: true}")},
		{"fires on a directory that nobody mounts", mount("➤path: /opt/data")},
		{"fires at the key where the path is missing", pod("volumes:\n  - name: v\n    ➤hostPath: {}")},
		{"fires in a DaemonSet", inWorkload("apps/v1", "DaemonSet", "volumes: [{name: v, hostPath: {➤path: /mnt}}]\ncontainers: [{name: a}]")},
		{"is silent about a directory that is written, which another rule reports", mounted("hostPath: {path: /srv}", "{name: v, mountPath: /s}")},
		{"is silent about a sensitive one, which another rule reports", mount("path: /etc")},
		{"is silent about an emptyDir", pod("volumes: [{name: v, emptyDir: {}}]")},
		{"is silent about a claim", pod("volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]")},
	},
	"k8s-hostpath-writable": {
		{"fires at the mount that leaves readOnly out", mounted("hostPath: {path: /srv}", "{➤name: v, mountPath: /s}")},
		{"fires at false", mounted("hostPath: {path: /srv}", "{name: v, mountPath: /s, ➤readOnly: false}")},
		{"fires on sensitive directories as well", mounted("hostPath: {path: /etc}", "➤name: v\n          mountPath: /s")},
		{"fires for each mount", mounted("hostPath: {path: /srv}", "{➤name: v, mountPath: /s}\n        - {➤name: v, mountPath: /t}")},
		{"is silent about a mount for reading", mounted("hostPath: {path: /srv}", "{name: v, mountPath: /s, readOnly: true}")},
		{"is silent about an emptyDir", mounted("emptyDir: {}", "{name: v, mountPath: /s}")},
		{"is silent about a volume that is not mounted", mount("path: /srv")},
		{"is silent about a runtime's socket, which another rule reports", mounted("hostPath: {path: /run/docker.sock}", "{name: v, mountPath: /s}")},
		{"is silent about another volume's mount", mounted("hostPath: {path: /srv}", "{name: other, mountPath: /s}")},
	},
	"k8s-windows-host-process": {
		{"fires on the pod", podSC("windowsOptions: {➤hostProcess: true}")},
		{"fires on the container", containerSC("windowsOptions:\n  ➤hostProcess: true")},
		{"fires on an init container", pod("initContainers:\n  - name: i\n    securityContext: {windowsOptions: {➤hostProcess: true}}")},
		{"fires on a DaemonSet for Windows", inWorkload("apps/v1", "DaemonSet", windows+"\nsecurityContext: {windowsOptions: {➤hostProcess: true}}\ncontainers: [{name: a}]")},
		{"is silent about false", podSC("windowsOptions: {hostProcess: false}")},
		{"is silent about other options", podSC("windowsOptions: {runAsUserName: ContainerUser}")},
		{"is silent where nothing is said", bareContainer("")},
		{"is silent about null", containerSC("windowsOptions: {hostProcess: null}")},
	},
	"k8s-probe-host": {
		{"fires on a liveness probe", container("livenessProbe: {httpGet: {port: 80, ➤host: 10.0.0.1}}")},
		{"fires on a TCP probe", container("readinessProbe:\n  tcpSocket: {port: 80, ➤host: metadata.internal}")},
		{"fires on a startup probe", container("startupProbe: {httpGet: {➤host: a, port: 80}}")},
		{"fires on a hook", container("lifecycle: {preStop: {httpGet: {➤host: a, port: 80}}}")},
		{"is silent without a host", container("livenessProbe: {httpGet: {port: 80}}")},
		{"is silent about an empty host", container("livenessProbe: {httpGet: {port: 80, host: \"\"}}")},
		{"is silent about a header of that name", container("livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: Host, value: a}]}}")},
		{"is silent about a command", container("livenessProbe: {exec: {command: [check]}}")},
	},
	"k8s-volume-type": {
		{"fires on NFS", pod("volumes: [{name: v, ➤nfs: {server: a, path: /}}]")},
		{"fires on iSCSI", pod("volumes:\n  - name: v\n    ➤iscsi: {targetPortal: a}")},
		{"fires on a Git repository", pod("volumes: [{name: v, ➤gitRepo: {repository: a}}]")},
		{"fires on each of two", pod("volumes: [{name: v, ➤rbd: {}}, {name: w, ➤cephfs: {}}]")},
		{"is silent about configMap and secret", pod("volumes: [{name: v, configMap: {name: c}}, {name: w, secret: {secretName: s}}]")},
		{"is silent about an image", pod("volumes: [{name: v, image: {reference: a}}]")},
		{"is silent about hostPath, which another rule reports", mount("path: /srv")},
		{"is silent about a volume without a source, which is an emptyDir", pod("volumes: [{name: v}]")},
	},
	"k8s-host-users": {
		{"fires at the spec of a pod that says nothing", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n➤spec:\n  containers: [{name: a}]\n"},
		{"fires at true", pod("➤hostUsers: true")},
		{"fires at null", pod("➤hostUsers: null")},
		{"fires in a Job", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  template:\n    ➤spec:\n      containers: [{name: a}]\n"},
		{"is silent about false", pod("hostUsers: false")},
		{"is silent about a pod in the node's network, which cannot have one", pod("hostNetwork: true")},
		{"is silent about a pod with the node's processes", pod("hostPID: true")},
		{"is silent about Windows", pod(windows)},
	},
	"k8s-share-process-namespace": append(podFlagCases("shareProcessNamespace", "true"), ruleCase{"is silent about false", pod("shareProcessNamespace: false")}),
	"k8s-host-aliases": append(podFlagCases("hostAliases", "[{ip: 10.0.0.1, hostnames: [db]}]"),
		ruleCase{"is silent about the pod itself", pod("hostAliases: [{ip: 127.0.0.1, hostnames: [me]}]")}),
	"k8s-ssh-port": {
		{"fires on port 22", ports("➤containerPort: 22")},
		{"fires on port 22 over TCP", ports("{➤containerPort: 22, protocol: TCP}")},
		{"fires on port 22 among others", ports("containerPort: 80\n  - ➤containerPort: 22")},
		{"fires on an init container", pod("initContainers: [{name: i, ports: [{➤containerPort: 22}]}]")},
		{"is silent about 2222", ports("containerPort: 2222")},
		{"is silent about port 22 over UDP", ports("{containerPort: 22, protocol: UDP}")},
		{"is silent without ports", bareContainer("")},
		{"is silent about the port of a Service", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 22}]}\n"},
	},
	"k8s-privileged-port": {
		{"fires on port 80", ports("➤containerPort: 80")},
		{"fires on port 443", ports("{name: https, ➤containerPort: 443}")},
		{"fires on port 1023", ports("➤containerPort: 1023")},
		{"fires on port 53 over UDP", ports("{➤containerPort: 53, protocol: UDP}")},
		{"is silent about port 1024", ports("containerPort: 1024")},
		{"is silent about port 22, which another rule reports", ports("containerPort: 22")},
		{"is silent without ports", bareContainer("")},
		{"is silent about a name", ports("name: http")},
	},
}
