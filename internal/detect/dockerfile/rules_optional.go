package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// optionalRules are off unless the configuration asks for them: on real files
// they speak too often about what does no harm.
var optionalRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF034", Aliases: []string{"DL3057", "DS-0026", "CIS-DI-0006", "CKV_DOCKER_2"}, Severity: finding.Info, Off: true,
			Title:        "No HEALTHCHECK",
			Why:          "Docker and Swarm cannot tell a program that hangs from one that works. Kubernetes has probes of its own and ignores the instruction.",
			Fix:          "Add a HEALTHCHECK to the final stage.",
			WhenToIgnore: "The image runs in Kubernetes, or is no service.",
			References:   []string{dockerDocs + "#healthcheck"},
			Bad:          onDebian + nonRoot,
			Good:         onDebian + "HEALTHCHECK CMD [\"app\", \"ping\"]\n" + nonRoot,
		},
		File: checkNoHealthcheck,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF104", Aliases: []string{"DL3003", "DS-0013"}, Severity: finding.Info, Off: true,
			Title:        "cd in RUN",
			Why:          "The directory holds for this step only; WORKDIR says once where the steps run.",
			Fix:          "Use WORKDIR.",
			WhenToIgnore: "The step works in several directories.",
			References:   []string{dockerDocs + "#workdir"},
			Bad:          onDebian + "RUN cd /srv && make\n" + nonRoot,
			Good:         onDebian + "WORKDIR /srv\nRUN make\n" + nonRoot,
		},
		Command: func(p *Pass, run *Run, c *shellscript.Command) {
			if c.Name == "cd" && !c.Subst {
				p.Reportf(run.In, run.span(c.Whole), p.source(run.span(c.Whole)), "%s holds for this step only; use WORKDIR.", quote(p.source(run.span(c.Whole))))
			}
		},
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF127", Aliases: []string{"DL3001"}, Severity: finding.Info, Off: true,
			Title:        "Command that makes no sense in a build",
			Why:          "Services, mounts and interactive programs do nothing useful while an image is built.",
			Fix:          "Remove the command.",
			WhenToIgnore: "The command prepares data with a service that runs during the step.",
			References:   []string{dockerDocs + "#run"},
			Bad:          onDebian + "RUN service nginx start\n" + nonRoot,
			Good:         onDebian + "RUN nginx -t\n" + nonRoot,
		},
		Command: func(p *Pass, run *Run, c *shellscript.Command) {
			if senseless[c.Name] {
				p.Reportf(run.In, run.span(c.At), c.Name, "%s makes no sense while an image is built; remove it.", quote(c.Name))
			}
		},
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF219", Aliases: []string{"DL3010"}, Severity: finding.Info, Off: true,
			Title:        "Archive copied and then extracted",
			Why:          "The archive stays in the layer of COPY beside its content. ADD extracts it without keeping it.",
			Fix:          "Use ADD, which extracts local archives.",
			WhenToIgnore: "The archive is extracted in a stage that is thrown away.",
			References:   []string{bestPractices + "#add-or-copy"},
			Bad:          onDebian + "COPY app.tar.gz /tmp/\nRUN tar -xzf /tmp/app.tar.gz -C /srv\n" + nonRoot,
			Good:         onDebian + "ADD app.tar.gz /srv/\n" + nonRoot,
		},
		File: checkExtract,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF220", Aliases: []string{"DL3047"}, Severity: finding.Info, Off: true,
			Title:        "wget with a full progress display",
			Why:          "The progress display fills the build log.",
			Fix:          "Add `-nv`, `-q` or `--progress=dot:giga`.",
			WhenToIgnore: "The log is not kept.",
			References:   []string{"https://www.gnu.org/software/wget/manual/wget.html"},
			Bad:          onDebian + "RUN wget https://example.com/app\n" + nonRoot,
			Good:         onDebian + "RUN wget -nv https://example.com/app\n" + nonRoot,
		},
		Command: func(p *Pass, run *Run, c *shellscript.Command) {
			if c.Name != "wget" || c.Via != nil && c.Via.Name == "busybox" {
				return
			}
			cl := split(c.Args, wgetOptions)
			if len(cl.Operands) > 0 && !cl.has("-q", "--quiet", "-n", "-nv", "--no-verbose", "--progress", "-o", "--output-file", "-a", "-b", "--background", "--spider") {
				p.Reportf(run.In, run.span(c.At), "wget", "wget fills the log with its progress; add -nv, -q or --progress=dot:giga.")
			}
		},
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF221", Aliases: []string{"DL3059"}, Severity: finding.Info, Off: true,
			Title:        "RUN instructions one after the other",
			Why:          "Each RUN makes a layer of its own.",
			Fix:          "Join the steps with `&&` or in a here-document.",
			WhenToIgnore: "The steps change at different times, and the cache is worth more than the layer.",
			References:   []string{bestPractices + "#run"},
			Bad:          onDebian + "RUN make\nRUN make install\n" + nonRoot,
			Good:         onDebian + "RUN make && make install\n" + nonRoot,
		},
		File: checkConsecutive,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF222", Aliases: []string{"DL4001", "DS-0014"}, Severity: finding.Info, Off: true,
			Title:        "Both wget and curl in a stage",
			Why:          "Two programs for one task: more to install and to keep up to date.",
			Fix:          "Use one of them.",
			WhenToIgnore: "Both come with the base image.",
			References:   []string{bestPractices + "#dont-install-unnecessary-packages"},
			Bad:          onDebian + "RUN curl -fsSLo a https://example.com/a && wget -q https://example.com/b\n" + nonRoot,
			Good:         onDebian + "RUN curl -fsSLo a https://example.com/a && curl -fsSLo b https://example.com/b\n" + nonRoot,
		},
		File: checkTwoFetchers,
	},
}

