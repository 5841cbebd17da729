package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// privilegeRules are about what a container may do to its own node's kernel.
var privilegeRules = []rule{
	privileged, privilegeEscalation, readOnlyRootFS, seccompUnconfined,
}

const securityContext = "securityContext"

var privileged = rule{
	Rule: rules.Rule{
		ID: "k8s-privileged", Aliases: []string{"KSV-0017", "C-0057", "CKV_K8S_16", "privileged-container"},
		Title:    "Container is privileged",
		Severity: finding.Critical,
		Why: "A privileged container has every capability, all devices of the node and no seccomp, AppArmor or SELinux confinement. " +
			"Whoever takes over the process owns the node, and with it the other pods' secrets.",
		Fix:          "Remove `privileged: true`. Add the one capability or device that the process needs instead.",
		WhenToIgnore: "Node agents that must load kernel modules or set up the network of the node, in a namespace of their own.",
		References:   []string{docPSS, docSecurityContext},
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.2", "nsa-pod-security"},
		Bad:          hardened("allowPrivilegeEscalation: false", "privileged: true"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		if at := c.Place.At(securityContext, "privileged"); at.True() {
			p.reportPower(c.Pod, at, "Container %q runs privileged, which gives it the whole node; remove privileged: true and grant the single capability or device that it needs.", c.Name)
		}
	},
}

var privilegeEscalation = rule{
	Rule: rules.Rule{
		ID: "k8s-privilege-escalation", Aliases: []string{"KSV-0001", "C-0016", "CKV_K8S_20", "privilege-escalation-container"},
		Title:    "Processes may gain privileges",
		Severity: finding.Medium,
		Why: "Without `allowPrivilegeEscalation: false` the kernel's no_new_privs flag is not set: a setuid program or a file with " +
			"capabilities in the image turns an ordinary process into root.",
		Fix:          "Set `securityContext.allowPrivilegeEscalation: false` on every container.",
		WhenToIgnore: "Images that need sudo or a setuid helper and cannot be changed.",
		References:   []string{docPSS, docSecurityContext},
		Tags:         []string{tagRestricted, "external/mitre-attack/T1548", tagPrivilege, "cis-5.2.6", "nsa-pod-security"},
		Bad:          hardened("            allowPrivilegeEscalation: false\n", ""),
		Good:         hardenedWorkload,
	},
	container: checkPrivilegeEscalation,
}

func checkPrivilegeEscalation(p *pass, c *manifest.Container) {
	at := c.Place.At(securityContext, "allowPrivilegeEscalation")
	// A privileged container has all there is to gain: k8s-privileged says so.
	if at.False() || p.set.exempts(c.Pod.Windows()) || c.Place.At(securityContext, "privileged").True() {
		return
	}
	if at.Exists() {
		p.report(at, "Container %q lets its processes gain privileges; set allowPrivilegeEscalation: false.", c.Name)
		return
	}
	p.report(at, "Container %q does not forbid its processes to gain privileges; add allowPrivilegeEscalation: false to its securityContext.", c.Name)
}

var readOnlyRootFS = rule{
	Rule: rules.Rule{
		ID: "k8s-read-only-root-fs", Aliases: []string{"KSV-0014", "C-0017", "CKV_K8S_22", "no-read-only-root-fs"},
		Title:    "Root file system is writable",
		Severity: finding.Low,
		Why: "An intruder in a container with a writable root file system can replace programs, drop tools and change configuration. " +
			"A read-only one makes that much harder and shows what the program really writes.",
		Fix:          "Set `securityContext.readOnlyRootFilesystem: true` and mount an `emptyDir` where the program must write.",
		WhenToIgnore: "Programs that write all over their installation and cannot be changed.",
		References:   []string{docSecurityContext, docNSA},
		Tags:         []string{"external/cwe/cwe-732", "external/mitre-attack/T1525", "nsa-pod-security"},
		Bad:          hardened("            readOnlyRootFilesystem: true\n", ""),
		Good:         hardenedWorkload,
	},
	container: checkReadOnlyRootFS,
}

func checkReadOnlyRootFS(p *pass, c *manifest.Container) {
	at := c.Place.At(securityContext, "readOnlyRootFilesystem")
	if at.Node != nil && at.Node.Kind == manifest.Bool && at.Node.Truth || c.Pod.Windows() || c.Role == manifest.Ephemeral {
		return
	}
	if at.Exists() {
		p.report(at, "Container %q has a writable root file system; set readOnlyRootFilesystem: true and mount an emptyDir where it must write.", c.Name)
		return
	}
	p.report(at, "Container %q has a writable root file system; add readOnlyRootFilesystem: true to its securityContext and mount an emptyDir where it must write.", c.Name)
}

var seccompUnconfined = rule{
	Rule: rules.Rule{
		ID: "k8s-seccomp-unconfined", Aliases: []string{"KSV-0104"},
		Title:    "Seccomp is switched off",
		Severity: finding.High,
		Why: "The profile `Unconfined` opens all system calls of the node's kernel, also those that no ordinary program needs and that " +
			"many escapes from containers began with.",
		Fix:          "Use `seccompProfile: {type: RuntimeDefault}`, or a `Localhost` profile that allows what the program needs.",
		WhenToIgnore: "Debuggers and profilers that run for a short time.",
		References:   []string{docPSS, docSeccomp},
		Tags:         []string{tagBaseline, "external/mitre-attack/T1562", "cis-5.7.2", "nsa-pod-security"},
		Bad:          hardened("seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Unconfined}"),
		Good:         hardenedWorkload,
	},
	pod: checkSeccompUnconfined,
}

func checkSeccompUnconfined(p *pass, pod *manifest.Pod) {
	const message = "%s switches seccomp off and opens every system call; use type: RuntimeDefault or a Localhost profile."
	if p.set.opts.PodSecurity != Baseline && p.set.exempts(pod.Windows()) {
		return
	}
	if at := pod.Spec.At(securityContext, "seccompProfile", "type"); at.Text() == "Unconfined" {
		p.report(at, message, "The pod")
	}
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if at := c.Place.At(securityContext, "seccompProfile", "type"); at.Text() == "Unconfined" {
			p.container = c
			p.report(at, message, "Container \""+c.Name+"\"")
			p.container = nil
		}
	}
	// Annotations from before 1.19, read by clusters up to 1.26.
	for _, a := range pod.Metadata().At("annotations").Fields() {
		if (a.Name() == "seccomp.security.alpha.kubernetes.io/pod" || strings.HasPrefix(a.Name(), "container.seccomp.security.alpha.kubernetes.io/")) && a.Text() == "unconfined" {
			p.report(a, message, "The annotation "+a.Name())
		}
	}
}
