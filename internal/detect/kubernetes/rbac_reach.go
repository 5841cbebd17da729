package kubernetes

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// bindingsOf returns the bindings of the set that bind a role.
func (s *set) bindingsOf(role *manifest.Object) []*manifest.Object {
	var bindings []*manifest.Object
	for _, kind := range []string{"ClusterRoleBinding", "RoleBinding"} {
		for _, b := range s.byKind[kind] {
			ref := b.At("roleRef")
			if !isBinding(b) || ref.At("kind").Text() != role.Kind || ref.At("name").Text() != role.Name {
				continue
			}
			if role.Kind == "ClusterRole" || sameNamespace(role.Namespace, b.Namespace) {
				bindings = append(bindings, b)
			}
		}
	}
	return bindings
}

// maxReached bounds the further places of one finding.
const maxReached = 5

// addRole adds a finding about a role together with the way from there to the
// pods that get its rights: binding, service account, workload.
func (p *pass) addRole(role *manifest.Object, at *manifest.Place, severity finding.Severity, bindings []*manifest.Object, format string, args ...any) {
	pr := problem{object: role, at: at, severity: severity, message: fmt.Sprintf(format, args...)}
	var workloads []string
	for _, b := range bindings {
		pods := p.set.podsOf(b)
		for _, pod := range pods {
			workloads = append(workloads, pod.Object.ID())
		}
		if len(pr.also) < maxReached {
			pr.also = append(pr.also, related{object: b, at: b.At("roleRef", "name"), note: b.ID() + " grants it"})
		}
		for _, pod := range pods {
			if len(pr.also) < maxReached {
				_, account := serviceAccountName(pod)
				pr.also = append(pr.also, related{object: pod.Object, at: account, note: pod.Object.ID() + " runs with it"})
			}
		}
	}
	if len(workloads) > 0 {
		shown := workloads[:min(len(workloads), maxReached)]
		pr.message += " Pods of " + strings.Join(shown, ", ") + " get this right"
		if more := len(workloads) - len(shown); more > 0 {
			pr.message += fmt.Sprintf(", and %d more", more)
		}
		pr.message += "."
	}
	p.add(pr)
}

// podsOf returns the pods whose service accounts a binding names.
func (s *set) podsOf(binding *manifest.Object) []*manifest.Pod {
	var pods []*manifest.Pod
	for _, subject := range binding.At("subjects").Items() {
		if subject.At("kind").Text() != "ServiceAccount" {
			continue
		}
		namespace := subject.At("namespace").Text()
		if namespace == "" {
			namespace = binding.Namespace
		}
		for _, pod := range s.podsByAccount[subject.At("name").Text()] {
			if sameNamespace(pod.Object.Namespace, namespace) {
				pods = append(pods, pod)
			}
		}
	}
	return pods
}
