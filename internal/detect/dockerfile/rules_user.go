package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

var userRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF001", Aliases: []string{"DL3002", "DS-0002", "CIS-DI-0001", "CKV_DOCKER_8"}, Kind: finding.Dockerfile,
			Severity: finding.High, Since: "0.1",
			Title:        "The image runs as root",
			Why:          "The last USER of the final stage is root. Whoever breaks out of the program is root in the container, and one kernel flaw away from root on the host.",
			Fix:          "Switch back to a user without privileges at the end: `USER 65532`.",
			WhenToIgnore: "The program needs root to start and drops its privileges itself.",
			References:   []string{dockerDocs + "#user", bestPractices + "#user"},
			Tags:         []string{"external/cwe/cwe-250"}, Language: "dockerfile",
			Bad:  onDebian + "USER root\nCMD [\"app\"]\n",
			Good: onDebian + "USER 65532\nCMD [\"app\"]\n",
		},
		File: checkRootUser,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF002", Aliases: []string{"DS-0002", "CIS-DI-0001", "CKV_DOCKER_3"}, Kind: finding.Dockerfile,
			Severity: finding.Medium, Since: "0.1",
			Title:        "No USER, so the image runs as root",
			Why:          "Without a USER the container runs as the base image's user, which is root for nearly all images.",
			Fix:          "Create a user and name it in the final stage: `USER 65532`.",
			WhenToIgnore: "The base image is known to set a user, or the entry point drops privileges itself.",
			References:   []string{dockerDocs + "#user", bestPractices + "#user"},
			Tags:         []string{"external/cwe/cwe-250"}, Language: "dockerfile",
			Bad:  onDebian + "CMD [\"app\"]\n",
			Good: onDebian + "USER 65532\nCMD [\"app\"]\n",
		},
		File: checkNoUser,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF003", Aliases: []string{"DL3066"}, Kind: finding.Dockerfile, Severity: finding.Info, Since: "0.1",
			Title:        "USER is a name and not a number",
			Why:          "Kubernetes cannot tell whether a named user is root, so `runAsNonRoot: true` refuses the image.",
			Fix:          "Write the user's number: `USER 65532`.",
			WhenToIgnore: "The image is never run in Kubernetes with runAsNonRoot.",
			References:   []string{"https://kubernetes.io/docs/concepts/security/pod-security-standards/"},
			Language:     "dockerfile",
			Bad:          onDebian + "USER app\nCMD [\"app\"]\n",
			Good:         onDebian + "USER 65532\nCMD [\"app\"]\n",
		},
		File: checkNamedUser,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF004", Aliases: []string{"DL3004", "DS-0010", "DKL-DI-0001", "CKV2_DOCKER_1"}, Kind: finding.Dockerfile,
			Severity: finding.High, Since: "0.1",
			Title:        "sudo in a RUN instruction",
			Why:          "A build step has no need of sudo: USER says who runs it. sudo in the image is a way to become root at run time, and it changes environment and signals.",
			Fix:          "Drop sudo and put `USER root` before the step and the unprivileged USER after it.",
			WhenToIgnore: "The image exists to test sudo itself.",
			References:   []string{bestPractices + "#user"},
			Tags:         []string{"external/cwe/cwe-250"}, Language: "dockerfile",
			Bad:  onDebian + "RUN sudo chown 65532 /srv\n" + nonRoot,
			Good: onDebian + "RUN chown 65532 /srv\n" + nonRoot,
		},
		Command: checkSudo,
	},
}

// rootUser reports whether the value of a USER instruction means root.
func rootUser(value string) bool {
	user, _, _ := strings.Cut(strings.TrimSpace(value), ":")
	user = strings.Trim(user, `"'`)
	if strings.EqualFold(user, "ContainerAdministrator") || user == "root" {
		return true
	}
	return user != "" && strings.Trim(user, "0") == ""
}

func checkRootUser(p *Pass) {
	final := p.File.Final()
	if final == nil {
		return
	}
	u := final.User()
	if u == nil || len(u.Args) == 0 || u.Problem != nil {
		return
	}
	v := u.Args[0].Value
	if !v.Known || !rootUser(v.Text) {
		return
	}
	r := p.Reportf(u, u.Args[0].Span, "USER "+v.Text,
		"The last USER of the final stage %s is %s, so the container runs as root; end the stage with an unprivileged user such as `USER 65532`.",
		quote(final.Label()), quote(u.Args[0].Raw))
	if u.Args[0].Raw != v.Text {
		r.Fact("value", v.Text)
	}
}

