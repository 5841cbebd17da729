package builder

import (
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// filed is one entry with the place where it belongs.
type filed struct {
	place   ecosystem.Place
	malware bool
	name    string
	entry   advisory.Entry
}

// Reasons for which something is left out; they are counted in the manifest.
const (
	skipWithdrawn   = "withdrawn"
	skipNoRange     = "no comparable range or version"
	skipNoFlaw      = "no vulnerability named (bug fix or enhancement)"
	skipUnsupported = "ecosystem not supported: "
	skipProduct     = "product line not supported: "
	skipLicence     = "licence does not allow redistribution: "
	skipBadRange    = "range cannot be evaluated: "
)

// convert turns a record into entries and counts what it leaves out.
func convert(r osv.Record, skip func(reason string)) []filed {
	malware := strings.HasPrefix(r.ID, "MAL-")
	var entries []filed
	for _, a := range r.Affected {
		base, _, _ := strings.Cut(a.Package.Ecosystem, ":")
		place, ok := ecosystem.Locate(a.Package.Ecosystem)
		switch {
		case place.Ecosystem == nil:
			skip(skipUnsupported + base)
			continue
		case !ok:
			skip(skipProduct + base)
			continue
		case place.Ecosystem.Name == "Ubuntu" && !place.Ecosystem.Distribution.Accepts(inventory.Distro{}, place.Variant):
			skip(skipProduct + base + " " + place.Variant)
			continue
		}
		entry, ok := convertAffected(r, a, place)
		if !ok {
			skip(skipNoRange)
			continue
		}
		for _, g := range entry.Ranges {
			if _, _, err := g.Holding(place.Ecosystem.Scheme, zeroVersion(place.Ecosystem.Scheme)); err != nil {
				skip(skipBadRange + place.Ecosystem.Name)
			}
		}
		entries = append(entries, filed{place: place, malware: malware, name: place.Ecosystem.Fold(a.Package.Name), entry: entry})
	}
	return withoutRebuilds(entries)
}

func zeroVersion(s *ecosystem.Scheme) ecosystem.Version {
	v, err := s.Bound("0.0.0")
	if err != nil {
		panic("no scheme refuses 0.0.0: " + err.Error())
	}
	return v
}

func convertAffected(r osv.Record, a osv.Affected, place ecosystem.Place) (advisory.Entry, bool) {
	entry := advisory.Entry{
		Variant: place.Variant,
		Note:    cutNote(string(a.Ecosystem.Note)),
		Ratings: affectedRatings(a, place),
	}
	entry.FixState = fixState(a)
	for _, g := range a.Ranges {
		if g.Type == "GIT" || len(g.Events) == 0 {
			continue
		}
		entry.Ranges = append(entry.Ranges, advisory.Range{Events: events(g.Events)})
	}
	entry.Versions = outside(a.Versions, entry.Ranges, place.Ecosystem.Scheme)
	if d := place.Ecosystem.Distribution; d != nil && d.Modular {
		entry.Module = moduleOf(r, a, entry.Ranges)
	}
	for _, i := range a.Ecosystem.Imports {
		entry.Imports = append(entry.Imports, advisory.Import{Path: i.Path, Symbols: i.Symbols, GOOS: i.GOOS, GOARCH: i.GOARCH})
	}
	return entry, len(entry.Ranges) > 0 || len(entry.Versions) > 0
}

func cutNote(note string) string {
	const maxNote = 80
	if len(note) > maxNote {
		return strings.ToValidUTF8(note[:maxNote], "") + "…"
	}
	return note
}

func events(list []osv.Event) []advisory.Event {
	out := make([]advisory.Event, 0, len(list))
	for _, e := range list {
		switch {
		case e.Introduced != "":
			out = append(out, advisory.Event{Kind: advisory.Introduced, Version: e.Introduced})
		case e.Fixed != "":
			out = append(out, advisory.Event{Kind: advisory.FixedIn, Version: e.Fixed})
		case e.LastAffected != "":
			out = append(out, advisory.Event{Kind: advisory.LastAffected, Version: e.LastAffected})
		case e.Limit == "*":
			// The schema's default: no limit.
		default:
			out = append(out, advisory.Event{Kind: advisory.Limit, Version: e.Limit})
		}
	}
	return out
}

// outside returns the versions that no range holds: OSV takes the union of
// both, and the enumeration of what a range says already is most of the bulk.
func outside(versions []string, ranges []advisory.Range, s *ecosystem.Scheme) []string {
	if len(ranges) == 0 {
		return versions
	}
	var rest []string
	for _, text := range versions {
		v, err := s.Bound(text)
		if err != nil || !holds(ranges, s, v) {
			rest = append(rest, text)
		}
	}
	slices.Sort(rest)
	return slices.Compact(rest)
}

func holds(ranges []advisory.Range, s *ecosystem.Scheme, v ecosystem.Version) bool {
	for _, g := range ranges {
		if _, in, err := g.Holding(s, v); err == nil && in {
			return true
		}
	}
	return false
}

var streamInSummary = regexp.MustCompile(`(?:^|[\s,])([a-z0-9][A-Za-z0-9._+-]*:[A-Za-z0-9][A-Za-z0-9._-]*)(?:[\s,]|$)`)

// moduleOf finds the module stream of an rpm advisory. AlmaLinux and Rocky
// Linux mark modular builds only in the release (….module_el8.5.0+…) and name
// the stream in the summary ("Important: nodejs:14 security update").
func moduleOf(r osv.Record, a osv.Affected, ranges []advisory.Range) string {
	for _, m := range []string{string(a.Ecosystem.Module), string(a.Ecosystem.RPMModule)} {
		if m != "" {
			return m
		}
	}
	if !anyVersion(ranges, isModularRelease) {
		return ""
	}
	if m := streamInSummary.FindStringSubmatch(string(r.Summary)); m != nil {
		return m[1]
	}
	return "*"
}

func isModularRelease(version string) bool {
	return strings.Contains(version, ".module_el") || strings.Contains(version, ".module+el")
}

func anyVersion(ranges []advisory.Range, match func(string) bool) bool {
	for _, g := range ranges {
		for _, e := range g.Events {
			if match(e.Version) {
				return true
			}
		}
	}
	return false
}

// withoutRebuilds keeps the oldest of several fixed versions that one advisory
// names for one package and module and that differ only behind the module or
// distribution mark: they are the same fix, rebuilt for each minor release.
func withoutRebuilds(entries []filed) []filed {
	type key struct{ place, name, module, build string }
	oldest := make(map[key]int)
	out := entries[:0]
	for _, f := range entries {
		build, fixed, ok := rebuiltFrom(f)
		if !ok {
			out = append(out, f)
			continue
		}
		k := key{f.place.OSVName(), f.name, f.entry.Module, build}
		i, seen := oldest[k]
		if !seen {
			oldest[k] = len(out)
			out = append(out, f)
			continue
		}
		s := f.place.Ecosystem.Scheme
		a, errA := s.Bound(fixed)
		b, errB := s.Bound(out[i].entry.Ranges[0].Events[1].Version)
		if errA == nil && errB == nil && a.Compare(b) < 0 {
			out[i] = f
		}
	}
	return out
}

var rebuildMark = regexp.MustCompile(`\.(module[_+])?el[0-9]+.*$`)

func rebuiltFrom(f filed) (build, fixed string, ok bool) {
	if f.place.Ecosystem.Distribution == nil || !f.place.Ecosystem.Distribution.Modular ||
		len(f.entry.Ranges) != 1 || len(f.entry.Ranges[0].Events) != 2 {
		return "", "", false
	}
	e := f.entry.Ranges[0].Events
	if e[0] != (advisory.Event{Kind: advisory.Introduced, Version: "0"}) || e[1].Kind != advisory.FixedIn {
		return "", "", false
	}
	cut := rebuildMark.ReplaceAllString(e[1].Version, "")
	return cut, e[1].Version, cut != e[1].Version
}

// fixStates translates the words of publishers. Ubuntu:
// https://documentation.ubuntu.com/security/security-updates/, Red Hat:
// https://redhatproductsecurity.github.io/security-data-guidelines/.
var fixStates = map[string]finding.FixState{
	"needed": finding.NotFixed, "pending": finding.NotFixed, "active": finding.NotFixed,
	"needs-triage": finding.FixUnderInvestigation, "deferred": finding.FixDeferred, "ignored": finding.WontFix,
	"affected": finding.NotFixed, "will not fix": finding.WontFix, "fix deferred": finding.FixDeferred,
	"out of support scope": finding.FixEndOfLife, "under investigation": finding.FixUnderInvestigation,
	"new": finding.FixUnderInvestigation, "end-of-life": finding.FixEndOfLife,
	"wont-fix": finding.WontFix, "not-fixed": finding.NotFixed, "under-investigation": finding.FixUnderInvestigation,
	"postponed": finding.FixDeferred,
}

func fixState(a osv.Affected) finding.FixState {
	for _, word := range []string{
		string(a.Ecosystem.FixState), string(a.Database.FixState), string(a.Ecosystem.Status), string(a.Ecosystem.Urgency),
	} {
		if state, ok := fixStates[strings.ToLower(word)]; ok {
			if state == finding.WontFix && strings.Contains(strings.ToLower(string(a.Ecosystem.Note)), "end of") {
				return finding.FixEndOfLife
			}
			return state
		}
	}
	return ""
}
