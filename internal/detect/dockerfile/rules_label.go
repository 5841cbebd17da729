package dockerfile

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/imagelabel"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

const (
	labelDocs = "https://docs.docker.com/engine/manage-resources/labels/"
	schemaWhy = "Labels tell registries, inventories and on-call engineers whose image it is and what it is made of; the configured schema says which ones they rely on."
	ociDocs   = "https://github.com/opencontainers/image-spec/blob/main/annotations.md"
)

func schemaRule(id, alias, title, fix, bad, good string, sev finding.Severity, check func(*Pass)) Rule {
	return Rule{
		Rule: rules.Rule{
			ID: id, Aliases: []string{alias}, Severity: sev, Title: title, Why: schemaWhy, Fix: fix,
			WhenToIgnore: "The image is for a test and never published.", References: []string{ociDocs},
			Bad: onDebian + bad + nonRoot, Good: onDebian + good + nonRoot,
		},
		File: check,
	}
}

var labelRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF224", Aliases: []string{"DL3048"}, Severity: finding.Info,
			Title:        "Label key outside the rules for labels",
			Why:          "Keys with other characters, or in a namespace that Docker keeps for itself, are refused or overwritten by tools.",
			Fix:          "Use lower-case letters, digits, single dots and hyphens, best in a namespace of your own: `com.example.team`.",
			WhenToIgnore: "A tool demands exactly this key.",
			References:   []string{labelDocs + "#key-format-recommendations"},
			Bad:          onDebian + "LABEL Team_Name=\"shop\"\n" + nonRoot,
			Good:         onDebian + "LABEL com.example.team-name=\"shop\"\n" + nonRoot,
		},
		Instruction: checkLabelKey,
	},
	schemaRule("PC-DF301", "DL3049", "Label of the schema missing", "Add the label.", "LABEL other=\"x\"\n", "LABEL title=\"shop\"\n", finding.Info, checkMissingLabels),
	schemaRule("PC-DF302", "DL3050", "Label that is not in the schema", "Remove the label, or add it to the schema.", "LABEL title=\"shop\" extra=\"x\"\n", "LABEL title=\"shop\"\n", finding.Info, checkExtraLabels),
	schemaRule("PC-DF303", "DL3051", "Label of the schema is empty", "Give the label a value.", "LABEL title=\"\"\n", "LABEL title=\"shop\"\n", finding.Medium,
		labelCheck("", "has no value", func(v string) bool { return strings.TrimSpace(v) != "" })),
	schemaRule("PC-DF304", "DL3052", "Label is not a URL", "Write an absolute URL.", "LABEL title=\"example\"\n", "LABEL title=\"https://example.com/\"\n", finding.Medium,
		labelCheck("url", "is not an absolute URL", imagelabel.IsURL)),
	schemaRule("PC-DF305", "DL3053", "Label is not an RFC 3339 time", "Write a time such as 2026-03-01T12:00:00Z.", "LABEL title=\"yesterday\"\n", "LABEL title=\"2026-03-01T12:00:00Z\"\n", finding.Medium,
		labelCheck("rfc3339", "is not a time in the form of RFC 3339", imagelabel.IsTime)),
	schemaRule("PC-DF306", "DL3054", "Label is not an SPDX licence expression", "Write an expression such as Apache-2.0.", "LABEL title=\"my own\"\n", "LABEL title=\"Apache-2.0 OR MIT\"\n", finding.Medium,
		labelCheck("spdx", "is not an SPDX licence expression", imagelabel.IsSPDX)),
	schemaRule("PC-DF307", "DL3055", "Label is not a Git hash", "Write the commit's hash of 7 to 64 hexadecimal digits.", "LABEL title=\"main\"\n", "LABEL title=\"0123abc\"\n", finding.Medium,
		labelCheck("hash", "is not a Git hash", gitHash.MatchString)),
	schemaRule("PC-DF308", "DL3056", "Label is not a semantic version", "Write a version such as 1.2.3.", "LABEL title=\"one\"\n", "LABEL title=\"1.2.3\"\n", finding.Medium,
		labelCheck("semver", "is not a semantic version", semver.MatchString)),
	schemaRule("PC-DF309", "DL3058", "Label is not an e-mail address", "Write an address such as team@example.com.", "LABEL title=\"the team\"\n", "LABEL title=\"team@example.com\"\n", finding.Medium,
		labelCheck("email", "is not an e-mail address", isEmail)),
}

