package kubernetes

import (
	"context"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func ingress(lines string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\n" + lines + "\n"
}

func gateway(listeners string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec:\n  listeners:\n    - " + listeners + "\n"
}

func service(spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec:\n" + indent(2, spec)
}

var exposureCases = map[string][]ruleCase{
	"k8s-ingress-tls": {
		{"fires at the spec without it", ingress("➤spec:\n  rules: [{host: a}]")},
		{"fires at an empty list", ingress("spec:\n  ➤tls: []")},
		{"fires on a Route of OpenShift", "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r}\n➤spec: {to: {kind: Service, name: s}}\n"},
		{"fires on the old API", "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: i}\n➤spec: {rules: []}\n"},
		{"is silent with TLS", ingress("spec: {tls: [{secretName: s}]}")},
		{"is silent where the cloud has the certificate", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, annotations: {alb.ingress.kubernetes.io/certificate-arn: a}}\nspec: {rules: []}\n"},
		{"is silent about a Route with TLS", "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r}\nspec: {tls: {termination: edge}}\n"},
		{"is silent about other kinds", "apiVersion: example.com/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {}\n"},
	},
	"k8s-gateway-plaintext": {
		{"fires on HTTP", gateway("{name: web, port: 80, ➤protocol: HTTP}")},
		{"fires on each", gateway("{name: a, ➤protocol: HTTP}\n    - {name: b, ➤protocol: HTTP}")},
		{"fires where the route serves", gateway("{name: web, ➤protocol: HTTP}") + httpRoute("web", "backendRefs: [{name: s}]")},
		{"fires where another listener is redirected", gateway("{name: web, ➤protocol: HTTP}") + httpRoute("other", "filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]")},
		{"is silent about HTTPS", gateway("{name: web, protocol: HTTPS}")},
		{"is silent about TLS", gateway("{name: web, protocol: TLS}")},
		{"is silent where a route redirects", gateway("{name: web, protocol: HTTP}") + httpRoute("web", "filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]")},
		{"is silent about Istio's Gateway, which has a rule of its own", "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {listeners: [{protocol: HTTP}]}\n"},
	},
	"k8s-ingress-wildcard-host": {
		{"fires on a star", ingress("spec: {rules: [{➤host: \"*.example\"}]}")},
		{"fires at a rule without a host", ingress("spec:\n  rules:\n    - ➤http: {paths: []}")},
		{"fires on an empty host", ingress("spec: {rules: [{➤host: \"\"}]}")},
		{"fires on the star alone", ingress("spec: {rules: [{➤host: \"*\"}]}")},
		{"is silent about a host", ingress("spec: {rules: [{host: shop.example}]}")},
		{"is silent without rules", ingress("spec: {defaultBackend: {service: {name: s}}}")},
		{"is silent about several hosts", ingress("spec: {rules: [{host: a.example}, {host: b.example}]}")},
		{"is silent about a Service", service("type: ClusterIP")},
	},
	"k8s-ingress-nginx-snippet": {
		{"fires on a server snippet", annotatedIngress("➤nginx.ingress.kubernetes.io/server-snippet: x")},
		{"fires on a configuration snippet", annotatedIngress("➤nginx.ingress.kubernetes.io/configuration-snippet: |\n      x;")},
		{"fires on an auth snippet", annotatedIngress("➤nginx.ingress.kubernetes.io/auth-snippet: x")},
		{"fires on a ModSecurity snippet", annotatedIngress("➤nginx.ingress.kubernetes.io/modsecurity-snippet: x")},
		{"is silent about a setting", annotatedIngress("nginx.ingress.kubernetes.io/rewrite-target: /")},
		{"is silent about another controller", annotatedIngress("example.com/server-snippet: x")},
		{"is silent without annotations", ingress("spec: {}")},
		{"is silent about a Service with such an annotation", "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {nginx.ingress.kubernetes.io/server-snippet: x}}\nspec: {}\n"},
	},
	"k8s-service-nodeport": {
		{"fires on the type", service("➤type: NodePort")},
		{"fires on the quoted type", service("➤type: \"NodePort\"")},
		{"fires in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"spec\": {➤\"type\": \"NodePort\"}}"},
		{"fires in a list", "apiVersion: v1\nkind: ServiceList\nitems: [{metadata: {name: s}, spec: {➤type: NodePort}}]\n"},
		{"is silent about ClusterIP", service("type: ClusterIP")},
		{"is silent without a type", service("ports: []")},
		{"is silent about a Knative Service", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {type: NodePort}\n"},
		{"is silent about an external name", service("type: ExternalName")},
	},
	"k8s-service-loadbalancer": {
		{"fires at the type", service("➤type: LoadBalancer")},
		{"fires at a range that is everything", service("type: LoadBalancer\nloadBalancerSourceRanges: [➤0.0.0.0/0]")},
		{"fires at an empty list of ranges", service("➤type: LoadBalancer\nloadBalancerSourceRanges: []")},
		{"fires where the annotation says no", "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {service.beta.kubernetes.io/aws-load-balancer-internal: \"false\"}}\nspec:\n  ➤type: LoadBalancer\n"},
		{"is silent about ranges", service("type: LoadBalancer\nloadBalancerSourceRanges: [10.0.0.0/8]")},
		{"is silent about an internal one on AWS", "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internal}}\nspec: {type: LoadBalancer}\n"},
		{"is silent about an internal one on Google Cloud", "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {networking.gke.io/load-balancer-type: Internal}}\nspec: {type: LoadBalancer}\n"},
		{"is silent about ClusterIP", service("type: ClusterIP")},
		{"is silent about AWS's own controller, whose balancers are internal by default", service("type: LoadBalancer\nloadBalancerClass: service.k8s.aws/nlb")},
		{"fires where AWS's own controller faces the internet", "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing}}\nspec:\n  ➤type: LoadBalancer\n  loadBalancerClass: service.k8s.aws/nlb\n"},
		{"fires on the class of another cloud", service("➤type: LoadBalancer\nloadBalancerClass: example.com/lb")},
	},
	"k8s-service-external-ip": {
		{"fires on an address", service("➤externalIPs: [192.0.2.1]")},
		{"fires on several once", service("➤externalIPs:\n  - 192.0.2.1\n  - 192.0.2.2")},
		{"fires on a load balancer", service("type: LoadBalancer\n➤externalIPs: [192.0.2.1]")},
		{"fires in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"spec\": {➤\"externalIPs\": [\"192.0.2.1\"]}}"},
		{"is silent about an empty list", service("externalIPs: []")},
		{"is silent without any", service("type: ClusterIP")},
		{"is silent about an external name", service("type: ExternalName\nexternalName: a.example")},
		{"is silent about the address of a load balancer", service("type: LoadBalancer\nloadBalancerIP: 192.0.2.1")},
	},
}

func annotatedIngress(annotation string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n  annotations:\n    " + annotation + "\nspec: {}\n"
}

func httpRoute(section, rule string) string {
	return "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  parentRefs: [{name: g, sectionName: " + section + "}]\n  rules: [{" + rule + "}]\n"
}

func TestPowerOverTheNodeWeighsMoreWhereTheWorkloadIsExposed(t *testing.T) {
	workload := "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec:\n  hostPID: true\n  containers: [{name: a, image: \"registry.example/web:1\"}]\n---\n"
	inner := "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}}\n---\n"
	front := "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\nspec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}\n"
	for _, tt := range []struct {
		name, manifest string
		severity       finding.Severity
		exposed        bool
	}{
		{"alone it has the rule's severity", workload, finding.High, false},
		{"behind a Service inside of the cluster it does too", workload + inner, finding.High, false},
		{"behind an Ingress it is critical", workload + inner + front, finding.Critical, true},
		{"behind a node port it is critical", workload + strings.Replace(inner, "spec: {", "spec: {type: NodePort, ", 1), finding.Critical, true},
		{"an Ingress of another namespace does not count", workload + inner + strings.Replace(front, "namespace: shop", "namespace: bank", 1), finding.High, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(tt.manifest)}}, Options{})
			for _, f := range result.Findings {
				if f.RuleID != "k8s-host-pid" {
					continue
				}
				if f.Severity != tt.severity || (len(f.Locations) == 2) != tt.exposed {
					t.Errorf("severity %s with %d places, want %s", f.Severity, len(f.Locations), tt.severity)
				}
				if len(result.Images) != 1 || (result.Images[0].ExposedBy != "") != tt.exposed || !result.Images[0].HostPID || result.Images[0].Privileged {
					t.Errorf("images: %+v", result.Images)
				}
				return
			}
			t.Error("k8s-host-pid did not fire")
		})
	}
}
