package config

import (
	"errors"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/policy/expression"
)

// manifestRulesField are the user's own rules for Kubernetes objects.
func manifestRulesField() field[Config] {
	return field[Config]{
		name:    "kubernetes-rules",
		example: "[{id: team-label, field: metadata.labels.team, expression: value == null, message: No team, severity: low}]",
		doc: "Rules of your own for Kubernetes objects: a condition in CEL that describes what must not be, and the field to point at. " +
			"See [Kubernetes](kubernetes.md). An id that an included file has already replaces its rule; all others add up.",
		schema: listOf(recordSchema(manifestRuleFields())),
		decode: func(c *Config, v value) error { return decodeManifestRules(&c.ManifestRules, v) },
		show:   func(c Config) any { return showRecords(c.ManifestRules, manifestRuleFields()) },
	}
}

var (
	ruleName   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
	kindsShape = schema{"anyOf": []schema{textSchema, textsSchema}}
)

func manifestRuleFields() []field[policy.ManifestRule] {
	return []field[policy.ManifestRule]{
		{
			name: "id", required: true, schema: schema{"type": "string", "pattern": ruleName.String()},
			decode: func(r *policy.ManifestRule, v value) error {
				if !ruleName.MatchString(v.Value) {
					return v.errorf("id is %q: expected words of lower-case letters and digits joined by hyphens, such as shop-team", v.Value)
				}
				r.ID = v.Value
				return nil
			},
			show: func(r policy.ManifestRule) any { return r.ID },
		},
		{
			name: "kind", schema: kindsShape,
			decode: func(r *policy.ManifestRule, v value) (err error) {
				if v.Kind == yaml.SequenceNode {
					r.Kinds, err = texts(v, "kinds")
					return err
				}
				kind, err := text(v)
				r.Kinds = []string{kind}
				return err
			},
			show: func(r policy.ManifestRule) any {
				switch len(r.Kinds) {
				case 0:
					return nil
				case 1:
					return r.Kinds[0]
				}
				return r.Kinds
			},
		},
		{
			name: "field", schema: textSchema,
			decode: func(r *policy.ManifestRule, v value) error {
				s, err := text(v)
				if err != nil {
					return err
				}
				r.Field = s
				if _, err := manifest.ParsePath(s); err != nil {
					return v.errorf("%w", err)
				}
				return nil
			},
			show: func(r policy.ManifestRule) any {
				if r.Field == "" {
					return nil
				}
				return r.Field
			},
		},
		{
			name: "expression", required: true, schema: textSchema,
			decode: func(r *policy.ManifestRule, v value) error {
				s, err := text(v)
				if err != nil {
					return err
				}
				r.Text = s
				program, err := expression.CompileObject(s)
				if err == nil && program.Uses(expression.Pod) && program.Uses(expression.Container) {
					return v.errorf("the expression uses pod and container, but runs for each of one only; object holds both")
				}
				return inFile(v, err)
			},
			show: func(r policy.ManifestRule) any { return r.Text },
		},
		entryText("message", true, func(r *policy.ManifestRule) *string { return &r.Message }),
		{
			name: "severity", schema: choiceOf(severityNames()), required: true,
			decode: func(r *policy.ManifestRule, v value) error {
				if _, err := word(v, severityNames()); err != nil {
					return err
				}
				s, err := finding.ParseSeverity(v.Value)
				r.Severity = s
				return err
			},
			show: func(r policy.ManifestRule) any { return r.Severity.String() },
		},
	}
}

// decodeManifestRules adds rules to those that are there; one of the same id
// replaces the earlier.
func decodeManifestRules(into *[]policy.ManifestRule, v value) error {
	var added []policy.ManifestRule
	err := appendRecords(&added, v, manifestRuleFields(), fieldOfRule)
	list := slices.Clone(*into)
	seen := make(map[string]bool)
	for _, r := range added {
		if seen[r.ID] {
			err = errors.Join(err, v.errorf("the id %q is there twice", r.ID))
		}
		seen[r.ID] = true
		list = slices.DeleteFunc(list, func(old policy.ManifestRule) bool { return old.ID == r.ID })
		list = append(list, r)
	}
	*into = list
	return err
}

// fieldOfRule refuses a rule whose field and expression do not belong
// together.
func fieldOfRule(r policy.ManifestRule, v value) error {
	program, err := expression.CompileObject(r.Text)
	if err != nil {
		return inFile(v, err)
	}
	var many bool
	if r.Field != "" {
		path, err := manifest.ParsePath(r.Field)
		if err != nil {
			return v.errorf("%w", err)
		}
		many = path.Many()
	}
	switch uses := program.Uses(expression.Value); {
	case uses && r.Field == "":
		return v.errorf("the expression of %s uses value, but no field says which", r.ID)
	case many && !uses:
		return v.errorf("the field of %s stands for several values, but its expression does not use value", r.ID)
	}
	return nil
}
