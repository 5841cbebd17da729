package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// bindingsOf returns the bindings of the set that grant the rights of a role,
// also by way of roles into which they are aggregated.
func (s *set) bindingsOf(role *manifest.Object) []*manifest.Object {
	names := map[string]bool{role.Name: true}
	if role.Kind == "ClusterRole" {
		s.aggregated(role, names)
	}
	var bindings []*manifest.Object
	for _, kind := range []string{"ClusterRoleBinding", "RoleBinding"} {
		for _, b := range s.byKind[kind] {
			ref := b.At("roleRef")
			if !isBinding(b) || ref.At("kind").Text() != role.Kind || !names[ref.At("name").Text()] {
				continue
			}
			if role.Kind == "ClusterRole" || sameNamespace(role.Namespace, b.Namespace) {
				bindings = append(bindings, b)
			}
		}
	}
	return bindings
}

// builtinAggregates are the ClusterRoles of every cluster that take in the
// rules of those with a label: view is a part of edit, and edit of admin.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
var builtinAggregates = map[string][]string{
	"rbac.authorization.k8s.io/aggregate-to-view":  {"view", "edit", "admin"},
	"rbac.authorization.k8s.io/aggregate-to-edit":  {"edit", "admin"},
	"rbac.authorization.k8s.io/aggregate-to-admin": {"admin"},
}

// aggregated adds the names of the ClusterRoles that take in the rules of a
// role, and of those that take in these.
func (s *set) aggregated(role *manifest.Object, names map[string]bool) {
	labels := role.At("metadata", "labels")
	for label, roles := range builtinAggregates {
		if labels.At(label).Text() == "true" {
			for _, name := range roles {
				names[name] = true
			}
		}
	}
	for _, o := range s.byKind["ClusterRole"] {
		selectors := o.At("aggregationRule", "clusterRoleSelectors").Items()
		if len(selectors) == 0 || names[o.Name] || !isRole(o) {
			continue
		}
		if slices.ContainsFunc(selectors, func(selector *manifest.Place) bool { return selects(selector, labels) }) {
			names[o.Name] = true
			s.aggregated(o, names)
		}
	}
}

// maxReached bounds the further places of one finding.
const maxReached = 5

// addRole adds a finding about a role together with the way from there to the
// pods that get its rights: binding, service account, workload.
func (p *pass) addRole(role *manifest.Object, at *manifest.Place, severity finding.Severity, bindings []*manifest.Object, format string, args ...any) {
	pr := problem{object: role, at: at, severity: severity, message: fmt.Sprintf(format, args...)}
	var reached []*manifest.Pod
	for _, b := range bindings {
		if len(pr.also) < maxReached {
			ref := b.At("roleRef", "name")
			note := b.ID() + " grants it"
			if ref.Text() != role.Name {
				note += " through the ClusterRole " + ref.Text() + ", into which it is aggregated"
			}
			pr.also = append(pr.also, related{object: b, at: ref, note: note})
		}
		pods := p.set.podsOf(b)
		pr.reach(pods)
		reached = append(reached, pods...)
	}
	pr.name(reached)
	p.add(pr)
}

// reportBinding reports on a binding with the pods that get its rights.
func (p *pass) reportBinding(binding *manifest.Object, severity finding.Severity, at *manifest.Place, format string, args ...any) {
	pr := problem{object: binding, at: at, severity: severity, message: fmt.Sprintf(format, args...)}
	pods := p.set.podsOf(binding)
	pr.reach(pods)
	pr.name(pods)
	p.add(pr)
}

// reach adds the places where pods name the service account whose rights they
// get.
func (pr *problem) reach(pods []*manifest.Pod) {
	for _, pod := range pods {
		if len(pr.also) >= maxReached {
			return
		}
		_, account := serviceAccountName(pod)
		pr.also = append(pr.also, related{object: pod.Object, at: account, note: pod.Object.ID() + " runs with it"})
	}
}

