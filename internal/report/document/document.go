// Package document holds what every report format is made from: the options,
// the counts, and the findings grouped by the place where a person fixes them.
// It prepares plain data and writes nothing; escaping for a sink is the task
// of package neutralise and the choice of words that of each format.
package document

import (
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// InformationURI is the home page of the project, shown by viewers of reports.
const InformationURI = "https://github.com/portcullis-ci/portcullis"

// Options are what a format may use besides the outcome. The zero value is
// good for everything.
type Options struct {
	// Catalogue explains the rules of all findings but vulnerabilities.
	Catalogue rules.Catalogue
	// Root is the read-only root of the user's repository, for the hashes and
	// the text of source lines. Nil when there is none.
	Root fs.FS
	// Color allows ANSI colours in the terminal format.
	Color bool
	// Width is the number of columns of the terminal; 0 means 100.
	Width int
	// All makes the terminal format list every finding instead of folding
	// long groups.
	All bool
	// Category is the first part of the SARIF run ids; empty means "gate".
	Category string
	// Command is the command line that repeats the run, for summaries.
	Command string
	// MinSeverity leaves findings of a lower severity out of the formats for
	// machines other than JSON. Unknown, the zero value, leaves out nothing;
	// findings of unknown severity are never left out.
	MinSeverity finding.Severity
	// Changed are the lines of the change under review: where only some findings
	// fit, those on them come first.
	Changed Changed
	// Links say where a reader of one report finds the others.
	Links Links
	// Cuts collects what reports leave out because of a host's limits; those that
	// are written later name it. Nil when nobody asks.
	Cuts *Cuts
}

// Links are addresses of this run, as far as they are known.
type Links struct {
	// Job is the page of the CI job.
	Job string
	// Report is the page of the full report.
	Report string
	// Source is the address of the repository's files at the examined commit,
	// ending in "/", to which a path and "#L12" can be added.
	Source string
}

// Shown reports whether a finding belongs into a report under the options'
// minimum severity.
func (o Options) Shown(f finding.Finding) bool {
	return o.MinSeverity == finding.Unknown || f.Severity == finding.Unknown || f.Severity >= o.MinSeverity
}

// Active reports whether a finding counts for the gate as it stands: it was
// not waived or ruled out, and is neither inherited nor known.
func Active(f finding.Finding) bool { return f.Status == finding.Open }

// Active and passive findings of an outcome in report order.
func Split(o outcome.Outcome) (active, passive []finding.Finding) {
	all := Sorted(o.Findings)
	if !slices.ContainsFunc(all, func(f finding.Finding) bool { return !Active(f) }) {
		return slices.Clip(all), nil
	}
	for _, f := range all {
		if Active(f) {
			active = append(active, f)
		} else {
			passive = append(passive, f)
		}
	}
	return active, passive
}

// Sorted returns findings in report order: those of an outcome, which the gate
// has sorted, as they are, and others in a copy. It is not to be written to.
func Sorted(findings []finding.Finding) []finding.Finding {
	if slices.IsSortedFunc(findings, finding.Compare) {
		return findings
	}
	sorted := slices.Clone(findings)
	finding.Sort(sorted)
	return sorted
}

// Counts are numbers of findings.
type Counts struct {
	BySeverity map[finding.Severity]int
	ByStatus   map[finding.Status]int
	// Total is the number of all findings whatever their status.
	Total int
	// Active is the number of open findings; BySeverity counts only these.
	Active int
	// Fixable is the number of open findings that a person can fix now.
	Fixable int
	// Failing is the number of findings that break the policy.
	Failing int
}

// Count counts the findings of an outcome.
func Count(o outcome.Outcome) Counts {
	c := Counts{BySeverity: make(map[finding.Severity]int), ByStatus: make(map[finding.Status]int)}
	failed := o.Verdict.Failed()
	for _, f := range o.Findings {
		c.Total++
		c.ByStatus[f.Status]++
		if failed[f.Fingerprint] {
			c.Failing++
		}
		if !Active(f) {
			continue
		}
		c.Active++
		c.BySeverity[f.Severity]++
		if f.Fix.Available() {
			c.Fixable++
		}
	}
	return c
}

// Fact returns the value of a finding's first piece of evidence of that name,
// or "".
func Fact(f finding.Finding, name string) string {
	for _, fact := range f.Evidence {
		if fact.Name == name {
			return fact.Value
		}
	}
	return ""
}

// PlatformWords say on which of the examined platforms a package's findings
// are; empty when all are on all.
func PlatformWords(findings []finding.Finding) string {
	words := ""
	for i, f := range findings {
		only := Fact(f, finding.PlatformsFact)
		switch {
		case i == 0 && only != "":
			words = "only on " + only
		case i > 0 && words != "" && words != "only on "+only || words == "" && only != "":
			return "some not on all platforms"
		}
	}
	return words
}

// ImageName is the stable name of the examined image, root file system or
// SBOM, or "" when the run examined none.
func ImageName(o outcome.Outcome) string {
	if o.Image != nil && o.Image.Name != "" {
		return o.Image.Name
	}
	for _, t := range o.Targets {
		if t.Kind == outcome.TargetImage || t.Kind == outcome.TargetRootFS || t.Kind == outcome.TargetSBOM {
			return t.Name
		}
	}
	return ""
}

// ImageDigest is the digest of the examined image, for sinks that know no
// quoting: "" unless it is an algorithm and hexadecimal digits, nothing else.
func ImageDigest(o outcome.Outcome) string {
	if o.Image == nil {
		return ""
	}
	algorithm, hex, found := strings.Cut(o.Image.Digest, ":")
	if !found || algorithm == "" || len(algorithm) > 16 || len(hex) < 32 || len(hex) > 128 ||
		strings.Trim(algorithm, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	return o.Image.Digest
}

// OldestSource is the date of the oldest data among the sources that were used,
// which a database that was built today may well hold; zero when none has a
// date.
func OldestSource(db outcome.Database) time.Time {
	var oldest time.Time
	for _, s := range db.Sources {
		if !s.Date.IsZero() && (oldest.IsZero() || s.Date.Before(oldest)) {
			oldest = s.Date
		}
	}
	return oldest
}
