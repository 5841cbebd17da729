package policy

import (
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// artifactClauses judge what is examined as a whole: its SBOM, its licences
// and its distribution. They do not apply where only files are linted.
func (p Policy) artifactClauses(in Input) []judged {
	if !in.InventoryExamined {
		return nil
	}
	var clauses []judged
	if p.SBOMRequired {
		c := outcome.Clause{Name: "sbom", Demand: "an SBOM is written or attached"}
		if !in.SBOM {
			c.Broken, c.Reason = true, "this run writes no SBOM, and none is attached: name a file for one"
		}
		clauses = append(clauses, in.needs(judged{clause: c, code: exit.PolicyBroken, change: &outcome.Change{
			Kind: outcome.CorrectByHand, Subject: "SBOM", Text: "have the run write an SBOM, as --sbom-out FILE does",
		}}, NoSBOM))
	}
	if p.EndOfLife != Passes {
		clauses = append(clauses, p.endOfLifeClause(in))
	}
	if p.Licences.judges() {
		clauses = append(clauses, p.licenceClauses(in)...)
	}
	return clauses
}

// endOfLifeClause demands a distribution that still gets advisories.
func (p Policy) endOfLifeClause(in Input) judged {
	c := outcome.Clause{Name: "end-of-life", Demand: "the distribution still gets security updates"}
	for _, gap := range in.Coverage.Gaps {
		if gap.Reason == outcome.EndOfLife {
			c.Subjects = append(c.Subjects, gap.Detail)
		}
	}
	slices.Sort(c.Subjects)
	if c.Subjects = slices.Compact(c.Subjects); len(c.Subjects) > 0 {
		c.Broken, c.Reason = true, "without security updates: "+someOf(c.Subjects)
	}
	j := withEffect(c, p.EndOfLife)
	j.change = &outcome.Change{
		Kind: outcome.MoveBaseImage, Subject: strings.Join(c.Subjects, ", "),
		Text: "move to a base image whose distribution still gets security updates; now: " + someOf(c.Subjects),
	}
	return j
}

// needs leaves a clause unjudged whose input this judgement has to do without.
func (in Input) needs(j judged, input string) judged {
	if !slices.Contains(in.Missing, input) {
		return j
	}
	c := outcome.Clause{Name: j.clause.Name, Demand: j.clause.Demand, Warned: true}
	c.Reason = unjudged + "what is judged does not hold the " + input
	return judged{clause: c}
}

// someOf lists the first few texts and says how many more there are.
func someOf(texts []string) string {
	const most = 5
	words := ""
	for _, t := range texts[:min(most, len(texts))] {
		words = join(words, ", ", t)
	}
	if n := len(texts) - most; n > 0 {
		words += " and " + plural(n, "more", "more")
	}
	return words
}

// unjudged begins the reason of a clause whose input is not there.
const unjudged = "not judged: "

// NotJudged reports whether a clause was left unjudged because of
// Input.Missing.
func NotJudged(c outcome.Clause) bool { return c.Warned && strings.HasPrefix(c.Reason, unjudged) }
