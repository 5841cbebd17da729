package config

import (
	"errors"
	"regexp"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/policy/expression"
)

// riskKeys are those about exploitation, scores and time.
func riskKeys() []field[Config] {
	return []field[Config]{
		effectField("known-exploited", "What a vulnerability does that is known to be exploited (CISA KEV), whatever its severity and whether or not a fix exists: `fail`, `warn` or `pass`.",
			func(c *Config) *policy.Effect { return &c.KnownExploited }),
		scoreField("epss", "0.5", "The lowest EPSS score (0 to 1) with which a vulnerability fails the gate.", 1, func(c *Config) **float64 { return &c.EPSS }),
		scoreField("cvss", "9.0", "The lowest CVSS base score (0 to 10) with which a vulnerability fails the gate.", 10, func(c *Config) **float64 { return &c.CVSS }),
		{
			name: "remediation", doc: "A clock that runs from the day on which a fix was available; where that is not known, from the advisory's publication, which is earlier.",
			fields: []field[Config]{
				{
					name: "fail-after", example: "{critical: 7d, high: 30d}", schema: severityMapSchema(ageSchema),
					doc: "How long a fix may be available, by severity. After that the vulnerability fails the gate.",
					decode: func(c *Config, v value) (err error) {
						c.Remediation.FailAfter, err = bySeverity(c.Remediation.FailAfter, v, remediationTime)
						return err
					},
					show: func(c Config) any {
						return showBySeverity(c.Remediation.FailAfter, func(d time.Duration) any { return ageText(d) })
					},
				},
				{
					name: "warn-before", example: "7d", schema: ageSchema,
					doc:    "How long before that it warns; `0` for not at all.",
					decode: func(c *Config, v value) (err error) { c.Remediation.WarnBefore, err = age(v); return err },
					show:   func(c Config) any { return zeroText(c.Remediation.WarnBefore) },
				},
				{
					name: "undated", example: "warn", schema: choiceOf([]string{"fail", "warn"}),
					doc: "What a vulnerability does of which no date is known: `fail` or `warn`.",
					decode: func(c *Config, v value) error {
						w, err := word(v, []string{"fail", "warn"})
						c.Remediation.UndatedWarns = w == "warn"
						return err
					},
					show: func(c Config) any {
						if c.Remediation.UndatedWarns {
							return "warn"
						}
						return "fail"
					},
				},
			},
		},
		{
			name: "exempt", example: "[{packages: [linux-libc-dev], below: critical, reason: only headers}]",
			doc:    "Findings that no clause counts; the reports go on showing them. " + matchDoc + " `paths` are those where a finding is fixed or, all of them, where it is in the image; the manifest that runs the image is neither." + " Entries of included files and profiles add up.",
			schema: listOf(recordSchema(exemptFields())),
			decode: func(c *Config, v value) error {
				return appendRecords(&c.Exempt, v, exemptFields(), func(e policy.Exemption, v value) error { return anyMatch(e.Match, v) })
			},
			show: func(c Config) any { return showRecords(c.Exempt, exemptFields()) },
		},
		{
			name: "restrict", example: "[{paths: [/app/*], fail-on: medium, reason: our own code}]",
			doc:    "Stricter thresholds (`fail-on`) for some findings. " + matchDoc + " Of `paths`, any place of a finding will do, the manifest that runs the image included." + " Entries of included files and profiles add up.",
			schema: listOf(recordSchema(restrictFields())),
			decode: func(c *Config, v value) error {
				return appendRecords(&c.Restrict, v, restrictFields(), func(r policy.Restriction, v value) error { return anyMatch(r.Match, v) })
			},
			show: func(c Config) any { return showRecords(c.Restrict, restrictFields()) },
		},
	}
}

const matchDoc = "All conditions that are given must hold: `kinds`, `rules` (ids or aliases of rules and advisories), `packages` (names or package URLs), " +
	"`paths`, `origin` (`base-image` or `build`; a finding of unknown origin is neither) and `below` (a severity). In packages and paths, `*` stands for any text."

// effectField is a key with an effect.
func effectField(name, doc string, at func(*Config) *policy.Effect) field[Config] {
	return field[Config]{
		name: name, example: "fail", doc: doc, schema: choiceOf(effectNames()),
		decode: func(c *Config, v value) (err error) { *at(c), err = effect(v); return err },
		show:   func(c Config) any { return at(&c).String() },
	}
}

// scoreField is a key with a score, or none.
func scoreField(name, example, doc string, most float64, at func(*Config) **float64) field[Config] {
	return field[Config]{
		name: name, example: example, doc: doc,
		schema: schema{"anyOf": []schema{{"type": "number", "minimum": 0, "maximum": most}, {"const": "none"}}},
		decode: func(c *Config, v value) error {
			if v.Value == "none" {
				*at(c) = nil
				return nil
			}
			n, err := number(v, 0, most)
			*at(c) = &n
			return err
		},
		show: func(c Config) any {
			if *at(&c) == nil {
				return "none"
			}
			return **at(&c)
		},
	}
}

