// Package finding holds the vocabulary of everything that comes after
// detection: Finding, Severity, Location and the fingerprint that tells one
// problem from another. It is a leaf and imports only the standard library.
// It is not for deciding what a finding means for the gate (package policy)
// or for showing it (package report).
package finding

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind is the sort of problem that a finding is about. It selects the policy
// clauses that apply and the SARIF run in which the finding is reported.
type Kind string

// The kinds of findings.
const (
	// Vulnerability is a known flaw in a package of the image or SBOM.
	Vulnerability Kind = "vulnerability"
	// Secret is a credential that lies open in the image or its configuration.
	Secret Kind = "secret"
	// Malware is something in the image that was made to do harm, or that is not
	// what its package installed.
	Malware Kind = "malware"
	// ImageConfig is a weakness in the configuration or files of the built image.
	ImageConfig Kind = "image-config"
	// Dockerfile is a broken Dockerfile rule.
	Dockerfile Kind = "dockerfile"
	// Kubernetes is a broken rule about a Kubernetes manifest.
	Kubernetes Kind = "kubernetes"
	// Coverage says that something could not be examined.
	Coverage Kind = "coverage"
	// Waiver is a fault of an exception itself: a waiver that has expired, soon
	// will, is malformed, lives too long or matches nothing.
	Waiver Kind = "waiver"
)

// Status is what triage made of a finding. No finding is ever dropped: it
// keeps its place in the reports with a status and a reason.
type Status string

// The statuses that a finding can have.
const (
	// Open findings count for the gate. It is the status of a new finding.
	Open Status = "open"
	// Waived findings were accepted by a waiver.
	Waived Status = "waived"
	// NotAffected findings were ruled out by VEX or by evidence.
	NotAffected Status = "not affected"
	// Inherited findings come from the base image.
	Inherited Status = "inherited"
	// Known findings are in the baseline already.
	Known Status = "known"
)

// FixState says whether a fix exists and, if not, what the vendor said.
type FixState string

// The fix states, as vendors publish them. The empty state means that the
// idea of a fixed version does not apply (a lint finding).
const (
	FixNotApplicable      FixState = ""
	Fixed                 FixState = "fixed"
	FixedInESM            FixState = "fixed-in-esm"
	NotFixed              FixState = "not-fixed"
	WontFix               FixState = "wont-fix"
	FixDeferred           FixState = "deferred"
	FixUnderInvestigation FixState = "under-investigation"
	FixEndOfLife          FixState = "end-of-life"
	FixUnknown            FixState = "unknown"
)

// FixStates are the states of findings to which a fixed version applies.
func FixStates() []FixState {
	return []FixState{Fixed, FixedInESM, NotFixed, WontFix, FixDeferred, FixUnderInvestigation, FixEndOfLife, FixUnknown}
}

// Fix is how to get rid of a finding.
type Fix struct {
	// State is empty for findings to which versions do not apply.
	State FixState
	// Version is the version that closes the interval which holds the
	// installed version; empty unless State is Fixed or FixedInESM.
	Version string
	// Text tells a person what to do, in one or two sentences.
	Text string
	// Edits are the changes to the user's files that fix the finding, where
	// that is mechanical. They do not overlap; all of them belong together.
	Edits []Edit
}

// Edit replaces a piece of a file. Positions are those of Location: lines and
// columns from 1, columns in code points, the end exclusive. An edit whose end
// equals its start inserts.
type Edit struct {
	// Path is relative to the root of the user's checkout.
	Path                             string
	Line, Column, EndLine, EndColumn int
	// NewText replaces what stands there; empty deletes it.
	NewText string
}

// Available reports whether a person can fix the finding now: a fixed version
// exists, or the finding is about something the user wrote.
func (f Fix) Available() bool {
	return f.State == Fixed || f.State == FixNotApplicable
}

// PlatformsFact is the name of the evidence that lists the platforms of a
// finding which only some of the examined platforms of an image have.
const PlatformsFact = "platforms"

// Package names the package that a finding is about, by the identifiers that
// users and other tools know.
type Package struct {
	// Name is the name as installed, such as libssl3.
	Name string
	// Version is the installed version in the ecosystem's own form.
	Version string
	// Type is the package URL type: deb, apk, rpm, npm, pypi, golang …
	Type string
	// PURL is the package URL, https://github.com/package-url/purl-spec.
	PURL string
	// Source is the source package that advisories name, where it differs.
	Source string
}

