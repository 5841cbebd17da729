package terminal

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

const (
	// maxEntries is the number of lines of one place before the rest is
	// counted only: what fits on a screen with the verdict below it.
	maxEntries = 12
	// maxPlaces is the number of places listed in full.
	maxPlaces = 20
	// maxSentence bounds a message, which is longer only when it was made to be.
	maxSentence = 1200
	// maxName bounds a name, which an image may make as long as it likes.
	maxName = 300
	// idRoom is what one id and the number of others take, with the gap before.
	idRoom = 20
	// indent is where text below a severity starts.
	indent = 14
)

// places prints the open findings by the place where they are fixed.
func (r *report) places(findings []finding.Finding) {
	all := document.Places(findings, r.outcome.Image)
	shown := all
	if !r.opts.All && len(all) > maxPlaces {
		shown = all[:maxPlaces]
	}
	for _, place := range shown {
		r.place(place)
	}
	if rest := all[len(shown):]; len(rest) > 0 {
		n := 0
		for _, place := range rest {
			n += place.Count()
		}
		r.folded = true
		r.line(span{dim, fmt.Sprintf("… %s in %s", count(n, "more finding", "more findings"), count(len(rest), "further place", "further places"))})
		r.blank()
	}
}

func (r *report) place(p document.Place) {
	r.heading(p)
	entries := document.Entries(p.Findings())
	shown := entries
	if !r.opts.All && len(entries) > maxEntries {
		shown = entries[:maxEntries]
	}
	for _, e := range shown {
		if e.Package != nil {
			r.packageEntry(e)
		} else {
			r.findingEntry(e.Findings[0])
		}
	}
	if rest := entries[len(shown):]; len(rest) > 0 {
		r.folded = true
		r.line(span{plain, "  "}, span{dim, "… " + foldedText(rest)})
	}
	r.blank()
}

func foldedText(rest []document.Entry) string {
	packages, findings := 0, 0
	for _, e := range rest {
		findings += len(e.Findings)
		if e.Package != nil {
			packages++
		}
	}
	text := count(findings, "more finding", "more findings")
	if packages > 0 {
		text += " in " + count(packages, "package", "packages")
	}
	return text + ", the worst " + rest[0].Worst().String()
}

// heading is the place, what stands there, and how much is wrong with it.
func (r *report) heading(p document.Place) {
	label := p.Label()
	text := p.Text(r.opts.Root)
	counts := severityWords(p.Findings())
	if width(neutralise.Log(label))+2+width(counts) > r.width {
		r.hanging(0, nil, span{bold, neutralise.Cut(label, maxName)})
		r.wrapped(severityStyle(p.Worst()), 2, counts)
		return
	}
	room := r.width - width(label) - width(counts) - 4
	if room < 12 {
		text = ""
	}
	text = pad(text, max(room, 0))
	if room < 12 {
		text = "  "
	}
	r.line(span{bold, label}, span{plain, "  "}, span{cyan, text}, span{plain, "  "}, span{severityStyle(p.Worst()), counts})
}

