package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// scope is the input with the findings that count: those that triage has not
// ruled out and that no exemption takes out.
type scope struct {
	Input
	counted []finding.Finding
	// exempt are the findings that each exemption takes out.
	exempt [][]finding.Finding
}

func (p Policy) scope(in Input) scope {
	s := scope{Input: in, counted: make([]finding.Finding, 0, len(in.Findings)), exempt: make([][]finding.Finding, len(p.Exempt))}
	for _, f := range in.Findings {
		if !p.countsStatus(f.Status) {
			continue
		}
		i := slices.IndexFunc(p.Exempt, func(e Exemption) bool { return e.Match.Spares(f) })
		if i >= 0 {
			s.exempt[i] = append(s.exempt[i], f)
			continue
		}
		s.counted = append(s.counted, f)
	}
	return s
}

// countsStatus reports whether findings of a status can break the policy.
func (p Policy) countsStatus(status finding.Status) bool {
	switch status {
	case finding.Open:
		return true
	case finding.Known:
		return p.CountKnown
	case finding.Inherited:
		return p.CountInherited
	default:
		return false
	}
}

// demands are what holds for one kind of findings.
type demands struct {
	name                     string // prefix of the clauses' names
	kinds                    string // words for the demand
	failOn                   *finding.Severity
	onlyFixed, unknownPasses bool
	passFixStates            []finding.FixState
	counts                   map[finding.Severity]int
	ownCounts                bool
	holds                    func(finding.Finding) bool
}

// general are the demands on kinds that have none of their own.
func (p Policy) general() demands {
	return demands{
		failOn: p.FailOn, onlyFixed: p.OnlyFixed, passFixStates: p.PassFixStates, unknownPasses: p.UnknownSeverityPasses, counts: p.Counts,
		holds: func(f finding.Finding) bool { _, own := p.Kinds[f.Kind]; return !own },
	}
}

// ofKind are the demands on a kind that has its own.
func (p Policy) ofKind(kind finding.Kind) demands {
	d, own := p.general(), p.Kinds[kind]
	d.name, d.kinds = "kinds."+string(kind)+".", string(kind)+" "
	d.holds = func(f finding.Finding) bool { return f.Kind == kind }
	if own.OwnFailOn {
		// A threshold for the kind is nearer than the general numbers.
		d.failOn, d.counts = own.FailOn, nil
	}
	if own.OnlyFixed != nil {
		d.onlyFixed = *own.OnlyFixed
	}
	if own.UnknownSeverityPasses != nil {
		d.unknownPasses = *own.UnknownSeverityPasses
	}
	if own.Counts != nil {
		d.counts, d.ownCounts = own.Counts, true
	}
	return d
}

// demandsOn returns the demands that hold for a finding.
func (p Policy) demandsOn(f finding.Finding) demands {
	if _, own := p.Kinds[f.Kind]; own {
		return p.ofKind(f.Kind)
	}
	return p.general()
}

// thresholdClauses judge severities and numbers, first in general, then kind
// by kind, then the restrictions.
func (p Policy) thresholdClauses(s scope) []judged {
	clauses := []judged{p.general().severityClause(s.counted)}
	kinds := slices.Sorted(maps.Keys(p.Kinds))
	for _, kind := range kinds {
		clauses = append(clauses, p.ofKind(kind).severityClause(s.counted))
	}
	if len(p.Counts) > 0 {
		d := p.general()
		d.holds = func(f finding.Finding) bool {
			own := p.Kinds[f.Kind]
			return own.Counts == nil && !own.OwnFailOn
		}
		clauses = append(clauses, d.countClause(s.counted, p))
	}
	for _, kind := range kinds {
		if d := p.ofKind(kind); d.ownCounts {
			clauses = append(clauses, d.countClause(s.counted, p))
		}
	}
	for i, r := range p.Restrict {
		clauses = append(clauses, p.restrictionClause(i, r, s.counted))
	}
	if p.WarnOn != nil {
		clauses = append(clauses, p.warnOnClause(s.counted))
	}
	return clauses
}

// severityClause demands that no finding reaches the threshold.
func (d demands) severityClause(findings []finding.Finding) judged {
	c := outcome.Clause{Name: d.name + "fail-on", Demand: d.severityDemand()}
	return judged{clause: broken(c, findings, func(f finding.Finding) bool {
		return d.holds(f) && d.reaches(f, d.failOn) && !d.numbered(f.Severity)
	}), code: exit.PolicyBroken}
}

// numbered reports whether findings of the severity are judged by number.
func (d demands) numbered(s finding.Severity) bool {
	_, ok := d.counts[s]
	return ok
}

