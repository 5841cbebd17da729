package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Evaluate returns the verdict and the exit code that goes with it. The order
// of the inputs does not matter.
func Evaluate(p Policy, in Input) (outcome.Verdict, exit.Code) {
	in = in.sorted(p.readsPackages())
	clauses := p.judge(in)
	code := exit.Passed
	for _, failure := range in.Failures {
		code = exit.Worst(code, failure.Code)
	}
	verdict := outcome.Verdict{}
	for i, c := range clauses {
		if c.clause.Broken && p.onlyWarns(c.clause.Name) {
			clauses[i].clause.Broken, clauses[i].clause.Warned = false, true
		}
		switch c := clauses[i]; {
		case c.clause.Broken:
			code = exit.Worst(code, c.code)
		case c.clause.Warned && p.WarnExit:
			code = exit.Worst(code, exit.Warned)
		}
		verdict.Clauses = append(verdict.Clauses, clauses[i].clause)
	}
	slices.SortStableFunc(verdict.Clauses, func(a, b outcome.Clause) int { return rank(a) - rank(b) })
	verdict.Result = resultOf(code)
	verdict.Changes, verdict.Unresolved = changes(clauses, in)
	return verdict, code
}

// judge makes all clauses of the policy.
func (p Policy) judge(in Input) []judged {
	s := p.scope(in)
	clauses := p.thresholdClauses(s)
	clauses = append(clauses, p.riskClauses(s)...)
	clauses = append(clauses, p.remediationClauses(s)...)
	clauses = append(clauses, p.exemptionClauses(s)...)
	clauses = append(clauses, p.artifactClauses(in)...)
	clauses = append(clauses, p.expressionClauses(s)...)
	if in.InventoryExamined {
		clauses = append(clauses, p.coverageClauses(in.Coverage)...)
		if in.Database.Location != "" {
			clauses = append(clauses, p.freshnessClause(in))
		}
	}
	return clauses
}

// readsPackages reports whether there is a clause about packages that no finding
// is about.
func (p Policy) readsPackages() bool {
	return p.Licences.judges() || len(p.Deny)+len(p.Warn) > 0
}

// sorted returns the input with everything in a fixed order, so that the
// verdict never depends on the order of what came in. Packages, which may be
// very many, are brought into it if they are read.
func (in Input) sorted(packages bool) Input {
	if !slices.IsSortedFunc(in.Findings, finding.Compare) {
		in.Findings = slices.Clone(in.Findings)
		finding.Sort(in.Findings)
	}
	if packages {
		in.Packages = slices.Clone(in.Packages)
		slices.SortStableFunc(in.Packages, func(a, b inventory.Package) int {
			return strings.Compare(packageName(a)+"\x00"+a.PURL+"\x00"+a.ID, packageName(b)+"\x00"+b.PURL+"\x00"+b.ID)
		})
	}
	in.Manifests = slices.Clone(in.Manifests)
	slices.SortStableFunc(in.Manifests, func(a, b Manifest) int {
		if a.Path != b.Path {
			return strings.Compare(a.Path, b.Path)
		}
		return a.Line - b.Line
	})
	return in
}

// rank puts broken clauses first and those that warn next.
func rank(c outcome.Clause) int {
	switch {
	case c.Broken:
		return 0
	case c.Warned:
		return 1
	default:
		return 2
	}
}

// WarnOnlyNames are the clauses that can be made to only warn. What says that
// nothing was looked at is not among them.
func WarnOnlyNames() []string {
	return []string{
		"fail-on", "counts", "kinds", "restrict", "known-exploited", "epss", "cvss", "remediation",
		"licences", "sbom", "end-of-life", "coverage.minimum",
	}
}

// onlyWarns reports whether the policy makes a clause only warn.
func (p Policy) onlyWarns(name string) bool {
	return slices.ContainsFunc(p.WarnOnly, func(w string) bool {
		return name == w || strings.HasPrefix(name, w+".")
	})
}

func resultOf(code exit.Code) outcome.Result {
	switch code {
	case exit.Passed, exit.Warned:
		return outcome.Pass
	case exit.PolicyBroken:
		return outcome.Fail
	default:
		return outcome.Incomplete
	}
}

// freshnessClause demands data that is young enough. The matcher compares the
// age of each shard with DatabaseMaxAge and leaves the packages of an old one
// unassessed; here that is judged, together with a clock that cannot be right.
func (p Policy) freshnessClause(in Input) judged {
	c := outcome.Clause{Name: "db.max-age", Demand: "advisory data of any age"}
	if p.DatabaseMaxAge > 0 {
		c.Demand = fmt.Sprintf("advisory data no older than %s", ageInWords(p.DatabaseMaxAge))
	}
	if in.Database.Built.Sub(in.Now) > clockSkew {
		c.Broken = true
		c.Reason = fmt.Sprintf("the database says that it was built on %s, which is in the future",
			in.Database.Built.UTC().Format(time.RFC3339))
		return judged{clause: c, code: exit.DataMissing}
	}
	stale := p.unaccepted(in.Coverage, func(r outcome.Reason) bool { return r == outcome.DataStale })
	c.Broken, c.Reason = stale != "", stale
	if c.Broken {
		return judged{clause: c, code: exit.DataMissing}
	}
	// Packages that lack advisories young enough are counted above. Scores and
	// the list of what is exploited have no packages: their age matters to a
	// policy that judges by them.
	if old := p.staleRisk(in.Database.Stale); len(old) > 0 {
		c.Broken = true
		c.Reason = "the data that the policy judges by is too old: " + strings.Join(old, ", ")
	} else if old := slices.Concat(in.Database.Aging, in.Database.Stale); len(old) > 0 && p.DatabaseMaxAge > 0 {
		c.Warned = true
		c.Reason = "the data is getting old: " + strings.Join(old, ", ")
	}
	return judged{clause: c, code: exit.DataMissing}
}

// staleRisk picks those of the parts that a clause of the policy judges by.
func (p Policy) staleRisk(stale []string) []string {
	if slices.Contains(p.CoverageAllow, outcome.DataStale) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(stale), func(part string) bool {
		name, _, _ := strings.Cut(part, " ")
		return !(name == "epss" && p.EPSS != nil) && !(name == "kev" && p.KnownExploited != Passes)
	})
}

// clockSkew is how far apart the clocks of the machine that built the database
// and of this one may be.
const clockSkew = time.Hour

func ageInWords(d time.Duration) string {
	if d >= 24*time.Hour {
		return plural(int(d/(24*time.Hour)), "day", "days")
	}
	return d.Round(time.Minute).String()
}

// plural returns n with the word that fits it.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
