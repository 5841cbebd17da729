package dockerfile

import (
	"regexp"
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

var shellRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF016", Severity: finding.Medium,
			Title:        "Download over an unprotected connection",
			Why:          "Over http and ftp anyone on the way can replace what is downloaded.",
			Fix:          "Use https, or compare a checksum in the same step.",
			WhenToIgnore: "The server is inside the build network and has no https.",
			References:   []string{bestPractices + "#run"},
			Tags:         []string{"external/cwe/cwe-319"},
			Bad:          onDebian + "RUN curl -fsSLo app http://example.com/app\n" + nonRoot,
			Good:         onDebian + "RUN curl -fsSLo app https://example.com/app\n" + nonRoot,
		},
		Command:     checkPlainDownload,
		Instruction: checkPlainAdd,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF017", Aliases: []string{"DL4006"}, Severity: finding.Info,
			Title:        "Pipe without pipefail",
			Why:          "Without pipefail only the last command of a pipe decides: a download that fails in front of it does not stop the build.",
			Fix:          "Set it for all steps: `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]`, or `set -o pipefail` in this one; or do without the pipe.",
			WhenToIgnore: "The first command may fail.",
			References:   []string{bestPractices + "#using-pipes"},
			Bad:          onDebian + "RUN curl -fsSL https://example.com/app.tar.gz | tar -xz\n" + nonRoot,
			Good:         onDebian + "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsSL https://example.com/app.tar.gz | tar -xz\n" + nonRoot,
		},
		Run: checkPipefail,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF027", Aliases: []string{"CKV2_DOCKER_17", "DKL-LI-0001"}, Severity: finding.High,
			Title:        "Password set or removed in the build",
			Why:          "A password that the build sets is the same in every container and can be read from the image; an empty one lets everyone in.",
			Fix:          "Remove it: containers need no passwords. Lock the account with `passwd -l` where a tool asks for one.",
			WhenToIgnore: "The image is a test fixture for logging in.",
			References:   []string{"https://man7.org/linux/man-pages/man8/chpasswd.8.html"},
			Tags:         []string{"external/cwe/cwe-798", "external/cwe/cwe-258"},
			Bad:          onDebian + "RUN echo 'app:app' | chpasswd\n" + nonRoot,
			Good:         onDebian + "RUN useradd --system app\n" + nonRoot,
		},
		Command: checkPasswords,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF126", Aliases: []string{"DL4005"}, Severity: finding.Info,
			Title:        "/bin/sh replaced by a link",
			Why:          "Replacing /bin/sh changes the shell of every script of the system; SHELL changes that of the build steps alone.",
			Fix:          "Use SHELL: `SHELL [\"/bin/bash\", \"-c\"]`.",
			WhenToIgnore: "Programs in the image need another /bin/sh at run time.",
			References:   []string{dockerDocs + "#shell"},
			Bad:          onDebian + "RUN ln -sf /bin/bash /bin/sh\n" + nonRoot,
			Good:         onDebian + "SHELL [\"/bin/bash\", \"-c\"]\n" + nonRoot,
		},
		Command: checkShellLink,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF218", Aliases: []string{"DL3046"}, Severity: finding.Info,
			Title:        "useradd with a high user id and without -l",
			Why:          "useradd writes the user's entry into /var/log/lastlog and faillog at an offset that grows with the id; the sparse file becomes a real one in the layer and may take gigabytes.",
			Fix:          "Add `-l`.",
			WhenToIgnore: "The base image has neither file.",
			References:   []string{bestPractices + "#user"},
			Bad:          onDebian + "RUN useradd -u 1234567 app\n" + nonRoot,
			Good:         onDebian + "RUN useradd -l -u 1234567 app\n" + nonRoot,
		},
		Command: checkHighUID,
	},
}

var plainURL = regexp.MustCompile(`^(?i:http|ftp)://([^/\s]+)`)

// unprotected reports a URL whose content can be changed on the way.
func unprotected(s string) bool {
	m := plainURL.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	host := m[1][strings.LastIndexByte(m[1], '@')+1:]
	host, _, _ = strings.Cut(host, ":")
	return host != "localhost" && !strings.HasPrefix(host, "127.") && host != "[" && host != "host.docker.internal"
}

// verified reports whether the script compares a checksum or a signature.
func verified(run *Run) bool {
	if run.checked == nil {
		ok := comparesSums(run.Script)
		run.checked = &ok
	}
	return *run.checked
}

func comparesSums(s *shellscript.Script) bool {
	return slices.ContainsFunc(s.Commands, func(c *shellscript.Command) bool {
		switch {
		case strings.HasSuffix(c.Name, "sum") && strings.HasPrefix(c.Name, "sha"), c.Name == "shasum", c.Name == "b2sum":
			return slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool {
				return a.Text == "--check" || strings.HasPrefix(a.Text, "-") && !strings.HasPrefix(a.Text, "--") && strings.Contains(a.Text, "c")
			})
		case c.Name == "gpg" || c.Name == "gpgv" || c.Name == "cosign" || c.Name == "minisign":
			return c.Name == "gpgv" || slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool {
				return strings.HasPrefix(a.Text, "--verify") || a.Text == "--batch-verify" || strings.HasPrefix(a.Text, "verify") || a.Text == "-V"
			})
		}
		return false
	})
}

