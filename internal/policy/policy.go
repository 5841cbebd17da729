// Package policy computes the verdict from findings, packages, coverage and
// the configured demands. It is a pure function: same inputs, same verdict. It
// knows neither detectors nor reports, and drops nothing: a threshold decides
// what blocks, never what is shown.
package policy

import (
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Policy is the set of demands. The zero value demands nothing of findings,
// and of coverage what no policy can give up.
type Policy struct {
	// FailOn is the lowest severity that breaks the policy; nil for none.
	FailOn *finding.Severity
	// WarnOn is the lowest severity that warns; nil for none.
	WarnOn *finding.Severity
	// OnlyFixed exempts findings for which no fix exists yet.
	OnlyFixed bool
	// PassFixStates are the fix states whose findings are exempt, as far as
	// OnlyFixed exempts others.
	PassFixStates []finding.FixState
	// UnknownSeverityPasses exempts findings whose severity nobody has stated.
	UnknownSeverityPasses bool
	// Counts are how many findings of a severity are allowed. A severity that
	// is named here is judged by its number and no more by FailOn.
	Counts map[finding.Severity]int
	// Kinds are demands of their own for some kinds of findings.
	Kinds map[finding.Kind]KindDemands
	// CountKnown makes findings break the policy that the baseline has, too,
	// and CountInherited those that triage gave to the base image.
	CountKnown     bool
	CountInherited bool
	// KnownExploited is what a flaw does that is known to be exploited,
	// whatever its severity and whether or not a fix exists.
	KnownExploited Effect
	// EPSS and CVSS are the lowest scores that break the policy; nil for none.
	EPSS *float64
	CVSS *float64
	// Exempt takes findings out of every clause; Restrict lowers the threshold
	// for some.
	Exempt   []Exemption
	Restrict []Restriction
	// Remediation is the clock that runs once a fix is there.
	Remediation Remediation
	Licences    Licences
	// SBOMRequired demands that an SBOM is written or attached.
	SBOMRequired bool
	// EndOfLife is what a distribution does that gets no more advisories.
	EndOfLife Effect
	// Deny and Warn are expressions of the user's own.
	Deny []Expression
	Warn []Expression
	// ManifestRules are the user's own rules for Kubernetes objects. What they
	// find is judged like all other findings.
	ManifestRules []ManifestRule
	// WarnOnly names clauses that only warn: a name such as epss, or the first
	// parts of one, such as kinds.
	WarnOnly []string
	// WarnExit asks for the exit code of its own when a clause warns.
	WarnExit bool
	// CoverageMinimum is the percentage of packages that must be assessed.
	CoverageMinimum float64
	// CoverageAllow are the reasons for not being assessed that are accepted.
	CoverageAllow []outcome.Reason
	// DatabaseMaxAge is how old advisory data may be; zero means any age.
	DatabaseMaxAge time.Duration
}

// Effect is what comes of an unmet demand.
type Effect int

// The effects in ascending order.
const (
	Passes Effect = iota
	Warns
	Fails
)

// String returns the word used in configuration.
func (e Effect) String() string { return [...]string{"pass", "warn", "fail"}[e] }

// KindDemands are what is demanded of one kind of findings in place of the
// general demands. What is not set keeps the general one.
type KindDemands struct {
	// OwnFailOn says that FailOn holds, nil (none) included.
	OwnFailOn bool
	FailOn    *finding.Severity
	// OnlyFixed and UnknownSeverityPasses keep the general ones when nil.
	OnlyFixed             *bool
	UnknownSeverityPasses *bool
	// Counts keep the general ones when nil.
	Counts map[finding.Severity]int
}

// Remediation demands that what can be fixed is fixed in time.
type Remediation struct {
	// FailAfter is how long a fix may be available, by severity.
	FailAfter map[finding.Severity]time.Duration
	// WarnBefore is how long before that the clause warns.
	WarnBefore time.Duration
	// UndatedWarns makes findings only warn of which nobody knows since when
	// they can be fixed. By default they fail: they cannot be shown to be in
	// time.
	UndatedWarns bool
}

// Licences demands that packages have licences that the user accepts.
type Licences struct {
	// Allow and Deny are SPDX ids, with * for any text. With Allow, everything
	// else is denied.
	Allow []string
	Deny  []string
	// Unknown is what packages do without a licence that can be read.
	Unknown Effect
	// Ignore are packages that are not judged, by name or package URL with *.
	Ignore []string
}

// Expression is a condition in CEL that must not hold.
type Expression struct {
	// Name is that of the clause, Message what its owner says about it.
	Name    string
	Text    string
	Message string
}

// ManifestRule is a condition in CEL that must not hold for a Kubernetes
// object. Package config has checked it.
type ManifestRule struct {
	ID string
	// Kinds are the kinds of objects, as Kind or Group/Kind; none for all.
	Kinds []string
	Text  string
	// Field is the path to where it points; empty for the object.
	Field    string
	Message  string
	Severity finding.Severity
}

// Input is what a policy judges.
type Input struct {
	Findings []finding.Finding
	Coverage outcome.Coverage
	// InventoryExamined says whether packages were looked for at all; without
	// it (lint only) the clauses about coverage and data do not apply.
	InventoryExamined bool
	Database          outcome.Database
	// Failures are faults of the run; each makes the verdict incomplete.
	Failures []outcome.Failure
	// Now is the time against which the age of the data is measured.
	Now time.Time
	// Packages are those of the inventory, for licences and expressions.
	Packages []inventory.Package
	// Image is nil when none was examined. Platforms are the images of single
	// platforms where several were examined together: what is said about the
	// image is then judged for each.
	Image     *inventory.Image
	Platforms []*inventory.Image
	// Distro is nil when it is not known.
	Distro *inventory.Distro
	// Manifests are the objects of the examined manifests.
	Manifests []Manifest
	// SBOM says that this run writes an SBOM, or that one is attached.
	SBOM bool
	// Compare orders two versions of packages of a package URL type; it
	// reports false when it cannot. Nil means that it never can.
	Compare func(purlType, a, b string) (order int, ok bool)
	// Missing names inputs that this judgement has to do without, such as
	// packages when a saved report is judged again: packages, image,
	// manifests, sbom. A clause that needs one is not judged, and says so.
	Missing []string
}

// Manifest is one Kubernetes object as expressions see it.
type Manifest struct {
	// Path and Line are where it is written.
	Path string
	Line int
	// Object is the decoded object.
	Object map[string]any
}

// The names of Input.Missing.
const (
	NoPackages  = "packages"
	NoImage     = "image"
	NoManifests = "manifests"
	NoSBOM      = "sbom"
)

// judged is a clause with the exit code that breaking it leads to.
type judged struct {
	clause outcome.Clause
	code   exit.Code
	// over is set for clauses that allow some of their findings: the number of
	// findings of each severity over what is allowed.
	over map[finding.Severity]int
	// change is what to do about a clause that is not about findings; nil where
	// that is not known.
	change *outcome.Change
}
