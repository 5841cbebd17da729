// Package config reads .portcullis.yaml: it decodes strictly, so that a
// misspelt key is an error with its line and not a gate that silently checks
// less than its owner thinks. One table of keys is behind the decoding, the
// JSON schema, the reference in docs and what `config show` prints. It holds
// values as written and their defaults; what they mean for the verdict is
// package policy's business.
package config

import (
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// FileName is the name of the configuration file that is looked for when none
// is given.
const FileName = ".portcullis.yaml"

// Config is the effective configuration of a run.
type Config struct {
	// Policy are the demands.
	policy.Policy
	// DatabasePath says where the advisory database is: places separated by
	// commas, best first.
	DatabasePath string
	// Rules are what the file says about single rules, in the order in which
	// it counts: a later entry wins over an earlier one of the same rule.
	Rules []RuleSetting
	Lint  Lint
	// Waivers is the file of accepted findings and what may stand in it.
	Waivers Waivers
	// VEX are the files of statements on exploitability.
	VEX []string
	// Baseline is the report that findings are compared with.
	Baseline string
	// Profile is the selected profile; empty for none. Profiles are the names
	// of all that are defined, sorted.
	Profile  string
	Profiles []string
	// Files are the files that were read, the including before the included.
	Files []string
	// Sources say where each value that is no default comes from, by the key's
	// dotted path, such as db.max-age.
	Sources map[string]Source
}

// RuleSetting is what the configuration says about one rule.
type RuleSetting struct {
	// Name is the rule's id or one of its aliases, as written.
	Name string
	// Mode says whether the rule runs.
	Mode RuleMode
	// Severity replaces the rule's own when Mode is RuleSeverity.
	Severity finding.Severity
	// Source is where it is written, for errors about the name.
	Source Source
}

// RuleMode says whether a rule runs.
type RuleMode int

// The modes of a rule.
const (
	// RuleOff: the rule does not run.
	RuleOff RuleMode = iota
	// RuleOn: the rule runs, also where it is off by default.
	RuleOn
	// RuleSeverity: the rule runs with the given severity.
	RuleSeverity
)

// Value returns the setting as it is written in the file.
func (r RuleSetting) Value() string {
	switch r.Mode {
	case RuleOff:
		return "off"
	case RuleOn:
		return "on"
	default:
		return r.Severity.String()
	}
}

// Lint are the settings of the checks of Dockerfiles and manifests.
type Lint struct {
	// TrustedRegistries are those that images may come from, with * at the
	// start or end; empty means all.
	TrustedRegistries []string
	// LabelSchema are the labels that images must have, with the type of their
	// values: text, url, semver, hash, rfc3339, spdx or email. StrictLabels
	// forbids all others.
	LabelSchema  map[string]string
	StrictLabels bool
	// KubernetesVersion is the cluster's, as major.minor; empty for the newest
	// that is known.
	KubernetesVersion string
	// PodSecurity is the level of the Pod Security Standards to keep to exactly:
	// baseline, restricted or empty.
	PodSecurity string
	// KeepSeverities leaves vulnerabilities as severe as they are, however the
	// manifests run the image.
	KeepSeverities bool
	// InlineIgnores says what comments in files can do that switch rules off.
	InlineIgnores InlineIgnores
	// NoHadolint leaves hadolint's configuration out.
	NoHadolint bool
	// Exclude are patterns of paths that are not examined when directories are
	// searched.
	Exclude []string
	// BuildArgs are the build arguments of the Dockerfiles.
	BuildArgs map[string]string
}

// InlineIgnores says what comments can do that switch rules off.
type InlineIgnores string

// The settings of inline ignores.
const (
	// IgnoresAllowed: they count.
	IgnoresAllowed InlineIgnores = "allow"
	// IgnoresNeedReason: they count where they give a reason.
	IgnoresNeedReason InlineIgnores = "reason"
	// IgnoresForbidden: none counts.
	IgnoresForbidden InlineIgnores = "none"
)

// Waivers says where accepted findings are written down and how long they may
// be accepted.
type Waivers struct {
	File string
	// MaxAge is the longest time from creation to expiry; zero means any.
	MaxAge time.Duration
	// WarnBefore is how long before its expiry a waiver warns.
	WarnBefore time.Duration
}

const day = 24 * time.Hour

// Default returns the configuration of a run for which nobody has said
// anything.
func Default() Config {
	high := finding.High
	return Config{
		Policy: policy.Policy{
			FailOn: &high, DatabaseMaxAge: 7 * day,
			Licences: policy.Licences{Unknown: policy.Warns}, Remediation: policy.Remediation{WarnBefore: 7 * day},
		},
		Lint:    Lint{InlineIgnores: IgnoresAllowed},
		Waivers: Waivers{MaxAge: 180 * day, WarnBefore: 14 * day},
	}
}
