package kubernetes

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// profileRules are about the confinement that the kernel's security modules
// give: seccomp, AppArmor, SELinux, masked files under /proc, sysctls.
var profileRules = []rule{
	seccompMissing, appArmorUnconfined, appArmorMissing, seLinuxOptions, procMount, unsafeSysctl,
	securityContextMissing,
}

var seccompMissing = rule{
	Rule: rules.Rule{
		ID: "k8s-seccomp-missing", Aliases: []string{"KSV-0030", "C-0210", "CKV_K8S_31"},
		Title:        "No seccomp profile is set",
		Severity:     finding.Medium,
		Why:          "Without a profile most clusters run the container with every system call of the kernel open to it, `kubectl debug` and exploits included.",
		Fix:          "Set `seccompProfile: {type: RuntimeDefault}` in the pod's `securityContext`.",
		WhenToIgnore: "Clusters whose kubelets run with `--seccomp-default`.",
		References:   []string{docPSS, docSeccomp},
		Tags:         []string{tagRestricted, "cis-5.7.2", "nsa-pod-security"},
		Bad:          hardened("        seccompProfile: {type: RuntimeDefault}\n", ""),
		Good:         hardenedWorkload,
	},
	container: checkSeccompMissing,
}

func checkSeccompMissing(p *pass, c *manifest.Container) {
	at := effective(c, "seccompProfile", "type")
	if p.set.exempts(c.Pod.Windows()) || c.Place.At(securityContext, "privileged").True() {
		return
	}
	switch at.Text() {
	case "RuntimeDefault", "Localhost", "Unconfined":
		// Unconfined is for k8s-seccomp-unconfined.
	case "":
		if legacySeccomp(c) {
			return
		}
		p.report(at, "Container %q runs without a seccomp profile; add seccompProfile: {type: RuntimeDefault} to its pod's securityContext.", c.Name)
	default:
		p.report(at, "%q is no type of seccomp profile; use RuntimeDefault or Localhost.", at.Text())
	}
}

// legacySeccomp reports whether an annotation from before 1.19 says what the
// field should.
func legacySeccomp(c *manifest.Container) bool {
	return c.Pod.Annotation("seccomp.security.alpha.kubernetes.io/pod").Exists() ||
		c.Pod.Annotation("container.seccomp.security.alpha.kubernetes.io/"+c.Name).Exists()
}

const appArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/"

var appArmorUnconfined = rule{
	Rule: rules.Rule{
		ID: "k8s-apparmor-unconfined", Aliases: []string{"KSV-0002"},
		Title:        "AppArmor is switched off",
		Severity:     finding.High,
		Why:          "The runtime's default AppArmor profile keeps processes from mounting, from writing to /proc and /sys and from reaching the node's files. Unconfined, nothing of that holds.",
		Fix:          "Use `appArmorProfile: {type: RuntimeDefault}`, or a `Localhost` profile.",
		WhenToIgnore: "Software that mounts file systems and has been given a node of its own.",
		References:   []string{docPSS, docAppArmor},
		Tags:         []string{tagBaseline, "external/mitre-attack/T1562", "cis-5.7.3", "nsa-pod-security"},
		Bad:          hardened("appArmorProfile: {type: RuntimeDefault}", "appArmorProfile: {type: Unconfined}"),
		Good:         hardenedWorkload,
	},
	pod: checkAppArmorUnconfined,
}

func checkAppArmorUnconfined(p *pass, pod *manifest.Pod) {
	const message = "%s sets the AppArmor profile %q, which does not confine; use RuntimeDefault or a Localhost profile."
	check := func(who string, at *manifest.Place) {
		if at.Exists() && !slices.Contains([]string{"RuntimeDefault", "Localhost"}, at.Text()) {
			p.report(at, message, who, at.Text())
		}
	}
	check("The pod", pod.Spec.At(securityContext, "appArmorProfile", "type"))
	for i := range pod.Containers {
		p.container = &pod.Containers[i]
		check("Container "+p.container.Name, p.container.Place.At(securityContext, "appArmorProfile", "type"))
	}
	p.container = nil
	for _, a := range pod.Metadata().At("annotations").Fields() {
		value := a.Text()
		if strings.HasPrefix(a.Name(), appArmorAnnotation) && value != "" && value != "runtime/default" && !strings.HasPrefix(value, "localhost/") {
			p.report(a, message, "The annotation", value)
		}
	}
}

