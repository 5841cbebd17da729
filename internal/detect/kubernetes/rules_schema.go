package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes/schema"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// schemaRules are about fields that Kubernetes does not know, or not so.
var schemaRules = []rule{schemaRule}

var schemaRule = rule{
	Rule: rules.Rule{
		ID:       "k8s-schema",
		Title:    "Field does not exist, or has the wrong type",
		Severity: finding.Medium,
		Why: "A misspelt field does nothing: `securtyContext` disarms every check for what stands below it, and old clusters drop it " +
			"without a word. A value of the wrong type makes the API server refuse the object, and a value that its chart's " +
			"values.schema.json does not allow makes Helm refuse the chart.",
		Fix:          "Correct the name or the value; `kubectl explain` shows what there is, and the schema of a chart what it takes.",
		WhenToIgnore: "Fields of a newer Kubernetes than this version of Portcullis knows.",
		References:   []string{"https://kubernetes.io/docs/reference/kubernetes-api/"},
		Bad:          hardened("      hostUsers: false\n", "      hostUsers: false\n      securtyContext: {runAsNonRoot: true}\n"),
		Good:         hardenedWorkload,
	},
	object: checkSchema,
}

// podSchema reports whether a kind that Kubernetes does not serve itself keeps
// ordinary pods: Knative's, for one, have fields of their own.
func podSchema(o *manifest.Object) bool {
	return o.Is("Rollout", "argoproj.io") || o.Is("DeploymentConfig", "apps.openshift.io") || o.Group() == "apps.kruise.io"
}

func checkSchema(p *pass, o *manifest.Object) {
	report := func(m schema.Mismatch) {
		name := m.Place.Name()
		switch {
		case m.Want != "":
			p.report(m.Place, "%s has to be %s, and this is %s.", name, m.Want, kindOfValue(m.Place))
		case m.Closest != "":
			p.report(m.Place, "There is no field %q here, so it does nothing; %s was probably meant.", name, m.Closest)
		default:
			p.report(m.Place, "There is no field %q here, so it does nothing; remove it or put it where it belongs.", name)
		}
	}
	switch t := schema.Lookup(o.APIVersion, o.Kind); {
	case t != nil:
		schema.Check(o.Root, t, func(m schema.Mismatch) {
			// What the cluster writes itself is no business of a repository, and
			// SOPS adds a field of its own that it takes out again.
			if path := m.Place.Path(); path == "sops" || within(path, "status") {
				return
			}
			report(m)
		})
	case podSchema(o):
		for _, pod := range manifest.Pods(o) {
			schema.Check(pod.Spec, schema.PodSpec(), report)
		}
	}
	for _, pod := range manifest.Pods(o) {
		checkPorts(p, pod)
	}
}

// checkPorts reports port numbers that cannot be.
func checkPorts(p *pass, pod *manifest.Pod) {
	for i := range pod.Containers {
		p.container = &pod.Containers[i]
		for _, port := range p.container.Place.At("ports").Items() {
			for _, field := range []string{"containerPort", "hostPort"} {
				at := port.At(field)
				if n, ok := at.Int(); ok && (n < 0 || n > 65535 || n == 0 && field == "containerPort") {
					p.report(at, "%d is no port; ports go from 1 to 65535.", n)
				}
			}
		}
	}
	p.container = nil
}

// kindOfValue names what is there, with the reason where it is a surprise.
func kindOfValue(at *manifest.Place) string {
	if at.Node.Kind == manifest.String && at.Node.Quoted {
		return "a string, by its quotes"
	}
	if at.Node.Kind == manifest.Bool && !strings.EqualFold(at.Node.Value, "true") && !strings.EqualFold(at.Node.Value, "false") {
		return "a boolean to YAML; put it in quotes"
	}
	return at.Node.Kind.String()
}
