package github

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// Mode says which annotations are made.
type Mode string

// The modes.
const (
	None   Mode = "none"
	Errors Mode = "errors"
	All    Mode = "all"
)

// ParseMode reads a mode; empty means All.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(strings.ToLower(strings.TrimSpace(s))); m {
	case "":
		return All, nil
	case None, Errors, All:
		return m, nil
	default:
		return "", fmt.Errorf("unknown kind of annotations %q: expected none, errors or all", s)
	}
}

// The runner shows ten annotations of a kind for a step, and a composite
// action is one step; the tenth error is its own about the exit code.
const (
	maxErrors   = 8 // and one for the verdict
	maxWarnings = 9 // and one that counts the rest
	maxNotices  = 3
	perFile     = 3
	// maxMessage keeps clear of the 4,096 characters that the runner keeps.
	maxMessage = 3900
)

// annotation is one message of the runner.
type annotation struct {
	level   string
	file    string
	region  finding.Location
	title   string
	message string
}

// Annotate prints the outcome as annotations. Only findings that break the
// policy are errors. Those on changed lines come before others.
func (r Runner) Annotate(o outcome.Outcome, mode Mode, changed document.Changed) error {
	out := &stickyWriter{w: r.Out}
	for _, a := range annotations(o, mode, changed) {
		action := r.action(out).WithFieldsMap(a.fields())
		text := neutralise.Cut(a.message, maxMessage)
		switch a.level {
		case "error":
			action.Errorf("%s", text)
		case "warning":
			action.Warningf("%s", text)
		default:
			action.Noticef("%s", text)
		}
	}
	return out.err
}

func (a annotation) fields() map[string]string {
	f := map[string]string{"title": neutralise.Cut(a.title, 250)}
	if a.file == "" {
		return f
	}
	f["file"] = neutralise.Log(a.file)
	if a.region.Line == 0 {
		return f
	}
	f["line"] = strconv.Itoa(a.region.Line)
	// The runner drops columns when the lines differ.
	if a.region.EndLine > a.region.Line {
		f["endLine"] = strconv.Itoa(a.region.EndLine)
		return f
	}
	f["endLine"] = f["line"]
	if a.region.Column > 0 {
		f["col"] = strconv.Itoa(a.region.Column)
		if a.region.EndColumn > a.region.Column {
			f["endColumn"] = strconv.Itoa(a.region.EndColumn)
		}
	}
	return f
}

func annotations(o outcome.Outcome, mode Mode, changed document.Changed) []annotation {
	if mode == None {
		return nil
	}
	failed := o.Verdict.Failed()
	var failing, other []finding.Finding
	active, _ := document.Split(o)
	for _, f := range active {
		if failed[f.Fingerprint] {
			failing = append(failing, f)
		} else if f.Severity > finding.Info || f.Severity == finding.Unknown {
			other = append(other, f)
		}
	}
	all := failures(o)
	all = append(all, fill("error", groupByLine(failing, changed), maxErrors-len(all))...)
	if o.Verdict.Result != outcome.Pass {
		all = append(all, verdict(o, len(failing)))
	}
	if mode == All {
		all = append(all, warnings(other, changed)...)
		all = append(all, notices(o)...)
	}
	return all
}

// failures are what went wrong in the run, half of the error slots at most.
func failures(o outcome.Outcome) []annotation {
	var all []annotation
	for i, f := range o.Failures {
		if i == maxErrors/2 {
			break
		}
		message := neutralise.Log(f.Message)
		if f.Hint != "" {
			message += "\n" + neutralise.Log(f.Hint)
		}
		title := "Portcullis could not examine " + cmp.Or(f.Target, f.Stage)
		if f.Stage == outcome.StageReport {
			title = "Portcullis could not write a report"
		}
		all = append(all, annotation{level: "error", title: neutralise.Log(title), message: message})
	}
	return all
}

func verdict(o outcome.Outcome, failing int) annotation {
	a := annotation{level: "error", title: "Portcullis: gate failed"}
	var reasons []string
	for _, c := range o.Verdict.Clauses {
		if c.Broken {
			reasons = append(reasons, neutralise.Log(c.Name+": "+cmp.Or(c.Reason, c.Demand)))
		}
	}
	if o.Verdict.Result == outcome.Incomplete {
		a.title = "Portcullis: gate incomplete"
		reasons = append(reasons, "Not everything could be examined, so there is no verdict.")
	}
	if failing > 0 {
		what := "1 finding breaks"
		if failing > 1 {
			what = fmt.Sprintf("%d findings break", failing)
		}
		reasons = append(reasons, what+" the policy; the summary of the job has them all.")
	}
	a.message = strings.Join(append(reasons, fmt.Sprintf("Exit code %d.", int(o.ExitCode))), "\n")
	return a
}

