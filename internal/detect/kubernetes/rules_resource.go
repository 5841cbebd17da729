package kubernetes

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// resourceRules are about what a container may use up.
var resourceRules = []rule{
	memoryLimit, memoryRequest, cpuRequest, cpuLimit, requestsExceedLimits, ephemeralStorage,
}

const tagDoS = "external/cwe/cwe-770"

// amount returns the place of an amount such as limits.memory of a container,
// or the pod's own where that is set (since 1.34).
func amount(c *manifest.Container, kind, resource string) *manifest.Place {
	if at := c.Pod.Spec.At("resources", kind, resource); at.Exists() {
		return at
	}
	return c.Place.At("resources", kind, resource)
}

// counted reports whether resources of a container are planned with: not
// those of ephemeral ones, which cannot have any.
func counted(c *manifest.Container) bool { return c.Role != manifest.Ephemeral }

var memoryLimit = rule{
	Rule: rules.Rule{
		ID: "k8s-memory-limit", Aliases: []string{"KSV-0018", "C-0271", "CKV_K8S_13", "unset-memory-requirements"},
		Title:        "Memory is not limited",
		Severity:     finding.Low,
		Why:          "A container without a limit can take all memory of its node, by a leak or by an attack; the kernel then kills others.",
		Fix:          "Set `resources.limits.memory`.",
		WhenToIgnore: "Namespaces with a LimitRange that sets one.",
		References:   []string{docResources, docNSA},
		Tags:         []string{tagDoS, "external/mitre-attack/T1499", "nsa-network"},
		Bad:          hardened("limits: {memory: 128Mi, ephemeral-storage: 64Mi}", "limits: {ephemeral-storage: 64Mi}"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		if at := amount(c, "limits", "memory"); counted(c) && !at.Exists() && !p.set.limitRange(c.Pod.Object.Namespace, "memory") {
			p.report(at, "Container %q may take all memory of its node; set resources.limits.memory.", c.Name)
		}
	},
}

var memoryRequest = rule{
	Rule: rules.Rule{
		ID: "k8s-memory-request", Aliases: []string{"KSV-0016", "C-0269", "CKV_K8S_12"},
		Title:        "Memory is not requested",
		Severity:     finding.Info,
		Why:          "The scheduler puts a pod that requests nothing anywhere, and it is the first one that is thrown out when memory runs short.",
		Fix:          "Set `resources.requests.memory` to what the program usually needs.",
		WhenToIgnore: "Batch work that may be interrupted.",
		References:   []string{docResources},
		Tags:         []string{tagDoS, "nsa-network", "external/mitre-attack/T1499"},
		Bad:          hardened("requests: {cpu: 100m, memory: 128Mi, ephemeral-storage: 64Mi}", "requests: {cpu: 100m, ephemeral-storage: 64Mi}", "limits: {memory: 128Mi, ephemeral-storage: 64Mi}", "limits: {ephemeral-storage: 64Mi}") + exampleLimitRange,
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := amount(c, "requests", "memory")
		// A limit alone is the request as well.
		if counted(c) && !at.Exists() && !amount(c, "limits", "memory").Exists() {
			p.report(at, "Container %q requests no memory, so the scheduler does not plan with it; set resources.requests.memory.", c.Name)
		}
	},
}

const exampleLimitRange = `---
apiVersion: v1
kind: LimitRange
metadata:
  name: memory
  namespace: shop
spec:
  limits:
    - {type: Container, default: {memory: 256Mi}}
`

// limitRange reports whether a LimitRange of the set gives containers of a
// namespace a default limit.
func (s *set) limitRange(namespace, resource string) bool {
	for _, o := range s.byKind["LimitRange"] {
		if !sameNamespace(o.Namespace, namespace) {
			continue
		}
		for _, l := range o.At("spec", "limits").Items() {
			if l.At("type").Text() == "Container" && l.At("default", resource).Exists() {
				return true
			}
		}
	}
	return false
}

var cpuRequest = rule{
	Rule: rules.Rule{
		ID: "k8s-cpu-request", Aliases: []string{"KSV-0015", "C-0268", "CKV_K8S_10", "unset-cpu-requirements"},
		Title:        "CPU time is not requested",
		Severity:     finding.Info,
		Why:          "On a busy node a container gets CPU time in proportion to its request. One that requests nothing gets next to nothing.",
		Fix:          "Set `resources.requests.cpu` to what the program usually needs.",
		WhenToIgnore: "Batch work that may wait.",
		References:   []string{docResources},
		Tags:         []string{tagDoS, "nsa-network", "external/mitre-attack/T1499"},
		Bad:          hardened("requests: {cpu: 100m, memory: 128Mi,", "requests: {memory: 128Mi,"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := amount(c, "requests", "cpu")
		if counted(c) && !at.Exists() && !amount(c, "limits", "cpu").Exists() {
			p.report(at, "Container %q requests no CPU time and gets next to none on a busy node; set resources.requests.cpu.", c.Name)
		}
	},
}

var cpuLimit = rule{
	Rule: rules.Rule{
		ID: "k8s-cpu-limit", Aliases: []string{"KSV-0011", "C-0270", "CKV_K8S_11"},
		Title:        "CPU time is not limited",
		Severity:     finding.Low,
		Why:          "A limit keeps a program, or a miner in its place, from using idle CPU time. It also slows the program down when the node has time to spare, which is why this rule is off unless asked for.",
		Fix:          "Set `resources.limits.cpu`.",
		WhenToIgnore: "Everywhere where requests are set and nodes are not shared with strangers.",
		References:   []string{docResources},
		Tags:         []string{tagDoS, "external/mitre-attack/T1496"},
		Bad:          hardenedWorkload,
		Good:         hardened("limits: {memory: 128Mi,", "limits: {cpu: 500m, memory: 128Mi,"),
		Off:          true,
	},
	container: func(p *pass, c *manifest.Container) {
		if at := amount(c, "limits", "cpu"); counted(c) && !at.Exists() {
			p.report(at, "Container %q may use all idle CPU time of its node; set resources.limits.cpu.", c.Name)
		}
	},
}

var requestsExceedLimits = rule{
	Rule: rules.Rule{
		ID:           "k8s-requests-exceed-limits",
		Title:        "More is requested than allowed",
		Severity:     finding.Medium,
		Why:          "The API server refuses a container whose request is above its limit: the workload is accepted, and its pods never start.",
		Fix:          "Lower the request or raise the limit.",
		WhenToIgnore: "Never: it cannot run.",
		References:   []string{docResources},
		Bad:          hardened("requests: {cpu: 100m, memory: 128Mi,", "requests: {cpu: 100m, memory: 1Gi,"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		for _, request := range c.Place.At("resources", "requests").Fields() {
			limit := c.Place.At("resources", "limits", request.Name())
			asked, ok := quantity(request.Text())
			allowed, both := quantity(limit.Text())
			if ok && both && asked.Cmp(allowed) > 0 {
				p.report(request, "Container %q requests %s of %s and may have %s: its pods never start; lower the request.", c.Name, request.Text(), request.Name(), limit.Text())
			}
		}
	},
}

var ephemeralStorage = rule{
	Rule: rules.Rule{
		ID:           "k8s-ephemeral-storage",
		Title:        "Local disk space is not limited",
		Severity:     finding.Info,
		Why:          "Logs, an `emptyDir` and the container's own layer lie on the node's disk. A container that fills it takes the node with it.",
		Fix:          "Set `resources.limits.ephemeral-storage`.",
		WhenToIgnore: "Nodes whose disk is watched otherwise, and namespaces with a LimitRange for it.",
		References:   []string{docResources},
		Tags:         []string{tagDoS, "external/mitre-attack/T1499"},
		Bad:          hardened("limits: {memory: 128Mi, ephemeral-storage: 64Mi}", "limits: {memory: 128Mi}"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("resources", "limits", "ephemeral-storage")
		if counted(c) && !at.Exists() && !cloudRun(c.Pod.Object) && !p.set.limitRange(c.Pod.Object.Namespace, "ephemeral-storage") {
			p.report(at, "Container %q may fill the disk of its node; set resources.limits.ephemeral-storage.", c.Name)
		}
	},
}