// Space tells to which tree a location's path belongs.
type Space string

// The spaces in which a location can lie.
const (
	// Repository paths are relative to the root of the user's checkout, with
	// forward slashes and no leading "./".
	Repository Space = "repository"
	// InImage paths are absolute paths inside the examined image.
	InImage Space = "image"
)

// Origin says who brought a finding of an image in. It is empty where nothing
// tells: then nobody may be spared on the ground that it is another's.
type Origin string

// The origins of a finding.
const (
	// FromBaseImage: the base image brought it in; moving that removes it.
	FromBaseImage Origin = "base-image"
	// FromBuild: the user's own build or files brought it in.
	FromBuild Origin = "build"
)

// Location is a place to look at. Lines and columns start at 1; columns count
// Unicode code points. EndColumn is the column after the last character. A
// zero Line means the file as a whole, a zero Column the line as a whole.
type Location struct {
	Space     Space
	Path      string
	Line      int
	Column    int
	EndLine   int
	EndColumn int
	// Layer is the diff id (sha256:…) of the image layer that holds the path;
	// empty outside an image.
	Layer string
	// Note says in a few words what is at this place, for further locations.
	Note string
}

// Fact is one piece of evidence: a name and a value, shown in this order.
type Fact struct {
	Name  string
	Value string
}

// Finding is one problem. Findings are values: triage returns changed copies
// and never edits one in place.
type Finding struct {
	// RuleID is the id in the catalogue of rules; for a vulnerability it is
	// the canonical advisory id (CVE first).
	RuleID string
	// Aliases are all other ids of the same problem: other advisories' ids of
	// one vulnerability, other tools' ids of one rule. Sorted.
	Aliases []string
	Kind    Kind
	// Severity and SeveritySource say how bad it is and who said so.
	Severity       Severity
	SeveritySource string
	// Score and Vector are the CVSS base score and vector behind Severity,
	// where there is one.
	Score  float64
	Vector string
	// Title is the problem in one short line without version numbers.
	Title string
	// Message says what is there, what was expected and what to write instead.
	Message string
	// Target is the stable name of what was examined: an image's repository
	// name without tag or digest, or a file's path.
	Target string
	// Object names the part of the target, such as Deployment/shop/web or a
	// build stage; empty where the location says it all.
	Object string
	// Package is set for findings about a package.
	Package *Package
	// Locations has at least one entry; the first is where a person fixes it.
	Locations []Location
	Evidence  []Fact
	Fix       Fix
	// Origin says whether the base image or the user's own build brought the
	// finding in; empty where that is not known.
	Origin Origin
	// Risk is set where anything is known about exploitation.
	Risk *Risk
	// References are https links to the advisory or the rule's sources.
	References []string
	// Sensitive says that the text at the finding's locations holds a secret.
	// Reports then show no text of any finding at these places.
	Sensitive bool
	// Fingerprint is equal for the same problem across tags, digests, rebuilds
	// and line shifts. See Fingerprint and Distinguish.
	Fingerprint string
	Status      Status
	// StatusReason says why the status is not Open, and who said so.
	StatusReason string
	// StatusSource names where the decision is written down: the file with line
	// or statement of a waiver or VEX document, the baseline, the base image.
	// Empty when the gate's own evidence decided, and while Open.
	StatusSource string
	// StatusUntil is the last day of a waiver, at midnight UTC; zero when the
	// status has no end.
	StatusUntil time.Time
	// Justification is the label of OpenVEX that goes with NotAffected, such as
	// vulnerable_code_not_present; empty where nobody gave one.
	// https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md#status-justifications
	Justification string
	// Baseline says how the finding compares with the baseline, whatever its
	// status; the zero value when there was none.
	Baseline Comparison
}

// Comparison is what a baseline says about one finding.
type Comparison struct {
	// State is empty when no baseline was given.
	State BaselineState
	// Cause says why a new finding is new; empty for known ones.
	Cause Cause
	// Reason names the evidence behind State and Cause in one sentence.
	Reason string
}

// BaselineState tells findings that came in since the baseline from those that
// were there.
type BaselineState string

// The states. What the baseline had and is gone is no finding any more: it is
// listed in the outcome.
const (
	BaselineNew   BaselineState = "new"
	BaselineKnown BaselineState = "known"
)

// Cause tells changes made by the user from changes in what is known.
type Cause string

