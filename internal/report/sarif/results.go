package sarif

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	gosarif "github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// maxJoined is the number of packages named in one message, and maxRelated
// that of further locations; the rest is counted.
const (
	maxJoined  = 10
	maxRelated = 10
	// maxProperty bounds names and versions, which are longer only in images
	// made to hurt.
	maxProperty = 4096
)

// alert is what code scanning shows as one: the findings of one rule at one
// place.
type alert struct {
	ruleID   string
	site     site
	findings []*finding.Finding
}

// alerts groups findings by rule and place, worst first. Findings arrive in
// report order.
func alerts(findings []*finding.Finding, files *sources) []alert {
	type key struct {
		rule, uri string
		line      int
	}
	index := make(map[key]int)
	var all []alert
	for _, f := range findings {
		s := siteOf(*f, files)
		k := key{f.RuleID, s.uri, s.region.line}
		at, known := index[k]
		if !known {
			at = len(all)
			index[k] = at
			all = append(all, alert{ruleID: f.RuleID, site: s})
		}
		all[at].findings = append(all[at].findings, f)
	}
	return all
}

// sortAlerts puts those first that must survive when a host keeps only some:
// by the rule's score, then known exploitation, EPSS, fixable, rule and place.
func sortAlerts(all []alert, scores map[string]float64) {
	slices.SortStableFunc(all, func(a, b alert) int {
		return cmp.Or(
			cmp.Compare(scores[b.ruleID], scores[a.ruleID]),
			document.CompareUrgency(a.worst(), b.worst()),
			cmp.Compare(a.ruleID, b.ruleID),
			cmp.Compare(a.site.uri, b.site.uri),
			cmp.Compare(a.site.region.line, b.site.region.line),
		)
	})
}

// worst is the finding that makes the alert as urgent as it is.
func (a alert) worst() finding.Finding {
	return *slices.MinFunc(a.findings, func(a, b *finding.Finding) int { return document.CompareUrgency(*a, *b) })
}

// fingerprint is GitHub's own on an existing file. Elsewhere it is made from
// the rule and the place, which hold no version and no digest.
func (a alert) fingerprint() string {
	if a.site.real {
		return a.site.hash
	}
	return finding.Fingerprint(a.findings[0].Kind, a.ruleID, a.site.uri, fmt.Sprint(a.site.region.line))[:16] + ":1"
}

func (a alert) toResult(ruleIndex int, level string, files *sources) *result {
	text := a.message()
	id, index := a.ruleID, uint(ruleIndex)
	r := &result{
		RuleID:    &id,
		RuleIndex: &index,
		Level:     &level,
		Message:   *gosarif.NewTextMessage(text),
		Locations: []*gosarif.Location{location(a.site.uri, a.site.region)},
		PartialFingerprints: map[string]any{
			"portcullisFinding/v1": a.findings[0].Fingerprint,
		},
		RelatedLocations: a.related(files),
	}
	if hash := a.fingerprint(); hash != "" {
		r.PartialFingerprints["primaryLocationLineHash"] = hash
	}
	if len(a.findings) == 1 {
		r.Fixes = fixOf(*a.findings[0])
	}
	r.Properties = a.properties()
	return r
}

// related are the further locations in the repository and the image.
func (a alert) related(files *sources) []*gosarif.Location {
	var out []*gosarif.Location
	seen := map[string]bool{}
	for _, f := range a.findings {
		for _, l := range f.Locations[1:] {
			if l.Space != finding.Repository {
				continue
			}
			further := *f
			further.Locations = []finding.Location{l}
			s := siteOf(further, files)
			k := fmt.Sprint(s.uri, s.region.line)
			if seen[k] || len(out) == maxRelated {
				continue
			}
			seen[k] = true
			loc := location(s.uri, s.region).WithId(len(out) + 1)
			if l.Note != "" {
				loc.WithMessage(gosarif.NewTextMessage(plainText(l.Note)))
			}
			out = append(out, loc)
		}
	}
	return out
}

