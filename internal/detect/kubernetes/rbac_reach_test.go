package kubernetes

import (
	"context"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// reachingRole may read Secrets; boundBy binds a ClusterRole to subjects.
const reachingRole = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, labels: {part: \"yes\"}}\nrules: [{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]\n---\n"

func boundBy(kind, role, subject string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: b, namespace: shop}\nsubjects: [{" + subject + "}]\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + role + "}\n---\n"
}

func aggregate(name, labels, selector string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + name + ", labels: {" + labels + "}}\naggregationRule: {clusterRoleSelectors: [" + selector + "]}\n---\n"
}

func running(spec string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {" + spec + "containers: [{name: a, image: web}]}}}\n---\n"
}

func TestTheRightsOfARoleAreFollowedToTheWorkloads(t *testing.T) {
	const account = "kind: ServiceAccount, name: web, namespace: shop"
	const group = "kind: Group, name: \"system:serviceaccounts"
	web := running("serviceAccountName: web, ")
	withoutToken := "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\nautomountServiceAccountToken: false\n"
	crb := func(subject string) string { return boundBy("ClusterRoleBinding", "r", subject) }
	for _, tt := range []struct {
		name, objects string
		reached       bool
		severity      finding.Severity
	}{
		{"from a binding of the cluster", crb(account) + web, true, finding.High},
		{"from a binding of the namespace, where it weighs less", boundBy("RoleBinding", "r", account) + web, true, finding.Medium},
		{"from a subject without a namespace in a binding of the pod's", boundBy("RoleBinding", "r", "kind: ServiceAccount, name: web") + web, true, finding.Medium},
		{"by the former name of the field", crb(account) + running("serviceAccount: web, "), true, finding.High},
		{"from the default account", crb("kind: ServiceAccount, name: default, namespace: shop") + running(""), true, finding.High},
		{"from the user that the account is", crb("kind: User, name: \"system:serviceaccount:shop:web\"") + web, true, finding.High},
		{"from the group of the namespace's accounts", crb(group+":shop\"") + web, true, finding.High},
		{"from the group of all accounts", crb(group+"\"") + web, true, finding.High},
		{"from the group of everybody", crb("kind: Group, name: \"system:authenticated\"") + web, true, finding.High},
		{"not from the account of another namespace", crb("kind: ServiceAccount, name: web, namespace: bank") + web, false, finding.High},
		{"not from another account", crb("kind: ServiceAccount, name: api, namespace: shop") + web, false, finding.High},
		{"not from the user of another account", crb("kind: User, name: \"system:serviceaccount:bank:web\"") + web, false, finding.High},
		{"not from the group of another namespace", crb(group+":bank\"") + web, false, finding.High},
		{"not from a group of people", crb("kind: Group, name: shop") + web, false, finding.High},
		{"not from a binding of another role", boundBy("ClusterRoleBinding", "other", account) + web, false, finding.High},

		{"not to a pod without a token", crb(account) + running("serviceAccountName: web, automountServiceAccountToken: false, "), false, finding.High},
		{"not to a pod whose account mounts none", crb(account) + web + withoutToken, false, finding.High},
		{"to a pod that mounts it against its account", crb(account) + running("serviceAccountName: web, automountServiceAccountToken: true, ") + withoutToken, true, finding.High},
		{"to a pod that mounts a token as a volume", crb(account) + running("serviceAccountName: web, automountServiceAccountToken: false, volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}], "), true, finding.High},

		{"through a role that it is aggregated into", aggregate("all", "", "{matchLabels: {part: \"yes\"}}") + boundBy("ClusterRoleBinding", "all", account) + web, true, finding.High},
		{"through one of several selectors", aggregate("all", "", "{matchLabels: {x: y}}, {matchExpressions: [{key: part, operator: Exists}]}") + boundBy("RoleBinding", "all", account) + web, true, finding.Medium},
		{"through two roles", aggregate("some", "more: \"yes\"", "{matchLabels: {part: \"yes\"}}") + aggregate("all", "", "{matchLabels: {more: \"yes\"}}") + boundBy("ClusterRoleBinding", "all", account) + web, true, finding.High},
		{"through roles that select each other", aggregate("some", "more: \"yes\"", "{matchLabels: {part: \"yes\"}}, {matchLabels: {most: \"yes\"}}") + aggregate("all", "most: \"yes\"", "{matchLabels: {more: \"yes\"}}") + boundBy("ClusterRoleBinding", "all", account) + web, true, finding.High},
		{"not through a role that selects others", aggregate("all", "", "{matchLabels: {part: \"no\"}}") + boundBy("ClusterRoleBinding", "all", account) + web, false, finding.High},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := only(t, "k8s-rbac-secrets-read", reachingRole+tt.objects)
			named := strings.Contains(f.Message, "Pods of Deployment/shop/web get this right.")
			pointed := strings.Contains(f.Locations[len(f.Locations)-1].Note, "Deployment/shop/web runs with it")
			if named != tt.reached || pointed != tt.reached || f.Severity != tt.severity {
				t.Errorf("%s, %s, %+v", f.Severity, f.Message, f.Locations)
			}
		})
	}
}

