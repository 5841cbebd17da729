package dockerfile

import (
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

const (
	cacheWhy    = "The files are of no use in the image and stay in the layer even if a later step deletes them: larger downloads, and more for scanners to read."
	cacheIgnore = "Size does not matter for this image."
)

func cacheRule(id string, aliases []string, title, fix, reference, bad, good string) Rule {
	return Rule{Rule: rules.Rule{
		ID: id, Aliases: aliases, Severity: finding.Info, Title: title, Why: cacheWhy, Fix: fix, WhenToIgnore: cacheIgnore,
		References: []string{reference}, Bad: bad, Good: good,
	}}
}

// with sets the check of a rule.
func (r Rule) with(run func(*Pass, *Run)) Rule {
	r.Run = run
	return r
}

var cacheRules = []Rule{
	cacheRule("PC-DF210", []string{"DL3009", "DKL-DI-0005"}, "apt lists left in the layer",
		"Delete them in the same RUN: `rm -rf /var/lib/apt/lists/*`.", bestPractices+"#apt-get",
		onDebian+"RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10\n"+nonRoot,
		onDebian+"RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*\n"+nonRoot).
		with(checkAptLists),
	cacheRule("PC-DF211", []string{"DL3015", "DS-0029", "DKL-DI-0005"}, "apt-get install without --no-install-recommends",
		"Add `--no-install-recommends` and name what is needed.", bestPractices+"#apt-get",
		onDebian+"RUN apt-get update && apt-get install -y curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*\n"+nonRoot,
		onDebian+"RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*\n"+nonRoot).
		with(checkRecommends),
	cacheRule("PC-DF212", []string{"DL3019", "DS-0025", "DKL-DI-0004"}, "apk add without --no-cache",
		"Add `--no-cache`.", "https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper",
		onAlpine+"RUN apk add curl=8.14.1-r1\n"+nonRoot, onAlpine+"RUN apk add --no-cache curl=8.14.1-r1\n"+nonRoot).
		with(checkApkCache),
	cacheRule("PC-DF213", []string{"DL3032", "DS-0015"}, "yum cache left in the layer",
		"End the step with `yum clean all`.", "https://man7.org/linux/man-pages/man8/yum.8.html",
		onFedora+"RUN yum install -y httpd-2.4.63\n"+nonRoot, onFedora+"RUN yum install -y httpd-2.4.63 && yum clean all\n"+nonRoot).
		with(cleaned("yum", " && yum clean all", "/var/cache/yum", "/var/cache/dnf")),
	cacheRule("PC-DF214", []string{"DL3040", "DS-0019", "DS-0027"}, "dnf cache left in the layer",
		"End the step with `dnf clean all`.", "https://dnf.readthedocs.io/en/latest/command_ref.html#clean-command",
		onFedora+"RUN dnf install -y httpd-2.4.63\n"+nonRoot, onFedora+"RUN dnf install -y httpd-2.4.63 && dnf clean all\n"+nonRoot).
		with(cleaned("dnf", " && dnf clean all", "/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5")),
	cacheRule("PC-DF215", []string{"DL3036", "DS-0020"}, "zypper cache left in the layer",
		"End the step with `zypper clean --all`.", "https://en.opensuse.org/SDB:Zypper_manual",
		onSUSE+"RUN zypper -n install httpd=2.4.58\n"+nonRoot, onSUSE+"RUN zypper -n install httpd=2.4.58 && zypper clean --all\n"+nonRoot).
		with(cleaned("zypper", " && zypper clean --all", "/var/cache/zypp")),
	cacheRule("PC-DF216", []string{"DL3042"}, "pip cache left in the layer",
		"Add `--no-cache-dir`, or mount a cache.", "https://pip.pypa.io/en/stable/topics/caching/",
		onPython+"RUN pip install flask==3.1.1\n"+nonRoot, onPython+"RUN pip install --no-cache-dir flask==3.1.1\n"+nonRoot).
		with(checkPipCache),
	cacheRule("PC-DF217", []string{"DL3060"}, "yarn cache left in the layer",
		"End the step with `yarn cache clean`, or mount a cache.", "https://classic.yarnpkg.com/en/docs/cli/cache/",
		onNode+"RUN yarn install --frozen-lockfile\n"+nonRoot, onNode+"RUN yarn install --frozen-lockfile && yarn cache clean\n"+nonRoot).
		with(checkYarnCache),
}

// shipped reports whether what the step leaves behind is in the final image.
// A trigger of ONBUILD runs in the image that uses this one.
func shipped(p *Pass, run *Run) bool {
	final := p.File.Final()
	if final == nil || run.In.Outer != nil {
		return true
	}
	if p.shared.shipping == nil {
		p.shared.shipping = make(map[*df.Stage]bool)
		for s := final; s != nil; s = s.Parent {
			p.shared.shipping[s] = true
		}
	}
	return p.shared.shipping[run.In.Stage]
}

// removes reports whether the script deletes a path that begins with one of
// the given ones.
func removes(run *Run, paths ...string) bool {
	return slices.ContainsFunc(run.Script.Commands, func(c *shellscript.Command) bool {
		if c.Name != "rm" && c.Name != "find" {
			return false
		}
		return slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool {
			return slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(strings.TrimRight(a.Text, "/*"), p) })
		})
	})
}

