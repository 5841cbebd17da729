package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// meshRules are about the service meshes Istio and Linkerd, and about the
// webhooks by which they and others guard the cluster.
var meshRules = []rule{meshMTLS, meshAuthzAllowAll, meshInjectionOff, meshGatewayPlaintext, webhookIgnore}

const docIstioSecurity = "https://istio.io/latest/docs/concepts/security/"

func exampleIstio(kind, group, spec string) string {
	return "apiVersion: " + group + ".istio.io/v1\nkind: " + kind + "\nmetadata:\n  name: web\n  namespace: shop\nspec:\n" + spec
}

var meshMTLS = rule{
	Rule: rules.Rule{
		ID:           "k8s-mesh-mtls",
		Title:        "Mesh accepts plain traffic",
		Severity:     finding.High,
		Why:          "Where mutual TLS is not strict, a pod outside of the mesh, or an intruder in the network, can talk to the workload without an identity, and read what passes.",
		Fix:          "Set the mode to STRICT (Istio), ISTIO_MUTUAL for destinations, or `all-authenticated` (Linkerd).",
		WhenToIgnore: "While workloads move into the mesh, for a limited time.",
		References:   []string{docIstioSecurity, "https://linkerd.io/2/reference/authorization-policy/"},
		Tags:         []string{tagCleartext, "external/cwe/cwe-306", "external/mitre-attack/T1040", "nsa-network"},
		Bad:          exampleIstio("PeerAuthentication", "security", "  mtls: {mode: PERMISSIVE}\n"),
		Good:         exampleIstio("PeerAuthentication", "security", "  mtls: {mode: STRICT}\n"),
	},
	object: checkMTLS,
}

func checkMTLS(p *pass, o *manifest.Object) {
	weak := func(at *manifest.Place) {
		if mode := at.Text(); mode == "PERMISSIVE" || mode == "DISABLE" {
			p.report(at, "%s lets plain traffic through (%s); set the mode to STRICT, or ISTIO_MUTUAL for a destination.", o.ID(), mode)
		}
	}
	switch {
	case o.Is("PeerAuthentication", "security.istio.io"):
		weak(o.At("spec", "mtls", "mode"))
		for _, port := range o.At("spec", "portLevelMtls").Fields() {
			weak(port.At("mode"))
		}
	case o.Is("DestinationRule", "networking.istio.io"):
		policies := []*manifest.Place{o.At("spec", "trafficPolicy")}
		for _, subset := range o.At("spec", "subsets").Items() {
			policies = append(policies, subset.At("trafficPolicy"))
		}
		for _, policy := range policies {
			weak(policy.At("tls", "mode"))
			for _, port := range policy.At("portLevelSettings").Items() {
				weak(port.At("tls", "mode"))
			}
		}
	}
	for _, at := range annotationsOf(o, "config.linkerd.io/default-inbound-policy") {
		if policy := at.Text(); policy == "all-unauthenticated" || policy == "cluster-unauthenticated" {
			p.report(at, "%s lets clients without an identity in (%s); use all-authenticated.", o.ID(), policy)
		}
	}
}

// annotationsOf returns an annotation of the object and of its pods, where it
// is there.
func annotationsOf(o *manifest.Object, name string) []*manifest.Place {
	places := []*manifest.Place{o.Annotation(name)}
	for _, pod := range manifest.Pods(o) {
		if pod.Template != o.Root {
			places = append(places, pod.Annotation(name))
		}
	}
	var there []*manifest.Place
	for _, at := range places {
		if at.Exists() {
			there = append(there, at)
		}
	}
	return there
}