func checkNoUser(p *Pass) {
	final := p.File.Final()
	if final == nil || final.User() != nil {
		return
	}
	base := final.Root().Base
	if base.Value.Known {
		if nonRootBase(base.Value.Text) {
			return
		}
		if p.Opts.BaseUser != nil {
			if user, known := p.Opts.BaseUser(base.Value.Text); known && user != "" && !rootUser(user) {
				return
			}
		}
	}
	if stepsDown(p, final) {
		return
	}
	p.Reportf(final.From, final.Base.Span, "no USER in "+final.Label(),
		"The final stage %s sets no USER, so the container runs as the user of its base image %s, root unless that sets another; add `USER 65532` after the last step that needs root.",
		quote(final.Label()), quote(base.Value.Text))
}

// privilegeDroppers are programs that start another one as a lesser user.
var privilegeDroppers = map[string]bool{
	"gosu": true, "su-exec": true, "setpriv": true, "s6-setuidgid": true, "chpst": true, "runuser": true,
	"s6-svscan": true, "step-down": true,
}

// stepsDown reports whether the image is made to start as root and to run its
// program as another user: its entry point, or a program installed in the
// stage, is one that does so.
func stepsDown(p *Pass, final *df.Stage) bool {
	for _, in := range final.Chain() {
		switch in.Keyword {
		case "ENTRYPOINT", "CMD":
			for _, a := range in.Args {
				for w := range strings.FieldsSeq(a.Raw) {
					if privilegeDroppers[w[strings.LastIndexByte(w, '/')+1:]] {
						return true
					}
				}
			}
		}
	}
	stages := make(map[*df.Stage]bool)
	for _, s := range final.Ancestry() {
		stages[s] = true
	}
	for _, run := range p.Runs() {
		if !stages[run.In.Stage] || run.In.Outer != nil {
			continue
		}
		for _, c := range run.Script.Commands {
			if c.Name == "gosu" || c.Name == "su-exec" || installs(c, "su-exec") || installs(c, "gosu") {
				return true
			}
		}
	}
	return false
}

// installs reports whether the command installs the distribution package.
func installs(c *shellscript.Command, pkg string) bool {
	switch c.Name {
	case "apk", "apt-get", "apt", "dnf", "microdnf", "yum", "zypper":
	default:
		return false
	}
	for _, a := range c.Args {
		name, _, _ := strings.Cut(a.Text, "=")
		if strings.TrimRight(name, "<>~") == pkg {
			return true
		}
	}
	return false
}

func checkNamedUser(p *Pass) {
	final := p.File.Final()
	if final == nil {
		return
	}
	u := final.User()
	if u == nil || len(u.Args) == 0 || u.Problem != nil || windows(u) {
		return
	}
	v := u.Args[0].Value
	user, _, _ := strings.Cut(v.Text, ":")
	if !v.Known || user == "" || rootUser(v.Text) || strings.Trim(user, "0123456789") == "" {
		return
	}
	p.Reportf(u, u.Args[0].Span, "USER "+v.Text,
		"USER %s is a name; Kubernetes can only tell from a number that it is not root: write the user's number.", quote(v.Text))
}

// sudoed is the name of the command that sudo runs, as far as it is plain.
func sudoed(c *shellscript.Command) string {
	for _, a := range c.Args {
		if !strings.HasPrefix(a.Text, "-") && !strings.Contains(a.Text, "=") {
			return a.Text + " …"
		}
	}
	return "…"
}

func checkSudo(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "sudo" {
		return
	}
	r := p.Reportf(run.In, run.span(c.At), p.source(run.span(c.Whole)),
		"%s uses sudo in a build step; run the command as the user that USER names instead.", quote("sudo "+sudoed(c)))
	root := run.In.User == nil || len(run.In.User.Args) > 0 && rootUser(run.In.User.Args[0].Value.Text)
	if root && len(c.Args) > 0 && !strings.HasPrefix(c.Args[0].Text, "-") && !strings.Contains(c.Args[0].Text, "=") && !run.In.Exec {
		r.Fix("Remove sudo: the step runs as root already.",
			Replacement{At: df.Span{Start: run.span(c.At).Start, End: run.span(c.Args[0].At).Start}})
	}
}