var senseless = set("ssh", "vim", "shutdown", "service", "ps", "free", "top", "kill", "mount", "ifconfig")

func checkNoHealthcheck(p *Pass) {
	final := p.File.Final()
	if final == nil {
		return
	}
	for _, in := range final.Chain() {
		if in.Effective().Keyword == "HEALTHCHECK" {
			return
		}
	}
	p.Reportf(final.From, final.Base.Span, "no HEALTHCHECK in "+final.Label(), "The final stage %s has no HEALTHCHECK.", quote(final.Label()))
}

func checkExtract(p *Pass) {
	copied := copiedArchives(p.File)
	for _, run := range p.Runs() {
		for _, c := range run.Script.Commands {
			switch c.Name {
			case "tar", "unzip", "gunzip", "bunzip2", "unxz", "bsdtar", "uncompress":
			default:
				continue
			}
			for _, a := range c.Args {
				from, ok := copied[archiveKey{run.In.Stage, a.Text[strings.LastIndexByte(a.Text, '/')+1:]}]
				if ok && from.in.Index < run.In.Index {
					p.Reportf(from.in, from.at, "COPY "+a.Text, "COPY puts the archive %s into a layer and line %d extracts it; use ADD, which extracts it at once.",
						quote(p.source(from.at)), lineOf(p.File, run.span(c.At)))
				}
			}
		}
	}
}

func lineOf(f *df.File, s df.Span) int {
	line, _ := f.Position(s.Start)
	return line
}

type copiedFile struct {
	in *df.Instruction
	at df.Span
}

type archiveKey struct {
	stage *df.Stage
	base  string
}

// copiedArchives are the archives that COPY brings into stages, by their names.
func copiedArchives(f *df.File) map[archiveKey]copiedFile {
	out := make(map[archiveKey]copiedFile)
	for _, in := range f.Instructions {
		if in.Keyword != "COPY" {
			continue
		}
		for _, src := range sources(in) {
			s := src.Value.Text
			key := archiveKey{in.Stage, s[strings.LastIndexByte(s, '/')+1:]}
			if _, known := out[key]; !known && archive.MatchString(s) {
				out[key] = copiedFile{in, src.Span}
			}
		}
	}
	return out
}

func checkConsecutive(p *Pass) {
	for _, s := range p.File.Stages {
		for i := 1; i < len(s.Instructions); i++ {
			a, b := s.Instructions[i-1], s.Instructions[i]
			if a.Keyword == "RUN" && b.Keyword == "RUN" && len(a.Flags) == 0 && len(b.Flags) == 0 && a.Problem == nil && b.Problem == nil {
				p.Reportf(b, b.KeywordSpan, b.Body.S, "This RUN follows another one on line %d; join them.", a.Line)
			}
		}
	}
}

func checkTwoFetchers(p *Pass) {
	type use struct{ curl, wget bool }
	seen := make(map[*df.Stage]*use)
	for _, run := range p.Runs() {
		u := seen[run.In.Stage]
		if u == nil {
			u = &use{}
			seen[run.In.Stage] = u
		}
		for _, c := range run.Script.Commands {
			both := u.curl && u.wget
			u.curl, u.wget = u.curl || c.Name == "curl", u.wget || c.Name == "wget"
			if !both && u.curl && u.wget {
				p.Reportf(run.In, run.span(c.At), c.Name, "The stage uses both wget and curl; one of them will do.")
			}
		}
	}
}
