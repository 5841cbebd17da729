package kubernetes

import (
	"slices"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// selects reports whether a label selector matches labels
// (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
// An empty selector matches everything.
func selects(selector, labels *manifest.Place) bool {
	return matchesLabels(selector.At("matchLabels"), labels) && matchesExpressions(selector.At("matchExpressions"), labels)
}

// matchesLabels reports whether all wanted labels are there.
func matchesLabels(wanted, labels *manifest.Place) bool {
	for _, w := range wanted.Fields() {
		if at := labels.At(w.Name()); at.Node == nil || at.Text() != w.Text() {
			return false
		}
	}
	return true
}

func matchesExpressions(expressions, labels *manifest.Place) bool {
	for _, e := range expressions.Items() {
		label := labels.At(e.At("key").Text())
		in := slices.ContainsFunc(e.At("values").Items(), func(v *manifest.Place) bool { return v.Text() == label.Text() })
		ok := true
		switch e.At("operator").Text() {
		case "In":
			ok = label.Node != nil && in
		case "NotIn":
			ok = label.Node == nil || !in
		case "Exists":
			ok = label.Node != nil
		case "DoesNotExist":
			ok = label.Node == nil
		}
		if !ok {
			return false
		}
	}
	return true
}

// labels are those of the pods that a template makes.
func labelsOf(pod *manifest.Pod) *manifest.Place { return pod.Metadata().At("labels") }
