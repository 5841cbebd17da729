package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// ignoreRules are about comments and annotations that silence other rules.
// They are reported after all other rules have run.
var ignoreRules = []rule{ignoreUnused, ignoreUnknown, ignoreExpired, ignoreNoReason}

// ignoreRuleIDs are those of the rules that no ignore can silence.
var ignoreRuleIDs = []string{"k8s-ignore-unused", "k8s-ignore-unknown", "k8s-ignore-expired", "k8s-ignore-no-reason"}

const docIgnore = "https://github.com/portcullis-ci/portcullis"

var ignoreUnused = rule{
	Rule: rules.Rule{
		ID: "k8s-ignore-unused", Title: "Ignore silences nothing", Severity: finding.Low,
		Why:          "An ignore that matches nothing is left over from something that was fixed, or is misplaced. It will silence the next problem of its kind, which nobody has looked at.",
		Fix:          "Remove it, or move it above the key that it is meant for.",
		WhenToIgnore: "It cannot be ignored; remove the comment.",
		References:   []string{docIgnore},
		Bad:          hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-pid reason=debugging\n      hostUsers: false\n"),
		Good:         hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-users reason=nodes do not support it\n      hostUsers: true\n"),
	},
}

var ignoreUnknown = rule{
	Rule: rules.Rule{
		ID: "k8s-ignore-unknown", Title: "Ignore cannot be understood", Severity: finding.Medium,
		Why:          "A misspelt ignore does nothing. Without a word about it somebody believes in an exception that is not there.",
		Fix:          "Write `portcullis:ignore RULE[,RULE] until=YYYY-MM-DD reason=…` with ids that `portcullis explain` knows.",
		WhenToIgnore: "It cannot be ignored; correct the comment.",
		References:   []string{docIgnore},
		Bad:          hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-hostusers reason=misspelt\n      hostUsers: false\n"),
		Good:         hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-users reason=nodes do not support it\n      hostUsers: true\n"),
	},
}

var ignoreExpired = rule{
	Rule: rules.Rule{
		ID: "k8s-ignore-expired", Title: "Ignore has expired", Severity: finding.Medium,
		Why:          "The exception was meant for a limited time, which is over: what it silenced counts again.",
		Fix:          "Fix the problem, or agree on a new date.",
		WhenToIgnore: "It cannot be ignored; remove the comment or set a new date.",
		References:   []string{docIgnore},
		Bad:          hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-users until=2024-01-31 reason=nodes are being upgraded\n      hostUsers: false\n"),
		Good:         hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-users until=2099-12-31 reason=nodes are being upgraded\n      hostUsers: true\n"),
	},
}

var ignoreNoReason = rule{
	Rule: rules.Rule{
		ID: "k8s-ignore-no-reason", Title: "Ignore has no reason", Severity: finding.Medium,
		Why:          "Nobody can tell later whether an exception without a reason is still needed, or who agreed to it.",
		Fix:          "Add `reason=…`.",
		WhenToIgnore: "It cannot be ignored; add the reason. It is reported only where the configuration demands reasons.",
		References:   []string{docIgnore},
		Bad:          hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-users\n      hostUsers: true\n"),
		Good:         hardened("      hostUsers: false\n", "      # portcullis:ignore k8s-host-users reason=nodes do not support it\n      hostUsers: true\n"),
		Off:          true,
	},
}

// judgeIgnores reports what is wrong with ignores. Those in the forms of other
// tools may silence something there, so what is wrong with them here is only
// worth knowing. It is called after waive has noted which were of use.
func (l *linter) judgeIgnores() {
	if l.opts.OwnOnly {
		return
	}
	ran := make(map[string]bool)
	for _, r := range l.set.rules() {
		ran[r.ID] = r.runs(l.opts)
	}
	for i := range l.ignores {
		ig := &l.ignores[i]
		if (l.opts.RequireReason || ran[ignoreNoReason.ID]) && ig.reason == "" && ig.wrong == "" {
			l.reportIgnore(ignoreNoReason, ig, "This ignore of "+ig.about()+" has no reason; add one"+ig.reasonForm()+".")
		}
		switch {
		case ig.wrong != "" && !ig.ours:
			l.reportIgnore(ignoreUnknown, ig, "This ignore of another tool does nothing here, since "+ig.wrong+" that is known here by this name.")
		case ig.wrong != "":
			l.reportIgnore(ignoreUnknown, ig, "This ignore does nothing, since "+ig.wrong+".")
		case ig.expired(l.opts.Today):
			l.reportIgnore(ignoreExpired, ig, fmt.Sprintf("This ignore of %s expired on %s, so what it silenced counts again.", ig.about(), ig.until.Format(time.DateOnly)))
		case ig.all && len(ig.used) == 0:
			l.reportIgnore(ignoreUnused, ig, "This ignore of everything silences nothing; remove it.")
		default:
			for _, name := range unusedNames(ig, l.names, ran) {
				l.reportIgnore(ignoreUnused, ig, fmt.Sprintf("This ignore of %s silences nothing; remove it or move it to where the rule points.", name))
			}
		}
	}
}

// about names what an ignore silences.
func (ig *ignore) about() string {
	if ig.all {
		return "everything"
	}
	return strings.Join(ig.names, ", ")
}

// reasonForm says how a reason is written, where that is not plain.
func (ig *ignore) reasonForm() string {
	switch {
	case ig.ours:
		return ": reason=…"
	case ig.trivy:
		return ", which takes a portcullis:ignore in its place"
	}
	return ""
}

// unusedNames returns the names for which nothing was found, leaving out
// rules that did not run.
func unusedNames(ig *ignore, names map[string][]string, ran map[string]bool) []string {
	var unused []string
	for _, name := range ig.names {
		ids := names[canonical(name)]
		used := slices.ContainsFunc(ids, func(id string) bool { return ig.used[id] || !ran[id] })
		if !used {
			unused = append(unused, name)
		}
	}
	return unused
}

func (l *linter) reportIgnore(r rule, ig *ignore, message string) {
	if slices.Contains(l.opts.Disable, r.ID) {
		return
	}
	f := r.complete().finding(ig.file, ig.span, message)
	if !ig.ours && r.ID != ignoreNoReason.ID {
		f.Severity = finding.Info
	}
	f.Object = ig.object
	f.Fingerprint = finding.Fingerprint(f.Kind, f.RuleID, ig.file, ig.object, strings.Join(ig.names, ","))
	l.found = append(l.found, f)
}
