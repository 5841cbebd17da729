package kubernetes

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// hostShareRules are about volumes, ports and names that tie a pod to its
// node or to things outside of the cluster.
var hostShareRules = []rule{
	hostPort, hostPath, hostPathWritable, windowsHostProcess, probeHost, volumeType,
	hostUsers, shareProcessNamespace, hostAliases, sshPort, privilegedPort,
}

var hostPort = rule{
	Rule: rules.Rule{
		ID: "k8s-host-port", Aliases: []string{"KSV-0024", "C-0044", "CKV_K8S_26"},
		Title:        "Port of the node is taken",
		Severity:     finding.Medium,
		Why:          "A `hostPort` opens the container on the node's own addresses, past Services and often past NetworkPolicies, and ties the pod to nodes where the port is free.",
		Fix:          "Remove `hostPort` and publish the port by a Service.",
		WhenToIgnore: "Ingress controllers and node agents that are reached on each node.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, "cis-5.2.13", "nsa-network"},
		Bad:          withContainerField("ports:\n  - {containerPort: 8080, hostPort: 8080}"),
		Good:         withContainerField("ports:\n  - {containerPort: 8080}"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, port := range c.Place.At("ports").Items() {
			if at := port.At("hostPort"); at.Exists() && !isZero(at) {
				p.report(at, "Container %q takes port %s of the node; remove hostPort and publish the port by a Service.", c.Name, at.Text())
			}
		}
	},
}

// hostMounts returns the mounts of a volume, with a true where it is writable.
func hostMounts(pod *manifest.Pod, volume string) (mounts []*manifest.Place, writable bool) {
	for _, c := range pod.Containers {
		for _, m := range c.Place.At("volumeMounts").Items() {
			if m.At("name").Text() == volume {
				mounts = append(mounts, m)
				writable = writable || !m.At("readOnly").True()
			}
		}
	}
	return mounts, writable
}

var hostPath = rule{
	Rule: rules.Rule{
		ID: "k8s-hostpath", Aliases: []string{"KSV-0023", "C-0048"},
		Title:        "Directory of the node is mounted",
		Severity:     finding.Medium,
		Why:          "A `hostPath` volume shows the pod what lies on the node, ties it to that node and outlives it. Most ways out of a container begin with one.",
		Fix:          "Use a PersistentVolumeClaim, `emptyDir`, `configMap` or a `local` volume.",
		WhenToIgnore: "Node agents that read there by purpose; mount read-only.",
		References:   []string{docVolumes, docPSS},
		Tags:         []string{tagBaseline, tagEscape, "cis-5.2.12", "nsa-pod-security"},
		Bad:          withMount("hostPath: {path: /srv/data}", ", readOnly: true"),
		Good:         withMount("emptyDir: {}", ""),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		for _, v := range pod.Spec.At("volumes").Items() {
			host := v.At("hostPath")
			if host.Node == nil || host.Node.Kind != manifest.Map {
				continue
			}
			at := host.At("path")
			_, writable := hostMounts(pod, v.At("name").Text())
			_, bad := sensitive(at.Text())
			// Those have rules of their own.
			if !bad && !socketPath(at.Text()) && !writable {
				p.report(at, "Volume %q is the directory %q of the node; use a volume of the cluster instead.", v.At("name").Text(), at.Text())
			}
		}
	},
}

var hostPathWritable = rule{
	Rule: rules.Rule{
		ID: "k8s-hostpath-writable", Aliases: []string{"C-0045", "writable-host-mount"},
		Title:        "Directory of the node is mounted for writing",
		Severity:     finding.High,
		Why:          "What a container can write on the node outlives it and may be run or read there by others: a cron job, a library, a key. With root in the container that is the node.",
		Fix:          "Mount it with `readOnly: true`, or use a volume of the cluster.",
		WhenToIgnore: "Storage drivers and installers of node software.",
		References:   []string{docVolumes},
		Tags:         []string{tagEscape, "external/cwe/cwe-732", "cis-5.2.12", "nsa-pod-security", tagBaseline},
		Bad:          withMount("hostPath: {path: /srv/data}", ""),
		Good:         withMount("emptyDir: {}", ""),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, v := range c.Pod.Spec.At("volumes").Items() {
			if host := v.At("hostPath"); !host.Exists() || socketPath(host.At("path").Text()) {
				continue
			}
			for _, m := range c.Place.At("volumeMounts").Items() {
				if at := m.At("readOnly"); m.At("name").Text() == v.At("name").Text() && !at.True() {
					p.report(at, "Container %q can write to %q of the node; mount it with readOnly: true.", c.Name, v.At("hostPath", "path").Text())
				}
			}
		}
	},
}

var windowsHostProcess = rule{
	Rule: rules.Rule{
		ID: "k8s-windows-host-process", Aliases: []string{"KSV-0103", "C-0202"},
		Title:        "Container is a process of the Windows node",
		Severity:     finding.High,
		Why:          "A HostProcess container is not isolated at all: it runs on the Windows node with an account of the node.",
		Fix:          "Remove `hostProcess: true`.",
		WhenToIgnore: "Network plugins, storage drivers and node set-up on Windows.",
		References:   []string{docPSS, "https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/"},
		Tags:         []string{tagBaseline, tagEscape, "cis-5.2.11"},
		Bad:          hardened("        runAsGroup: 10001\n", "        runAsGroup: 10001\n        windowsOptions: {hostProcess: true}\n"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if at := pod.Spec.At(securityContext, "windowsOptions", "hostProcess"); at.True() {
			p.report(at, "The pod's containers are processes of the Windows node itself; remove hostProcess: true.")
		}
		for i := range pod.Containers {
			p.container = &pod.Containers[i]
			if at := p.container.Place.At(securityContext, "windowsOptions", "hostProcess"); at.True() {
				p.report(at, "Container %q is a process of the Windows node itself; remove hostProcess: true.", p.container.Name)
			}
		}
	},
}

// handlers are the fields of a container that make the kubelet connect.
var handlers = [][]string{
	{"livenessProbe"}, {"readinessProbe"}, {"startupProbe"}, {"lifecycle", "postStart"}, {"lifecycle", "preStop"},
}

var probeHost = rule{
	Rule: rules.Rule{
		ID:           "k8s-probe-host",
		Title:        "Probe makes the kubelet connect elsewhere",
		Severity:     finding.Medium,
		Why:          "With a `host` in a probe or hook the kubelet connects to that address from the node's network: whoever may create pods can so reach services that only nodes may.",
		Fix:          "Remove `host`; without it the kubelet asks the pod itself.",
		WhenToIgnore: "Pods with `hostNetwork` that listen on 127.0.0.1 only.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, "external/cwe/cwe-918", "external/mitre-attack/T1090"},
		Bad:          withContainerField("livenessProbe:\n  httpGet: {path: /healthz, port: 8080, host: 10.0.0.1}"),
		Good:         withContainerField("livenessProbe:\n  httpGet: {path: /healthz, port: 8080}"),
	},
	container: func(p *pass, c *manifest.Container) {
		if p.set.minor < 34 {
			return
		}
		for _, h := range handlers {
			for _, action := range []string{"httpGet", "tcpSocket"} {
				if at := c.Place.At(h...).At(action, "host"); at.Text() != "" {
					p.report(at, "The %s of container %q makes the node connect to %q; remove host.", strings.Join(h, "."), c.Name, at.Text())
				}
			}
		}
	},
}

// restrictedVolumes are the volume types that the level "restricted" allows.
var restrictedVolumes = []string{
	"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}

var volumeType = rule{
	Rule: rules.Rule{
		ID: "k8s-volume-type", Aliases: []string{"KSV-0028"},
		Title:        "Volume bypasses claims",
		Severity:     finding.Low,
		Why:          "A volume such as `nfs` or `iscsi` written into the pod names servers and credentials itself and passes by the checks that guard PersistentVolumes.",
		Fix:          "Use a PersistentVolumeClaim, or one of the types configMap, csi, downwardAPI, emptyDir, ephemeral, image, projected and secret.",
		WhenToIgnore: "Clusters without a storage class for that server.",
		References:   []string{docPSS},
		Tags:         []string{tagRestricted, "nsa-pod-security"},
		Bad:          withMount("nfs: {server: nfs.example, path: /data}", ""),
		Good:         withMount("emptyDir: {}", ""),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		for _, v := range pod.Spec.At("volumes").Items() {
			for _, source := range v.Fields() {
				name := source.Name()
				if name != "name" && name != "hostPath" && source.Exists() && !slices.Contains(restrictedVolumes, name) {
					p.report(source, "Volume %q is of the type %s, which passes by the cluster's storage; use a PersistentVolumeClaim.", v.At("name").Text(), name)
				}
			}
		}
	},
}

var hostUsers = rule{
	Rule: rules.Rule{
		ID:           "k8s-host-users",
		Title:        "Pod has no user namespace",
		Severity:     finding.Info,
		Why:          "With `hostUsers: false` root in the container is an ordinary user of the node: a process that breaks out can do little there.",
		Fix:          "Set `hostUsers: false` where nodes support it (Kubernetes 1.33 and later, Linux 6.3, containerd 2 or CRI-O).",
		WhenToIgnore: "Clusters and volumes that do not support user namespaces yet.",
		References:   []string{"https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/"},
		Tags:         []string{tagEscape, "nsa-pod-security"},
		Bad:          hardened("      hostUsers: false\n", ""),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		at := pod.Spec.At("hostUsers")
		// Only those that share nothing else with the node can have one, and
		// not before 1.33 without a feature gate.
		if at.False() || pod.Windows() || pod.Guessed || cloudRun(pod.Object) || sharesNode(pod) || p.set.minor < 33 || hasProcMount(pod) {
			return
		}
		p.report(at, "The pod's users are those of the node; set hostUsers: false so that root in a container is nobody outside of it.")
	},
}

func sharesNode(pod *manifest.Pod) bool {
	return pod.Spec.At("hostPID").True() || pod.Spec.At("hostIPC").True() || pod.Spec.At("hostNetwork").True()
}

// hasProcMount reports whether k8s-proc-mount asks for a user namespace.
func hasProcMount(pod *manifest.Pod) bool {
	return slices.ContainsFunc(pod.Containers, func(c manifest.Container) bool {
		text := c.Place.At(securityContext, "procMount").Text()
		return text != "" && text != "Default"
	})
}

var shareProcessNamespace = rule{
	Rule: rules.Rule{
		ID:           "k8s-share-process-namespace",
		Title:        "Containers of the pod share processes",
		Severity:     finding.Low,
		Why:          "With `shareProcessNamespace` each container sees the others' processes, their environment and, under /proc, their files, and may send them signals.",
		Fix:          "Remove `shareProcessNamespace: true`.",
		WhenToIgnore: "Sidecars that reload a program by a signal.",
		References:   []string{"https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/"},
		Tags:         []string{"external/mitre-attack/T1057"},
		Bad:          withPodField("shareProcessNamespace: true"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if at := pod.Spec.At("shareProcessNamespace"); at.True() {
			p.report(at, "The pod's containers see each other's processes and files; remove shareProcessNamespace: true.")
		}
	},
}

var hostAliases = rule{
	Rule: rules.Rule{
		ID: "k8s-host-aliases", Aliases: []string{"KSV-0007"},
		Title:        "Names are resolved past DNS",
		Severity:     finding.Info,
		Why:          "`hostAliases` sends traffic for a name to a fixed address, which nobody notices when the name moves, and which can divert it on purpose.",
		Fix:          "Use a Service or DNS for the name.",
		WhenToIgnore: "Names that DNS does not have and cannot get.",
		References:   []string{"https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/"},
		Tags:         []string{"external/mitre-attack/T1565"},
		Bad:          withPodField("hostAliases:\n  - {ip: 10.0.0.7, hostnames: [db.example]}"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		at := pod.Spec.At("hostAliases")
		for _, alias := range at.Items() {
			ip, err := netip.ParseAddr(alias.At("ip").Text())
			if err == nil && ip.IsLoopback() {
				continue
			}
			p.report(at, "The pod resolves names by hostAliases instead of DNS; use a Service.")
			return
		}
	},
}

var sshPort = rule{
	Rule: rules.Rule{
		ID: "k8s-ssh-port", Aliases: []string{"C-0042", "ssh-port"},
		Title:        "Container listens for SSH",
		Severity:     finding.Low,
		Why:          "An SSH server in a container is a second way in, with keys of its own, that the cluster's access control and audit log do not see.",
		Fix:          "Remove the server and the port; use `kubectl exec`, which is controlled and logged.",
		WhenToIgnore: "Containers whose service is SSH, such as Git or SFTP servers.",
		References:   []string{docNSA},
		Tags:         []string{"external/mitre-attack/T1021"},
		Bad:          withContainerField("ports:\n  - {containerPort: 22}"),
		Good:         withContainerField("ports:\n  - {containerPort: 8443}"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, port := range c.Place.At("ports").Items() {
			at := port.At("containerPort")
			if n, ok := at.Int(); ok && n == 22 && !strings.EqualFold(port.At("protocol").Text(), "UDP") {
				p.report(at, "Container %q listens on port 22 for SSH; remove the server and use kubectl exec.", c.Name)
			}
		}
	},
}

var privilegedPort = rule{
	Rule: rules.Rule{
		ID: "k8s-privileged-port", Aliases: []string{"KSV-0117", "privileged-ports"},
		Title:        "Container listens on a port below 1024",
		Severity:     finding.Info,
		Why:          "Ports below 1024 need root or NET_BIND_SERVICE on many systems, which is one more reason for a container to run with privileges that it should not have.",
		Fix:          "Listen on a port above 1023 and let the Service map it.",
		WhenToIgnore: "Protocols with a fixed port, such as DNS.",
		References:   []string{docService},
		Bad:          withContainerField("ports:\n  - {containerPort: 443}"),
		Good:         withContainerField("ports:\n  - {containerPort: 8443}"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, port := range c.Place.At("ports").Items() {
			at := port.At("containerPort")
			if n, ok := at.Int(); ok && n > 0 && n < 1024 && n != 22 {
				p.report(at, "Container %q listens on port %d; use one above 1023 and let the Service map it.", c.Name, n)
			}
		}
	},
}
