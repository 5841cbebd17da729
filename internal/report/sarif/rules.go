package sarif

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	gosarif "github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

const (
	// maxDescription is what code scanning keeps of a description.
	maxDescription = 1000
	// maxHelp bounds a rule's help, which is longer only in poisoned advisories.
	maxHelp = 20_000
	// maxTags is what code scanning keeps of a rule's tags, and maxTag the
	// length of one that is not made to hurt.
	maxTags = 10
	maxTag  = 255
	// maxHelpRows is the number of packages in a help table.
	maxHelpRows = 25
)

// bands holds for each severity the bounds of GitHub's classes and the number
// that stands for a severity without a score of its own. See
// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
var bands = map[finding.Severity]struct{ low, high, middle float64 }{
	finding.Critical: {9.0, 10, 9.5},
	finding.High:     {7.0, 8.9, 8.0},
	finding.Medium:   {4.0, 6.9, 5.5},
	finding.Low:      {0.1, 3.9, 2.0},
}

// score is the number for security-severity: the finding's own where it lies
// in the class of its severity, else the class's middle; 0 for none. A vendor
// who says low about a flaw that NVD scores 9.8 is not shown as critical.
func score(f finding.Finding) float64 {
	band, ok := bands[f.Severity]
	if !ok {
		return 0
	}
	if f.Score >= band.low && f.Score <= band.high {
		return f.Score
	}
	return band.middle
}

func level(s finding.Severity) string {
	switch s {
	case finding.Critical, finding.High:
		return "error"
	case finding.Medium, finding.Unknown:
		return "warning"
	default:
		return "note"
	}
}

// ruleSet makes the descriptors of the rules that have findings.
type ruleSet struct {
	catalogue rules.Catalogue
	// short leaves the tables out of the help, to fit the host's size limit.
	short bool
}

// descriptor describes one rule; findings are all of the run with its id, in
// report order, so that the first is the worst.
func (s ruleSet) descriptor(id string, findings []*finding.Finding) *rule {
	worst := *findings[0]
	for _, f := range findings {
		if f.Severity > worst.Severity || f.Severity == worst.Severity && score(*f) > score(worst) {
			worst = *f
		}
	}
	d := s.describe(id, worst, findings)
	d.DefaultConfiguration = &gosarif.ReportingConfiguration{Level: level(worst.Severity)}
	d.Properties["precision"] = precision(worst)
	d.Properties["problem.severity"] = problemSeverity(worst.Severity)
	if n := score(worst); n > 0 {
		d.Properties["security-severity"] = strconv.FormatFloat(n, 'f', 1, 64)
	}
	return d
}

func (s ruleSet) describe(id string, worst finding.Finding, findings []*finding.Finding) *rule {
	if worst.Kind == finding.Vulnerability {
		return s.vulnerability(id, worst, findings)
	}
	if r, ok := s.catalogue.Find(id); ok && r.ID == id {
		return s.catalogued(r)
	}
	return s.unknown(id, worst)
}

func (s ruleSet) catalogued(r rules.Rule) *rule {
	text := r.Title + ".\n\n" + r.Why + "\n\n" + r.Fix
	markdown := "**" + r.Title + "**\n\n" + r.Why + "\n\n### How to fix it\n\n" + r.Fix + "\n"
	if !s.short {
		markdown += examples(r)
	}
	if r.WhenToIgnore != "" {
		markdown += "\n### When to waive it\n\n" + r.WhenToIgnore + "\n"
	}
	markdown += links(r.References)
	d := newRule(r.ID, className(r.ID), r.Title, r.Title+". "+firstParagraph(r.Why), text, markdown)
	d.HelpURI = helpURI(r.ID, r.References)
	d.Properties["tags"] = tags(append([]string{"security", string(r.Kind)}, r.Tags...))
	d.Properties["aliases"] = aliases(r.Aliases)
	return d
}

func examples(r rules.Rule) string {
	fence := "```"
	return fmt.Sprintf("\n### Examples\n\nTo be changed:\n\n%[1]s%[2]s\n%[3]s\n%[1]s\n\nAs it should be:\n\n%[1]s%[2]s\n%[4]s\n%[1]s\n",
		fence, r.Language, strings.TrimRight(r.Bad, "\n"), strings.TrimRight(r.Good, "\n"))
}

// unknown describes a finding whose rule is not in the catalogue from the
// finding alone, so that the file stays valid.
func (s ruleSet) unknown(id string, f finding.Finding) *rule {
	title := neutralise.Line(f.Title)
	d := newRule(id, className(id), title, title, title+". "+neutralise.Line(f.Fix.Text), neutralise.MarkdownProse(f.Title)+links(f.References))
	d.HelpURI = helpURI(id, f.References)
	d.Properties["tags"] = tags([]string{"security", string(f.Kind)})
	d.Properties["aliases"] = aliases(f.Aliases)
	return d
}

func (s ruleSet) vulnerability(id string, worst finding.Finding, findings []*finding.Finding) *rule {
	names := packageNames(findings)
	subject := names[0]
	switch n := len(names) - 1; {
	case n == 1:
		subject += " and " + names[1]
	case n > 1:
		subject += fmt.Sprintf(" and %d more packages", n)
	}
	short := fmt.Sprintf("%s in %s (%s)", id, neutralise.Line(subject), worst.Severity)
	full := neutralise.Line(strings.TrimSuffix(worst.Title, ".") + ". " + worst.Message)
	text := short + ". " + full + " " + neutralise.Line(worst.Fix.Text)
	markdown := "**" + neutralise.Markdown(id) + "** in " + neutralise.Markdown(subject) + ": " + neutralise.Markdown(worst.Title) + "\n"
	if worst.SeveritySource != "" {
		markdown += "\nSeverity " + worst.Severity.String() + " according to " + neutralise.Markdown(worst.SeveritySource) + ".\n"
	}
	if words := document.RiskWords(worst); words != "" {
		markdown += "\n" + strings.ToUpper(words[:1]) + words[1:] + ".\n"
	}
	if !s.short {
		markdown += packageTable(findings)
	}
	markdown += links(references(findings))
	d := newRule(id, "VulnerablePackage", short, full, text, markdown)
	d.HelpURI = helpURI(id, references(findings))
	d.Properties["tags"] = tags(append([]string{"security", "vulnerability"}, vulnerabilityTags(findings)...))
	d.Properties["aliases"] = aliases(mergeAliases(findings))
	return d
}

