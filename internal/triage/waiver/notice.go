package waiver

import (
	"fmt"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// notice returns the finding about a waiver that needs a person, if it does.
func (a applier) notice(w Waiver, s state, matches int) (finding.Finding, bool) {
	day := w.Expires.Format(time.DateOnly)
	switch s {
	case expired:
		text := fmt.Sprintf("The waiver for %s expired on %s and excuses nothing any more; ", w.Describe(), day)
		if matches == 0 && a.wouldSee(w) {
			return about(w, expiredRule, text+"it matches no finding: remove it."), true
		}
		return about(w, expiredRule, text+"fix what it excused, or have the exception reviewed and set a new date."), true
	case notYet:
		return about(w, malformedRule, fmt.Sprintf("The waiver for %s says that it was created on %s, which is in the future; it excuses nothing. Correct the date.",
			w.Describe(), w.Created.Format(time.DateOnly))), true
	case tooLong:
		return about(w, tooLongRule, fmt.Sprintf(
			"The waiver for %s lasts %s, but the policy allows %s; it excuses nothing. Let it expire on %s at the latest.", w.Describe(),
			days(w.Expires.Sub(w.Created)), days(a.options.MaxLife), w.Created.Add(a.options.MaxLife).Format(time.DateOnly))), true
	}
	if matches == 0 && a.wouldSee(w) {
		return about(w, unusedRule, fmt.Sprintf(
			"The waiver for %s matches no finding: remove it, or correct what it names if it was meant to match.", w.Describe())), true
	}
	if s == ending {
		return about(w, endingRule, fmt.Sprintf(
			"The waiver for %s expires on %s; %s will count again. Fix it, or have %s review the exception.",
			w.Describe(), day, count(matches), w.Owner)), true
	}
	return finding.Finding{}, false
}

func count(matches int) string {
	switch matches {
	case 0:
		return "what it excuses"
	case 1:
		return "the finding that it matches"
	default:
		return fmt.Sprintf("the %d findings that it matches", matches)
	}
}

func days(d time.Duration) string {
	n := int(d / (24 * time.Hour))
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// wouldSee reports whether the run would have seen a finding that the waiver
// means, had there been one.
func (a applier) wouldSee(w Waiver) bool {
	scope := a.options.Scope
	kind := finding.Vulnerability
	if scope.RuleKind != nil {
		if k, ok := scope.RuleKind(w.ID); ok {
			kind = k
		}
	}
	if !slices.Contains(scope.Kinds, kind) {
		return false
	}
	if w.Image != "" && !slices.ContainsFunc(scope.Targets, func(name string) bool { return a.globImage(w.Image, name) }) {
		return false
	}
	inFile := kind == finding.Dockerfile || kind == finding.Kubernetes
	if w.Path != "" && inFile && !scope.Complete {
		return slices.ContainsFunc(scope.Targets, func(name string) bool { return glob(w.Path, name) })
	}
	return true
}

// about makes the finding about a waiver.
func about(w Waiver, r rule, message string) finding.Finding {
	f := r.finding(w.Place, w.subject(), message)
	f.Object = w.Describe()
	f.Evidence = []finding.Fact{
		{Name: "owner", Value: w.Owner},
		{Name: "created", Value: w.Created.Format(time.DateOnly)},
		{Name: "expires", Value: w.Expires.Format(time.DateOnly)},
		{Name: "read from", Value: w.Place.String()},
	}
	return f
}

// malformed makes the finding about a fault of the file.
func malformed(p Problem) finding.Finding {
	return malformedRule.finding(p.Place, p.Subject+"\x00"+p.Text,
		"This entry of the waiver file is malformed and excuses nothing: "+p.Text+".")
}

// sorted orders notices by their place, so that the file's order of entries
// that say the same is the only thing that Distinguish depends on.
func sorted(notices []finding.Finding) []finding.Finding {
	out := slices.Clone(notices)
	slices.SortStableFunc(out, finding.Compare)
	return out
}
