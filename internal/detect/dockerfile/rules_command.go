package dockerfile

import (
	"regexp"
	"strconv"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var commandRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF107", Aliases: []string{"DL3012", "MultipleInstructionsDisallowed", "DS-0023"}, Severity: finding.Medium,
			Title:        "Several HEALTHCHECKs in a stage",
			Why:          "Only the last one counts; the others mislead the reader.",
			Fix:          "Keep one HEALTHCHECK.",
			WhenToIgnore: "Never: the earlier ones have no effect.",
			References:   []string{"https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/"},
			Bad:          onDebian + "HEALTHCHECK CMD [\"app\", \"ping\"]\nHEALTHCHECK CMD [\"app\", \"check\"]\n" + nonRoot,
			Good:         onDebian + "HEALTHCHECK CMD [\"app\", \"check\"]\n" + nonRoot,
		},
		File: onlyOnce("HEALTHCHECK"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF108", Aliases: []string{"DL4003", "MultipleInstructionsDisallowed", "DS-0016"}, Severity: finding.Medium,
			Title:        "Several CMDs in a stage",
			Why:          "Only the last one counts; the others mislead the reader.",
			Fix:          "Keep one CMD.",
			WhenToIgnore: "Never: the earlier ones have no effect.",
			References:   []string{"https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/"},
			Bad:          onDebian + nonRoot + "CMD [\"app\", \"debug\"]\nCMD [\"app\"]\n",
			Good:         onDebian + nonRoot + "CMD [\"app\"]\n",
		},
		File: onlyOnce("CMD"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF109", Aliases: []string{"DL4004", "MultipleInstructionsDisallowed", "DS-0007"}, Severity: finding.High,
			Title:        "Several ENTRYPOINTs in a stage",
			Why:          "Only the last one counts: the image starts another program than the first line promises.",
			Fix:          "Keep one ENTRYPOINT.",
			WhenToIgnore: "Never: the earlier ones have no effect.",
			References:   []string{"https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/"},
			Bad:          onDebian + nonRoot + "ENTRYPOINT [\"tini\"]\nENTRYPOINT [\"app\"]\n",
			Good:         onDebian + nonRoot + "ENTRYPOINT [\"tini\", \"--\", \"app\"]\n",
		},
		File: onlyOnce("ENTRYPOINT"),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF115", Aliases: []string{"DL3025", "JSONArgsRecommended"}, Severity: finding.Medium,
			Title:        "Shell form of CMD, ENTRYPOINT or HEALTHCHECK",
			Why:          "In shell form a shell stands between the container and the program: signals such as the one to stop do not reach it.",
			Fix:          "Write the command as a JSON array with double quotes: `CMD [\"app\", \"--port=80\"]`.",
			WhenToIgnore: "The command needs the shell and handles signals, for instance with exec.",
			References:   []string{"https://docs.docker.com/reference/build-checks/json-args-recommended/", dockerDocs + "#shell-and-exec-form"},
			Bad:          onDebian + nonRoot + "CMD app --port=80\n",
			Good:         onDebian + nonRoot + "CMD [\"app\", \"--port=80\"]\n",
		},
		Instruction: checkShellForm,
	},
}

// onlyOnce is a check that a stage has the instruction once. The finding is on
// those that have no effect.
func onlyOnce(keyword string) func(*Pass) {
	return func(p *Pass) {
		for _, s := range p.File.Stages {
			var last *df.Instruction
			for _, in := range s.Instructions {
				if in.Keyword != keyword {
					continue
				}
				if last != nil {
					p.Reportf(last, last.KeywordSpan, keyword+" "+last.Body.S,
						"This %s has no effect, since another one follows on line %d; remove one of them.", keyword, in.Line)
				}
				last = in
			}
		}
	}
}

var plainCommand = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./ \t-]+$`)

// needsShell are characters that mean something to a shell.
const needsShell = "|&;<>$`*?(){}[]~#!\"'\\"

func checkShellForm(p *Pass, in *df.Instruction) {
	words := in.Args
	switch in.Keyword {
	case "CMD", "ENTRYPOINT":
	case "HEALTHCHECK":
		if len(words) < 2 || strings.ContainsAny(words[1].Raw, needsShell) {
			return // a check with || exit 1 has no use for the exec form
		}
		words = words[1:]
	default:
		return
	}
	if in.Exec || len(words) == 0 || in.ShellSetBy != nil || windows(in) || strings.HasPrefix(words[0].Raw, "exec ") {
		return
	}
	r := p.Reportf(in, words[0].Span, in.Keyword+" "+words[0].Raw,
		"%s %s is in shell form, so signals do not reach the program; write it as a JSON array with double quotes.", in.Keyword, quote(words[0].Raw))
	if plainCommand.MatchString(words[0].Raw) && !strings.Contains(strings.Fields(words[0].Raw)[0], "=") && sameLine(p.File, words[0].Span) {
		r.Fix("Write it in exec form.", execForm(words[0])...)
	}
}

// execForm are the edits that put quotes, commas and brackets between the words
// of a command. The words themselves stay where they are.
func execForm(w df.Word) []Replacement {
	insert := func(from, to int, text string) Replacement {
		return Replacement{At: df.Span{Start: w.Span.Start + from, End: w.Span.Start + to}, NewText: text}
	}
	edits := []Replacement{insert(0, 0, `["`)}
	for i := 0; i < len(w.Raw); i++ {
		if w.Raw[i] != ' ' && w.Raw[i] != '\t' {
			continue
		}
		start := i
		for i < len(w.Raw) && (w.Raw[i] == ' ' || w.Raw[i] == '\t') {
			i++
		}
		edits = append(edits, insert(start, i, `", "`))
	}
	return append(edits, insert(len(w.Raw), len(w.Raw), `"]`))
}

// sameLine reports whether a span lies on one line.
func sameLine(f *df.File, s df.Span) bool {
	a, _ := f.Position(s.Start)
	b, _ := f.Position(s.End)
	return a == b
}

func itoa(n int) string { return strconv.Itoa(n) }
