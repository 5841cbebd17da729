package builder

import (
	"cmp"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/cvss"
)

// joined is a rating found for a flaw in some record about it alone.
type joined struct {
	rating    advisory.Rating
	version   string
	closeness closeness
}

// closeness says how near to the flaw a vector's source is; lower is nearer.
type closeness int

const (
	// sameFlaw: the record names this flaw.
	sameFlaw closeness = iota
	// cveTable: NVD's entry for the CVE.
	cveTable
	// takenOver: the record takes the flaw over from upstream, as distributions
	// do with a copy of the vector or one of their own.
	takenOver
)

// joinRatings finds for every flaw the best CVSS vector that any live record
// about this flaw alone carries: the same flaw's own databases first, then NVD,
// then others; then the newest CVSS version, then the lowest id.
func (c *collection) joinRatings(g *groups) map[string]joined {
	best := make(map[string]joined)
	for _, h := range c.records {
		if h.withdrawn {
			continue
		}
		flaws := flawsOf(h.converted, g)
		if len(flaws) != 1 {
			continue
		}
		for _, r := range h.advisory.Ratings {
			if r.Vector == "" {
				continue
			}
			score, err := cvss.Parse(r.Vector)
			if err != nil {
				continue
			}
			candidate := joined{
				rating:  advisory.Rating{Source: h.advisory.ID, Vector: r.Vector},
				version: score.Version, closeness: sameFlaw,
			}
			if len(h.contents) > 0 {
				candidate.closeness = takenOver
			}
			if old, ok := best[flaws[0]]; !ok || candidate.better(old) {
				best[flaws[0]] = candidate
			}
		}
	}
	for cve, vector := range c.risk.nvd.vectors {
		candidate := joined{rating: advisory.Rating{Source: nvdSource, Vector: vector}, closeness: cveTable}
		flaw := g.find(cve)
		if old, ok := best[flaw]; !ok || candidate.better(old) {
			best[flaw] = candidate
		}
	}
	return best
}

func (j joined) better(old joined) bool {
	if j.closeness != old.closeness {
		return j.closeness < old.closeness
	}
	if j.version != old.version {
		return cvss.Newer(j.version, old.version)
	}
	return cmp.Or(cmp.Compare(j.rating.Source, old.rating.Source), cmp.Compare(j.rating.Vector, old.rating.Vector)) < 0
}

// needsRating reports whether the record lacks a vector of its own for each of
// its flaws.
func needsRating(r converted) bool {
	if len(r.contents) > 1 {
		return true
	}
	for _, rating := range r.advisory.Ratings {
		if rating.Vector != "" {
			return false
		}
	}
	return true
}
