package html

import (
	"fmt"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// summary is the part of the page that needs no script.
type summary struct {
	Title      string
	Result     string
	Verdict    string
	Facts      [][2]string
	Targets    []target
	Clauses    []clause
	Failures   []failure
	Severity   []slice
	Total      int
	Failing    int
	Fixable    int
	Passive    string
	Coverage   coverage
	Changes    []change
	Unresolved int
	Baseline   string
	Tool       string
	Job        string
	Command    string
}

type target struct {
	Kind, Name, Detail string
	Examined           bool
}

type clause struct {
	Name, Demand, Reason, State string
}

// change is one thing to do so that the gate passes.
type change struct {
	Where    string
	Text     []piece
	Removes  int
	Upgrades []string
	More     int
}

// piece is a part of a sentence, code where it stands between backticks.
type piece struct {
	Text string
	Code bool
}

// prose splits a sentence; one with an odd backtick stays whole.
func prose(text string) []piece {
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 {
		return []piece{{Text: text}}
	}
	var pieces []piece
	for i, p := range parts {
		if p != "" {
			pieces = append(pieces, piece{p, i%2 == 1})
		}
	}
	return pieces
}

type failure struct {
	Stage, Target, Message, Hint string
}

// slice is one part of a bar or ring. Start and Length are percentages.
type slice struct {
	Name          string
	Count         int
	Start, Length float64
	// Dash and Offset draw the slice on a ring whose length is 100.
	Dash, Offset string
}

type coverage struct {
	Packages, Assessed, Missing int
	Percent                     string
	Width                       string
	Gaps                        []gap
	Unreadable                  []unreadable
	MoreUnreadable              int
}

type gap struct {
	Reason, Detail string
	Count          int
	Packages       []string
	More           int
}

type unreadable struct{ Path, Reason string }

func summarise(o outcome.Outcome, opts document.Options) summary {
	c := document.Count(o)
	s := summary{
		Title:    short(document.ImageName(o)),
		Result:   result(o),
		Verdict:  verdict(o, c),
		Facts:    facts(o),
		Severity: ringSlices(c),
		Total:    c.Active, Failing: c.Failing, Fixable: c.Fixable,
		Passive:  passive(c),
		Coverage: coverageOf(o.Coverage),
		Changes:  changes(o.Verdict.Changes), Unresolved: len(o.Verdict.Unresolved),
		Baseline: baselineWords(o.Baseline),
		Tool:     short(strings.TrimSpace(o.Tool.Name + " " + o.Tool.Version)),
		Command:  short(opts.Command),
	}
	if s.Title == "" {
		s.Title = "Dockerfile and manifests"
	}
	if job, ok := neutralise.URL(opts.Links.Job); ok {
		s.Job = job
	}
	for _, t := range o.Targets {
		s.Targets = append(s.Targets, target{string(t.Kind), short(t.Name), short(t.Detail), t.Examined})
	}
	for _, k := range o.Verdict.Clauses {
		state := "held"
		switch {
		case k.Broken:
			state = "broken"
		case k.Warned:
			state = "warns"
		case s.Result == "incomplete":
			state = "open"
		}
		s.Clauses = append(s.Clauses, clause{short(k.Name), short(k.Demand), short(k.Reason), state})
	}
	for _, f := range o.Failures {
		s.Failures = append(s.Failures, failure{short(f.Stage), short(f.Target), short(f.Message), short(f.Hint)})
	}
	return s
}

func result(o outcome.Outcome) string {
	switch o.Verdict.Result {
	case outcome.Pass, outcome.Fail:
		return string(o.Verdict.Result)
	default:
		return "incomplete"
	}
}

func verdict(o outcome.Outcome, c document.Counts) string {
	switch o.Verdict.Result {
	case outcome.Pass:
		return "The policy holds."
	case outcome.Fail:
		if c.Failing == 0 {
			return "The policy is broken."
		}
		return fmt.Sprintf("The policy is broken by %d of %d open findings.", c.Failing, c.Active)
	default:
		return "Not everything could be examined, so there is no verdict."
	}
}

func facts(o outcome.Outcome) [][2]string {
	var all [][2]string
	add := func(name, value string) {
		if value != "" {
			all = append(all, [2]string{name, short(value)})
		}
	}
	if img := o.Image; img != nil {
		add("Image", img.Reference)
		add("Digest", img.Digest)
		add("Platform", img.Platform)
	}
	if d := o.Distro; d != nil {
		name := d.PrettyName
		if name == "" {
			name = strings.TrimSpace(d.ID + " " + d.Version)
		}
		add("System", name)
	}
	if db := o.Database; !db.Built.IsZero() {
		add("Advisories", fmt.Sprintf("of %s, %d sources used", db.Built.UTC().Format("2006-01-02 15:04 UTC"), len(db.Sources)))
	}
	if !o.Started.IsZero() {
		add("Examined", o.Started.UTC().Format("2006-01-02 15:04 UTC")+" in "+o.Finished.Sub(o.Started).Round(100*time.Millisecond).String())
	}
	return all
}

// ringSlices lays the severities around a ring.
func ringSlices(c document.Counts) []slice {
	var all []slice
	start := 0.0
	for _, severity := range finding.Severities() {
		n := c.BySeverity[severity]
		s := slice{Name: severity.String(), Count: n}
		if n > 0 {
			s.Start, s.Length = start, 100*float64(n)/float64(c.Active)
			start += s.Length
		}
		s.Dash = fmt.Sprintf("%.3f %.3f", s.Length, 100-s.Length)
		s.Offset = fmt.Sprintf("%.3f", 25-s.Start)
		all = append(all, s)
	}
	return all
}

func passive(c document.Counts) string {
	var words []string
	for _, s := range []finding.Status{finding.Waived, finding.NotAffected, finding.Inherited, finding.Known} {
		if n := c.ByStatus[s]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(words, ", ")
}

// Lists of the coverage part are cut at these numbers, with a count.
const (
	maxGapPackages = 200
	maxUnreadable  = 100
)

func coverageOf(c outcome.Coverage) coverage {
	v := coverage{Packages: c.Packages, Assessed: c.Assessed, Missing: c.NotAssessed()}
	if c.Packages > 0 {
		percent := 100 * float64(c.Assessed) / float64(c.Packages)
		v.Width = fmt.Sprintf("%.2f", percent)
		v.Percent = fmt.Sprintf("%.0f", percent)
		// A rounded 100 % would hide what is missing.
		if v.Missing > 0 && v.Percent == "100" {
			v.Percent = fmt.Sprintf("%.2f", percent)
		}
	}
	for _, g := range c.Gaps {
		x := gap{Reason: short(g.Reason.Words()), Detail: short(g.Detail), Count: len(g.Packages)}
		var listed []string
		listed, x.More = g.Listed(maxGapPackages)
		for _, p := range listed {
			x.Packages = append(x.Packages, short(p))
		}
		v.Gaps = append(v.Gaps, x)
	}
	for i, u := range c.Unreadable {
		if i == maxUnreadable {
			v.MoreUnreadable = len(c.Unreadable) - i
			break
		}
		v.Unreadable = append(v.Unreadable, unreadable{short(u.Path), short(u.Reason)})
	}
	return v
}

// maxUpgrades is the number of packages named for one change.
const maxUpgrades = 12

func changes(all []outcome.Change) []change {
	var out []change
	for _, c := range all {
		x := change{Where: short(document.Where(c.Location)), Text: prose(short(document.ChangeWords(c))), Removes: len(c.Findings)}
		for i, u := range c.Upgrades {
			if i == maxUpgrades {
				x.More = len(c.Upgrades) - i
				break
			}
			x.Upgrades = append(x.Upgrades, short(document.UpgradeWords(u)))
		}
		out = append(out, x)
	}
	return out
}

func baselineWords(b *outcome.Baseline) string {
	if b == nil {
		return ""
	}
	return short(fmt.Sprintf("Since %s: %d new, %d known, %d fixed.", b.Source, b.New, b.Known, len(b.Fixed)))
}
