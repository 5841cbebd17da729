package imageconfig

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func userRules() []rule {
	return []rule{{
		Rule: rules.Rule{
			ID: "image-root-user", Aliases: []string{"CIS-DI-0001", "DS-0002", "CKV_DOCKER_3", "CKV_DOCKER_8"},
			Kind: finding.ImageConfig, Title: "The image runs as root", Severity: finding.High, Since: "0.1",
			Why:          "A process that breaks out of its container, or writes to a mounted volume, does so with the rights of its user. As root it owns the files of the image and, without user namespaces, is root on the host.",
			Fix:          "Create an account in the Dockerfile and name it in a `USER` instruction at the end of the last stage, best by number: `USER 10001:10001`.",
			WhenToIgnore: "The container must be root by its purpose (a node agent), or every orchestrator that runs it sets another user.",
			References: []string{
				"https://docs.docker.com/build/building/best-practices/#user",
				"https://csrc.nist.gov/pubs/sp/800/190/final",
			},
			Tags: []string{"external/cwe/cwe-250", "CIS-Docker-4.1"},
			Bad:  `{"config": {"Cmd": ["app"]}}`, Good: `{"config": {"User": "10001:10001", "Cmd": ["app"]}}`, Language: "json",
		},
		check: checkUser,
	}}
}

func checkUser(p *pass) {
	img := p.image()
	if img == nil || strings.HasPrefix(img.Platform, "windows") {
		return
	}
	user := img.Config.User
	name, _, _ := strings.Cut(user, ":")
	why := ""
	switch {
	case strings.TrimSpace(name) == "":
		why = "no user is set, so the container starts as root"
	case name == "root" || isZero(name):
		why = fmt.Sprintf("the user is %q, which is root", user)
	case p.uidOf(name) == "0":
		why = fmt.Sprintf("the user is %q, whose number in /etc/passwd is 0, which is root", user)
	default:
		return
	}
	p.report(report{message: why + "; set a user with another number, such as USER 10001:10001", field: "user", history: p.lastHistory("USER ")})
}

// isZero reports whether a user is 0 in any spelling that runtimes accept.
func isZero(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return s != "" && strings.Trim(s, "0") == ""
}

// uidOf looks a user up in /etc/passwd.
func (p *pass) uidOf(name string) string {
	for _, a := range p.accounts() {
		if a.name == name {
			return a.uid
		}
	}
	return ""
}

// lastHistory returns the index of the last history entry that begins with an
// instruction, or -1. The classic builder writes "/bin/sh -c #(nop)  USER x".
func (p *pass) lastHistory(prefix string) int {
	for i := len(p.image().History) - 1; i >= 0; i-- {
		if strings.HasPrefix(instruction(p.image().History[i].CreatedBy), prefix) {
			return i
		}
	}
	return -1
}

// instruction brings the forms in which builders record a step to one.
func instruction(createdBy string) string {
	s := strings.TrimSpace(createdBy)
	if rest, ok := strings.CutPrefix(s, "/bin/sh -c #(nop)"); ok {
		return strings.TrimSpace(rest)
	}
	return strings.TrimSpace(strings.TrimSuffix(s, "# buildkit"))
}
