package advisory

import "time"

// The ages that suit a database which is published several times a day.
const (
	// DefaultWarnAge is the age from which data deserves a warning.
	DefaultWarnAge = 2 * 24 * time.Hour
	// DefaultMaxAge is the age from which data is too old to judge by.
	DefaultMaxAge = 7 * 24 * time.Hour
)

// Freshness says how far the data of a shard can be relied on.
type Freshness int

// The degrees of freshness.
const (
	Fresh Freshness = iota
	// Aging data is used, with a warning.
	Aging
	// Stale data is too old: what it does not say means nothing.
	Stale
)

// String returns the word used in reports.
func (f Freshness) String() string {
	return [...]string{"fresh", "aging", "stale"}[f]
}

// Age is the time since a shard's data was obtained; never negative.
func (m Manifest) Age(s Shard, now time.Time) time.Duration {
	return max(0, now.Sub(m.FetchedOf(s)))
}

// Freshness judges a shard's age. A zero warn or limit leaves that degree out.
func (m Manifest) Freshness(s Shard, now time.Time, warn, limit time.Duration) Freshness {
	age := m.Age(s, now)
	switch {
	case limit > 0 && age > limit:
		return Stale
	case warn > 0 && age > warn:
		return Aging
	default:
		return Fresh
	}
}
