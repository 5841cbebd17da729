package kubernetes

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// identityRules are about the user and group that processes run as.
var identityRules = []rule{runAsNonRoot, runAsRootUID}

// effective returns the field of a container's securityContext that counts:
// its own, else the pod's, else its own missing one.
func effective(c *manifest.Container, field ...string) *manifest.Place {
	own := c.Place.At(securityContext).At(field...)
	if own.Exists() {
		return own
	}
	if pods := c.Pod.Spec.At(securityContext).At(field...); pods.Exists() {
		return pods
	}
	return own
}

var runAsNonRoot = rule{
	Rule: rules.Rule{
		ID: "k8s-run-as-non-root", Aliases: []string{"KSV-0012", "C-0013", "CKV_K8S_23", "run-as-non-root"},
		Title:    "Container may run as root",
		Severity: finding.Medium,
		Why: "Without `runAsNonRoot: true` the image decides about the user, and most images choose root. Root in a container is root " +
			"for the kernel: a flaw in the runtime or a mounted directory then gives away the node.",
		Fix:          "Set `runAsNonRoot: true` in the pod's `securityContext`, and `runAsUser` where the image names its user by a name.",
		WhenToIgnore: "Images that must start as root and drop it themselves.",
		References:   []string{docPSS, docSecurityContext},
		Tags:         []string{tagRestricted, tagPrivilege, "cis-5.2.7"},
		Bad:          hardened("        runAsNonRoot: true\n", ""),
		Good:         hardenedWorkload,
	},
	container: checkRunAsNonRoot,
}

func checkRunAsNonRoot(p *pass, c *manifest.Container) {
	at := effective(c, "runAsNonRoot")
	switch {
	case at.Node != nil && at.Node.Kind == manifest.Bool && at.Node.Truth:
	case runsAsRoot(c):
		// k8s-run-as-root-uid points at the user id itself.
	case at.Exists():
		p.report(at, "The user is not kept from being root; set runAsNonRoot: true.")
	default:
		p.report(at, "Container %q may run as root, since neither it nor its pod sets runAsNonRoot: true; add it to the securityContext.", c.Name)
	}
}

func runsAsRoot(c *manifest.Container) bool {
	uid, ok := effective(c, "runAsUser").Int()
	return ok && uid == 0
}

var runAsRootUID = rule{
	Rule: rules.Rule{
		ID: "k8s-run-as-root-uid", Aliases: []string{"KSV-0105"},
		Title:        "User id is root's",
		Severity:     finding.High,
		Why:          "`runAsUser: 0` makes the process root, whatever user the image asks for. Root in a container is root for the kernel.",
		Fix:          "Remove `runAsUser: 0`, or set a user id above 10000 that no account of the node has.",
		WhenToIgnore: "Set-up containers that must change owners in a volume; prefer `fsGroup` for that.",
		References:   []string{docPSS, docSecurityContext},
		Tags:         []string{tagRestricted, tagPrivilege, "cis-5.2.7"},
		Bad:          hardened("runAsUser: 10001", "runAsUser: 0", "        runAsNonRoot: true\n", ""),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		const message = "%s runs as user 0, which is root; set a user id above 10000."
		if at := pod.Spec.At(securityContext, "runAsUser"); isZero(at) {
			p.report(at, message, "The pod")
		}
		for i := range pod.Containers {
			p.container = &pod.Containers[i]
			if at := p.container.Place.At(securityContext, "runAsUser"); isZero(at) {
				p.report(at, message, "Container \""+p.container.Name+"\"")
			}
		}
	},
}

func isZero(at *manifest.Place) bool {
	i, ok := at.Int()
	return ok && i == 0
}
