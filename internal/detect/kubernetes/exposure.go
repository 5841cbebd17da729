package kubernetes

import (
	"fmt"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// exposure returns the object that opens a pod to the outside of the cluster:
// a Service of its own, or an Ingress or route to a Service that selects it;
// nil when there is none in the set.
func (s *set) exposure(pod *manifest.Pod) *manifest.Object {
	for _, service := range s.byKind["Service"] {
		selector := service.At("spec", "selector")
		if !isService(service) || len(selector.Fields()) == 0 || !sameNamespace(service.Namespace, pod.Object.Namespace) || !matchesLabels(selector, labelsOf(pod)) {
			continue
		}
		switch service.At("spec", "type").Text() {
		case "NodePort":
			return service
		case "LoadBalancer":
			if !internalService(service) {
				return service
			}
		}
		if front := s.front(service); front != nil {
			return front
		}
	}
	return nil
}

// front returns the Ingress or route that sends traffic to a Service.
func (s *set) front(service *manifest.Object) *manifest.Object {
	for _, kind := range []string{"Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "Route"} {
		for _, o := range s.byKind[kind] {
			if !sameNamespace(o.Namespace, service.Namespace) {
				continue
			}
			for _, backend := range backends(o) {
				if backend.Text() == service.Name {
					return o
				}
			}
		}
	}
	return nil
}

// backends returns the names of the Services to which an Ingress or route
// sends traffic.
func backends(o *manifest.Object) []*manifest.Place {
	var names []*manifest.Place
	add := func(at *manifest.Place) {
		if at.Text() != "" {
			names = append(names, at)
		}
	}
	switch {
	case isIngress(o):
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
	case o.Group() == "gateway.networking.k8s.io":
		for _, r := range o.At("spec", "rules").Items() {
			for _, ref := range r.At("backendRefs").Items() {
				if kind := ref.At("kind").Text(); kind == "" || kind == "Service" {
					add(ref.At("name"))
				}
			}
		}
	case o.Is("Route", "route.openshift.io"):
		add(o.At("spec", "to", "name"))
	}
	return names
}

// reportPower reports that a pod has power over its node. Where the pod is
// also opened to the outside, a flaw in it is found first and gives the node
// away: the finding is then critical and names what opens it.
func (p *pass) reportPower(pod *manifest.Pod, at *manifest.Place, format string, args ...any) {
	pr := problem{object: p.object, at: at, severity: p.rule.Severity, message: fmt.Sprintf(format, args...)}
	if way := p.set.exposure(pod); way != nil {
		pr.severity = finding.Critical
		pr.message += " It weighs more here, since " + way.ID() + " opens the pods to the outside."
		pr.also = []related{{object: way, at: way.At("metadata", "name"), note: way.ID() + " opens it to the outside"}}
	}
	p.add(pr)
}
