package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// set is all objects of a run with the indexes that rules about relations
// need.
type set struct {
	opts Options
	// minor is the cluster's version: 34 for 1.34.
	minor   int
	objects []*manifest.Object
	pods    []*manifest.Pod
	byKind  map[string][]*manifest.Object
	// subjects are the service accounts that a binding names.
	subjects map[accounts]bool
	// podsByAccount are the pods by the name of their service account;
	// podsByBinding those that get the rights of a binding, once asked for.
	podsByAccount map[string][]*manifest.Pod
	podsByBinding map[*manifest.Object][]*manifest.Pod
	// policyIndex and serviceIndex find what selects a pod; fronts are what
	// sends traffic from outside to Services, by the names of these.
	policyIndex  selectorIndex
	serviceIndex selectorIndex
	fronts       map[string][]front
	// secretNames are the Secrets that are made or referred to, once asked for.
	secretNames map[string]bool
	// plainValues are objects as the user's own rules see them.
	plainValues map[*manifest.Object]map[string]any
	// plainObjects are all of them as the variable objects.
	plainObjects any
}

// rules are all rules, the user's own among them.
func (s *set) rules() []rule {
	var all []rule
	if !s.opts.OwnOnly {
		all = allRules()
	}
	for _, o := range s.opts.Own {
		all = append(all, o.rule())
	}
	return all
}

func newSet(opts Options) *set {
	return &set{
		opts: opts, minor: minorVersion(opts.KubeVersion),
		byKind: make(map[string][]*manifest.Object), subjects: make(map[accounts]bool),
		podsByAccount: make(map[string][]*manifest.Pod),
	}
}

// add takes an object in and reports whether its kind is known or a pod was
// found in it.
func (s *set) add(o *manifest.Object) bool {
	s.objects = append(s.objects, o)
	s.byKind[o.Kind] = append(s.byKind[o.Kind], o)
	pods := manifest.Pods(o)
	s.pods = append(s.pods, pods...)
	return len(pods) > 0 || known(o)
}

// index is called when all objects are there.
func (s *set) index() {
	s.indexNetwork()
	for _, pod := range s.pods {
		name, _ := serviceAccountName(pod)
		s.podsByAccount[name] = append(s.podsByAccount[name], pod)
	}
	for _, o := range s.objects {
		if !isBinding(o) {
			continue
		}
		for _, subject := range o.At("subjects").Items() {
			// What everybody is granted says nothing about an account.
			if who, ok := accountsOf(o, subject); ok && subject.At("name").Text() != "system:authenticated" {
				s.subjects[who] = true
			}
		}
	}
}

// serviceAccount returns the ServiceAccount of that name, or nil.
func (s *set) serviceAccount(namespace, name string) *manifest.Object {
	return s.find("ServiceAccount", namespace, name)
}

// find returns the object of a kind, namespace and name, or nil.
func (s *set) find(kind, namespace, name string) *manifest.Object {
	for _, o := range s.byKind[kind] {
		if o.Name == name && sameNamespace(o.Namespace, namespace) {
			return o
		}
	}
	return nil
}

// sameNamespace reports whether two objects may be in one namespace: one that
// is not written is decided at deployment.
func sameNamespace(a, b string) bool {
	return a == b || a == "" || b == ""
}

// cloudRun reports whether an object is run by Cloud Run, which has no
// cluster around it: no NetworkPolicy, no service account token, no node.
func cloudRun(o *manifest.Object) bool {
	if o.Group() == "run.googleapis.com" {
		return true
	}
	if o.Group() != "serving.knative.dev" {
		return false
	}
	for _, at := range []*manifest.Place{
		o.At("metadata", "annotations"), o.At("metadata", "labels"), o.At("spec", "template", "metadata", "annotations"),
	} {
		for _, f := range at.Fields() {
			if strings.HasPrefix(f.Name(), "run.googleapis.com/") || f.Name() == "cloud.googleapis.com/location" {
				return true
			}
		}
	}
	return false
}

// known reports whether rules know the kind of an object: all kinds of some API
// groups, but of Argo's only that of its Rollouts. The containers of a Workflow
// take their settings from several levels, which no rule joins.
func known(o *manifest.Object) bool {
	group := o.Group()
	switch group {
	case "", "apps", "batch", "autoscaling", "policy", "extensions",
		"serving.knative.dev", "run.googleapis.com", "apps.kruise.io":
		return true
	case "argoproj.io":
		return o.Kind == "Rollout"
	}
	for _, suffix := range []string{".k8s.io", ".openshift.io", ".istio.io", ".linkerd.io"} {
		if strings.HasSuffix(group, suffix) {
			return true
		}
	}
	return false
}
