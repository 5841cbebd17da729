package dockerfile

import (
	"strings"
	"unicode/utf8"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var parseRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF100", Aliases: []string{"DL1000"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title:        "Not a valid Dockerfile",
			Why:          "The builder refuses the file, and what a linter says about the rest of it may not be all.",
			Fix:          "Mend the instruction as the message says.",
			WhenToIgnore: "Never: the image cannot be built.",
			References:   []string{dockerDocs + "#format"},
			Language:     "dockerfile",
			Bad:          onDebian + "COPY app\n" + nonRoot,
			Good:         onDebian + "COPY app /usr/local/bin/\n" + nonRoot,
		},
		File: checkParse,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF101", Aliases: []string{"DL3061"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title:        "Instruction before the first FROM",
			Why:          "A build stage begins with FROM; only ARG, comments and parser directives may stand before it.",
			Fix:          "Move the instruction below FROM.",
			WhenToIgnore: "Never: the image cannot be built.",
			References:   []string{dockerDocs + "#from"},
			Language:     "dockerfile",
			Bad:          "LABEL team=\"shop\"\n" + onDebian + nonRoot,
			Good:         "ARG TEAM=shop\n" + onDebian + "ARG TEAM\nLABEL team=\"$TEAM\"\n" + nonRoot,
		},
		File: reportProblems(df.BeforeFrom),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF116", Aliases: []string{"DL3043"}, Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title:        "ONBUILD with an instruction that it cannot hold",
			Why:          "ONBUILD cannot hold ONBUILD, FROM or MAINTAINER; the builder refuses it.",
			Fix:          "Remove the instruction, or write it in the Dockerfile that uses this image.",
			WhenToIgnore: "Never: the image cannot be built.",
			References:   []string{dockerDocs + "#onbuild-limitations"},
			Language:     "dockerfile",
			Bad:          onDebian + "ONBUILD FROM debian:12\n" + nonRoot,
			Good:         onDebian + "ONBUILD COPY app /usr/local/bin/\n" + nonRoot,
		},
		File: reportProblems(df.BadTrigger),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF134", Kind: finding.Dockerfile, Severity: finding.Medium, Since: "0.1",
			Title:        "Unknown builder flag",
			Why:          "The flag is not one that the builder of this release knows. A newer builder may, but a misspelt flag of a builder that ignores it has no effect.",
			Fix:          "Correct the flag's name; where a newer builder is meant, name its frontend in a `# syntax=` line and ignore this finding.",
			WhenToIgnore: "The flag is documented for the frontend that the `# syntax=` line names.",
			References:   []string{dockerDocs},
			Language:     "dockerfile",
			Bad:          onDebian + "COPY --form=build app /usr/local/bin/\n" + nonRoot,
			Good:         onDebian + "COPY --chown=65532 app /usr/local/bin/\n" + nonRoot,
		},
		File: reportProblems(df.UnknownFlag),
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF035", Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title:        "Invisible or direction-changing characters",
			Why:          "Bidirectional control characters make a reviewer see other text than the builder runs; zero-width characters hide differences between names.",
			Fix:          "Remove the characters; write them as escapes where text in such a script is really needed.",
			WhenToIgnore: "The text is shown to people only and needs the marks.",
			References:   []string{"https://trojansource.codes/"},
			Tags:         []string{"external/cwe/cwe-1007"},
			Language:     "dockerfile",
			Bad:          onDebian + "LABEL note=\"safe \u202e true\"\n" + nonRoot,
			Good:         onDebian + "LABEL note=\"safe\"\n" + nonRoot,
		},
		File: checkInvisible,
	},
}

// reportProblems is a check that turns problems of one kind into findings.
func reportProblems(kind df.ProblemKind) func(*Pass) {
	return func(p *Pass) {
		for _, pr := range p.File.Problems {
			if pr.Kind == kind {
				p.Reportf(nil, pr.Span, p.source(pr.Span), "%s.", upperFirst(redact(pr.Message)))
			}
		}
	}
}

// checkParse reports all problems that have no rule of their own.
func checkParse(p *Pass) {
	for _, pr := range p.File.Problems {
		switch pr.Kind {
		case df.BeforeFrom, df.BadTrigger, df.UnknownFlag:
			continue
		}
		p.Reportf(nil, pr.Span, string(pr.Kind)+" "+p.source(firstLine(p.File, pr.Span)), "%s.", upperFirst(redact(pr.Message)))
	}
}

func firstLine(f *df.File, s df.Span) df.Span {
	line, _ := f.Position(s.Start)
	return df.Span{Start: s.Start, End: max(s.Start, min(s.End, f.LineSpan(line).End))}
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func runeAt(s string, i int) rune {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r
}

// invisible are characters that change the order of text or do not show.
// https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
const invisible = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"

func checkInvisible(p *Pass) {
	text := p.File.Content
	for i := 0; i < len(text); {
		n := strings.IndexAny(text[i:], invisible)
		if n < 0 {
			return
		}
		i += n
		line, _ := p.File.Position(i)
		width := 0
		for i+width < len(text) && strings.ContainsRune(invisible, runeAt(text, i+width)) {
			width += utf8.RuneLen(runeAt(text, i+width))
		}
		p.Reportf(nil, df.Span{Start: i, End: i + width}, strings.TrimSpace(p.source(p.File.LineSpan(line))),
			"Line %d holds characters that do not show or change the direction of the text (%+q); the builder reads other text than a person sees.",
			line, text[i:i+width])
		i = max(i+width, p.File.LineSpan(line).End)
	}
}
