package kubernetes

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Image is one image that a manifest names.
type Image struct {
	// Reference is the image as written.
	Reference string
	// Location is the place of the image field.
	Location finding.Location
	// Object is Kind/namespace/name, and Container the container's name.
	Object    string
	Container string
	// What follows makes a flaw in this image weigh more. Privileged is about
	// the container; HostPID and HostNetwork say that its pod shares the
	// processes or the network of the node. ExposedBy is what opens the pod to
	// the outside of the cluster: an object as Kind/namespace/name, or a port of
	// the node; empty for nothing.
	Privileged  bool
	HostPID     bool
	HostNetwork bool
	ExposedBy   string
}

// Exposure says in words what makes a flaw in the image weigh more, the worst
// first; nothing when there is no such thing.
func (i Image) Exposure() []string {
	var words []string
	for _, e := range []struct {
		is   bool
		word string
	}{
		{i.Privileged, "privileged"},
		{i.HostPID, "shares the host's processes"},
		{i.HostNetwork, "uses the host's network"},
		{i.ExposedBy != "", "reached from outside through " + i.ExposedBy},
	} {
		if e.is {
			words = append(words, e.word)
		}
	}
	return words
}

// images lists the images of all pods in the order of the files.
func (s *set) images() []Image {
	var images []Image
	for _, pod := range s.pods {
		exposedBy := ""
		if way := s.exposure(pod); way != nil {
			exposedBy = way.name
		}
		for _, c := range pod.Containers {
			at := c.Place.At("image")
			if at.Text() == "" {
				continue
			}
			images = append(images, Image{
				Reference:   at.Text(),
				Location:    location(pod.Object.File, at.Span(), ""),
				Object:      pod.Object.ID(),
				Container:   c.Name,
				Privileged:  c.Place.At(securityContext, "privileged").True(),
				HostPID:     pod.Spec.At("hostPID").True(),
				ExposedBy:   exposedBy,
				HostNetwork: pod.Spec.At("hostNetwork").True(),
			})
		}
	}
	return images
}

// plain lists all objects as plain values.
func (s *set) plain() []PlainObject {
	out := make([]PlainObject, 0, len(s.objects))
	for _, o := range s.objects {
		if value, ok := o.Root.Node.Plain().(map[string]any); ok {
			out = append(out, PlainObject{Location: location(o.File, o.Root.Span(), ""), Value: value})
		}
	}
	return out
}
