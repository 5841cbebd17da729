package imageconfig

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func serviceRules() []rule {
	return []rule{
		{
			Rule: rules.Rule{
				ID: "image-exposed-admin-port", Aliases: []string{"DS-0004", "CKV_DOCKER_1"}, Kind: finding.ImageConfig,
				Title: "Port for remote administration is exposed", Severity: finding.Medium, Since: "0.1",
				Why:          "An exposed ssh, telnet or Docker port says that the container can be administrated past the orchestrator, with passwords and keys that nobody rotates.",
				Fix:          "Remove the service and its `EXPOSE`; use `kubectl exec` or `docker exec`.",
				WhenToIgnore: "The image's purpose is that service (an ssh bastion, a Git server).",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Bad:          `{"config": {"User": "app", "ExposedPorts": {"22/tcp": {}}}}`, Good: `{"config": {"User": "app", "ExposedPorts": {"8080/tcp": {}}}}`, Language: "json",
			},
			check: checkPorts,
		},
		{
			Rule: rules.Rule{
				ID: "image-no-healthcheck", Aliases: []string{"CIS-DI-0006", "DS-0026", "CKV_DOCKER_2"}, Kind: finding.ImageConfig,
				Title: "No health check", Severity: finding.Info, Since: "0.1", Off: true,
				Why:          "Docker and Podman can restart a container that hangs only if it says how to tell. Kubernetes has its own probes and does not look at this.",
				Fix:          "Add a `HEALTHCHECK` instruction.",
				WhenToIgnore: "The image runs on Kubernetes, or is a job that ends.",
				References:   []string{"https://docs.docker.com/reference/dockerfile/#healthcheck"},
				Tags:         []string{"CIS-Docker-4.6"},
				Bad:          `{"config": {"User": "app"}}`, Good: `{"config": {"User": "app", "Healthcheck": {"Test": ["CMD", "app", "--check"]}}}`, Language: "json",
			},
			check: func(p *pass) {
				if img := p.image(); img != nil && (len(img.Config.Healthcheck) == 0 || img.Config.Healthcheck[0] == "NONE") {
					p.report(report{message: "the image has no health check", field: "healthcheck", history: -1})
				}
			},
		},
		{
			Rule: rules.Rule{
				ID: "image-no-labels", Kind: finding.ImageConfig,
				Title: "The image does not say where it comes from", Severity: finding.Info, Since: "0.1", Off: true,
				Why:          "The labels org.opencontainers.image.source and revision lead from a running image back to the commit it was built from.",
				Fix:          "Set them in the build: `docker build --label org.opencontainers.image.source=URL --label org.opencontainers.image.revision=COMMIT`.",
				WhenToIgnore: "Signed provenance says the same.",
				References:   []string{"https://github.com/opencontainers/image-spec/blob/main/annotations.md"},
				Bad:          `{"config": {"User": "app", "Labels": {"maintainer": "someone"}}}`,
				Good:         `{"config": {"User": "app", "Labels": {"org.opencontainers.image.source": "https://example.org/r", "org.opencontainers.image.revision": "0123abc"}}}`, Language: "json",
			},
			check: checkLabels,
		},
	}
}

// adminPorts are ports of services that give a shell or the host.
var adminPorts = map[string]string{"22": "ssh", "23": "telnet", "2375": "the Docker daemon without TLS", "5900": "VNC", "3389": "remote desktop"}

func checkPorts(p *pass) {
	if p.image() == nil {
		return
	}
	for _, port := range p.image().Config.ExposedPorts {
		number, protocol, _ := strings.Cut(port, "/")
		service, ok := adminPorts[number]
		if !ok || protocol == "udp" {
			continue
		}
		p.report(report{
			message: fmt.Sprintf("port %s is exposed, which is that of %s", number, service),
			object:  number, field: "exposed port " + port, history: p.lastHistory("EXPOSE "), key: []string{number},
		})
	}
}

func checkLabels(p *pass) {
	if p.image() == nil {
		return
	}
	var missing []string
	for _, name := range []string{"org.opencontainers.image.source", "org.opencontainers.image.revision"} {
		if strings.TrimSpace(p.image().Config.Labels[name]) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		p.report(report{message: "missing labels: " + strings.Join(missing, ", "), field: "labels", history: -1})
	}
}
