package config

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// keys is the table of all keys that may stand in a profile: the one place to
// add one. Decoding, schema, reference and `config show` follow from it.
func keys() []field[Config] {
	return slices.Concat(thresholdKeys(), riskKeys(), artifactKeys(), expressionKeys(), coverageKeys(), inputKeys(), lintKeys())
}

func coverageKeys() []field[Config] {
	return []field[Config]{
		{
			name: "coverage", doc: "How much must have been assessed. See [What could not be assessed](#what-could-not-be-assessed).",
			fields: []field[Config]{
				{
					name: "minimum", example: "90%",
					doc:    "Percentage of packages that must have been assessed. Packages whose reason `coverage.allow` names are not counted; a file that could not be looked into counts like a package that was not assessed.",
					schema: schema{"type": []string{"string", "number"}, "pattern": `^[0-9]+(\.[0-9]+)?%?$`, "minimum": 0, "maximum": 100},
					decode: decodeCoverageMinimum,
					show:   func(c Config) any { return c.CoverageMinimum },
				},
				{
					name: "allow", example: "[end-of-life]",
					doc:    "Reasons for which packages may stay unassessed.",
					schema: listOf(choiceOf(reasonNames())),
					decode: decodeCoverageAllow,
					show: func(c Config) any {
						if c.CoverageAllow == nil {
							return nil
						}
						list := []string{}
						for _, r := range c.CoverageAllow {
							list = append(list, string(r))
						}
						return list
					},
				},
			},
		},
		{
			name: "db", doc: "The advisory database.",
			fields: []field[Config]{
				databasePathKey(),
				{
					name: "max-age", example: "7d", schema: ageSchema,
					doc:    "How old the data may be: days (`7d`), hours (`36h`) or `any`.",
					decode: func(c *Config, v value) (err error) { c.DatabaseMaxAge, err = age(v); return err },
					show:   func(c Config) any { return ageText(c.DatabaseMaxAge) },
				},
			},
		},
	}
}

// databasePathKey is a text, or a list of texts that are tried in their order.
func databasePathKey() field[Config] {
	return field[Config]{
		name: "path", example: "/var/lib/portcullis/db",
		doc:    "Where the advisory database is: a directory relative to the working directory, `registry:REFERENCE`, `https://…`, `osv-api`, `cache` or `embedded`; or a list of these, best first. See [the database](database.md).",
		schema: schema{"anyOf": []schema{textSchema, textsSchema}},
		decode: func(c *Config, v value) error {
			if s, err := text(v); err == nil {
				c.DatabasePath = s
				return nil
			}
			list, err := texts(v, "a text or a list of texts")
			c.DatabasePath = strings.Join(list, ",")
			return err
		},
		show: func(c Config) any {
			if c.DatabasePath == "" {
				return nil
			}
			return c.DatabasePath
		},
	}
}

// textField is a key with one text.
func textField(name, example, doc string, at func(*Config) *string) field[Config] {
	return field[Config]{
		name: name, example: example, doc: doc, schema: textSchema,
		decode: func(c *Config, v value) error {
			s, err := text(v)
			if err == nil {
				*at(c) = s
			}
			return err
		},
		show: func(c Config) any {
			if *at(&c) == "" {
				return nil
			}
			return *at(&c)
		},
	}
}

// boolField is a key that is true or false.
func boolField[T any](name, doc string, at func(*T) *bool) field[T] {
	return field[T]{
		name: name, example: "true", doc: doc, schema: boolSchema,
		decode: func(c *T, v value) (err error) { *at(c), err = boolean(v); return err },
		show:   func(c T) any { return *at(&c) },
	}
}

// listField is a key with a list of texts.
func listField[T any](name, example, doc string, at func(*T) *[]string, checks ...func(string) error) field[T] {
	return field[T]{
		name: name, example: example, doc: doc, schema: textsSchema,
		decode: func(c *T, v value) (err error) {
			*at(c), err = texts(v, "texts", checks...)
			return err
		},
		show: func(c T) any {
			if *at(&c) == nil {
				return nil
			}
			return *at(&c)
		},
	}
}

// allowable are the reasons that a policy may accept. A missing database is
// not among them: a gate without data has nothing to say.
var allowable = []outcome.Reason{
	outcome.UnknownDistro, outcome.EndOfLife, outcome.NoFeed, outcome.UnsupportedType,
	outcome.VersionUnreadable, outcome.ForeignRepository, outcome.DataStale, outcome.NotIdentified,
}

func reasonNames() []string {
	var list []string
	for _, r := range allowable {
		list = append(list, string(r))
	}
	return list
}

func decodeCoverageMinimum(c *Config, v value) error {
	n := *v.Node
	n.Value = strings.TrimSuffix(n.Value, "%")
	percentage, err := number(value{Node: &n, file: v.file, path: v.path}, 0, 100)
	if err != nil {
		return v.errorf("minimum is %s: expected a percentage from 0 to 100", v.written())
	}
	c.CoverageMinimum = percentage
	return nil
}

