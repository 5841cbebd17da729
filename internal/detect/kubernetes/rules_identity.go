package kubernetes

import (
	"path"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// identityRules are about the user and group that processes run as.
var identityRules = []rule{
	runAsNonRoot, runAsRootUID, rootGID, lowUID, lowGID, sudoEntrypoint,
	automountToken, defaultServiceAccount,
}

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
		Tags:         []string{tagRestricted, tagPrivilege, "cis-5.2.7", "nsa-pod-security"},
		Bad:          hardened("        runAsNonRoot: true\n", ""),
		Good:         hardenedWorkload,
	},
	container: checkRunAsNonRoot,
}

func checkRunAsNonRoot(p *pass, c *manifest.Container) {
	if p.set.relaxed(c.Pod.Spec.At("hostUsers").False()) {
		return
	}
	// The standard refuses a pod that says no, whatever its containers say.
	if pods := c.Pod.Spec.At(securityContext, "runAsNonRoot"); pods.False() {
		p.report(pods, "The pod's user is not kept from being root; set runAsNonRoot: true.")
	}
	at := effective(c, "runAsNonRoot")
	switch {
	case at.Node != nil && at.Node.Kind == manifest.Bool && at.Node.Truth:
	case runsAsRoot(c) && p.set.opts.PodSecurity == "":
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
		Tags:         []string{tagRestricted, tagPrivilege, "cis-5.2.7", "nsa-pod-security"},
		Bad:          hardened("runAsUser: 10001", "runAsUser: 0", "        runAsNonRoot: true\n", ""),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		const message = "%s runs as user 0, which is root; set a user id above 10000."
		if p.set.relaxed(pod.Spec.At("hostUsers").False()) {
			return
		}
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

// idFields calls a function for each field that sets a user or group id.
func idFields(pod *manifest.Pod, field string, visit func(c *manifest.Container, at *manifest.Place)) {
	visit(nil, pod.Spec.At(securityContext, field))
	for i := range pod.Containers {
		c := &pod.Containers[i]
		visit(c, c.Place.At(securityContext, field))
	}
}

var rootGID = rule{
	Rule: rules.Rule{
		ID: "k8s-root-gid", Aliases: []string{"KSV-0116"},
		Title:        "Group is root's",
		Severity:     finding.Low,
		Why:          "Files of the root group are often writable for it, in images made for arbitrary users even on purpose. Group 0 gives the process all of these.",
		Fix:          "Set `runAsGroup` and `fsGroup` to a group of the application, and leave 0 out of `supplementalGroups`.",
		WhenToIgnore: "Images made for OpenShift, which expect an arbitrary user in the root group.",
		References:   []string{docSecurityContext},
		Tags:         []string{tagPrivilege, "nsa-pod-security"},
		Bad:          hardened("runAsGroup: 10001", "runAsGroup: 0"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		const message = "Group 0 is root's, and so are the files it may write; use a group of the application."
		idFields(pod, "runAsGroup", func(c *manifest.Container, at *manifest.Place) {
			p.container = c
			if isZero(at) {
				p.report(at, message)
			}
		})
		p.container = nil
		if at := pod.Spec.At(securityContext, "fsGroup"); isZero(at) {
			p.report(at, message)
		}
		for _, at := range pod.Spec.At(securityContext, "supplementalGroups").Items() {
			if isZero(at) {
				p.report(at, message)
			}
		}
	},
}

// highestSystemID bounds ids that accounts of a node are likely to have:
// distributions give system accounts ids below 1000 and people those from
// there on, some thousands at most.
const highestSystemID = 10000

func isLow(at *manifest.Place) bool {
	id, ok := at.Int()
	return ok && id > 0 && id <= highestSystemID
}

var lowUID = rule{
	Rule: rules.Rule{
		ID: "k8s-low-uid", Aliases: []string{"KSV-0020", "CKV_K8S_40"},
		Title:        "User id may be that of an account of the node",
		Severity:     finding.Info,
		Why:          "A process that breaks out keeps its user id. If an account of the node has the same one, its files and processes are open to it.",
		Fix:          "Use a user id above 10000.",
		WhenToIgnore: "Images whose files belong to a fixed low user id; user namespaces (`hostUsers: false`) make it harmless.",
		References:   []string{docSecurityContext},
		Tags:         []string{"nsa-pod-security"},
		Bad:          hardened("runAsUser: 10001", "runAsUser: 999"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		idFields(pod, "runAsUser", func(c *manifest.Container, at *manifest.Place) {
			p.container = c
			if isLow(at) {
				p.report(at, "User id %s may belong to an account of the node; use one above %d.", at.Text(), highestSystemID)
			}
		})
	},
}

var lowGID = rule{
	Rule: rules.Rule{
		ID: "k8s-low-gid", Aliases: []string{"KSV-0021"},
		Title:        "Group id may be that of a group of the node",
		Severity:     finding.Info,
		Why:          "A process that breaks out keeps its group id. If a group of the node has the same one, such as docker or disk, its files are open to it.",
		Fix:          "Use a group id above 10000.",
		WhenToIgnore: "Images whose files belong to a fixed low group id.",
		References:   []string{docSecurityContext},
		Tags:         []string{"nsa-pod-security"},
		Bad:          hardened("runAsGroup: 10001", "runAsGroup: 999"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		idFields(pod, "runAsGroup", func(c *manifest.Container, at *manifest.Place) {
			p.container = c
			if isLow(at) {
				p.report(at, "Group id %s may belong to a group of the node; use one above %d.", at.Text(), highestSystemID)
			}
		})
	},
}

var sudoEntrypoint = rule{
	Rule: rules.Rule{
		ID: "k8s-sudo-entrypoint", Aliases: []string{"C-0062"},
		Title:        "Container is started by sudo",
		Severity:     finding.Low,
		Why:          "sudo in a container means that its user may become root at any time, and that a setuid program is there to attack.",
		Fix:          "Start the program as the user that it needs by `runAsUser`, without sudo.",
		WhenToIgnore: "Images that cannot be changed.",
		References:   []string{docSecurityContext},
		Tags:         []string{"external/mitre-attack/T1548"},
		Bad:          withContainerField("command: [sudo, /usr/bin/web]"),
		Good:         withContainerField("command: [/usr/bin/web]"),
	},
	container: checkSudo,
}

func checkSudo(p *pass, c *manifest.Container) {
	command := append(c.Place.At("command").Items(), c.Place.At("args").Items()...)
	for i, at := range command {
		words := strings.Fields(at.Text())
		shell := i > 0 && isShellFlag(command[i-1].Text())
		if len(words) > 0 && path.Base(words[0]) == "sudo" && (i == 0 || shell) || shell && callsSudo(words) {
			p.report(at, "Container %q is started by sudo; set runAsUser to the user that it needs instead.", c.Name)
			return
		}
	}
}

// isShellFlag reports whether an argument makes a shell run the next one.
func isShellFlag(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c")
}

// callsSudo reports whether sudo stands where a shell looks for a command.
func callsSudo(words []string) bool {
	start := true
	for _, w := range words {
		if start && (w == "sudo" || strings.HasSuffix(w, "/sudo")) {
			return true
		}
		start = w == "exec" || w == "then" || w == "do" || w == "else" || strings.HasSuffix(w, ";") || w == "&&" || w == "||" || w == "|" || w == "!"
	}
	return false
}

// serviceAccountName returns the name of the pod's service account.
func serviceAccountName(pod *manifest.Pod) (string, *manifest.Place) {
	at := pod.Spec.At("serviceAccountName")
	if old := pod.Spec.At("serviceAccount"); !at.Exists() && old.Exists() {
		at = old
	}
	if at.Text() == "" {
		return "default", at
	}
	return at.Text(), at
}

var automountToken = rule{
	Rule: rules.Rule{
		ID: "k8s-automount-token", Aliases: []string{"KSV-0036", "C-0034", "CKV_K8S_38"},
		Title:    "Token of the API server is mounted without need",
		Severity: finding.Medium,
		Why: "Each container finds a token of its service account under /var/run/secrets. Nothing here grants that account anything, so " +
			"the program does not seem to need it; an intruder does, to look around in the cluster.",
		Fix:          "Set `automountServiceAccountToken: false` in the pod, or in its ServiceAccount.",
		WhenToIgnore: "Programs that talk to the API server with rights that are granted elsewhere.",
		References:   []string{docServiceAccounts},
		Tags:         []string{"external/mitre-attack/T1528", "cis-5.1.6", "nsa-pod-security"},
		Bad:          hardened("      automountServiceAccountToken: false\n", ""),
		Good:         hardenedWorkload,
	},
	pod: checkAutomount,
}

func checkAutomount(p *pass, pod *manifest.Pod) {
	at := pod.Spec.At("automountServiceAccountToken")
	name, _ := serviceAccountName(pod)
	if cloudRun(pod.Object) || !p.set.automounts(pod) || p.set.bound(pod.Object.Namespace, name) {
		return
	}
	if at.Exists() {
		p.report(at, "The token of service account %q is mounted, and no binding here names that account; set automountServiceAccountToken: false.", name)
		return
	}
	p.report(at, "The token of service account %q is mounted by default, and no binding here names that account; add automountServiceAccountToken: false.", name)
}

var defaultServiceAccount = rule{
	Rule: rules.Rule{
		ID: "k8s-default-service-account", Aliases: []string{"C-0189", "CKV_K8S_41", "default-service-account"},
		Title:        "Pod uses the default service account",
		Severity:     finding.Low,
		Why:          "All pods of a namespace that name no account share `default`. Rights that one of them needs are then given to all, and the audit log cannot tell them apart.",
		Fix:          "Make a ServiceAccount for the workload and name it in `serviceAccountName`.",
		WhenToIgnore: "Workloads that never talk to the API server and mount no token.",
		References:   []string{docServiceAccounts},
		Tags:         []string{"external/mitre-attack/T1078.001", "cis-5.1.5", "nsa-authorization"},
		Bad:          hardened("      serviceAccountName: web\n", ""),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if name, at := serviceAccountName(pod); name == "default" && !pod.Guessed && !cloudRun(pod.Object) {
			p.report(at, "The pod uses the service account that all pods of its namespace share; make one for it and set serviceAccountName.")
		}
	},
}
