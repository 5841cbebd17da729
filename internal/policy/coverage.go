package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// blind are the reasons that leave a whole class of packages unexamined, so
// that a clean result would say nothing about them. They make the verdict
// incomplete unless the policy accepts them; so does stale data, in a clause of
// its own. The other reasons concern single packages; they are shown, counted
// and held against CoverageMinimum.
var blind = []outcome.Reason{outcome.NoDatabase, outcome.NoFeed, outcome.UnknownDistro, outcome.EndOfLife}

// coverageClauses demand that enough was looked at.
func (p Policy) coverageClauses(c outcome.Coverage) []judged {
	clauses := []judged{p.inventoryClause(c), p.blindSpotClause(c)}
	if p.CoverageMinimum > 0 {
		clauses = append(clauses, p.minimumClause(c))
	}
	return clauses
}

// inventoryClause demands that there were packages to judge, that none of the
// lists of them was lost, and that at least one package could be judged.
func (p Policy) inventoryClause(c outcome.Coverage) judged {
	clause := outcome.Clause{Name: "inventory", Demand: "packages are found, no package database is unreadable, and one package at least is assessed, unless the policy accepts that none is or the clause coverage or db.max-age says why"}
	unread := slices.IndexFunc(c.Unreadable, inventory.Unreadable.PackageDatabase)
	switch {
	case unread >= 0:
		clause.Broken = true
		clause.Reason = fmt.Sprintf("the package database %s could not be read: what it lists was not assessed", c.Unreadable[unread].Path)
		return judged{clause: clause, code: exit.NotExamined}
	case c.Packages == 0:
		clause.Broken, clause.Reason = true, "no package was found: nothing could be assessed"
	case c.Assessed == 0 && p.unexplained(c):
		clause.Broken = true
		clause.Reason = fmt.Sprintf("none of %s could be assessed", plural(c.Packages, "package", "packages"))
	}
	return judged{clause: clause, code: codeFor(c)}
}

// unexplained reports whether there is a gap that the policy does not accept
// and that no other clause is about.
func (p Policy) unexplained(c outcome.Coverage) bool {
	return slices.ContainsFunc(c.Gaps, func(gap outcome.Gap) bool {
		return !slices.Contains(p.CoverageAllow, gap.Reason) &&
			!slices.Contains(blind, gap.Reason) && gap.Reason != outcome.DataStale
	})
}

// blindSpotClause demands that no class of packages was passed over whole.
func (p Policy) blindSpotClause(c outcome.Coverage) judged {
	clause := outcome.Clause{Name: "coverage", Demand: "no distribution and no source of data is missing, unless accepted"}
	clause.Reason = p.unaccepted(c, func(r outcome.Reason) bool { return slices.Contains(blind, r) })
	clause.Broken = clause.Reason != ""
	return judged{clause: clause, code: codeFor(c)}
}

// unaccepted describes the gaps with one of the wanted reasons that the policy
// does not accept; empty when there are none.
func (p Policy) unaccepted(c outcome.Coverage, wanted func(outcome.Reason) bool) string {
	var spots []string
	for _, gap := range c.Gaps {
		if wanted(gap.Reason) && !slices.Contains(p.CoverageAllow, gap.Reason) {
			spot := fmt.Sprintf("%s not assessed: %s", plural(len(gap.Packages), "package", "packages"), gap.Reason)
			if gap.Detail != "" {
				spot += " (" + gap.Detail + ")"
			}
			spots = append(spots, spot)
		}
	}
	return strings.Join(spots, "; ")
}

// minimumClause demands a share of assessed packages, leaving out those whose
// reason is accepted. What could not be looked into counts like a package that
// was not assessed.
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
	// At least one package may hide in each of them.
	counted += len(c.Unreadable)
	if share := percent(c.Assessed, counted); share < p.CoverageMinimum {
		clause.Broken = true
		clause.Reason = fmt.Sprintf("%d of %d packages assessed (%.1f %%)", c.Assessed, counted, share)
		if n := len(c.Unreadable); n > 0 {
			clause.Reason = fmt.Sprintf("%d of %d packages and unexamined files assessed (%.1f %%)", c.Assessed, counted, share)
		}
	}
	return judged{clause: clause, code: exit.NotExamined}
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
		if gap.Reason == outcome.NoDatabase || gap.Reason == outcome.NoFeed || gap.Reason == outcome.DataStale {
			return exit.DataMissing
		}
	}
	return exit.NotExamined
}
