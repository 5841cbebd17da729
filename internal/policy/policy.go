// Package policy computes the verdict from findings, coverage and the
// configured demands. It is a pure function: same inputs, same verdict. It
// knows neither detectors nor reports, and drops nothing: a threshold decides
// what blocks, never what is shown.
package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Policy is the set of demands.
type Policy struct {
	// FailOn is the lowest severity that breaks the policy; nil for none.
	FailOn *finding.Severity
	// OnlyFixed exempts findings for which no fix exists yet.
	OnlyFixed bool
	// UnknownSeverityPasses exempts findings whose severity nobody has stated.
	UnknownSeverityPasses bool
	// CoverageMinimum is the percentage of packages that must be assessed.
	CoverageMinimum float64
	// CoverageAllow are the reasons for not being assessed that are accepted.
	CoverageAllow []outcome.Reason
	// DatabaseMaxAge is how old advisory data may be; zero means any age.
	DatabaseMaxAge time.Duration
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
}

// Evaluate returns the verdict and the exit code that goes with it.
func Evaluate(p Policy, in Input) (outcome.Verdict, exit.Code) {
	var clauses []judged
	clauses = append(clauses, p.severityClause(in.Findings))
	if in.InventoryExamined {
		clauses = append(clauses, p.coverageClauses(in.Coverage)...)
		if in.Database.Location != "" {
			clauses = append(clauses, p.freshnessClause(in))
		}
	}
	code := exit.Passed
	for _, failure := range in.Failures {
		code = exit.Worst(code, failure.Code)
	}
	verdict := outcome.Verdict{}
	for _, c := range clauses {
		if c.clause.Broken {
			code = exit.Worst(code, c.code)
		}
		verdict.Clauses = append(verdict.Clauses, c.clause)
	}
	slices.SortStableFunc(verdict.Clauses, func(a, b outcome.Clause) int {
		return boolOrder(b.Broken) - boolOrder(a.Broken)
	})
	verdict.Result = resultOf(code)
	return verdict, code
}

// judged is a clause with the exit code that breaking it leads to.
type judged struct {
	clause outcome.Clause
	code   exit.Code
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
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

// severityClause demands that no open finding reaches the threshold.
func (p Policy) severityClause(findings []finding.Finding) judged {
	c := outcome.Clause{Name: "fail-on", Demand: p.severityDemand()}
	counts := make(map[finding.Severity]int)
	for _, f := range findings {
		if p.breaks(f) {
			c.Findings = append(c.Findings, f.Fingerprint)
			counts[f.Severity]++
		}
	}
	if len(c.Findings) > 0 {
		c.Broken = true
		c.Reason = fmt.Sprintf("%s: %s", plural(len(c.Findings), "finding breaks it", "findings break it"), countsInWords(counts))
	}
	return judged{c, exit.PolicyBroken}
}

func (p Policy) severityDemand() string {
	if p.FailOn == nil {
		return "no finding fails the gate (fail-on: none)"
	}
	demand := fmt.Sprintf("no finding of severity %s", p.FailOn)
	if *p.FailOn != finding.Critical {
		demand += " or worse"
	}
	if !p.UnknownSeverityPasses {
		demand += ", nor of unknown severity"
	}
	if p.OnlyFixed {
		demand += ", for which a fix exists"
	}
	return demand
}

// breaks reports whether one finding alone breaks the severity clause.
func (p Policy) breaks(f finding.Finding) bool {
	if p.FailOn == nil || f.Status != finding.Open {
		return false
	}
	if p.OnlyFixed && !f.Fix.Available() {
		return false
	}
	if f.Severity == finding.Unknown {
		return !p.UnknownSeverityPasses
	}
	return f.Severity.AtLeast(*p.FailOn)
}

func countsInWords(counts map[finding.Severity]int) string {
	words := ""
	for _, s := range finding.Severities() {
		if counts[s] == 0 {
			continue
		}
		if words != "" {
			words += ", "
		}
		words += fmt.Sprintf("%d %s", counts[s], s)
	}
	return words
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
		return judged{c, exit.DataMissing}
	}
	stale := p.unaccepted(in.Coverage, func(r outcome.Reason) bool { return r == outcome.DataStale })
	c.Broken, c.Reason = stale != "", stale
	return judged{c, exit.DataMissing}
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
