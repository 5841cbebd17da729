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

// selectorIndex finds the objects whose selectors may match a set of labels
// without asking all of them.
type selectorIndex struct {
	// byLabel holds those that demand a label, under the first one as key=value;
	// rest those that demand none.
	byLabel map[string][]selecting
	rest    []selecting
}

// selecting is an object with its selector.
type selecting struct {
	object   *manifest.Object
	selector *manifest.Place
}

// add takes an object in; labels are the ones that its selector demands.
func (x *selectorIndex) add(o *manifest.Object, selector, labels *manifest.Place) {
	entry := selecting{object: o, selector: selector}
	if labels.Node == nil || labels.Node.Kind != manifest.Map || len(labels.Node.Fields()) == 0 {
		x.rest = append(x.rest, entry)
		return
	}
	if x.byLabel == nil {
		x.byLabel = make(map[string][]selecting)
	}
	first := labels.Node.Fields()[0]
	key := first.Key.Value + "=" + first.Value.Value
	x.byLabel[key] = append(x.byLabel[key], entry)
}

// candidates calls a function for the objects that may select the labels in a
// namespace, until it returns true, and reports whether it did.
func (x *selectorIndex) candidates(namespace string, labels *manifest.Place, visit func(selecting) bool) bool {
	for _, e := range x.rest {
		if sameNamespace(e.object.Namespace, namespace) && visit(e) {
			return true
		}
	}
	if labels.Node == nil || labels.Node.Kind != manifest.Map {
		return false
	}
	for _, f := range labels.Node.Fields() {
		for _, e := range x.byLabel[f.Key.Value+"="+f.Value.Value] {
			if sameNamespace(e.object.Namespace, namespace) && visit(e) {
				return true
			}
		}
	}
	return false
}
