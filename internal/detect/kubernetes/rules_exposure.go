package kubernetes

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// exposureRules are about what opens a workload to the outside.
var exposureRules = []rule{
	ingressTLS, gatewayPlaintext, ingressWildcardHost, ingressSnippet,
	serviceNodePort, serviceLoadBalancer, serviceExternalIP,
}

func isIngress(o *manifest.Object) bool { return o.Is("Ingress", networkingGroup, "extensions") }

func isService(o *manifest.Object) bool { return o.Is("Service", "") }

const tagCleartext = "external/cwe/cwe-319"

func exampleIngress(spec string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  namespace: shop\nspec:\n" + spec +
		"  rules:\n    - host: shop.example\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n            backend:\n              service: {name: web, port: {number: 443}}\n"
}

// certificateAnnotations say that a cloud's load balancer ends TLS.
var certificateAnnotations = []string{
	"alb.ingress.kubernetes.io/certificate-arn", "networking.gke.io/managed-certificates", "ingress.gcp.kubernetes.io/pre-shared-cert",
	"networking.gke.io/v1beta1.FrontendConfig", "appgw.ingress.kubernetes.io/appgw-ssl-certificate", "nginx.ingress.kubernetes.io/ssl-passthrough",
}

var ingressTLS = rule{
	Rule: rules.Rule{
		ID: "k8s-ingress-tls", Aliases: []string{"C-0263"},
		Title:        "Ingress has no TLS",
		Severity:     finding.Medium,
		Why:          "Everybody on the way can read and change what passes, passwords and session cookies included.",
		Fix:          "Add `spec.tls` with the hosts and the Secret of the certificate.",
		WhenToIgnore: "TLS that ends in front of the cluster.",
		References:   []string{docIngress + "#tls"},
		Tags:         []string{tagCleartext, "external/mitre-attack/T1557", "nsa-network"},
		Bad:          exampleIngress(""),
		Good:         exampleIngress("  tls:\n    - {hosts: [shop.example], secretName: shop-tls}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		tls := o.At("spec", "tls")
		switch {
		case isIngress(o):
			for _, name := range certificateAnnotations {
				if o.Annotation(name).Exists() {
					return
				}
			}
			if len(tls.Items()) == 0 {
				p.report(tls, "%s serves without TLS; add spec.tls with the hosts and the Secret of the certificate.", o.ID())
			}
		case o.Is("Route", "route.openshift.io"):
			if !tls.Exists() {
				p.report(tls, "%s serves without TLS; add spec.tls with a termination.", o.ID())
			}
		}
	},
}

var gatewayPlaintext = rule{
	Rule: rules.Rule{
		ID:           "k8s-gateway-plaintext",
		Title:        "Gateway listens without TLS",
		Severity:     finding.Medium,
		Why:          "Everybody on the way can read and change what passes, passwords and session cookies included.",
		Fix:          "Use a listener with the protocol HTTPS, or attach an HTTPRoute to the plain one that does nothing but redirect.",
		WhenToIgnore: "TLS that ends in front of the cluster.",
		References:   []string{"https://gateway-api.sigs.k8s.io/guides/tls/"},
		Tags:         []string{tagCleartext, "external/mitre-attack/T1557", "nsa-network"},
		Bad:          exampleGateway("      port: 80\n      protocol: HTTP\n"),
		Good:         exampleGateway("      port: 443\n      protocol: HTTPS\n      tls: {certificateRefs: [{name: shop-tls}]}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("Gateway", "gateway.networking.k8s.io") {
			return
		}
		for _, l := range o.At("spec", "listeners").Items() {
			if at := l.At("protocol"); at.Text() == "HTTP" && !p.set.redirected(o, l.At("name").Text()) {
				p.report(at, "Listener %q of %s takes plain HTTP, and nothing here redirects it; use HTTPS or attach a route that redirects.", l.At("name").Text(), o.ID())
			}
		}
	},
}

func exampleGateway(listener string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  gatewayClassName: shop\n  listeners:\n    - name: web\n      hostname: shop.example\n" + listener
}

// redirected reports whether a route of the set sends all of a listener's
// traffic to https.
func (s *set) redirected(gateway *manifest.Object, listener string) bool {
	for _, route := range s.byKind["HTTPRoute"] {
		attached := slices.ContainsFunc(route.At("spec", "parentRefs").Items(), func(ref *manifest.Place) bool {
			section := ref.At("sectionName").Text()
			return ref.At("name").Text() == gateway.Name && (section == "" || section == listener)
		})
		if !attached {
			continue
		}
		for _, r := range route.At("spec", "rules").Items() {
			for _, f := range r.At("filters").Items() {
				if f.At("type").Text() == "RequestRedirect" && f.At("requestRedirect", "scheme").Text() == "https" {
					return true
				}
			}
		}
	}
	return false
}

var ingressWildcardHost = rule{
	Rule: rules.Rule{
		ID:           "k8s-ingress-wildcard-host",
		Title:        "Ingress answers for any host",
		Severity:     finding.Low,
		Why:          "A rule without a host, or with `*.`, also takes requests for names that belong to others, and makes rebinding and host header attacks easier.",
		Fix:          "Name the host.",
		WhenToIgnore: "Services that give each customer a name.",
		References:   []string{docIngress + "#hostname-wildcards"},
		Tags:         []string{"external/cwe/cwe-183"},
		Bad:          replaced(exampleIngress("  tls:\n    - {hosts: [shop.example], secretName: shop-tls}\n"), "host: shop.example", "host: \"*.example\""),
		Good:         exampleIngress("  tls:\n    - {hosts: [shop.example], secretName: shop-tls}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !isIngress(o) {
			return
		}
		for _, r := range o.At("spec", "rules").Items() {
			at := r.At("host")
			switch {
			case at.Text() == "":
				p.report(at, "This rule of %s answers for every host; name the host.", o.ID())
			case strings.HasPrefix(at.Text(), "*"):
				p.report(at, "This rule of %s answers for all names of %s; name the host.", o.ID(), at.Text())
			}
		}
	},
}

var ingressSnippet = rule{
	Rule: rules.Rule{
		ID: "k8s-ingress-nginx-snippet", Aliases: []string{"C-0059", "CKV_K8S_152", "CKV_K8S_153", "CKV_K8S_154"},
		Title:        "Ingress injects configuration into the proxy",
		Severity:     finding.High,
		Why:          "A snippet annotation becomes configuration of the shared ingress-nginx proxy: whoever may write the Ingress can read the proxy's service account token, and with it all Secrets of the cluster (CVE-2021-25742).",
		Fix:          "Use the annotation for the single setting, and switch snippets off in the controller.",
		WhenToIgnore: "Clusters with one tenant, where the controller allows snippets on purpose.",
		References:   []string{"https://github.com/kubernetes/kubernetes/issues/126811", "https://nvd.nist.gov/vuln/detail/CVE-2021-25742"},
		Tags:         []string{"external/cwe/cwe-94"},
		Bad:          replaced(exampleIngress("  tls:\n    - {hosts: [shop.example], secretName: shop-tls}\n"), "  namespace: shop\n", "  namespace: shop\n  annotations:\n    nginx.ingress.kubernetes.io/server-snippet: \"return 200;\"\n"),
		Good:         exampleIngress("  tls:\n    - {hosts: [shop.example], secretName: shop-tls}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if !isIngress(o) {
			return
		}
		for _, a := range o.At("metadata", "annotations").Fields() {
			if strings.HasPrefix(a.Name(), "nginx.ingress.kubernetes.io/") && strings.HasSuffix(a.Name(), "-snippet") {
				p.report(a, "%s injects configuration into the shared proxy, which gives away the cluster's Secrets; use a single setting instead of %s.", o.ID(), a.Name())
			}
		}
	},
}

func exampleService(lines string) string {
	return "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  selector: {app: web}\n  ports: [{port: 443, targetPort: 8443}]\n" + lines
}

var serviceNodePort = rule{
	Rule: rules.Rule{
		ID: "k8s-service-nodeport", Aliases: []string{"exposed-services"},
		Title:        "Service opens a port of every node",
		Severity:     finding.Low,
		Why:          "A NodePort listens on all addresses of all nodes, past ingress, TLS and often past the firewall that was set up for them.",
		Fix:          "Use `ClusterIP` behind an Ingress or Gateway.",
		WhenToIgnore: "Clusters whose load balancer is set up by hand.",
		References:   []string{docService},
		Tags:         []string{"external/mitre-attack/T1133", "nsa-network"},
		Bad:          exampleService("  type: NodePort\n"),
		Good:         exampleService("  type: ClusterIP\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		if at := o.At("spec", "type"); isService(o) && at.Text() == "NodePort" {
			p.report(at, "%s opens a port of every node; use ClusterIP behind an Ingress or Gateway.", o.ID())
		}
	},
}

// internalAnnotations make a load balancer internal, with the values that do.
var internalAnnotations = map[string][]string{
	"service.beta.kubernetes.io/aws-load-balancer-internal":       {"true", "0.0.0.0/0"},
	"service.beta.kubernetes.io/aws-load-balancer-scheme":         {"internal"},
	"service.beta.kubernetes.io/azure-load-balancer-internal":     {"true"},
	"networking.gke.io/load-balancer-type":                        {"Internal", "internal"},
	"cloud.google.com/load-balancer-type":                         {"Internal", "internal"},
	"service.beta.kubernetes.io/oci-load-balancer-internal":       {"true"},
	"service.beta.kubernetes.io/openstack-internal-load-balancer": {"true"},
	"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid": nil,
}

var serviceLoadBalancer = rule{
	Rule: rules.Rule{
		ID: "k8s-service-loadbalancer", Aliases: []string{"C-0256"},
		Title:        "Load balancer is open to the internet",
		Severity:     finding.Medium,
		Why:          "Most clouds give a Service of type LoadBalancer a public address that everybody can reach.",
		Fix:          "Set `loadBalancerSourceRanges`, or the cloud's annotation for an internal load balancer.",
		WhenToIgnore: "Services that are made for the public.",
		References:   []string{docService + "#loadbalancer"},
		Tags:         []string{"external/mitre-attack/T1190", "nsa-network"},
		Bad:          exampleService("  type: LoadBalancer\n"),
		Good:         exampleService("  type: LoadBalancer\n  loadBalancerSourceRanges: [10.0.0.0/8]\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		at := o.At("spec", "type")
		if !isService(o) || at.Text() != "LoadBalancer" || internalService(o) {
			return
		}
		ranges := o.At("spec", "loadBalancerSourceRanges")
		for _, r := range ranges.Items() {
			if r.Text() == "0.0.0.0/0" || r.Text() == "::/0" {
				p.report(r, "%s may be reached from everywhere; list the networks that need it.", o.ID())
			}
		}
		if len(ranges.Items()) == 0 {
			p.report(at, "%s gets a public address that everybody can reach; set loadBalancerSourceRanges or make it internal.", o.ID())
		}
	},
}

// internalService reports whether a load balancer has a private address. That
// of the AWS load balancer controller does unless it is told otherwise:
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-scheme
func internalService(o *manifest.Object) bool {
	const aws = "service.beta.kubernetes.io/aws-load-balancer-"
	kind := o.Annotation(aws + "type").Text()
	if strings.HasPrefix(o.At("spec", "loadBalancerClass").Text(), "service.k8s.aws/") || kind == "external" || kind == "nlb-ip" {
		return o.Annotation(aws+"scheme").Text() != "internet-facing" && o.Annotation(aws+"internal").Text() != "false"
	}
	for name, values := range internalAnnotations {
		if at := o.Annotation(name); at.Exists() && (values == nil || slices.Contains(values, at.Text())) {
			return true
		}
	}
	return false
}

var serviceExternalIP = rule{
	Rule: rules.Rule{
		ID: "k8s-service-external-ip", Aliases: []string{"KSV-0108"},
		Title:        "Service takes over external addresses",
		Severity:     finding.High,
		Why:          "With `externalIPs` every node sends traffic for these addresses to the Service, whoever they belong to: it can be used to read other pods' traffic (CVE-2020-8554).",
		Fix:          "Use a load balancer or an Ingress.",
		WhenToIgnore: "Clusters on bare metal whose administrators give out the addresses.",
		References:   []string{"https://nvd.nist.gov/vuln/detail/CVE-2020-8554", docService + "#external-ips"},
		Tags:         []string{"external/cwe/cwe-300", "external/mitre-attack/T1557"},
		Bad:          exampleService("  externalIPs: [192.0.2.7]\n"),
		Good:         exampleService(""),
	},
	object: func(p *pass, o *manifest.Object) {
		if at := o.At("spec", "externalIPs"); isService(o) && len(at.Items()) > 0 {
			p.report(at, "%s takes over traffic for %s on every node; use a load balancer.", o.ID(), at.Items()[0].Text())
		}
	},
}
