package advisory

import (
	"testing"
	"time"
)

func TestFreshnessIsJudgedByTheTimeOfFetching(t *testing.T) {
	now := time.Date(2026, 9, 10, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	m := Manifest{Built: now.Add(-3 * day)}
	tests := []struct {
		why     string
		fetched time.Time
		limit   time.Duration
		want    Freshness
	}{
		{"an hour ago", now.Add(-time.Hour), DefaultMaxAge, Fresh},
		{"three days ago", now.Add(-3 * day), DefaultMaxAge, Aging},
		{"eight days ago", now.Add(-8 * day), DefaultMaxAge, Stale},
		{"eight days ago, and no limit", now.Add(-8 * day), 0, Aging},
		{"nobody knows when: since the build", time.Time{}, DefaultMaxAge, Aging},
		{"in the future", now.Add(day), DefaultMaxAge, Fresh},
	}
	for _, tt := range tests {
		s := Shard{Fetched: tt.fetched}
		if got := m.Freshness(s, now, DefaultWarnAge, tt.limit); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
		if m.Age(s, now) < 0 {
			t.Errorf("%s: negative age", tt.why)
		}
	}
}
