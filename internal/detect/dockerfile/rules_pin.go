package dockerfile

import (
	"path"
	"regexp"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

const (
	pinWhy    = "Without a version each build may install another one: builds cannot be repeated, and a bad release goes straight into the image."
	pinIgnore = "The repository drops old versions, so that a pinned build breaks, and images are rebuilt often."
)

func pinRule(id, alias, title, fix, reference, bad, good string, check func(*Pass, *Run, *shellscript.Command)) Rule {
	return Rule{
		Rule: rules.Rule{
			ID: id, Aliases: []string{alias}, Severity: finding.Info, Title: title, Why: pinWhy, Fix: fix, WhenToIgnore: pinIgnore,
			References: []string{reference}, Tags: []string{"external/cwe/cwe-1357"}, Bad: bad, Good: good,
		},
		Command: check,
	}
}

var pinRules = []Rule{
	pinRule("PC-DF201", "DL3008", "apt packages without version", "Write `package=version`.", bestPractices+"#apt-get",
		onDebian+"RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n"+nonRoot,
		onDebian+"RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*\n"+nonRoot,
		pinned("apt", "package=version", pinnedDeb)),
	pinRule("PC-DF202", "DL3018", "apk packages without version", "Write `package=version`, or `package~=version`.", "https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper",
		onAlpine+"RUN apk add --no-cache curl\n"+nonRoot, onAlpine+"RUN apk add --no-cache curl=8.14.1-r1\n"+nonRoot,
		pinned("apk", "package=version", pinnedApk)),
	pinRule("PC-DF203", "DL3013", "pip packages without version", "Write `package==version`, best with hashes in a requirements file.", "https://pip.pypa.io/en/stable/topics/repeatable-installs/",
		onPython+"RUN pip install --no-cache-dir flask\n"+nonRoot, onPython+"RUN pip install --no-cache-dir flask==3.1.1\n"+nonRoot,
		checkPipPins),
	pinRule("PC-DF204", "DL3016", "npm packages without version", "Write `package@version`, or use `npm ci` with a lock file.", "https://docs.npmjs.com/cli/commands/npm-install",
		onNode+"RUN npm install -g serve\n"+nonRoot, onNode+"RUN npm install -g serve@14.2.4\n"+nonRoot,
		checkNpmPins),
	pinRule("PC-DF205", "DL3028", "gems without version", "Write `gem install name -v version`, or use Bundler with a lock file.", "https://guides.rubygems.org/command-reference/#gem-install",
		onRuby+"RUN gem install rake\n"+nonRoot, onRuby+"RUN gem install rake -v 13.3.0\n"+nonRoot,
		checkGemPins),
	pinRule("PC-DF206", "DL3062", "Go packages without version", "Write `go install package@version`.", "https://go.dev/ref/mod#go-install",
		onGolang+"RUN go install golang.org/x/tools/cmd/stringer@latest\n"+nonRoot, onGolang+"RUN go install golang.org/x/tools/cmd/stringer@v0.34.0\n"+nonRoot,
		checkGoPins),
	pinRule("PC-DF207", "DL3033", "yum packages without version", "Write `package-version`.", "https://man7.org/linux/man-pages/man8/yum.8.html",
		onFedora+"RUN yum install -y httpd && yum clean all\n"+nonRoot, onFedora+"RUN yum install -y httpd-2.4.63 && yum clean all\n"+nonRoot,
		pinned("yum", "package-version", pinnedRPM)),
	pinRule("PC-DF208", "DL3041", "dnf packages without version", "Write `package-version`.", "https://dnf.readthedocs.io/en/latest/command_ref.html",
		onFedora+"RUN dnf install -y httpd && dnf clean all\n"+nonRoot, onFedora+"RUN dnf install -y httpd-2.4.63 && dnf clean all\n"+nonRoot,
		pinned("dnf", "package-version", pinnedRPM)),
	pinRule("PC-DF209", "DL3037", "zypper packages without version", "Write `package=version`.", "https://en.opensuse.org/SDB:Zypper_manual",
		onSUSE+"RUN zypper -n install httpd && zypper clean --all\n"+nonRoot, onSUSE+"RUN zypper -n install httpd=2.4.58 && zypper clean --all\n"+nonRoot,
		pinned("zypper", "package=version", pinnedZypper)),
}

// pinned is a check that all packages which the manager installs have a
// version. It makes one finding for each command, at the first package without.
func pinned(name, form string, ok func(string) bool) func(*Pass, *Run, *shellscript.Command) {
	return func(p *Pass, run *Run, c *shellscript.Command) {
		cl, is := callOf(name, c)
		if !is || !managers[name].install[cl.verb.Text] {
			return
		}
		if name == "zypper" {
			if o, has := cl.find("-t", "--type"); has && o.Value != "package" {
				return
			}
		}
		reportUnpinned(p, run, c, cl.verb.Text, form, cl.rest, ok)
	}
}

func reportUnpinned(p *Pass, run *Run, c *shellscript.Command, verb, form string, packages []shellscript.Arg, ok func(string) bool) {
	var loose []shellscript.Arg
	for _, a := range packages {
		if !a.Known && strings.Contains(a.Text, "$") || !a.Known && strings.Contains(a.Text, "`") {
			continue // a variable that may hold the version
		}
		if local := localFile(a.Text) && !strings.HasPrefix(a.Text, "git+"); a.Text != "" && !local && !ok(a.Text) {
			loose = append(loose, a)
		}
	}
	if len(loose) == 0 {
		return
	}
	names := make([]string, 0, 4)
	for i, a := range loose {
		if i == 3 && len(loose) > 4 {
			names = append(names, itoa(len(loose)-3)+" more")
			break
		}
		names = append(names, quote(urlWithoutSecrets(a.Text)))
	}
	p.Reportf(run.In, run.span(loose[0].At), c.Name+" "+verb+" "+loose[0].Text, "%s %s takes any version of %s; write %s.",
		installer(c), verb, strings.Join(names, ", "), quote(form))
}

var packageFile = regexp.MustCompile(`(?i)\.(?:deb|apk|rpm|whl|tar\.gz|tgz|zip|gem|tar\.bz2)$|^(?:\.|/|~|file:|\\)`)

// localFile reports a package that is given as a file or a URL.
func localFile(s string) bool { return packageFile.MatchString(s) || strings.Contains(s, "://") }

func pinnedDeb(s string) bool {
	return strings.ContainsAny(s, "=/") || strings.HasSuffix(s, "-") || strings.HasPrefix(s, "?") || strings.HasPrefix(s, "~")
}

func pinnedApk(s string) bool {
	return strings.ContainsAny(s, "=<>~") || strings.HasPrefix(s, "!")
}

var rpmVersion = regexp.MustCompile(`-[0-9][^-]*(?:-[^-]+)?$`)

func pinnedRPM(s string) bool {
	return rpmVersion.MatchString(s) || strings.ContainsAny(s, "=<>") || strings.HasPrefix(s, "@") || strings.HasPrefix(s, "-")
}

func pinnedZypper(s string) bool {
	return strings.ContainsAny(s, "=<>") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "!")
}

