package kubernetes

import (
	"net/netip"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// networkRules are about NetworkPolicies and the workloads without one.
var networkRules = []rule{netpolMissing, netpolDefaultDeny, netpolAllowAll, netpolMetadata}

const networkingGroup = "networking.k8s.io"

func isNetworkPolicy(o *manifest.Object) bool {
	return o.Is("NetworkPolicy", networkingGroup, "extensions")
}

// selectorOf returns what a policy of any kind says about the pods it is for,
// and whether it is a policy at all.
func selectorOf(o *manifest.Object) (*manifest.Place, bool) {
	switch {
	case isNetworkPolicy(o):
		return o.At("spec", "podSelector"), true
	case o.Is("CiliumNetworkPolicy", "cilium.io"), o.Is("CiliumClusterwideNetworkPolicy", "cilium.io"):
		return o.At("spec", "endpointSelector"), true
	case o.Is("AdminNetworkPolicy", "policy.networking.k8s.io"), o.Is("BaselineAdminNetworkPolicy", "policy.networking.k8s.io"):
		return o.At("spec", "none"), true
	case o.Is("NetworkPolicy", "crd.projectcalico.org", "projectcalico.org"), o.Is("GlobalNetworkPolicy", "crd.projectcalico.org", "projectcalico.org"):
		// Calico's selectors are expressions in a language of their own: the
		// policy counts for every pod that it may be for.
		return o.At("spec", "none"), true
	}
	return nil, false
}

// policies returns all policies of the set.
func (s *set) policies() []*manifest.Object {
	var all []*manifest.Object
	for _, kind := range []string{
		"NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy",
		"AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
	} {
		all = append(all, s.byKind[kind]...)
	}
	return all
}

// isolated reports whether a policy selects the pod.
func (s *set) isolated(pod *manifest.Pod) bool {
	labels := labelsOf(pod)
	return s.policyIndex.candidates(pod.Object.Namespace, labels, func(e selecting) bool {
		return selects(e.selector, labels)
	})
}

var netpolMissing = rule{
	Rule: rules.Rule{
		ID: "k8s-netpol-missing", Aliases: []string{"C-0260", "CKV2_K8S_6", "non-isolated-pod"},
		Title:        "No NetworkPolicy selects the workload",
		Severity:     finding.Medium,
		Why:          "A pod that no policy selects can be reached from every pod of the cluster and can reach every address. Whoever gets into one gets on to the next.",
		Fix:          "Add a NetworkPolicy that selects the pod's labels and lists what it talks to.",
		WhenToIgnore: "Policies that are kept in another repository.",
		References:   []string{docNetworkPolicy, docNSA},
		Tags:         []string{"external/cwe/cwe-923", "external/mitre-attack/T1046", "cis-5.3.2", "nsa-network"},
		Bad:          replaced(hardenedWorkload, "podSelector: {}", "podSelector: {matchLabels: {app: db}}"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		// Policies do not apply in the node's network, and there are none on
		// Cloud Run.
		if pod.Guessed || cloudRun(pod.Object) || pod.Spec.At("hostNetwork").True() || p.set.isolated(pod) {
			return
		}
		p.report(labelsOf(pod), "No NetworkPolicy selects the pods of %s, so every pod of the cluster can reach them; add one.", pod.Object.ID())
	},
}

var netpolDefaultDeny = rule{
	Rule: rules.Rule{
		ID: "k8s-netpol-default-deny", Aliases: []string{"C-0054"},
		Title:        "Namespace has no policy that denies by default",
		Severity:     finding.Low,
		Why:          "Without a policy for all pods of the namespace, a workload that is added tomorrow is open to the whole cluster until somebody thinks of it.",
		Fix:          "Add a NetworkPolicy with `podSelector: {}`, `policyTypes: [Ingress, Egress]` and no rules.",
		WhenToIgnore: "Policies that are kept in another repository.",
		References:   []string{docNetworkPolicy},
		Tags:         []string{"external/cwe/cwe-923", "cis-5.3.2", "nsa-network"},
		Bad:          replaced(exampleNamespace, "podSelector: {}", "podSelector: {matchLabels: {app: db}}"),
		Good:         exampleNamespace,
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("Namespace", "") || systemNamespace(o.Name) {
			return
		}
		for _, policy := range p.set.policies() {
			if sameNamespace(policy.Namespace, o.Name) && deniesAll(policy) {
				return
			}
		}
		p.report(o.At("metadata", "name"), "Namespace %q has no NetworkPolicy for all of its pods; add one with podSelector: {} and no rules.", o.Name)
	},
}

// deniesAll reports whether a policy is for all pods and its ingress is not
// open to all.
func deniesAll(o *manifest.Object) bool {
	selector, ok := selectorOf(o)
	if !ok || len(selector.At("matchLabels").Fields()) > 0 || len(selector.At("matchExpressions").Items()) > 0 {
		return false
	}
	for _, r := range o.At("spec", "ingress").Items() {
		if openRule(r, "from") {
			return false
		}
	}
	return true
}

// openRule reports whether a rule of a policy lets everything through: it has
// no peers, and no ports that would narrow it.
func openRule(r *manifest.Place, peers string) bool {
	at := r.At(peers)
	explicit := at.Node != nil && at.Node.Kind == manifest.List && len(at.Node.Items()) == 0
	return explicit || !at.Exists() && len(r.At("ports").Items()) == 0 && r.Node.Kind == manifest.Map
}

var netpolAllowAll = rule{
	Rule: rules.Rule{
		ID: "k8s-netpol-allow-all", Aliases: []string{"KSV-0038"},
		Title:        "NetworkPolicy lets everything through",
		Severity:     finding.Medium,
		Why:          "A rule without peers, such as `- {}`, allows every address. The policy then protects nothing, while it looks as if it did.",
		Fix:          "List the peers: `podSelector`, `namespaceSelector` or `ipBlock`.",
		WhenToIgnore: "Workloads that serve or ask the whole internet.",
		References:   []string{docNetworkPolicy},
		Tags:         []string{"external/cwe/cwe-923", "nsa-network", "cis-5.3.2"},
		Bad:          exampleNetworkPolicy("  ingress:\n    - {}\n"),
		Good:         exampleNetworkPolicy("  ingress:\n    - from:\n        - podSelector: {matchLabels: {app: web}}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !isNetworkPolicy(o) {
			return
		}
		for _, direction := range []struct{ rules, peers, what string }{{"ingress", "from", "from"}, {"egress", "to", "to"}} {
			for _, r := range o.At("spec", direction.rules).Items() {
				if openRule(r, direction.peers) {
					at := r
					if peers := r.At(direction.peers); peers.Node != nil {
						at = peers
					}
					p.report(at, "This rule of %s allows traffic %s everywhere; list the peers.", o.ID(), direction.what)
				}
			}
		}
	},
}

func exampleNetworkPolicy(rules string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: db\n  namespace: shop\nspec:\n  podSelector: {matchLabels: {app: db}}\n  policyTypes: [Ingress, Egress]\n" + rules
}

var netpolMetadata = rule{
	Rule: rules.Rule{
		ID: "k8s-netpol-metadata", Aliases: []string{"C-0052"},
		Title:        "NetworkPolicy allows the metadata service",
		Severity:     finding.Medium,
		Why:          "169.254.169.254 gives the node's cloud credentials to whoever can reach it. An egress rule to 0.0.0.0/0 includes it.",
		Fix:          "Add `except: [169.254.169.254/32]` to the `ipBlock`.",
		WhenToIgnore: "Agents that need the node's metadata.",
		References:   []string{docNetworkPolicy},
		Tags:         []string{"external/cwe/cwe-918", "external/mitre-attack/T1552.005", "nsa-network"},
		Bad:          exampleNetworkPolicy("  egress:\n    - to:\n        - ipBlock: {cidr: 0.0.0.0/0}\n"),
		Good:         exampleNetworkPolicy("  egress:\n    - to:\n        - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !isNetworkPolicy(o) {
			return
		}
		for _, r := range o.At("spec", "egress").Items() {
			for _, peer := range r.At("to").Items() {
				if at := peer.At("ipBlock", "cidr"); reachesMetadata(peer.At("ipBlock")) {
					p.report(at, "%s allows %s, in which the cloud's metadata service lies; add except: [169.254.169.254/32].", o.ID(), at.Text())
				}
			}
		}
	},
}

var metadataService = netip.MustParseAddr("169.254.169.254")

func reachesMetadata(block *manifest.Place) bool {
	if !holdsMetadata(block.At("cidr")) {
		return false
	}
	for _, e := range block.At("except").Items() {
		if holdsMetadata(e) {
			return false
		}
	}
	return true
}

func holdsMetadata(at *manifest.Place) bool {
	prefix, err := netip.ParsePrefix(at.Text())
	return err == nil && prefix.Contains(metadataService)
}

const exampleNamespace = `apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: shop
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: all
  namespace: shop
spec:
  hard: {pods: "20", limits.memory: 8Gi}
`
