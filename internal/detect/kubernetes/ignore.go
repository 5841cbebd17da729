package kubernetes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// ignore is one wish not to hear of rules in a part of a file.
type ignore struct {
	file  string
	span  manifest.Span
	scope manifest.Range
	// names are the rules as written; all is true for every rule.
	names  []string
	ids    map[string]bool
	all    bool
	reason string
	until  time.Time
	// ours is false for the forms of other tools. trivy marks the one that has
	// no room for a reason.
	ours  bool
	trivy bool
	// wrong says what is wrong with it; it then does nothing.
	wrong string
	used  map[string]bool
	// late is true for ignores in files of which something else is made:
	// findings are in these files only after they have been traced back.
	late bool
	// values is true for ignores in the values of a chart: they are about the
	// findings for which a value in their scope is the cause.
	values bool
	// object is the object that an annotation belongs to, for the report.
	object string
}

// The forms of ignores in comments and annotations.
const (
	ourComment     = "portcullis:ignore"
	ourAnnotation  = "portcullis/ignore"
	trivyComment   = "trivy:ignore:"
	checkovComment = "checkov:skip="
)

// readIgnores collects the ignores of a file.
func (l *linter) readIgnores(f File, docs []manifest.Document, objects []*manifest.Object) {
	if l.opts.NoIgnores {
		return
	}
	for _, c := range manifest.Comments(f, docs, ourComment, trivyComment, checkovComment) {
		ig := ignore{file: f.Path, span: c.Span, scope: c.Scope}
		switch {
		case strings.HasPrefix(c.Text, ourComment):
			ig.ours = true
			ig.parse(strings.TrimPrefix(c.Text, ourComment))
		case strings.HasPrefix(c.Text, trivyComment):
			ig.trivy = true
			ig.parseTrivy(strings.TrimPrefix(c.Text, trivyComment))
		case strings.HasPrefix(c.Text, checkovComment):
			id, reason, _ := strings.Cut(strings.TrimPrefix(c.Text, checkovComment), ":")
			ig.names, ig.reason = []string{strings.TrimSpace(id)}, strings.TrimSpace(reason)
			ig.scope = documentAt(docs, c.Span.Line)
		default:
			continue
		}
		l.addIgnore(ig)
	}
	for _, o := range objects {
		l.annotations(o, o.Root)
		for _, pod := range manifest.Pods(o) {
			if pod.Template.Node != o.Root.Node {
				l.annotations(o, pod.Template)
			}
		}
	}
}

func documentAt(docs []manifest.Document, line int) manifest.Range {
	for _, d := range docs {
		if r := (manifest.Range{From: d.Line, To: d.EndLine}); r.Holds(line) {
			return r
		}
	}
	return manifest.Range{}
}

// annotations collects the ignores among the annotations of an object or of
// the template of its pods; they are about all that it holds.
func (l *linter) annotations(o *manifest.Object, owner *manifest.Place) {
	for _, a := range owner.At("metadata", "annotations").Fields() {
		name, value := a.Name(), a.Text()
		ig := ignore{file: o.File, span: a.Span(), scope: owner.Lines(), object: o.ID()}
		switch {
		case name == ourAnnotation || strings.HasPrefix(name, ourAnnotation+"."):
			for line := range strings.Lines(value) {
				each := ig
				each.ours = true
				each.parse(line)
				l.addIgnore(each)
			}
			continue
		case name == "kube-linter.io/ignore-all":
			ig.all, ig.reason = true, value
		case strings.HasPrefix(name, "ignore-check.kube-linter.io/"):
			ig.names, ig.reason = []string{strings.TrimPrefix(name, "ignore-check.kube-linter.io/")}, value
		case strings.HasPrefix(name, "checkov.io/skip"):
			id, reason, _ := strings.Cut(value, "=")
			ig.names, ig.reason = []string{strings.TrimSpace(id)}, strings.TrimSpace(reason)
		default:
			continue
		}
		l.addIgnore(ig)
	}
}

