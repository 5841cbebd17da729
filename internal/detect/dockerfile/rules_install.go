package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

const (
	askWhy    = "Nobody can answer the question that the package manager asks; the build stops."
	askIgnore = "The answer is configured in a file that this Dockerfile does not show."
)

var installRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF033", Aliases: []string{"DL3035", "DS-0024", "DKL-DI-0003", "DL3005", "DL3017", "DL3031", "DL3039"}, Severity: finding.Info,
			Title:        "Distribution upgrade in the build",
			Why:          "What the image holds then depends on the day of the build. A newer base image brings the same updates in a way that can be repeated.",
			Fix:          "Take a newer base image; upgrade single packages by name.",
			WhenToIgnore: "The base image is rebuilt less often than its packages are fixed.",
			References:   []string{bestPractices + "#apt-get"},
			Bad:          onDebian + "RUN apt-get update && apt-get -y dist-upgrade && rm -rf /var/lib/apt/lists/*\n" + nonRoot,
			Good:         onDebian + "RUN apt-get update && apt-get install -y --no-install-recommends openssl=3.0.17-1 && rm -rf /var/lib/apt/lists/*\n" + nonRoot,
		},
		Command: checkUpgrade,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF128", Aliases: []string{"DL3014", "DS-0021"}, Severity: finding.Medium,
			Title: "apt-get install without -y", Why: askWhy, Fix: "Add `-y`.", WhenToIgnore: askIgnore,
			References: []string{bestPractices + "#apt-get"},
			Bad:        onDebian + "RUN apt-get update && apt-get install --no-install-recommends curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*\n" + nonRoot,
			Good:       onDebian + "RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*\n" + nonRoot,
		},
		Command: asks("apt"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF129", Aliases: []string{"DL3030"}, Severity: finding.Medium,
			Title: "yum install without -y", Why: askWhy, Fix: "Add `-y`.", WhenToIgnore: askIgnore,
			References: []string{"https://man7.org/linux/man-pages/man8/yum.8.html"},
			Bad:        onFedora + "RUN yum install httpd-2.4.63 && yum clean all\n" + nonRoot,
			Good:       onFedora + "RUN yum install -y httpd-2.4.63 && yum clean all\n" + nonRoot,
		},
		Command: asks("yum"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF130", Aliases: []string{"DL3038"}, Severity: finding.Medium,
			Title: "dnf install without -y", Why: askWhy, Fix: "Add `-y`.", WhenToIgnore: askIgnore,
			References: []string{"https://dnf.readthedocs.io/en/latest/command_ref.html"},
			Bad:        onFedora + "RUN dnf install httpd-2.4.63 && dnf clean all\n" + nonRoot,
			Good:       onFedora + "RUN dnf install -y httpd-2.4.63 && dnf clean all\n" + nonRoot,
		},
		Command: asks("dnf"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF131", Aliases: []string{"DL3034"}, Severity: finding.Medium,
			Title: "zypper without -n or -y", Why: askWhy, Fix: "Add `-n` behind zypper.", WhenToIgnore: askIgnore,
			References: []string{"https://en.opensuse.org/SDB:Zypper_manual"},
			Bad:        onSUSE + "RUN zypper install httpd=2.4.58 && zypper clean --all\n" + nonRoot,
			Good:       onSUSE + "RUN zypper -n install httpd=2.4.58 && zypper clean --all\n" + nonRoot,
		},
		Command: asks("zypper"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF132", Aliases: []string{"DS-0017", "CIS-DI-0007", "CKV_DOCKER_5"}, Severity: finding.Medium,
			Title:        "Package index updated in a step of its own",
			Why:          "The layer with the index is cached: a later step installs from an index that is weeks old, misses security updates, or finds packages gone.",
			Fix:          "Update and install in one RUN: `RUN apt-get update && apt-get install -y …`.",
			WhenToIgnore: "The image is a base for others that install on their own.",
			References:   []string{bestPractices + "#apt-get"},
			Bad:          onAlpine + "RUN apk update\n" + nonRoot,
			Good:         onAlpine + "RUN apk add --no-cache curl=8.14.1-r1\n" + nonRoot,
		},
		Run: checkUpdateAlone,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF133", Aliases: []string{"DL3027", "CKV_DOCKER_9"}, Severity: finding.Info,
			Title:        "apt instead of apt-get",
			Why:          "apt is made for people: its options and its output may change from one release to the next.",
			Fix:          "Use apt-get, or apt-cache for questions.",
			WhenToIgnore: "An option is needed that apt-get does not have.",
			References:   []string{"https://manpages.debian.org/bookworm/apt/apt.8.en.html"},
			Bad:          onDebian + "RUN apt purge -y curl\n" + nonRoot,
			Good:         onDebian + "RUN apt-get purge -y curl\n" + nonRoot,
		},
		Command: checkApt,
	},
}