func decodeCoverageAllow(c *Config, v value) error {
	items, err := v.items("reasons")
	if err != nil {
		return err
	}
	var errs []error
	list := make([]outcome.Reason, 0, len(items))
	for _, item := range items {
		if reason := outcome.Reason(item.Value); slices.Contains(allowable, reason) {
			list = append(list, reason)
			continue
		}
		errs = append(errs, item.errorf("allow: %q is not one of %v%s", item.Value, allowable, suggestion(item.Value, reasonNames(), "")))
	}
	c.CoverageAllow = list
	return errors.Join(errs...)
}

// inputKeys name the files that findings are held against.
func inputKeys() []field[Config] {
	return []field[Config]{
		{
			name: "waivers", doc: "Findings that were accepted for a time.",
			fields: []field[Config]{
				textField("file", ".portcullis-waivers.yaml", "File of the waivers, relative to the file that says so.", func(c *Config) *string { return &c.Waivers.File }),
				{
					name: "max-age", example: "90d", schema: ageSchema,
					doc:    "Longest time from a waiver's creation to its expiry, or `any`.",
					decode: func(c *Config, v value) (err error) { c.Waivers.MaxAge, err = age(v); return err },
					show:   func(c Config) any { return ageText(c.Waivers.MaxAge) },
				},
				{
					name: "warn-before", example: "14d", schema: ageSchema,
					doc:    "How long before it expires a waiver warns.",
					decode: func(c *Config, v value) (err error) { c.Waivers.WarnBefore, err = age(v); return err },
					show:   func(c Config) any { return ageText(c.Waivers.WarnBefore) },
				},
			},
		},
		listField("vex", "[vex/openvex.json]", "VEX files: OpenVEX, CycloneDX or CSAF; paths relative to the file that says so.", func(c *Config) *[]string { return &c.VEX }),
		textField("baseline", "baseline.json", "What findings are compared with: the JSON report of an earlier run, relative to the file that says so; another image; `base-image` for the one that FROM names, or `base-image:REFERENCE`. See [Baseline](baseline.md).", func(c *Config) *string { return &c.Baseline }),
	}
}

// lintKeys are those of the checks of Dockerfiles and manifests.
func lintKeys() []field[Config] {
	return []field[Config]{
		{
			name: "rules", example: "{PC-DF001: off, DL3008: low, k8s-privileged: critical}",
			doc: "Rules by id or alias: `off`, `on` (also where the rule is off by default), or the severity that its findings get. " +
				"The name of a standard or set (`cis`, `cis-5.2`, `nsa`, `pss`, `pss-baseline`, `T1611`, `cwe-250`, `reliability`) stands for all rules that map to it; a severity is then the least that their findings get, and what is said of a single rule counts more.",
			schema: mapOf(choiceOf(ruleWords())), decode: decodeRules, show: showRules,
		},
		{
			name: "lint", doc: "Settings of the checks of Dockerfiles and manifests.",
			fields: []field[Config]{
				listField("trusted-registries", "[registry.example, ghcr.io/shop/*]",
					"Registries that images may come from, with `*` at the start or end. Without any, all are trusted. Names without a registry are `docker.io`.",
					func(c *Config) *[]string { return &c.Lint.TrustedRegistries }, registryPattern),
				{
					name: "label-schema", example: "{org.opencontainers.image.source: url, org.opencontainers.image.version: semver}",
					doc:    "Labels that images must have, each with the type of its value: " + strings.Join(labelTypes, ", ") + ".",
					schema: mapOf(choiceOf(labelTypes)),
					decode: func(c *Config, v value) (err error) {
						c.Lint.LabelSchema, err = textMap(c.Lint.LabelSchema, v, func(_ string, v value) error {
							_, err := word(v, labelTypes)
							return err
						})
						return err
					},
					show: func(c Config) any { return textsOrNil(c.Lint.LabelSchema) },
				},
				boolField("strict-labels", "Forbid labels that `lint.label-schema` does not name.", func(c *Config) *bool { return &c.Lint.StrictLabels }),
				{
					name: "kubernetes-version", example: `"1.34"`,
					doc:    "The cluster's version as major.minor. Without one, the newest that is known.",
					schema: schema{"type": []string{"string", "number"}, "pattern": versionPattern.String()},
					decode: decodeKubernetesVersion,
					show: func(c Config) any {
						if c.Lint.KubernetesVersion == "" {
							return nil
						}
						return c.Lint.KubernetesVersion
					},
				},
				{
					name: "pod-security", example: "restricted", schema: choiceOf(levelWords),
					doc: "Keeps the rules of the Pod Security Standards exactly to a level, as the admission controller of `lint.kubernetes-version` would: `baseline` or `restricted`. " +
						"Without it, those of both run, some stricter than the standard.",
					decode: func(c *Config, v value) (err error) {
						c.Lint.PodSecurity, err = word(v, levelWords)
						return err
					},
					show: func(c Config) any {
						if c.Lint.PodSecurity == "" {
							return nil
						}
						return c.Lint.PodSecurity
					},
				},
				boolField("keep-severities", "Leave vulnerabilities as severe as they are, however the manifests run the image. "+
					"Otherwise they weigh one severity more where it is privileged, shares the host's processes or network, or is reached from outside.",
					func(c *Config) *bool { return &c.Lint.KeepSeverities }),
				{
					name: "inline-ignores", example: "reason",
					doc: "Comments in files that switch rules off: `allow`, `reason` (only with a reason) or `none`. " +
						"What hadolint's configuration excuses counts as such comments do where it lies in the repository, see [From hadolint](dockerfile.md#from-hadolint).",
					schema: choiceOf(ignoreWords),
					decode: func(c *Config, v value) error {
						w, err := word(v, ignoreWords)
						if err == nil {
							c.Lint.InlineIgnores = InlineIgnores(w)
						}
						return err
					},
					show: func(c Config) any { return string(c.Lint.InlineIgnores) },
				},
				{
					name: "hadolint", example: "false", schema: boolSchema,
					doc: "Whether hadolint's configuration is read, its file and its `HADOLINT_*` variables.",
					decode: func(c *Config, v value) error {
						read, err := boolean(v)
						c.Lint.NoHadolint = !read
						return err
					},
					show: func(c Config) any { return !c.Lint.NoHadolint },
				},
				listField("exclude", "[vendor/**, '**/testdata/**']",
					"Patterns of paths, from the root of the repository, that are left out when directories are searched. Files that are named are always examined.",
					func(c *Config) *[]string { return &c.Lint.Exclude }, pathPattern),
				manifestRulesField(),
				{
					name: "build-args", example: "{BASE: debian:13-slim}",
					doc:    "Build arguments that the Dockerfiles are built with.",
					schema: mapOf(schema{"type": []string{"string", "number", "boolean"}}),
					decode: func(c *Config, v value) (err error) {
						c.Lint.BuildArgs, err = textMap(c.Lint.BuildArgs, v, func(string, value) error { return nil })
						return err
					},
					show: func(c Config) any { return textsOrNil(c.Lint.BuildArgs) },
				},
			},
		},
	}
}

