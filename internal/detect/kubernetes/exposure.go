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
	var way *manifest.Object
	labels := labelsOf(pod)
	s.serviceIndex.candidates(pod.Object.Namespace, labels, func(e selecting) bool {
		if matchesLabels(e.selector, labels) {
			way = s.opening(e.object)
		}
		return way != nil
	})
	return way
}

// opening returns what opens a Service to the outside, or nil.
func (s *set) opening(service *manifest.Object) *manifest.Object {
	switch service.At("spec", "type").Text() {
	case "NodePort":
		return service
	case "LoadBalancer":
		if !internalService(service) {
			return service
		}
	}
	for _, front := range s.fronts[service.Name] {
		if sameNamespace(front.Namespace, service.Namespace) {
			return front
		}
	}
	return nil
}

// frontKinds send traffic from outside to Services.
var frontKinds = []string{"Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "Route"}

// indexNetwork notes which policies and Services may select what, and which
// Services an Ingress or route names.
func (s *set) indexNetwork() {
	for _, o := range s.policies() {
		if selector, ok := selectorOf(o); ok {
			s.policyIndex.add(o, selector, selector.At("matchLabels"))
		}
	}
	for _, o := range s.byKind["Service"] {
		if selector := o.At("spec", "selector"); isService(o) && len(selector.Fields()) > 0 {
			s.serviceIndex.add(o, selector, selector)
		}
	}
	s.fronts = make(map[string][]*manifest.Object)
	for _, kind := range frontKinds {
		for _, o := range s.byKind[kind] {
			for _, backend := range backends(o) {
				s.fronts[backend.Text()] = append(s.fronts[backend.Text()], o)
			}
		}
	}
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
