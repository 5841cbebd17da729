package imageconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"path"
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// The rules that judge a file as a whole.
const (
	sshKeyRule         = "image-ssh-key"
	credentialFileRule = "image-credential-file"
)

// OfWholeFile reports whether a finding says of a file that it holds a
// credential, and not which one.
func OfWholeFile(f finding.Finding) bool {
	return f.RuleID == sshKeyRule || f.RuleID == credentialFileRule
}

func credentialFileRules() []rule {
	references := []string{"https://docs.docker.com/build/building/secrets/", "https://csrc.nist.gov/pubs/sp/800/190/final"}
	return []rule{
		{
			Rule: rules.Rule{
				ID: sshKeyRule, Kind: finding.Secret,
				Title: "Private SSH key in the image", Severity: finding.High, Since: "0.1",
				Why:          "Everybody who can pull the image has the key, and every container of it the same host key. " + secretWhy,
				Fix:          "Remove the key from the layer that brings it, revoke it, and use `RUN --mount=type=ssh` in builds. Host keys are made when the container starts.",
				WhenToIgnore: "The key opens nothing (a test fixture).",
				References:   references, Tags: []string{"external/cwe/cwe-321", "CIS-Docker-4.10"},
				Bad:  `{"config": {"User": "app"}, "files": [{"path": "/root/.ssh/id_ed25519", "mode": "0600", "content": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n"}]}`,
				Good: `{"config": {"User": "app"}, "files": [{"path": "/root/.ssh/id_ed25519.pub", "mode": "0644", "content": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 a@b\n"}]}`, Language: "json",
			},
			check: checkSSHKeys,
		},
		{
			Rule: rules.Rule{
				ID: "image-authorized-keys", Kind: finding.ImageConfig,
				Title: "SSH keys that may log in", Severity: finding.Medium, Since: "0.1",
				Why:          "Whoever holds one of these keys can log into every container of the image in which an ssh daemon runs.",
				Fix:          "Remove the file and the ssh daemon; use `kubectl exec` or `docker exec`.",
				WhenToIgnore: "The image is an ssh bastion and the keys are those of its operators.",
				References:   references, Tags: []string{"external/cwe/cwe-798"},
				Bad:  `{"config": {"User": "app"}, "files": [{"path": "/root/.ssh/authorized_keys", "mode": "0600", "content": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 a@b\n"}]}`,
				Good: `{"config": {"User": "app"}, "files": [{"path": "/root/.ssh/authorized_keys", "mode": "0600", "content": "# none\n"}]}`, Language: "json",
			},
			check: checkAuthorizedKeys,
		},
		{
			Rule: rules.Rule{
				ID: credentialFileRule, Kind: finding.Secret,
				Title: "Credentials of a program in the image", Severity: finding.High, Since: "0.1",
				Why: secretWhy, Fix: "Replace the credential at its issuer, remove the file, and give it to the build with `RUN --mount=type=secret,target=FILE`.",
				WhenToIgnore: "The credential is public or opens nothing.",
				References:   references, Tags: []string{"external/cwe/cwe-798", "CIS-Docker-4.10"},
				Bad:  `{"config": {"User": "app"}, "files": [{"path": "/root/.netrc", "mode": "0600", "content": "machine git.example login ci password Tr0ub4dor-and-3\n"}]}`,
				Good: `{"config": {"User": "app"}, "files": [{"path": "/root/.npmrc", "mode": "0600", "content": "registry=https://registry.npmjs.org/\n//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n"}]}`, Language: "json",
			},
			check: checkCredentialFiles,
		},
	}
}

// texts are the files with a text for whose path match holds.
func (p *pass) texts(match func(path string) bool) []inventory.File {
	return p.filter(func(f inventory.File) bool { return f.Content != nil && match(f.Path) })
}

var sshKeyName = regexp.MustCompile(`/\.ssh/id_[^/]*$|^/etc/ssh/ssh_host_[^/]*_key$`)

