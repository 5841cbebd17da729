// Package markdown writes the report as GitHub and GitLab flavoured Markdown,
// for step summaries, merge request comments and wikis. It is built in parts,
// each cut with a count, so that the whole stays below what hosts show.
package markdown

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// Size limits the report. The zero value is Summary.
type Size struct {
	// Rows is the number of findings in each table.
	Rows int
	// Details adds folded tables of everything else.
	Details bool
	// Bytes is the limit of the whole text.
	Bytes int
}

// The sizes that hosts take.
var (
	// Summary stays below GitHub's limit of 1 MiB for a step summary, above
	// which nothing is shown.
	Summary = Size{Rows: 20, Details: true, Bytes: 900_000}
	// Comment is for a pull or merge request: GitHub takes 65,536 characters.
	Comment = Size{Rows: 10, Bytes: 60_000}
)

// maxDetails is the number of rows in each folded table.
const maxDetails = 1000

// Write writes the report in the size of a step summary.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	_, err := io.WriteString(w, Render(o, opts, Summary))
	return err
}

// Render returns the report as text of at most size.Bytes bytes.
func Render(o outcome.Outcome, opts document.Options, size Size) string {
	d := &doc{outcome: o, opts: opts, size: size, failed: o.Verdict.Failed()}
	d.heading()
	d.counts()
	d.failures()
	d.policy()
	d.changes()
	d.coverage()
	d.baseline()
	d.cuts()
	active, passive := document.Split(o)
	d.findings(active)
	d.passive(passive)
	if size.Details {
		d.details(active)
	}
	d.footer()
	return d.join()
}

// doc collects the parts of the report.
type doc struct {
	outcome outcome.Outcome
	opts    document.Options
	size    Size
	failed  map[string]bool
	parts   []string
}

func (d *doc) add(format string, args ...any) {
	d.parts = append(d.parts, fmt.Sprintf(format, args...))
}

// join leaves out whole parts at the end, but never the last, when the text
// would be too long: half a table is worse than none.
func (d *doc) join() string {
	last := d.parts[len(d.parts)-1]
	note := "\n_Further parts were left out to stay below the size that is shown here; the JSON report has them._\n"
	room := d.size.Bytes - len(last) - len(note)
	var b strings.Builder
	for _, part := range d.parts[:len(d.parts)-1] {
		if b.Len()+len(part) > room {
			b.WriteString(note)
			break
		}
		b.WriteString(part)
	}
	b.WriteString(last)
	return b.String()
}

func (d *doc) heading() {
	icon, word := "❌", "failed"
	switch d.outcome.Verdict.Result {
	case outcome.Pass:
		icon, word = "✅", "passed"
	case outcome.Fail:
	default:
		icon, word = "⚠️", "incomplete"
	}
	d.add("## %s Portcullis: gate %s\n\n", icon, word)
	if img := d.outcome.Image; img != nil {
		d.add("Image %s", neutralise.MarkdownCode(orElse(img.Reference, img.Name)))
		if img.Platform != "" {
			d.add(", %s", neutralise.Markdown(img.Platform))
		}
		if img.Digest != "" {
			d.add(", %s", neutralise.MarkdownCode(img.Digest))
		}
		d.add("\n\n")
	}
	d.targets()
}

func (d *doc) targets() {
	var names []string
	missed := 0
	for _, t := range d.outcome.Targets {
		text := neutralise.Markdown(string(t.Kind)) + " " + cell(t.Name)
		if t.Detail != "" {
			text += " (" + sentence(t.Detail) + ")"
		}
		if !t.Examined {
			text += " **not examined**"
			missed++
		}
		names = append(names, text)
	}
	if len(names) > 12 {
		names = append(names[:12], fmt.Sprintf("%d more", len(names)-12))
	}
	if len(names) > 0 {
		d.add("Examined: %s\n\n", strings.Join(names, ", "))
	}
	if missed > 0 {
		d.add("> **%s could not be examined.**\n\n", plural(missed, "target", "targets"))
	}
}

