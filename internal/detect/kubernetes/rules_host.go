package kubernetes

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// hostRules are about what a pod shares with its node.
var hostRules = []rule{
	hostPID, hostIPC, hostNetwork, hostPathSensitive, runtimeSocket,
}

var hostPID = rule{
	Rule: rules.Rule{
		ID: "k8s-host-pid", Aliases: []string{"KSV-0010", "C-0038", "CKV_K8S_17", "host-pid"},
		Title:        "Pod shares the node's process ids",
		Severity:     finding.High,
		Why:          "With `hostPID` the containers see all processes of the node, can read their environment and command lines, and as root can enter or kill them.",
		Fix:          "Remove `hostPID: true`.",
		WhenToIgnore: "Monitoring and debugging agents whose purpose is to look at the node's processes.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.3", "nsa-pod-security"},
		Bad:          hardened("hostUsers: false", "hostPID: true"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if at := pod.Spec.At("hostPID"); at.True() {
			p.reportPower(pod, at, "The pod shares the node's process ids and sees every process of the node; remove hostPID: true.")
		}
	},
}

var hostIPC = rule{
	Rule: rules.Rule{
		ID: "k8s-host-ipc", Aliases: []string{"KSV-0008", "C-0038", "CKV_K8S_18", "host-ipc"},
		Title:        "Pod shares the node's inter-process communication",
		Severity:     finding.High,
		Why:          "With `hostIPC` the containers can read and write shared memory, semaphores and message queues of the node's own processes and of other pods that share it.",
		Fix:          "Remove `hostIPC: true`; containers of one pod share memory without it.",
		WhenToIgnore: "Software that exchanges data with a process of the node through shared memory.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.4", "nsa-pod-security"},
		Bad:          hardened("hostUsers: false", "hostIPC: true"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if at := pod.Spec.At("hostIPC"); at.True() {
			p.reportPower(pod, at, "The pod shares the node's inter-process communication and can read other processes' shared memory; remove hostIPC: true.")
		}
	},
}