func severityWords(findings []finding.Finding) string {
	counts := map[finding.Severity]int{}
	for _, f := range findings {
		counts[f.Severity]++
	}
	var words []string
	for _, s := range finding.Severities() {
		if n := counts[s]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(words, ", ")
}

// packageEntry is one package with all its vulnerabilities on one line:
// severity, name and version with the fix, ids.
func (r *report) packageEntry(e document.Entry) {
	subject := e.Package.Name + " " + e.Package.Version
	fix, fixStyle := fixWords(e)
	label := []span{r.mark(e.Findings), r.severity(e.Worst())}
	needed := width(neutralise.Log(subject)) + width(neutralise.Log(fix))
	if most := r.width - indent - idRoom; most >= needed {
		left := max((r.width-indent)/2, needed)
		r.line(append(label,
			span{bold, subject}, span{fixStyle, pad(fix, left-width(neutralise.Log(subject)))}, span{plain, "  "},
			span{plain, idWords(e.Findings, r.width-indent-left-2)})...)
	} else {
		r.hanging(indent, label, span{bold, neutralise.Cut(subject, maxName)}, span{fixStyle, neutralise.Cut(fix, maxName)})
		r.wrapped(plain, indent, idWords(e.Findings, 2*(r.width-indent)))
	}
	path := pathOf(e.Findings[0])
	if path != "" {
		r.wrapped(dim, indent, neutralise.Cut(path, maxName))
	}
	if words := document.PlatformWords(e.Findings); words != "" {
		r.line(span{plain, strings.Repeat(" ", indent)}, span{dim, words})
	}
	r.exploited(e.Findings)
}

// exploited says loudly which of a package's flaws are in use.
func (r *report) exploited(findings []finding.Finding) {
	for _, f := range findings {
		if document.Exploited(f) {
			r.wrapped(boldRed, indent, f.RuleID+" is "+document.RiskWords(f))
			return
		}
	}
}

// fixWords name the version that fixes the package's findings. Where they name
// several, reports do not know the order of versions, so all are named.
func fixWords(e document.Entry) (string, style) {
	fix := e.Fix()
	switch {
	case len(fix.Versions) == 0:
		return "  " + noFixWord(e.Findings[0].Fix.State), dim
	case fix.Unfixed > 0:
		return fmt.Sprintf(" → %s (%d without a fix)", strings.Join(fix.Versions, ", "), fix.Unfixed), green
	default:
		return " → " + strings.Join(fix.Versions, ", "), green
	}
}

func noFixWord(s finding.FixState) string {
	switch s {
	case finding.WontFix:
		return "will not be fixed"
	case finding.FixDeferred:
		return "fix deferred"
	case finding.FixUnderInvestigation:
		return "under investigation"
	case finding.FixEndOfLife:
		return "end of life, no fix"
	default:
		return "no fix yet"
	}
}

// idWords are as many ids as fit, then the number of the others.
func idWords(findings []finding.Finding, room int) string {
	text := findings[0].RuleID
	for i, f := range findings[1:] {
		next := text + ", " + f.RuleID
		more := fmt.Sprintf(" +%d", len(findings)-i-2)
		if width(next)+width(more) > room {
			return fmt.Sprintf("%s +%d", text, len(findings)-i-1)
		}
		text = next
	}
	return text
}

// pathOf is the path of a language package inside the image; packages of the
// operating system all lie in its database.
func pathOf(f finding.Finding) string {
	if f.Package != nil {
		switch f.Package.Type {
		case "deb", "rpm", "apk", "alpm":
			return ""
		}
	}
	for _, l := range f.Locations {
		if l.Space == finding.InImage {
			return l.Path
		}
	}
	return ""
}

// findingEntry is a rule's finding: severity, id, title, then the message.
func (r *report) findingEntry(f finding.Finding) {
	r.hanging(indent, []span{r.mark([]finding.Finding{f}), r.severity(f.Severity)}, span{bold, f.RuleID}, span{plain, "  "}, span{plain, neutralise.Cut(f.Title, maxName)})
	where := ""
	if path := pathOf(f); path != "" && !strings.Contains(f.Message, path) {
		where = path + ": "
	}
	if f.Object != "" && !strings.Contains(f.Message, f.Object) {
		where = f.Object + ": " + where
	}
	r.wrapped(dim, indent, neutralise.Cut(where+f.Message, maxSentence))
}

// mark shows which lines break the policy.
func (r *report) mark(findings []finding.Finding) span {
	for _, f := range findings {
		if r.failed[f.Fingerprint] {
			return span{boldRed, "  ✗ "}
		}
	}
	return span{dim, "  · "}
}

func (r *report) severity(s finding.Severity) span {
	return span{severityStyle(s), pad(strings.ToUpper(s.String()), indent-4)}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
