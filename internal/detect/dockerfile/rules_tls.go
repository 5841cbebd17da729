package dockerfile

import (
	"regexp"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// tlsText is what the rules about unverified connections have in common.
const (
	tlsWhy    = "Without checking the certificate anyone on the way can replace what is downloaded, and the build does not notice."
	tlsIgnore = "The connection stays on the build host, or the content is verified by other means."
)

var tlsRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF018", Aliases: []string{"CKV2_DOCKER_2"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "curl without certificate check", Why: tlsWhy,
			Fix:          "Remove -k or --insecure; for a private authority name its certificate with --cacert.",
			WhenToIgnore: tlsIgnore,
			References:   []string{"https://curl.se/docs/sslcerts.html"},
			Tags:         []string{"external/cwe/cwe-295"}, Language: "dockerfile",
			Bad:  onDebian + "RUN curl -fsSLk -o app https://example.com/app\n" + nonRoot,
			Good: onDebian + "RUN curl -fsSL -o app https://example.com/app\n" + nonRoot,
		},
		Command: checkCurlInsecure,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF019", Aliases: []string{"CKV2_DOCKER_3"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "wget without certificate check", Why: tlsWhy,
			Fix:          "Remove --no-check-certificate; for a private authority name its certificate with --ca-certificate.",
			WhenToIgnore: tlsIgnore,
			References:   []string{"https://www.gnu.org/software/wget/manual/html_node/HTTPS-_0028SSL_002fTLS_0029-Options.html"},
			Tags:         []string{"external/cwe/cwe-295"}, Language: "dockerfile",
			Bad:  onDebian + "RUN wget -q --no-check-certificate https://example.com/app\n" + nonRoot,
			Good: onDebian + "RUN wget -q https://example.com/app\n" + nonRoot,
		},
		Command: checkWgetInsecure,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF020", Aliases: []string{"CKV2_DOCKER_4", "CKV2_DOCKER_16"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "pip trusts a host without certificate check", Why: tlsWhy,
			Fix:          "Remove --trusted-host and PIP_TRUSTED_HOST; for a private authority name its certificate with PIP_CERT.",
			WhenToIgnore: tlsIgnore,
			References:   []string{"https://pip.pypa.io/en/stable/cli/pip/#cmdoption-trusted-host"},
			Tags:         []string{"external/cwe/cwe-295"}, Language: "dockerfile",
			Bad:  onPython + "RUN pip install --no-cache-dir --trusted-host pypi.org flask==3.1.1\n" + nonRoot,
			Good: onPython + "RUN pip install --no-cache-dir flask==3.1.1\n" + nonRoot,
		},
		Instruction: checkPipTrustedEnv,
		Command:     checkPipTrustedHost,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF021", Aliases: []string{"CKV2_DOCKER_5", "CKV2_DOCKER_6", "CKV2_DOCKER_12", "CKV2_DOCKER_14"}, Kind: finding.Dockerfile,
			Severity: finding.High, Since: "0.1",
			Title: "Certificate checks switched off by a setting", Why: tlsWhy,
			Fix:          "Remove the setting; install the private authority's certificate where one is needed.",
			WhenToIgnore: tlsIgnore,
			References:   []string{"https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue", "https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpsslVerify"},
			Tags:         []string{"external/cwe/cwe-295"}, Language: "dockerfile",
			Bad:  onNode + "ENV NODE_TLS_REJECT_UNAUTHORIZED=0\n" + nonRoot,
			Good: onNode + "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/company.pem\n" + nonRoot,
		},
		Instruction: checkTLSEnv,
		Command:     checkTLSCommand,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF022", Aliases: []string{"CKV2_DOCKER_13"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "npm or yarn without certificate check", Why: tlsWhy,
			Fix:          "Remove the setting; for a private authority name its certificate with cafile.",
			WhenToIgnore: tlsIgnore,
			References:   []string{"https://docs.npmjs.com/cli/using-npm/config#strict-ssl"},
			Tags:         []string{"external/cwe/cwe-295"}, Language: "dockerfile",
			Bad:  onNode + "RUN npm config set strict-ssl false\n" + nonRoot,
			Good: onNode + "RUN npm config set cafile /etc/ssl/company.pem\n" + nonRoot,
		},
		Command: checkStrictSSL,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF023", Aliases: []string{"CKV2_DOCKER_15"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title: "yum or dnf without certificate check", Why: tlsWhy,
			Fix:          "Remove the setting; for a private authority name its certificate with sslcacert.",
			WhenToIgnore: tlsIgnore,
			References:   []string{"https://dnf.readthedocs.io/en/latest/conf_ref.html"},
			Tags:         []string{"external/cwe/cwe-295"}, Language: "dockerfile",
			Bad:  onFedora + "RUN dnf config-manager --save --setopt=sslverify=false\n" + nonRoot,
			Good: onFedora + "RUN dnf config-manager --save --setopt=sslcacert=/etc/ssl/company.pem\n" + nonRoot,
		},
		Command: checkSSLVerify,
	},
}

