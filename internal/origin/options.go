package origin

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// valued are the options of a program that take a value in the next word. One
// that is missing here makes its value look like an operand.
type valued struct {
	// short are the one-letter options, which may be joined.
	short string
	// long are the others, with their dashes.
	long []string
	// whole is set for programs whose options are words behind a single dash.
	whole bool
	// folder are those whose value is the folder to work in.
	folder []string
}

var (
	aptOptions = valued{short: "ocat", long: []string{"--option", "--config-file", "--target-release", "--default-release", "--host-architecture", "--build-profiles", "--with-source"}}
	dnfOptions = valued{short: "cdexR", long: []string{
		"--config", "--installroot", "--enablerepo", "--disablerepo", "--enable-repo", "--disable-repo", "--exclude", "--excludepkgs", "--repo", "--repoid",
		"--releasever", "--setopt", "--forcearch", "--arch", "--disableplugin", "--enableplugin", "--downloaddir", "--destdir", "--comment", "--repofrompath",
		"--advisory", "--bz", "--cve", "--sec-severity",
	}}
	pipOptions = valued{short: "rcitfCd", long: []string{
		"--requirement", "--constraint", "--index-url", "--extra-index-url", "--pypi-url", "--find-links", "--target", "--prefix", "--root", "--src",
		"--proxy", "--cert", "--client-cert", "--trusted-host", "--platform", "--python-version", "--implementation", "--abi", "--no-binary",
		"--only-binary", "--progress-bar", "--timeout", "--retries", "--cache-dir", "--log", "--exists-action", "--upgrade-strategy",
		"--config-settings", "--global-option", "--build-option", "--install-option", "--python", "--root-user-action", "--report", "--use-feature",
		"--use-deprecated", "--keyring-provider", "--dest", "--resume-retries", "--group", "--build-constraint",
	}}
	uvOptions = valued{short: "rcitfCp", long: append([]string{
		"--requirements", "--constraints", "--override", "--overrides", "--index", "--default-index", "--index-strategy", "--resolution", "--prerelease",
		"--extra", "--link-mode", "--exclude-newer", "--torch-backend", "--with", "--directory", "--project", "--config-file", "--color", "--fork-strategy",
		"--no-build-isolation-package", "--no-sources-package", "--refresh-package", "--reinstall-package", "--upgrade-package", "--optional", "--rev", "--tag", "--branch",
	}, pipOptions.long...), folder: []string{"--directory", "--project"}}
	npmOptions = valued{short: "wC", long: []string{
		"--prefix", "--workspace", "--registry", "--omit", "--include", "--only", "--also", "--cache", "--tag", "--userconfig", "--globalconfig", "--loglevel",
		"--install-strategy", "--before", "--os", "--cpu", "--libc", "--script-shell", "--save-prefix", "--depth", "--fetch-timeout", "--fetch-retries",
		"--maxsockets", "--node-options", "--otp", "--scope",
	}, folder: []string{"--prefix", "-C"}}
	pnpmOptions = valued{short: "CF", long: []string{
		"--dir", "--prefix", "--filter", "--filter-prod", "--registry", "--store-dir", "--reporter", "--lockfile-dir", "--virtual-store-dir", "--modules-dir", "--global-dir",
		"--workspace-concurrency", "--network-concurrency", "--child-concurrency", "--node-linker", "--loglevel", "--cpu", "--os", "--libc", "--package-import-method",
	}, folder: []string{"-C", "--dir", "--prefix"}}
	yarnOptions = valued{long: []string{
		"--cwd", "--modules-folder", "--cache-folder", "--registry", "--network-timeout", "--network-concurrency", "--mutex", "--prefix", "--global-folder",
		"--preferred-cache-folder", "--use-yarnrc", "--mode", "--https-proxy", "--proxy", "--link-folder",
	}, folder: []string{"--cwd", "--modules-folder"}}
	goOptions = valued{whole: true, long: []string{
		"-C", "-ldflags", "-tags", "-gcflags", "-asmflags", "-gccgoflags", "-mod", "-modfile", "-overlay", "-pkgdir", "-toolexec", "-buildmode", "-compiler",
		"-covermode", "-coverpkg", "-exec", "-installsuffix", "-pgo", "-p", "-o", "-run", "-timeout", "-count", "-coverprofile",
	}, folder: []string{"-C"}}
	gemOptions = valued{short: "vinspPBE", long: []string{
		"--version", "--install-dir", "--bindir", "--source", "--http-proxy", "--platform", "--trust-policy", "--build-root", "--bulk-threshold", "--config-file",
	}}
	cargoOptions = valued{short: "jFZp", long: []string{
		"--version", "--vers", "--branch", "--tag", "--rev", "--path", "--root", "--index", "--registry", "--bin", "--example", "--features",
		"--profile", "--target", "--target-dir", "--jobs", "--message-format", "--color", "--config", "--manifest-path", "--lockfile-path", "--package", "--exclude",
	}, folder: []string{"--manifest-path", "--target-dir", "--path"}}
)

