package imageconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func programRules() []rule {
	return []rule{
		{
			Rule: rules.Rule{
				ID: "image-ssh-daemon", Kind: finding.ImageConfig,
				Title: "SSH daemon in the image", Severity: finding.Medium, Since: "0.1",
				Why:          "An ssh daemon is a way into the container past the orchestrator: with keys and passwords of its own, unseen by its audit log, and with flaws of its own.",
				Fix:          "Remove the package; use `kubectl exec` or `docker exec`. For Git over ssh the client is enough (openssh-client).",
				WhenToIgnore: "The image's purpose is that service (an ssh bastion, a Git server, an sftp server).",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"CIS-Docker-4.3"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/usr/sbin/sshd", "mode": "0755"}], "packages": [{"type": "deb", "name": "openssh-server", "path": "/var/lib/dpkg/status"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/ssh", "mode": "0755"}], "packages": [{"type": "deb", "name": "openssh-client", "path": "/var/lib/dpkg/status"}]}`, Language: "json",
			},
			check: checkSSHDaemon,
		},
		{
			Rule: rules.Rule{
				ID: "image-minimal-with-tools", Kind: finding.ImageConfig,
				Title: "Shell or package manager in an image that is meant to be minimal", Severity: finding.Low, Since: "0.1",
				Why:          "Images without shell and package manager give an attacker nothing to work with, and whoever runs this one counts on that. A shell that a step or a debugging variant of the base brought takes the advantage away. An image counts as minimal if its base image is called so (label org.opencontainers.image.base.name), if it calls itself distroless, if it has no os-release, or if its Debian packages are listed in /var/lib/dpkg/status.d alone.",
				Fix:          "Build from the variant of the base without a shell (not `:debug`), and copy single files instead of directories such as /bin into the image.",
				WhenToIgnore: "The image is for debugging, or the program starts others through a shell.",
				References:   []string{"https://github.com/GoogleContainerTools/distroless", "https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"CIS-Docker-4.3"},
				Bad:          `{"config": {"User": "app", "Labels": {"org.opencontainers.image.base.name": "gcr.io/distroless/static-debian12:debug"}}, "files": [{"path": "/busybox/sh", "mode": "0777", "kind": "link"}]}`,
				Good:         `{"config": {"User": "app", "Labels": {"org.opencontainers.image.base.name": "docker.io/library/debian:12-slim"}}, "files": [{"path": "/usr/bin/sh", "mode": "0777", "kind": "link"}, {"path": "/usr/bin/dpkg", "mode": "0755"}]}`, Language: "json",
			},
			check: checkMinimal,
		},
	}
}

// sshServers are the packages that bring an ssh daemon.
var sshServers = set("openssh-server", "openssh-server-pam", "dropbear", "dropbear-bin", "tinysshd")

func checkSSHDaemon(p *pass) {
	files := p.programs(inventory.SSHDaemon)
	packages := p.systemPackages(func(pkg inventory.Package) bool { return sshServers[pkg.Name] })
	switch {
	case len(files) > 0:
		p.report(report{message: fmt.Sprintf("the image holds an ssh daemon: %s", files[0].Path), places: places(files, packages)})
	case len(packages) > 0:
		p.report(report{message: fmt.Sprintf("the image holds an ssh daemon: package %s", packages[0].Name), places: places(nil, packages)})
	}
}

func checkMinimal(p *pass) {
	why := p.minimal()
	if why == "" {
		return
	}
	files := p.programs(inventory.Shell, inventory.PackageManager)
	if len(files) > 0 {
		p.report(report{message: fmt.Sprintf("the image is meant to be minimal (%s), and holds %s", why, someNames(names(files))), places: places(files, nil)})
	}
}

const baseName = "org.opencontainers.image.base.name"

// minimal says why the image counts as one without shell and package manager,
// or "".
func (p *pass) minimal() string {
	img, distro := p.image(), p.inv.Distro
	switch {
	case img == nil || strings.HasPrefix(img.Platform, "windows"):
		return ""
	case isMinimalBase(img.Config.Labels[baseName]):
		return "by the name of its base image"
	case distro == nil:
		return "it has no os-release"
	case strings.Contains(strings.ToLower(distro.PrettyName), "distroless"):
		return "by its os-release"
	case p.inStatusDirectory():
		return "its Debian packages are listed in /var/lib/dpkg/status.d alone"
	}
	return ""
}

// isMinimalBase tells from an image reference whether the image promises to
// have no shell. Variants for development and bases with a package manager
// promise nothing.
func isMinimalBase(reference string) bool {
	reference, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(reference)), "@")
	parts := strings.Split(reference, "/")
	name, tag, _ := strings.Cut(parts[len(parts)-1], ":")
	switch {
	case strings.Contains(reference, "distroless"), name == "scratch", name == "static", strings.HasPrefix(name, "static-"), name == "wolfi-minimal":
		return true
	case slices.Contains(parts[:len(parts)-1], "chainguard"):
		return !strings.HasSuffix(name, "-base") && !strings.Contains(tag, "dev")
	}
	return false
}

// inStatusDirectory reports whether there are Debian packages, of which none is
// in the list that dpkg works with: nothing can be installed.
func (p *pass) inStatusDirectory() bool {
	found := false
	for _, pkg := range p.inv.Packages {
		if pkg.Type != "deb" {
			continue
		}
		for _, place := range pkg.Places {
			if place.Path == "/var/lib/dpkg/status" {
				return false
			}
			found = found || strings.HasPrefix(place.Path, "/var/lib/dpkg/status.d/")
		}
	}
	return found
}
