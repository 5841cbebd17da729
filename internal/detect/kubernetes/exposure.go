package kubernetes

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// opening is what opens a pod to the outside of the cluster: a port of the
// node, a Service that is reached from there, or what sends traffic from
// outside to a Service.
type opening struct {
	object *manifest.Object
	// at is where the object says so.
	at *manifest.Place
	// name says what it is: the object as Kind/namespace/name, or a port.
	name string
}

// openedBy is the opening by an object.
func openedBy(o *manifest.Object, at *manifest.Place) *opening {
	return &opening{object: o, at: at, name: o.ID()}
}

// exposure returns what opens a pod to the outside of the cluster; nil when
// nothing in the set does.
func (s *set) exposure(pod *manifest.Pod) *opening {
	if way := portOfNode(pod); way != nil {
		return way
	}
	if way := ownAddress(pod.Object); way != nil {
		return way
	}
	var way *opening
	labels := labelsOf(pod)
	s.serviceIndex.candidates(pod.Object.Namespace, labels, func(e selecting) bool {
		if matchesLabels(e.selector, labels) {
			way = s.opening(e.object)
		}
		return way != nil
	})
	return way
}

// portOfNode returns the port of the node that leads to a container. In a pod
// that has the node's network every port does; that counts by itself.
func portOfNode(pod *manifest.Pod) *opening {
	if pod.Spec.At("hostNetwork").True() {
		return nil
	}
	for _, c := range pod.Containers {
		for _, port := range c.Place.At("ports").Items() {
			at := port.At("hostPort")
			if number, ok := at.Int(); !ok || number == 0 {
				continue
			}
			if ip, err := netip.ParseAddr(port.At("hostIP").Text()); err == nil && ip.IsLoopback() {
				continue
			}
			return &opening{object: pod.Object, at: at, name: "host port " + at.Text()}
		}
	}
	return nil
}

// ownAddress returns the opening of a workload that gets an address of its own
// without further objects: a service of Knative or Cloud Run. See
// https://knative.dev/docs/serving/services/private-services/ and
// https://cloud.google.com/run/docs/securing/ingress.
func ownAddress(o *manifest.Object) *opening {
	switch {
	case !o.Is("Service", "serving.knative.dev"):
		return nil
	case cloudRun(o):
		if at := o.Annotation("run.googleapis.com/ingress"); at.Text() == "" || at.Text() == "all" {
			return openedBy(o, at)
		}
	default:
		if at := o.At("metadata", "labels", "networking.knative.dev/visibility"); at.Text() != "cluster-local" {
			return openedBy(o, at)
		}
	}
	return nil
}

// opening returns what opens a Service to the outside, or nil.
func (s *set) opening(service *manifest.Object) *opening {
	kind := service.At("spec", "type")
	switch kind.Text() {
	case "ExternalName":
		return nil // It has a name and no pods, whatever its selector says.
	case "NodePort":
		return openedBy(service, kind)
	case "LoadBalancer":
		if !internalService(service) && !onlyPrivate(sourceRanges(service)) {
			return openedBy(service, kind)
		}
	}
	if at := service.At("spec", "externalIPs"); len(at.Items()) > 0 {
		return openedBy(service, at)
	}
	for _, f := range s.fronts[service.Name] {
		if sameNamespace(f.namespace, service.Namespace) {
			return openedBy(f.object, f.at)
		}
	}
	return nil
}

// sourceRanges are the networks from which a load balancer takes traffic; none
// stands for all.
func sourceRanges(service *manifest.Object) []string {
	var ranges []string
	for _, r := range service.At("spec", "loadBalancerSourceRanges").Items() {
		ranges = append(ranges, r.Text())
	}
	if len(ranges) == 0 {
		ranges = networkList(service.Annotation("service.beta.kubernetes.io/load-balancer-source-ranges"))
	}
	return ranges
}

// networkList are the items of a text such as "10.0.0.0/8, 192.168.0.0/16".
func networkList(at *manifest.Place) []string {
	return strings.FieldsFunc(at.Text(), func(r rune) bool { return r == ',' || r == ' ' })
}

// privateNetworks are those whose addresses the internet does not lead to
// (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
var privateNetworks = []string{
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
}

// onlyPrivate reports whether there are networks, and all of them are private.
func onlyPrivate(networks []string) bool {
	return len(networks) > 0 && !slices.ContainsFunc(networks, func(text string) bool {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return true
		}
		return !slices.ContainsFunc(privateNetworks, func(p string) bool {
			private := netip.MustParsePrefix(p)
			return private.Bits() <= network.Bits() && private.Contains(network.Addr())
		})
	})
}

// indexNetwork notes which policies and Services may select what, and which
// Services are reached from outside through other objects.
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
	s.indexFronts()
}

// reportPower reports that a pod has power over its node. Where the pod is
// also opened to the outside, a flaw in it is found first and gives the node
// away: the finding is then critical and names what opens it.
func (p *pass) reportPower(pod *manifest.Pod, at *manifest.Place, format string, args ...any) {
	pr := problem{object: p.object, at: at, severity: p.rule.Severity, message: fmt.Sprintf(format, args...)}
	if way := p.set.exposure(pod); way != nil {
		pr.severity = finding.Critical
		pr.message += " It weighs more here, since " + way.name + " opens the pods to the outside."
		pr.also = []related{{object: way.object, at: way.at, note: way.name + " opens it to the outside"}}
	}
	p.add(pr)
}
