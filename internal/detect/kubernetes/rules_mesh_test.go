package kubernetes

func istio(kind, group, spec string) string {
	return "apiVersion: " + group + ".istio.io/v1beta1\nkind: " + kind + "\nmetadata: {name: m}\nspec:\n" + indent(2, spec)
}

func webhook(kind, policy string) string {
	return "apiVersion: admissionregistration.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: w}\nwebhooks:\n  - name: a.example\n    " + policy + "\n"
}

var meshCases = map[string][]ruleCase{
	"k8s-mesh-mtls": {
		{"fires on PERMISSIVE", istio("PeerAuthentication", "security", "mtls: {➤mode: PERMISSIVE}")},
		{"fires on DISABLE of one port", istio("PeerAuthentication", "security", "portLevelMtls: {8080: {➤mode: DISABLE}}")},
		{"fires on a destination", istio("DestinationRule", "networking", "trafficPolicy: {tls: {➤mode: DISABLE}}")},
		{"fires on a subset of a destination", istio("DestinationRule", "networking", "subsets: [{name: a, trafficPolicy: {tls: {➤mode: DISABLE}}}]")},
		{"fires on Linkerd's policy of a pod", annotated("➤config.linkerd.io/default-inbound-policy: all-unauthenticated")},
		{"fires on Linkerd's policy of a namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, annotations: {➤config.linkerd.io/default-inbound-policy: cluster-unauthenticated}}\n"},
		{"is silent about STRICT", istio("PeerAuthentication", "security", "mtls: {mode: STRICT}")},
		{"is silent about mutual TLS to a destination", istio("DestinationRule", "networking", "trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}")},
		{"is silent about authenticated clients", annotated("config.linkerd.io/default-inbound-policy: all-authenticated")},
		{"is silent about what is inherited", istio("PeerAuthentication", "security", "mtls: {mode: UNSET}")},
	},
	"k8s-mesh-authz-allow-all": {
		{"fires on an empty rule", istio("AuthorizationPolicy", "security", "action: ALLOW\nrules: [➤{}]")},
		{"fires without an action, which means ALLOW", istio("AuthorizationPolicy", "security", "rules:\n  - ➤{}")},
		{"fires among others", istio("AuthorizationPolicy", "security", "rules: [{to: []}, ➤{}]")},
		{"fires on null", istio("AuthorizationPolicy", "security", "rules: [➤null]")},
		{"is silent about a rule", istio("AuthorizationPolicy", "security", "rules: [{from: [{source: {namespaces: [a]}}]}]")},
		{"is silent about DENY", istio("AuthorizationPolicy", "security", "action: DENY\nrules: [{}]")},
		{"is silent about no rules, which deny", istio("AuthorizationPolicy", "security", "rules: []")},
		{"is silent about Linkerd's kind", "apiVersion: policy.linkerd.io/v1alpha1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {rules: [{}]}\n"},
	},
	"k8s-mesh-injection-off": {
		{"fires on Istio's annotation", annotated("➤sidecar.istio.io/inject: \"false\"")},
		{"fires on Linkerd's annotation", annotated("➤linkerd.io/inject: disabled")},
		{"fires on a namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {➤istio-injection: disabled}}\n"},
		{"fires on the template of a Deployment", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {labels: {➤sidecar.istio.io/inject: \"false\"}}, spec: {containers: []}}}\n"},
		{"is silent about injection", annotated("sidecar.istio.io/inject: \"true\"")},
		{"is silent about Linkerd's injection", annotated("linkerd.io/inject: enabled")},
		{"is silent where nothing is said", bareContainer("")},
		{"is silent about a namespace with injection", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {istio-injection: enabled}}\n"},
	},
	"k8s-mesh-gateway-plaintext": {
		{"fires on HTTP", istio("Gateway", "networking", "servers: [{port: {number: 80, ➤protocol: HTTP}}]")},
		{"fires on HTTP2", istio("Gateway", "networking", "servers: [{port: {➤protocol: HTTP2}}]")},
		{"fires on small letters", istio("Gateway", "networking", "servers: [{port: {➤protocol: http}}]")},
		{"fires where the redirect is off", istio("Gateway", "networking", "servers: [{port: {➤protocol: HTTP}, tls: {httpsRedirect: false}}]")},
		{"is silent about a redirect", istio("Gateway", "networking", "servers: [{port: {protocol: HTTP}, tls: {httpsRedirect: true}}]")},
		{"is silent about HTTPS", istio("Gateway", "networking", "servers: [{port: {protocol: HTTPS}, tls: {mode: SIMPLE}}]")},
		{"is silent about TLS", istio("Gateway", "networking", "servers: [{port: {protocol: TLS}}]")},
		{"is silent about the Gateway API, which has a rule of its own", gateway("{name: a, protocol: HTTP}")},
	},
	"k8s-webhook-ignore": {
		{"fires on a validating webhook", webhook("ValidatingWebhookConfiguration", "➤failurePolicy: Ignore")},
		{"fires on the one of two", webhook("ValidatingWebhookConfiguration", "failurePolicy: Fail\n  - {name: b.example, ➤failurePolicy: Ignore}")},
		{"fires on a validating policy", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\nspec:\n  ➤failurePolicy: Ignore\n"},
		{"fires on the older version", "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: p}\nwebhooks: [{name: a, ➤failurePolicy: Ignore}]\n"},
		{"is silent about Fail", webhook("ValidatingWebhookConfiguration", "failurePolicy: Fail")},
		{"is silent about the default, which is Fail", webhook("ValidatingWebhookConfiguration", "sideEffects: None")},
		{"is silent about a webhook that only fills in", webhook("MutatingWebhookConfiguration", "failurePolicy: Ignore")},
		{"is silent about a policy that fails", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\nspec: {failurePolicy: Fail}\n"},
	},
}
