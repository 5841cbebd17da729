package kubernetes

func netpol(spec string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: shop}\nspec:\n" + indent(2, spec)
}

// labelled is a pod with a label; the mark stands where it must be reported.
func labelled(mark, namespace string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: " + namespace + "\n  " + mark + "labels: {app: web}\nspec:\n  containers: [{name: a}]\n---\n"
}

var networkCases = map[string][]ruleCase{
	"k8s-netpol-missing": {
		{"fires without any policy", labelled("➤", "shop")},
		{"fires where a policy selects other labels", labelled("➤", "shop") + netpol("podSelector: {matchLabels: {app: db}}")},
		{"fires where the policy is in another namespace", labelled("➤", "bank") + netpol("podSelector: {}")},
		{"fires where an expression leaves it out", labelled("➤", "shop") + netpol("podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}")},
		{"fires at the template of a Deployment without labels", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  ➤template:\n    spec:\n      containers: [{name: a}]\n"},
		{"is silent where a policy selects all", labelled("", "shop") + netpol("podSelector: {}")},
		{"is silent where a policy selects its label", labelled("", "shop") + netpol("podSelector: {matchLabels: {app: web}}")},
		{"is silent where an expression selects it", labelled("", "shop") + netpol("podSelector: {matchExpressions: [{key: app, operator: In, values: [web, db]}]}")},
		{"is silent where a policy names no namespace", labelled("", "shop") + "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n}\nspec: {podSelector: {}}\n"},
		{"is silent where Cilium selects it", labelled("", "shop") + "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: n, namespace: shop}\nspec: {endpointSelector: {matchLabels: {app: web}}}\n"},
		{"is silent in the node's network, where policies do not apply", pod("hostNetwork: true")},
	},
	"k8s-netpol-default-deny": {
		{"fires on a namespace without policies", namespaceNamed("➤")},
		{"fires where the policy is for some pods", namespaceNamed("➤") + netpol("podSelector: {matchLabels: {a: b}}")},
		{"fires where the policy for all lets all in", namespaceNamed("➤") + netpol("podSelector: {}\ningress: [{}]")},
		{"fires where the policy is for another namespace", namespaceNamed("➤") + "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n, namespace: bank}\nspec: {podSelector: {}}\n"},
		{"is silent where a policy denies all", namespaceNamed("") + netpol("podSelector: {}")},
		{"is silent where the policy for all lists peers", namespaceNamed("") + netpol("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]")},
		{"is silent about the system's namespaces", "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n"},
		{"is silent without a namespace in the set", bareContainer("")},
	},
	"k8s-netpol-allow-all": {
		{"fires on an empty rule", netpol("podSelector: {}\ningress:\n  - ➤{}")},
		{"fires on an empty rule outward", netpol("podSelector: {}\negress: [➤{}]")},
		{"fires on empty peers", netpol("podSelector: {}\ningress:\n  - ➤from: []\n    ports: [{port: 80}]")},
		{"fires on empty peers outward", netpol("podSelector: {}\negress: [{➤to: []}]")},
		{"is silent about peers", netpol("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]")},
		{"is silent about ports alone, which narrow it", netpol("podSelector: {}\ningress: [{ports: [{port: 8080}]}]")},
		{"is silent about no rules, which deny", netpol("podSelector: {}\ningress: []")},
		{"is silent about other kinds", "apiVersion: example.com/v1\nkind: NetworkPolicy\nmetadata: {name: n}\nspec: {ingress: [{}]}\n"},
	},
	"k8s-netpol-metadata": {
		{"fires on everything", netpol("egress: [{to: [{ipBlock: {➤cidr: 0.0.0.0/0}}]}]")},
		{"fires on link-local addresses", netpol("egress: [{to: [{ipBlock: {➤cidr: 169.254.0.0/16}}]}]")},
		{"fires on the service itself", netpol("egress: [{to: [{ipBlock: {➤cidr: 169.254.169.254/32}}]}]")},
		{"fires where something else is left out", netpol("egress: [{to: [{ipBlock: {➤cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]")},
		{"is silent where it is left out", netpol("egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]")},
		{"is silent where its network is left out", netpol("egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}]}]")},
		{"is silent about private addresses", netpol("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]")},
		{"is silent about traffic inward", netpol("ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")},
	},
}

func namespaceNamed(mark string) string {
	return "apiVersion: v1\nkind: Namespace\nmetadata:\n  " + mark + "name: shop\n---\n"
}
