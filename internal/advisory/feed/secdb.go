// Package feed reads the vendors' own feeds where OSV lacks what they say, and
// turns them into OSV records: Alpine's secdb (the community repository, edge),
// Debian's security tracker, Red Hat's, SUSE's and Ubuntu's VEX documents
// (unfixed flaws with their reasons), and what OSV does not have at all: Amazon,
// Oracle, Fedora, Photon and Arch Linux. It is not for fetching them.
package feed

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// secDB is a file of https://secdb.alpinelinux.org, one for each release and
// repository. Wolfi and Chainguard publish the same form.
type secDB struct {
	Release  string `json:"distroversion"`
	Prefix   string `json:"urlprefix"`
	Packages []struct {
		Pkg struct {
			Name  string              `json:"name"`
			Fixes map[string][]string `json:"secfixes"`
		} `json:"pkg"`
	} `json:"packages"`
}

// IsSecDB reports whether a JSON document is a secdb file, by its keys.
func IsSecDB(keys map[string]json.RawMessage) bool {
	return keys["reponame"] != nil && keys["urlprefix"] != nil && keys["packages"] != nil
}

// SecDB turns a secdb file into one record for each flaw. A fixed version of 0
// says that the package was never affected. The error wraps osv.ErrInvalid.
func SecDB(data []byte) ([]osv.Record, error) {
	var db secDB
	if err := json.Unmarshal(data, &db); err != nil {
		return nil, fmt.Errorf("%w: secdb: %w", osv.ErrInvalid, err)
	}
	prefix, ecosystem, err := db.ecosystem()
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*osv.Record)
	for _, p := range db.Packages {
		for _, fixed := range slices.Sorted(maps.Keys(p.Pkg.Fixes)) {
			if fixed == "0" {
				continue
			}
			for _, names := range p.Pkg.Fixes[fixed] {
				flaw := firstID(names)
				if flaw == "" {
					continue
				}
				r := byID[flaw]
				if r == nil {
					r = &osv.Record{ID: prefix + flaw, Upstream: []string{flaw}}
					byID[flaw] = r
				}
				r.Affected = append(r.Affected, osv.Affected{
					Package: osv.Package{Ecosystem: ecosystem, Name: p.Pkg.Name},
					Ranges:  []osv.Range{{Type: "ECOSYSTEM", Events: []osv.Event{{Introduced: "0"}, {Fixed: fixed}}}},
				})
			}
		}
	}
	return checked(byID)
}

func (db secDB) ecosystem() (prefix, name string, err error) {
	switch {
	case strings.Contains(db.Prefix, "wolfi"):
		return "WOLFI-", "Wolfi", nil
	case strings.Contains(db.Prefix, "cgr.dev") || strings.Contains(db.Prefix, "chainguard"):
		return "CHAINGUARD-", "Chainguard", nil
	case db.Release != "":
		return "ALPINE-", "Alpine:" + db.Release, nil
	default:
		return "", "", fmt.Errorf("%w: secdb: neither a release nor a known address", osv.ErrInvalid)
	}
}

// firstID takes the first id of "CVE-2019-17340 XSA-284".
func firstID(names string) string {
	fields := strings.Fields(names)
	if len(fields) == 0 {
		return ""
	}
	return fields[0]
}

// checked returns the records in the order of their ids, each checked.
func checked(byID map[string]*osv.Record) ([]osv.Record, error) {
	records := make([]osv.Record, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		r, err := osv.Check(*byID[id])
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}