func checkPipPins(p *Pass, run *Run, c *shellscript.Command) {
	args, ok := pip(c)
	if !ok {
		if c.Name != "pipx" {
			return
		}
		args = c.Args
	}
	cl := split(args, pipOptions)
	if cl.operand(0) != "install" || cl.has("-c", "--constraint", "-e", "--editable") {
		return
	}
	reportUnpinned(p, run, c, "install", "package==version", cl.Operands[1:], pinnedPip)
}

// pinnedPip accepts any condition on the version; a Git URL needs a revision.
func pinnedPip(s string) bool {
	if strings.HasPrefix(s, "git+") {
		return strings.LastIndexByte(s, '@') > strings.LastIndexByte(s, '/')
	}
	return strings.ContainsAny(s, "=<>~@") || strings.Contains(s, "!=")
}

var npmOptions = options{long: set("--registry", "--prefix", "--loglevel", "--cache", "--workspace", "--tag", "--omit", "--include",
	"--userconfig", "--globalconfig", "--fetch-retries", "--fetch-timeout", "--install-strategy", "--cpu", "--os"), short: "wC"}

func checkNpmPins(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "npm" && c.Name != "pnpm" {
		return
	}
	cl := split(c.Args, npmOptions)
	switch cl.operand(0) {
	case "install", "i", "add", "in":
		reportUnpinned(p, run, c, cl.operand(0), "package@version", cl.Operands[1:], pinnedNpm)
	}
}

