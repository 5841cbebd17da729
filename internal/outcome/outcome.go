// Package outcome holds the result of one gate run: what was examined, what
// was found, what could not be assessed, the verdict and the timings. It is a
// leaf, and all that a report may know.
package outcome

import (
	"fmt"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// Outcome is everything that a run came to.
type Outcome struct {
	Tool     Tool
	Started  time.Time
	Finished time.Time
	// Targets are all things that the run was asked to examine, in the order
	// of the command line, with what became of them.
	Targets []Target
	// Image describes the examined image, nil when there was none.
	Image *inventory.Image
	// Distro is the distribution of the image or SBOM, nil when unknown.
	Distro *inventory.Distro
	// Packages is the number of packages by type in the inventory.
	Packages map[string]int
	// PackageURLs are those of all packages of the inventory, sorted, each
	// once; a later run compares itself with them. Nil when unknown.
	PackageURLs []string
	Findings    []finding.Finding
	// Baseline is what the comparison with a baseline came to, nil without one.
	Baseline *Baseline
	Coverage Coverage
	Database Database
	Verdict  Verdict
	// Failures are what went wrong in the run itself. Any of them makes the
	// verdict incomplete.
	Failures []Failure
	Timings  []Timing
	// ExitCode is the code that the process ends with.
	ExitCode exit.Code
}

// Baseline is what the comparison with an earlier run came to. How each
// finding of this run compares is said at the finding.
type Baseline struct {
	// Source is the report or image reference.
	Source string
	// Taken is when the baseline was made; zero when unknown.
	Taken time.Time
	// Notes say what was compared, and what the baseline lacks for that.
	Notes []string
	New   int
	Known int
	// Fixed are the baseline's findings that are gone, in report order.
	Fixed []BaselineFinding
	// NotExamined is the number of the baseline's findings about things that
	// this run did not look at: they are neither fixed nor known.
	NotExamined int
}

// BaselineFinding is a finding of the baseline that is gone.
type BaselineFinding struct {
	Fingerprint string
	RuleID      string
	Kind        finding.Kind
	Severity    finding.Severity
	Title       string
	Target      string
	// PURL is that of the package, or empty.
	PURL string
	// Cause and Reason say why it is gone.
	Cause  finding.Cause
	Reason string
}

// Tool names the program that made the outcome.
type Tool struct {
	Name    string
	Version string
}

// TargetKind is the sort of thing that was examined.
type TargetKind string

// The kinds of targets.
const (
	TargetImage      TargetKind = "image"
	TargetRootFS     TargetKind = "rootfs"
	TargetSBOM       TargetKind = "sbom"
	TargetDockerfile TargetKind = "dockerfile"
	TargetManifest   TargetKind = "manifest"
)

// Target is one thing that the run was asked to examine.
type Target struct {
	Kind TargetKind
	// Name is stable: repository name, or path relative to the repository.
	Name string
	// Detail says in a few words what was read: "17 instructions",
	// "312 packages", "4 objects".
	Detail string
	// Examined is false when it could not be examined; a Failure or a finding
	// then says why.
	Examined bool
}

// Reason says why a package could not be assessed.
type Reason string

// The reasons for a package not being assessable.
const (
	// NoDatabase: there is no advisory database at all.
	NoDatabase Reason = "no-database"
	// UnknownDistro: an operating system package, but the distribution or its
	// release is not known to the matcher.
	UnknownDistro Reason = "unknown-distribution"
	// EndOfLife: the distribution's release gets no advisories any more.
	EndOfLife Reason = "end-of-life"
	// NoFeed: the database lacks the data for the package's distribution or
	// ecosystem, although the matcher knows how to use it.
	NoFeed Reason = "no-feed"
	// UnsupportedType: nobody publishes advisories that packages of this type
	// could be compared with, or the matcher does not know them.
	UnsupportedType Reason = "unsupported-type"
	// VersionUnreadable: the version cannot be compared.
	VersionUnreadable Reason = "version-unreadable"
	// ForeignRepository: the package is not from the distribution itself.
	ForeignRepository Reason = "foreign-repository"
	// DataStale: the ecosystem's data is older than the policy allows.
	DataStale Reason = "data-stale"
	// NotIdentified: the package has no usable name or package URL.
	NotIdentified Reason = "not-identified"
)

// Words say the reason to a person; a reason that is not known is its own word.
func (r Reason) Words() string {
	switch r {
	case NoDatabase:
		return "no advisory database"
	case UnknownDistro:
		return "distribution not known"
	case EndOfLife:
		return "distribution gets no advisories any more"
	case NoFeed:
		return "no advisories for the distribution or ecosystem"
	case UnsupportedType:
		return "packages of a kind that nobody publishes advisories for"
	case VersionUnreadable:
		return "version cannot be compared"
	case ForeignRepository:
		return "not from the distribution"
	case DataStale:
		return "data older than the policy allows"
	case NotIdentified:
		return "cannot be identified"
	}
	return string(r)
}

// Gap is a group of packages that could not be assessed for one reason.
type Gap struct {
	Reason Reason
	// Detail names the case: the distribution, the ecosystem …
	Detail string
	// Packages are "name version" of all packages of the group, sorted.
	Packages []string
}

// Listed names the first packages of the group, at most limit of them, and says
// how many of the group those do not stand for. A package that several programs
// hold is named once, with how often it is there.
func (g Gap) Listed(limit int) (packages []string, more int) {
	shown := 0
	for shown < len(g.Packages) && len(packages) < limit {
		name, n := g.Packages[shown], 1
		for shown+n < len(g.Packages) && g.Packages[shown+n] == name {
			n++
		}
		if shown += n; n > 1 {
			name += fmt.Sprintf(" (%d times)", n)
		}
		packages = append(packages, name)
	}
	return packages, len(g.Packages) - shown
}

// Coverage says how much of the inventory was assessed for vulnerabilities.
// Assessed plus the packages of all gaps equals Packages.
type Coverage struct {
	Packages int
	Assessed int
	// Gaps sorted by reason and detail.
	Gaps []Gap
	// Unreadable are files in which packages may hide.
	Unreadable []inventory.Unreadable
}

// NotAssessed is the number of packages in all gaps.
func (c Coverage) NotAssessed() int {
	n := 0
	for _, g := range c.Gaps {
		n += len(g.Packages)
	}
	return n
}

// EmbeddedSnapshot is the Location of the data that is built into the program.
const EmbeddedSnapshot = "embedded snapshot"

// Database describes the advisory data that was used.
type Database struct {
	// Location is the directory, reference or address, or how the snapshot is
	// called; empty when there was none.
	Location string
	// Digest is the SHA-256 of the manifest, which names all shards' digests.
	Digest string
	Built  time.Time
	// Sources used by this run.
	Sources []DatabaseSource
	// Aging names the parts that were used and whose data deserves a warning,
	// Stale those whose data is older than the policy allows, each with its
	// date.
	Aging []string
	Stale []string
}

// DatabaseSource is one source of advisories in the database.
type DatabaseSource struct {
	Name string
	// Date is that of the newest record, or of the source's own snapshot.
	Date    time.Time
	Records int
	Licence string
}

// Result is the verdict in one word.
type Result string

// The results.
const (
	Pass Result = "pass"
	Fail Result = "fail"
	// Incomplete: something could not be examined, so there is no verdict.
	Incomplete Result = "incomplete"
)

// Verdict is what the policy says about the outcome. A fail has at least one
// broken clause; a pass has none.
type Verdict struct {
	Result Result
	// Clauses are all clauses that the policy has, broken ones first, then
	// those that warn.
	Clauses []Clause
	// Changes are the smallest set of changes known that would keep every
	// broken clause, in a fixed order.
	Changes []Change
	// Unresolved are the fingerprints of the findings that break a clause and
	// that no known change removes, in report order.
	Unresolved []string
}

// ChangeKind is the sort of a Change.
type ChangeKind string

// The kinds of changes.
const (
	// UpgradePackage: install a fixed version of a package.
	UpgradePackage ChangeKind = "upgrade-package"
	// MoveBaseImage: build on a base image that holds the fixed versions.
	MoveBaseImage ChangeKind = "move-base-image"
	// EditFile: apply the edits to a file of the repository.
	EditFile ChangeKind = "edit-file"
	// CorrectByHand: do what the finding's fix says, which no tool can.
	CorrectByHand ChangeKind = "correct-by-hand"
	// RenewData: build or fetch the advisory database anew.
	RenewData ChangeKind = "renew-data"
)

// Change is one thing to do about a broken policy.
type Change struct {
	Kind ChangeKind
	// Subject is what to change: a package, a base image's FROM line, a file.
	Subject string
	// Upgrades are the packages that must move, for UpgradePackage and
	// MoveBaseImage, sorted by name.
	Upgrades []Upgrade
	// Edits are the edits to apply, for EditFile.
	Edits []finding.Edit
	// Location is the place to do it at, as far as one is known.
	Location finding.Location
	// Text says it in words.
	Text string
	// Findings are the fingerprints of the findings that the change removes,
	// in report order.
	Findings []string
}

// Upgrade is the move of one package to a version without the findings.
type Upgrade struct {
	Package string
	From    string
	// To is the lowest version that fixes all of the findings; empty where the
	// versions cannot be compared and Versions has more than one.
	To string
	// Versions are all fixed versions that the findings name, sorted.
	Versions []string
}

// Clause is one demand of the policy.
type Clause struct {
	// Name is the key in the configuration, such as fail-on.
	Name string
	// Demand is the clause in words: "no finding of severity high or worse".
	Demand string
	Broken bool
	// Warned says that the demand is not met but only warns; Broken is then
	// false.
	Warned bool
	// Reason says in one sentence how it was broken; empty when it holds.
	Reason string
	// Findings are the fingerprints of the findings that broke it, in report
	// order.
	Findings []string
	// Subjects are what else broke it, sorted: packages with their licences,
	// for clauses that are not about findings.
	Subjects []string
}

// Failed returns the set of fingerprints that broke any clause.
func (v Verdict) Failed() map[string]bool {
	failed := make(map[string]bool)
	for _, c := range v.Clauses {
		if c.Broken {
			for _, fp := range c.Findings {
				failed[fp] = true
			}
		}
	}
	return failed
}

// StageReport is the stage of failures to write what the run came to.
const StageReport = "report"

// Failure is something that went wrong in the run itself: an unreadable
// target, a missing database, a detector that panicked.
type Failure struct {
	// Stage is where: target, inventory, vulnerability, dockerfile, report …
	Stage string
	// Target is the name of what was being examined.
	Target string
	// Message says what failed on which input; Hint what the user can do.
	Message string
	Hint    string
	Code    exit.Code
}

// Timing is how long one stage took.
type Timing struct {
	Stage    string
	Duration time.Duration
}
