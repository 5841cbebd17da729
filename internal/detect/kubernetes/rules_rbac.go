package kubernetes

import (
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// rbacRules are about who may do what to the cluster.
var rbacRules = []rule{
	rbacClusterAdmin, rbacWildcard, rbacAnonymous, rbacAuthenticated, rbacMasters, rbacDefaultSA,
	rbacAWSAuth, sccPrivileged,
}

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
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1098.006", "cis-5.1.1", "nsa-authorization"},
		Bad:          replaced(exampleBinding, "ROLE", "cluster-admin"),
		Good:         replaced(exampleBinding, "ROLE", "view"),
	},
	object: func(p *pass, o *manifest.Object) {
		at := o.At("roleRef", "name")
		if !isBinding(o) || at.Text() != "cluster-admin" || o.At("roleRef", "kind").Text() == "Role" || bootstrapBinding(o) {
			return
		}
		if o.Kind == "RoleBinding" {
			p.reportBinding(o, finding.Medium, at, "%s makes its subjects masters of the namespace by cluster-admin; bind a role that lists what they need.", o.ID())
			return
		}
		p.reportBinding(o, p.rule.Severity, at, "%s makes its subjects masters of the whole cluster; bind a role that lists what they need.", o.ID())
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
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1098.006", "cis-5.1.3", "nsa-authorization"},
		Bad:          roleExample("example.com", "widgets", `"*"`),
		Good:         exampleRole,
	},
	object: checkRBACWildcard,
}

func checkRBACWildcard(p *pass, o *manifest.Object) {
	if !isRole(o) || bootstrapRole(o) {
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
					p.reportRole(o, at, "%s grants %s; list the %s that are needed.", o.ID(), field.what, field.key)
				}
			}
		}
	}
}

// publicRoles are bound to everybody in every cluster.
var publicRoles = []string{"system:public-info-viewer", "system:discovery", "system:basic-user", "system:service-account-issuer-discovery"}

// eachSubject calls a function for the name of each subject of a binding of
// the given kind.
func eachSubject(o *manifest.Object, kind string, visit func(subject, name *manifest.Place)) {
	if !isBinding(o) {
		return
	}
	for _, s := range o.At("subjects").Items() {
		if s.At("kind").Text() == kind {
			visit(s, s.At("name"))
		}
	}
}

func subjectExample(kind, name string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: web\nsubjects:\n  - apiGroup: rbac.authorization.k8s.io\n    kind: " +
		kind + "\n    name: " + name + "\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: view\n"
}

var rbacAnonymous = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-anonymous", Aliases: []string{"KSV-0122", "C-0262"},
		Title:        "Rights are granted to everybody",
		Severity:     finding.Critical,
		Why:          "system:anonymous and system:unauthenticated are whoever can reach the API server, from the internet often enough, without any credential.",
		Fix:          "Bind the role to the users or service accounts that need it.",
		WhenToIgnore: "Never, except for public information such as health and version.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-306", "external/mitre-attack/T1078.001", "nsa-authorization"},
		Bad:          subjectExample("Group", "system:unauthenticated"),
		Good:         subjectExample("Group", "shop-operators"),
	},
	object: func(p *pass, o *manifest.Object) {
		check := func(_, at *manifest.Place) {
			name := at.Text()
			if (name == "system:anonymous" || name == "system:unauthenticated") && !slices.Contains(publicRoles, o.At("roleRef", "name").Text()) {
				p.report(at, "%s grants %s to %s, which is everybody without a credential; bind it to those who need it.", o.ID(), o.At("roleRef", "name").Text(), name)
			}
		}
		eachSubject(o, "User", check)
		eachSubject(o, "Group", check)
	},
}

var rbacAuthenticated = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-authenticated", Aliases: []string{"KSV-1011", "C-0265"},
		Title:        "Rights are granted to every account",
		Severity:     finding.High,
		Why:          "system:authenticated is everybody with any credential: on managed clusters that can be every account of the provider. system:serviceaccounts is every pod of the cluster.",
		Fix:          "Bind the role to the users, groups or service accounts that need it.",
		WhenToIgnore: "Roles that show nothing but public information.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-285", "external/mitre-attack/T1078", "nsa-authorization"},
		Bad:          subjectExample("Group", "system:authenticated"),
		Good:         subjectExample("Group", "shop-operators"),
	},
	object: func(p *pass, o *manifest.Object) {
		eachSubject(o, "Group", func(_, at *manifest.Place) {
			name := at.Text()
			if (name == "system:authenticated" || name == "system:serviceaccounts") && !slices.Contains(publicRoles, o.At("roleRef", "name").Text()) {
				p.reportBinding(o, p.rule.Severity, at, "%s grants %s to %s, which is every account; bind it to those who need it.", o.ID(), o.At("roleRef", "name").Text(), name)
			}
		})
	},
}