// loopback reports a URL that never leaves the build container.
func loopback(cl commandLine) bool {
	urls := cl.Operands
	for _, o := range cl.Options {
		if o.Name == "--url" {
			urls = append(urls, shellscript.Arg{Text: o.Value})
		}
	}
	if len(urls) == 0 {
		return false
	}
	for _, u := range urls {
		_, host, ok := strings.Cut(u.Text, "://")
		if !ok {
			host = u.Text
		}
		host, _, _ = strings.Cut(host, "/")
		host, _, _ = strings.Cut(host, ":")
		if host != "localhost" && host != "127.0.0.1" && host != "[" {
			return false
		}
	}
	return true
}

func checkCurlInsecure(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "curl" {
		return
	}
	cl := split(c.Args, curlOptions)
	if loopback(cl) {
		return
	}
	for _, o := range cl.Options {
		switch o.Name {
		case "-k", "--insecure", "--proxy-insecure", "--doh-insecure":
			r := p.Reportf(run.In, run.span(o.Arg.At), "curl "+o.Name,
				"curl is told by %s not to check the server's certificate; remove it.", quote(o.Name))
			if o.Arg.Text == o.Name && !o.Arg.Split && !run.In.Exec {
				r.Fix("Remove "+o.Name+".", removeWord(run, c, o.Arg))
			}
		}
	}
}

// removeWord deletes an argument with the blanks before it, on its own line.
func removeWord(run *Run, c *shellscript.Command, a shellscript.Arg) Replacement {
	span := run.span(a.At)
	text := run.In.File().Content
	for span.Start > 0 && (text[span.Start-1] == ' ' || text[span.Start-1] == '\t') {
		span.Start--
	}
	return Replacement{At: span}
}

func checkWgetInsecure(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "wget" {
		return
	}
	cl := split(c.Args, wgetOptions)
	if loopback(cl) {
		return
	}
	for _, o := range cl.Options {
		// wget accepts a long option cut short as long as it is unambiguous.
		if strings.HasPrefix(o.Name, "--no-check") && strings.HasPrefix("--no-check-certificate", o.Name) || o.Name == "-e" && strings.Contains(strings.ReplaceAll(o.Value, " ", ""), "check_certificate=off") {
			r := p.Reportf(run.In, run.span(o.Arg.At), "wget "+o.Name,
				"wget is told by %s not to check the server's certificate; remove it.", quote(o.Name))
			if o.Name != "-e" && !o.Arg.Split && !run.In.Exec {
				r.Fix("Remove "+o.Name+".", removeWord(run, c, o.Arg))
			}
		}
	}
}

