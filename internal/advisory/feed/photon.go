package feed

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// photonFlaw is one entry of
// https://packages.broadcom.com/photon/photon_cve_metadata/cve_data_photon5.0.json,
// one file for each release.
type photonFlaw struct {
	CVE     string  `json:"cve_id"`
	Package string  `json:"pkg"`
	Score   float64 `json:"cve_score"`
	// Affected is a sentence ("all versions before 1.10.8-2.ph1 are
	// vulnerable"), Fixed the version in it, or "NA".
	Affected string `json:"aff_ver"`
	Fixed    string `json:"res_ver"`
	Status   string `json:"status"`
}

// Photon turns the list of flaws of one release, such as 5.0, into records. The
// error wraps osv.ErrInvalid.
func Photon(data []byte, release string) ([]osv.Record, error) {
	var flaws []photonFlaw
	if err := json.Unmarshal(data, &flaws); err != nil {
		return nil, fmt.Errorf("%w: Photon OS: %w", osv.ErrInvalid, err)
	}
	byID := make(map[string]*osv.Record)
	for _, f := range flaws {
		id := strings.TrimSpace(f.CVE)
		if strings.EqualFold(f.Status, "Not Affected") {
			continue
		}
		if id == "" || f.Package == "" {
			return nil, fmt.Errorf("%w: Photon OS %s: entry of %q about %q", osv.ErrInvalid, release, f.CVE, f.Package)
		}
		r := byID[id]
		if r == nil {
			r = &osv.Record{ID: "PHOTON-" + id, Upstream: []string{id}}
			byID[id] = r
		}
		a := osv.Affected{Package: osv.Package{Ecosystem: "Photon OS:" + release, Name: f.Package}}
		// The score comes without a vector: its band is all that it says.
		if f.Score > 0 {
			a.Severity = []osv.Severity{{Type: "Photon OS", Score: finding.SeverityFromScore(f.Score).String()}}
		}
		events := []osv.Event{{Introduced: "0"}}
		if fixed := strings.TrimSpace(f.Fixed); strings.ContainsAny(fixed, "0123456789") {
			events = append(events, osv.Event{Fixed: fixed})
		}
		a.Ranges = []osv.Range{{Type: "ECOSYSTEM", Events: events}}
		r.Affected = append(r.Affected, a)
	}
	return checked(byID)
}