// pinnedNpm accepts a version, a range and a commit, not a moving tag.
func pinnedNpm(s string) bool {
	if strings.Contains(s, "#") || strings.HasPrefix(s, "git") && strings.Contains(s, "://") {
		return strings.Contains(s, "#")
	}
	name, version, ok := strings.Cut(strings.TrimPrefix(s, "@"), "@")
	if !ok {
		return false
	}
	switch version {
	case "", "latest", "next", "canary", "beta", "*":
		return name == ""
	}
	return true
}

var gemOptions = options{short: "vinPuwp", long: set("--version", "--install-dir", "--bindir", "--source", "--trust-policy", "--platform", "--build-root", "--http-proxy")}

// versionedGem are the names of gem for one release of Ruby.
var versionedGem = regexp.MustCompile(`^gem[0-9.]+$`)

func checkGemPins(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "gem" && !versionedGem.MatchString(c.Name) {
		return
	}
	args := c.Args
	for i, a := range args {
		if a.Text == "--" {
			args = args[:i] // what follows is for the gem's own build
			break
		}
	}
	cl := split(args, gemOptions)
	if v := cl.operand(0); v != "install" && v != "i" || cl.has("-v", "--version") {
		return
	}
	reportUnpinned(p, run, c, "install", "name:version", cl.Operands[1:], func(s string) bool { return strings.Contains(s, ":") })
}

// goMoving are versions of Go modules that move.
var goMoving = set("latest", "upgrade", "patch", "main", "master", "HEAD")

func checkGoPins(p *Pass, run *Run, c *shellscript.Command) {
	if c.Name != "go" || len(c.Args) == 0 {
		return
	}
	verb := c.Args[0].Text
	if verb != "install" && verb != "get" && verb != "run" {
		return
	}
	cl := split(c.Args[1:], options{whole: true, long: set("-C", "-o", "-p", "-ldflags", "-gcflags", "-tags", "-mod", "-modfile", "-exec", "-asmflags", "-overlay", "-pgo", "-toolexec")})
	packages := cl.Operands
	if verb == "run" && len(packages) > 1 {
		packages = packages[:1] // the rest is for the program
	}
	own := copiesSource(p, run)
	reportUnpinned(p, run, c, verb, "package@version", packages, func(s string) bool {
		name, version, has := strings.Cut(s, "@")
		first, _, _ := strings.Cut(name, "/")
		switch {
		case has:
			return !goMoving[version]
		case !strings.Contains(first, ".") || strings.HasSuffix(s, ".go") || strings.HasPrefix(path.Clean(s), "."):
			return true // of this module, or of the standard library
		}
		return own // go.mod gives the version
	})
}

// copiesSource reports whether the stage has got files of the build context
// before this step, among them perhaps a go.mod.
func copiesSource(p *Pass, run *Run) bool {
	if p.shared.copies == nil {
		p.shared.copies = make(map[*df.Stage]int)
		for _, in := range p.File.Instructions {
			if _, from := in.Flag("from"); in.Keyword != "COPY" && in.Keyword != "ADD" || from {
				continue
			}
			if _, known := p.shared.copies[in.Stage]; !known {
				p.shared.copies[in.Stage] = in.Index
			}
		}
	}
	if before(p.shared.copies, run.In, run.In.Index) {
		return true
	}
	for _, m := range mounts(run.In) {
		if m.kind == "bind" {
			return true
		}
	}
	return false
}
