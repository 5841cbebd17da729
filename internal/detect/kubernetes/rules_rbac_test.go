package kubernetes

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
}