var (
	gitHash = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
	// https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
	semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)

	labelKey = regexp.MustCompile(`^[a-z](?:[a-z0-9]|[.-][a-z0-9])*$`)
)

func isEmail(v string) bool {
	a, err := mail.ParseAddress(v)
	return err == nil && a.Address == strings.TrimSpace(v)
}

// plainKey is a label's key without quotes.
func plainKey(pair df.Pair) string { return strings.Trim(pair.Key, `"'`) }

func checkLabelKey(p *Pass, in *df.Instruction) {
	if in.Keyword != "LABEL" {
		return
	}
	for _, pair := range in.Pairs {
		key := plainKey(pair)
		if strings.Contains(key, "$") {
			continue
		}
		reserved := false
		for _, ns := range []string{"com.docker.", "io.docker.", "org.dockerproject."} {
			reserved = reserved || strings.HasPrefix(key, ns)
		}
		switch {
		case reserved:
			p.Reportf(in, pair.KeySpan, "LABEL "+key, "The label key %s is in a namespace that Docker keeps for itself; use one of your own.", quote(key))
		case !labelKey.MatchString(key):
			p.Reportf(in, pair.KeySpan, "LABEL "+key, "The label key %s must be made of lower-case letters, digits, single dots and hyphens, and begin with a letter.", quote(key))
		}
	}
}

// eachLabel calls f for the labels of the final image.
func eachLabel(p *Pass, f func(in *df.Instruction, pair df.Pair)) {
	final := p.File.Final()
	if final == nil {
		return
	}
	for _, in := range final.Chain() {
		if in.Keyword == "LABEL" && in.Problem == nil {
			for _, pair := range in.Pairs {
				f(in, pair)
			}
		}
	}
}

func checkMissingLabels(p *Pass) {
	final := p.File.Final()
	if final == nil {
		return
	}
	have := make(map[string]bool)
	eachLabel(p, func(_ *df.Instruction, pair df.Pair) { have[plainKey(pair)] = true })
	var names []string
	for name := range p.Opts.LabelSchema {
		if !have[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.Reportf(final.From, final.Base.Span, "LABEL "+name, "The image lacks the label %s that the schema demands; add it to the final stage.", quote(name))
	}
}

func checkExtraLabels(p *Pass) {
	if !p.Opts.StrictLabels {
		return
	}
	eachLabel(p, func(in *df.Instruction, pair df.Pair) {
		if _, ok := p.Opts.LabelSchema[plainKey(pair)]; !ok {
			p.Reportf(in, pair.KeySpan, "LABEL "+plainKey(pair), "The label %s is not in the schema; remove it, or add it there.", quote(plainKey(pair)))
		}
	})
}

// labelCheck is a check of the values of labels of one type; an empty type
// means all of the schema. An empty value is left to the rule about those.
func labelCheck(kind, fault string, valid func(string) bool) func(*Pass) {
	return func(p *Pass) {
		eachLabel(p, func(in *df.Instruction, pair df.Pair) {
			want, ok := p.Opts.LabelSchema[plainKey(pair)]
			v := pair.Value
			if !ok || !v.Known || kind != "" && (want != kind || strings.TrimSpace(v.Text) == "") || valid(v.Text) {
				return
			}
			at := pair.ValueSpan
			if at.Start == at.End {
				at = pair.KeySpan
			}
			p.Reportf(in, at, "LABEL "+plainKey(pair), "The value %s of the label %s %s.", quote(v.Text), quote(plainKey(pair)), fault)
		})
	}
}
