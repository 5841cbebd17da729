package markdown

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// findings are the worst of each family: packages, then what users wrote.
func (d *doc) findings(active []finding.Finding) {
	var vulnerable, written []finding.Finding
	for _, f := range d.failingFirst(document.Urgent(active, d.opts.Changed)) {
		if f.Kind == finding.Vulnerability {
			vulnerable = append(vulnerable, f)
		} else {
			written = append(written, f)
		}
	}
	if len(vulnerable) > 0 {
		d.add("### Vulnerabilities\n\n%s\n", d.vulnerabilityTable(vulnerable, d.size.Rows))
	}
	if len(written) > 0 {
		d.add("### Configuration, manifests and secrets\n\n%s\n", d.ruleTable(written, d.size.Rows))
	}
}

func (d *doc) failingFirst(findings []finding.Finding) []finding.Finding {
	var failing, rest []finding.Finding
	for _, f := range findings {
		if d.failed[f.Fingerprint] {
			failing = append(failing, f)
		} else {
			rest = append(rest, f)
		}
	}
	return append(failing, rest...)
}

func (d *doc) vulnerabilityTable(findings []finding.Finding, limit int) string {
	var b strings.Builder
	b.WriteString("| Severity | Id | Package | Installed | Fixed in | Where |\n|---|---|---|---|---|---|\n")
	for i, f := range findings {
		if i == limit {
			fmt.Fprintf(&b, "| | %d more | | | | |\n", len(findings)-i)
			break
		}
		name, version := f.Target, ""
		if f.Package != nil {
			name, version = f.Package.Name, f.Package.Version
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", badge(f.Severity)+tags(f), d.idLink(f), cell(name), cell(version), fixCell(f), d.whereCell(f))
	}
	return b.String()
}

func (d *doc) ruleTable(findings []finding.Finding, limit int) string {
	var b strings.Builder
	b.WriteString("| Severity | Rule | What | Where |\n|---|---|---|---|\n")
	for i, f := range findings {
		if i == limit {
			fmt.Fprintf(&b, "| | %d more | | |\n", len(findings)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", badge(f.Severity)+tags(f), d.idLink(f), neutralise.MarkdownProse(neutralise.Cut(f.Message, 400)), d.whereCell(f))
	}
	return b.String()
}

// tags mark what a reader must not overlook.
func tags(f finding.Finding) string {
	text := ""
	if document.Exploited(f) {
		text += " **exploited**"
	}
	if f.Baseline.State == finding.BaselineNew {
		text += " **new**"
	}
	return text
}

func cell(s string) string { return neutralise.MarkdownCode(neutralise.Cut(s, 200)) }

func fixCell(f finding.Finding) string {
	if f.Fix.Version != "" {
		return cell(f.Fix.Version)
	}
	return neutralise.Markdown(string(f.Fix.State))
}

// idLink links an id to the first reference that is a web address.
func (d *doc) idLink(f finding.Finding) string {
	id := neutralise.Cut(f.RuleID, 200)
	for _, ref := range f.References {
		if _, ok := neutralise.URL(ref); ok {
			return neutralise.MarkdownLink(id, ref)
		}
	}
	return neutralise.Markdown(id)
}

// whereCell is the place to fix, linked to the source where it is known.
func (d *doc) whereCell(f finding.Finding) string {
	l := f.Locations[0]
	if l.Space != finding.Repository {
		if n, _ := document.LayerOf(d.outcome.Image, l.Layer); n > 0 {
			return fmt.Sprintf("layer %d, ", n) + cell(l.Path)
		}
		return "image " + cell(l.Path)
	}
	text, anchor := l.Path, ""
	if l.Line > 0 {
		text, anchor = fmt.Sprintf("%s:%d", l.Path, l.Line), fmt.Sprintf("#L%d", l.Line)
	}
	if d.opts.Links.Source != "" {
		return neutralise.MarkdownLink(text, d.opts.Links.Source+l.Path+anchor)
	}
	return cell(text)
}

// passive lists what does not count, with the reason that a reviewer needs. What
// counts again soonest comes first.
func (d *doc) passive(passive []finding.Finding) {
	if len(passive) == 0 {
		return
	}
	slices.SortStableFunc(passive, func(a, b finding.Finding) int {
		switch x, y := a.StatusUntil, b.StatusUntil; {
		case x.IsZero() || y.IsZero():
			return y.Compare(x)
		default:
			return x.Compare(y)
		}
	})
	var b strings.Builder
	b.WriteString("| Status | Severity | Id | Where | Reason |\n|---|---|---|---|---|\n")
	for i, f := range passive {
		if i == d.size.Rows {
			fmt.Fprintf(&b, "| | | %d more | | |\n", len(passive)-i)
			break
		}
		subject := d.idLink(f)
		if f.Package != nil {
			subject += " in " + cell(f.Package.Name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", neutralise.Markdown(string(f.Status)), badge(f.Severity), subject, d.whereCell(f), neutralise.Markdown(neutralise.Cut(f.StatusReason, 300)))
	}
	d.add("<details><summary>%s that %s not count for the gate</summary>\n\n%s\n</details>\n\n",
		plural(len(passive), "finding", "findings"), map[bool]string{true: "does", false: "do"}[len(passive) == 1], b.String())
}

// details are the folded tables of all findings by the place to fix.
func (d *doc) details(active []finding.Finding) {
	if len(active) <= d.size.Rows {
		return
	}
	rows := 0
	for _, p := range document.Places(active, d.outcome.Image) {
		if rows > maxDetails {
			d.add("_Further places are in the JSON report._\n")
			return
		}
		rows += p.Count()
		d.add("<details><summary>%s: %s</summary>\n\n%s\n</details>\n\n", neutralise.HTML(p.Label()),
			plural(p.Count(), "finding", "findings"), d.vulnerabilityTable(p.Findings(), maxDetails))
	}
}
