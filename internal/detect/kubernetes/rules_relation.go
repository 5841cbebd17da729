package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// relationRules are about names and selectors that lead nowhere. They are off
// by default, since what they miss may be in another repository.
var relationRules = []rule{
	selectorMismatch, danglingService, danglingIngress, danglingNetpol, danglingHPA, danglingEnvRef, danglingAccount,
}

// relation fills in what these rules share.
func relation(r rules.Rule) rules.Rule {
	r.Severity, r.Off = finding.Info, true
	r.Tags = append(r.Tags, tagReliability)
	r.WhenToIgnore = "What it refers to is deployed from elsewhere."
	return r
}

var selectorMismatch = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-selector-mismatch", Aliases: []string{"mismatching-selector"},
		Title:      "Selector does not match the workload's own pods",
		Why:        "The API server refuses a workload whose selector does not match the labels of its template.",
		Fix:        "Make the selector and the template's labels agree.",
		References: []string{"https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector"},
		Bad:        hardened("matchLabels: {app: web}", "matchLabels: {app: shop}"),
		Good:       hardenedWorkload,
	}),
	object: func(p *pass, o *manifest.Object) {
		selector := o.At("spec", "selector")
		pods := manifest.Pods(o)
		if !o.Is(o.Kind, "apps", "batch", "argoproj.io") || len(pods) != 1 || !selector.At("matchLabels").Exists() && !selector.At("matchExpressions").Exists() {
			return
		}
		if !selects(selector, labelsOf(pods[0])) {
			p.report(selector, "The selector of %s does not match the labels of its own pods, so the API server refuses it; make them agree.", o.ID())
		}
	},
}

var danglingService = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-dangling-service", Aliases: []string{"dangling-service"},
		Title:      "Service selects no pod",
		Why:        "A Service whose selector matches nothing answers nobody, and a pod that somebody labels that way later is opened unseen.",
		Fix:        "Correct the selector, or remove the Service.",
		References: []string{docService},
		Bad:        hardenedWorkload + "---\n" + replaced(exampleService(""), "app: web", "app: shop"),
		Good:       hardenedWorkload + "---\n" + exampleService(""),
	}),
	object: func(p *pass, o *manifest.Object) {
		if selector := o.At("spec", "selector"); isService(o) && len(selector.Fields()) > 0 && !p.set.anyPod(o.Namespace, func(pod *manifest.Pod) bool { return matchesLabels(selector, labelsOf(pod)) }) {
			p.report(selector, "%s selects no pod that is here; correct the selector.", o.ID())
		}
	},
}

// anyPod reports whether a pod of a namespace satisfies a condition.
func (s *set) anyPod(namespace string, holds func(*manifest.Pod) bool) bool {
	for _, pod := range s.pods {
		if sameNamespace(pod.Object.Namespace, namespace) && holds(pod) {
			return true
		}
	}
	return false
}

var danglingIngress = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-dangling-ingress", Aliases: []string{"dangling-ingress"},
		Title:      "Ingress leads to no Service",
		Why:        "Requests end in an error, and whoever may create a Service of that name gets them.",
		Fix:        "Correct the name, or remove the rule.",
		References: []string{docIngress},
		Bad:        replaced(tlsIngress+"---\n"+exampleService(""), "service: {name: web,", "service: {name: shop,"),
		Good:       tlsIngress + "---\n" + exampleService(""),
	}),
	object: func(p *pass, o *manifest.Object) {
		if o.Is("VirtualService", istioGroup) {
			return // Its hosts may be outside of the cluster.
		}
		for _, b := range p.set.backends(o) {
			if p.set.find("Service", b.namespace, b.name) == nil {
				p.report(b.at, "%s leads to Service %q, which is not here; correct the name.", o.ID(), b.name)
			}
		}
	},
}

var tlsIngress = exampleIngress("  tls:\n    - {hosts: [shop.example], secretName: shop-tls}\n")

