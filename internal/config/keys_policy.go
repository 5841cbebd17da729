package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// kinds are the kinds of findings that can have demands of their own.
var kinds = []finding.Kind{
	finding.Vulnerability, finding.Secret, finding.Malware, finding.ImageConfig, finding.Dockerfile, finding.Kubernetes, finding.Coverage, finding.Waiver,
}

func kindNames() []string {
	var list []string
	for _, k := range kinds {
		list = append(list, string(k))
	}
	return list
}

func thresholdSchema() schema { return choiceOf(append([]string{"none"}, severityNames()...)) }

var countSchema = schema{"type": "integer", "minimum": 0}

// thresholdKeys are those about severities and numbers.
func thresholdKeys() []field[Config] {
	return []field[Config]{
		{
			name: "fail-on", example: "high", schema: thresholdSchema(),
			doc:    "The lowest severity that fails the gate: `none`, `info`, `low`, `medium`, `high` or `critical`. The report always holds everything.",
			decode: func(c *Config, v value) (err error) { c.FailOn, err = threshold(v); return err },
			show:   func(c Config) any { return thresholdText(c.FailOn) },
		},
		{
			name: "warn-on", example: "medium", schema: thresholdSchema(),
			doc:    "The lowest severity that warns, or `none`.",
			decode: func(c *Config, v value) (err error) { c.WarnOn, err = threshold(v); return err },
			show:   func(c Config) any { return thresholdText(c.WarnOn) },
		},
		boolField("only-fixed", "Only findings for which a fix exists fail the gate. What stands in your own Dockerfile and manifests can always be fixed by you.",
			func(c *Config) *bool { return &c.OnlyFixed }),
		{
			name: "pass-fix-states", example: "[wont-fix, deferred]", schema: listOf(choiceOf(fixStateNames())),
			doc:    "Findings whose fix has one of these states do not fail the gate: " + alternatives(fixStateNames()) + ". What is known to be exploited still does where `known-exploited` says so.",
			decode: decodePassFixStates,
			show: func(c Config) any {
				if c.PassFixStates == nil {
					return nil
				}
				return stateTexts(c.PassFixStates)
			},
		},
		{
			name: "unknown-severity", example: "pass", schema: choiceOf([]string{"fail", "pass"}),
			doc:    "What findings of unknown severity do: `fail` or `pass`. Nobody has said that they are harmless, so by default they count like `fail-on`.",
			decode: func(c *Config, v value) (err error) { c.UnknownSeverityPasses, err = failOrPass(v); return err },
			show:   func(c Config) any { return passText(c.UnknownSeverityPasses) },
		},
		{
			name: "counts", example: "{critical: 0, high: 5}", schema: severityMapSchema(countSchema),
			doc:    "How many findings of a severity are allowed. A severity that is named here is judged by its number and no more by `fail-on`.",
			decode: func(c *Config, v value) (err error) { c.Counts, err = bySeverity(c.Counts, v, count); return err },
			show:   func(c Config) any { return showBySeverity(c.Counts, func(n int) any { return n }) },
		},
		{
			name: "kinds", example: "{secret: {fail-on: low}, kubernetes: {fail-on: none}}",
			doc: "Demands of their own for kinds of findings: `fail-on`, `only-fixed`, `unknown-severity` and `counts` by kind (`" + strings.Join(kindNames(), "`, `") + "`). " +
				"What is not set keeps the general demand; a kind with a `fail-on` of its own is not counted in the general `counts`.",
			schema: kindsSchema(), decode: decodeKinds, show: showKinds,
		},
		{
			name: "only-new", example: "true", schema: boolSchema,
			doc:    "Findings that the baseline has already do not fail the gate. Without a baseline, all are new.",
			decode: negated(func(c *Config) *bool { return &c.CountKnown }),
			show:   func(c Config) any { return !c.CountKnown },
		},
		{
			name: "inherited", example: "fail", schema: choiceOf([]string{"fail", "pass"}),
			doc: "Findings with the status *inherited*, which a comparison with the base image gives: `fail` or `pass`.",
			decode: func(c *Config, v value) error {
				passes, err := failOrPass(v)
				c.CountInherited = !passes
				return err
			},
			show: func(c Config) any { return passText(!c.CountInherited) },
		},
		{
			name: "warn-only", example: "[epss, licences]", schema: listOf(choiceOf(policy.WarnOnlyNames())),
			doc:    "Clauses that only warn: " + alternatives(policy.WarnOnlyNames()) + ". What says that nothing was looked at cannot be among them.",
			decode: decodeWarnOnly,
			show: func(c Config) any {
				if c.WarnOnly == nil {
					return nil
				}
				return c.WarnOnly
			},
		},
		boolField("warn-exit", "End with exit code 3 when the policy holds and a clause warns.", func(c *Config) *bool { return &c.WarnExit }),
	}
}

