package policy

import (
	"fmt"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// The evidence that tells since when a flaw can be fixed: the day of the fix
// where the detector knows it, else the day on which the advisory appeared. An
// advisory appears before its fix or with it, so the clock never starts late.
const (
	fixedSinceFact = "fix available since"
	publishedFact  = "published"
)

// remediationClauses run the clock over vulnerabilities that can be fixed.
func (p Policy) remediationClauses(s scope) []judged {
	r := p.Remediation
	if len(r.FailAfter) == 0 {
		return nil
	}
	late := broken(outcome.Clause{Name: "remediation", Demand: r.demand()}, s.counted,
		func(f finding.Finding) bool { return r.stateOf(f, s.Now) == overdue })
	clauses := []judged{{clause: late, code: exit.PolicyBroken}}
	if r.WarnBefore > 0 {
		soon := broken(outcome.Clause{
			Name:   "remediation.warn-before",
			Demand: fmt.Sprintf("a warning %s before a fix must be in", ageInWords(r.WarnBefore)),
		}, s.counted, func(f finding.Finding) bool { return r.stateOf(f, s.Now) == dueSoon })
		clauses = append(clauses, warning(soon))
	}
	lost := broken(outcome.Clause{
		Name:   "remediation.undated",
		Demand: "it is known since when each fix has been available",
	}, s.counted, func(f finding.Finding) bool { return r.stateOf(f, s.Now) == undated })
	if r.UndatedWarns {
		return append(clauses, warning(lost))
	}
	return append(clauses, judged{clause: lost, code: exit.PolicyBroken})
}

func (r Remediation) demand() string {
	words := ""
	for _, s := range finding.Severities() {
		if limit, ok := r.FailAfter[s]; ok {
			words = join(words, ", ", fmt.Sprintf("%s %s", s, ageInWords(limit)))
		}
	}
	return "fixes are in within: " + words
}

// clockState is what the clock says about one finding.
type clockState int

const (
	noClock clockState = iota
	inTime
	dueSoon
	overdue
	undated
)

// stateOf reads the clock for a finding.
func (r Remediation) stateOf(f finding.Finding, now time.Time) clockState {
	limit, ok := r.FailAfter[f.Severity]
	if !ok || f.Kind != finding.Vulnerability || f.Fix.State != finding.Fixed {
		return noClock
	}
	since, ok := fixableSince(f)
	if !ok {
		return undated
	}
	switch age := now.Sub(since); {
	case age > limit:
		return overdue
	case r.WarnBefore > 0 && age > limit-r.WarnBefore:
		return dueSoon
	default:
		return inTime
	}
}

// fixableSince returns the day from which on the clock runs.
func fixableSince(f finding.Finding) (time.Time, bool) {
	for _, name := range []string{fixedSinceFact, publishedFact} {
		for _, fact := range f.Evidence {
			if fact.Name != name {
				continue
			}
			if day, err := time.Parse(time.DateOnly, fact.Value); err == nil {
				return day, true
			}
		}
	}
	return time.Time{}, false
}
