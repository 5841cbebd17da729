package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Result is what a comparison comes to.
type Result struct {
	// Findings are all that were given, in their order. Each says whether it
	// is new or known; open ones that the baseline had, and had not excused,
	// have the status Known.
	Findings []finding.Finding
	// Summary has the counts and what is gone.
	Summary outcome.Baseline
}

// Compare holds findings against a baseline. A finding is known if the
// baseline has its fingerprint, or the same flaw of the same package in the
// same place under an alias: advisories get a CVE id after the fact. The order
// of findings does not matter, and comparing twice equals once.
func Compare(findings []finding.Finding, base Report, now Identity) Result {
	c := comparison{base: base, now: now, entries: make(map[string]*Entry), gone: make(map[string]*Entry), byAlias: make(map[string][]*Entry)}
	for i := range base.Findings {
		e := &base.Findings[i]
		c.entries[e.Fingerprint], c.gone[e.Fingerprint] = e, e
	}
	for _, f := range findings {
		delete(c.gone, f.Fingerprint)
	}
	c.indexAliases()
	result := Result{
		Findings: slices.Clone(findings),
		Summary:  outcome.Baseline{Source: base.Source, Taken: base.Taken, Notes: c.notes()},
	}
	known := make(map[string]bool)
	for i, f := range result.Findings {
		if f.Kind == finding.Waiver {
			continue
		}
		e := c.find(f)
		switch added := e.added(f); {
		case e == nil:
			f.Baseline = c.fresh(f)
			result.Summary.New++
		case added != "":
			f.Baseline = finding.Comparison{
				State: finding.BaselineNew, Cause: finding.CodeChanged, Reason: "the baseline had it, but not of " + added,
			}
			result.Summary.New++
		default:
			f = c.recognise(f, e)
			known[e.Fingerprint] = true
			result.Summary.Known++
		}
		result.Findings[i] = f
	}
	c.listGone(&result.Summary, known)
	return result
}

type comparison struct {
	base    Report
	now     Identity
	entries map[string]*Entry
	// gone are the entries whose fingerprint no finding has.
	gone map[string]*Entry
	// byAlias are the gone vulnerabilities by place and each of their ids.
	byAlias map[string][]*Entry
}

func aliasKey(id, target, name, path string) string {
	return strings.Join([]string{strings.ToLower(id), target, name, path}, "\x00")
}

func (c comparison) indexAliases() {
	for _, e := range c.base.Findings {
		if c.gone[e.Fingerprint] == nil || e.Kind != finding.Vulnerability || e.Package == "" {
			continue
		}
		for _, id := range append([]string{e.RuleID}, e.Aliases...) {
			key := aliasKey(id, e.Target, e.Package, e.Path)
			c.byAlias[key] = append(c.byAlias[key], c.gone[e.Fingerprint])
		}
	}
}

// find returns the baseline's entry for a finding, or nil.
func (c comparison) find(f finding.Finding) *Entry {
	if e := c.entries[f.Fingerprint]; e != nil {
		return e
	}
	if f.Kind != finding.Vulnerability || f.Package == nil {
		return nil
	}
	ids := append([]string{f.RuleID}, f.Aliases...)
	slices.Sort(ids[1:])
	for _, id := range ids {
		for _, e := range c.byAlias[aliasKey(id, f.Target, f.Package.Name, pathInImage(f))] {
			if e.isFlawOf(f) {
				return e
			}
		}
	}
	return nil
}

// isFlawOf reports whether the id of one is an id of the other. To share a
// further alias is not enough: one notice of a distribution is about many
// flaws.
func (e Entry) isFlawOf(f finding.Finding) bool {
	return e.RuleID == f.RuleID || slices.Contains(f.Aliases, e.RuleID) || slices.Contains(e.Aliases, f.RuleID)
}

// recognise returns a finding that the baseline has.
func (c comparison) recognise(f finding.Finding, e *Entry) finding.Finding {
	reason := "in " + c.base.describe()
	if e.RuleID != f.RuleID {
		reason += " as " + e.RuleID
	}
	if e.Severity < f.Severity && e.Severity != finding.Unknown {
		reason += fmt.Sprintf(", then of severity %s", e.Severity)
	}
	if e.excused() {
		f.Baseline = finding.Comparison{
			State: finding.BaselineKnown, Reason: fmt.Sprintf("%s, where it was %s: that excuse counts, not the baseline", reason, e.Status),
		}
		return f
	}
	f.Baseline = finding.Comparison{State: finding.BaselineKnown, Reason: reason}
	if f.Status == finding.Open {
		f.Status, f.StatusReason, f.StatusSource = finding.Known, reason, c.base.Source
	}
	return f
}

// describe names the baseline with its day.
func (r Report) describe() string {
	s := "the baseline " + r.Source
	if !r.Taken.IsZero() {
		s += " of " + r.Taken.UTC().Format(time.DateOnly)
	}
	return s
}

// notes say what the two runs can be told apart by.
func (c comparison) notes() []string {
	var notes []string
	add := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	b, n := c.base.Identity, c.now
	add(c.base.Incomplete, "the baseline's run was incomplete: what it could not examine seems new")
	add(b.ImageName != "" && n.ImageName != "" && b.ImageName != n.ImageName,
		"the baseline is about the image %s, this run about %s: findings are held together by name, give both the same", b.ImageName, n.ImageName)
	add(b.ImageID != "" && b.ImageID == n.ImageID, "the image is the same")
	add(b.ImageID != "" && n.ImageID != "" && b.ImageID != n.ImageID, "the image has changed")
	add(b.DatabaseDigest == "" && n.DatabaseDigest != "", "the baseline was made without advisory data: all vulnerabilities seem new")
	add(b.DatabaseDigest != "" && b.DatabaseDigest == n.DatabaseDigest, "the advisory data is the same")
	add(b.DatabaseDigest != "" && n.DatabaseDigest != "" && b.DatabaseDigest != n.DatabaseDigest, "the advisory data has changed")
	add(b.Tool != n.Tool, "the baseline was made by version %s of portcullis, this run by %s", b.Tool, n.Tool)
	add(n.DatabaseDigest != "" && (b.packages == nil || n.packages == nil),
		"the list of packages is missing on one side: whether code or data changed is told by image, database and dates of publication")
	return notes
}

// listGone sorts what the baseline had and this run has not into fixed and not
// looked at.
func (c comparison) listGone(s *outcome.Baseline, known map[string]bool) {
	for _, e := range c.base.Findings {
		if c.gone[e.Fingerprint] == nil || known[e.Fingerprint] {
			continue
		}
		if !c.lookedAt(e) {
			s.NotExamined++
			continue
		}
		cause, reason := c.why(e)
		s.Fixed = append(s.Fixed, outcome.BaselineFinding{
			Fingerprint: e.Fingerprint, RuleID: e.RuleID, Kind: e.Kind, Severity: e.Severity, Title: e.Title, Target: e.Target,
			PURL: e.PURL, Cause: cause, Reason: reason,
		})
	}
	slices.SortFunc(s.Fixed, func(a, b outcome.BaselineFinding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target),
			cmp.Compare(a.RuleID, b.RuleID), cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
}

// lookedAt reports whether this run would have found the entry again. Where
// anything failed, nobody knows.
func (c comparison) lookedAt(e Entry) bool {
	if c.now.Failed || !slices.Contains(c.now.Targets, e.Target) {
		return false
	}
	if e.Kind != finding.Vulnerability {
		return true
	}
	return c.now.DatabaseDigest != "" && !slices.Contains(c.now.Unassessed, e.Package+" "+e.Version)
}