// counts is the table of findings by severity and status.
func (d *doc) counts() {
	type row struct{ open, fresh, fixable, failing, existing, waived int }
	rows := make(map[finding.Severity]*row)
	for _, s := range finding.Severities() {
		rows[s] = &row{}
	}
	for _, f := range d.outcome.Findings {
		r := rows[f.Severity]
		if r == nil {
			continue
		}
		switch f.Status {
		case finding.Open:
		case finding.Known, finding.Inherited:
			r.existing++
			continue
		default:
			r.waived++
			continue
		}
		r.open++
		if f.Baseline.State == finding.BaselineNew {
			r.fresh++
		}
		if f.Fix.Available() {
			r.fixable++
		}
		if d.failed[f.Fingerprint] {
			r.failing++
		}
	}
	var b strings.Builder
	b.WriteString("| Severity | Open | New | Fixable now | Break the policy | Known or inherited | Waived or ruled out |\n|---|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range finding.Severities() {
		r := rows[s]
		if r.open+r.existing+r.waived == 0 {
			continue
		}
		fresh := "–" // nothing to compare with
		if d.outcome.Baseline != nil {
			fresh = strconv.Itoa(r.fresh)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %d | %d | %d | %d |\n", badge(s), r.open, fresh, r.fixable, r.failing, r.existing, r.waived)
	}
	if len(d.outcome.Findings) > 0 {
		d.add("%s\n", b.String())
	} else if d.outcome.Verdict.Result == outcome.Pass {
		d.add("No findings.\n\n")
	}
}

func (d *doc) failures() {
	if len(d.outcome.Failures) == 0 {
		return
	}
	d.add("### What went wrong\n\n")
	for i, f := range d.outcome.Failures {
		if i == d.size.Rows {
			d.add("- %d more\n", len(d.outcome.Failures)-i)
			break
		}
		d.add("- **%s** %s: %s", neutralise.Markdown(f.Stage), cell(f.Target), sentence(f.Message))
		if f.Hint != "" {
			d.add(" _%s_", sentence(f.Hint))
		}
		d.add("\n")
	}
	d.add("\n")
}

// policy says of each broken clause in one sentence how it was broken.
func (d *doc) policy() {
	for _, c := range d.outcome.Verdict.Clauses {
		if c.Broken {
			d.add("- ❌ **%s**: %s. %s\n", sentence(c.Name), sentence(c.Demand), sentence(c.Reason))
		}
	}
	for _, c := range d.outcome.Verdict.Clauses {
		switch {
		case c.Broken:
		case c.Warned:
			d.add("- ⚠️ **%s**: %s. %s\n", sentence(c.Name), sentence(c.Demand), sentence(c.Reason))
		case d.outcome.Verdict.Result == outcome.Incomplete:
			d.add("- ❔ **%s**: %s\n", sentence(c.Name), sentence(c.Demand))
		default:
			d.add("- ✅ **%s**: %s\n", sentence(c.Name), sentence(c.Demand))
		}
	}
	if len(d.outcome.Verdict.Clauses) > 0 {
		d.add("\n")
	}
}

// changes are the smallest set of things to do so that the gate passes.
func (d *doc) changes() {
	v := d.outcome.Verdict
	if len(v.Changes) == 0 {
		return
	}
	d.add("### What to do so that it passes\n\n")
	for i, c := range v.Changes {
		if i == d.size.Rows {
			d.add("%d. … %d more changes\n", i+1, len(v.Changes)-i)
			break
		}
		where := document.Where(c.Location)
		if where != "" {
			where = cell(where) + ": "
		}
		d.add("%d. %s%s", i+1, where, neutralise.MarkdownProse(strings.TrimSuffix(neutralise.Cut(document.ChangeWords(c), 500), ".")))
		if len(c.Findings) > 0 {
			d.add(" (removes %s)", plural(len(c.Findings), "finding", "findings"))
		}
		var upgrades []string
		for _, u := range c.Upgrades {
			upgrades = append(upgrades, document.UpgradeWords(u))
		}
		if len(upgrades) > 0 {
			d.add(": %s", codeList(upgrades, 8))
		}
		d.add("\n")
	}
	if n := len(v.Unresolved); n > 0 {
		d.add("\nNo change is known that removes %s.\n", plural(n, "further finding", "further findings"))
	}
	d.add("\n")
}

// baseline says what is new since the last time.
func (d *doc) baseline() {
	b := d.outcome.Baseline
	if b == nil {
		return
	}
	d.add("Since the baseline %s: **%d new**, %d known, %d fixed", neutralise.MarkdownCode(b.Source), b.New, b.Known, len(b.Fixed))
	if b.NotExamined > 0 {
		d.add(", %d not examined this time", b.NotExamined)
	}
	d.add(".\n\n")
}

// cuts names the reports that a host's limits made incomplete.
func (d *doc) cuts() {
	for _, c := range d.opts.Cuts.List() {
		d.add("> The %s report holds the worst %d of %d entries, which is what the limits of %s leave room for. The JSON report has them all.\n\n", c.Report, c.Kept, c.All, c.Host)
	}
}

func (d *doc) coverage() {
	c := d.outcome.Coverage
	if n := c.NotAssessed(); n > 0 {
		d.add("> **Not assessed for vulnerabilities: %d of %d packages.**\n>\n", n, c.Packages)
		for i, g := range c.Gaps {
			if i == d.size.Rows {
				d.add("> - %d more reasons\n", len(c.Gaps)-i)
				break
			}
			listed, more := g.Listed(5)
			d.add("> - %s: %s%s: %s\n", plural(len(g.Packages), "package", "packages"), neutralise.Markdown(g.Reason.Words()), inBrackets(g.Detail), codeAndMore(listed, more))
		}
		d.add("\n")
	}
	if n := len(c.Unreadable); n > 0 {
		d.add("> **%s could not be read**, packages in them are unknown:\n>\n", plural(n, "file", "files"))
		for i, u := range c.Unreadable {
			if i == 5 {
				d.add("> - %d more\n", n-i)
				break
			}
			d.add("> - %s: %s\n", cell(u.Path), sentence(u.Reason))
		}
		d.add("\n")
	}
}

func (d *doc) footer() {
	var facts []string
	if db := d.outcome.Database; !db.Built.IsZero() {
		facts = append(facts, "database of "+db.Built.UTC().Format("2006-01-02 15:04 UTC"))
		if oldest := document.OldestSource(db); !oldest.IsZero() {
			facts = append(facts, "its oldest source of "+oldest.UTC().Format(time.DateOnly))
		}
	}
	facts = append(facts, fmt.Sprintf("exit code %d", int(d.outcome.ExitCode)))
	name := strings.TrimSpace(d.outcome.Tool.Name + " " + d.outcome.Tool.Version)
	text := "\n<sub>" + neutralise.Markdown(name) + ", " + strings.Join(facts, ", ")
	if d.opts.Links.Report != "" {
		text += ", " + neutralise.MarkdownLink("full report", d.opts.Links.Report)
	}
	text += "</sub>\n"
	if d.opts.Command != "" {
		text += "\nTo repeat it locally: " + neutralise.MarkdownCode(neutralise.Cut(d.opts.Command, 2000)) + "\n"
	}
	d.add("%s", text)
}

func badge(s finding.Severity) string {
	return map[finding.Severity]string{
		finding.Critical: "🟣 critical", finding.High: "🔴 high", finding.Medium: "🟠 medium",
		finding.Low: "🔵 low", finding.Info: "⚪ info", finding.Unknown: "❔ unknown",
	}[s]
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + neutralise.Markdown(neutralise.Cut(s, 300)) + ")"
}

func codeList(items []string, limit int) string {
	n := min(len(items), limit)
	return codeAndMore(items[:n], len(items)-n)
}

func codeAndMore(items []string, more int) string {
	var out []string
	for _, item := range items {
		out = append(out, neutralise.MarkdownCode(neutralise.Cut(item, 300)))
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// sentence is Markdown for at most 600 bytes of text.
func sentence(s string) string { return neutralise.Markdown(neutralise.Cut(s, 600)) }