// parse reads `RULE[,RULE] until=YYYY-MM-DD reason=why to the end of the line`.
func (ig *ignore) parse(text string) {
	text = strings.TrimPrefix(strings.TrimSpace(text), ":")
	if i := strings.Index(text, "reason="); i >= 0 {
		ig.reason = strings.Trim(strings.TrimSpace(text[i+len("reason="):]), `"'`)
		text = text[:i]
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case !ok:
			ig.names = append(ig.names, word)
		case key == "until":
			until, err := time.Parse(time.DateOnly, value)
			if err != nil {
				ig.wrong = fmt.Sprintf("its date %q is not of the form YYYY-MM-DD", value)
			}
			ig.until = until
		default:
			ig.wrong = fmt.Sprintf("it has a word %q that means nothing; write RULE[,RULE] until=YYYY-MM-DD reason=…", key)
		}
	}
	if len(ig.names) == 0 {
		ig.wrong = "it names no rule"
	}
}

// parseTrivy reads `ID[:exp:YYYY-MM-DD]`; further ids follow behind a blank.
func (ig *ignore) parseTrivy(text string) {
	for _, word := range strings.Fields(text) {
		word = strings.TrimPrefix(word, trivyComment)
		id, expiry, ok := strings.Cut(word, ":exp:")
		if until, err := time.Parse(time.DateOnly, expiry); ok && err == nil {
			ig.until = until
		}
		if id == "*" {
			ig.all = true
			continue
		}
		ig.names = append(ig.names, id)
	}
}

var trivyID = regexp.MustCompile(`^(?i:AVD-)?(?i:KSV)-?0*([0-9]+)$`)

// canonical gives one name to the spellings of an id: AVD-KSV-0017, KSV017 and
// ksv-0017 are one check of trivy.
func canonical(name string) string {
	if m := trivyID.FindStringSubmatch(name); m != nil {
		return "ksv-" + m[1]
	}
	return strings.ToLower(name)
}

// rulesByName returns the ids of the rules by their own and other tools' ids.
func rulesByName(all []rule) map[string][]string {
	names := make(map[string][]string)
	for _, r := range all {
		for _, name := range append([]string{r.ID}, r.Aliases...) {
			key := canonical(name)
			names[key] = append(names[key], r.ID)
		}
	}
	return names
}

// addIgnore resolves the names of an ignore and takes it in.
func (l *linter) addIgnore(ig ignore) {
	if l.names == nil {
		l.names = rulesByName(l.set.rules())
	}
	ig.ids, ig.used = make(map[string]bool), make(map[string]bool)
	for _, name := range ig.names {
		ids := l.names[canonical(name)]
		if len(ids) == 0 && ig.wrong == "" {
			ig.wrong = fmt.Sprintf("%q is no rule", name)
		}
		for _, id := range ids {
			ig.ids[id] = true
		}
	}
	l.ignores = append(l.ignores, ig)
}

// applies reports whether an ignore is about a finding.
func (ig *ignore) applies(f finding.Finding, today time.Time) bool {
	return ig.holds(f) && (ig.all || ig.ids[f.RuleID]) && (ig.wrong == "" || !ig.ours) && !ig.expired(today)
}

// holds reports whether a finding stands in the part of the file that an
// ignore is about.
func (ig *ignore) holds(f finding.Finding) bool {
	in := func(at finding.Location) bool { return at.Path == ig.file && ig.scope.Holds(at.Line) }
	if !ig.values {
		return in(f.Locations[0])
	}
	return slices.ContainsFunc(f.Locations, func(at finding.Location) bool {
		return (decidingNote(at.Note) || at.Path == f.Target) && in(at)
	})
}

// expired reports whether the last day has passed.
func (ig *ignore) expired(today time.Time) bool {
	return !ig.until.IsZero() && !today.IsZero() && today.After(ig.until.AddDate(0, 0, 1).Add(-time.Nanosecond))
}

// waive gives the status Waived to the findings that an ignore is about.
// Findings about ignores themselves cannot be ignored.
func (l *linter) waive(late bool) {
	for i := range l.found {
		f := &l.found[i]
		for j := range l.ignores {
			ig := &l.ignores[j]
			if ig.late != late || slices.Contains(ignoreRuleIDs, f.RuleID) || !ig.applies(*f, l.opts.Today) {
				continue
			}
			if f.RuleID != ImageVulnerableRule || !ig.all {
				ig.used[f.RuleID] = true
			}
			if f.Status == finding.Waived {
				continue
			}
			f.Status = finding.Waived
			f.StatusReason = fmt.Sprintf("ignored in %s on line %d", ig.file, ig.span.Line)
			if ig.reason != "" {
				f.StatusReason += ": " + ig.reason
			}
			if !ig.until.IsZero() {
				f.StatusReason += " (until " + ig.until.Format(time.DateOnly) + ")"
				f.StatusUntil = ig.until
			}
		}
	}
}
