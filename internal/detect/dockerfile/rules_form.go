package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var formRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF123", Aliases: []string{"NoEmptyContinuation"}, Severity: finding.Medium,
			Title:        "Blank line inside a continuation",
			Why:          "The builder drops the line today and says that it will refuse it; a reader takes it for the end of the instruction.",
			Fix:          "Remove the blank line.",
			WhenToIgnore: "Never: removing it changes nothing.",
			References:   []string{"https://docs.docker.com/reference/build-checks/no-empty-continuation/"},
			Bad:          onDebian + "RUN make && \\\n\n    make install\n" + nonRoot,
			Good:         onDebian + "RUN make && \\\n    make install\n" + nonRoot,
		},
		File: checkBlankLines,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF124", Aliases: []string{"LegacyKeyValueFormat"}, Severity: finding.Info,
			Title:        "ENV or LABEL in the old form with a blank",
			Why:          "In the old form the rest of the line is the value, so that two settings on one line become one.",
			Fix:          "Write `NAME=value`, with quotes around a value with blanks.",
			WhenToIgnore: "Never: both forms mean the same.",
			References:   []string{"https://docs.docker.com/reference/build-checks/legacy-key-value-format/"},
			Bad:          onDebian + "ENV APP_HOME /srv/app\n" + nonRoot,
			Good:         onDebian + "ENV APP_HOME=/srv/app\n" + nonRoot,
		},
		Instruction: checkLegacyPair,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF125", Aliases: []string{"DL4000", "MaintainerDeprecated", "DS-0022", "CKV_DOCKER_6"}, Severity: finding.Info,
			Title:        "MAINTAINER is deprecated",
			Why:          "The instruction is deprecated; a label can be read with the image's other labels.",
			Fix:          "Write `LABEL org.opencontainers.image.authors=\"…\"`.",
			WhenToIgnore: "Never: a label says the same.",
			References:   []string{"https://docs.docker.com/reference/build-checks/maintainer-deprecated/"},
			Bad:          onDebian + "MAINTAINER team@example.com\n" + nonRoot,
			Good:         onDebian + "LABEL org.opencontainers.image.authors=\"team@example.com\"\n" + nonRoot,
		},
		Instruction: checkMaintainer,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF225", Aliases: []string{"StageNameCasing", "FromAsCasing", "ConsistentInstructionCasing"}, Severity: finding.Info, Off: true,
			Title:        "Mixed letter case of keywords or stage names",
			Why:          "The builder does not mind, readers and search do.",
			Fix:          "Write all instructions in one case and stage names in lower case.",
			WhenToIgnore: "The file follows a style of its own.",
			References:   []string{"https://docs.docker.com/reference/build-checks/consistent-instruction-casing/", "https://docs.docker.com/reference/build-checks/stage-name-casing/"},
			Bad:          onDebian + "run make\n" + nonRoot,
			Good:         onDebian + "RUN make\n" + nonRoot,
		},
		File: checkCasing,
	},
}

func checkBlankLines(p *Pass) {
	for _, in := range p.File.Instructions {
		for i, line := range in.BlankLines {
			if i > 0 && in.BlankLines[i-1] == line-1 {
				continue // one finding for a run of blank lines
			}
			last := i
			for last+1 < len(in.BlankLines) && in.BlankLines[last+1] == in.BlankLines[last]+1 {
				last++
			}
			at := p.File.LineSpan(line)
			r := p.Reportf(in, at, in.Keyword+" blank line", "Line %d is blank inside the %s that begins on line %d; remove it.", line, in.Keyword, in.Line)
			if end := in.BlankLines[last] + 1; end <= p.File.Lines() {
				r.Fix("Remove the blank line.", Replacement{At: df.Span{Start: at.Start, End: p.File.LineSpan(end).Start}})
			}
		}
	}
}

func checkLegacyPair(p *Pass, in *df.Instruction) {
	if in.Keyword != "ENV" && in.Keyword != "LABEL" {
		return
	}
	for _, pair := range in.Pairs {
		if !pair.Legacy {
			continue
		}
		r := p.Reportf(in, pair.KeySpan, in.Keyword+" "+pair.Key, "%s %s has a blank between name and value; write `%s=…`.",
			in.Keyword, quote(pair.Key), pair.Key)
		value := pair.Raw
		if strings.ContainsAny(value, "\"'\\`") || !sameLine(p.File, df.Span{Start: pair.KeySpan.Start, End: pair.ValueSpan.End}) {
			continue
		}
		// The edits leave the value where it is, which may be a secret.
		quotes := ""
		if strings.ContainsAny(value, " \t") {
			quotes = `"`
		}
		edits := []Replacement{{At: df.Span{Start: pair.KeySpan.End, End: pair.ValueSpan.Start}, NewText: "=" + quotes}}
		if quotes != "" {
			edits = append(edits, Replacement{At: df.Span{Start: pair.ValueSpan.End, End: pair.ValueSpan.End}, NewText: quotes})
		}
		r.Fix("Write it with =.", edits...)
	}
}

func checkMaintainer(p *Pass, in *df.Instruction) {
	if in.Keyword != "MAINTAINER" {
		return
	}
	r := p.Reportf(in, in.KeywordSpan, "MAINTAINER", "MAINTAINER is deprecated; write %s.", quote("LABEL org.opencontainers.image.authors=…"))
	if len(in.Args) == 1 && !strings.ContainsAny(in.Args[0].Raw, "\"\\$`") && sameLine(p.File, df.Span{Start: in.KeywordSpan.Start, End: in.Args[0].Span.End}) {
		name := in.Args[0].Span
		r.Fix("Write a label.",
			Replacement{
				At:      df.Span{Start: in.KeywordSpan.Start, End: name.Start},
				NewText: matchCase(p.source(in.KeywordSpan), "LABEL") + ` org.opencontainers.image.authors="`,
			},
			Replacement{At: df.Span{Start: name.End, End: name.End}, NewText: `"`})
	}
}

func checkCasing(p *Pass) {
	upper := 0
	for _, in := range p.File.Instructions {
		if isUpper(p.source(in.KeywordSpan)) {
			upper++
		}
	}
	wantUpper := upper*2 >= len(p.File.Instructions)
	want := func(s string) string {
		if wantUpper {
			return strings.ToUpper(s)
		}
		return strings.ToLower(s)
	}
	for _, in := range p.File.Instructions {
		if kw := p.source(in.KeywordSpan); kw != want(kw) && in.Problem == nil {
			p.Reportf(in, in.KeywordSpan, kw, "%s is written in another case than the other instructions; write %s.", quote(kw), quote(want(kw))).
				Fix("Write it like the others.", Replacement{At: in.KeywordSpan, NewText: want(kw)})
		}
	}
	for _, s := range p.File.Stages {
		if s.Name != strings.ToLower(s.Name) {
			p.Reportf(s.From, s.NameSpan, "AS "+s.Name, "The stage name %s has upper-case letters; write %s.", quote(s.Name), quote(strings.ToLower(s.Name)))
		}
		if len(s.From.Args) >= 3 {
			as := s.From.Args[1]
			if like := p.source(s.From.KeywordSpan); isUpper(like) != isUpper(as.Raw) {
				p.Reportf(s.From, as.Span, as.Raw, "%s is written in another case than %s; write them alike.", quote(as.Raw), quote(like)).
					Fix("Write it like FROM.", Replacement{At: as.Span, NewText: matchCase(like, "AS")})
			}
		}
	}
}