func checkPipTrustedEnv(p *Pass, in *df.Instruction) {
	for _, pair := range in.Pairs {
		if in.Keyword != "LABEL" && strings.EqualFold(pair.Key, "PIP_TRUSTED_HOST") && pair.Value.Text != "" {
			p.Reportf(in, pair.KeySpan, pair.Key,
				"%s %s makes pip skip the certificate check for %s; remove it.", in.Keyword, quote(pair.Key), quote(pair.Value.Text))
		}
	}
}

var pipOptions = options{
	short: "rceitbf",
	long: set("--requirement", "--constraint", "--editable", "--index-url", "--extra-index-url", "--find-links", "--target",
		"--prefix", "--root", "--platform", "--python-version", "--implementation", "--abi", "--only-binary", "--no-binary",
		"--trusted-host", "--proxy", "--cert", "--timeout", "--retries", "--cache-dir", "--log", "--progress-bar", "--src",
		"--upgrade-strategy", "--config-settings", "--global-option", "--python", "--report", "--use-feature", "--use-deprecated",
		"--root-user-action", "--group", "--keyring-provider"),
}

// pip reports whether the command is pip, also as python -m pip, and returns
// its arguments.
func pip(c *shellscript.Command) ([]shellscript.Arg, bool) {
	name := strings.TrimRight(c.Name, "0123456789.")
	switch name {
	case "pip":
		return c.Args, true
	case "python", "pypy":
		for i := 0; i+1 < len(c.Args); i++ {
			if c.Args[i].Text == "-m" {
				return c.Args[i+2:], c.Args[i+1].Text == "pip"
			}
		}
	case "uv":
		if len(c.Args) > 0 && c.Args[0].Text == "pip" {
			return c.Args[1:], true
		}
	}
	return nil, false
}

// installer is the name of a package manager as it was called, such as
// python3 -m pip.
func installer(c *shellscript.Command) string {
	if _, is := pip(c); !is {
		return c.Name
	}
	switch strings.TrimRight(c.Name, "0123456789.") {
	case "python", "pypy":
		return c.Name + " -m pip"
	case "uv":
		return "uv pip"
	}
	return c.Name
}

func checkPipTrustedHost(p *Pass, run *Run, c *shellscript.Command) {
	for _, a := range c.Assigns {
		if a.Name == "PIP_TRUSTED_HOST" && a.Value.Text != "" {
			p.Reportf(run.In, run.span(a.At), a.Name, "PIP_TRUSTED_HOST makes pip skip the certificate check for %s; remove it.", quote(a.Value.Text))
		}
	}
	args, ok := pip(c)
	if !ok {
		return
	}
	cl := split(args, pipOptions)
	for _, o := range cl.Options {
		if o.Name == "--trusted-host" {
			p.Reportf(run.In, run.span(o.Arg.At), "pip --trusted-host "+o.Value,
				"pip is told by --trusted-host not to check the certificate of %s; remove it.", quote(o.Value))
		}
	}
	if cl.operand(0) == "config" && cl.operand(1) == "set" && strings.HasSuffix(cl.operand(2), ".trusted-host") {
		p.Reportf(run.In, run.span(cl.Operands[2].At), "pip config trusted-host",
			"`pip config set` switches off the certificate check of %s; remove it.", quote(cl.operand(3)))
	}
}

