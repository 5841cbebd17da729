package dockerfile

import "strings"

// imageRef is an image reference in its parts.
type imageRef struct {
	// Name is the repository with its registry, as written.
	Name   string
	Tag    string
	Digest string
}

// parseImage splits an image reference. A colon after the last slash begins the
// tag; one before it belongs to the registry's port.
func parseImage(s string) imageRef {
	var r imageRef
	r.Name, r.Digest, _ = strings.Cut(s, "@")
	slash := strings.LastIndexByte(r.Name, '/')
	if i := strings.LastIndexByte(r.Name, ':'); i > slash {
		r.Name, r.Tag = r.Name[:i], r.Name[i+1:]
	}
	return r
}

// Registry is the host that the image comes from; docker.io for a name without.
func (r imageRef) Registry() string {
	first, _, found := strings.Cut(r.Name, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first
	}
	return "docker.io"
}

// scratch reports the empty base image, which has no tags.
func (r imageRef) scratch() bool { return strings.EqualFold(r.Name, "scratch") }

// nonRootBase knows families of images that are configured with another user
// than root, by their publishers' documentation.
func nonRootBase(image string) bool {
	r := parseImage(image)
	name, tag := strings.ToLower(r.Name), strings.ToLower(r.Tag)
	switch {
	case strings.HasPrefix(tag, "nonroot"), strings.Contains(tag, "-nonroot"), strings.Contains(tag, "chiseled"):
		return true
	case strings.Contains(name, "unprivileged"), strings.Contains(name, "-rootless"), strings.Contains(name, "-nonroot"):
		return true
	case strings.HasPrefix(name, "cgr.dev/chainguard/"), strings.HasPrefix(name, "dhi.io/"):
		return !strings.Contains(tag, "-dev") && !strings.Contains(tag, "-root")
	case strings.HasPrefix(name, "bitnami/"), strings.HasPrefix(name, "docker.io/bitnami/"):
		return true
	}
	return nonRootImages[strings.TrimPrefix(strings.TrimPrefix(name, "docker.io/"), "library/")]
}

var nonRootImages = map[string]bool{
	"jenkins/jenkins": true, "grafana/grafana": true, "prom/prometheus": true, "prom/alertmanager": true,
	"prom/node-exporter": true, "elasticsearch": true, "kibana": true, "logstash": true, "solr": true,
	"selenium/standalone-chrome": true, "curlimages/curl": true, "sonarsource/sonar-scanner-cli": true,
	"quay.io/keycloak/keycloak": true, "memcached": true, "haproxy": true, "varnish": true, "rootless": true,
}
