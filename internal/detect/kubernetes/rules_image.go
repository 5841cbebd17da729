package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// imageRules are about which image runs, and from where it comes.
var imageRules = []rule{
	imageLatest, imageDigest, imageRegistry, imagePullPolicy, imageDeprecatedRegistry, imageVulnerable,
}

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
	case ok && (host == "docker.io" || host == "index.docker.io"):
		if !strings.Contains(path, "/") {
			path = "library/" + path
		}
		ref.Registry, ref.Path = "docker.io", "docker.io/"+path
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

const exampleDigest = "@sha256:6a1f2b0c9d8e7f60514233241506f7e8d9c0b1a29384756617283940a5b6c7d8"

var imageDigest = rule{
	Rule: rules.Rule{
		ID: "k8s-image-digest", Aliases: []string{"C-0306", "CKV_K8S_43"},
		Title:        "Image is not pinned by digest",
		Severity:     finding.Info,
		Why:          "A tag can be moved to another image at any time, by its owner or by whoever gets hold of the registry. A digest names the one image that was examined.",
		Fix:          "Add the digest behind the tag: `web:1.4.2@sha256:…`.",
		WhenToIgnore: "Clusters where an admission controller replaces tags by digests.",
		References:   []string{docImages},
		Tags:         []string{"external/cwe/cwe-1357", "external/mitre-attack/T1525", "cis-5.5.1"},
		Bad:          hardened(exampleDigest, ""),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("image")
		// An image without a version has a rule of its own.
		if ref, ok := parseImage(at.Text()); ok && ref.Digest == "" && ref.Tag != "" && ref.Tag != "latest" {
			p.report(at, "The image %q can be replaced under its tag; add the digest.", at.Text())
		}
	},
}

var imageRegistry = rule{
	Rule: rules.Rule{
		ID: "k8s-image-registry", Aliases: []string{"KSV-0125", "C-0078"},
		Title:        "Image comes from a registry that is not trusted",
		Severity:     finding.High,
		Why:          "Whoever owns the registry decides what runs. Images of registries that nobody has agreed on are neither scanned nor kept up to date.",
		Fix:          "Copy the image into one of the registries that the configuration lists, or add its registry there.",
		WhenToIgnore: "Never in production; add the registry instead.",
		References:   []string{docImages},
		Tags:         []string{"external/cwe/cwe-829", "external/mitre-attack/T1525", "cis-5.5.1"},
		Bad:          hardened("registry.example/", "other.example/"),
		Good:         hardenedWorkload,
		Off:          true,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("image")
		ref, ok := parseImage(at.Text())
		if len(p.set.opts.Registries) == 0 || !ok {
			return
		}
		if !slices.ContainsFunc(p.set.opts.Registries, ref.comesFrom) {
			p.report(at, "The image %q comes from %s, which is not among the trusted registries (%s).", at.Text(), ref.Registry, strings.Join(p.set.opts.Registries, ", "))
		}
	},
}

// comesFrom reports whether the image lies in a registry, or below a path of
// one. With a star in front, what follows is the end of the registry's name.
func (r imageRef) comesFrom(registry string) bool {
	if end, ok := strings.CutPrefix(registry, "*"); ok {
		return strings.HasSuffix(r.Registry, end)
	}
	registry = strings.TrimSuffix(strings.TrimSuffix(registry, "*"), "/")
	return r.Registry == registry || r.Path == registry || strings.HasPrefix(r.Path, registry+"/")
}

var imagePullPolicy = rule{
	Rule: rules.Rule{
		ID: "k8s-image-pull-policy", Aliases: []string{"C-0075", "CKV_K8S_15"},
		Title:        "Image is taken from the node's own store",
		Severity:     finding.Info,
		Why:          "With `Never` the pod runs what lies on the node, whoever put it there; with `IfNotPresent` and no fixed version it runs what was new when the node pulled it first.",
		Fix:          "Remove `imagePullPolicy`, or set it to `Always`.",
		WhenToIgnore: "Nodes without a registry, on which images are installed with the system.",
		References:   []string{docImages},
		Bad:          withContainerField("imagePullPolicy: Never"),
		Good:         withContainerField("imagePullPolicy: Always"),
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("imagePullPolicy")
		ref, ok := parseImage(c.Place.At("image").Text())
		moving := ok && ref.Digest == "" && (ref.Tag == "" || ref.Tag == "latest")
		switch {
		case at.Text() == "Never":
			p.report(at, "Container %q runs whatever lies on the node under this name; set imagePullPolicy: Always.", c.Name)
		case at.Text() == "IfNotPresent" && moving:
			p.report(at, "Container %q runs what was latest when the node pulled it first; name a version, or set imagePullPolicy: Always.", c.Name)
		}
	},
}

