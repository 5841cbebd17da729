// Package advisory holds the vulnerability database as it is used: its
// manifest, its shards and the advisories in them. A database is a directory
// with one manifest.json and one compressed file per ecosystem or distribution
// release; it is read-only once built. How one is built lives in package
// builder, and what an advisory means for an installed package in package
// detect/vulnerability. The main type is Database.
package advisory

import (
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Vulnerability is one flaw, whatever the number of advisories about it.
type Vulnerability struct {
	// ID is the canonical id: the CVE where there is one.
	ID string
	// Aliases are the ids of the same flaw in other databases, sorted.
	Aliases []string
	// Ratings were joined from elsewhere (NVD, another database's record of the
	// same flaw) for advisories that carry none.
	Ratings []Rating
}

// Rating is one opinion about severity.
type Rating struct {
	// Source says who holds it.
	Source string
	// Vector is a CVSS vector of any version; empty for a mere word.
	Vector string
	// Word is the source's own word: important, medium, unimportant …
	Word string
}

// Kind is the sort of an advisory.
type Kind uint8

// The kinds of advisories.
const (
	// Flaw is the usual kind.
	Flaw Kind = iota
	// Malware marks a package that is harmful as a whole.
	Malware
	// Notice tells something that is no flaw: unmaintained, unsound.
	Notice
)

// Advisory is what one publisher says in one record.
type Advisory struct {
	ID        string
	Title     string
	Published time.Time
	Kind      Kind
	// Ratings are the record's own.
	Ratings []Rating
	// Vulnerabilities are all flaws that the advisory is about; never empty.
	Vulnerabilities []Vulnerability
}

// Entry says which versions of one package an advisory is about.
type Entry struct {
	Advisory *Advisory
	// Variant is what the OSV ecosystem says besides the release: Pro, a Red
	// Hat repository.
	Variant string
	// Module is the rpm module stream, name:stream; "*" when the record is
	// about modular packages and does not say which stream.
	Module string
	// FixState is the publisher's word about the fix; empty when unsaid.
	FixState finding.FixState
	// Note is the publisher's remark about the fix.
	Note   string
	Ranges []Range
	// Versions are affected besides those in Ranges.
	Versions []string
	// Ratings are about this package only.
	Ratings []Rating
	// Imports are the vulnerable packages and symbols of a Go module.
	Imports []Import
}

// Import is a vulnerable Go package with its symbols; without symbols all of
// it is vulnerable. GOOS and GOARCH restrict it to systems; empty means all.
type Import struct {
	Path    string
	Symbols []string
	GOOS    []string
	GOARCH  []string
}

// EventKind is the sort of a point on a range.
type EventKind uint8

// The kinds of events, https://ossf.github.io/osv-schema/#affectedrangesevents-fields.
const (
	Introduced EventKind = iota
	FixedIn
	LastAffected
	Limit
)

// String returns the OSV field name.
func (k EventKind) String() string {
	return [...]string{"introduced", "fixed", "last_affected", "limit"}[k&3]
}

// Event is a point on a range of versions.
type Event struct {
	Kind    EventKind
	Version string
}

// Range is a list of events along the order of versions, in any order.
type Range struct {
	Events []Event
}

// Interval is the part of a range that holds a version.
type Interval struct {
	// From is where it begins; "0" means before everything.
	From string
	// Close is the event that ends it; its Version is empty when nothing does.
	Close Event
}

// String shows the interval in words: ">= 1.0, < 1.2".
func (i Interval) String() string {
	s := "all versions"
	if i.From != "0" {
		s = ">= " + i.From
	}
	if i.Close.Version == "" {
		return s
	}
	op := map[EventKind]string{FixedIn: "< ", LastAffected: "<= ", Limit: "< "}[i.Close.Kind] + i.Close.Version
	if i.From == "0" {
		return op
	}
	return s + ", " + op
}

type point struct {
	Event
	version ecosystem.Version
	zero    bool
}

func (p point) compare(q point) int {
	switch {
	case p.zero && q.zero:
		return 0
	case p.zero:
		return -1
	case q.zero:
		return 1
	default:
		return p.version.Compare(q.version)
	}
}

// Holding evaluates the range for a version as the OSV schema describes,
// https://ossf.github.io/osv-schema/#evaluation, and returns the interval that
// holds it. The error says which bound cannot be compared.
func (r Range) Holding(s *ecosystem.Scheme, v ecosystem.Version) (Interval, bool, error) {
	if from := r.Events; len(from) > 0 && from[0] == (Event{Introduced, "0"}) && (len(from) == 1 || isSimple(r)) {
		return holdingSimple(from[1:], s, v)
	}
	points, err := r.points(s)
	if err != nil {
		return Interval{}, false, err
	}
	at := point{version: v}
	var open *point
	for i := range points {
		p := &points[i]
		switch n := p.compare(at); {
		case p.Kind == Introduced && n <= 0:
			if open == nil {
				open = p
			}
		case p.Kind == FixedIn && n <= 0, p.Kind == LastAffected && n < 0, p.Kind == Limit && n <= 0:
			open = nil
		}
	}
	if open == nil {
		return Interval{}, false, nil
	}
	return Interval{From: open.Version, Close: closing(points, at)}, true, nil
}

// holdingSimple evaluates what most ranges are: everything, or everything
// before a fix.
func holdingSimple(fix []Event, s *ecosystem.Scheme, v ecosystem.Version) (Interval, bool, error) {
	all := Interval{From: "0"}
	if len(fix) == 0 {
		return all, true, nil
	}
	if fix[0].Version == "0" {
		return Interval{}, false, nil
	}
	bound, err := s.Bound(fix[0].Version)
	if err != nil || v.Compare(bound) >= 0 {
		return Interval{}, false, err
	}
	all.Close = fix[0]
	return all, true, nil
}

// closing finds the first event that ends the interval which holds the version.
func closing(points []point, at point) Event {
	for _, p := range points {
		n := p.compare(at)
		if p.Kind != Introduced && (n > 0 || n == 0 && p.Kind == LastAffected) {
			return p.Event
		}
	}
	return Event{}
}

// points parses and sorts the events. Of two at one version the closing one
// comes first, so that "fixed 2, introduced 2" leaves 2 affected, except that
// last_affected closes behind its version.
func (r Range) points(s *ecosystem.Scheme) ([]point, error) {
	points := make([]point, 0, len(r.Events))
	for _, e := range r.Events {
		p := point{Event: e, zero: e.Version == "0"}
		if !p.zero {
			v, err := s.Bound(e.Version)
			if err != nil {
				return nil, err
			}
			p.version = v
		}
		points = append(points, p)
	}
	slices.SortStableFunc(points, func(a, b point) int {
		if n := a.compare(b); n != 0 {
			return n
		}
		return rank(a.Kind) - rank(b.Kind)
	})
	return points, nil
}

func rank(k EventKind) int {
	switch k {
	case FixedIn, Limit:
		return 0
	case Introduced:
		return 1
	default:
		return 2
	}
}
