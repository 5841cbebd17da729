package kubernetes

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// grant is what a rule of a role must hold to be a match.
type grant struct {
	// groups are API groups, resources the plural names with subresource, and
	// verbs the verbs of which one is enough.
	groups    []string
	resources []string
	verbs     []string
	// unnamed leaves out rules that name the objects in resourceNames, where
	// that narrows the right down.
	unnamed bool
}

// verbs that change what is stored.
var writeVerbs = []string{"create", "update", "patch", "delete", "deletecollection"}

// match returns the place of the resource in a rule of a role that grants one
// of the wanted verbs on it, with the verb. A rule with a wildcard for both
// resources and verbs matches nothing here: k8s-rbac-wildcard reports it.
func (g grant) match(r *manifest.Place) (at *manifest.Place, verb string, ok bool) {
	if !anyItem(r.At("apiGroups"), g.groups) {
		return nil, "", false
	}
	if g.unnamed && len(r.At("resourceNames").Items()) > 0 {
		return nil, "", false
	}
	verbAt := firstItem(r.At("verbs"), g.verbs)
	if verbAt == nil {
		return nil, "", false
	}
	for _, item := range r.At("resources").Items() {
		text := item.Text()
		all := text == "*" && verbAt.Text() != "*"
		_, sub, _ := strings.Cut(text, "*/")
		for _, want := range g.resources {
			_, wantSub, _ := strings.Cut(want, "/")
			if text == want || all || sub != "" && sub == wantSub {
				return item, verbAt.Text(), true
			}
		}
	}
	return nil, "", false
}

func anyItem(list *manifest.Place, wanted []string) bool { return firstItem(list, wanted) != nil }

// firstItem returns the first item that is one of the wanted words or *.
func firstItem(list *manifest.Place, wanted []string) *manifest.Place {
	for _, item := range list.Items() {
		if text := item.Text(); text == "*" || slices.Contains(wanted, text) {
			return item
		}
	}
	return nil
}

// checkGrant makes the check of a rule about one thing that a role grants.
// The message gets the role and the verb.
func checkGrant(message string, grants ...grant) func(*pass, *manifest.Object) {
	return func(p *pass, o *manifest.Object) {
		if !isRole(o) || bootstrapRole(o) {
			return
		}
		for _, r := range o.At("rules").Items() {
			for _, g := range grants {
				if at, verb, ok := g.match(r); ok {
					if verb == "*" {
						verb = "every verb"
					}
					p.reportRole(o, at, message, o.ID(), verb, at.Text())
					break
				}
			}
		}
	}
}

// reportRole reports on a role, one step less where only RoleBindings bind a
// ClusterRole, since its rights then end with their namespaces. The places of
// what the role reaches come along.
func (p *pass) reportRole(o *manifest.Object, at *manifest.Place, format string, args ...any) {
	severity := p.rule.Severity
	bindings := p.set.bindingsOf(o)
	if o.Kind == "ClusterRole" && len(bindings) > 0 && !slices.ContainsFunc(bindings, func(b *manifest.Object) bool { return b.Kind == "ClusterRoleBinding" }) {
		severity = max(severity-1, finding.Info)
	}
	p.addRole(o, at, severity, bindings, format, args...)
}

// bootstrapRole reports whether the role is one that every cluster has.
func bootstrapRole(o *manifest.Object) bool {
	return o.At("metadata", "labels", "kubernetes.io/bootstrapping").Text() == "rbac-defaults"
}
