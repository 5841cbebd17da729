// Package terminal writes the report for a person at a terminal or in a CI
// log: findings grouped by the place where they are fixed, worst first, then
// what was not assessed, which clauses of the policy are broken and why, and
// the verdict last, where the eye is. Each package's vulnerabilities share one
// line. Text of images and feeds never reaches the terminal raw.
package terminal

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

const (
	defaultWidth = 100
	minWidth     = 40
)

// report is one report in the making.
type report struct {
	printer
	outcome outcome.Outcome
	opts    document.Options
	failed  map[string]bool
	// folded is set when something was counted instead of listed.
	folded bool
}

// Write writes the report, with colours only if the options ask for them.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	r := &report{outcome: o, opts: opts, failed: o.Verdict.Failed()}
	r.color = opts.Color
	r.width = opts.Width
	if r.width == 0 {
		r.width = defaultWidth
	}
	r.width = max(r.width, minWidth)

	r.header()
	active, passive := document.Split(o)
	r.places(active)
	r.summary(active, passive)
	r.coverage()
	r.baseline()
	r.failures()
	r.policy()
	r.changes()
	r.verdict()
	_, err := w.Write(r.out.Bytes())
	return err
}

// header says what was examined with which data.
func (r *report) header() {
	o := r.outcome
	r.line(span{bold, o.Tool.Name}, span{plain, " " + o.Tool.Version})
	for _, t := range o.Targets {
		s, mark := plain, ""
		if !t.Examined {
			s, mark = boldRed, "  NOT EXAMINED"
		}
		detail := t.Detail
		if t.Kind == outcome.TargetImage && o.Image != nil {
			detail = joinNonEmpty(", ", detail, o.Image.Platform)
		}
		if detail != "" {
			detail = "  " + detail
		}
		r.hanging(12, []span{{dim, pad(string(t.Kind), 12)}}, span{s, t.Name}, span{dim, detail}, span{boldRed, mark})
	}
	if o.Image != nil && o.Image.Digest != "" {
		r.hanging(12, []span{{dim, pad("digest", 12)}}, span{plain, o.Image.Digest})
	}
	if o.Distro != nil {
		name := o.Distro.PrettyName
		if name == "" {
			name = strings.TrimSpace(o.Distro.ID + " " + o.Distro.Version)
		}
		r.hanging(12, []span{{dim, pad("system", 12)}}, span{plain, name})
	}
	if db := o.Database; db.Location != "" {
		r.hanging(12, []span{{dim, pad("data", 12)}}, span{plain, databaseWords(db, o.Started)})
	}
	r.blank()
}

func databaseWords(db outcome.Database, now time.Time) string {
	if db.Built.IsZero() {
		return db.Location
	}
	what := "database"
	if db.Location == outcome.EmbeddedSnapshot {
		what = "SNAPSHOT IN THE PROGRAM"
	}
	words := what + " of " + db.Built.UTC().Format("2006-01-02 15:04 UTC")
	if !now.IsZero() {
		words += ", " + ageWords(now.Sub(db.Built)) + " old"
	}
	words += ", " + count(len(db.Sources), "source", "sources") + " used"
	if oldest := document.OldestSource(db); !oldest.IsZero() {
		words += ", the oldest of " + oldest.UTC().Format(time.DateOnly)
	}
	return words
}

func ageWords(age time.Duration) string {
	switch hours := int(age.Hours()); {
	case hours < 1:
		return "less than an hour"
	case hours < 48:
		return count(hours, "hour", "hours")
	default:
		return count(hours/24, "day", "days")
	}
}

// summary counts findings by severity and those that do not count.
func (r *report) summary(active, passive []finding.Finding) {
	r.line(span{dim, strings.Repeat("─", r.width)})
	c := document.Count(r.outcome)
	var spans []span
	switch {
	case len(active) > 0:
	case r.outcome.Verdict.Result == outcome.Incomplete:
		spans = append(spans, span{yellow, "none in what could be examined"})
	default:
		spans = append(spans, span{green, "none that counts"})
	}
	for _, s := range finding.Severities() {
		if n := c.BySeverity[s]; n > 0 {
			spans = append(spans, span{severityStyle(s), fmt.Sprintf("%d %s", n, s)}, span{plain, "  "})
		}
	}
	if c.Fixable > 0 {
		spans = append(spans, span{dim, fmt.Sprintf("(%d can be fixed now)", c.Fixable)})
	}
	r.hanging(12, []span{{bold, pad("Findings", 12)}}, spans...)
	if len(passive) > 0 {
		var words []string
		for _, s := range []finding.Status{finding.Waived, finding.NotAffected, finding.Inherited, finding.Known} {
			if n := c.ByStatus[s]; n > 0 {
				words = append(words, fmt.Sprintf("%d %s", n, s))
			}
		}
		r.wrapped(dim, 12, "not counted: "+strings.Join(words, ", "))
	}
	if r.folded {
		r.wrapped(dim, 12, "all of them: --output json=FILE or --output html=FILE, or --all here")
	}
}

// coverage shows loudly what nobody looked at.
func (r *report) coverage() {
	c := r.outcome.Coverage
	if c.Packages == 0 && len(c.Unreadable) == 0 {
		return
	}
	missing := c.NotAssessed()
	s := green
	if missing > 0 {
		s = warnBanner
	}
	text := fmt.Sprintf("%d of %d packages assessed for vulnerabilities", c.Assessed, c.Packages)
	if missing > 0 {
		text = fmt.Sprintf(" %d of %d packages NOT ASSESSED for vulnerabilities ", missing, c.Packages)
	}
	r.hanging(12, []span{{bold, pad("Coverage", 12)}}, span{s, text})
	for _, g := range c.Gaps {
		r.wrapped(yellow, 12, fmt.Sprintf("! %s: %s: %s", count(len(g.Packages), "package", "packages"), gapWords(g), gapPackages(g)))
	}
	for i, u := range c.Unreadable {
		if i == 5 && !r.opts.All {
			r.wrapped(yellow, 12, fmt.Sprintf("! %s that could not be read", count(len(c.Unreadable)-i, "more file", "more files")))
			break
		}
		r.wrapped(yellow, 12, "! file could not be read: "+u.Path+": "+u.Reason)
	}
}