func checkPlainDownload(p *Pass, run *Run, c *shellscript.Command) {
	var cl commandLine
	switch c.Name {
	case "curl":
		cl = split(c.Args, curlOptions)
		for _, o := range cl.Options {
			if o.Name == "--url" {
				cl.Operands = append(cl.Operands, o.ValueArg)
			}
		}
	case "wget":
		cl = split(c.Args, wgetOptions)
	case "aria2c", "git", "svn", "pip", "pip3", "axel", "lwp-download":
		cl.Operands = c.Args
	default:
		return
	}
	for _, a := range cl.Operands {
		if unprotected(a.Text) && !verified(run) {
			p.Reportf(run.In, run.span(a.At), urlWithoutSecrets(a.Text), "%s fetches %s over an unprotected connection; use https, or compare a checksum.",
				c.Name, quote(urlWithoutSecrets(a.Text)))
		}
	}
}

func checkPlainAdd(p *Pass, in *df.Instruction) {
	if in.Keyword != "ADD" {
		return
	}
	if _, ok := in.Flag("checksum"); ok {
		return
	}
	for _, src := range sources(in) {
		if unprotected(src.Value.Text) {
			p.Reportf(in, src.Span, urlWithoutSecrets(src.Value.Text), "ADD fetches %s over an unprotected connection; use https and --checksum.",
				quote(urlWithoutSecrets(src.Value.Text)))
		}
	}
}

// setsPipefail reports whether the words switch on the pipefail option.
func setsPipefail(words []string) bool {
	for i := 0; i+1 < len(words); i++ {
		if strings.HasPrefix(words[i], "-") && !strings.HasPrefix(words[i], "--") && strings.HasSuffix(words[i], "o") && words[i+1] == "pipefail" {
			return true
		}
	}
	return false
}

// cannotFail are commands at the head of a pipe whose failure hides nothing.
var cannotFail = set("echo", "printf", "yes", "true", ":", "seq")

func checkPipefail(p *Pass, run *Run) {
	if len(run.Script.Pipelines) == 0 || setsPipefail(run.In.Shell) {
		return
	}
	on := len(run.text.S)
	for _, c := range run.Script.Commands {
		var words []string
		for _, a := range c.Args {
			words = append(words, a.Text)
		}
		if (c.Name == "set" || shellscript.IsShell(c.Name)) && setsPipefail(words) {
			on = min(on, c.At.Start)
		}
	}
	for _, pipe := range run.Script.Pipelines {
		if pipe.Pipes[0].Start > on {
			continue
		}
		for i, element := range pipe.Elements[:len(pipe.Elements)-1] {
			if len(element) == 1 && cannotFail[element[0].Name] || len(element) > 0 && element[0].Subst {
				continue
			}
			p.Reportf(run.In, run.span(pipe.Pipes[i]), "pipe in "+run.text.S[:min(len(run.text.S), 60)],
				"A failure in front of this pipe does not stop the build; set pipefail for it.")
			return // one for each RUN, since one SHELL mends them all
		}
	}
}

func checkPasswords(p *Pass, run *Run, c *shellscript.Command) {
	at, what := c.At, ""
	switch c.Name {
	case "chpasswd":
		what = "chpasswd sets a password"
	case "passwd":
		if o, ok := split(c.Args, options{short: "inwxqR"}).find("-d", "--delete"); ok {
			at, what = o.Arg.At, "`passwd "+o.Name+"` removes the password, so that everyone can log in"
		} else if slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool { return a.Text == "--stdin" }) {
			what = "passwd sets a password"
		}
	case "useradd", "usermod":
		if o, ok := split(c.Args, useraddOptions).find("-p", "--password"); ok && o.Value != "!" && o.Value != "*" && o.Value != "!!" {
			at, what = o.Arg.At, "`"+c.Name+" "+o.Name+"` sets a password"
		}
	}
	if what != "" {
		p.Reportf(run.In, run.span(at), c.Name, "%s that is the same in every container; remove the step.", strings.TrimSuffix(what, ", so that everyone can log in"))
	}
}

func checkShellLink(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "ln" {
		return
	}
	cl := split(c.Args, options{short: "St"})
	if cl.has("-s", "--symbolic") && (cl.operand(1) == "/bin/sh" || cl.operand(1) == "/usr/bin/sh") {
		p.Reportf(run.In, run.span(cl.Operands[1].At), "ln -s /bin/sh", "/bin/sh is replaced by a link to %s; use `SHELL [\"%s\", \"-c\"]` instead.",
			quote(cl.operand(0)), cl.operand(0))
	}
}

var useraddOptions = options{
	short: "bcdegGkKpRsuZ",
	long: set("--base-dir", "--comment", "--home-dir", "--expiredate", "--inactive", "--gid", "--groups", "--skel", "--key",
		"--password", "--root", "--shell", "--uid", "--selinux-user", "--home", "--login"),
}

func checkHighUID(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "useradd" {
		return
	}
	cl := split(c.Args, useraddOptions)
	uid, ok := cl.find("-u", "--uid")
	// From 100,000 on lastlog's size passes 28 MB; ordinary ids stay below.
	if !ok || len(uid.Value) < 6 || strings.Trim(uid.Value, "0123456789") != "" || cl.has("-l", "--no-log-init") {
		return
	}
	r := p.Reportf(run.In, run.span(uid.ValueArg.At), "useradd -u", "useradd with the high user id %s writes a huge lastlog file; add `-l`.", uid.Value)
	if !run.In.Exec {
		r.Fix("Add -l.", insertAfter(run, c.At, " -l"))
	}
}

// insertAfter puts text behind a word.
func insertAfter(run *Run, at shellscript.Range, text string) Replacement {
	end := run.span(at).End
	return Replacement{At: df.Span{Start: end, End: end}, NewText: text}
}
