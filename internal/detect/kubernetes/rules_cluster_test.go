package kubernetes

func namespaceWith(labels string) string {
	return "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels: {" + labels + "}\n---\n"
}

func inNamespace(kind, namespace string) string {
	return "apiVersion: apps/v1\nkind: " + kind + "\nmetadata:\n  name: a\n  " + namespace + "\nspec: {template: {spec: {containers: [{name: a}]}}}\n"
}

func api(version, kind string) string {
	return version + "\nkind: " + kind + "\nmetadata: {name: a}\n"
}

var clusterCases = map[string][]ruleCase{
	"k8s-namespace-psa": {
		{"fires without labels", "apiVersion: v1\nkind: Namespace\n➤metadata:\n  name: shop\n"},
		{"fires at labels without it", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  ➤labels: {a: b}\n"},
		{"fires on privileged", namespaceWith("➤pod-security.kubernetes.io/enforce: privileged")},
		{"fires where it only warns", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  ➤labels: {pod-security.kubernetes.io/warn: restricted}\n"},
		{"is silent about restricted", namespaceWith("pod-security.kubernetes.io/enforce: restricted")},
		{"is silent about baseline", namespaceWith("pod-security.kubernetes.io/enforce: baseline")},
		{"is silent about the system's namespaces", "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n"},
		{"is silent about other kinds", bareContainer("")},
	},
	"k8s-default-namespace": {
		{"fires on a Deployment", inNamespace("Deployment", "➤namespace: default")},
		{"fires on a quoted name", inNamespace("Deployment", "➤namespace: \"default\"")},
		{"fires on a ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ➤namespace: default}\n"},
		{"fires on an unknown kind", "apiVersion: example.com/v1\nkind: Fleet\nmetadata: {name: a, ➤namespace: default}\n"},
		{"is silent about a namespace", inNamespace("Deployment", "namespace: shop")},
		{"is silent where none is named", inNamespace("Deployment", "labels: {}")},
		{"is silent about objects of the cluster", role("[apps]", "[deployments]", "[get]")},
		{"is silent about the namespace itself", "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n"},
	},
	"k8s-system-namespace": {
		{"fires on kube-system", inNamespace("Deployment", "➤namespace: kube-system")},
		{"fires on kube-public", inNamespace("DaemonSet", "➤namespace: kube-public")},
		{"fires on kube-node-lease", inNamespace("StatefulSet", "➤namespace: kube-node-lease")},
		{"fires on a Pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, ➤namespace: kube-system}\nspec: {containers: [{name: a}]}\n"},
		{"is silent about a namespace", inNamespace("Deployment", "namespace: shop")},
		{"is silent where none is named", inNamespace("Deployment", "labels: {}")},
		{"is silent about a ConfigMap there", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}\n"},
		{"is silent about a similar name", inNamespace("Deployment", "namespace: kube-systems")},
	},
	"k8s-namespace-quota": {
		{"fires without a quota", namespaceNamed("➤")},
		{"fires where the quota is another namespace's", namespaceNamed("➤") + "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: bank}\n"},
		{"fires where only a policy is there", namespaceNamed("➤") + netpol("podSelector: {}")},
		{"fires on each of two", namespaceNamed("➤") + "apiVersion: v1\nkind: Namespace\nmetadata:\n  ➤name: bank\n"},
		{"is silent with a quota", namespaceNamed("") + "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\n"},
		{"is silent with a LimitRange", namespaceNamed("") + "apiVersion: v1\nkind: LimitRange\nmetadata: {name: q, namespace: shop}\n"},
		{"is silent where the quota names no namespace", namespaceNamed("") + "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n"},
		{"is silent about the system's namespaces", "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-public}\n"},
	},
	"k8s-naked-pod": {
		{"fires on a Pod", "apiVersion: v1\n➤kind: Pod\nmetadata: {name: p}\nspec: {containers: []}\n"},
		{"fires on a Pod in JSON", "{\"apiVersion\": \"v1\", ➤\"kind\": \"Pod\"}"},
		{"fires on a Pod in a list", "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    ➤kind: Pod\n"},
		{"fires on a Pod with an empty list of owners", "apiVersion: v1\n➤kind: Pod\nmetadata: {name: p, ownerReferences: []}\n"},
		{"is silent about a Deployment", inNamespace("Deployment", "namespace: shop")},
		{"is silent about a PodTemplate", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: t}\n"},
		{"is silent about a Pod that a controller made", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, ownerReferences: [{kind: ReplicaSet, name: r}]}\n"},
		{"is silent about a test of a chart", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {helm.sh/hook: test}}\n"},
	},
	"k8s-deprecated-api": {
		{"fires on a CronJob", api("➤apiVersion: batch/v1beta1", "CronJob")},
		{"fires on an Ingress", api("➤apiVersion: extensions/v1beta1", "Ingress")},
		{"fires on a PodSecurityPolicy", api("➤apiVersion: policy/v1beta1", "PodSecurityPolicy")},
		{"fires on an autoscaler", api("➤apiVersion: autoscaling/v2beta2", "HorizontalPodAutoscaler")},
		{"is silent about the new API", api("apiVersion: batch/v1", "CronJob")},
		{"is silent about a new kind in an old version", api("apiVersion: admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy")},
		{"is silent about others' APIs", api("apiVersion: example.com/v1beta1", "Ingress")},
		{"is silent about core kinds", bareContainer("")},
	},
	"k8s-deprecated-field": {
		{"fires on serviceAccount", pod("➤serviceAccount: web")},
		{"fires on the class of an Ingress", annotatedIngress("➤kubernetes.io/ingress.class: nginx")},
		{"fires on a label of nodes", pod("nodeSelector: {➤beta.kubernetes.io/os: linux}")},
		{"fires on the annotation for seccomp", annotated("➤seccomp.security.alpha.kubernetes.io/pod: runtime/default")},
		{"fires on the annotation for AppArmor", annotated("➤container.apparmor.security.beta.kubernetes.io/app: runtime/default")},
		{"fires on the address of a load balancer", service("type: LoadBalancer\n➤loadBalancerIP: 192.0.2.1")},
		{"is silent about serviceAccountName", pod("serviceAccountName: web")},
		{"is silent about both, as the API server writes them", pod("serviceAccountName: web\nserviceAccount: web")},
		{"is silent about the class in the spec", ingress("spec: {ingressClassName: nginx}")},
		{"is silent about the label of nodes", pod("nodeSelector: {kubernetes.io/os: linux}")},
	},
	"k8s-removed-software": {
		{"fires on Tiller", image("➤image: gcr.io/kubernetes-helm/tiller:v2.17.0")},
		{"fires on the Dashboard", image("➤image: kubernetesui/dashboard:v2.7.0")},
		{"fires on ingress-nginx", image("➤image: registry.k8s.io/ingress-nginx/controller:v1.12.0@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"fires on a mirror of it", image("➤image: mirror.example/ingress-nginx/controller:v1")},
		{"is silent about another controller", image("image: nginx/nginx-ingress:4.0")},
		{"is silent about another dashboard", image("image: shop/dashboard:1")},
		{"is silent about a similar name", image("image: shop/my-tiller:1")},
		{"is silent about a placeholder", image("image: ${IMAGE}")},
	},
}