var rbacMasters = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-masters", Aliases: []string{"KSV-0123", "C-0246"},
		Title:        "Rights are granted to system:masters",
		Severity:     finding.Critical,
		Why:          "Members of system:masters may do everything, past all access rules, and nobody can take that away but by a new certificate authority. Nothing should be built on that group.",
		Fix:          "Use a group of your own and bind `cluster-admin` to it where that is really needed.",
		WhenToIgnore: "Never.",
		References:   []string{docRBACGood},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1078", "cis-5.1.7", "nsa-authorization"},
		Bad:          subjectExample("Group", "system:masters"),
		Good:         subjectExample("Group", "shop-operators"),
	},
	object: func(p *pass, o *manifest.Object) {
		if bootstrapBinding(o) {
			return
		}
		eachSubject(o, "Group", func(_, at *manifest.Place) {
			if at.Text() == "system:masters" {
				p.report(at, "%s names system:masters, whose members pass by all access rules; use a group of your own.", o.ID())
			}
		})
	},
}

var rbacDefaultSA = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-default-sa-binding", Aliases: []string{"C-0189", "CKV_K8S_42"},
		Title:        "Rights are granted to a default service account",
		Severity:     finding.Medium,
		Why:          "All pods of a namespace that name no account run as `default`, those that are added tomorrow too. What it may, all of them may.",
		Fix:          "Make a ServiceAccount for the workload that needs the rights and bind the role to it.",
		WhenToIgnore: "Namespaces with a single workload.",
		References:   []string{docServiceAccounts, docRBACGood},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1078.001", "cis-5.1.5", "nsa-authorization"},
		Bad:          replaced(replaced(exampleBinding, "ROLE", "view"), "name: web\n    namespace", "name: default\n    namespace"),
		Good:         replaced(exampleBinding, "ROLE", "view"),
	},
	object: func(p *pass, o *manifest.Object) {
		eachSubject(o, "ServiceAccount", func(_, at *manifest.Place) {
			if at.Text() == "default" {
				p.reportBinding(o, p.rule.Severity, at, "%s grants %s to the service account that all pods share which name none; make one for the workload.", o.ID(), o.At("roleRef", "name").Text())
			}
		})
	},
}

var rbacAWSAuth = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-aws-auth", Aliases: []string{"KSV-0115"},
		Title:        "Role may change who is administrator on EKS",
		Severity:     finding.Critical,
		Why:          "The ConfigMap aws-auth in kube-system maps AWS identities to groups of the cluster. Who may change it can make any AWS role a member of system:masters.",
		Fix:          "Remove the rule, and use EKS access entries instead of the ConfigMap.",
		WhenToIgnore: "The tool that manages the cluster's node groups.",
		References:   []string{"https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html"},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1098.006", "nsa-authorization"},
		Bad:          replaced(replaced(roleExample("\"\"", "configmaps", "update"), "namespace: shop", "namespace: kube-system"), "    verbs", "    resourceNames: [aws-auth]\n    verbs"),
		Good:         replaced(replaced(roleExample("\"\"", "configmaps", "get"), "namespace: shop", "namespace: kube-system"), "    verbs", "    resourceNames: [aws-auth]\n    verbs"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !isRole(o) || o.Kind == "Role" && !sameNamespace(o.Namespace, "kube-system") {
			return
		}
		for _, r := range o.At("rules").Items() {
			if _, _, ok := (grant{groups: []string{""}, resources: []string{"configmaps"}, verbs: writeVerbs}).match(r); !ok {
				continue
			}
			for _, at := range r.At("resourceNames").Items() {
				if at.Text() == "aws-auth" {
					p.reportRole(o, at, "%s may change aws-auth, and so make anybody administrator of the cluster; remove the rule.", o.ID())
				}
			}
		}
	},
}

var sccPrivileged = rule{
	Rule: rules.Rule{
		ID: "k8s-scc-privileged", Aliases: []string{"scc-deny-privileged-container"},
		Title:        "OpenShift allows privileged containers",
		Severity:     finding.High,
		Why:          "A SecurityContextConstraints that allows privileged containers, and the right to use the built-in one, let a workload own its node.",
		Fix:          "Use `restricted-v2`, or constraints that allow the one thing that is needed.",
		WhenToIgnore: "Node agents in a namespace of their own.",
		References:   []string{"https://docs.redhat.com/en/documentation/openshift_container_platform/4.17/html/authentication_and_authorization/managing-pod-security-policies"},
		Tags:         []string{tagEscape, tagPrivilege, "cis-5.2.2"},
		Bad:          replaced(exampleBinding, "ROLE", "system:openshift:scc:privileged"),
		Good:         replaced(exampleBinding, "ROLE", "system:openshift:scc:restricted-v2"),
	},
	object: func(p *pass, o *manifest.Object) {
		if at := o.At("allowPrivilegedContainer"); o.Is("SecurityContextConstraints", "security.openshift.io", "") && at.True() {
			p.report(at, "%s allows privileged containers; use restricted-v2 or allow the one thing that is needed.", o.ID())
		}
		if at := o.At("roleRef", "name"); isBinding(o) && at.Text() == "system:openshift:scc:privileged" {
			p.report(at, "%s lets its subjects run privileged containers; use restricted-v2.", o.ID())
		}
		if !isRole(o) {
			return
		}
		for _, r := range o.At("rules").Items() {
			for _, at := range r.At("resourceNames").Items() {
				if at.Text() == "privileged" && anyItem(r.At("resources"), []string{"securitycontextconstraints"}) && anyItem(r.At("verbs"), []string{"use"}) {
					p.reportRole(o, at, "%s lets its subjects run privileged containers; name restricted-v2 instead.", o.ID())
				}
			}
		}
	},
}