func failOrPass(v value) (passes bool, err error) {
	w, err := word(v, []string{"fail", "pass"})
	return w == "pass", err
}

func passText(passes bool) string {
	if passes {
		return "pass"
	}
	return "fail"
}

// negated reads a boolean whose field says the opposite.
func negated(at func(*Config) *bool) func(*Config, value) error {
	return func(c *Config, v value) error {
		b, err := boolean(v)
		*at(c) = !b
		return err
	}
}

func count(v value) (int, error) {
	n, err := strconv.ParseUint(v.Value, 10, 31)
	if v.Kind != yaml.ScalarNode || err != nil {
		return 0, v.errorf("%s is %s: expected a number of findings", v.name(), v.written())
	}
	return int(n), nil
}

func fixStateNames() []string {
	return stateTexts(finding.FixStates())
}

func stateTexts(states []finding.FixState) []string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return names
}

func decodePassFixStates(c *Config, v value) error {
	items, err := v.items("fix states")
	errs := []error{err}
	list := make([]finding.FixState, 0, len(items))
	for _, item := range items {
		w, err := word(item, fixStateNames())
		errs = append(errs, err)
		list = append(list, finding.FixState(w))
	}
	c.PassFixStates = list
	return errors.Join(errs...)
}

func decodeWarnOnly(c *Config, v value) error {
	items, err := v.items("clauses")
	errs := []error{err}
	list := make([]string, 0, len(items))
	for _, item := range items {
		w, err := word(item, policy.WarnOnlyNames())
		errs = append(errs, err)
		list = append(list, w)
	}
	c.WarnOnly = list
	return errors.Join(errs...)
}

// kindFields are the demands that a kind can have.
func kindFields() []field[policy.KindDemands] {
	return []field[policy.KindDemands]{
		{
			name: "fail-on", schema: thresholdSchema(),
			decode: func(d *policy.KindDemands, v value) (err error) {
				d.FailOn, err = threshold(v)
				d.OwnFailOn = true
				return err
			},
			show: func(d policy.KindDemands) any {
				if !d.OwnFailOn {
					return nil
				}
				return thresholdText(d.FailOn)
			},
		},
		{
			name: "only-fixed", schema: boolSchema,
			decode: func(d *policy.KindDemands, v value) error {
				b, err := boolean(v)
				d.OnlyFixed = &b
				return err
			},
			show: func(d policy.KindDemands) any {
				if d.OnlyFixed == nil {
					return nil
				}
				return *d.OnlyFixed
			},
		},
		{
			name: "unknown-severity", schema: choiceOf([]string{"fail", "pass"}),
			decode: func(d *policy.KindDemands, v value) error {
				passes, err := failOrPass(v)
				d.UnknownSeverityPasses = &passes
				return err
			},
			show: func(d policy.KindDemands) any {
				if d.UnknownSeverityPasses == nil {
					return nil
				}
				return passText(*d.UnknownSeverityPasses)
			},
		},
		{
			name: "counts", schema: severityMapSchema(countSchema),
			decode: func(d *policy.KindDemands, v value) (err error) {
				d.Counts, err = bySeverity(d.Counts, v, count)
				return err
			},
			show: func(d policy.KindDemands) any { return showBySeverity(d.Counts, func(n int) any { return n }) },
		},
	}
}

func kindsSchema() schema {
	properties := schema{}
	for _, k := range kindNames() {
		properties[k] = recordSchema(kindFields())
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

func decodeKinds(c *Config, v value) error {
	pairs, err := v.pairs()
	errs := []error{err}
	out := make(map[finding.Kind]policy.KindDemands)
	for k, d := range c.Kinds {
		out[k] = d
	}
	for _, p := range pairs {
		kind := finding.Kind(p.key.Value)
		if !slices.Contains(kinds, kind) {
			errs = append(errs, p.key.errorf("kinds: %q is not a kind of findings%s", p.key.Value, suggestion(p.key.Value, kindNames(), "they are ")))
			continue
		}
		d := out[kind]
		p.value.record = nil
		errs = append(errs, decodeRecord(&d, p.value, kindFields()))
		out[kind] = d
	}
	c.Kinds = out
	return errors.Join(errs...)
}

func showKinds(c Config) any {
	if len(c.Kinds) == 0 {
		return nil
	}
	out := make(map[string]any)
	for k, d := range c.Kinds {
		out[string(k)] = showRecord(d, kindFields())
	}
	return out
}