// manager describes how a package manager is called.
type manager struct {
	names   map[string]bool
	options options
	// yes are the options that answer all questions.
	yes []string
	// asking are the subcommands that ask, install those that take packages.
	asking, install map[string]bool
}

var managers = map[string]manager{
	"apt": {
		names: set("apt-get", "apt", "aptitude"),
		options: options{short: "ocat", long: set("--option", "--config-file", "--target-release", "--default-release",
			"--host-architecture", "--build-profiles")},
		yes:     []string{"-y", "--yes", "--assume-yes", "--force-yes", "-s", "--simulate", "--dry-run", "--just-print", "--print-uris", "-d", "--download-only"},
		asking:  set("install"),
		install: set("install"),
	},
	"yum": {
		names:   set("yum"),
		options: yumOptions,
		yes:     []string{"-y", "--assumeyes", "--assumeno", "--downloadonly"},
		asking:  set("install", "groupinstall", "localinstall", "reinstall"),
		install: set("install", "localinstall"),
	},
	"dnf": {
		names:   set("dnf", "dnf5", "microdnf", "tdnf"),
		options: yumOptions,
		yes:     []string{"-y", "--assumeyes", "--assumeno", "--downloadonly"},
		asking:  set("install", "groupinstall", "localinstall", "reinstall"),
		install: set("install", "localinstall"),
	},
	"zypper": {
		names: set("zypper"),
		options: options{short: "crtRDCpP", long: set("--config", "--root", "--repo", "--from", "--type", "--reposd-dir", "--cache-dir",
			"--raw-cache-dir", "--solv-cache-dir", "--pkg-cache-dir", "--plus-repo", "--plus-content", "--name", "--download")},
		yes:     []string{"-n", "--non-interactive", "-y", "--no-confirm", "-D", "--dry-run"},
		asking:  set("install", "in", "remove", "rm", "update", "up", "dist-upgrade", "dup", "patch", "source-install", "si"),
		install: set("install", "in"),
	},
	"apk": {
		names: set("apk"),
		options: options{short: "tXp", long: set("--virtual", "--repository", "--root", "--arch", "--keys-dir", "--repositories-file",
			"--cache-dir", "--wait", "--cache-max-age", "--timeout", "--progress-fd")},
		install: set("add"),
	},
}

var yumOptions = options{
	short: "cdexR",
	long: set("--config", "--installroot", "--enablerepo", "--disablerepo", "--exclude", "--repo", "--repoid", "--releasever",
		"--setopt", "--forcearch", "--disableplugin", "--enableplugin", "--downloaddir", "--comment", "--repofrompath"),
}

// call is a package manager's command line: its subcommand and the rest.
type call struct {
	commandLine
	verb shellscript.Arg
	rest []shellscript.Arg
}

// callOf reads the command as one of the package manager with the name.
func callOf(name string, c *shellscript.Command) (call, bool) {
	m := managers[name]
	if !m.names[c.Name] {
		return call{}, false
	}
	cl := split(c.Args, m.options)
	out := call{commandLine: cl}
	if len(cl.Operands) > 0 {
		out.verb, out.rest = cl.Operands[0], cl.Operands[1:]
	}
	return out, true
}