// appendTo is the change that adds a command behind the script's last one; none
// where the script is no plain chain.
func appendTo(run *Run, text string) []Replacement {
	s := run.Script
	if run.In.Exec || len(run.In.Heredocs) > 0 || s.File == nil || len(s.File.Stmts) != 1 {
		return nil
	}
	st := s.File.Stmts[0]
	if st.Background || st.Semicolon.IsValid() || strings.Contains(run.text.S, "||") {
		return nil
	}
	end := run.span(shellscript.Range{Start: 0, End: int(st.End().Offset())}).End
	return []Replacement{{At: df.Span{Start: end, End: end}, NewText: text}}
}

func checkAptLists(p *Pass, run *Run) {
	if !shipped(p, run) || cacheMount(run.In, "/var/lib/apt") || removes(run, "/var/lib/apt") {
		return
	}
	var update *shellscript.Command
	var verb shellscript.Arg
	for _, c := range run.Script.Commands {
		cl, ok := callOf("apt", c)
		switch {
		case !ok:
		case cl.verb.Text == "update" && update == nil:
			update, verb = c, cl.verb
		case cl.verb.Text == "distclean" || cl.verb.Text == "dist-clean":
			return
		}
	}
	if update != nil {
		p.Reportf(run.In, run.span(verb.At), "apt lists", "%s update leaves its lists in the layer; delete them in the same RUN: `rm -rf /var/lib/apt/lists/*`.", update.Name).
			Fix("Delete the lists in the same RUN.", appendTo(run, " && rm -rf /var/lib/apt/lists/*")...)
	}
}

func checkRecommends(p *Pass, run *Run) {
	if !shipped(p, run) {
		return
	}
	for _, c := range run.Script.Commands {
		cl, ok := callOf("apt", c)
		if !ok || cl.verb.Text != "install" || len(cl.rest) == 0 || cl.has("--no-install-recommends", "--without-recommends", "-R") {
			continue
		}
		if mentionedBefore(p, run, "Install-Recommends") {
			continue
		}
		r := p.Reportf(run.In, run.span(cl.verb.At), c.Name+" install "+cl.rest[0].Text,
			"%s install also takes what the packages recommend; add --no-install-recommends.", c.Name)
		if !run.In.Exec && !cl.verb.Split {
			r.Fix("Add --no-install-recommends.", insertAfter(run, cl.verb.At, " --no-install-recommends"))
		}
	}
}

func checkApkCache(p *Pass, run *Run) {
	if !shipped(p, run) || cacheMount(run.In, "apk") || removes(run, "/var/cache/apk", "/etc/apk/cache", "/lib/apk") {
		return
	}
	for _, c := range run.Script.Commands {
		cl, ok := callOf("apk", c)
		if !ok || cl.verb.Text != "add" || cl.has("--no-cache") {
			continue
		}
		r := p.Reportf(run.In, run.span(cl.verb.At), "apk add", "apk add keeps the package index in the layer; add --no-cache.")
		if !run.In.Exec && !cl.verb.Split {
			r.Fix("Add --no-cache.", insertAfter(run, cl.verb.At, " --no-cache"))
		}
	}
}

