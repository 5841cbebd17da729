package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// set is all objects of a run with the indexes that rules about relations
// need.
type set struct {
	opts    Options
	objects []*manifest.Object
	pods    []*manifest.Pod
	byKind  map[string][]*manifest.Object
}

func newSet(opts Options) *set {
	return &set{opts: opts, byKind: make(map[string][]*manifest.Object)}
}

// add takes an object in and reports whether its kind is known or a pod was
// found in it.
func (s *set) add(o *manifest.Object) bool {
	s.objects = append(s.objects, o)
	s.byKind[o.Kind] = append(s.byKind[o.Kind], o)
	pods := manifest.Pods(o)
	s.pods = append(s.pods, pods...)
	return len(pods) > 0 || knownGroup(o.Group())
}

// index is called when all objects are there.
func (s *set) index() {}

// knownGroup reports whether rules know the kinds of an API group.
func knownGroup(group string) bool {
	switch group {
	case "", "apps", "batch", "autoscaling", "policy", "extensions",
		"argoproj.io", "serving.knative.dev", "run.googleapis.com", "apps.kruise.io":
		return true
	}
	for _, suffix := range []string{".k8s.io", ".openshift.io", ".istio.io", ".linkerd.io"} {
		if strings.HasSuffix(group, suffix) {
			return true
		}
	}
	return false
}
