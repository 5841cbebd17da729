package kubernetes

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// backend is a Service to which an object sends traffic.
type backend struct {
	name string
	// namespace is the Service's; empty where it is decided at deployment.
	namespace string
	at        *manifest.Place
}

// front is an object that sends traffic from outside of the cluster to a
// Service.
type front struct {
	object    *manifest.Object
	namespace string
	at        *manifest.Place
}

const (
	gatewayGroup = "gateway.networking.k8s.io"
	istioGroup   = "networking.istio.io"
)

// frontKinds send traffic to Services.
var frontKinds = []string{
	"Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "Route", "VirtualService",
	"IngressRoute", "IngressRouteTCP", "IngressRouteUDP", "HTTPProxy",
}

// indexFronts notes the fronts by the names of the Services that they open.
func (s *set) indexFronts() {
	s.fronts = make(map[string][]front)
	for _, kind := range frontKinds {
		for _, o := range s.byKind[kind] {
			if !s.fromOutside(o) {
				continue
			}
			for _, b := range s.backends(o) {
				if s.granted(o, b) {
					s.fronts[b.name] = append(s.fronts[b.name], front{object: o, namespace: b.namespace, at: b.at})
				}
			}
		}
	}
}

// fromOutside reports whether what an object routes comes from outside of the
// cluster, as far as it says.
func (s *set) fromOutside(o *manifest.Object) bool {
	switch {
	case isIngress(o):
		return !internalIngress(o)
	case o.Group() == gatewayGroup:
		return s.throughGateway(o)
	case o.Is("VirtualService", istioGroup):
		return slices.ContainsFunc(o.At("spec", "gateways").Items(), func(at *manifest.Place) bool {
			return at.Text() != "mesh" && !s.egressGateway(o, at.Text())
		})
	}
	return true
}

// internalIngress reports whether an Ingress is served on private addresses
// alone. The load balancers of AWS are internal unless they are told otherwise:
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme
func internalIngress(o *manifest.Object) bool {
	class := o.At("spec", "ingressClassName").Text()
	if legacy := o.Annotation("kubernetes.io/ingress.class").Text(); legacy != "" {
		class = legacy
	}
	switch scheme := o.Annotation("alb.ingress.kubernetes.io/scheme").Text(); {
	case class == "gce-internal", scheme == "internal", class == "alb" && scheme != "internet-facing":
		return true
	case o.Annotation("appgw.ingress.kubernetes.io/use-private-ip").Text() == "true":
		return true
	}
	for _, name := range []string{"nginx.ingress.kubernetes.io/whitelist-source-range", "nginx.ingress.kubernetes.io/allowlist-source-range"} {
		if onlyPrivate(networkList(o.Annotation(name))) {
			return true
		}
	}
	return false
}

// internalGatewayClasses are classes of clouds whose gateways have private
// addresses: https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities
var internalGatewayClasses = []string{"gke-l7-rilb", "gke-l7-rilb-mc", "gke-l7-cross-regional-internal-managed-mc"}

// throughGateway reports whether a route of the Gateway API hangs on a gateway
// that takes traffic from outside. One that hangs on Services alone is for the
// mesh: https://gateway-api.sigs.k8s.io/mesh/
func (s *set) throughGateway(route *manifest.Object) bool {
	parents := route.At("spec", "parentRefs").Items()
	return len(parents) == 0 || slices.ContainsFunc(parents, func(ref *manifest.Place) bool {
		if kind := ref.At("kind").Text(); kind != "" && kind != "Gateway" {
			return kind != "Service" && kind != "ServiceEntry"
		}
		gateway := s.findIn("Gateway", gatewayGroup, namespaceOf(ref, route), ref.At("name").Text())
		return gateway == nil || !slices.Contains(internalGatewayClasses, gateway.At("spec", "gatewayClassName").Text())
	})
}

// egressGateway reports whether the gateway of that name leads out of the mesh.
// It may be written as namespace/name.
func (s *set) egressGateway(o *manifest.Object, name string) bool {
	namespace := o.Namespace
	if before, after, ok := strings.Cut(name, "/"); ok {
		namespace, name = before, after
	}
	gateway := s.findIn("Gateway", istioGroup, namespace, name)
	return gateway != nil && gateway.At("spec", "selector", "istio").Text() == "egressgateway"
}

// findIn returns the object of a kind of one API group, or nil.
func (s *set) findIn(kind, group, namespace, name string) *manifest.Object {
	for _, o := range s.byKind[kind] {
		if o.Name == name && o.Group() == group && sameNamespace(o.Namespace, namespace) {
			return o
		}
	}
	return nil
}

// namespaceOf is the namespace that a reference names, or else its object's.
func namespaceOf(ref *manifest.Place, o *manifest.Object) string {
	if namespace := ref.At("namespace").Text(); namespace != "" {
		return namespace
	}
	return o.Namespace
}

// backends returns the Services to which an object sends traffic.
func (s *set) backends(o *manifest.Object) []backend {
	switch {
	case isIngress(o):
		return ingressBackends(o)
	case o.Group() == gatewayGroup:
		return gatewayBackends(o)
	case o.Is("Route", "route.openshift.io"):
		return serviceRefs(o, append(o.At("spec", "alternateBackends").Items(), o.At("spec", "to")))
	case o.Is("VirtualService", istioGroup):
		return s.virtualBackends(o)
	case o.Is(o.Kind, "traefik.io", "traefik.containo.us"), o.Is("HTTPProxy", "projectcontour.io"):
		return s.proxyBackends(o)
	}
	return nil
}

