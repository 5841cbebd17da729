package feed

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// archGroup is one entry of https://security.archlinux.org/all.json: a group of
// flaws of packages that are built together.
type archGroup struct {
	ID       string   `json:"name"`
	Packages []string `json:"packages"`
	Status   string   `json:"status"`
	Severity string   `json:"severity"`
	Type     string   `json:"type"`
	Affected string   `json:"affected"`
	Fixed    string   `json:"fixed"`
	Issues   []string `json:"issues"`
}

// Arch turns Arch Linux's list into records. The error wraps osv.ErrInvalid.
func Arch(data []byte) ([]osv.Record, error) {
	var groups []archGroup
	if err := json.Unmarshal(data, &groups); err != nil {
		return nil, fmt.Errorf("%w: Arch Linux: %w", osv.ErrInvalid, err)
	}
	var records []osv.Record
	for _, g := range groups {
		if !strings.HasPrefix(g.ID, "AVG-") {
			return nil, fmt.Errorf("%w: Arch Linux: group %q", osv.ErrInvalid, g.ID)
		}
		if strings.EqualFold(g.Status, "Not affected") {
			continue
		}
		r, err := osv.Check(g.record())
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (g archGroup) record() osv.Record {
	r := osv.Record{ID: g.ID, Upstream: g.Issues, Summary: osv.Shorten(strings.Join(g.Packages, ", ") + ": " + g.Type)}
	r.Specific.Severity = osv.Text(g.Severity)
	for _, name := range g.Packages {
		a := osv.Affected{Package: osv.Package{Ecosystem: "Arch", Name: name}}
		events := []osv.Event{{Introduced: "0"}}
		switch {
		case g.Fixed != "":
			events = append(events, osv.Event{Fixed: g.Fixed})
		case strings.EqualFold(g.Status, "Unknown"):
			a.Database.FixState = "under-investigation"
		}
		a.Ranges = []osv.Range{{Type: "ECOSYSTEM", Events: events}}
		r.Affected = append(r.Affected, a)
	}
	return r
}