// asks is a check that a package manager is told not to ask.
func asks(name string) func(*Pass, *Run, *shellscript.Command) {
	return func(p *Pass, run *Run, c *shellscript.Command) {
		m := managers[name]
		cl, ok := callOf(name, c)
		if !ok || !m.asking[cl.verb.Text] || cl.has(m.yes...) || answered(p, run, c, cl) {
			return
		}
		r := p.Reportf(run.In, run.span(cl.verb.At), c.Name+" "+cl.verb.Text, "%s %s asks before it goes on, and nobody can answer; add %s.",
			c.Name, cl.verb.Text, quote(m.yes[0]))
		if !run.In.Exec && !cl.verb.Split {
			at := cl.verb.At
			if name == "zypper" {
				at = c.At
			}
			r.Fix("Add "+m.yes[0]+".", insertAfter(run, at, " "+m.yes[0]))
		}
	}
}

// answered reports the other ways to answer: -qq and -q=2 of apt-get, settings
// on the command line or in a file of an earlier step, and yes in a pipe.
func answered(p *Pass, run *Run, c *shellscript.Command, cl call) bool {
	quiet := 0
	for _, o := range cl.Options {
		switch {
		case o.Name == "-q" && !o.HasValue, o.Name == "--quiet" && !o.HasValue:
			quiet++
		case o.Name == "-q", o.Name == "--quiet":
			return o.Value != "0" && o.Value != "1"
		case strings.Contains(strings.ToLower(o.Value), "assume-yes=") && on(o.Value[strings.LastIndexByte(o.Value, '=')+1:]):
			return true
		case o.Name == "--setopt" && strings.HasPrefix(o.Value, "assumeyes="):
			return on(strings.TrimPrefix(o.Value, "assumeyes="))
		}
		if strings.HasPrefix(o.Arg.Text, "-q=") {
			return strings.TrimPrefix(o.Arg.Text, "-q=") >= "2"
		}
	}
	if quiet >= 2 && managers["apt"].names[c.Name] {
		return true
	}
	switch run.feeder(c) {
	case "yes", "echo", "printf":
		return true
	}
	return mentionedBefore(p, run, "Assume-Yes") && managers["apt"].names[c.Name] ||
		mentionedBefore(p, run, "assumeyes") && (c.Name == "yum" || c.Name == "dnf")
}

// mentionedBefore reports whether a step of the same image, up to this one,
// holds the text: a setting written into a file.
func mentionedBefore(p *Pass, run *Run, text string) bool {
	sh := p.shared
	if sh.mentions == nil {
		sh.mentions = make(map[string]map[*df.Stage]int)
	}
	first, ok := sh.mentions[text]
	if !ok {
		first = firstRuns(p, func(r *Run) bool { return strings.Contains(r.text.S, text) })
		sh.mentions[text] = first
	}
	return before(first, run.In, run.In.Index+1)
}

// firstRuns are, for each stage, the index of its first step that the function
// accepts.
func firstRuns(p *Pass, accept func(*Run) bool) map[*df.Stage]int {
	first := make(map[*df.Stage]int)
	for _, r := range p.Runs() {
		if _, known := first[r.In.Stage]; !known && accept(r) {
			first[r.In.Stage] = r.In.Index
		}
	}
	return first
}

// maxStages bounds how far a chain of stages is followed for one step.
const maxStages = 200

// before reports whether the stage of the instruction, or a parent of it, has
// an entry with an index below the given one.
func before(first map[*df.Stage]int, in *df.Instruction, index int) bool {
	if len(first) == 0 {
		return false
	}
	n := 0
	for s := in.Stage; s != nil && n < maxStages; s = s.Parent {
		if i, ok := first[s]; ok && i < index {
			return true
		}
		n++
	}
	return false
}

