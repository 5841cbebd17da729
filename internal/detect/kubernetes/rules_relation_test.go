package kubernetes

import "strings"

// selecting is a Deployment with a selector and the label app: web.
func withSelector(selector string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  " + selector + "\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: a}]}\n"
}

const webPod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web, tier: front}}\nspec: {containers: [{name: a}]}\n---\n"

func hpa(target string) string {
	return withSelector("selector: {matchLabels: {app: web}}") + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: shop}\nspec:\n  scaleTargetRef: {" + target + "}\n"
}

const configWithKey = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\ndata: {k: v}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {k: \"\"}\n"

func accountNamed(namespace string) string {
	return "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web" + namespace + "}\n---\n"
}

var relationCases = map[string][]ruleCase{
	"k8s-selector-mismatch": {
		{"fires on another value", withSelector("➤selector: {matchLabels: {app: db}}")},
		{"fires on a missing label", withSelector("➤selector: {matchLabels: {app: web, tier: front}}")},
		{"fires on an expression", withSelector("➤selector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}")},
		{"fires on a label that must not be there", withSelector("➤selector: {matchExpressions: [{key: app, operator: DoesNotExist}]}")},
		{"is silent where they agree", withSelector("selector: {matchLabels: {app: web}}")},
		{"is silent where an expression agrees", withSelector("selector: {matchExpressions: [{key: app, operator: Exists}]}")},
		{"is silent without a selector", withSelector("replicas: 1")},
		{"is silent about a Service", service("selector: {app: db}")},
	},
	"k8s-dangling-service": {
		{"fires on another value", webPod + service("➤selector: {app: db}")},
		{"fires on a missing label", webPod + service("➤selector: {app: web, zone: a}")},
		{"fires on pods of another namespace", strings.Replace(webPod, "shop", "bank", 1) + service("➤selector: {app: web}")},
		{"fires without any pod", service("➤selector: {app: web}")},
		{"is silent where a pod matches", webPod + service("selector: {app: web}")},
		{"is silent where a template matches", withSelector("replicas: 1") + "---\n" + service("selector: {app: web}")},
		{"is silent without a selector", service("ports: []")},
		{"is silent about an empty selector", service("selector: {}")},
	},
	"k8s-dangling-ingress": {
		{"fires on a Service that is not there", ingress("spec: {rules: [{http: {paths: [{backend: {service: {➤name: web}}}]}}]}")},
		{"fires on the default", ingress("spec: {defaultBackend: {service: {➤name: web}}}")},
		{"fires on the old form", ingress("spec: {backend: {➤serviceName: web}}")},
		{"fires on a route", httpRoute("x", "backendRefs: [{➤name: web}]")},
		{"is silent where it is there", ingress("spec: {defaultBackend: {service: {name: s}}}") + "---\n" + service("type: ClusterIP")},
		{"is silent about a route to another kind", httpRoute("x", "backendRefs: [{kind: Bucket, name: b}]")},
		{"is silent where a route's Service is there", service("type: ClusterIP") + httpRoute("x", "backendRefs: [{name: s}]")},
		{"is silent without rules", ingress("spec: {}")},
		{"fires on a namesake in another namespace than the route names", service("type: ClusterIP") + httpRoute("x", "backendRefs: [{➤name: s, namespace: bank}]")},
		{"fires on what Traefik serves", "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: r}\nspec: {routes: [{services: [{➤name: web}]}]}\n"},
		{"is silent where a route names the namespace of its Service", service("type: ClusterIP") + httpRoute("x", "backendRefs: [{name: s, namespace: shop}]")},
		{"is silent about hosts of Istio, which may be outside", virtualService("{gateways: [g], http: [{route: [{destination: {host: web}}]}]}")},
	},
	"k8s-dangling-netpol": {
		{"fires on another value", webPod + netpol("➤podSelector: {matchLabels: {app: db}}")},
		{"fires on an expression", webPod + netpol("➤podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}")},
		{"fires on pods of another namespace", strings.Replace(webPod, "shop", "bank", 1) + netpol("➤podSelector: {matchLabels: {app: web}}")},
		{"fires without any pod", netpol("➤podSelector: {matchLabels: {app: web}}")},
		{"is silent where a pod matches", webPod + netpol("podSelector: {matchLabels: {tier: front}}")},
		{"is silent about all pods", netpol("podSelector: {}")},
		{"is silent where an expression matches", webPod + netpol("podSelector: {matchExpressions: [{key: tier, operator: Exists}]}")},
		{"is silent about other kinds", service("podSelector: {matchLabels: {a: b}}")},
	},
	"k8s-dangling-hpa": {
		{"fires on another name", hpa("kind: Deployment, ➤name: db")},
		{"fires on another kind", hpa("kind: StatefulSet, ➤name: web")},
		{"fires at the target without a name", "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec:\n  ➤scaleTargetRef: {kind: Deployment}\n"},
		{"fires on the older API", "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {scaleTargetRef: {kind: Deployment, ➤name: x}}\n"},
		{"is silent where it is there", hpa("kind: Deployment, name: web")},
		{"is silent without a target", "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {}\n"},
		{"is silent about other kinds", "apiVersion: keda.sh/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {scaleTargetRef: {kind: Deployment, name: x}}\n"},
		{"is silent where the namespace is open", strings.Replace(hpa("kind: Deployment, name: web"), "{name: h, namespace: shop}", "{name: h}", 1)},
	},
	"k8s-dangling-env-ref": {
		{"fires on a key of a ConfigMap", env("A", "valueFrom: {configMapKeyRef: {name: c, ➤key: x}}") + configWithKey},
		{"fires on a key of a Secret", env("A", "valueFrom: {secretKeyRef: {name: s, ➤key: x}}") + configWithKey},
		{"fires where optional is false", env("A", "valueFrom: {configMapKeyRef: {name: c, ➤key: x, optional: false}}") + configWithKey},
		{"fires on each", container("env:\n  - {name: A, valueFrom: {configMapKeyRef: {name: c, ➤key: x}}}\n  - {name: B, valueFrom: {configMapKeyRef: {name: c, ➤key: y}}}") + configWithKey},
		{"is silent where it is there", env("A", "valueFrom: {configMapKeyRef: {name: c, key: k}}") + configWithKey},
		{"is silent about an optional key", env("A", "valueFrom: {configMapKeyRef: {name: c, key: x, optional: true}}") + configWithKey},
		{"is silent where the ConfigMap is not here", env("A", "valueFrom: {configMapKeyRef: {name: other, key: x}}") + configWithKey},
		{"is silent about fields", env("A", "valueFrom: {fieldRef: {fieldPath: x}}") + configWithKey},
	},
	"k8s-dangling-service-account": {
		{"fires on a name that is not here", pod("➤serviceAccountName: web")},
		{"fires on the old field", pod("➤serviceAccount: web")},
		{"fires on an account of another namespace", accountNamed(", namespace: bank") + pod("➤serviceAccountName: web")},
		{"fires in a Deployment", inWorkload("apps/v1", "Deployment", "➤serviceAccountName: web\ncontainers: [{name: a}]")},
		{"is silent where it is here", accountNamed(", namespace: shop") + pod("serviceAccountName: web")},
		{"is silent where its namespace is open", accountNamed("") + pod("serviceAccountName: web")},
		{"is silent about default, which is always there", pod("serviceAccountName: default")},
		{"is silent where none is named", bareContainer("")},
	},
}