// message names the problem in its first sentence, then packages and fix.
func (a alert) message() string {
	f := a.findings[0]
	if f.Package == nil {
		return cutText(plainText(a.plainMessage()), 4000)
	}
	var names []string
	for _, f := range a.findings {
		if f.Package != nil {
			names = append(names, packagePhrase(*f))
		}
	}
	rest := ""
	if len(names) > maxJoined {
		rest = fmt.Sprintf(" and %d more packages", len(names)-maxJoined)
		if len(names) == maxJoined+1 {
			rest = " and 1 more package"
		}
		names = names[:maxJoined]
	}
	if words := document.RiskWords(a.worst()); words != "" {
		rest += ", " + words
	}
	text := fmt.Sprintf("%s (%s) in %s%s.", f.RuleID, f.Severity, strings.Join(names, ", "), rest)
	if title := strings.TrimSuffix(f.Title, "."); title != "" {
		text += " " + title + "."
	}
	return cutText(plainText(text), 4000)
}

func (a alert) plainMessage() string {
	f := a.findings[0]
	if len(a.findings) == 1 {
		return f.Message
	}
	var all []string
	for _, f := range a.findings {
		if !slices.Contains(all, f.Message) {
			all = append(all, f.Message)
		}
	}
	if len(all) > maxJoined {
		all = append(all[:maxJoined], fmt.Sprintf("%d more of the same rule at this place.", len(all)-maxJoined))
	}
	return strings.Join(all, " ")
}

func packagePhrase(f finding.Finding) string {
	phrase := f.Package.Name + " " + f.Package.Version
	switch {
	case f.Fix.Version != "":
		return phrase + " (fixed in " + f.Fix.Version + ")"
	case f.Fix.State == finding.WontFix:
		return phrase + " (will not be fixed)"
	default:
		return phrase + " (no fix yet)"
	}
}

// properties are the machine interface: the first package's fields on top, and
// all packages in a list where several were joined.
func (a alert) properties() gosarif.Properties {
	f := a.findings[0]
	p := properties(*f)
	if len(a.findings) > 1 && f.Package != nil {
		all := make([]gosarif.Properties, 0, len(a.findings))
		for _, f := range a.findings {
			all = append(all, properties(*f))
		}
		p["packages"] = all
	}
	return p
}

func properties(f finding.Finding) gosarif.Properties {
	p := gosarif.Properties{
		"id":          f.RuleID,
		"aliases":     aliases(f.Aliases),
		"severity":    f.Severity.String(),
		"fingerprint": f.Fingerprint,
	}
	if f.SeveritySource != "" {
		p["severitySource"] = f.SeveritySource
	}
	if f.Package != nil {
		p["package"], p["version"], p["purl"] = cutText(f.Package.Name, maxProperty), cutText(f.Package.Version, maxProperty), cutText(f.Package.PURL, maxProperty)
		p["fixState"] = string(f.Fix.State)
		if f.Fix.Version != "" {
			p["fixedVersion"] = cutText(f.Fix.Version, maxProperty)
		}
		for _, l := range f.Locations {
			if l.Space == finding.InImage {
				p["imagePath"] = cutText(l.Path, maxProperty)
				break
			}
		}
	}
	if f.Object != "" {
		p["object"] = f.Object
	}
	if words := document.RiskWords(f); words != "" {
		p["risk"] = words
	}
	if f.Origin != "" {
		p["origin"] = string(f.Origin)
	}
	if f.Baseline.State != "" {
		p["baseline"] = string(f.Baseline.State)
	}
	return p
}

// aliases bounds number and length, which only poisoned advisories exceed.
func aliases(list []string) []string {
	out := []string{}
	for _, alias := range list[:min(len(list), 100)] {
		out = append(out, cutText(alias, 255))
	}
	return out
}
