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
	// Privileged, HostNetwork and Exposed say that a flaw in this image weighs
	// more: the container is privileged or its pod shares a namespace of the
	// node, uses its network, or is reached from outside of the cluster.
	Privileged  bool
	HostNetwork bool
	Exposed     bool
}

// images lists the images of all pods in the order of the files.
func (s *set) images() []Image {
	var images []Image
	for _, pod := range s.pods {
		exposed := s.exposure(pod) != nil
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
				Privileged:  c.Place.At(securityContext, "privileged").True() || pod.Spec.At("hostPID").True(),
				Exposed:     exposed,
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
