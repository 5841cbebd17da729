package document

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Changed are the lines that the pull or merge request under review adds, by
// path relative to the root of the repository. Nil when nothing is known.
type Changed map[string][]LineRange

// LineRange are lines of a file from First to Last, counted from 1.
type LineRange struct{ First, Last int }

// Has reports whether the place lies on a changed line.
func (c Changed) Has(l finding.Location) bool {
	if l.Space != finding.Repository || l.Line == 0 {
		return false
	}
	return slices.ContainsFunc(c[l.Path], func(r LineRange) bool { return r.First <= l.Line && l.Line <= r.Last })
}

// Urgent sorts findings for lists that show only the first: what came in since
// the baseline, then what lies on changed lines, then by severity, known
// exploitation, EPSS and whether there is something to do about it. Otherwise
// report order stays.
func Urgent(findings []finding.Finding, changed Changed) []finding.Finding {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b finding.Finding) int {
		return cmp.Or(
			first(a.Baseline.State == finding.BaselineNew, b.Baseline.State == finding.BaselineNew),
			first(changed.Has(a.Locations[0]), changed.Has(b.Locations[0])),
			CompareUrgency(a, b),
		)
	})
	return sorted
}

// CompareUrgency is the order of Urgent without regard to the baseline.
func CompareUrgency(a, b finding.Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		first(Exploited(a), Exploited(b)),
		cmp.Compare(epss(b), epss(a)),
		first(a.Fix.Available(), b.Fix.Available()),
	)
}

func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// Exploited reports whether the vulnerability is known to be exploited.
func Exploited(f finding.Finding) bool {
	return f.Risk != nil && !f.Risk.KnownExploited.IsZero()
}

func epss(f finding.Finding) float64 {
	if f.Risk == nil {
		return 0
	}
	return f.Risk.EPSS
}

// RiskWords say in a few words what is known about exploitation, "" for
// nothing.
func RiskWords(f finding.Finding) string {
	if f.Risk == nil {
		return ""
	}
	words := ""
	if Exploited(f) {
		words = "exploited in the wild since " + f.Risk.KnownExploited.Format("2006-01-02")
		if f.Risk.Ransomware {
			words += ", also by ransomware"
		}
	}
	if f.Risk.EPSS > 0 {
		if words != "" {
			words += "; "
		}
		words += fmt.Sprintf("EPSS %.1f %% (higher than %.0f %% of all)", 100*f.Risk.EPSS, 100*f.Risk.Percentile)
	}
	return words
}
