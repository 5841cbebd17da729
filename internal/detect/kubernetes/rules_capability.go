package kubernetes

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// capabilityRules are about Linux capabilities (capabilities(7)).
var capabilityRules = []rule{capsDangerous, capsBaseline}

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
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.9"},
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
		Tags:         []string{tagBaseline, tagEscape, tagPrivilege, "cis-5.2.9"},
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
