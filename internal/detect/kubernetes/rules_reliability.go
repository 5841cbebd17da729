package kubernetes

import (
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// reliabilityRules are about workloads that stay up. They are off by default:
// a security gate should not fail for them unless it is asked to.
var reliabilityRules = []rule{
	livenessProbe, readinessProbe, probePort, replicas, pdbMissing, pdbBlocks, antiAffinity, rollingUpdate, duplicateEnv,
}

const docProbes = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/"

func reliability(r rules.Rule) rules.Rule {
	r.Severity, r.Off = finding.Info, true
	r.Tags = append(r.Tags, tagReliability)
	r.WhenToIgnore = "Workloads that may be away for a while."
	return r
}

// lasting reports whether a pod is meant to run until it is stopped.
func lasting(pod *manifest.Pod) bool {
	switch pod.Object.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout", "DeploymentConfig", "CloneSet":
		return true
	}
	return false
}

// missingProbe makes the check for a probe.
func missingProbe(field, message string) func(*pass, *manifest.Container) {
	return func(p *pass, c *manifest.Container) {
		if at := c.Place.At(field); c.Role == manifest.Main && lasting(c.Pod) && !at.Exists() {
			p.report(at, message, c.Name)
		}
	}
}

var livenessProbe = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-liveness-probe", Aliases: []string{"C-0056", "CKV_K8S_8", "no-liveness-probe"},
		Title:      "Container has no liveness probe",
		Why:        "A program that hangs is not started again.",
		Fix:        "Add a `livenessProbe` that fails only when a restart helps.",
		References: []string{docProbes},
		Bad:        hardenedWorkload,
		Good:       withContainerField("livenessProbe: {tcpSocket: {port: 8443}}"),
	}),
	container: missingProbe("livenessProbe", "Container %q has no livenessProbe, so it is not started again when it hangs."),
}

var readinessProbe = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-readiness-probe", Aliases: []string{"C-0018", "CKV_K8S_9", "no-readiness-probe"},
		Title:      "Container has no readiness probe",
		Why:        "Traffic reaches the container before it can answer, at every deployment.",
		Fix:        "Add a `readinessProbe`.",
		References: []string{docProbes},
		Bad:        hardenedWorkload,
		Good:       withContainerField("readinessProbe: {tcpSocket: {port: 8443}}"),
	}),
	container: missingProbe("readinessProbe", "Container %q has no readinessProbe, so traffic reaches it before it can answer."),
}

var probePort = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-probe-port", Aliases: []string{"liveness-port", "readiness-port", "startup-port"},
		Title:      "Probe asks a port that the container does not have",
		Why:        "A probe that names a port which no container port is called never succeeds: the pod is killed again and again.",
		Fix:        "Use the number of the port, or one of the names under `ports`.",
		References: []string{docProbes},
		Bad:        withContainerField("ports:\n  - {name: https, containerPort: 8443}\nlivenessProbe: {tcpSocket: {port: http}}"),
		Good:       withContainerField("ports:\n  - {name: https, containerPort: 8443}\nlivenessProbe: {tcpSocket: {port: https}}"),
	}),
	container: func(p *pass, c *manifest.Container) {
		names := make(map[string]bool)
		for _, port := range c.Place.At("ports").Items() {
			names[port.At("name").Text()] = true
		}
		for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
			for _, action := range []string{"httpGet", "tcpSocket", "grpc"} {
				at := c.Place.At(probe, action, "port")
				if _, err := strconv.Atoi(at.Text()); at.Text() != "" && err != nil && !names[at.Text()] {
					p.report(at, "The %s of container %q asks port %q, and no port of it has that name.", probe, c.Name, at.Text())
				}
			}
		}
	},
}

var replicas = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-replicas", Aliases: []string{"minimum-three-replicas"},
		Title:      "Workload has a single replica",
		Why:        "One pod is none while its node is drained or fails.",
		Fix:        "Set `replicas` to 2 or more, or add a HorizontalPodAutoscaler.",
		References: []string{"https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"},
		Bad:        hardened("spec:\n  selector", "spec:\n  replicas: 1\n  selector"),
		Good:       hardened("spec:\n  selector", "spec:\n  replicas: 3\n  selector"),
	}),
	object: func(p *pass, o *manifest.Object) {
		at := o.At("spec", "replicas")
		n, ok := at.Int()
		scaled := o.Is("Deployment", "apps") || o.Is("StatefulSet", "apps") || o.Is("Rollout", "argoproj.io")
		if !scaled || p.set.autoscaled(o) || ok && n != 1 || at.Exists() && !ok {
			return
		}
		p.report(at, "%s has a single pod, which is none while its node is drained; set replicas to 2 or more.", o.ID())
	},
}

// autoscaled reports whether an autoscaler of the set is for a workload.
func (s *set) autoscaled(o *manifest.Object) bool {
	for _, kind := range []string{"HorizontalPodAutoscaler", "ScaledObject"} {
		for _, h := range s.byKind[kind] {
			target := h.At("spec", "scaleTargetRef")
			kindOf := target.At("kind").Text()
			if target.At("name").Text() == o.Name && (kindOf == o.Kind || kindOf == "") && sameNamespace(h.Namespace, o.Namespace) {
				return true
			}
		}
	}
	return false
}

const examplePDB = "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {app: web}\n"

