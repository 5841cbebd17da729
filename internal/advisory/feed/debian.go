package feed

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// trackerFlaw is what https://security-tracker.debian.org/tracker/data/json
// says about one flaw of one source package.
type trackerFlaw struct {
	Description osv.Excerpt `json:"description"`
	Releases    map[string]struct {
		Status  string `json:"status"`
		Fixed   string `json:"fixed_version"`
		Urgency string `json:"urgency"`
		// NoDSA is set when there will be no advisory of its own, with the
		// reason "ignored", "postponed" or none.
		NoDSA  *string `json:"nodsa"`
		Reason string  `json:"nodsa_reason"`
	} `json:"releases"`
}

// debianReleases are the releases that have a number, by the tracker's names.
var debianReleases = map[string]string{
	"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14",
}

// DebianTracker reads the tracker's export package by package and hands over
// the records of each. A record about a flaw of several packages comes in
// parts, with the same id. The error wraps osv.ErrInvalid.
func DebianTracker(in io.Reader, emit func(osv.Record) error) error {
	d := json.NewDecoder(in)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%w: Debian tracker: begins with %v (%v)", osv.ErrInvalid, t, err)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w: Debian tracker: %w", osv.ErrInvalid, err)
		}
		name, ok := t.(string)
		if !ok {
			return fmt.Errorf("%w: Debian tracker: %v where a package is expected", osv.ErrInvalid, t)
		}
		var flaws map[string]trackerFlaw
		if err := d.Decode(&flaws); err != nil {
			return fmt.Errorf("%w: Debian tracker: package %s: %w", osv.ErrInvalid, name, err)
		}
		for _, id := range slices.Sorted(maps.Keys(flaws)) {
			r, err := flaws[id].record(id, name)
			if err != nil {
				return err
			}
			if len(r.Affected) == 0 {
				continue
			}
			if err := emit(r); err != nil {
				return err
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%w: Debian tracker: cut off: %w", osv.ErrInvalid, err)
	}
	return nil
}

func (f trackerFlaw) record(id, name string) (osv.Record, error) {
	r := osv.Record{ID: "DEBIAN-" + id, Summary: f.Description}
	if strings.HasPrefix(id, "CVE-") {
		r.Upstream = []string{id}
	}
	for _, codename := range slices.Sorted(maps.Keys(f.Releases)) {
		number, known := debianReleases[codename]
		s := f.Releases[codename]
		if !known || s.Fixed == "0" {
			continue
		}
		a := osv.Affected{Package: osv.Package{Ecosystem: "Debian:" + number, Name: name}}
		events := []osv.Event{{Introduced: "0"}}
		switch {
		case s.Status == "resolved" && s.Fixed != "":
			events = append(events, osv.Event{Fixed: s.Fixed})
		case s.Status == "undetermined":
			a.Database.FixState = "under-investigation"
		case s.NoDSA != nil && s.Reason == "ignored":
			a.Database.FixState = "wont-fix"
		case s.NoDSA != nil && s.Reason == "postponed":
			a.Database.FixState = "postponed"
		}
		if s.NoDSA != nil {
			a.Ecosystem.Note = osv.Text(*s.NoDSA)
		}
		a.Ecosystem.Urgency = osv.Text(s.Urgency)
		a.Ranges = []osv.Range{{Type: "ECOSYSTEM", Events: events}}
		r.Affected = append(r.Affected, a)
	}
	return osv.Check(r)
}