// only returns the one finding of a rule.
func only(t *testing.T, id, text string) finding.Finding {
	t.Helper()
	result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, Options{})
	checkResult(t, result)
	var found []finding.Finding
	for _, f := range result.Findings {
		if f.RuleID == id {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d findings of %s", len(found), id)
	}
	return found[0]
}

func TestRolesOfEveryClusterTakeInOthers(t *testing.T) {
	const account = "kind: ServiceAccount, name: web, namespace: shop"
	for _, tt := range []struct {
		label, bound string
		reached      bool
	}{
		{"view", "view", true},
		{"view", "admin", true},
		{"edit", "admin", true},
		{"edit", "view", false},
		{"admin", "admin", true},
		{"admin", "edit", false},
	} {
		role := strings.Replace(reachingRole, "part:", "rbac.authorization.k8s.io/aggregate-to-"+tt.label+": \"true\", part:", 1)
		f := only(t, "k8s-rbac-secrets-read", role+boundBy("ClusterRoleBinding", tt.bound, account)+running("serviceAccountName: web, "))
		if got := strings.Contains(f.Message, "Deployment/shop/web"); got != tt.reached {
			t.Errorf("a part of %s where %s is bound: %s", tt.label, tt.bound, f.Message)
		}
	}
}

func TestBindingsAreFollowedToTheWorkloads(t *testing.T) {
	web := running("serviceAccountName: web, ")
	wildcard := strings.NewReplacer("[secrets]", "['*']", "name: r,", "name: all,").Replace(reachingRole)
	for id, text := range map[string]string{
		"k8s-rbac-cluster-admin":      boundBy("ClusterRoleBinding", "cluster-admin", "kind: ServiceAccount, name: web, namespace: shop") + web,
		"k8s-rbac-authenticated":      boundBy("ClusterRoleBinding", "view", "kind: Group, name: \"system:serviceaccounts\"") + web,
		"k8s-rbac-default-sa-binding": boundBy("RoleBinding", "view", "kind: ServiceAccount, name: default") + running(""),
		"k8s-rbac-wildcard":           wildcard + boundBy("ClusterRoleBinding", "all", "kind: ServiceAccount, name: web, namespace: shop") + web,
	} {
		if f := only(t, id, text); !strings.Contains(f.Message, "Pods of Deployment/shop/web get this right.") || len(f.Locations) < 2 {
			t.Errorf("%s: %s %+v", id, f.Message, f.Locations)
		}
	}
}

func TestManyWorkloadsAreCounted(t *testing.T) {
	text := reachingRole + boundBy("ClusterRoleBinding", "r", "kind: Group, name: \"system:serviceaccounts:shop\"")
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		text += strings.Replace(running(""), "name: web", "name: "+name, 1)
	}
	f := only(t, "k8s-rbac-secrets-read", text)
	if !strings.Contains(f.Message, "Deployment/shop/e, and 2 more, get this right.") || len(f.Locations) != 1+maxReached {
		t.Errorf("%s %+v", f.Message, f.Locations)
	}
}
