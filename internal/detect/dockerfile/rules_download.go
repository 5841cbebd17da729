package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
	"mvdan.cc/sh/v3/syntax"
)

var downloadRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF015", Kind: finding.Dockerfile, Severity: finding.Medium, Since: "0.1",
			Title:        "Download piped straight into a shell",
			Why:          "What the server sends is run unseen: nobody can check it, and a download that breaks off runs half a script.",
			Fix:          "Download to a file, compare its SHA-256 with the known one, then run it.",
			WhenToIgnore: "The server is your own and the build is thrown away.",
			References:   []string{bestPractices + "#run"},
			Tags:         []string{"external/cwe/cwe-494"}, Language: "dockerfile",
			Bad:  onDebian + "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsSL https://example.com/install.sh | sh\n" + nonRoot,
			Good: onDebian + "RUN curl -fsSLo install.sh https://example.com/install.sh && echo \"$SUM  install.sh\" | sha256sum -c - && sh install.sh\n" + nonRoot,
		},
		Run: checkPipedDownload,
	},
}

// fetchers write what they download to standard output.
func fetches(c *shellscript.Command) bool {
	switch c.Name {
	case "curl":
		cl := split(c.Args, curlOptions)
		o, ok := cl.find("-o", "--output")
		return (!ok || o.Value == "-" || o.Value == "/dev/stdout") && !cl.has("-O", "--remote-name", "--remote-name-all")
	case "wget":
		o, ok := split(c.Args, wgetOptions).find("-O", "--output-document")
		return ok && (o.Value == "-" || o.Value == "/dev/stdout")
	case "fetch", "aria2c", "http", "https", "lwp-request", "GET":
		return c.Name != "aria2c"
	}
	return false
}

// runsInput reports whether the command runs its standard input as a program.
func runsInput(c *shellscript.Command) bool {
	interpreters := set("python", "python2", "python3", "perl", "ruby", "node", "nodejs", "php", "fish", "pwsh", "tclsh", "lua")
	switch {
	case shellscript.IsShell(c.Name):
	case interpreters[c.Name]:
	case c.Name == "source" || c.Name == ".":
		return len(c.Args) > 0 && (c.Args[0].Text == "/dev/stdin" || c.Args[0].Text == "-")
	default:
		return false
	}
	for i := 0; i < len(c.Args); i++ {
		a := c.Args[i].Text
		switch {
		case a == "-" || a == "-s" || a == "/dev/stdin" || a == "--":
			return true
		case a == "-o" || a == "-W" || a == "-X":
			i++
		case strings.HasPrefix(a, "--"):
		case strings.HasPrefix(a, "-") && strings.ContainsAny(a, "s") && shellscript.IsShell(c.Name):
			return true
		case strings.HasPrefix(a, "-") && strings.ContainsAny(a, "cem"):
			return shellscript.IsShell(c.Name) && !strings.Contains(a, "c") // -e alone is errexit
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "+"):
		default:
			return false // a script file; its input is data
		}
	}
	return true
}

func checkPipedDownload(p *Pass, run *Run) {
	for _, pipe := range run.Script.Pipelines {
		var from *shellscript.Command
		for _, element := range pipe.Elements {
			for _, c := range element {
				if from != nil && runsInput(c) && !c.Subst {
					reportPiped(p, run, from, c)
					from = nil
					break
				}
			}
			for _, c := range element {
				if fetches(c) && !c.Subst {
					from = c
				}
			}
		}
	}
	for _, c := range run.Script.Commands {
		if shellscript.IsShell(c.Name) || c.Name == "eval" || c.Name == "source" || c.Name == "." {
			checkSubstituted(p, run, c)
		}
	}
}

// checkSubstituted looks for sh -c "$(curl …)", eval "$(curl …)" and
// bash <(curl …).
func checkSubstituted(p *Pass, run *Run, c *shellscript.Command) {
	for _, a := range c.Args {
		if a.Word() == nil {
			continue
		}
		syntax.Walk(a.Word(), func(n syntax.Node) bool {
			switch n.(type) {
			case *syntax.CmdSubst, *syntax.ProcSubst:
			default:
				return true
			}
			for _, inner := range run.within(c.Script.Range(n)) {
				if inner.Subst && fetches(inner) {
					reportPiped(p, run, inner, c)
					return false
				}
			}
			return false
		})
	}
}

func reportPiped(p *Pass, run *Run, from, to *shellscript.Command) {
	span := run.span(from.Whole)
	p.Reportf(run.In, df.Span{Start: span.Start, End: span.End}, urlWithoutSecrets(p.source(span)),
		"%s sends what it downloads straight to %s; download to a file, check its SHA-256 and then run it.",
		quote(from.Name), quote(to.Name))
}

var curlOptions = options{
	short: "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
	long: set("--output", "--header", "--user", "--user-agent", "--data", "--data-raw", "--data-binary", "--request", "--proxy",
		"--retry", "--retry-delay", "--retry-max-time", "--max-time", "--connect-timeout", "--cacert", "--cert", "--key", "--form",
		"--url", "--write-out", "--cookie", "--cookie-jar", "--range", "--referer", "--resolve", "--output-dir", "--upload-file",
		"--proto", "--proto-redir", "--ciphers", "--tls-max", "--limit-rate", "--max-redirs", "--config", "--create-file-mode",
		"--continue-at", "--dump-header", "--interface", "--capath", "--oauth2-bearer", "--variable", "--data-urlencode", "--json"),
}

var wgetOptions = options{
	short: "aoeiBtTwQODPUlARIXnS",
	long: set("--output-document", "--output-file", "--append-output", "--tries", "--timeout", "--wait", "--quota",
		"--directory-prefix", "--user-agent", "--header", "--user", "--password", "--post-data", "--post-file", "--ca-certificate",
		"--input-file", "--level", "--accept", "--reject", "--execute", "--base", "--waitretry", "--read-timeout",
		"--connect-timeout", "--dns-timeout", "--limit-rate", "--referer", "--method", "--body-data", "--load-cookies"),
}