func remediationTime(v value) (time.Duration, error) {
	d, err := age(v)
	if err == nil && d == 0 {
		return 0, v.errorf("%s: expected a time such as 30d", v.name())
	}
	return d, err
}

func zeroText(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return ageText(d)
}

// matchFields are the conditions of an entry of exempt or restrict.
func matchFields[T any](at func(*T) *policy.Match) []field[T] {
	return []field[T]{
		{
			name: "kinds", schema: listOf(choiceOf(kindNames())),
			decode: func(t *T, v value) error { return decodeMatchKinds(at(t), v) },
			show: func(t T) any {
				var list []string
				for _, k := range at(&t).Kinds {
					list = append(list, string(k))
				}
				return textsOr(list)
			},
		},
		matchList("rules", at, func(m *policy.Match) *[]string { return &m.Rules }),
		matchList("packages", at, func(m *policy.Match) *[]string { return &m.Packages }),
		matchList("paths", at, func(m *policy.Match) *[]string { return &m.Paths }),
		{
			name: "origin", schema: choiceOf(originWords),
			decode: func(t *T, v value) error {
				w, err := word(v, originWords)
				at(t).Origin = finding.Origin(w)
				return err
			},
			show: func(t T) any {
				if at(&t).Origin == "" {
					return nil
				}
				return string(at(&t).Origin)
			},
		},
		{
			name: "below", schema: choiceOf(severityNames()),
			decode: func(t *T, v value) error {
				if _, err := word(v, severityNames()); err != nil {
					return err
				}
				s, err := finding.ParseSeverity(v.Value)
				at(t).Below = &s
				return err
			},
			show: func(t T) any {
				if at(&t).Below == nil {
					return nil
				}
				return at(&t).Below.String()
			},
		},
	}
}

// clauseName is what the name of a clause may be: it goes into reports, exit
// messages and warn-only.
var clauseName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

var originWords = []string{string(finding.FromBaseImage), string(finding.FromBuild)}

func matchList[T any](name string, match func(*T) *policy.Match, at func(*policy.Match) *[]string) field[T] {
	return listField(name, "", "", func(t *T) *[]string { return at(match(t)) })
}

func textsOr(list []string) any {
	if list == nil {
		return nil
	}
	return list
}

func decodeMatchKinds(m *policy.Match, v value) error {
	items, err := v.items("kinds")
	errs := []error{err}
	for _, item := range items {
		w, err := word(item, kindNames())
		errs = append(errs, err)
		m.Kinds = append(m.Kinds, finding.Kind(w))
	}
	return errors.Join(errs...)
}

func exemptFields() []field[policy.Exemption] {
	return append(matchFields(func(e *policy.Exemption) *policy.Match { return &e.Match }), reasonField(true, func(e *policy.Exemption) *string { return &e.Reason }))
}

func restrictFields() []field[policy.Restriction] {
	return append(matchFields(func(r *policy.Restriction) *policy.Match { return &r.Match }),
		field[policy.Restriction]{
			name: "fail-on", schema: choiceOf(severityNames()), required: true,
			decode: func(r *policy.Restriction, v value) error {
				if _, err := word(v, severityNames()); err != nil {
					return err
				}
				s, err := finding.ParseSeverity(v.Value)
				r.FailOn = s
				return err
			},
			show: func(r policy.Restriction) any { return r.FailOn.String() },
		},
		reasonField(false, func(r *policy.Restriction) *string { return &r.Reason }))
}

func reasonField[T any](required bool, at func(*T) *string) field[T] {
	return entryText("reason", required, at)
}

// entryText is a text in an entry of a list.
func entryText[T any](name string, required bool, at func(*T) *string) field[T] {
	return field[T]{
		name: name, schema: textSchema, required: required,
		decode: func(t *T, v value) (err error) { *at(t), err = text(v); return err },
		show: func(t T) any {
			if *at(&t) == "" {
				return nil
			}
			return *at(&t)
		},
	}
}

// appendRecords adds the entries of a list to those that are there.
func appendRecords[T any](into *[]T, v value, fields []field[T], check func(T, value) error) error {
	items, err := v.items("entries")
	errs := []error{err}
	list := slices.Clone(*into)
	for _, item := range items {
		var entry T
		if item.Kind != yaml.MappingNode {
			errs = append(errs, item.errorf("expected keys and values here"))
			continue
		}
		if err := decodeRecord(&entry, item, fields); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := check(entry, item); err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, entry)
	}
	*into = list
	return errors.Join(errs...)
}

// anyMatch refuses an entry without a condition: it would hold for everything.
func anyMatch(m policy.Match, v value) error {
	if m.Words() == "" {
		return v.errorf("an entry needs a condition, such as packages or paths")
	}
	return nil
}

func anything[T any](T, value) error { return nil }

