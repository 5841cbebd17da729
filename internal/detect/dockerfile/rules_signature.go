package dockerfile

import (
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

const (
	signatureWhy    = "The signature is what tells the distribution's package from one that somebody on the way, or on a mirror, has put in its place."
	signatureIgnore = "The package is one that this build has just made itself."
)

var signatureRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF024", Aliases: []string{"CKV2_DOCKER_7"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "apk installs unsigned packages", Why: signatureWhy,
			Fix:          "Remove --allow-untrusted; put the repository's public key into /etc/apk/keys.",
			WhenToIgnore: signatureIgnore,
			References:   []string{"https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper"},
			Tags:         []string{"external/cwe/cwe-347"}, Language: "dockerfile",
			Bad:  onAlpine + "RUN apk add --no-cache --allow-untrusted /tmp/app.apk\n" + nonRoot,
			Good: onAlpine + "COPY shop.rsa.pub /etc/apk/keys/\nRUN apk add --no-cache /tmp/app.apk\n" + nonRoot,
		},
		Command: checkApkUntrusted,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF025", Aliases: []string{"CKV2_DOCKER_8", "CKV2_DOCKER_11"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "apt installs unsigned packages", Why: signatureWhy,
			Fix:          "Remove the option; install the repository's key and name it with `signed-by`.",
			WhenToIgnore: signatureIgnore,
			References:   []string{"https://manpages.debian.org/bookworm/apt/apt-secure.8.en.html"},
			Tags:         []string{"external/cwe/cwe-347"}, Language: "dockerfile",
			Bad:  onDebian + "RUN apt-get update && apt-get install -y --no-install-recommends --allow-unauthenticated app=1.2-1 && rm -rf /var/lib/apt/lists/*\n" + nonRoot,
			Good: onDebian + "RUN apt-get update && apt-get install -y --no-install-recommends app=1.2-1 && rm -rf /var/lib/apt/lists/*\n" + nonRoot,
		},
		Command: checkAptUnauthenticated,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF026", Aliases: []string{"CKV2_DOCKER_9", "CKV2_DOCKER_10"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "RPM packages installed without signature check", Why: signatureWhy,
			Fix:          "Remove the option; import the repository's key with `rpm --import`.",
			WhenToIgnore: signatureIgnore,
			References:   []string{"https://rpm.org/docs/latest/man/rpmkeys.8"},
			Tags:         []string{"external/cwe/cwe-347"}, Language: "dockerfile",
			Bad:  onFedora + "RUN dnf install -y --nogpgcheck app-1.2 && dnf clean all\n" + nonRoot,
			Good: onFedora + "RUN dnf install -y app-1.2 && dnf clean all\n" + nonRoot,
		},
		Command: checkRPMSignature,
	},
}

func checkApkUntrusted(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "apk" {
		return
	}
	for _, a := range c.Args {
		if a.Text == "--allow-untrusted" {
			r := p.Reportf(run.In, run.span(a.At), "apk --allow-untrusted",
				"apk is told by --allow-untrusted to install packages without a valid signature; install the repository's key instead.")
			if !a.Split && !run.In.Exec {
				r.Fix("Remove --allow-untrusted.", removeWord(run, c, a))
			}
		}
	}
}

var (
	aptOption   = regexp.MustCompile(`(?i)(?:AllowUnauthenticated|AllowInsecureRepositories|AllowDowngradeToInsecureRepositories|AllowWeakRepositories)["']?\s*[= ]\s*["']?(?:true|1|yes)`)
	aptTrusted  = regexp.MustCompile(`(?i)\bdeb(?:-src)?\s+\[[^\]]*\btrusted\s*=\s*yes|^\s*Trusted:\s*yes`)
	gpgCheckOff = regexp.MustCompile(`(?i)\b(?:repo_|pkg_|local)?(?:pkg)?_?gpgcheck\s*=\s*(?:0|false|no|off)\b`)
)

func checkAptUnauthenticated(p *Pass, run *Run, c *shellscript.Command) {
	isApt := c.Name == "apt-get" || c.Name == "apt" || c.Name == "aptitude" || c.Name == "apt-cache"
	for _, a := range c.Args {
		switch {
		case isApt && (a.Text == "--allow-unauthenticated" || a.Text == "--force-yes" || a.Text == "--allow-insecure-repositories" || a.Text == "--allow-untrusted"):
			r := p.Reportf(run.In, run.span(a.At), c.Name+" "+a.Text,
				"%s is told by %s to install packages without a valid signature; install the repository's key instead.", c.Name, a.Text)
			if !a.Split && !run.In.Exec {
				r.Fix("Remove "+a.Text+".", removeWord(run, c, a))
			}
		case aptOption.MatchString(a.Text):
			p.Reportf(run.In, run.span(a.At), aptOption.FindString(a.Text),
				"%s lets apt install packages without a valid signature; install the repository's key instead.", quote(aptOption.FindString(a.Text)))
		case aptTrusted.MatchString(a.Text):
			p.Reportf(run.In, run.span(a.At), "trusted=yes",
				"A package source is marked `trusted=yes`, so its signature is not checked; name its key with `signed-by` instead.")
		}
	}
}

func checkRPMSignature(p *Pass, run *Run, c *shellscript.Command) {
	var bad map[string]bool
	switch c.Name {
	case "yum", "dnf", "dnf5", "microdnf", "tdnf", "yum-config-manager":
		bad = set("--nogpgcheck", "--no-gpg-checks", "--no-gpgchecks")
	case "rpm", "rpmkeys":
		bad = set("--nosignature", "--nodigest", "--noverify", "--nogpg", "--nohdrchk", "--checksig=0")
	case "zypper":
		bad = set("--no-gpg-checks", "--no-gpg-check", "--allow-unsigned-rpm", "--gpg-auto-import-keys=0", "--no-gpgcheck")
	}
	for _, a := range c.Args {
		switch {
		case bad[a.Text]:
			r := p.Reportf(run.In, run.span(a.At), c.Name+" "+a.Text,
				"%s is told by %s to install packages without checking their signature; import the repository's key instead.", c.Name, a.Text)
			if !a.Split && !run.In.Exec {
				r.Fix("Remove "+a.Text+".", removeWord(run, c, a))
			}
		case gpgCheckOff.MatchString(a.Text) && !strings.Contains(a.Text, "repo_gpgcheck"):
			p.Reportf(run.In, run.span(a.At), "gpgcheck",
				"%s switches off the signature check of packages; import the repository's key instead.", quote(gpgCheckOff.FindString(a.Text)))
		}
	}
}