func checkUpgrade(p *Pass, run *Run, c *shellscript.Command) {
	for _, name := range []string{"apt", "yum", "dnf", "zypper", "apk"} {
		cl, ok := callOf(name, c)
		if !ok {
			continue
		}
		verb := cl.verb.Text
		bad := false
		switch name {
		case "apt":
			bad = verb == "upgrade" || verb == "dist-upgrade" || verb == "full-upgrade" || verb == "safe-upgrade"
		case "yum", "dnf":
			bad = (verb == "update" || verb == "upgrade" || verb == "distro-sync") && len(cl.rest) == 0 &&
				!cl.has("--security", "--bugfix", "--advisory", "--cve")
		case "zypper":
			bad = (verb == "update" || verb == "up") && len(cl.rest) == 0 || verb == "dist-upgrade" || verb == "dup"
		case "apk":
			bad = verb == "upgrade" && len(cl.rest) == 0
		}
		if bad {
			p.Reportf(run.In, run.span(cl.verb.At), c.Name+" "+verb, "%s %s makes the image depend on the day of the build; take a newer base image instead.", c.Name, verb)
		}
	}
}

// indexUpdates are the subcommands that fetch the package index, and those
// that make use of it.
var indexUpdates = map[string]struct{ update, use map[string]bool }{
	"apt": {set("update"), set("install", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "source", "download", "satisfy",
		"safe-upgrade", "search", "reinstall")},
	"apk":    {set("update"), set("add", "upgrade", "fetch")},
	"zypper": {set("refresh", "ref"), set("install", "in", "update", "up", "dup", "dist-upgrade", "patch")},
	"yum":    {set("makecache"), set("install", "update", "upgrade", "groupinstall", "reinstall")},
	"dnf":    {set("makecache"), set("install", "update", "upgrade", "group", "groupinstall", "module", "builddep", "reinstall")},
}

func checkUpdateAlone(p *Pass, run *Run) {
	for name, verbs := range indexUpdates {
		var verb shellscript.Arg
		var by *shellscript.Command
		used := false
		for _, c := range run.Script.Commands {
			cl, ok := callOf(name, c)
			switch {
			case ok && verbs.update[cl.verb.Text]:
				if by == nil {
					verb, by = cl.verb, c
				}
			case ok && verbs.use[cl.verb.Text], by != nil && mayInstall(c):
				used = true
			}
		}
		if by != nil && !used && !cacheMount(run.In, "apt", "apk", "dnf", "yum", "zypp") {
			p.Reportf(run.In, run.span(verb.At), by.Name+" "+verb.Text,
				"%s %s stands in a step of its own, which is cached and gets old; install the packages in the same RUN.", by.Name, verb.Text)
		}
	}
}

// mayInstall reports commands that may install packages out of sight: scripts,
// functions with such a name, other package tools.
func mayInstall(c *shellscript.Command) bool {
	switch c.Name {
	case "apt-cache", "apt-file", "gdebi", "mk-build-deps", "aptitude", "tasksel", "debootstrap", "playwright", "npx", "rosdep", "ansible-playbook", "make", "python", "python3":
		return true
	}
	return strings.HasSuffix(c.Name, ".sh") || strings.Contains(c.Name, "install") && c.Name != "install" ||
		shellscript.IsShell(c.Name) && (len(c.Args) > 0 || !c.Stdin)
}

// cacheMount reports a cache or tmpfs mount on a path with one of the words.
func cacheMount(in *df.Instruction, words ...string) bool {
	for _, m := range mounts(in) {
		if m.kind != "cache" && m.kind != "tmpfs" {
			continue
		}
		for _, w := range words {
			if strings.Contains(m.target, w) {
				return true
			}
		}
	}
	return false
}

var aptGetVerbs = set("install", "update", "upgrade", "full-upgrade", "remove", "purge", "autoremove", "clean", "autoclean", "source", "build-dep", "download", "satisfy", "reinstall")

func checkApt(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "apt" || len(c.Args) == 0 {
		return
	}
	cl, _ := callOf("apt", c)
	r := p.Reportf(run.In, run.span(c.At), "apt "+cl.verb.Text, "apt is made for people and may change; write %s.", quote("apt-get "+cl.verb.Text))
	if at := run.span(c.At); aptGetVerbs[cl.verb.Text] && p.source(at) == "apt" {
		r.Fix("Write apt-get.", Replacement{At: at, NewText: "apt-get"})
	}
}