// insecureSetting tells whether a variable with this value switches off
// certificate checks. The second result is what the variable belongs to.
func insecureSetting(name, value string, set bool) (string, bool) {
	value = strings.Trim(value, `"'`)
	switch strings.ToUpper(name) {
	case "NODE_TLS_REJECT_UNAUTHORIZED":
		return "Node.js", value == "0"
	case "PYTHONHTTPSVERIFY":
		return "Python", value == "0"
	case "PERL_LWP_SSL_VERIFY_HOSTNAME":
		return "Perl", value == "0"
	case "GIT_SSL_NO_VERIFY":
		return "Git", value != "" && !off(value)
	case "GIT_SSL_VERIFY", "GIT_HTTP_SSL_VERIFY":
		return "Git", off(value)
	case "NPM_CONFIG_STRICT_SSL", "YARN_STRICT_SSL", "YARN_ENABLE_STRICT_SSL":
		return "npm or Yarn", off(value)
	case "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE":
		return "Python's requests", set && value == ""
	case "GOINSECURE":
		return "Go", value != ""
	case "BUNDLE_SSL_VERIFY_MODE":
		return "Bundler", value == "0"
	case "ANSIBLE_GALAXY_IGNORE":
		return "Ansible Galaxy", on(value)
	case "VAULT_SKIP_VERIFY", "HELM_KUBEINSECURESKIPTLSVERIFY", "AWS_NO_VERIFY_SSL", "SSL_NO_VERIFY":
		return "the tools that read it", on(value)
	case "GOFLAGS":
		return "Go", strings.Contains(value, "-insecure")
	}
	return "", false
}

func checkTLSEnv(p *Pass, in *df.Instruction) {
	if in.Keyword != "ENV" && in.Keyword != "ARG" {
		return
	}
	for _, pair := range in.Pairs {
		if whose, bad := insecureSetting(pair.Key, pair.Value.Text, pair.HasValue && pair.Value.Known); bad {
			p.Reportf(in, pair.KeySpan, pair.Key, "%s %s switches off the certificate checks of %s; remove it.",
				in.Keyword, quote(pair.Key+"="+pair.Value.Text), whose)
		}
	}
}

func checkTLSCommand(p *Pass, run *Run, c *shellscript.Command) {
	for _, a := range c.Assigns {
		if whose, bad := insecureSetting(a.Name, a.Value.Text, a.Value.Known); bad {
			p.Reportf(run.In, run.span(a.At), a.Name, "%s switches off the certificate checks of %s; remove it.",
				quote(a.Name+"="+a.Value.Text), whose)
		}
	}
	if c.Name == "git" {
		checkGitVerify(p, run, c)
	}
}

var gitVerify = regexp.MustCompile(`(?i)^http(?:\..*)?\.sslverify(?:=(.*))?$`)

func checkGitVerify(p *Pass, run *Run, c *shellscript.Command) {
	for i, a := range c.Args {
		m := gitVerify.FindStringSubmatch(a.Text)
		if m == nil {
			continue
		}
		value := m[1]
		if value == "" && i+1 < len(c.Args) {
			value = c.Args[i+1].Text
		}
		if off(value) {
			p.Reportf(run.In, run.span(a.At), "git http.sslVerify", "git is told by http.sslVerify=%s not to check certificates; remove it.", value)
		}
	}
}

func checkStrictSSL(p *Pass, run *Run, c *shellscript.Command) {
	switch c.Name {
	case "npm", "yarn", "pnpm", "npx":
	default:
		return
	}
	for i, a := range c.Args {
		name, value, has := strings.Cut(a.Text, "=")
		switch name {
		case "--no-strict-ssl":
		case "strict-ssl", "--strict-ssl", "enableStrictSsl":
			if !has && i+1 < len(c.Args) {
				value = c.Args[i+1].Text
			}
			if !off(value) {
				continue
			}
		default:
			continue
		}
		p.Reportf(run.In, run.span(a.At), c.Name+" strict-ssl",
			"%s is told by %s not to check certificates; remove it.", quote(c.Name), quote(a.Text))
	}
}

var sslVerify = regexp.MustCompile(`(?i)\bsslverify\s*=\s*(?:0|false|no|off)\b`)

func checkSSLVerify(p *Pass, run *Run, c *shellscript.Command) {
	for _, a := range c.Args {
		if sslVerify.MatchString(a.Text) {
			p.Reportf(run.In, run.span(a.At), "sslverify",
				"%s switches off the certificate check of yum and dnf; remove it.", quote(sslVerify.FindString(a.Text)))
		}
	}
}
