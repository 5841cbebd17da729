package kubernetes

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// rbacRules are about who may do what to the cluster.
var rbacRules = []rule{rbacClusterAdmin, rbacWildcard}

const rbacGroup = "rbac.authorization.k8s.io"

func isRole(o *manifest.Object) bool {
	return (o.Kind == "Role" || o.Kind == "ClusterRole") && o.Group() == rbacGroup
}

func isBinding(o *manifest.Object) bool {
	return (o.Kind == "RoleBinding" || o.Kind == "ClusterRoleBinding") && o.Group() == rbacGroup
}

const exampleRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: web
  namespace: shop
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list]
`

const exampleBinding = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: web
subjects:
  - kind: ServiceAccount
    name: web
    namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: ROLE
`

var rbacClusterAdmin = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-cluster-admin", Aliases: []string{"KSV-0111", "C-0185", "cluster-admin-role-binding"},
		Title:    "cluster-admin is granted",
		Severity: finding.High,
		Why: "`cluster-admin` may do everything to everything. A service account that has it gives the whole cluster to whoever gets " +
			"into one of its pods.",
		Fix:          "Bind a role that lists what the subject really needs; in one namespace, with a RoleBinding, where that is enough.",
		WhenToIgnore: "The one binding for the people who run the cluster.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1098.006", "cis-5.1.1"},
		Bad:          replaced(exampleBinding, "ROLE", "cluster-admin"),
		Good:         replaced(exampleBinding, "ROLE", "view"),
	},
	object: func(p *pass, o *manifest.Object) {
		at := o.At("roleRef", "name")
		if !isBinding(o) || at.Text() != "cluster-admin" || o.At("roleRef", "kind").Text() == "Role" || bootstrapBinding(o) {
			return
		}
		if o.Kind == "RoleBinding" {
			p.reportAs(finding.Medium, at, "%s makes its subjects masters of the namespace by cluster-admin; bind a role that lists what they need.", o.ID())
			return
		}
		p.report(at, "%s makes its subjects masters of the whole cluster; bind a role that lists what they need.", o.ID())
	},
}

// bootstrapBinding reports whether the binding is the one that every cluster
// makes for itself.
func bootstrapBinding(o *manifest.Object) bool {
	subjects := o.At("subjects").Items()
	return o.Kind == "ClusterRoleBinding" && o.Name == "cluster-admin" && len(subjects) == 1 && subjects[0].At("name").Text() == "system:masters"
}

var rbacWildcard = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-wildcard", Aliases: []string{"KSV-0044", "KSV-0045", "KSV-0046", "KSV-0112", "C-0187", "CKV_K8S_49", "wildcard-in-rules"},
		Title:    "Role grants by a wildcard",
		Severity: finding.High,
		Why: "`*` grants what exists today and everything that will ever be added: new verbs such as `escalate`, new resources of " +
			"operators that are installed later. Nobody reviews that growth.",
		Fix:          "List the API groups, resources and verbs that are needed.",
		WhenToIgnore: "Operators that manage all resources of their own API group.",
		References:   []string{docRBACGood},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1098.006", "cis-5.1.3"},
		Bad:          roleExample("example.com", "widgets", `"*"`),
		Good:         exampleRole,
	},
	object: checkRBACWildcard,
}

func checkRBACWildcard(p *pass, o *manifest.Object) {
	if !isRole(o) {
		return
	}
	for _, r := range o.At("rules").Items() {
		for _, field := range []struct{ key, what string }{
			{"verbs", "every verb, present and future"},
			{"resources", "every resource, present and future"},
			{"apiGroups", "the resources of every API group, present and future"},
		} {
			for _, at := range r.At(field.key).Items() {
				if at.Text() == "*" {
					p.report(at, "%s grants %s; list the %s that are needed.", o.ID(), field.what, field.key)
				}
			}
		}
	}
}