func newRule(id, name, short, full, text, markdown string) *rule {
	d := gosarif.NewRule(id).WithName(cutText(name, 255))
	d.ShortDescription = message(cutText(orElse(short, id), maxDescription), "")
	d.FullDescription = message(cutText(orElse(full, id), maxDescription), "")
	d.Help = message(cutText(orElse(strings.TrimSpace(text), id), maxHelp), cutText(orElse(markdown, id), maxHelp))
	d.Properties = gosarif.Properties{}
	return d
}

func orElse(s, fallback string) string {
	if strings.TrimSpace(s) == "" {
		return fallback
	}
	return s
}

func packageNames(findings []*finding.Finding) []string {
	var names []string
	for _, f := range findings {
		name := f.Target
		if f.Package != nil {
			name = f.Package.Name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func packageTable(findings []*finding.Finding) string {
	var b strings.Builder
	b.WriteString("\n| Package | Installed | Fixed in | Where | Layer |\n|---|---|---|---|---|\n")
	for i, f := range findings {
		if i == maxHelpRows {
			fmt.Fprintf(&b, "| … | | | %d more | |\n", len(findings)-i)
			break
		}
		if f.Package == nil {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", neutralise.MarkdownCode(f.Package.Name),
			neutralise.MarkdownCode(f.Package.Version), neutralise.Markdown(fixedIn(f.Fix)), neutralise.MarkdownCode(where(*f)), neutralise.Markdown(layerOf(*f)))
	}
	return b.String()
}

func fixedIn(fix finding.Fix) string {
	if fix.Version != "" {
		return fix.Version
	}
	return string(fix.State)
}

// where is the path in the image if there is one, else the first location.
func where(f finding.Finding) string {
	for _, l := range f.Locations {
		if l.Space == finding.InImage {
			return l.Path
		}
	}
	return f.Locations[0].Path
}

// layerOf is the layer as tracing has noted it at the place in the image.
func layerOf(f finding.Finding) string {
	for _, l := range f.Locations {
		if l.Space == finding.InImage {
			return l.Note
		}
	}
	return ""
}

func references(findings []*finding.Finding) []string {
	var all []string
	for _, f := range findings {
		for _, ref := range f.References {
			if !slices.Contains(all, ref) {
				all = append(all, ref)
			}
		}
	}
	return all
}

func links(refs []string) string {
	var b strings.Builder
	for _, ref := range refs {
		if _, ok := neutralise.URL(ref); !ok || b.Len() > 2000 {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\n### Links\n\n")
		}
		b.WriteString("- " + neutralise.MarkdownLink(ref, ref) + "\n")
	}
	return b.String()
}

// helpURI is the first usable reference, else the page of the public database
// that the id belongs to.
func helpURI(id string, refs []string) *string {
	for _, ref := range refs {
		if clean, ok := neutralise.URL(ref); ok {
			return &clean
		}
	}
	uri := document.InformationURI
	switch {
	case strings.HasPrefix(id, "CVE-"):
		uri = "https://nvd.nist.gov/vuln/detail/" + escapePath(id)
	case strings.HasPrefix(id, "GHSA-"):
		uri = "https://github.com/advisories/" + escapePath(id)
	}
	return &uri
}

var cwePattern = regexp.MustCompile(`(?i)CWE-(\d{1,5})`)

// vulnerabilityTags are the weaknesses, in the form that GitHub filters by,
// and the ecosystems.
func vulnerabilityTags(findings []*finding.Finding) []string {
	var out []string
	for _, f := range findings {
		for _, m := range cwePattern.FindAllStringSubmatch(document.Fact(*f, "CWE"), -1) {
			n, _ := strconv.Atoi(m[1]) // five digits always fit
			out = append(out, fmt.Sprintf("external/cwe/cwe-%03d", n))
		}
	}
	if slices.ContainsFunc(findings, func(f *finding.Finding) bool { return document.Exploited(*f) }) {
		out = append([]string{"exploited"}, out...)
	}
	for _, f := range findings {
		if f.Package != nil {
			out = append(out, f.Package.Type)
		}
	}
	return out
}

func tags(all []string) []string {
	var out []string
	for _, t := range all {
		// Tags are unique as they are written.
		if t = cutText(neutralise.Line(t), maxTag); t != "" && !slices.Contains(out, t) && len(out) < maxTags {
			out = append(out, t)
		}
	}
	return out
}

func mergeAliases(findings []*finding.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Aliases...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func precision(f finding.Finding) string {
	if f.Kind == finding.Secret {
		return "high"
	}
	return "very-high"
}

func problemSeverity(s finding.Severity) string {
	switch level(s) {
	case "error":
		return "error"
	case "warning":
		return "warning"
	default:
		return "recommendation"
	}
}

// className turns an id such as k8s-privileged into K8sPrivileged, the form
// that viewers expect of a rule's name.
func className(id string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func firstParagraph(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n\n")
	return strings.Join(strings.Fields(first), " ")
}
