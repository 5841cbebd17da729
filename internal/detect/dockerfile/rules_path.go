package dockerfile

import (
	"path"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var pathRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF030", Aliases: []string{"DS-0030", "DKL-DI-0002"}, Severity: finding.Medium,
			Title:        "WORKDIR or VOLUME on a system directory",
			Why:          "What the program writes mixes with the system's own files; a volume hides them. A working directory below /proc has been a way out of the container (CVE-2024-21626).",
			Fix:          "Use a directory of the program's own, such as /srv/app.",
			WhenToIgnore: "The image is a tool that manages this very directory.",
			References:   []string{bestPractices + "#workdir", "https://nvd.nist.gov/vuln/detail/CVE-2024-21626"},
			Tags:         []string{"external/cwe/cwe-668"},
			Bad:          onDebian + "WORKDIR /etc\n" + nonRoot,
			Good:         onDebian + "WORKDIR /srv/app\n" + nonRoot,
		},
		Instruction: checkSystemDirectory,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF032", Severity: finding.Info,
			Title:        "The whole context is copied and no ignore file is there",
			Why:          "Without a .dockerignore the copy takes along .git, local configuration and credentials that lie in the folder.",
			Fix:          "Add a .dockerignore beside the Dockerfile, or copy the needed files by name.",
			WhenToIgnore: "The build context is made for the build and holds nothing else.",
			References:   []string{"https://docs.docker.com/build/concepts/context/#dockerignore-files"},
			Tags:         []string{"external/cwe/cwe-538"},
			Bad:          onDebian + "COPY . /srv/\n" + nonRoot,
			Good:         onDebian + "COPY src /srv/\n" + nonRoot,
		},
		Instruction: checkNoIgnoreFile,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF102", Aliases: []string{"DL3000", "WorkdirRelativePath", "DS-0009", "CKV_DOCKER_10"}, Severity: finding.Medium,
			Title:        "Relative WORKDIR",
			Why:          "Where a relative path leads depends on the lines above and on the base image, which may change.",
			Fix:          "Write an absolute path.",
			WhenToIgnore: "The line above sets the absolute path and both are meant to move together.",
			References:   []string{"https://docs.docker.com/reference/build-checks/workdir-relative-path/"},
			Bad:          onDebian + "WORKDIR srv/app\n" + nonRoot,
			Good:         onDebian + "WORKDIR /srv/app\n" + nonRoot,
		},
		Instruction: checkRelativeWorkdir,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF103", Aliases: []string{"DL3045"}, Severity: finding.Medium,
			Title:        "Relative COPY target without WORKDIR",
			Why:          "The files land in the base image's working directory, which may change with its next version.",
			Fix:          "Set WORKDIR before, or write an absolute target.",
			WhenToIgnore: "The base image's working directory is part of its documented contract.",
			References:   []string{dockerDocs + "#copy"},
			Bad:          onDebian + "COPY app.py app.py\n" + nonRoot,
			Good:         onDebian + "WORKDIR /srv\nCOPY app.py app.py\n" + nonRoot,
		},
		Instruction: checkRelativeTarget,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF110", Aliases: []string{"DL3021", "DS-0011"}, Severity: finding.High,
			Title:        "Several COPY sources, but the target does not end with a slash",
			Why:          "With more than one source the target must be a directory, which the builder knows by the slash; else the build fails.",
			Fix:          "End the target with a slash.",
			WhenToIgnore: "Never: the image cannot be built.",
			References:   []string{dockerDocs + "#copy"},
			Bad:          onDebian + "COPY app.py lib.py /srv\n" + nonRoot,
			Good:         onDebian + "COPY app.py lib.py /srv/\n" + nonRoot,
		},
		Instruction: checkManySources,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF122", Aliases: []string{"CopyIgnoredFile"}, Severity: finding.Medium,
			Title:        "COPY of a file that the ignore file excludes",
			Why:          "The builder does not see files that .dockerignore excludes; the build fails, or copies less than was meant.",
			Fix:          "Take the file out of the ignore file, or out of COPY.",
			WhenToIgnore: "Never: the file cannot be copied.",
			References:   []string{"https://docs.docker.com/reference/build-checks/copy-ignored-file/"},
			Bad:          onDebian + "COPY secret.txt /srv/\n" + nonRoot,
			Good:         onDebian + "COPY app.txt /srv/\n" + nonRoot,
		},
		File: checkIgnoredSources,
	},
}

