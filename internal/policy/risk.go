package policy

import (
	"fmt"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// The names of the risk data among the sources of an advisory database.
const (
	kevSource  = "CISA KEV"
	epssSource = "FIRST EPSS"
)

// riskClauses judge what is known about exploitation and the scores.
func (p Policy) riskClauses(s scope) []judged {
	var clauses []judged
	if p.KnownExploited != Passes {
		c := outcome.Clause{Name: "known-exploited", Demand: "no vulnerability that is known to be exploited (CISA KEV)"}
		c = broken(c, s.counted, knownExploited)
		clauses = append(clauses, s.needsSource(withEffect(c, p.KnownExploited), kevSource))
	}
	if p.EPSS != nil {
		c := outcome.Clause{Name: "epss", Demand: fmt.Sprintf("no vulnerability with an EPSS score of %g or more", *p.EPSS)}
		c = broken(c, s.counted, func(f finding.Finding) bool {
			return f.Risk != nil && f.Risk.EPSS >= *p.EPSS && f.Risk.EPSS > 0 && p.fixWanted(f)
		})
		clauses = append(clauses, s.needsSource(judged{clause: c, code: exit.PolicyBroken}, epssSource))
	}
	if p.CVSS != nil {
		c := outcome.Clause{Name: "cvss", Demand: fmt.Sprintf("no vulnerability with a CVSS base score of %g or more", *p.CVSS)}
		clauses = append(clauses, judged{clause: broken(c, s.counted, func(f finding.Finding) bool {
			return f.Score > 0 && f.Score >= *p.CVSS && p.fixWanted(f)
		}), code: exit.PolicyBroken})
	}
	return clauses
}

func knownExploited(f finding.Finding) bool { return f.Risk != nil && !f.Risk.KnownExploited.IsZero() }

// fixWanted reports whether the finding counts as far as fixes go.
func (p Policy) fixWanted(f finding.Finding) bool {
	return !p.demandsOn(f).spared(f.Fix)
}

// needsSource breaks a clause that looks into data which the database lacks:
// without it silence means nothing. It applies where packages were compared
// with a database at all; that there is none is told by another clause.
func (s scope) needsSource(j judged, source string) judged {
	if !s.InventoryExamined || s.Database.Location == "" || j.clause.Broken || j.clause.Warned {
		return j
	}
	if !slices.ContainsFunc(s.Database.Sources, func(d outcome.DatabaseSource) bool { return d.Name == source }) {
		j.clause.Broken, j.code = true, exit.DataMissing
		j.clause.Reason = fmt.Sprintf("the advisory database holds no data of %s: build it with them", source)
	}
	return j
}
