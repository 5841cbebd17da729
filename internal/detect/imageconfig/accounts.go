package imageconfig

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func accountRules() []rule {
	return []rule{
		{
			Rule: rules.Rule{
				ID: "image-empty-password", Kind: finding.ImageConfig,
				Title: "Account without a password", Severity: finding.High, Since: "0.1",
				Why:          "With an empty password field everybody who can start su, login or an ssh daemon in the container becomes that user.",
				Fix:          "Lock the account: `RUN passwd -l NAME`, which puts `!` into the field.",
				WhenToIgnore: "No program in the image asks for passwords.",
				References:   []string{"https://nvd.nist.gov/vuln/detail/CVE-2019-5021"},
				Tags:         []string{"external/cwe/cwe-258"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/etc/shadow", "content": "root::19000:0:99999:7:::\n"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/shadow", "content": "root:*:19000:0:99999:7:::\n"}]}`, Language: "json",
			},
			check: checkEmptyPasswords,
		},
		{
			Rule: rules.Rule{
				ID: "image-password-hash", Kind: finding.Secret,
				Title: "Password hash in the image", Severity: finding.Medium, Since: "0.1",
				Why:          "Everybody who can pull the image can try passwords against the hash, and every container of it has the same password.",
				Fix:          "Set no password in the image; lock the account with `passwd -l NAME`.",
				WhenToIgnore: "The password is meant to be public.",
				References:   []string{"https://man7.org/linux/man-pages/man5/shadow.5.html"},
				Tags:         []string{"external/cwe/cwe-798", "CIS-Docker-4.10"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/etc/shadow", "content": "admin:$6$saltsalt$0123456789abcdefghijklmnopqrstuvwxyz:19000:0:99999:7:::\n"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/shadow", "content": "admin:!:19000:0:99999:7:::\n"}]}`, Language: "json",
			},
			check: checkPasswordHashes,
		},
		{
			Rule: rules.Rule{
				ID: "image-second-root", Kind: finding.ImageConfig,
				Title: "Second account with the number of root", Severity: finding.High, Since: "0.1",
				Why:          "An account with the number 0 is root under another name, which hides from whoever looks for root.",
				Fix:          "Give the account a number of its own.",
				WhenToIgnore: "The base system ships it so (toor of some BSD tools).",
				References:   []string{"https://man7.org/linux/man-pages/man5/passwd.5.html"},
				Tags:         []string{"external/cwe/cwe-250"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/etc/passwd", "content": "root:x:0:0:root:/root:/bin/sh\nbackdoor:x:0:0::/:/bin/sh\n"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/passwd", "content": "root:x:0:0:root:/root:/bin/sh\napp:x:10001:10001::/app:/bin/sh\n"}]}`, Language: "json",
			},
			check: checkSecondRoot,
		},
		{
			Rule: rules.Rule{
				ID: "image-duplicate-account", Kind: finding.ImageConfig,
				Title: "Two accounts with one name or number", Severity: finding.Low, Since: "0.1",
				Why:          "Files belong to numbers, people and programs think in names: two accounts that share either have each other's files.",
				Fix:          "Give each account its own name and number.",
				WhenToIgnore: "The accounts are meant to be one.",
				References:   []string{"https://man7.org/linux/man-pages/man5/passwd.5.html"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/etc/passwd", "content": "root:x:0:0:root:/root:/bin/sh\na:x:1000:1000::/:/bin/sh\nb:x:1000:1000::/:/bin/sh\n"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/passwd", "content": "root:x:0:0:root:/root:/bin/sh\na:x:1000:1000::/:/bin/sh\nb:x:1001:1001::/:/bin/sh\n"}]}`, Language: "json",
			},
			check: checkDuplicates,
		},
		{
			Rule: rules.Rule{
				ID: "image-sudo-nopasswd", Kind: finding.ImageConfig,
				Title: "Account that becomes root without a password", Severity: finding.Medium, Since: "0.1",
				Why:          "With NOPASSWD in sudoers, or nopass in doas.conf, the account is root in all but name, and running the container as that account protects nothing.",
				Fix:          "Remove the entry and sudo or doas from the image; do what needs root in the build.",
				WhenToIgnore: "A development image in which people install packages.",
				References:   []string{"https://www.sudo.ws/docs/man/sudoers.man/", "https://man.openbsd.org/doas.conf"},
				Tags:         []string{"external/cwe/cwe-250"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/etc/sudoers.d/app", "content": "app ALL=(ALL) NOPASSWD: ALL\n"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/sudoers", "content": "# %wheel ALL=(ALL) NOPASSWD: ALL\nroot ALL=(ALL) ALL\n"}]}`, Language: "json",
			},
			check: func(p *pass) {
				checkSudoers(p)
				checkDoas(p)
			},
		},
		{
			Rule: rules.Rule{
				ID: "image-sshd-weak", Kind: finding.ImageConfig,
				Title: "SSH daemon that lets root or empty passwords in", Severity: finding.High, Since: "0.1",
				Why:          "An ssh daemon in a container is a second way in past the orchestrator, and these settings leave the door open.",
				Fix:          "Remove the ssh daemon from the image; use `kubectl exec` or `docker exec`. Else set `PermitRootLogin no` and `PermitEmptyPasswords no`.",
				WhenToIgnore: "The image is a test fixture for ssh clients.",
				References:   []string{"https://man7.org/linux/man-pages/man5/sshd_config.5.html"},
				Tags:         []string{"external/cwe/cwe-287"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/etc/ssh/sshd_config", "content": "PermitRootLogin yes\n"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/ssh/sshd_config", "content": "#PermitRootLogin yes\nPermitRootLogin no\n"}]}`, Language: "json",
			},
			check: checkSSHD,
		},
	}
}