// The causes of a difference between two runs.
const (
	// CodeChanged: what was examined is not what it was.
	CodeChanged Cause = "code"
	// DataLearned: what was examined is the same, the advisory data is not.
	DataLearned Cause = "data"
	// ToolChanged: another version of portcullis with other rules looked at it.
	ToolChanged Cause = "tool"
	// CauseUnknown: the evidence does not tell.
	CauseUnknown Cause = "unknown"
)

// Validate reports the first broken promise of a finding. Boundaries where
// findings enter (saved reports) and tests of detectors call it.
func (f Finding) Validate() error {
	switch {
	case f.RuleID == "":
		return errors.New("finding without a rule id")
	case f.Kind == "":
		return fmt.Errorf("finding %s: no kind", f.RuleID)
	case f.Title == "" || f.Message == "":
		return fmt.Errorf("finding %s: title or message is empty", f.RuleID)
	case len(f.Locations) == 0:
		return fmt.Errorf("finding %s: no location", f.RuleID)
	case f.Fingerprint == "":
		return fmt.Errorf("finding %s: no fingerprint", f.RuleID)
	case f.Status == "":
		return fmt.Errorf("finding %s: no status", f.RuleID)
	}
	for _, l := range f.Locations {
		if err := l.validate(); err != nil {
			return fmt.Errorf("finding %s: %w", f.RuleID, err)
		}
	}
	return nil
}

func (l Location) validate() error {
	switch {
	case l.Space != Repository && l.Space != InImage:
		return fmt.Errorf("location %q: unknown space %q", l.Path, l.Space)
	case l.Path == "":
		return errors.New("location without a path")
	case l.Line < 0 || l.Column < 0 || (l.Column > 0 && l.Line == 0):
		return fmt.Errorf("location %s: bad position %d:%d", l.Path, l.Line, l.Column)
	case l.EndLine != 0 && l.EndLine < l.Line:
		return fmt.Errorf("location %s: ends on line %d before it starts on %d", l.Path, l.EndLine, l.Line)
	}
	return nil
}

// Sort orders findings for every report: worst first, then by kind, rule,
// place and fingerprint, so that output never depends on timing.
func Sort(findings []Finding) {
	if !isSorted(findings) {
		SortStableFunc(findings, compare)
	}
}

// SortStableFunc orders findings by any comparison, in their place; equal ones
// keep their order.
func SortStableFunc(findings []Finding, compare func(a, b *Finding) int) {
	// A finding is half a kilobyte: their places are sorted, and each is moved
	// once.
	order := make([]int, len(findings))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(&findings[a], &findings[b]) })
	for start := range order {
		if order[start] == start {
			continue
		}
		// What belongs here belongs to a ring of places, each of which takes the
		// finding of the next one.
		first, at := findings[start], start
		for order[at] != start {
			from := order[at]
			findings[at], order[at] = findings[from], at
			at = from
		}
		findings[at], order[at] = first, at
	}
}

// SortPointers is Sort for a list whose findings are held elsewhere.
func SortPointers(findings []*Finding) { slices.SortStableFunc(findings, compare) }

func isSorted(findings []Finding) bool {
	for i := 1; i < len(findings); i++ {
		if compare(&findings[i-1], &findings[i]) > 0 {
			return false
		}
	}
	return true
}

// Compare is the order that Sort uses. It returns a negative number when a
// comes first.
func Compare(a, b Finding) int { return compare(&a, &b) }

func compare(a, b *Finding) int {
	if n := cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target)); n != 0 {
		return n
	}
	if n := compareFirstLocation(a, b); n != 0 {
		return n
	}
	return cmp.Or(
		cmp.Compare(a.RuleID, b.RuleID),
		cmp.Compare(packageKey(a), packageKey(b)),
		cmp.Compare(a.Fingerprint, b.Fingerprint),
	)
}

func compareFirstLocation(a, b *Finding) int {
	var la, lb Location
	if len(a.Locations) > 0 {
		la = a.Locations[0]
	}
	if len(b.Locations) > 0 {
		lb = b.Locations[0]
	}
	return cmp.Or(
		cmp.Compare(la.Path, lb.Path),
		cmp.Compare(la.Line, lb.Line),
		cmp.Compare(la.Column, lb.Column),
	)
}

func packageKey(f *Finding) string {
	if f.Package == nil {
		return ""
	}
	return f.Package.PURL
}