var hostNetwork = rule{
	Rule: rules.Rule{
		ID: "k8s-host-network", Aliases: []string{"KSV-0009", "C-0041", "CKV_K8S_19", "host-network"},
		Title:    "Pod uses the node's network",
		Severity: finding.High,
		Why: "With `hostNetwork` no NetworkPolicy applies to the pod. It can listen on all interfaces of the node, read its traffic " +
			"and reach services that listen on localhost only, the kubelet among them.",
		Fix:          "Remove `hostNetwork: true` and publish ports by a Service.",
		WhenToIgnore: "Network plugins, node agents and ingress controllers that must use the node's addresses.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, "external/mitre-attack/T1040", tagPrivilege, "cis-5.2.5", "nsa-pod-security"},
		Bad:          hardened("hostUsers: false", "hostNetwork: true"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if at := pod.Spec.At("hostNetwork"); at.True() {
			p.reportPower(pod, at, "The pod uses the node's network, where no NetworkPolicy applies and local services are open to it; remove hostNetwork: true and publish ports by a Service.")
		}
	},
}

// hostPaths returns the volumes that are directories or files of the node.
func hostPaths(pod *manifest.Pod) []*manifest.Place {
	var at []*manifest.Place
	for _, v := range pod.Spec.At("volumes").Items() {
		if host := v.At("hostPath"); host.Exists() {
			at = append(at, host.At("path"))
		}
	}
	return at
}

// runtimeSockets are the sockets over which the node's container runtime takes
// orders, under /var/run or its other name /run.
var runtimeSockets = []string{
	"/run/docker.sock", "/run/docker",
	"/run/containerd/containerd.sock", "/run/containerd",
	"/run/k3s/containerd/containerd.sock", "/run/k3s/containerd",
	"/run/crio/crio.sock", "/run/crio",
	"/run/cri-dockerd.sock", "/run/podman/podman.sock", "/run/podman",
	"/run/dockershim.sock", "/run",
}

var runtimeSocket = rule{
	Rule: rules.Rule{
		ID: "k8s-runtime-socket", Aliases: []string{"KSV-0006", "C-0074", "CKV_K8S_27", "docker-sock"},
		Title:    "Container runtime socket is mounted",
		Severity: finding.Critical,
		Why: "Whoever can talk to the socket of Docker, containerd or CRI-O can start a privileged container with the node's root " +
			"file system in it. The socket, and each directory that holds it, is the same as root on the node.",
		Fix:          "Do not mount the socket. Build images with a rootless builder, and get metrics from the kubelet's API.",
		WhenToIgnore: "Node agents that must manage containers; give them a namespace and an admission policy of their own.",
		References:   []string{docVolumes},
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.12", "nsa-pod-security"},
		Bad:          withMount("hostPath: {path: /var/run/docker.sock}", ", readOnly: true"),
		Good:         withMount("emptyDir: {}", ""),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		for _, at := range hostPaths(pod) {
			if socketPath(at.Text()) {
				p.report(at, "The pod mounts %q of the node, through which the container runtime takes orders: that is root on the node; remove the volume.", at.Text())
			}
		}
	},
}

// cleanHostPath resolves dots and slashes, and /var/run to /run, of which it
// is another name on every node.
func cleanHostPath(p string) string {
	if p == "" {
		return ""
	}
	p = path.Clean("/" + p)
	if p == "/var/run" || strings.HasPrefix(p, "/var/run/") {
		return strings.TrimPrefix(p, "/var")
	}
	return p
}

func socketPath(p string) bool {
	return p != "" && slices.Contains(runtimeSockets, cleanHostPath(p))
}

// sensitivePaths are the directories of a node that give it away. A volume
// inside of one with a true in tree counts as well.
var sensitivePaths = []struct {
	path string
	tree bool
}{
	{"/", false},
	{"/boot", true},
	{"/dev", false},
	{"/etc", true},
	{"/home", true},
	{"/lib", false},
	{"/proc", true},
	{"/root", true},
	{"/sys", true},
	{"/usr", false},
	{"/var", false},
	{"/var/lib", false},
	{"/var/log", false},
	{"/var/lib/kubelet", true},
	{"/var/lib/docker", true},
	{"/var/lib/containerd", true},
	{"/var/lib/etcd", true},
	{"/var/lib/rancher", true},
}

// harmlessPaths lie in sensitive directories and hold nothing secret: time
// zone and the machine's id, which many workloads mount read-only.
var harmlessPaths = []string{"/etc/localtime", "/etc/timezone", "/etc/machine-id", "/etc/os-release"}

var hostPathSensitive = rule{
	Rule: rules.Rule{
		ID: "k8s-hostpath-sensitive", Aliases: []string{"KSV-0121", "sensitive-host-mounts"},
		Title:    "Sensitive directory of the node is mounted",
		Severity: finding.High,
		Why: "Directories such as `/etc`, `/root`, `/proc` or the kubelet's hold the node's keys, credentials and configuration. " +
			"Reading them is often enough to take over the node; writing always is.",
		Fix:          "Mount a `configMap`, `secret`, `projected` or `emptyDir` volume instead, or the single harmless file that is needed.",
		WhenToIgnore: "Node agents (log shippers, metrics exporters, storage drivers) whose purpose is to read there; mount read-only.",
		References:   []string{docVolumes, docPSS},
		Tags:         []string{tagBaseline, tagEscape, "external/cwe/cwe-668", "cis-5.2.12", "nsa-pod-security"},
		Bad:          withMount("hostPath: {path: /etc/kubernetes}", ", readOnly: true"),
		Good:         withMount("emptyDir: {}", ""),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		for _, at := range hostPaths(pod) {
			if dir, hit := sensitive(at.Text()); hit {
				p.report(at, "The pod mounts %q of the node, in which the node keeps what protects it (%s); use a volume of the cluster instead.", at.Text(), dir)
			}
		}
	},
}

// sensitive returns the sensitive directory that a path is or lies in.
func sensitive(p string) (string, bool) {
	clean := cleanHostPath(p)
	if clean == "" || socketPath(p) || slices.Contains(harmlessPaths, clean) {
		return "", false
	}
	for _, s := range sensitivePaths {
		if clean == s.path || s.tree && strings.HasPrefix(clean, s.path+"/") {
			return s.path, true
		}
	}
	return "", false
}