var danglingNetpol = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-dangling-netpol", Aliases: []string{"dangling-networkpolicy"},
		Title:      "NetworkPolicy selects no pod",
		Why:        "A policy whose selector is misspelt protects nothing, while it looks as if it did.",
		Fix:        "Correct the selector, or remove the policy.",
		References: []string{docNetworkPolicy},
		Bad:        hardenedWorkload + "---\n" + exampleNetworkPolicy(""),
		Good:       hardenedWorkload + "---\n" + strings.ReplaceAll(exampleNetworkPolicy(""), "db", "web"),
	}),
	object: func(p *pass, o *manifest.Object) {
		selector := o.At("spec", "podSelector")
		if !isNetworkPolicy(o) || len(selector.At("matchLabels").Fields())+len(selector.At("matchExpressions").Items()) == 0 {
			return
		}
		if !p.set.anyPod(o.Namespace, func(pod *manifest.Pod) bool { return selects(selector, labelsOf(pod)) }) {
			p.report(selector, "%s selects no pod that is here; correct the selector.", o.ID())
		}
	},
}

func exampleHPA(name string) string {
	return hardenedWorkload + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  minReplicas: 3\n  maxReplicas: 9\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: " + name + "}\n"
}

var danglingHPA = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-dangling-hpa", Aliases: []string{"dangling-horizontalpodautoscaler"},
		Title:      "Autoscaler has nothing to scale",
		Why:        "The workload that it names is not there, so the load that it was made for takes the service down.",
		Fix:        "Correct kind and name in `scaleTargetRef`.",
		References: []string{"https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"},
		Bad:        exampleHPA("shop"),
		Good:       exampleHPA("web"),
	}),
	object: func(p *pass, o *manifest.Object) {
		target := o.At("spec", "scaleTargetRef")
		if !o.Is("HorizontalPodAutoscaler", "autoscaling") || !target.Exists() {
			return
		}
		if at := target.At("name"); p.set.find(target.At("kind").Text(), o.Namespace, at.Text()) == nil {
			p.report(at, "%s scales %s %q, which is not here; correct the name.", o.ID(), target.At("kind").Text(), at.Text())
		}
	},
}

const exampleConfigMap = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\ndata:\n  log-level: info\n"

var danglingEnvRef = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-dangling-env-ref", Title: "Variable comes from a key that is not there",
		Why:        "The container does not start when the ConfigMap is there without the key.",
		Fix:        "Correct the key, or add it to the ConfigMap.",
		References: []string{"https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/"},
		Bad:        withContainerField("env:\n  - name: LOG_LEVEL\n    valueFrom:\n      configMapKeyRef: {name: web, key: loglevel}") + exampleConfigMap,
		Good:       withContainerField("env:\n  - name: LOG_LEVEL\n    valueFrom:\n      configMapKeyRef: {name: web, key: log-level}") + exampleConfigMap,
	}),
	container: func(p *pass, c *manifest.Container) {
		for _, env := range c.Place.At("env").Items() {
			for field, kind := range map[string]string{"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"} {
				ref := env.At("valueFrom", field)
				if !ref.Exists() || ref.At("optional").True() {
					continue
				}
				o := p.set.find(kind, c.Pod.Object.Namespace, ref.At("name").Text())
				if at := ref.At("key"); o != nil && o.Group() == "" && !o.At("data", at.Text()).Exists() && !o.At("stringData", at.Text()).Exists() && !o.At("binaryData", at.Text()).Exists() {
					p.report(at, "%s %q has no key %q, so container %q does not start; correct the key.", kind, o.Name, at.Text(), c.Name)
				}
			}
		}
	},
}

var danglingAccount = rule{
	Rule: relation(rules.Rule{
		ID: "k8s-dangling-service-account", Aliases: []string{"non-existent-service-account"},
		Title:      "Service account is not there",
		Why:        "Pods of a workload whose service account does not exist are never made.",
		Fix:        "Add the ServiceAccount, or correct the name.",
		References: []string{docServiceAccounts},
		Bad:        hardenedWorkload,
		Good:       hardenedWorkload + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\nautomountServiceAccountToken: false\n",
	}),
	pod: func(p *pass, pod *manifest.Pod) {
		name, at := serviceAccountName(pod)
		if name != "default" && !cloudRun(pod.Object) && p.set.serviceAccount(pod.Object.Namespace, name) == nil {
			p.report(at, "Service account %q is not here, and without it no pod of %s is made; add it or correct the name.", name, pod.Object.ID())
		}
	},
}