var appArmorMissing = rule{
	Rule: rules.Rule{
		ID: "k8s-apparmor-missing", Aliases: []string{"C-0055"},
		Title:        "No AppArmor profile is set",
		Severity:     finding.Info,
		Why:          "Where nodes have AppArmor, runtimes apply their default profile to most containers. Saying so in the manifest makes sure of it and makes the pod fail where it cannot be had.",
		Fix:          "Set `appArmorProfile: {type: RuntimeDefault}` in the pod's `securityContext` (Kubernetes 1.30 and later).",
		WhenToIgnore: "Nodes with SELinux instead of AppArmor.",
		References:   []string{docAppArmor},
		Tags:         []string{"cis-5.7.3", "nsa-pod-security"},
		Bad:          hardened("        appArmorProfile: {type: RuntimeDefault}\n", ""),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := effective(c, "appArmorProfile", "type")
		if at.Exists() || c.Pod.Windows() || c.Place.At(securityContext, "privileged").True() || c.Pod.Annotation(appArmorAnnotation+c.Name).Exists() {
			return
		}
		p.report(at, "Container %q names no AppArmor profile; add appArmorProfile: {type: RuntimeDefault} to its pod's securityContext.", c.Name)
	},
}

// seLinuxTypes are the types that the baseline allows, the last one from 1.31.
var seLinuxTypes = []string{"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}

var seLinuxOptions = rule{
	Rule: rules.Rule{
		ID: "k8s-selinux-options", Aliases: []string{"KSV-0025"},
		Title:        "SELinux confinement is changed",
		Severity:     finding.Medium,
		Why:          "A user, role or type of SELinux other than the container ones, `spc_t` above all, takes the wall away that keeps a process which has broken out from the node's files.",
		Fix:          "Leave `user` and `role` out, and use one of the types container_t, container_init_t, container_kvm_t or container_engine_t.",
		WhenToIgnore: "Node agents with a policy of their own that is as narrow.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, "cis-5.7.3", "nsa-pod-security"},
		Bad:          hardened("        runAsGroup: 10001\n", "        runAsGroup: 10001\n        seLinuxOptions: {type: spc_t}\n"),
		Good:         hardened("        runAsGroup: 10001\n", "        runAsGroup: 10001\n        seLinuxOptions: {type: container_t}\n"),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		checkSELinux(p, pod.Spec)
		for i := range pod.Containers {
			p.container = &pod.Containers[i]
			checkSELinux(p, p.container.Place)
		}
	},
}

func checkSELinux(p *pass, owner *manifest.Place) {
	options := owner.At(securityContext, "seLinuxOptions")
	allowed := seLinuxTypes
	if p.set.minor < 31 {
		allowed = seLinuxTypes[:4]
	}
	if at := options.At("type"); !slices.Contains(allowed, at.Text()) {
		p.report(at, "The SELinux type %q does not confine a container; use container_t or leave it out.", at.Text())
	}
	for _, key := range []string{"user", "role"} {
		if at := options.At(key); at.Text() != "" {
			p.report(at, "The SELinux %s is changed to %q; leave it out.", key, at.Text())
		}
	}
}

var procMount = rule{
	Rule: rules.Rule{
		ID: "k8s-proc-mount", Aliases: []string{"KSV-0027", "unsafe-proc-mount"},
		Title:        "Protected parts of /proc are open",
		Severity:     finding.Medium,
		Why:          "Runtimes hide the parts of /proc through which a container can read the kernel's memory or change the node. `procMount: Unmasked` shows them.",
		Fix:          "Remove `procMount`, or use it together with `hostUsers: false` on Kubernetes 1.35 and later.",
		WhenToIgnore: "Containers that run containers themselves.",
		References:   []string{docPSS},
		Tags:         []string{tagBaseline, "nsa-pod-security"},
		Bad:          hardened("            readOnlyRootFilesystem: true\n", "            readOnlyRootFilesystem: true\n            procMount: Unmasked\n", "hostUsers: false", "hostPID: false\n      hostUsers: true"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At(securityContext, "procMount")
		if at.Text() == "" || at.Text() == "Default" || p.set.opts.PodSecurity != Restricted && p.set.minor >= 35 && c.Pod.Spec.At("hostUsers").False() {
			return
		}
		p.report(at, "Container %q sees all of /proc, through which the node can be changed; remove procMount: %s.", c.Name, at.Text())
	},
}

// safeSysctls are those that are namespaced and isolated, with the first minor
// version that allows them.
var safeSysctls = map[string]int{
	"kernel.shm_rmid_forced": 0, "net.ipv4.ip_local_port_range": 0, "net.ipv4.tcp_syncookies": 0,
	"net.ipv4.ping_group_range": 0, "net.ipv4.ip_unprivileged_port_start": 0,
	"net.ipv4.ip_local_reserved_ports": 27,
	"net.ipv4.tcp_keepalive_time":      29, "net.ipv4.tcp_fin_timeout": 29, "net.ipv4.tcp_keepalive_intvl": 29, "net.ipv4.tcp_keepalive_probes": 29,
	"net.ipv4.tcp_rmem": 32, "net.ipv4.tcp_wmem": 32,
	"net.ipv4.tcp_slow_start_after_idle": 37, "net.ipv4.tcp_notsent_lowat": 37,
}

var unsafeSysctl = rule{
	Rule: rules.Rule{
		ID: "k8s-unsafe-sysctl", Aliases: []string{"KSV-0026", "unsafe-sysctls"},
		Title:        "Unsafe kernel parameter is set",
		Severity:     finding.Medium,
		Why:          "Kernel parameters outside of the safe list are shared with the node or can starve it: one pod then disturbs all others.",
		Fix:          "Remove the sysctl, or set it on nodes of their own by the kubelet's configuration.",
		WhenToIgnore: "Databases and network functions on nodes that the kubelet allows them for.",
		References:   []string{"https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/", docPSS},
		Tags:         []string{tagBaseline, "nsa-pod-security"},
		Bad:          hardened("        runAsGroup: 10001\n", "        runAsGroup: 10001\n        sysctls:\n          - {name: kernel.msgmax, value: \"65536\"}\n"),
		Good:         hardened("        runAsGroup: 10001\n", "        runAsGroup: 10001\n        sysctls:\n          - {name: net.ipv4.tcp_syncookies, value: \"1\"}\n"),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		for _, s := range pod.Spec.At(securityContext, "sysctls").Items() {
			at := s.At("name")
			if since, safe := safeSysctls[at.Text()]; !safe || p.set.minor < since {
				p.report(at, "The kernel parameter %q is not one of the safe ones; remove it.", at.Text())
			}
		}
	},
}

var securityContextMissing = rule{
	Rule: rules.Rule{
		ID: "k8s-security-context-missing", Aliases: []string{"KSV-0118", "C-0211", "CKV_K8S_29", "CKV_K8S_30"},
		Title:        "Pod has no securityContext",
		Severity:     finding.Info,
		Why:          "What the pod's `securityContext` says holds for all containers, also for those that are added later or injected by a mesh. Without it each container starts from the runtime's defaults.",
		Fix:          "Put `runAsNonRoot`, `runAsUser` and `seccompProfile` into the pod's `securityContext`.",
		WhenToIgnore: "Pods whose containers need settings that differ in everything.",
		References:   []string{docSecurityContext},
		Tags:         []string{"cis-5.7.3", "nsa-pod-security"},
		Bad: hardened(`      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
        appArmorProfile: {type: RuntimeDefault}
`, "", "            allowPrivilegeEscalation: false\n", `            runAsNonRoot: true
            runAsUser: 10001
            runAsGroup: 10001
            seccompProfile: {type: RuntimeDefault}
            appArmorProfile: {type: RuntimeDefault}
            allowPrivilegeEscalation: false
`),
		Good: hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		at := pod.Spec.At(securityContext)
		if !at.Exists() || at.Node.Kind == manifest.Map && len(at.Node.Fields()) == 0 {
			p.report(at, "The pod has no securityContext, so each container starts from the runtime's defaults; set runAsNonRoot, runAsUser and seccompProfile there.")
		}
	},
}
