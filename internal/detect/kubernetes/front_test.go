package kubernetes

import (
	"context"
	"strings"
	"testing"
)

// servedPod is a pod behind a Service that only the cluster reaches.
const servedPod = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: a, image: registry.example/web:1}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
`

// object is an object of the namespace shop with a spec in flow style.
func object(apiVersion, kind, metadata, spec string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: " + strings.ToLower(kind) + metadata + "}\nspec: " + spec + "\n---\n"
}

const inShop = ", namespace: shop"

func virtualService(spec string) string {
	return object("networking.istio.io/v1", "VirtualService", inShop, spec)
}

func route(namespace, spec string) string {
	return object("gateway.networking.k8s.io/v1", "HTTPRoute", ", namespace: "+namespace, spec)
}

func referenceGrant(from, to string) string {
	return object("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", inShop, "{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: "+from+"}], to: [{group: \"\", kind: Service"+to+"}]}")
}

func TestWhatOpensAWorkloadToTheOutside(t *testing.T) {
	loadBalancer := func(metadata, spec string) string {
		return object("v1", "Service", inShop+metadata, "{type: LoadBalancer, selector: {app: web}"+spec+"}")
	}
	nlb := ", loadBalancerClass: service.k8s.aws/nlb"
	toShop := "{parentRefs: [{name: g}], rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}"
	for _, tt := range []struct {
		name, objects, want string
	}{
		{"nothing does", "", ""},
		{"a Service of another selector does not", object("v1", "Service", inShop, "{type: NodePort, selector: {app: api}}"), ""},

		{"external addresses", object("v1", "Service", inShop, "{selector: {app: web}, externalIPs: [192.0.2.7]}"), "Service/shop/service"},
		{"an empty list of external addresses does not", object("v1", "Service", inShop, "{selector: {app: web}, externalIPs: []}"), ""},
		{"a load balancer", loadBalancer("", ""), "Service/shop/service"},
		{"a load balancer for one public network", loadBalancer("", ", loadBalancerSourceRanges: [10.0.0.0/8, 203.0.113.0/24]"), "Service/shop/service"},
		{"a load balancer for more than a private network", loadBalancer("", ", loadBalancerSourceRanges: [10.0.0.0/7]"), "Service/shop/service"},
		{"a load balancer for what is no network", loadBalancer("", ", loadBalancerSourceRanges: [office]"), "Service/shop/service"},
		{"a load balancer for private networks does not", loadBalancer("", ", loadBalancerSourceRanges: [10.0.0.0/8, 192.168.4.0/24, \"fd00:1::/48\"]"), ""},
		{"a load balancer for private networks by annotation does not", loadBalancer(", annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: \"10.0.0.0/8, 172.16.1.0/24\"}", ""), ""},
		{"an internal load balancer does not", loadBalancer(", annotations: {networking.gke.io/load-balancer-type: Internal}", ""), ""},
		{"an internal load balancer with external addresses", loadBalancer(", annotations: {networking.gke.io/load-balancer-type: Internal}", ", externalIPs: [192.0.2.7]"), "Service/shop/service"},
		{"a load balancer of the AWS controller does not by default", loadBalancer("", nlb), ""},
		{"a load balancer of the AWS controller that faces the internet", loadBalancer(", annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing}", nlb), "Service/shop/service"},
		{"a load balancer of the AWS controller that is not internal", loadBalancer(", annotations: {service.beta.kubernetes.io/aws-load-balancer-type: external, service.beta.kubernetes.io/aws-load-balancer-internal: \"false\"}", ""), "Service/shop/service"},
		{"an external name does not", object("v1", "Service", inShop, "{type: ExternalName, externalName: a.example, selector: {app: web}, externalIPs: [192.0.2.7]}"), ""},

		{"an Ingress", object("networking.k8s.io/v1", "Ingress", inShop, "{defaultBackend: {service: {name: web}}}"), "Ingress/shop/ingress"},
		{"an Ingress on a private address does not", object("networking.k8s.io/v1", "Ingress", inShop+", annotations: {kubernetes.io/ingress.class: gce-internal}", "{defaultBackend: {service: {name: web}}}"), ""},
		{"an Ingress of AWS does not by default", object("networking.k8s.io/v1", "Ingress", inShop, "{ingressClassName: alb, defaultBackend: {service: {name: web}}}"), ""},
		{"an Ingress of AWS that faces the internet", object("networking.k8s.io/v1", "Ingress", inShop+", annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}", "{ingressClassName: alb, defaultBackend: {service: {name: web}}}"), "Ingress/shop/ingress"},
		{"an Ingress for private networks does not", object("networking.k8s.io/v1", "Ingress", inShop+", annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8}", "{defaultBackend: {service: {name: web}}}"), ""},

		{"a route of the same namespace", route("shop", "{parentRefs: [{name: g}], rules: [{backendRefs: [{name: web}]}]}"), "HTTPRoute/shop/httproute"},
		{"a route that mirrors", route("shop", "{rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web}}}]}]}"), "HTTPRoute/shop/httproute"},
		{"a route of UDP", object("gateway.networking.k8s.io/v1alpha2", "UDPRoute", inShop, "{rules: [{backendRefs: [{name: web}]}]}"), "UDPRoute/shop/udproute"},
		{"a route to another kind does not", route("shop", "{rules: [{backendRefs: [{kind: Bucket, name: web}]}]}"), ""},
		{"a route of another namespace to its own Service does not", route("infra", "{rules: [{backendRefs: [{name: web}]}]}"), ""},
		{"a route of another namespace without a grant here", route("infra", toShop), "HTTPRoute/infra/httproute"},
		{"a route of another namespace with a grant", route("infra", toShop) + referenceGrant("infra", ""), "HTTPRoute/infra/httproute"},
		{"a route of another namespace with a grant by name", route("infra", toShop) + referenceGrant("infra", ", name: web"), "HTTPRoute/infra/httproute"},
		{"a route of another namespace with a grant for another Service does not", route("infra", toShop) + referenceGrant("infra", ", name: api"), ""},
		{"a route of another namespace with a grant for a third one does not", route("infra", toShop) + referenceGrant("bank", ""), ""},
		{"a route of the mesh does not", route("shop", "{parentRefs: [{kind: Service, group: \"\", name: web}], rules: [{backendRefs: [{name: web}]}]}"), ""},
		{"a route on a gateway with a private address does not", route("shop", "{parentRefs: [{name: gateway}], rules: [{backendRefs: [{name: web}]}]}") + object("gateway.networking.k8s.io/v1", "Gateway", inShop, "{gatewayClassName: gke-l7-rilb}"), ""},
		{"a route on a gateway of another class", route("shop", "{parentRefs: [{name: gateway}], rules: [{backendRefs: [{name: web}]}]}") + object("gateway.networking.k8s.io/v1", "Gateway", inShop, "{gatewayClassName: gke-l7-global-external-managed}"), "HTTPRoute/shop/httproute"},

		{"an alternate backend of OpenShift's Route", object("route.openshift.io/v1", "Route", inShop, "{to: {kind: Service, name: api}, alternateBackends: [{kind: Service, name: web, weight: 1}]}"), "Route/shop/route"},

		{"Istio's routing behind a gateway", virtualService("{hosts: [shop.example], gateways: [public], http: [{route: [{destination: {host: web}}]}]}"), "VirtualService/shop/virtualservice"},
		{"Istio's routing with the whole name", virtualService("{gateways: [infra/public], tcp: [{route: [{destination: {host: web.shop.svc.cluster.local}}]}]}"), "VirtualService/shop/virtualservice"},
		{"Istio's routing from another namespace", object("networking.istio.io/v1beta1", "VirtualService", ", namespace: infra", "{gateways: [mesh, public], tls: [{route: [{destination: {host: web.shop}}]}]}"), "VirtualService/infra/virtualservice"},
		{"Istio's mirror", virtualService("{gateways: [public], http: [{mirror: {host: web}, route: [{destination: {host: api}}]}]}"), "VirtualService/shop/virtualservice"},
		{"Istio's delegate", virtualService("{gateways: [public], http: [{delegate: {name: inner}}]}") + "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: inner, namespace: shop}\nspec: {http: [{route: [{destination: {host: web}}]}]}\n", "VirtualService/shop/virtualservice"},
		{"Istio's routing in the mesh does not", virtualService("{hosts: [web], gateways: [mesh], http: [{route: [{destination: {host: web}}]}]}"), ""},
		{"Istio's routing without a gateway is for the mesh and does not", virtualService("{hosts: [web], http: [{route: [{destination: {host: web}}]}]}"), ""},
		{"Istio's routing to a host outside does not", virtualService("{gateways: [public], http: [{route: [{destination: {host: web.shop.example}}]}]}"), ""},
		{"Istio's routing to a namesake does not", virtualService("{gateways: [public], http: [{route: [{destination: {host: web.bank.svc}}]}]}"), ""},
		{"Istio's routing to the way out does not", virtualService("{gateways: [gateway], http: [{route: [{destination: {host: web}}]}]}") + object("networking.istio.io/v1", "Gateway", inShop, "{selector: {istio: egressgateway}}"), ""},

		{"Traefik's route", object("traefik.io/v1alpha1", "IngressRoute", inShop, "{routes: [{match: \"Host(`a`)\", services: [{name: web, port: 80}]}]}"), "IngressRoute/shop/ingressroute"},
		{"Traefik's weighted service", object("traefik.io/v1alpha1", "IngressRoute", inShop, "{routes: [{services: [{kind: TraefikService, name: traefikservice}]}]}") + object("traefik.io/v1alpha1", "TraefikService", inShop, "{weighted: {services: [{name: web, weight: 1}]}}"), "IngressRoute/shop/ingressroute"},
		{"Contour's proxy", object("projectcontour.io/v1", "HTTPProxy", inShop, "{routes: [{services: [{name: web, port: 80}]}]}"), "HTTPProxy/shop/httpproxy"},
		{"a namesake of another API does not", object("example.com/v1", "IngressRoute", inShop, "{routes: [{services: [{name: web}]}]}"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(servedPod + tt.objects)}}, Options{})
			if len(result.Images) != 1 || result.Images[0].ExposedBy != tt.want {
				t.Errorf("exposed by %+v, want %q", result.Images, tt.want)
			}
		})
	}
}

func TestWorkloadsThatOpenThemselves(t *testing.T) {
	knative := func(metadata string) string {
		return "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web, namespace: shop" + metadata + "}\nspec: {template: {spec: {containers: [{image: web}]}}}\n"
	}
	ports := func(list, spec string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {" + spec + "containers: [{name: a, image: web, ports: [" + list + "]}]}\n"
	}
	for _, tt := range []struct {
		name, manifest, want string
	}{
		{"a port of the node", ports("{containerPort: 80}, {containerPort: 81, hostPort: 8080}", ""), "host port 8080"},
		{"a port of one address of the node", ports("{containerPort: 80, hostPort: 80, hostIP: 192.0.2.1}", ""), "host port 80"},
		{"a port that only the node reaches does not", ports("{containerPort: 80, hostPort: 80, hostIP: 127.0.0.1}", ""), ""},
		{"a port of the container alone does not", ports("{containerPort: 80, hostPort: 0}", ""), ""},
		{"the port of a pod in the node's network counts as that", ports("{containerPort: 80, hostPort: 80}", "hostNetwork: true, "), ""},
		{"Knative", knative(""), "Service/shop/web"},
		{"Knative for the cluster alone does not", knative(", labels: {networking.knative.dev/visibility: cluster-local}"), ""},
		{"Cloud Run", knative(", annotations: {run.googleapis.com/launch-stage: GA}"), "Service/shop/web"},
		{"Cloud Run for all", knative(", annotations: {run.googleapis.com/ingress: all}"), "Service/shop/web"},
		{"Cloud Run for the project alone does not", knative(", annotations: {run.googleapis.com/ingress: internal}"), ""},
		{"Cloud Run behind a load balancer that is not here does not", knative(", annotations: {run.googleapis.com/ingress: internal-and-cloud-load-balancing}"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(tt.manifest)}}, Options{})
			if len(result.Images) != 1 || result.Images[0].ExposedBy != tt.want {
				t.Errorf("exposed by %+v, want %q", result.Images, tt.want)
			}
		})
	}
}

func TestAFindingPointsAtWhatOpensTheWorkload(t *testing.T) {
	text := strings.Replace(servedPod, "spec: {containers", "spec: {hostPID: true, containers", 1) + route("shop", "{rules: [{backendRefs: [{name: web}]}]}")
	for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, Options{}).Findings {
		if f.RuleID != "k8s-host-pid" {
			continue
		}
		if at := f.Locations[1]; at.Line != 14 || at.Column != 32 || !strings.Contains(f.Message, "since HTTPRoute/shop/httproute opens the pods to the outside") {
			t.Errorf("%d:%d %s", at.Line, at.Column, f.Message)
		}
	}
}