func ingressBackends(o *manifest.Object) []backend {
	var found []backend
	add := func(at *manifest.Place) {
		if at.Text() != "" {
			found = append(found, backend{name: at.Text(), namespace: o.Namespace, at: at})
		}
	}
	for _, field := range []string{"defaultBackend", "backend"} {
		add(o.At("spec", field, "service", "name"))
		add(o.At("spec", field, "serviceName"))
	}
	for _, r := range o.At("spec", "rules").Items() {
		for _, path := range r.At("http", "paths").Items() {
			add(path.At("backend", "service", "name"))
			add(path.At("backend", "serviceName"))
		}
	}
	return found
}

// serviceRefs are the references among the given ones that name a Service.
func serviceRefs(o *manifest.Object, refs []*manifest.Place) []backend {
	var found []backend
	for _, ref := range refs {
		kind, name := ref.At("kind").Text(), ref.At("name")
		if (kind == "" || kind == "Service") && name.Text() != "" {
			found = append(found, backend{name: name.Text(), namespace: namespaceOf(ref, o), at: name})
		}
	}
	return found
}

func gatewayBackends(o *manifest.Object) []backend {
	var refs []*manifest.Place
	for _, r := range o.At("spec", "rules").Items() {
		refs = append(refs, r.At("backendRefs").Items()...)
		for _, f := range r.At("filters").Items() {
			refs = append(refs, f.At("requestMirror", "backendRef"))
		}
	}
	return serviceRefs(o, refs)
}

// granted reports whether a route may lead to a Service of another namespace.
// Where the grants of that namespace are in the set, one of them has to say so
// (https://gateway-api.sigs.k8s.io/api-types/referencegrant/); where none is,
// they are somewhere else, or the route would lead nowhere.
func (s *set) granted(o *manifest.Object, b backend) bool {
	if o.Group() != gatewayGroup || sameNamespace(o.Namespace, b.namespace) {
		return true
	}
	known := false
	for _, g := range s.byKind["ReferenceGrant"] {
		if g.Group() != gatewayGroup || g.Namespace != b.namespace {
			continue
		}
		known = true
		from := slices.ContainsFunc(g.At("spec", "from").Items(), func(at *manifest.Place) bool {
			return at.At("group").Text() == gatewayGroup && at.At("kind").Text() == o.Kind && at.At("namespace").Text() == o.Namespace
		})
		to := slices.ContainsFunc(g.At("spec", "to").Items(), func(at *manifest.Place) bool {
			name := at.At("name").Text()
			return at.At("group").Text() == "" && at.At("kind").Text() == "Service" && (name == "" || name == b.name)
		})
		if from && to {
			return true
		}
	}
	return !known
}

// virtualBackends are the Services to which Istio's routing leads, also by way
// of the VirtualServices to which it is delegated.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/
func (s *set) virtualBackends(o *manifest.Object) []backend {
	found := destinations(o)
	for _, route := range o.At("spec", "http").Items() {
		ref := route.At("delegate")
		if to := s.findIn("VirtualService", istioGroup, namespaceOf(ref, o), ref.At("name").Text()); ref.Exists() && to != nil {
			for _, b := range destinations(to) {
				found = append(found, backend{name: b.name, namespace: b.namespace, at: ref.At("name")})
			}
		}
	}
	return found
}

func destinations(o *manifest.Object) []backend {
	var found []backend
	add := func(destination *manifest.Place) {
		at := destination.At("host")
		if name, namespace, ok := serviceHost(at.Text(), o.Namespace); ok {
			found = append(found, backend{name: name, namespace: namespace, at: at})
		}
	}
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for _, route := range o.At("spec", protocol).Items() {
			for _, to := range route.At("route").Items() {
				add(to.At("destination"))
			}
			for _, to := range route.At("mirrors").Items() {
				add(to.At("destination"))
			}
			add(route.At("mirror"))
		}
	}
	return found
}

// serviceHost takes a host name inside of the cluster apart: web, web.shop,
// web.shop.svc or web.shop.svc.cluster.local.
func serviceHost(host, namespace string) (name, in string, ok bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case parts[0] == "":
		return "", "", false
	case len(parts) == 1:
		return parts[0], namespace, true
	case len(parts) == 2 || parts[2] == "svc":
		return parts[0], parts[1], true
	}
	return "", "", false
}

// proxyBackends are the Services of routes of Traefik and Contour. Traefik's
// may name a TraefikService that stands for several.
func (s *set) proxyBackends(o *manifest.Object) []backend {
	refs := o.At("spec", "tcpproxy", "services").Items()
	for _, r := range o.At("spec", "routes").Items() {
		refs = append(refs, r.At("services").Items()...)
	}
	found := serviceRefs(o, refs)
	for _, ref := range refs {
		if ref.At("kind").Text() != "TraefikService" {
			continue
		}
		to := s.findIn("TraefikService", o.Group(), namespaceOf(ref, o), ref.At("name").Text())
		if to == nil {
			continue
		}
		mirroring := to.At("spec", "mirroring")
		inner := slices.Concat(to.At("spec", "weighted", "services").Items(), mirroring.At("mirrors").Items(), []*manifest.Place{mirroring})
		for _, b := range serviceRefs(to, inner) {
			found = append(found, backend{name: b.name, namespace: b.namespace, at: ref.At("name")})
		}
	}
	return found
}
