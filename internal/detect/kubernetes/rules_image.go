package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// imageRules are about which image runs, and from where it comes.
var imageRules = []rule{imageLatest}

// imageRef is an image reference taken apart as the runtime does
// (https://github.com/distribution/reference).
type imageRef struct {
	// Registry is the host that is asked, docker.io where none is written.
	Registry string
	// Path is the repository with the registry.
	Path   string
	Tag    string
	Digest string
}

// parseImage takes a reference apart. It reports false for what is no
// reference yet: empty text, and placeholders that something fills in later.
func parseImage(text string) (imageRef, bool) {
	if text == "" || strings.ContainsAny(text, "${}<> \t\n") {
		return imageRef{}, false
	}
	var ref imageRef
	rest := text
	rest, ref.Digest, _ = strings.Cut(rest, "@")
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		rest, ref.Tag = rest[:i], rest[i+1:]
	}
	host, path, ok := strings.Cut(rest, "/")
	switch {
	case ok && (strings.ContainsAny(host, ".:") || host == "localhost"):
		ref.Registry, ref.Path = host, host+"/"+path
	case ok:
		ref.Registry, ref.Path = "docker.io", "docker.io/"+rest
	default:
		ref.Registry, ref.Path = "docker.io", "docker.io/library/"+rest
	}
	return ref, true
}

var imageLatest = rule{
	Rule: rules.Rule{
		ID: "k8s-image-latest", Aliases: []string{"KSV-0013", "CKV_K8S_14", "latest-tag"},
		Title:    "Image has no fixed version",
		Severity: finding.Medium,
		Why: "An image without a tag, or with `latest`, is a different one from day to day and from node to node. What was scanned is " +
			"then not what runs, and going back to the last good version is impossible.",
		Fix:          "Name a version and its digest: `web:1.4.2@sha256:…`.",
		WhenToIgnore: "Local development clusters.",
		References:   []string{docImages},
		Tags:         []string{"external/cwe/cwe-1357", "external/mitre-attack/T1525"},
		Bad:          hardened("web:1.4.2@sha256:6a1f2b0c9d8e7f60514233241506f7e8d9c0b1a29384756617283940a5b6c7d8", "web:latest"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("image")
		ref, ok := parseImage(at.Text())
		switch {
		case !ok || ref.Digest != "":
		case ref.Tag == "":
			p.report(at, "The image %q has no tag, which means latest; name a version and its digest.", at.Text())
		case ref.Tag == "latest":
			p.report(at, "The image %q is whatever was pushed last; name a version and its digest.", at.Text())
		}
	},
}

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
				HostNetwork: pod.Spec.At("hostNetwork").True(),
			})
		}
	}
	return images
}
