// Package cvss computes the base score of a CVSS vector of any version,
// https://www.first.org/cvss/. It is not for deciding whose vector counts.
package cvss

import (
	"fmt"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Score is what a vector says.
type Score struct {
	// Version is 2.0, 3.0, 3.1 or 4.0.
	Version string
	// Base is the base score, 0.0 to 10.0. Temporal, threat and environmental
	// metrics of the vector are left out: they describe somebody else's place.
	Base     float64
	Severity finding.Severity
}

// maxVector bounds a vector; the longest possible one of v4.0 has less than
// 300 bytes.
const maxVector = 512

// Parse computes the base score of a vector. Vectors of v3 and v4 begin with
// CVSS:3.0/, CVSS:3.1/ or CVSS:4.0/, those of v2 with their first metric.
func Parse(vector string) (Score, error) {
	if len(vector) > maxVector {
		return Score{}, fmt.Errorf("CVSS vector of %d bytes is over the limit of %d", len(vector), maxVector)
	}
	s, err := parse(strings.TrimSpace(vector))
	if err != nil {
		return Score{}, fmt.Errorf("CVSS vector %q: %w", vector, err)
	}
	s.Severity = finding.SeverityFromScore(s.Base)
	if s.Version == "2.0" {
		s.Severity = severityOfV2(s.Base)
	}
	return s, nil
}

// severityOfV2 follows NVD, since version 2 itself has no bands: there is no
// critical. https://nvd.nist.gov/vuln-metrics/cvss
func severityOfV2(base float64) finding.Severity {
	return min(finding.SeverityFromScore(base), finding.High)
}

func parse(vector string) (Score, error) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(vector)
		if err != nil {
			return Score{}, err
		}
		return Score{Version: "4.0", Base: baseOf40(vector, v)}, nil
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return Score{}, err
		}
		return Score{Version: "3.1", Base: v.BaseScore()}, nil
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return Score{}, err
		}
		return Score{Version: "3.0", Base: v.BaseScore()}, nil
	default:
		v, err := gocvss20.ParseVector(strings.Trim(vector, "()"))
		if err != nil {
			return Score{}, err
		}
		return Score{Version: "2.0", Base: v.BaseScore()}, nil
	}
}

// baseOf40 scores the base metrics alone: in version 4.0 there is one formula
// for all metrics, and those that are absent count as not defined.
func baseOf40(vector string, full *gocvss40.CVSS40) float64 {
	parts := strings.Split(vector, "/")
	const baseMetrics = 11
	if len(parts) <= baseMetrics+1 {
		return full.Score()
	}
	base, err := gocvss40.ParseVector(strings.Join(parts[:baseMetrics+1], "/"))
	if err != nil {
		return full.Score()
	}
	return base.Score()
}

// Newer reports whether version a of CVSS is preferred to version b.
func Newer(a, b string) bool { return a > b }