// account is one line of /etc/passwd (passwd(5)).
type account struct {
	line                int
	name, password, uid string
}

// content returns a system file with its text.
func (p *pass) content(path string) (inventory.File, bool) {
	for _, f := range p.inv.Files {
		if f.Path == path && f.Content != nil {
			return f, true
		}
	}
	return inventory.File{}, false
}

// fields cuts a file of colon-separated lines; lines with too few are left out.
func fields(text []byte, least int, each func(line int, fields []string)) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		s := strings.TrimSpace(string(line))
		if s == "" || strings.HasPrefix(s, "#") || strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") {
			continue
		}
		if f := strings.Split(s, ":"); len(f) >= least {
			each(number, f)
		}
	}
}

func (p *pass) accounts() []account {
	f, ok := p.content("/etc/passwd")
	if !ok {
		return nil
	}
	var out []account
	fields(f.Content, 4, func(line int, f []string) {
		out = append(out, account{line: line, name: f[0], password: f[1], uid: f[2]})
	})
	return out
}

// reportLine makes a finding about one line of a system file.
func (p *pass) reportLine(path string, line int, message string, key ...string) {
	f, _ := p.content(path)
	p.report(report{message: message, files: []inventory.File{f}, key: append([]string{path}, key...)})
	last := &p.found[len(p.found)-1]
	last.Locations[0].Line = line
	last.Locations[0].Note = ""
	if len(key) > 0 {
		last.Object = key[0]
	}
}

func checkEmptyPasswords(p *pass) {
	seen := map[string]bool{}
	shadow, _ := p.content("/etc/shadow")
	fields(shadow.Content, 2, func(line int, f []string) {
		if f[1] == "" {
			seen[f[0]] = true
			p.reportLine("/etc/shadow", line, fmt.Sprintf("the account %q has an empty password in /etc/shadow", f[0]), f[0])
		}
	})
	for _, a := range p.accounts() {
		if a.password == "" && !seen[a.name] {
			p.reportLine("/etc/passwd", a.line, fmt.Sprintf("the account %q has an empty password in /etc/passwd", a.name), a.name)
		}
	}
}

func checkPasswordHashes(p *pass) {
	for _, path := range []string{"/etc/shadow", "/etc/passwd"} {
		f, _ := p.content(path)
		fields(f.Content, 2, func(line int, f []string) {
			if isHash(f[1]) {
				p.reportLine(path, line, fmt.Sprintf("the account %q has a password, whose hash is in %s", f[0], path), f[0])
			}
		})
	}
}

// isHash tells a password hash from a locked or missing password (crypt(5)).
// A hash behind "!" is locked and cannot be used, but can be attacked.
func isHash(s string) bool {
	s = strings.TrimLeft(s, "!")
	if strings.HasPrefix(s, "$") {
		return strings.Count(s, "$") >= 3 && len(s) > 20
	}
	// The classic DES form: 13 characters.
	return len(s) == 13 && !strings.ContainsAny(s, "*!x ")
}