// artifactKeys are those about the image as a whole.
func artifactKeys() []field[Config] {
	return []field[Config]{
		{
			name: "licences", doc: "Licences of packages, as [SPDX expressions](https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/). Of a choice (`OR`), one accepted licence is enough. `*` stands for any text.",
			fields: []field[Config]{
				listField("allow", "[MIT, Apache-2.0, BSD-*]", "Licences that are accepted; with a list here, all others are denied.", func(c *Config) *[]string { return &c.Licences.Allow }),
				listField("deny", "[AGPL-*, SSPL-1.0]", "Licences that are denied.", func(c *Config) *[]string { return &c.Licences.Deny }),
				effectField("unknown", "What packages do without a licence that can be read, where licences are judged: `fail`, `warn` or `pass`.", func(c *Config) *policy.Effect { return &c.Licences.Unknown }),
				listField("ignore", "['pkg:deb/*']", "Packages whose licences are not judged, by name or package URL.", func(c *Config) *[]string { return &c.Licences.Ignore }),
			},
		},
		{
			name: "sbom", example: "required", schema: choiceOf([]string{"optional", "required"}),
			doc: "Whether an SBOM must be written or attached: `optional` or `required`.",
			decode: func(c *Config, v value) error {
				w, err := word(v, []string{"optional", "required"})
				c.SBOMRequired = w == "required"
				return err
			},
			show: func(c Config) any {
				if c.SBOMRequired {
					return "required"
				}
				return "optional"
			},
		},
		effectField("end-of-life", "What a distribution does that gets no more security updates: `fail`, `warn` or `pass`. The finding `image-end-of-life` is high, and info where this is `warn` or `coverage.allow` accepts such a distribution. Its packages are not assessed either way, which `coverage.allow` decides about.",
			func(c *Config) *policy.Effect { return &c.EndOfLife }),
	}
}

// expressionKeys are the conditions of the user's own.
func expressionKeys() []field[Config] {
	return []field[Config]{
		{
			name: "deny", example: "[{name: root, expression: 'image.user in [\"\", \"root\"]', message: images run as their own user}]",
			doc:    "Conditions in [CEL](https://cel.dev) that fail the gate when they are true. See [Policy](policy.md). A name that an included file has already replaces its condition; all others add up.",
			schema: listOf(recordSchema(expressionFields())),
			decode: func(c *Config, v value) error { return decodeExpressions(&c.Deny, v) },
			show:   func(c Config) any { return showRecords(c.Deny, expressionFields()) },
		},
		{
			name: "warn", example: "[{name: old-image, expression: 'now - image.created > duration(\"720h\")'}]",
			doc:    "Conditions in CEL that warn when they are true.",
			schema: listOf(recordSchema(expressionFields())),
			decode: func(c *Config, v value) error { return decodeExpressions(&c.Warn, v) },
			show:   func(c Config) any { return showRecords(c.Warn, expressionFields()) },
		},
	}
}

func expressionFields() []field[policy.Expression] {
	return []field[policy.Expression]{
		{
			name: "name", required: true, schema: schema{"type": "string", "pattern": clauseName.String()},
			decode: func(x *policy.Expression, v value) error {
				if !clauseName.MatchString(v.Value) {
					return v.errorf("name is %q: expected lower-case letters, digits and hyphens", v.Value)
				}
				x.Name = v.Value
				return nil
			},
			show: func(x policy.Expression) any { return x.Name },
		},
		{
			name: "expression", required: true, schema: textSchema,
			decode: func(x *policy.Expression, v value) error {
				s, err := text(v)
				if err != nil {
					return err
				}
				x.Text = s
				_, err = expression.Compile(s)
				return inFile(v, err)
			},
			show: func(x policy.Expression) any { return x.Text },
		},
		entryText("message", false, func(x *policy.Expression) *string { return &x.Message }),
	}
}

// inFile gives the faults of an expression their places in the file.
func inFile(v value, err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, inFile(v, e))
		}
		return errors.Join(out...)
	}
	var fault *expression.Error
	if !errors.As(err, &fault) {
		return err
	}
	n := *v.Node
	switch {
	case v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		// The text starts on the line below its mark; how far it is indented
		// the reader does not tell, so the column is that of the text.
		n.Line += fault.Line
		n.Column = fault.Column
	case v.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		n.Column += fault.Column
	default:
		n.Column += fault.Column - 1
	}
	v.Node = &n
	return v.errorf("expression: %s", fault.Message)
}

// decodeExpressions adds conditions to those that are there; one of the same
// name replaces the earlier.
func decodeExpressions(into *[]policy.Expression, v value) error {
	var added []policy.Expression
	err := appendRecords(&added, v, expressionFields(), anything)
	list := slices.Clone(*into)
	seen := make(map[string]bool)
	for _, x := range added {
		if seen[x.Name] {
			err = errors.Join(err, v.errorf("the name %q is there twice", x.Name))
		}
		seen[x.Name] = true
		list = slices.DeleteFunc(list, func(old policy.Expression) bool { return old.Name == x.Name })
		list = append(list, x)
	}
	*into = list
	return err
}