// deprecatedRegistries are gone or frozen, with what took their place.
var deprecatedRegistries = map[string]string{
	"k8s.gcr.io":                        "registry.k8s.io",
	"gcr.io/google-containers":          "registry.k8s.io",
	"gcr.io/google_containers":          "registry.k8s.io",
	"docker.pkg.github.com":             "ghcr.io",
	"quay.io/coreos/flannel":            "ghcr.io/flannel-io/flannel",
	"gcr.io/kubernetes-helm":            "nothing: Tiller is gone",
	"docker.io/bitnamilegacy":           "an image that is maintained",
	"gcr.io/kubernetes-e2e-test-images": "registry.k8s.io/e2e-test-images",
}

var imageDeprecatedRegistry = rule{
	Rule: rules.Rule{
		ID: "k8s-image-deprecated-registry", Aliases: []string{"C-0253"},
		Title:        "Image registry is frozen or gone",
		Severity:     finding.Low,
		Why:          "A frozen registry gets no security fixes any more, and one day the image can no longer be pulled.",
		Fix:          "Take the image from the registry that took its place, such as registry.k8s.io for k8s.gcr.io.",
		WhenToIgnore: "Clusters with a mirror under the old name.",
		References:   []string{"https://kubernetes.io/blog/2023/03/10/image-registry-redirect/"},
		Bad:          hardened("registry.example/shop/web:1.4.2", "k8s.gcr.io/shop/web:1.4.2"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("image")
		ref, ok := parseImage(at.Text())
		for old, replacement := range deprecatedRegistries {
			if ok && ref.comesFrom(old) {
				p.report(at, "The image %q comes from %s, which gets no fixes any more; use %s.", at.Text(), old, replacement)
				return
			}
		}
	},
}

// ImageVulnerableRule is the id of the rule whose findings are finished by who
// scans the image, and ImageFact the name of the evidence by which they say
// which image is meant, as it is written in the manifest.
const (
	ImageVulnerableRule = "k8s-image-vulnerable"
	ImageFact           = "image"
)

// imageVulnerable finds every place that names an image. Which of them name
// the scanned one, and what the scan found, is not known here: see
// Result.Vulnerable.
var imageVulnerable = rule{
	Rule: rules.Rule{
		ID: ImageVulnerableRule, Aliases: []string{"C-0085"},
		Title:    "Workload runs an image with known vulnerabilities",
		Severity: finding.Info,
		Why: "The image that was scanned in the same run has vulnerabilities of severity high or critical for which there is a fix, and this is a place that runs it. " +
			"The vulnerabilities are findings of their own, which decide about the gate and weigh one severity more where the container is privileged, shares the host's processes or network, or is reached from outside; " +
			"this one shows what has to be rolled out anew, and counts for nothing by itself.",
		Fix:          "Build the image on updated packages, and name the new version here.",
		WhenToIgnore: "Manifests whose image is replaced before they are applied.",
		References:   []string{docImages},
		Tags:         []string{"external/cwe/cwe-1395", "external/mitre-attack/T1525", "cis-5.5.1"},
		Bad:          hardened("web:1.4.2@sha256:6a1f", "web:1.4.1@sha256:7b2e"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("image")
		if _, ok := parseImage(at.Text()); ok {
			p.add(problem{
				object: p.object, at: at, severity: p.rule.Severity, message: fmt.Sprintf("This runs the image %q.", at.Text()),
				evidence: []finding.Fact{{Name: ImageFact, Value: at.Text()}},
			})
		}
	},
}