func checkSecondRoot(p *pass) {
	for _, a := range p.accounts() {
		if isZero(a.uid) && a.name != "root" {
			p.reportLine("/etc/passwd", a.line, fmt.Sprintf("the account %q has the number 0, which is root's", a.name), a.name)
		}
	}
}

func checkDuplicates(p *pass) {
	names, uids := map[string]string{}, map[string]string{}
	for _, a := range p.accounts() {
		if _, twice := names[a.name]; twice {
			p.reportLine("/etc/passwd", a.line, fmt.Sprintf("the account %q occurs twice in /etc/passwd", a.name), a.name, "name")
		} else if other, twice := uids[a.uid]; twice && !isZero(a.uid) {
			p.reportLine("/etc/passwd", a.line, fmt.Sprintf("the accounts %q and %q share the number %s", other, a.name, a.uid), a.name, "number")
		}
		names[a.name], uids[a.uid] = a.name, a.name
	}
	shadow, _ := p.content("/etc/shadow")
	seen := map[string]bool{}
	fields(shadow.Content, 2, func(line int, f []string) {
		if seen[f[0]] {
			p.reportLine("/etc/shadow", line, fmt.Sprintf("the account %q occurs twice in /etc/shadow", f[0]), f[0], "shadow")
		}
		seen[f[0]] = true
	})
}

// lines yields the lines of configuration files without comments.
func (p *pass) lines(match func(path string) bool, each func(path string, line int, text string)) {
	for _, f := range p.inv.Files {
		if f.Content == nil || !match(f.Path) {
			continue
		}
		number := 0
		for line := range bytes.Lines(f.Content) {
			number++
			text := strings.TrimSpace(string(line))
			if text != "" && !strings.HasPrefix(text, "#") {
				each(f.Path, number, text)
			}
		}
	}
}

func checkSudoers(p *pass) {
	match := func(path string) bool { return path == "/etc/sudoers" || strings.HasPrefix(path, "/etc/sudoers.d/") }
	p.lines(match, func(path string, line int, text string) {
		words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t:)=,", r) })
		who := words[0]
		switch {
		case strings.HasPrefix(text, "Defaults"):
			if slices.Contains(words, "!authenticate") {
				p.reportLine(path, line, fmt.Sprintf("%q lets everybody who may use sudo do so without a password", text), who)
			}
		case strings.HasPrefix(text, "@"), who == "root":
		case slices.Contains(words, "NOPASSWD"):
			p.reportLine(path, line, fmt.Sprintf("%s may run commands as root without a password", who), who)
		}
	})
}

// checkDoas looks for rules of doas.conf(5) that permit without a password:
// permit [options] who [as whom] [cmd …].
func checkDoas(p *pass) {
	match := func(path string) bool { return path == "/etc/doas.conf" || strings.HasPrefix(path, "/etc/doas.d/") }
	p.lines(match, func(path string, line int, text string) {
		words := strings.Fields(text)
		if words[0] != "permit" {
			return
		}
		rest := words[1:]
		nopass := false
		for len(rest) > 0 && slices.Contains([]string{"nopass", "nolog", "persist", "keepenv"}, rest[0]) {
			nopass = nopass || rest[0] == "nopass"
			rest = rest[1:]
		}
		// setenv { … } stands between the options and the name.
		if len(rest) > 1 && rest[0] == "setenv" {
			if end := slices.Index(rest, "}"); end >= 0 {
				rest = rest[end+1:]
			}
		}
		if as := slices.Index(rest, "as"); as >= 0 && as+1 < len(rest) && rest[as+1] != "root" {
			return // It becomes somebody else.
		}
		if nopass && len(rest) > 0 && rest[0] != "root" {
			p.reportLine(path, line, fmt.Sprintf("%s may run commands as root without a password", rest[0]), rest[0])
		}
	})
}

func checkSSHD(p *pass) {
	match := func(path string) bool { return strings.HasPrefix(path, "/etc/ssh/sshd_config") }
	weak := set("permitrootlogin yes", "permitemptypasswords yes")
	p.lines(match, func(path string, line int, text string) {
		setting := strings.ToLower(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '=' }), " "))
		if weak[setting] {
			p.reportLine(path, line, fmt.Sprintf("the ssh daemon is set to %q", text), setting)
		}
	})
}
