package dockerfile

import (
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var variableRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF117", Aliases: []string{"DL3044"}, Severity: finding.High,
			Title:        "ENV uses a variable that it defines itself",
			Why:          "All values of one ENV are expanded before any of them is set: the variable is still empty, or has its old value.",
			Fix:          "Split it into two ENV instructions.",
			WhenToIgnore: "The base image's value of the variable is meant.",
			References:   []string{dockerDocs + "#environment-replacement"},
			Bad:          onDebian + "ENV APP_HOME=/srv/app APP_DATA=$APP_HOME/data\n" + nonRoot,
			Good:         onDebian + "ENV APP_HOME=/srv/app\nENV APP_DATA=$APP_HOME/data\n" + nonRoot,
		},
		Instruction: checkSelfReference,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF118", Aliases: []string{"UndefinedVar"}, Severity: finding.Info,
			Title:        "Variable used before it is defined",
			Why:          "The builder puts nothing in its place. An ARG above the first FROM is not seen in a stage until the stage declares it again.",
			Fix:          "Define the variable above, or declare the ARG in this stage: `ARG NAME`.",
			WhenToIgnore: "The base image defines the variable.",
			References:   []string{"https://docs.docker.com/reference/build-checks/undefined-var/", dockerDocs + "#scope"},
			Bad:          onDebian + "WORKDIR /srv/$APP\nARG APP=shop\n" + nonRoot,
			Good:         onDebian + "ARG APP=shop\nWORKDIR /srv/$APP\n" + nonRoot,
		},
		File: checkUndefined,
	},
}

func checkSelfReference(p *Pass, in *df.Instruction) {
	if in.Keyword != "ENV" || len(in.Pairs) < 2 {
		return
	}
	own := make(map[string]bool, len(in.Pairs))
	for _, pair := range in.Pairs {
		own[pair.Key] = true
	}
	for _, pair := range in.Pairs {
		for _, ref := range df.References(pair.Raw, p.File.Escape) {
			if !own[ref.Name] || ref.Name == pair.Key || ref.HandlesUnset() {
				continue
			}
			if _, before := in.Lookup(ref.Name); before {
				continue
			}
			at := df.Span{Start: pair.ValueSpan.Start + ref.Start, End: pair.ValueSpan.Start + ref.End}
			p.Reportf(in, at, pair.Key+" $"+ref.Name,
				"%s uses %s, which the same ENV defines and which is not set yet; split it into two ENV instructions.",
				quote(pair.Key), quote("$"+ref.Name))
		}
	}
}

// fromElsewhere are variables that every build or base image has.
var fromElsewhere = set("PATH", "HOME", "HOSTNAME", "TERM", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY",
	"ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "SOURCE_DATE_EPOCH")

// checkUndefined speaks only where the file itself shows that the variable is
// meant to be one of its own: it is defined further down, is an ARG above the
// first FROM, or an automatic one that the stage does not declare; or the
// stage starts from scratch. Else the base image may define it.
func checkUndefined(p *Pass) {
	later := definitions(p.File)
	for _, in := range p.File.Instructions {
		if in.Stage == nil || in.Keyword == "FROM" || in.Problem != nil || in.Keyword == "ONBUILD" {
			continue
		}
		root := in.Stage.Root().Base.Value
		scratch := root.Known && parseImage(root.Text).scratch()
		for _, w := range expanded(in) {
			for _, ref := range df.References(w.Raw, p.File.Escape) {
				if _, ok := in.Lookup(ref.Name); ok || ref.HandlesUnset() || fromElsewhere[ref.Name] {
					continue
				}
				why := ""
				switch {
				case later.global[ref.Name]:
					why = "which is an ARG above the first FROM; declare it in this stage: `ARG " + ref.Name + "`"
				case df.PlatformArg(ref.Name):
					why = "which the builder sets only where the stage declares it: `ARG " + ref.Name + "`"
				case later.after(in, ref.Name):
					why = "which is defined only further down; define it above"
				case scratch:
					why = "which nothing defines"
				default:
					continue
				}
				at := df.Span{Start: w.Span.Start + ref.Start, End: min(w.Span.Start+ref.End, max(w.Span.End, w.Span.Start+ref.Start))}
				p.Reportf(in, at, in.Keyword+" $"+ref.Name, "%s uses %s, %s.", in.Keyword, quote("$"+ref.Name), why)
			}
		}
	}
}

// expanded are the words of an instruction that the builder expands.
func expanded(in *df.Instruction) []df.Word {
	var out []df.Word
	switch in.Keyword {
	case "COPY", "ADD", "WORKDIR", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL":
		out = in.Args
	case "ENV", "LABEL", "ARG":
		own := make(map[string]bool)
		for _, pair := range in.Pairs {
			own[pair.Key] = true
		}
		for _, pair := range in.Pairs {
			refs := df.References(pair.Raw, in.File().Escape)
			if !slices.ContainsFunc(refs, func(r df.Reference) bool { return own[r.Name] }) {
				out = append(out, df.Word{Raw: pair.Raw, Span: pair.ValueSpan})
			}
		}
	}
	for _, f := range in.Flags {
		if f.Name != "mount" && f.HasValue {
			out = append(out, df.Word{Raw: in.File().Content[f.ValueSpan.Start:f.ValueSpan.End], Span: f.ValueSpan})
		}
	}
	return out
}

// defined says where the file defines which variables.
type defined struct {
	global map[string]bool
	stages map[*df.Stage]map[string]int // the index of the last definition
}

func definitions(f *df.File) defined {
	d := defined{global: make(map[string]bool), stages: make(map[*df.Stage]map[string]int)}
	for _, in := range f.Instructions {
		if in.Keyword != "ARG" && in.Keyword != "ENV" {
			continue
		}
		for _, pair := range in.Pairs {
			if in.Stage == nil {
				d.global[pair.Key] = true
				continue
			}
			if d.stages[in.Stage] == nil {
				d.stages[in.Stage] = make(map[string]int)
			}
			d.stages[in.Stage][pair.Key] = in.Index
		}
	}
	return d
}

// after reports whether the instruction's stage defines the variable later on.
func (d defined) after(in *df.Instruction, name string) bool {
	index, ok := d.stages[in.Stage][name]
	return ok && index > in.Index
}

func isUpper(s string) bool { return s == strings.ToUpper(s) }