var pdbMissing = rule{
	Rule: reliability(rules.Rule{
		ID:         "k8s-pdb-missing",
		Title:      "Workload has no disruption budget",
		Why:        "Draining nodes may take all pods of the workload down at once.",
		Fix:        "Add a PodDisruptionBudget with `maxUnavailable: 1`.",
		References: []string{"https://kubernetes.io/docs/tasks/run-application/configure-pdb/"},
		Bad:        hardened("spec:\n  selector", "spec:\n  replicas: 3\n  selector"),
		Good:       hardened("spec:\n  selector", "spec:\n  replicas: 3\n  selector") + examplePDB,
	}),
	pod: func(p *pass, pod *manifest.Pod) {
		o := pod.Object
		n, _ := o.At("spec", "replicas").Int()
		if !o.Is("Deployment", "apps") && !o.Is("StatefulSet", "apps") || n < 2 && !p.set.autoscaled(o) {
			return
		}
		for _, budget := range p.set.byKind["PodDisruptionBudget"] {
			if sameNamespace(budget.Namespace, o.Namespace) && selects(budget.At("spec", "selector"), labelsOf(pod)) {
				return
			}
		}
		p.report(o.At("kind"), "No PodDisruptionBudget selects the pods of %s, so draining nodes may take all down at once.", o.ID())
	},
}

var pdbBlocks = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-pdb-blocks", Aliases: []string{"pdb-max-unavailable", "pdb-min-available"},
		Title:      "Disruption budget lets no node be drained",
		Why:        "With `maxUnavailable: 0` or `minAvailable: 100%` no pod may ever be moved: security updates of nodes wait for a person.",
		Fix:        "Allow at least one pod to be away.",
		References: []string{"https://kubernetes.io/docs/tasks/run-application/configure-pdb/"},
		Bad:        replaced(strings.TrimPrefix(examplePDB, "---\n"), "maxUnavailable: 1", "maxUnavailable: 0"),
		Good:       strings.TrimPrefix(examplePDB, "---\n"),
	}),
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("PodDisruptionBudget", "policy") {
			return
		}
		if at := o.At("spec", "maxUnavailable"); at.Text() == "0" || at.Text() == "0%" {
			p.report(at, "%s lets no pod be away, so nodes cannot be drained; allow one.", o.ID())
		}
		if at := o.At("spec", "minAvailable"); at.Text() == "100%" {
			p.report(at, "%s lets no pod be away, so nodes cannot be drained; allow one.", o.ID())
		}
	},
}

var antiAffinity = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-anti-affinity", Aliases: []string{"no-anti-affinity"},
		Title:      "Replicas may all run on one node",
		Why:        "When that node fails, all replicas are gone.",
		Fix:        "Add `topologySpreadConstraints` or a `podAntiAffinity`.",
		References: []string{"https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/"},
		Bad:        hardened("spec:\n  selector", "spec:\n  replicas: 3\n  selector"),
		Good:       replaced(withPodField("topologySpreadConstraints:\n  - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}"), "spec:\n  selector", "spec:\n  replicas: 3\n  selector"),
	}),
	pod: func(p *pass, pod *manifest.Pod) {
		n, _ := pod.Object.At("spec", "replicas").Int()
		if pod.Object.Kind == "DaemonSet" || n < 2 || !lasting(pod) {
			return
		}
		if len(pod.Spec.At("topologySpreadConstraints").Items()) == 0 && !pod.Spec.At("affinity", "podAntiAffinity").Exists() {
			p.report(pod.Spec.At("topologySpreadConstraints"), "The %d pods of %s may all run on one node; add topologySpreadConstraints.", n, pod.Object.ID())
		}
	},
}

var rollingUpdate = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-rolling-update", Aliases: []string{"no-rolling-update-strategy"},
		Title:      "Deployment stops everything before it starts anew",
		Why:        "With `Recreate` the service is away at every deployment, security updates included, so they are put off.",
		Fix:        "Use `RollingUpdate`, the default.",
		References: []string{"https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy"},
		Bad:        hardened("spec:\n  selector", "spec:\n  strategy: {type: Recreate}\n  selector"),
		Good:       hardened("spec:\n  selector", "spec:\n  strategy: {type: RollingUpdate}\n  selector"),
	}),
	object: func(p *pass, o *manifest.Object) {
		if at := o.At("spec", "strategy", "type"); o.Is("Deployment", "apps") && at.Text() == "Recreate" {
			p.report(at, "%s is away at every deployment; use RollingUpdate.", o.ID())
		}
	},
}

var duplicateEnv = rule{
	Rule: reliability(rules.Rule{
		ID: "k8s-duplicate-env", Aliases: []string{"duplicate-env-vars"},
		Title:      "Variable is set twice",
		Why:        "The last one counts, which is not what the one who wrote the first expects.",
		Fix:        "Remove one of them.",
		References: []string{"https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/"},
		Bad:        withContainerField("env:\n  - {name: LOG_LEVEL, value: info}\n  - {name: LOG_LEVEL, value: debug}"),
		Good:       withContainerField("env:\n  - {name: LOG_LEVEL, value: info}"),
	}),
	container: func(p *pass, c *manifest.Container) {
		seen := make(map[string]bool)
		for _, env := range c.Place.At("env").Items() {
			at := env.At("name")
			if name := at.Text(); name != "" && seen[name] {
				p.report(at, "Container %q sets %s twice, and the last one counts; remove one.", c.Name, name)
			}
			seen[at.Text()] = true
		}
	},
}