// cleaned is a check that a step which installs with the manager also empties
// its cache.
func cleaned(name, fix string, paths ...string) func(*Pass, *Run) {
	return func(p *Pass, run *Run) {
		if !shipped(p, run) || cacheMount(run.In, paths...) || cacheMount(run.In, name) || removes(run, paths...) {
			return
		}
		var by *shellscript.Command
		var verb shellscript.Arg
		for _, c := range run.Script.Commands {
			cl, ok := callOf(name, c)
			switch {
			case !ok:
			case cl.verb.Text == "clean" || cl.verb.Text == "cc":
				return
			case by == nil && (managers[name].asking[cl.verb.Text] || cl.verb.Text == "update" || cl.verb.Text == "upgrade") &&
				cl.verb.Text != "remove" && cl.verb.Text != "rm":
				by, verb = c, cl.verb
			}
		}
		if by != nil && !keepsNoCache(by) {
			p.Reportf(run.In, run.span(verb.At), by.Name+" cache", "%s %s leaves its cache in the layer; end the step with %s.",
				by.Name, verb.Text, quote(strings.TrimPrefix(strings.Replace(fix, name+" ", by.Name+" ", 1), " && "))).
				Fix("Empty the cache in the same RUN.", appendTo(run, strings.Replace(fix, name+" ", by.Name+" ", 1))...)
		}
	}
}

// keepsNoCache reports options by which nothing is cached.
func keepsNoCache(c *shellscript.Command) bool {
	return slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool {
		return strings.Contains(a.Text, "keepcache=0") && c.Name == "microdnf" || strings.HasPrefix(a.Text, "--installroot")
	})
}

func checkPipCache(p *Pass, run *Run) {
	if !shipped(p, run) || cacheMount(run.In, "pip", "cache") || removes(run, "/root/.cache", "~/.cache", "$HOME/.cache", "/tmp/pip") {
		return
	}
	// pip reads any value but an empty one as yes: the variable negates itself.
	if v, ok := run.In.Lookup("PIP_NO_CACHE_DIR"); ok && v.Text != "" && !off(v.Text) {
		return
	}
	for _, c := range run.Script.Commands {
		args, ok := pip(c)
		if !ok || c.Name == "uv" {
			continue
		}
		cl := split(args, pipOptions)
		if cl.operand(0) == "cache" && cl.operand(1) == "purge" {
			return
		}
	}
	exported := false
	for _, c := range run.Script.Commands {
		own := assigns(c, "PIP_NO_CACHE_DIR")
		exported = exported || own && (c.Name == "" || c.Name == "export")
		args, ok := pip(c)
		if !ok || c.Name == "uv" || c.Name == "pipx" {
			continue
		}
		cl := split(args, pipOptions)
		if cl.operand(0) != "install" || cl.has("--no-cache-dir", "--no-cache") || own || exported {
			continue
		}
		if _, known := cl.find("--cache-dir"); known {
			continue
		}
		verb := cl.Operands[0]
		r := p.Reportf(run.In, run.span(verb.At), "pip install", "%s install keeps what it downloads in the layer; add --no-cache-dir.", installer(c))
		if !run.In.Exec && !verb.Split {
			r.Fix("Add --no-cache-dir.", insertAfter(run, verb.At, " --no-cache-dir"))
		}
	}
}

// assigns reports whether the command gives the variable a value.
func assigns(c *shellscript.Command, name string) bool {
	return slices.ContainsFunc(c.Assigns, func(a shellscript.Assign) bool { return a.Name == name && a.Value.Text != "" })
}

func checkYarnCache(p *Pass, run *Run) {
	if !shipped(p, run) || cacheMount(run.In, "yarn", "cache") || removes(run, "/usr/local/share/.cache", "/root/.cache", "~/.cache", "/tmp/yarn", ".yarn/cache") {
		return
	}
	var by *shellscript.Command
	for _, c := range run.Script.Commands {
		if c.Name != "yarn" {
			continue
		}
		cl := split(c.Args, options{long: set("--cwd", "--cache-folder", "--modules-folder", "--registry", "--network-timeout", "--mutex")})
		switch cl.operand(0) {
		case "cache":
			if cl.operand(1) == "clean" {
				return
			}
		case "install", "add", "global", "":
			if by == nil && !cl.has("--version", "-v", "--help") && (cl.operand(0) != "global" || cl.operand(1) == "add") {
				by = c
			}
		}
	}
	if by != nil {
		p.Reportf(run.In, run.span(by.At), "yarn cache", "yarn keeps what it downloads in the layer; end the step with `yarn cache clean`.").
			Fix("Empty the cache in the same RUN.", appendTo(run, " && yarn cache clean")...)
	}
}