var (
	labelTypes     = []string{"text", "url", "semver", "hash", "rfc3339", "spdx", "email"}
	ignoreWords    = []string{string(IgnoresAllowed), string(IgnoresNeedReason), string(IgnoresForbidden)}
	levelWords     = []string{"baseline", "restricted"}
	versionPattern = regexp.MustCompile(`^[1-9][0-9]*\.[0-9]+$`)
)

func ruleWords() []string { return append([]string{"off", "on"}, severityNames()...) }

// decodeRules reads settings of rules. Whether the rules exist is checked by
// those who know the catalogue.
func decodeRules(c *Config, v value) error {
	pairs, err := v.pairs()
	errs := []error{err}
	rules := slices.Clone(c.Rules)
	for _, p := range pairs {
		w, err := word(value{Node: ruleWord(p.value.Node), file: v.file, path: p.value.path}, ruleWords())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		set := RuleSetting{
			Name:   p.key.Value,
			Source: Source{Kind: FromFile, Name: v.file, Line: p.key.Line, Column: p.key.Column},
		}
		switch w {
		case "off":
		case "on":
			set.Mode = RuleOn
		default:
			set.Mode = RuleSeverity
			// The word is one of the severities' own names.
			set.Severity, _ = finding.ParseSeverity(w)
		}
		rules = slices.DeleteFunc(rules, func(r RuleSetting) bool { return strings.EqualFold(r.Name, set.Name) })
		rules = append(rules, set)
	}
	c.Rules = rules
	return errors.Join(errs...)
}

// ruleWord undoes what YAML 1.1 readers make of off and on; this one leaves
// them texts, but false and true are what editors write for them.
func ruleWord(n *yaml.Node) *yaml.Node {
	if n.Tag != "!!bool" {
		return n
	}
	plain := *n
	plain.Value = map[string]string{"true": "on", "false": "off"}[strings.ToLower(n.Value)]
	return &plain
}

func showRules(c Config) any {
	if len(c.Rules) == 0 {
		return nil
	}
	out := make(map[string]any)
	for _, r := range c.Rules {
		out[r.Name] = r.Value()
	}
	return out
}

func decodeKubernetesVersion(c *Config, v value) error {
	if v.Kind != yaml.ScalarNode || !versionPattern.MatchString(v.Value) {
		return v.errorf("kubernetes-version is %s: expected major.minor, such as 1.34", v.written())
	}
	c.Lint.KubernetesVersion = v.Value
	return nil
}

func textsOrNil(m map[string]string) any {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
