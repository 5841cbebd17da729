package kubernetes

import (
	"context"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func image(field string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: app\n      " + field + "\n"
}

var imageCases = map[string][]ruleCase{
	"k8s-image-latest": {
		{"fires without a tag", image("➤image: nginx")},
		{"fires on latest", image("➤image: nginx:latest")},
		{"fires on a registry's port without a tag", image("➤image: registry.example:5000/shop/web")},
		{"fires on an init container", pod("initContainers:\n  - name: i\n    ➤image: \"busybox:latest\"")},
		{"is silent about a version", image("image: nginx:1.27.1")},
		{"is silent about a digest alone", image("image: nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about latest with a digest", image("image: nginx:latest@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about a placeholder that is filled in later", image("image: ${IMAGE}")},
		{"is silent about a tag that only begins like latest", image("image: nginx:latest-2024")},
	},
	"k8s-image-digest": {
		{"fires on a tag", image("➤image: nginx:1.27.1")},
		{"fires on a registry's port and a tag", image("➤image: registry.example:5000/web:2")},
		{"fires on a quoted reference", image("➤image: \"web:2\"")},
		{"fires on an init container", inWorkload("apps/v1", "Deployment", "initContainers: [{name: i, ➤image: \"a:1\"}]")},
		{"is silent about a digest", image("image: nginx:1.27.1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about a digest without a tag", image("image: nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about latest, which another rule reports", image("image: nginx:latest")},
		{"is silent about a placeholder", image("image: $(IMAGE):1")},
	},
	"k8s-image-registry": {
		{"fires on another registry", image("➤image: quay.io/shop/web:1")},
		{"fires on another path of a registry", image("➤image: ghcr.io/other/web:1")},
		{"fires on Docker Hub's users", image("➤image: someone/web:1")},
		{"fires on a name that only begins like a trusted one", image("➤image: registry.example.evil.example/web:1")},
		{"is silent about a trusted registry", image("image: registry.example/web:1")},
		{"is silent about a trusted path", image("image: ghcr.io/shop/web:1")},
		{"is silent about the official images", image("image: nginx:1")},
		{"is silent about a placeholder", image("image: ${IMAGE}")},
	},
	"k8s-image-pull-policy": {
		{"fires on Never", container("➤imagePullPolicy: Never")},
		{"fires on IfNotPresent and latest", image("image: web:latest\n      ➤imagePullPolicy: IfNotPresent")},
		{"fires on IfNotPresent without a tag", image("image: web\n      ➤imagePullPolicy: IfNotPresent")},
		{"fires on Never with a digest", image("image: web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n      ➤imagePullPolicy: Never")},
		{"is silent about Always", container("imagePullPolicy: Always")},
		{"is silent about IfNotPresent with a version", container("imagePullPolicy: IfNotPresent")},
		{"is silent about latest with a digest", image("image: web:latest@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n      imagePullPolicy: IfNotPresent")},
		{"is silent where nothing is said", bareContainer("")},
	},
	"k8s-image-vulnerable": {
		{"fires on the image of a container", image("➤image: registry.example/web:1.4.1")},
		{"fires on an init container", pod("initContainers:\n  - name: i\n    ➤image: web:1.4.1")},
		{"fires on each place", image("➤image: web:1.4.1") + "---\n" + image("➤image: web:1.4.1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"fires in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"name\": \"a\", ➤\"image\": \"web:1.4.1\"}]}}"},
		{"is silent about another image", image("image: registry.example/api:1.4.1")},
		{"is silent about an image that the scan found sound", image("image: registry.example/web:1.4.2")},
		{"is silent about a placeholder", image("image: ${REGISTRY}/web:1.4.1")},
		{"is silent where no pod is", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {image: web:1.4.1}\n"},
	},
	"k8s-image-deprecated-registry": {
		{"fires on k8s.gcr.io", image("➤image: k8s.gcr.io/pause:3.1")},
		{"fires on the older name", image("➤image: gcr.io/google_containers/pause:3.1")},
		{"fires on GitHub's old registry", image("➤image: docker.pkg.github.com/a/b/c:1")},
		{"fires with a digest as well", image("➤image: k8s.gcr.io/pause@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about registry.k8s.io", image("image: registry.k8s.io/pause:3.10")},
		{"is silent about other images of gcr.io", image("image: gcr.io/distroless/static:nonroot")},
		{"is silent about a path that contains the name", image("image: registry.example/k8s.gcr.io/pause:3.1")},
		{"is silent about a placeholder", image("image: ${REGISTRY}/pause")},
	},
}

func TestPlacesOfImagesCanBeIgnoredByName(t *testing.T) {
	for name, tt := range map[string]struct {
		comment string
		status  finding.Status
		unused  int
	}{
		"without a comment":       {"", finding.Open, 0},
		"by the rule":             {"# portcullis:ignore k8s-image-vulnerable reason=replaced on the way", finding.Waived, 0},
		"by another rule":         {"# portcullis:ignore k8s-host-port reason=none", finding.Open, 1},
		"everything is not meant": {"# trivy:ignore:*", finding.Waived, 1},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(hardenedWorkload, "          image:", "          "+tt.comment+"\n          image:", 1)
			result := Lint(context.Background(), []File{{Path: "k8s/web.yaml", Content: []byte(text)}}, Options{})
			checkResult(t, result)
			if len(result.Vulnerable) != 1 || result.Vulnerable[0].Status != tt.status {
				t.Fatalf("places: %+v", result.Vulnerable)
			}
			unused := 0
			for _, f := range result.Findings {
				if f.RuleID == "k8s-ignore-unused" {
					unused++
				}
			}
			if unused != tt.unused {
				t.Errorf("%d unused ignores, want %d: %+v", unused, tt.unused, result.Findings)
			}
		})
	}
	off := Lint(context.Background(), []File{{Path: "k8s/web.yaml", Content: []byte(hardenedWorkload)}}, Options{Disable: []string{ImageVulnerableRule}})
	if len(off.Vulnerable) != 0 || len(off.Images) != 1 {
		t.Errorf("switched off there are %d places and %d images", len(off.Vulnerable), len(off.Images))
	}
}

func TestTheExposureOfAnImageIsSaidInWords(t *testing.T) {
	front := "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}}\n" +
		"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: front, namespace: shop}\nspec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}\n"
	workload := func(pod, container string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec:\n  containers:\n    - name: web\n      image: registry.example/web:1\n" +
			strings.TrimRight(indent(6, container), " ") + strings.TrimRight(indent(2, pod), " ")
	}
	for name, tt := range map[string]struct {
		manifest string
		want     string
	}{
		"nothing":              {workload("", ""), ""},
		"a privileged one":     {workload("", "securityContext: {privileged: true}"), "privileged"},
		"the host's processes": {workload("hostPID: true", ""), "shares the host's processes"},
		"the host's network":   {workload("hostNetwork: true", ""), "uses the host's network"},
		"an Ingress":           {workload("", "") + front, "reached from outside through Ingress/shop/front"},
		"everything": {
			workload("hostPID: true\nhostNetwork: true", "securityContext: {privileged: true}") + front,
			"privileged, shares the host's processes, uses the host's network, reached from outside through Ingress/shop/front",
		},
		"all of it switched off": {workload("hostNetwork: false", "securityContext: {privileged: false}"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(tt.manifest)}}, Options{})
			checkResult(t, result)
			if len(result.Images) != 1 {
				t.Fatalf("images: %+v", result.Images)
			}
			if got := strings.Join(result.Images[0].Exposure(), ", "); got != tt.want {
				t.Errorf("exposure %q, want %q", got, tt.want)
			}
		})
	}
}