var meshAuthzAllowAll = rule{
	Rule: rules.Rule{
		ID:           "k8s-mesh-authz-allow-all",
		Title:        "AuthorizationPolicy allows everything",
		Severity:     finding.Medium,
		Why:          "An ALLOW policy with an empty rule allows every request and switches off what other ALLOW policies of the workload demand.",
		Fix:          "Say in the rule who may do what: `from`, `to`, `when`.",
		WhenToIgnore: "Workloads that check who asks themselves.",
		References:   []string{"https://istio.io/latest/docs/reference/config/security/authorization-policy/"},
		Tags:         []string{"external/cwe/cwe-285", "nsa-network"},
		Bad:          exampleIstio("AuthorizationPolicy", "security", "  action: ALLOW\n  rules:\n    - {}\n"),
		Good:         exampleIstio("AuthorizationPolicy", "security", "  action: ALLOW\n  rules:\n    - from:\n        - source: {principals: [cluster.local/ns/shop/sa/web]}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		action := o.At("spec", "action").Text()
		if !o.Is("AuthorizationPolicy", "security.istio.io") || action != "" && action != "ALLOW" {
			return
		}
		for _, at := range o.At("spec", "rules").Items() {
			if at.Node.Kind == manifest.Null || at.Node.Kind == manifest.Map && len(at.Node.Fields()) == 0 {
				p.report(at, "This rule of %s allows every request; say who may do what.", o.ID())
			}
		}
	},
}

var meshInjectionOff = rule{
	Rule: rules.Rule{
		ID:           "k8s-mesh-injection-off",
		Title:        "Workload is kept out of the mesh",
		Severity:     finding.Low,
		Why:          "Without the mesh's proxy neither mutual TLS nor its access policies hold for the workload.",
		Fix:          "Remove the label or annotation that switches the injection off.",
		WhenToIgnore: "Jobs that never end with a proxy beside them, and what runs in the node's network.",
		References:   []string{"https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/", "https://linkerd.io/2/features/proxy-injection/"},
		Tags:         []string{"external/cwe/cwe-306", "nsa-network"},
		Bad:          hardened("      labels: {app: web}", "      labels: {app: web, sidecar.istio.io/inject: \"false\"}"),
		Good:         hardenedWorkload,
	},
	object: func(p *pass, o *manifest.Object) {
		metas := []*manifest.Place{o.At("metadata")}
		for _, pod := range manifest.Pods(o) {
			if pod.Template != o.Root {
				metas = append(metas, pod.Metadata())
			}
		}
		for _, meta := range metas {
			for _, at := range []*manifest.Place{
				meta.At("labels", "sidecar.istio.io/inject"), meta.At("annotations", "sidecar.istio.io/inject"),
				meta.At("annotations", "linkerd.io/inject"), meta.At("labels", "istio-injection"),
			} {
				if v := at.Text(); v == "false" || v == "disabled" {
					p.report(at, "%s is kept out of the mesh, so neither mutual TLS nor its policies hold; remove %s.", o.ID(), at.Name())
				}
			}
		}
	},
}

var meshGatewayPlaintext = rule{
	Rule: rules.Rule{
		ID:           "k8s-mesh-gateway-plaintext",
		Title:        "Mesh gateway serves without TLS",
		Severity:     finding.Medium,
		Why:          "Everybody on the way can read and change what passes, passwords and session cookies included.",
		Fix:          "Set `tls.httpsRedirect: true` on the plain port and serve on one with the protocol HTTPS.",
		WhenToIgnore: "TLS that ends in front of the cluster.",
		References:   []string{"https://istio.io/latest/docs/reference/config/networking/gateway/"},
		Tags:         []string{tagCleartext, "external/mitre-attack/T1557", "nsa-network"},
		Bad:          exampleIstio("Gateway", "networking", "  servers:\n    - port: {number: 80, name: http, protocol: HTTP}\n      hosts: [shop.example]\n"),
		Good:         exampleIstio("Gateway", "networking", "  servers:\n    - port: {number: 80, name: http, protocol: HTTP}\n      hosts: [shop.example]\n      tls: {httpsRedirect: true}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("Gateway", "networking.istio.io") {
			return
		}
		for _, s := range o.At("spec", "servers").Items() {
			at := s.At("port", "protocol")
			if v := strings.ToUpper(at.Text()); (v == "HTTP" || v == "HTTP2" || v == "GRPC") && !s.At("tls", "httpsRedirect").True() && !s.At("tls", "mode").Exists() {
				p.report(at, "%s takes plain %s; set tls.httpsRedirect: true and serve over HTTPS.", o.ID(), v)
			}
		}
	},
}

func exampleWebhook(policy string) string {
	return "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata:\n  name: guard\nwebhooks:\n  - name: guard.shop.example\n    failurePolicy: " + policy +
		"\n    clientConfig:\n      service: {name: guard, namespace: guard}\n    rules:\n      - {apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [pods]}\n    sideEffects: None\n    admissionReviewVersions: [v1]\n"
}

var webhookIgnore = rule{
	Rule: rules.Rule{
		ID: "k8s-webhook-ignore", Aliases: []string{"C-0036", "C-0039"},
		Title:        "Check is passed by when it is not there",
		Severity:     finding.Low,
		Why:          "With `failurePolicy: Ignore` an object that a validating webhook or policy would refuse gets in whenever the webhook is slow or down, which an attacker can bring about.",
		Fix:          "Set `failurePolicy: Fail`, and exclude the namespaces that the webhook itself needs.",
		WhenToIgnore: "Checks that only advise.",
		References:   []string{"https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy"},
		Tags:         []string{"external/cwe/cwe-636", "external/mitre-attack/T1562"},
		Bad:          exampleWebhook("Ignore"),
		Good:         exampleWebhook("Fail"),
	},
	object: func(p *pass, o *manifest.Object) {
		places := []*manifest.Place{}
		switch {
		case o.Is("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"):
			for _, w := range o.At("webhooks").Items() {
				places = append(places, w.At("failurePolicy"))
			}
		case o.Is("ValidatingAdmissionPolicy", "admissionregistration.k8s.io"):
			places = append(places, o.At("spec", "failurePolicy"))
		}
		for _, at := range places {
			if at.Text() == "Ignore" {
				p.report(at, "%s is passed by when it does not answer; set failurePolicy: Fail.", o.ID())
			}
		}
	},
}
