package builder

import (
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/cvss"
	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// ratingsOf collects a record's own opinions about severity: its best CVSS
// vector, a distribution's word in the severity field, the publisher's word.
func ratingsOf(r osv.Record) []advisory.Rating {
	source := osv.SourceOf(r.ID).Name
	ratings := fromSeverity(r.Severity, r.ID)
	word := string(r.Specific.Severity)
	if word == "" {
		word = wordInSummary(r)
	}
	if word != "" {
		ratings = append(ratings, advisory.Rating{Source: source, Word: strings.ToLower(word)})
	}
	return ratings
}

// affectedRatings collects what a record says about one package only.
func affectedRatings(a osv.Affected, place ecosystem.Place) []advisory.Rating {
	ratings := fromSeverity(a.Severity, place.Ecosystem.Name)
	switch urgency := strings.Trim(strings.ToLower(string(a.Ecosystem.Urgency)), "* "); urgency {
	case "", "not yet assigned", "end-of-life":
	default:
		ratings = append(ratings, advisory.Rating{Source: place.Ecosystem.Name, Word: urgency})
	}
	for _, notice := range []string{string(a.Ecosystem.Informational), string(a.Database.Informational)} {
		if notice != "" {
			ratings = append(ratings, advisory.Rating{Source: place.Ecosystem.Name, Word: "informational: " + strings.ToLower(notice)})
			break
		}
	}
	return ratings
}

// fromSeverity keeps the vector of the newest CVSS version that can be scored,
// and words of distributions. A vector that cannot be scored says nothing.
func fromSeverity(list []osv.Severity, source string) []advisory.Rating {
	var words []advisory.Rating
	best, bestVersion := "", ""
	for _, s := range list {
		if !strings.HasPrefix(s.Type, "CVSS") {
			if s.Type != "" && s.Score != "" && len(s.Score) < 40 {
				words = append(words, advisory.Rating{Source: s.Type, Word: strings.ToLower(s.Score)})
			}
			continue
		}
		score, err := cvss.Parse(s.Score)
		if err == nil && (best == "" || cvss.Newer(score.Version, bestVersion)) {
			best, bestVersion = s.Score, score.Version
		}
	}
	if best == "" {
		return words
	}
	return append([]advisory.Rating{{Source: source, Vector: best}}, words...)
}

var summaryWord = regexp.MustCompile(`^(Critical|Important|Moderate|Low): `)

// wordInSummary reads the severity word that rpm advisories begin with.
func wordInSummary(r osv.Record) string {
	if m := summaryWord.FindStringSubmatch(string(r.Summary)); m != nil {
		return m[1]
	}
	return ""
}