// programs are the options of the programs that are looked into. Of others,
// each option is taken for a word without a value.
var programs = map[string]valued{
	"apt-get": aptOptions, "apt": aptOptions, "aptitude": aptOptions,
	"apk": {short: "tXp", long: []string{
		"--virtual", "--repository", "--root", "--arch", "--keys-dir", "--repositories-file", "--cache-dir", "--wait", "--cache-max-age", "--timeout", "--progress-fd", "--cache-predownload",
	}},
	"yum": dnfOptions, "dnf": dnfOptions, "dnf5": dnfOptions, "microdnf": dnfOptions, "tdnf": dnfOptions,
	"zypper": {short: "crtRDCpP", long: []string{
		"--config", "--root", "--repo", "--from", "--type", "--reposd-dir", "--cache-dir", "--raw-cache-dir", "--solv-cache-dir", "--pkg-cache-dir", "--plus-repo",
		"--plus-content", "--name", "--download", "--installroot", "--releasever", "--userdata",
	}},
	"pip": pipOptions, "pip3": pipOptions, "uv": uvOptions,
	"pipx":   {short: "i", long: []string{"--python", "--pip-args", "--suffix", "--index-url", "--preinstall", "--spec", "--constraint"}},
	"poetry": {short: "GECP", long: []string{"--group", "--extras", "--source", "--platform", "--python", "--directory", "--project", "--markers", "--with", "--without", "--only"}, folder: []string{"-C", "--directory", "-P", "--project"}},
	"pipenv": {short: "rci", long: []string{"--requirements", "--index", "--python", "--pypi-mirror", "--categories", "--extra-pip-args"}},
	"pdm":    {short: "GpL", long: []string{"--group", "--project", "--lockfile", "--venv", "--config"}, folder: []string{"-p", "--project", "-L", "--lockfile"}},
	"npm":    npmOptions, "pnpm": pnpmOptions, "yarn": yarnOptions,
	"bun": {short: "c", long: []string{"--cwd", "--registry", "--backend", "--cache-dir", "--config", "--cafile", "--ca", "--filter"}, folder: []string{"--cwd"}},
	"go":  goOptions, "tinygo": goOptions, "garble": goOptions,
	"gem": gemOptions, "cargo": cargoOptions,
	"composer": {short: "d", long: []string{"--working-dir", "--prefer-install", "--ignore-platform-req"}, folder: []string{"-d", "--working-dir"}},
	"bundle":   {short: "j", long: []string{"--gemfile", "--path", "--jobs", "--without", "--with", "--retry"}, folder: []string{"--gemfile"}},
	"mvn":      {short: "fDPplrstT", long: []string{"--file", "--projects", "--activate-profiles", "--settings", "--threads"}, folder: []string{"-f", "--file"}},
	"gradle":   {short: "pbcgIPDx", long: []string{"--project-dir", "--build-file", "--init-script", "--exclude-task"}, folder: []string{"-p", "--project-dir", "-b", "--build-file"}},
}

// optionsOf are the options of a program, wrapper scripts of projects included.
func optionsOf(program string) valued {
	switch {
	case program == "mvnw" || program == "gradlew":
		program = strings.TrimSuffix(program, "w")
	case strings.HasPrefix(program, "pip3."):
		program = "pip3"
	}
	return programs[program]
}

// option is an option of a command line with its value, if it has one.
type option struct {
	name  string
	value shellscript.Arg
	given bool
}

// split tells options from operands. All that comes after "--" is an operand.
func (v valued) split(args []shellscript.Arg) (options []option, operands []shellscript.Arg) {
	for i := 0; i < len(args); i++ {
		text := args[i].Text
		next := func(o option) {
			if i+1 < len(args) {
				i++
				o.value, o.given = args[i], true
			}
			options = append(options, o)
		}
		switch {
		case text == "--":
			return options, append(operands, args[i+1:]...)
		case len(text) < 2 || text[0] != '-':
			operands = append(operands, args[i])
		case v.whole || strings.HasPrefix(text, "--"):
			name, value, joined := strings.Cut(text, "=")
			if v.whole {
				name = "-" + strings.TrimLeft(name, "-")
			}
			switch o := (option{name: name}); {
			case joined:
				o.value, o.given = args[i], true
				o.value.Text = value
				options = append(options, o)
			case slices.Contains(v.long, name):
				next(o)
			default:
				options = append(options, o)
			}
		default:
			for j := 1; j < len(text); j++ {
				o := option{name: "-" + text[j:j+1]}
				if strings.IndexByte(v.short, text[j]) < 0 {
					options = append(options, o)
					continue
				}
				if j+1 == len(text) {
					next(o)
					break
				}
				o.value, o.given = args[i], true
				o.value.Text = strings.TrimPrefix(text[j+1:], "=")
				options = append(options, o)
				break
			}
		}
	}
	return options, operands
}

// operandsOf are the words of a command that are neither options nor their values.
func operandsOf(c *shellscript.Command) []shellscript.Arg {
	_, operands := optionsOf(c.Name).split(c.Args)
	return operands
}

// worksIn is the folder that an option tells a command to work in, "." without
// one. It is not told where a file in it or a part of it is named, or a variable.
func worksIn(c *shellscript.Command) (folder string, told bool) {
	v := optionsOf(c.Name)
	options, _ := v.split(c.Args)
	folder = "."
	for _, o := range options {
		if !slices.Contains(v.folder, o.name) {
			continue
		}
		if !o.given || !o.value.Known {
			return "", false
		}
		switch o.name {
		case "--manifest-path", "--gemfile", "-f", "--file", "-b", "--build-file", "-L", "--lockfile":
			if folder = o.value.Text; path.Ext(folder) != "" || path.Base(folder) == "Gemfile" {
				folder = path.Dir(folder)
			}
		case "--target-dir", "--modules-folder":
			return "", false // what is written lies there, and not what is read
		default:
			folder = o.value.Text
		}
	}
	return folder, true
}