// systemDirectories belong to the system as a whole; pseudo file systems with
// all that lies below them.
var (
	systemDirectories = set("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr", "/usr/bin",
		"/usr/lib", "/usr/sbin", "/var", "/var/lib", "/usr/local/bin", "/usr/share")
	pseudoFileSystems = []string{"/proc", "/sys", "/dev"}
)

func checkSystemDirectory(p *Pass, in *df.Instruction) {
	if in.Keyword != "WORKDIR" && in.Keyword != "VOLUME" {
		return
	}
	for _, a := range in.Args {
		if !a.Value.Known || !strings.HasPrefix(a.Value.Text, "/") {
			continue
		}
		dir := path.Clean(a.Value.Text)
		bad := systemDirectories[dir]
		for _, ps := range pseudoFileSystems {
			bad = bad || dir == ps || strings.HasPrefix(dir, ps+"/") && dir != "/dev/shm"
		}
		if bad {
			p.Reportf(in, a.Span, in.Keyword+" "+dir, "%s %s is a directory of the system; use one of the program's own, such as /srv/app.", in.Keyword, quote(dir))
		}
	}
}

func checkNoIgnoreFile(p *Pass, in *df.Instruction) {
	c := p.Input.Context
	if c == nil || c.IgnoreFile != "" || in.Keyword != "COPY" && in.Keyword != "ADD" {
		return
	}
	if _, ok := in.Flag("from"); ok {
		return
	}
	if _, ok := in.Flag("exclude"); ok {
		return
	}
	for _, src := range sources(in) {
		switch src.Value.Text {
		case ".", "./", "/", "*", "./*":
			p.Reportf(in, src.Span, in.Keyword+" .", "%s takes the whole build context, and there is no .dockerignore to keep .git and local files out; add one.", in.Keyword)
		}
	}
}

// absolute reports a path that begins at the root, of Linux or of Windows, or
// that cannot be judged since it begins with an unknown variable.
func absolute(w df.Word) bool {
	s := strings.Trim(w.Value.Text, `"'`)
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, `\`) || len(s) > 1 && s[1] == ':' ||
		!w.Value.Known && strings.HasPrefix(s, "$")
}

func checkRelativeWorkdir(p *Pass, in *df.Instruction) {
	if in.Keyword != "WORKDIR" || len(in.Args) == 0 || absolute(in.Args[0]) {
		return
	}
	p.Reportf(in, in.Args[0].Span, "WORKDIR "+in.Args[0].Value.Text, "WORKDIR %s is relative; write the absolute path.", quote(in.Args[0].Value.Text))
}

func checkRelativeTarget(p *Pass, in *df.Instruction) {
	if in.Keyword != "COPY" || len(in.Args) < 2 || in.Workdir.Set || in.Outer != nil {
		return
	}
	target := in.Args[len(in.Args)-1]
	if absolute(target) {
		return
	}
	p.Reportf(in, target.Span, "COPY to "+target.Value.Text,
		"COPY goes to %s, a relative path, and no WORKDIR says relative to what; set WORKDIR before or write an absolute path.", quote(target.Value.Text))
}

func checkManySources(p *Pass, in *df.Instruction) {
	if in.Keyword != "COPY" && in.Keyword != "ADD" || len(in.Args) < 3 {
		return
	}
	target := in.Args[len(in.Args)-1]
	v := target.Value
	t := v.Text
	if strings.HasSuffix(t, "/") || strings.HasSuffix(t, `\`) || t == "." || t == ".." || strings.HasSuffix(t, "/.") || !v.Known && strings.HasSuffix(t, "}") || !v.Known && strings.Contains(t[strings.LastIndexByte(t, '/')+1:], "$") {
		return
	}
	p.Reportf(in, target.Span, in.Keyword+" to "+t, "%s has %d sources, so the target must be a directory: write %s.",
		in.Keyword, len(in.Args)-1, quote(t+"/")).
		Fix("End the target with a slash.", Replacement{At: df.Span{Start: target.Span.End, End: target.Span.End}, NewText: "/"})
}