func warnings(other []finding.Finding, changed document.Changed) []annotation {
	lines := groupByLine(other, changed)
	if len(lines) <= maxWarnings+1 {
		return fill("warning", lines, maxWarnings+1)
	}
	all := fill("warning", lines, maxWarnings)
	shown := 0
	for _, a := range all {
		shown += strings.Count(a.message, "\n") + 1
	}
	return append(all, annotation{
		level: "warning", title: "Portcullis: further findings",
		message: fmt.Sprintf("%d more findings below the threshold: see the summary of the job.", max(len(other)-shown, 1)),
	})
}

func notices(o outcome.Outcome) []annotation {
	var all []annotation
	add := func(title, message string) {
		if len(all) < maxNotices {
			all = append(all, annotation{level: "notice", title: title, message: message})
		}
	}
	if n := o.Coverage.NotAssessed(); n > 0 {
		add("Portcullis: not everything was assessed", fmt.Sprintf("%d of %d packages could not be assessed for vulnerabilities.", n, o.Coverage.Packages))
	}
	if n := len(o.Coverage.Unreadable); n > 0 {
		add("Portcullis: unreadable files", fmt.Sprintf("%d files in which packages may hide could not be read.", n))
	}
	if db := o.Database; !db.Built.IsZero() {
		add("Portcullis: advisory data", "The advisories are those of "+db.Built.UTC().Format("2006-01-02 15:04 UTC")+".")
	}
	return all
}

// lineGroup holds the findings of one line of a file; file is empty for all
// that have no place in the repository.
type lineGroup struct {
	file     string
	region   finding.Location
	findings []finding.Finding
}

func groupByLine(findings []finding.Finding, changed document.Changed) []*lineGroup {
	type key struct {
		file string
		line int
	}
	index := make(map[key]*lineGroup)
	var groups []*lineGroup
	for _, f := range document.Urgent(findings, changed) {
		l := f.Locations[0]
		if l.Space != finding.Repository {
			l = finding.Location{}
		}
		k := key{l.Path, l.Line}
		g := index[k]
		if g == nil {
			g = &lineGroup{file: l.Path, region: l}
			index[k] = g
			groups = append(groups, g)
		}
		g.findings = append(g.findings, f)
	}
	return groups
}

// fill makes annotations of the worst lines, one each, at most three of a file
// before every other file has had one.
func fill(level string, groups []*lineGroup, slots int) []annotation {
	var chosen, later []*lineGroup
	used := make(map[string]int)
	for _, g := range groups {
		if used[g.file]++; used[g.file] > perFile {
			later = append(later, g)
			continue
		}
		chosen = append(chosen, g)
	}
	chosen = append(chosen, later...)
	if len(chosen) > max(slots, 0) {
		chosen = chosen[:max(slots, 0)]
	}
	all := make([]annotation, 0, len(chosen))
	for _, g := range chosen {
		all = append(all, g.annotation(level))
	}
	return all
}

func (g *lineGroup) annotation(level string) annotation {
	worst := g.findings[0]
	a := annotation{level: level, file: g.file, region: g.region, title: title(worst)}
	if n := len(g.findings); n > 1 {
		a.title += fmt.Sprintf(" and %d more", n-1)
	}
	if g.file == "" {
		a.title = fmt.Sprintf("%d findings in the image, the worst %s", len(g.findings), neutralise.Log(title(worst)))
	}
	var lines []string
	size := 0
	for i, f := range g.findings {
		line := neutralise.Log(sentence(f))
		if size += len(line) + 1; size > maxMessage-100 {
			lines = append(lines, fmt.Sprintf("and %d more", len(g.findings)-i))
			break
		}
		lines = append(lines, line)
	}
	a.message = strings.Join(lines, "\n")
	a.title = neutralise.Log(a.title)
	return a
}

// title is "CVE-2024-1 critical: openssl 3.0.1 -> 3.0.2" or the rule's title.
func title(f finding.Finding) string {
	text := f.RuleID + " " + f.Severity.String() + ": "
	if f.Package == nil {
		return text + f.Title
	}
	text += f.Package.Name + " " + f.Package.Version
	if f.Fix.Version != "" {
		text += " -> " + f.Fix.Version
	}
	return text
}

func sentence(f finding.Finding) string {
	if f.Package != nil {
		if f.Fix.Version == "" {
			return title(f) + " (no fixed version). " + f.Title
		}
		text := title(f) + ". " + f.Title
		if words := document.RiskWords(f); words != "" {
			text += " (" + words + ")"
		}
		return text
	}
	return f.RuleID + " " + f.Severity.String() + ": " + f.Message
}