// name says which workloads get the rights.
func (pr *problem) name(pods []*manifest.Pod) {
	var workloads []string
	known := make(map[*manifest.Object]bool)
	for _, pod := range pods {
		if !known[pod.Object] {
			known[pod.Object] = true
			workloads = append(workloads, pod.Object.ID())
		}
	}
	if len(workloads) == 0 {
		return
	}
	shown := workloads[:min(len(workloads), maxReached)]
	pr.message += " Pods of " + strings.Join(shown, ", ")
	if more := len(workloads) - len(shown); more > 0 {
		pr.message += fmt.Sprintf(", and %d more,", more)
	}
	pr.message += " get this right."
}

// accounts are the service accounts for which a subject of a binding stands.
type accounts struct {
	// namespace and name are empty for all; a namespace that is not written
	// matches any as well.
	namespace, name string
}

// accountsOf returns the service accounts for which a subject stands: one by
// name, as a service account or as the user that it is to the API server, or
// the group of all of a namespace or of the cluster.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens
func accountsOf(binding *manifest.Object, subject *manifest.Place) (accounts, bool) {
	name := subject.At("name").Text()
	switch subject.At("kind").Text() {
	case "ServiceAccount":
		return accounts{namespaceOf(subject, binding), name}, name != ""
	case "User":
		if rest, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
			namespace, account, ok := strings.Cut(rest, ":")
			return accounts{namespace, account}, ok && namespace != "" && account != ""
		}
	case "Group":
		if namespace, ok := strings.CutPrefix(name, "system:serviceaccounts:"); ok {
			return accounts{namespace: namespace}, namespace != ""
		}
		return accounts{}, name == "system:serviceaccounts" || name == "system:authenticated"
	}
	return accounts{}, false
}

// podsOf returns the pods that get the rights of a binding by the tokens of
// their service accounts.
func (s *set) podsOf(binding *manifest.Object) []*manifest.Pod {
	if pods, known := s.podsByBinding[binding]; known {
		return pods
	}
	var pods []*manifest.Pod
	taken := make(map[*manifest.Pod]bool)
	for _, subject := range binding.At("subjects").Items() {
		who, ok := accountsOf(binding, subject)
		if !ok {
			continue
		}
		candidates := s.pods
		if who.name != "" {
			candidates = s.podsByAccount[who.name]
		}
		for _, pod := range candidates {
			if !taken[pod] && sameNamespace(pod.Object.Namespace, who.namespace) && s.hasToken(pod) {
				taken[pod] = true
				pods = append(pods, pod)
			}
		}
	}
	if s.podsByBinding == nil {
		s.podsByBinding = make(map[*manifest.Object][]*manifest.Pod)
	}
	s.podsByBinding[binding] = pods
	return pods
}

// hasToken reports whether a token of the pod's service account is mounted in
// it: by default, or as a volume of its own.
func (s *set) hasToken(pod *manifest.Pod) bool {
	if cloudRun(pod.Object) {
		return false
	}
	for _, volume := range pod.Spec.At("volumes").Items() {
		for _, source := range volume.At("projected", "sources").Items() {
			if source.At("serviceAccountToken").Exists() {
				return true
			}
		}
	}
	return s.automounts(pod)
}

// automounts reports whether the pod gets a token without asking for one. The
// pod's own word counts more than that of its service account.
func (s *set) automounts(pod *manifest.Pod) bool {
	if at := pod.Spec.At("automountServiceAccountToken"); at.Exists() {
		return !at.False()
	}
	name, _ := serviceAccountName(pod)
	account := s.serviceAccount(pod.Object.Namespace, name)
	return account == nil || !account.At("automountServiceAccountToken").False()
}

// bound reports whether a binding grants something to a service account, by
// itself or as one of those of its namespace. A namespace that is not written
// is decided at deployment and matches any.
func (s *set) bound(namespace, name string) bool {
	if namespace == "" {
		for who := range maps.Keys(s.subjects) {
			if who.name == name || who.name == "" {
				return true
			}
		}
		return false
	}
	for _, who := range []accounts{{namespace, name}, {"", name}, {namespace, ""}, {"", ""}} {
		if s.subjects[who] {
			return true
		}
	}
	return false
}
