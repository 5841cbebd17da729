package kubernetes

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// capabilityRules are about Linux capabilities (capabilities(7)).
var capabilityRules = []rule{capsDangerous, capsBaseline, capsRestrictedAdd, capsDropAll}

// dangerousCaps each lead to the node or its kernel in a known way.
var dangerousCaps = map[string]string{
	"ALL":             "all capabilities, which is nearly a privileged container",
	"SYS_ADMIN":       "mounting, namespaces and much else that root may do",
	"SYS_MODULE":      "loading code into the node's kernel",
	"SYS_PTRACE":      "reading and changing other processes",
	"SYS_RAWIO":       "raw access to memory and devices",
	"BPF":             "loading programs into the node's kernel",
	"NET_ADMIN":       "changing interfaces, routes and firewall rules",
	"DAC_READ_SEARCH": "reading every file regardless of permissions",
}

// baselineCaps may be added at the level "baseline" of the Pod Security
// Standards.
var baselineCaps = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// addedCaps returns the capabilities that a container adds.
func addedCaps(c *manifest.Container) []*manifest.Place {
	return c.Place.At(securityContext, "capabilities", "add").Items()
}

// capName is the name that the runtime makes of what is written: without the
// prefix CAP_ and in capitals.
func capName(at *manifest.Place) string {
	return strings.TrimPrefix(strings.ToUpper(at.Text()), "CAP_")
}

var capsDangerous = rule{
	Rule: rules.Rule{
		ID: "k8s-caps-dangerous", Aliases: []string{"KSV-0005", "KSV-0120", "CKV_K8S_39"},
		Title:    "Capability that leads to the node is added",
		Severity: finding.Critical,
		Why: "With `SYS_ADMIN`, `SYS_MODULE`, `SYS_PTRACE`, `SYS_RAWIO`, `BPF`, `NET_ADMIN`, `DAC_READ_SEARCH` or `ALL` there are known " +
			"ways out of the container, or into its neighbours.",
		Fix:          "Remove the capability; find out which narrow one the program needs, if any.",
		WhenToIgnore: "Network plugins and service mesh set-up containers need `NET_ADMIN`, tracing agents `BPF`: waive these by name.",
		References:   []string{docPSS, "https://man7.org/linux/man-pages/man7/capabilities.7.html"},
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.9", "nsa-pod-security"},
		Bad:          hardened("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [SYS_ADMIN]}"),
		Good:         hardened("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, at := range addedCaps(c) {
			if what, bad := dangerousCaps[capName(at)]; bad {
				p.report(at, "Container %q adds the capability %s (%s); remove it.", c.Name, at.Text(), what)
			}
		}
	},
}

var capsBaseline = rule{
	Rule: rules.Rule{
		ID: "k8s-caps-baseline", Aliases: []string{"KSV-0022", "C-0046", "CKV_K8S_25"},
		Title:        "Capability beyond the runtime's defaults is added",
		Severity:     finding.High,
		Why:          "Container runtimes leave out the capabilities that are not needed by ordinary programs. Each one that is added back gives a part of root's power over the node.",
		Fix:          "Remove the capability from `capabilities.add`.",
		WhenToIgnore: "Programs whose purpose needs it, such as `SYS_TIME` for a time server.",
		References:   []string{docPSS, "https://man7.org/linux/man-pages/man7/capabilities.7.html"},
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.9", "nsa-pod-security"},
		Bad:          hardened("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [SYS_TIME]}"),
		Good:         hardened("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, at := range addedCaps(c) {
			_, dangerous := dangerousCaps[capName(at)]
			if at.Text() != "" && !dangerous && !slices.Contains(baselineCaps, at.Text()) {
				p.report(at, "Container %q adds the capability %s, which runtimes leave out for good reason; remove it.", c.Name, at.Text())
			}
		}
	},
}

var capsRestrictedAdd = rule{
	Rule: rules.Rule{
		ID: "k8s-caps-restricted-add", Aliases: []string{"KSV-0106", "KSV-0119", "CKV_K8S_28", "drop-net-raw-capability"},
		Title:        "Capability other than NET_BIND_SERVICE is added",
		Severity:     finding.Medium,
		Why:          "A program that serves a network port needs no capability but NET_BIND_SERVICE, and that only below port 1024. CHOWN, SETUID and the like are for images that start as root.",
		Fix:          "Remove the capability and let the image start as the user that it needs.",
		WhenToIgnore: "Images that start as root and cannot be changed.",
		References:   []string{docPSS},
		Tags:         []string{tagRestricted, tagPrivilege, "cis-5.2.9", "nsa-pod-security", "cis-5.2.8"},
		Bad:          hardened("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [CHOWN]}"),
		Good:         hardened("capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, at := range addedCaps(c) {
			if name := at.Text(); name != "NET_BIND_SERVICE" && slices.Contains(baselineCaps, name) {
				p.report(at, "Container %q adds the capability %s; only NET_BIND_SERVICE is of use to a program that does not start as root.", c.Name, name)
			}
		}
	},
}

var capsDropAll = rule{
	Rule: rules.Rule{
		ID: "k8s-caps-drop-all", Aliases: []string{"KSV-0003", "CKV_K8S_37"},
		Title:        "Capabilities are not dropped",
		Severity:     finding.Medium,
		Why:          "Runtimes leave a container some fourteen capabilities, among them those to change owners, to forge packets and to become another user. Most programs need none.",
		Fix:          "Add `capabilities: {drop: [ALL]}` to the container's `securityContext`, and add back what is needed.",
		WhenToIgnore: "Images that start as root and cannot be changed.",
		References:   []string{docPSS, docSecurityContext},
		Tags:         []string{tagRestricted, tagPrivilege, "cis-5.2.10", "nsa-pod-security"},
		Bad:          hardened("            capabilities: {drop: [ALL]}\n", ""),
		Good:         hardenedWorkload,
	},
	container: checkCapsDropAll,
}

func checkCapsDropAll(p *pass, c *manifest.Container) {
	at := c.Place.At(securityContext, "capabilities", "drop")
	if p.set.exempts(c.Pod.Windows()) || c.Place.At(securityContext, "privileged").True() {
		return
	}
	for _, dropped := range at.Items() {
		switch {
		case dropped.Text() == "ALL":
			return
		case strings.EqualFold(dropped.Text(), "all"):
			p.report(dropped, "Container %q drops %q, which some runtimes and the Pod Security Standards do not take for ALL; write it in capitals.", c.Name, dropped.Text())
			return
		}
	}
	p.report(at, "Container %q keeps the capabilities that the runtime gives; add capabilities: {drop: [ALL]} to its securityContext.", c.Name)
}