func gapWords(g outcome.Gap) string {
	words := g.Reason.Words()
	if g.Detail != "" {
		words += " (" + g.Detail + ")"
	}
	return words
}

func gapPackages(g outcome.Gap) string {
	listed, more := g.Listed(3)
	return andMore(listed, more)
}

func listWords(items []string, limit int) string {
	n := min(len(items), limit)
	return andMore(items[:n], len(items)-n)
}

func andMore(items []string, more int) string {
	text := strings.Join(items, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (r *report) failures() {
	for _, f := range r.outcome.Failures {
		r.hanging(12, []span{{boldRed, pad("Failed", 12)}}, span{bold, joinNonEmpty(" ", f.Stage, f.Target)})
		r.wrapped(red, 12, f.Message)
		if f.Hint != "" {
			r.wrapped(plain, 12, "→ "+f.Hint)
		}
	}
}

func (r *report) policy() {
	title := "Policy"
	for _, c := range r.outcome.Verdict.Clauses {
		mark, reason := span{green, "✓ "}, red
		switch {
		case c.Broken:
			mark = span{boldRed, "✗ "}
		case c.Warned:
			mark, reason = span{yellow, "! "}, yellow
		case r.outcome.Verdict.Result == outcome.Incomplete:
			mark = span{yellow, "? "}
		}
		r.hanging(14, []span{{bold, pad(title, 12)}, mark}, span{plain, c.Name + ": " + c.Demand})
		title = ""
		if (c.Broken || c.Warned) && c.Reason != "" {
			r.wrapped(reason, 14, c.Reason)
		}
		if len(c.Subjects) > 0 {
			r.wrapped(dim, 14, listWords(c.Subjects, maxListed))
		}
	}
}

// maxListed is the number of names in one sentence before the rest is counted.
const maxListed = 5

// maxChanges is the number of changes listed; more is a list for a ticket.
const maxChanges = 10

// changes say what to do so that the gate passes.
func (r *report) changes() {
	v := r.outcome.Verdict
	for i, c := range v.Changes {
		title := ""
		if i == 0 {
			title = "To pass"
		}
		if i == maxChanges && !r.opts.All {
			r.wrapped(dim, 12, fmt.Sprintf("… %s", count(len(v.Changes)-i, "more change", "more changes")))
			break
		}
		where, text := document.Where(c.Location), document.ChangeWords(c)
		if where == "" {
			where = c.Subject
		}
		removes := ""
		if len(c.Findings) > 0 {
			removes = "  removes " + count(len(c.Findings), "finding", "findings")
		}
		r.hanging(16, []span{{bold, pad(title, 12)}, {cyan, fmt.Sprintf("%2d. ", i+1)}}, span{bold, where}, span{dim, removes})
		var upgrades []string
		for _, u := range c.Upgrades {
			upgrades = append(upgrades, document.UpgradeWords(u))
		}
		if len(upgrades) > 0 {
			text += ": " + listWords(upgrades, maxListed)
		}
		r.wrapped(plain, 16, text)
	}
	if n := len(v.Unresolved); n > 0 && len(v.Changes) > 0 {
		r.wrapped(yellow, 12, "! no change is known that removes "+count(n, "further finding", "further findings")+": wait for a fix, replace the package or waive it")
	}
}

// baseline says what is new since the last time.
func (r *report) baseline() {
	b := r.outcome.Baseline
	if b == nil {
		return
	}
	text := fmt.Sprintf("%d new, %d known, %d fixed since %s", b.New, b.Known, len(b.Fixed), b.Source)
	if b.NotExamined > 0 {
		text += fmt.Sprintf(" (%d of it not examined this time)", b.NotExamined)
	}
	r.hanging(12, []span{{bold, pad("Baseline", 12)}}, span{plain, text})
}

// verdict is the last line: what it means and the exit code.
func (r *report) verdict() {
	r.blank()
	v := r.outcome.Verdict
	s, word, why := failBanner, "FAIL", ""
	switch v.Result {
	case outcome.Pass:
		s, word, why = passBanner, "PASS", "the policy holds"
	case outcome.Fail:
		broken := 0
		for _, c := range v.Clauses {
			if c.Broken {
				broken++
			}
		}
		why = fmt.Sprintf("%d of %s broken", broken, count(len(v.Clauses), "policy clause", "policy clauses"))
		if n := len(r.failed); n > 0 {
			why += " by " + count(n, "finding", "findings")
		}
	default:
		s, word, why = warnBanner, "INCOMPLETE", "not everything could be examined, so there is no verdict"
	}
	banner := " " + word + " "
	r.hanging(len(banner)+2, []span{{s, banner}, {plain, "  "}}, span{plain, why}, span{dim, fmt.Sprintf("  exit code %d%s", int(r.outcome.ExitCode), elapsed(r.outcome))})
}

func elapsed(o outcome.Outcome) string {
	if o.Finished.IsZero() || o.Started.IsZero() {
		return ""
	}
	return ", " + o.Finished.Sub(o.Started).Round(100*time.Millisecond).String()
}

func joinNonEmpty(sep string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}