func (d demands) severityDemand() string {
	if d.failOn == nil {
		return "no " + d.kinds + "finding fails the gate (fail-on: none)"
	}
	demand := fmt.Sprintf("no %sfinding of severity %s", d.kinds, d.failOn)
	if *d.failOn != finding.Critical {
		demand += " or worse"
	}
	if !d.unknownPasses {
		demand += ", nor of unknown severity"
	}
	if d.onlyFixed {
		demand += ", for which a fix exists"
	}
	if len(d.passFixStates) > 0 {
		var states []string
		for _, s := range d.passFixStates {
			states = append(states, string(s))
		}
		demand += ", whose fix is not " + strings.Join(states, " or ")
	}
	return demand
}

// spared reports whether findings with such a fix are exempt.
func (d demands) spared(fix finding.Fix) bool {
	return d.onlyFixed && !fix.Available() || slices.Contains(d.passFixStates, fix.State)
}

// reaches reports whether one finding alone breaks a threshold.
func (d demands) reaches(f finding.Finding, threshold *finding.Severity) bool {
	switch {
	case threshold == nil || d.spared(f.Fix):
		return false
	case f.Severity == finding.Unknown:
		return !d.unknownPasses
	default:
		return f.Severity.AtLeast(*threshold)
	}
}

// countClause demands that there are no more findings of a severity than are
// allowed. The worst that are over the limit are not told apart from the
// others: all findings of the severity are listed.
func (d demands) countClause(findings []finding.Finding, p Policy) judged {
	c := outcome.Clause{Name: d.name + "counts", Demand: d.countDemand()}
	numbers := make(map[finding.Severity]int)
	counts := func(f finding.Finding) bool {
		return d.holds(f) && d.numbered(f.Severity) && !p.demandsOn(f).spared(f.Fix)
	}
	for _, f := range findings {
		if counts(f) {
			numbers[f.Severity]++
		}
	}
	words, over := "", make(map[finding.Severity]int)
	for _, s := range finding.Severities() {
		if limit, ok := d.counts[s]; ok && numbers[s] > limit {
			words = join(words, ", ", fmt.Sprintf("%d %s of %d allowed", numbers[s], s, limit))
			over[s] = numbers[s] - limit
		}
	}
	c = broken(c, findings, func(f finding.Finding) bool { return counts(f) && numbers[f.Severity] > d.counts[f.Severity] })
	if c.Broken {
		c.Reason = words
	}
	return judged{clause: c, code: exit.PolicyBroken, over: over}
}

func (d demands) countDemand() string {
	words := ""
	for _, s := range finding.Severities() {
		if limit, ok := d.counts[s]; ok {
			words = join(words, ", ", strconv.Itoa(limit)+" "+s.String())
		}
	}
	return "at most these " + d.kinds + "findings: " + words
}

// warnOnClause warns of findings that reach the lower threshold.
func (p Policy) warnOnClause(findings []finding.Finding) judged {
	c := outcome.Clause{Name: "warn-on", Demand: fmt.Sprintf("a warning for findings of severity %s or worse", p.WarnOn)}
	c = broken(c, findings, func(f finding.Finding) bool { return p.demandsOn(f).reaches(f, p.WarnOn) })
	return warning(c)
}

// broken fills in the findings that break a clause, if any.
func broken(c outcome.Clause, findings []finding.Finding, breaks func(finding.Finding) bool) outcome.Clause {
	counts := make(map[finding.Severity]int)
	for _, f := range findings {
		if breaks(f) {
			c.Findings = append(c.Findings, f.Fingerprint)
			counts[f.Severity]++
		}
	}
	if len(c.Findings) > 0 {
		c.Broken = true
		c.Reason = fmt.Sprintf("%s: %s", plural(len(c.Findings), "finding breaks it", "findings break it"), countsInWords(counts))
	}
	return c
}

// warning makes a clause warn that would be broken.
func warning(c outcome.Clause) judged {
	c.Broken, c.Warned = false, c.Broken
	return judged{clause: c}
}

// withEffect makes a clause have the wanted effect.
func withEffect(c outcome.Clause, e Effect) judged {
	if e == Fails {
		return judged{clause: c, code: exit.PolicyBroken}
	}
	return warning(c)
}

func countsInWords(counts map[finding.Severity]int) string {
	words := ""
	for _, s := range finding.Severities() {
		if counts[s] > 0 {
			words = join(words, ", ", fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return words
}

// join puts a separator between texts that are not empty.
func join(a, separator, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + separator + b
}