// checkSSHKeys parses the keys: what has the head of a key and is none may be
// one in a form that nobody here knows, so it is told as low.
func checkSSHKeys(p *pass) {
	for _, f := range p.texts(sshKeyName.MatchString) {
		r := report{message: f.Path + " is a private key", files: []inventory.File{f}, key: []string{f.Path}}
		key, m := credential.PrivateKeyIn(f.Content)
		switch key {
		case credential.NoKey:
			continue
		case credential.Unparsed:
			r.message, r.severity = f.Path+" has the head of a private key, but does not parse as one", finding.Low
		case credential.Encrypted:
			r.message, r.severity = f.Path+" is a private key that a passphrase protects", finding.Medium
		case credential.Plain:
			r.evidence = append([]finding.Fact{{Name: "kind", Value: m.Kind}, {Name: "fingerprint", Value: m.Fingerprint}}, m.Facts...)
			if m.Severity < finding.High {
				r.severity = m.Severity
			}
		}
		p.report(r)
	}
}

func checkAuthorizedKeys(p *pass) {
	match := func(name string) bool { return path.Base(name) == "authorized_keys" }
	for _, f := range p.texts(match) {
		first := 0
		p.lines(func(name string) bool { return name == f.Path }, func(_ string, line int, _ string) {
			if first == 0 {
				first = line
			}
		})
		if first > 0 {
			p.reportLine(f.Path, first, f.Path+" lets the holders of keys log in")
		}
	}
}

// credentialKinds tell for each file of a program whether its text holds a
// credential. Further programs are added here.
var credentialKinds = map[string]func(text []byte) bool{
	"credentials":      setting(`aws_secret_access_key`),
	"config.json":      dockerAuth,
	".git-credentials": func(text []byte) bool { _, ok := credential.OfText(string(text)); return ok },
	".netrc":           words(`password`),
	".pgpass":          pgpass,
	".npmrc":           setting(`[^=\s]*(?:_authToken|_password|_auth)`),
	".pypirc":          setting(`password`),
	"config":           setting(`token|password|client-key-data`),
}

func checkCredentialFiles(p *pass) {
	match := func(name string) bool { return !sshKeyName.MatchString(name) && !strings.HasPrefix(name, "/etc/ssh") }
	for _, f := range p.texts(match) {
		has, known := credentialKinds[path.Base(f.Path)]
		if known && has(f.Content) {
			p.report(report{message: f.Path + " holds a credential (its value is not shown)", files: []inventory.File{f}, key: []string{f.Path}})
		}
	}
}

// setting finds "name = value" or "name: value" lines whose value may be a
// secret.
func setting(name string) func([]byte) bool {
	pattern := regexp.MustCompile(`(?mi)^[ \t-]*(?:` + name + `)[ \t]*[=:][ \t]*(\S.*?)[ \t]*$`)
	return func(text []byte) bool { return anyPlausible(pattern, text) }
}

// words finds "name value" anywhere, as in .netrc.
func words(name string) func([]byte) bool {
	pattern := regexp.MustCompile(`(?m)(?:^|\s)` + name + `\s+(\S+)`)
	return func(text []byte) bool { return anyPlausible(pattern, text) }
}

func anyPlausible(pattern *regexp.Regexp, text []byte) bool {
	for _, m := range pattern.FindAllSubmatch(text, -1) {
		if credential.Plausible(credential.Unquote(string(m[1]))) {
			return true
		}
	}
	return false
}

// pgpass has lines of host:port:database:user:password.
func pgpass(text []byte) bool {
	found := false
	fields(text, 5, func(_ int, f []string) { found = found || credential.Plausible(f[4]) })
	return found
}

// dockerAuth finds user:password in base64 under auths.
func dockerAuth(text []byte) bool {
	var config struct {
		Auths map[string]struct{ Auth, IdentityToken string }
	}
	if json.Unmarshal(text, &config) != nil {
		return false
	}
	for _, a := range config.Auths {
		plain, err := base64.StdEncoding.DecodeString(a.Auth)
		if a.IdentityToken != "" || err == nil && bytes.Contains(plain, []byte(":")) {
			return true
		}
	}
	return false
}
