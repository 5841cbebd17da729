package finding

import "strings"

// raisedMark stands in SeveritySource between who rated a finding and why it
// weighs more than that.
const raisedMark = "; raised: "

// Raised returns the finding one severity worse, and why, beside who had rated
// it. Nothing is worse than critical, nobody has rated what is unknown, and
// info says that the flaw is none here whatever surrounds it: these stay as
// they are. A finding is raised once.
func (f Finding) Raised(why string) Finding {
	if f.Severity < Low || f.Severity >= Critical || strings.Contains(f.SeveritySource, raisedMark) {
		return f
	}
	f.Severity++
	f.SeveritySource += raisedMark + why
	return f
}

// RatedBy says who rated the finding before it was raised, as in
// SeveritySource.
func (f Finding) RatedBy() string {
	by, _, _ := strings.Cut(f.SeveritySource, raisedMark)
	return by
}
