package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// blind are the reasons that leave a whole class of packages unexamined, so
// that a clean result would say nothing about them. They make the verdict
// incomplete unless the policy accepts them. The other reasons concern single
// packages; they are shown, counted and held against CoverageMinimum.
var blind = []outcome.Reason{
	outcome.NoDatabase, outcome.UnknownDistro, outcome.EndOfLife, outcome.DataStale,
}

// coverageClauses demand that enough was looked at.
func (p Policy) coverageClauses(c outcome.Coverage) []judged {
	clauses := []judged{p.inventoryClause(c), p.blindSpotClause(c)}
	if p.CoverageMinimum > 0 {
		clauses = append(clauses, p.minimumClause(c))
	}
	return clauses
}

// inventoryClause demands that there were packages to judge, and that at least
// one of them could be.
func (p Policy) inventoryClause(c outcome.Coverage) judged {
	clause := outcome.Clause{Name: "inventory", Demand: "packages are found and at least one can be assessed"}
	switch {
	case c.Packages == 0:
		clause.Broken, clause.Reason = true, "no package was found: nothing could be assessed"
	case c.Assessed == 0 && !p.allAccepted(c):
		clause.Broken = true
		clause.Reason = fmt.Sprintf("none of %s could be assessed", plural(c.Packages, "package", "packages"))
	}
	return judged{clause, codeFor(c)}
}

// allAccepted reports whether every gap is one that the policy accepts.
func (p Policy) allAccepted(c outcome.Coverage) bool {
	for _, gap := range c.Gaps {
		if !slices.Contains(p.CoverageAllow, gap.Reason) {
			return false
		}
	}
	return true
}

// blindSpotClause demands that no class of packages was passed over whole.
func (p Policy) blindSpotClause(c outcome.Coverage) judged {
	clause := outcome.Clause{Name: "coverage", Demand: "no distribution or source of data is missing"}
	var spots []string
	for _, gap := range c.Gaps {
		if slices.Contains(blind, gap.Reason) && !slices.Contains(p.CoverageAllow, gap.Reason) {
			spots = append(spots, fmt.Sprintf("%s not assessed: %s (%s)",
				plural(len(gap.Packages), "package", "packages"), gap.Reason, gap.Detail))
		}
	}
	if len(spots) > 0 {
		clause.Broken, clause.Reason = true, strings.Join(spots, "; ")
	}
	return judged{clause, codeFor(c)}
}

// minimumClause demands a share of assessed packages, leaving out those whose
// reason is accepted.
func (p Policy) minimumClause(c outcome.Coverage) judged {
	clause := outcome.Clause{
		Name:   "coverage.minimum",
		Demand: fmt.Sprintf("at least %g %% of packages assessed", p.CoverageMinimum),
	}
	counted := c.Assessed
	for _, gap := range c.Gaps {
		if !slices.Contains(p.CoverageAllow, gap.Reason) {
			counted += len(gap.Packages)
		}
	}
	if share := percent(c.Assessed, counted); share < p.CoverageMinimum {
		clause.Broken = true
		clause.Reason = fmt.Sprintf("%d of %d packages assessed (%.1f %%)", c.Assessed, counted, share)
	}
	return judged{clause, exit.NotExamined}
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return float64(part) / float64(whole) * 100
}

// codeFor tells missing data apart from a target that cannot be judged.
func codeFor(c outcome.Coverage) exit.Code {
	for _, gap := range c.Gaps {
		if gap.Reason == outcome.NoDatabase || gap.Reason == outcome.DataStale {
			return exit.DataMissing
		}
	}
	return exit.NotExamined
}
