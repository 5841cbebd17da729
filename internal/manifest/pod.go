package manifest

import "strings"

// Pod is a pod or the template of one, wherever it lies in an object.
type Pod struct {
	Object *Object
	// Template is the place that holds metadata and spec.
	Template *Place
	Spec     *Place
	// Containers are all containers, init and ephemeral ones too.
	Containers []Container
	// Guessed is true when the pod was found by its shape in an object of a
	// kind that is not known.
	Guessed bool
}

// Role says which list of the pod holds a container.
type Role string

// The roles, named for their fields.
const (
	Main      Role = "containers"
	Init      Role = "initContainers"
	Ephemeral Role = "ephemeralContainers"
)

// Container is one container of a pod.
type Container struct {
	Pod   *Pod
	Place *Place
	Role  Role
	Name  string
}

// Metadata is the place of the pod's own metadata.
func (p *Pod) Metadata() *Place { return p.Template.At("metadata") }

// Annotation returns the place of an annotation of the pod.
func (p *Pod) Annotation(name string) *Place {
	return p.Metadata().At("annotations", name)
}

// Windows reports whether the pod says that it runs on Windows, where the
// Linux fields of security contexts do not apply.
func (p *Pod) Windows() bool {
	return strings.EqualFold(p.Spec.At("os", "name").Text(), "windows")
}

// kindOf tells objects of one kind apart from namesakes in other API groups.
type kindOf struct {
	kind string
	// group ends the API group: "" matches the core group alone.
	group string
}

// templates say where known kinds keep the pod's metadata and spec. Sources:
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ and
// the custom resources of Argo Rollouts, Knative, OpenShift and OpenKruise.
var templates = map[kindOf][]string{
	{"Pod", ""}:                                     {},
	{"PodTemplate", ""}:                             {"template"},
	{"ReplicationController", ""}:                   {"spec", "template"},
	{"Deployment", "apps"}:                          {"spec", "template"},
	{"StatefulSet", "apps"}:                         {"spec", "template"},
	{"DaemonSet", "apps"}:                           {"spec", "template"},
	{"ReplicaSet", "apps"}:                          {"spec", "template"},
	{"Deployment", "extensions"}:                    {"spec", "template"},
	{"DaemonSet", "extensions"}:                     {"spec", "template"},
	{"ReplicaSet", "extensions"}:                    {"spec", "template"},
	{"Job", "batch"}:                                {"spec", "template"},
	{"CronJob", "batch"}:                            {"spec", "jobTemplate", "spec", "template"},
	{"Rollout", "argoproj.io"}:                      {"spec", "template"},
	{"Service", "serving.knative.dev"}:              {"spec", "template"},
	{"Configuration", "serving.knative.dev"}:        {"spec", "template"},
	{"Revision", "serving.knative.dev"}:             {},
	{"Job", "run.googleapis.com"}:                   {"spec", "template", "spec", "template"},
	{"DeploymentConfig", "apps.openshift.io"}:       {"spec", "template"},
	{"DeploymentConfig", ""}:                        {"spec", "template"},
	{"CloneSet", "apps.kruise.io"}:                  {"spec", "template"},
	{"StatefulSet", "apps.kruise.io"}:               {"spec", "template"},
	{"DaemonSet", "apps.kruise.io"}:                 {"spec", "template"},
	{"AdvancedCronJob", "apps.kruise.io"}:           {"spec", "template", "jobTemplate", "spec", "template"},
	{"BroadcastJob", "apps.kruise.io"}:              {"spec", "template"},
	{"LeaderWorkerSet", "leaderworkerset.x-k8s.io"}: {"spec", "leaderWorkerTemplate", "workerTemplate"},
	{"ScaledJob", "keda.sh"}:                        {"spec", "jobTargetRef", "template"},
}

// Pods returns the pods of an object: for known kinds from where they keep
// them, for others every map that has a list of containers under `spec`.
func Pods(o *Object) []*Pod {
	if path, known := templates[kindOf{o.Kind, o.Group()}]; known {
		template := o.At(path...)
		if !template.Exists() {
			return nil
		}
		pods := []*Pod{newPod(o, template, template.At("spec"), false)}
		if o.Kind == "LeaderWorkerSet" {
			if leader := o.At("spec", "leaderWorkerTemplate", "leaderTemplate"); leader.Exists() {
				pods = append(pods, newPod(o, leader, leader.At("spec"), false))
			}
		}
		return pods
	}
	if o.Is("CustomResourceDefinition", "apiextensions.k8s.io") || podless[kindOf{o.Kind, o.Group()}] {
		return nil
	}
	s := shapes{object: o}
	s.search(o.Root)
	return s.pods
}

// podless are common kinds that may hold a list named containers which is not
// that of a pod.
var podless = map[kindOf]bool{
	{"ConfigMap", ""}: true, {"Secret", ""}: true,
	{"LimitRange", ""}: true, {TaskDefinition, "ecs.amazonaws.com"}: true, {"HorizontalPodAutoscaler", "autoscaling"}: true,
	{"VerticalPodAutoscaler", "autoscaling.k8s.io"}: true,
}

// shapes looks for pods by their shape. The search goes into what aliases
// repeat; Limits.Nodes has bounded that when the document was read.
type shapes struct {
	object *Object
	pods   []*Pod
}

func (s *shapes) search(at *Place) {
	if at.Node == nil {
		return
	}
	if spec := at.At("spec"); looksLikePod(spec) {
		s.pods = append(s.pods, newPod(s.object, at, spec, true))
		return
	}
	for _, f := range at.Fields() {
		s.search(f)
	}
	for _, i := range at.Items() {
		s.search(i)
	}
}

// looksLikePod asks for a list of containers with an image each, or a name
// and something that only containers have.
func looksLikePod(spec *Place) bool {
	containers := spec.At("containers")
	items := containers.Items()
	if len(items) == 0 {
		return false
	}
	for _, c := range items {
		if c.Node.Kind != Map {
			return false
		}
		if !c.At("image").Exists() && !c.At("securityContext").Exists() && !c.At("command").Exists() {
			return false
		}
	}
	return true
}

func newPod(o *Object, template, spec *Place, guessed bool) *Pod {
	pod := &Pod{Object: o, Template: template, Spec: spec, Guessed: guessed}
	for _, role := range []Role{Init, Main, Ephemeral} {
		for _, c := range spec.At(string(role)).Items() {
			if c.Node.Kind != Map {
				continue
			}
			pod.Containers = append(pod.Containers, Container{Pod: pod, Place: c, Role: role, Name: c.At("name").Text()})
		}
	}
	return pod
}
