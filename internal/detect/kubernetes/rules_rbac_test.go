package kubernetes

import "strings"

// role is a ClusterRole with one rule; binding binds a role of the given name.
func role(groups, resources, verbs string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules:\n  - apiGroups: " + groups + "\n    resources: " + resources + "\n    verbs: " + verbs + "\n"
}

func binding(kind, roleKind, roleName string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: b, namespace: shop}\nsubjects:\n  - {kind: ServiceAccount, name: web, namespace: shop}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: " + roleKind + "\n  " + roleName + "\n"
}

var rbacCases = map[string][]ruleCase{
	"k8s-rbac-cluster-admin": {
		{"fires on a ClusterRoleBinding", binding("ClusterRoleBinding", "ClusterRole", "➤name: cluster-admin")},
		{"fires on a RoleBinding", binding("RoleBinding", "ClusterRole", "➤name: cluster-admin")},
		{"fires on a quoted name", binding("ClusterRoleBinding", "ClusterRole", "➤name: \"cluster-admin\"")},
		{"fires inside of a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRoleBinding\n  metadata: {name: b}\n  roleRef: {kind: ClusterRole, ➤name: cluster-admin}\n"},
		{"fires inside of a typed list whose items name no kind", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBindingList\nitems:\n- metadata: {name: b}\n  roleRef: {kind: ClusterRole, ➤name: cluster-admin}\n"},
		{"is silent about another role", binding("ClusterRoleBinding", "ClusterRole", "name: view")},
		{"is silent about a namespace's own role of that name", binding("RoleBinding", "Role", "name: cluster-admin")},
		{"is silent about the binding that every cluster has", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: cluster-admin}\nsubjects: [{kind: Group, name: \"system:masters\"}]\nroleRef: {kind: ClusterRole, name: cluster-admin}\n"},
		{"is silent about a binding of another API", "apiVersion: example.com/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {kind: ClusterRole, name: cluster-admin}\n"},
	},
	"k8s-rbac-wildcard": {
		{"fires on verbs", role(`[""]`, "[configmaps]", `[➤"*"]`)},
		{"fires on resources", role(`[""]`, "[➤'*']", "[get]")},
		{"fires on API groups", role(`[➤"*"]`, "[deployments]", "[get]")},
		{"fires on each of the three", role(`[➤"*"]`, `[➤"*"]`, `[➤"*"]`)},
		{"is silent about lists", role(`[""]`, "[configmaps]", "[get, list]")},
		{"is silent about all subresources of one resource", role(`[""]`, `["configmaps/*"]`, "[get]")},
		{"is silent about paths, which are no resources", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules:\n  - nonResourceURLs: [\"*\"]\n    verbs: [get]\n"},
		{"is silent about a role without rules", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n"},
	},
	"k8s-rbac-anonymous": {
		{"fires on the user", subjects("{kind: User, ➤name: \"system:anonymous\"}")},
		{"fires on the group", subjects("{kind: Group, ➤name: system:unauthenticated}")},
		{"fires on both", subjects("{kind: User, ➤name: system:anonymous}\n  - {kind: Group, ➤name: system:unauthenticated}")},
		{"fires in one namespace", strings.Replace(subjects("{kind: Group, ➤name: system:unauthenticated}"), "ClusterRoleBinding", "RoleBinding", 1)},
		{"is silent about a group", subjects("{kind: Group, name: operators}")},
		{"is silent about public information", strings.Replace(subjects("{kind: Group, name: system:unauthenticated}"), "name: view", "name: system:public-info-viewer", 1)},
		{"is silent about a service account of that name", subjects("{kind: ServiceAccount, name: anonymous}")},
		{"is silent without subjects", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {kind: ClusterRole, name: view}\n"},
	},
	"k8s-rbac-authenticated": {
		{"fires on all users", subjects("{kind: Group, ➤name: system:authenticated}")},
		{"fires on all service accounts", subjects("{kind: Group, ➤name: \"system:serviceaccounts\"}")},
		{"fires among others", subjects("{kind: Group, name: a}\n  - {kind: Group, ➤name: system:authenticated}")},
		{"fires in one namespace", strings.Replace(subjects("{kind: Group, ➤name: system:authenticated}"), "ClusterRoleBinding", "RoleBinding", 1)},
		{"is silent about the accounts of one namespace", subjects("{kind: Group, name: system:serviceaccounts:shop}")},
		{"is silent about a user of that name", subjects("{kind: User, name: system:authenticated}")},
		{"is silent about what every cluster grants", strings.Replace(subjects("{kind: Group, name: system:authenticated}"), "name: view", "name: system:basic-user", 1)},
		{"is silent about a group", subjects("{kind: Group, name: authenticated}")},
	},
	"k8s-rbac-masters": {
		{"fires on the group", subjects("{kind: Group, ➤name: system:masters}")},
		{"fires on the quoted group", subjects("{kind: Group, ➤name: \"system:masters\"}")},
		{"fires among others", subjects("{kind: Group, name: a}\n  - kind: Group\n    ➤name: system:masters")},
		{"fires in one namespace", strings.Replace(subjects("{kind: Group, ➤name: system:masters}"), "ClusterRoleBinding", "RoleBinding", 1)},
		{"is silent about a group", subjects("{kind: Group, name: masters}")},
		{"is silent about a user", subjects("{kind: User, name: system:masters}")},
		{"is silent about the binding that every cluster has", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: cluster-admin}\nsubjects: [{kind: Group, name: system:masters}]\nroleRef: {kind: ClusterRole, name: cluster-admin}\n"},
		{"is silent about a service account", subjects("{kind: ServiceAccount, name: masters, namespace: system}")},
	},
	"k8s-rbac-default-sa-binding": {
		{"fires on the account", subjects("{kind: ServiceAccount, ➤name: default, namespace: shop}")},
		{"fires without a namespace", subjects("{kind: ServiceAccount, ➤name: default}")},
		{"fires among others", subjects("{kind: ServiceAccount, name: web}\n  - {kind: ServiceAccount, ➤name: default}")},
		{"fires in one namespace", strings.Replace(subjects("{kind: ServiceAccount, ➤name: default}"), "ClusterRoleBinding", "RoleBinding", 1)},
		{"is silent about an account of its own", subjects("{kind: ServiceAccount, name: web}")},
		{"is silent about a user of that name", subjects("{kind: User, name: default}")},
		{"is silent about the namespace of that name", subjects("{kind: ServiceAccount, name: web, namespace: default}")},
		{"is silent about a group", subjects("{kind: Group, name: default}")},
	},
	"k8s-rbac-aws-auth": {
		{"fires on a role of kube-system", awsAuth("Role", "kube-system", "[➤aws-auth]", "[update]")},
		{"fires on a role of the cluster", awsAuth("ClusterRole", "", "[➤aws-auth]", "[patch]")},
		{"fires on the name among others", awsAuth("Role", "kube-system", "[coredns, ➤aws-auth]", "[get, update]")},
		{"fires on every verb", awsAuth("Role", "kube-system", "[➤aws-auth]", "[\"*\"]")},
		{"is silent about reading", awsAuth("Role", "kube-system", "[aws-auth]", "[get, list]")},
		{"is silent about another namespace", awsAuth("Role", "shop", "[aws-auth]", "[update]")},
		{"is silent about another ConfigMap", awsAuth("Role", "kube-system", "[coredns]", "[update]")},
		{"is silent about all ConfigMaps, which another rule reports", role("[\"\"]", "[configmaps]", "[update]")},
	},
	"k8s-scc-privileged": {
		{"fires on constraints", "apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata: {name: s}\n➤allowPrivilegedContainer: true\n"},
		{"fires on a binding of the cluster", binding("ClusterRoleBinding", "ClusterRole", "➤name: system:openshift:scc:privileged")},
		{"fires on a binding of a namespace", binding("RoleBinding", "ClusterRole", "➤name: \"system:openshift:scc:privileged\"")},
		{"fires on a role", role("[security.openshift.io]", "[securitycontextconstraints]", "[use]\n    resourceNames: [➤privileged]")},
		{"is silent about narrow constraints", "apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata: {name: s}\nallowPrivilegedContainer: false\n"},
		{"is silent about another role", binding("RoleBinding", "ClusterRole", "name: system:openshift:scc:restricted-v2")},
		{"is silent about the use of other constraints", role("[security.openshift.io]", "[securitycontextconstraints]", "[use]\n    resourceNames: [anyuid]")},
		{"is silent about reading them", role("[security.openshift.io]", "[securitycontextconstraints]", "[get]\n    resourceNames: [privileged]")},
	},
}

func subjects(list string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nsubjects:\n  - " + list + "\nroleRef: {kind: ClusterRole, name: view}\n"
}

func awsAuth(kind, namespace, names, verbs string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: r, namespace: \"" + namespace + "\"}\nrules:\n  - apiGroups: [\"\"]\n    resources: [configmaps]\n    resourceNames: " + names + "\n    verbs: " + verbs + "\n"
}
