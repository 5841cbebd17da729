package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func failOn(s finding.Severity) *finding.Severity { return &s }

func vulnerability(id string, s finding.Severity, state finding.FixState) finding.Finding {
	return finding.Finding{
		RuleID: id, Kind: finding.Vulnerability, Severity: s,
		Fix: finding.Fix{State: state}, Fingerprint: "fp-" + id, Status: finding.Open,
	}
}

func covered(n int) outcome.Coverage { return outcome.Coverage{Packages: n, Assessed: n} }

func gap(reason outcome.Reason, assessed int, packages ...string) outcome.Coverage {
	return outcome.Coverage{
		Packages: assessed + len(packages), Assessed: assessed,
		Gaps: []outcome.Gap{{Reason: reason, Detail: "detail", Packages: packages}},
	}
}

func TestEvaluate(t *testing.T) {
	waived := vulnerability("CVE-1", finding.Critical, finding.Fixed)
	waived.Status = finding.Waived
	tests := []struct {
		name   string
		policy Policy
		input  Input
		result outcome.Result
		code   exit.Code
		broken []string
	}{
		{
			name:   "no findings pass",
			policy: Policy{FailOn: failOn(finding.High)},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "a finding at the threshold fails",
			policy: Policy{FailOn: failOn(finding.High)},
			input:  Input{Findings: []finding.Finding{vulnerability("CVE-1", finding.High, finding.NotFixed)}},
			result: outcome.Fail, code: exit.PolicyBroken, broken: []string{"fail-on"},
		},
		{
			name:   "a finding below the threshold passes",
			policy: Policy{FailOn: failOn(finding.High)},
			input:  Input{Findings: []finding.Finding{vulnerability("CVE-1", finding.Medium, finding.Fixed)}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "only-fixed spares a finding without a fix",
			policy: Policy{FailOn: failOn(finding.High), OnlyFixed: true},
			input:  Input{Findings: []finding.Finding{vulnerability("CVE-1", finding.Critical, finding.WontFix)}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "only-fixed does not spare a lint finding, which the user can fix",
			policy: Policy{FailOn: failOn(finding.High), OnlyFixed: true},
			input:  Input{Findings: []finding.Finding{vulnerability("PC-DF001", finding.High, finding.FixNotApplicable)}},
			result: outcome.Fail, code: exit.PolicyBroken, broken: []string{"fail-on"},
		},
		{
			name:   "only-fixed spares a fix that only paying customers get",
			policy: Policy{FailOn: failOn(finding.High), OnlyFixed: true},
			input:  Input{Findings: []finding.Finding{vulnerability("CVE-1", finding.High, finding.FixedInESM)}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "an unknown severity fails unless it is let through",
			policy: Policy{FailOn: failOn(finding.Critical)},
			input:  Input{Findings: []finding.Finding{vulnerability("GO-1", finding.Unknown, finding.Fixed)}},
			result: outcome.Fail, code: exit.PolicyBroken, broken: []string{"fail-on"},
		},
		{
			name:   "an unknown severity passes when it is let through",
			policy: Policy{FailOn: failOn(finding.Low), UnknownSeverityPasses: true},
			input:  Input{Findings: []finding.Finding{vulnerability("GO-1", finding.Unknown, finding.Fixed)}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "fail-on none lets everything through",
			policy: Policy{},
			input: Input{Findings: []finding.Finding{
				vulnerability("CVE-1", finding.Critical, finding.Fixed), vulnerability("GO-1", finding.Unknown, finding.Fixed),
			}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "a waived finding does not count",
			policy: Policy{FailOn: failOn(finding.Low)},
			input:  Input{Findings: []finding.Finding{waived}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "an empty inventory is incomplete",
			policy: Policy{FailOn: failOn(finding.High)},
			input:  Input{InventoryExamined: true},
			result: outcome.Incomplete, code: exit.NotExamined, broken: []string{"inventory"},
		},
		{
			name:   "an unreadable package database is incomplete although another was read",
			policy: Policy{FailOn: failOn(finding.High)},
			input: Input{InventoryExamined: true, Coverage: outcome.Coverage{
				Packages: 5, Assessed: 5, Unreadable: []inventory.Unreadable{{Path: "/var/lib/rpm/Packages", Reason: "noise"}},
			}},
			result: outcome.Incomplete, code: exit.NotExamined, broken: []string{"inventory"},
		},
		{
			name:   "another unreadable file is shown and passes",
			policy: Policy{FailOn: failOn(finding.High)},
			input: Input{InventoryExamined: true, Coverage: outcome.Coverage{
				Packages: 5, Assessed: 5, Unreadable: []inventory.Unreadable{{Path: "/srv/app.jar", Reason: "noise"}},
			}},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "an unknown distribution is incomplete although other packages were assessed",
			policy: Policy{FailOn: failOn(finding.High)},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.UnknownDistro, 5, "bash 5.2")},
			result: outcome.Incomplete, code: exit.NotExamined, broken: []string{"coverage"},
		},
		{
			name:   "a distribution that the database lacks is missing data although others were assessed",
			policy: Policy{FailOn: failOn(finding.High)},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.NoFeed, 5, "bash 5.2")},
			result: outcome.Incomplete, code: exit.DataMissing, broken: []string{"coverage"},
		},
		{
			name:   "an accepted reason does not make the verdict incomplete",
			policy: Policy{CoverageAllow: []outcome.Reason{outcome.EndOfLife}},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.EndOfLife, 0, "bash 5.2")},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "a missing database ends with the code for data",
			policy: Policy{},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.NoDatabase, 0, "bash 5.2")},
			result: outcome.Incomplete, code: exit.DataMissing, broken: []string{"coverage"},
		},
		{
			name:   "an image of which nothing could be assessed is incomplete",
			policy: Policy{},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.UnsupportedType, 0, "app 1")},
			result: outcome.Incomplete, code: exit.NotExamined, broken: []string{"inventory"},
		},
		{
			name:   "a package with an unreadable version is shown and passes",
			policy: Policy{},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.VersionUnreadable, 9, "app (devel)")},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "coverage below the minimum is incomplete",
			policy: Policy{CoverageMinimum: 95},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.VersionUnreadable, 9, "app (devel)")},
			result: outcome.Incomplete, code: exit.NotExamined, broken: []string{"coverage.minimum"},
		},
		{
			name:   "coverage at the minimum holds",
			policy: Policy{CoverageMinimum: 90},
			input:  Input{InventoryExamined: true, Coverage: gap(outcome.VersionUnreadable, 9, "app (devel)")},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "old data ends with the code for data",
			policy: Policy{DatabaseMaxAge: 7 * 24 * time.Hour},
			input: Input{
				InventoryExamined: true, Coverage: gap(outcome.DataStale, 3, "bash 5.2"), Now: now,
				Database: outcome.Database{Location: "db", Built: now},
			},
			result: outcome.Incomplete, code: exit.DataMissing, broken: []string{"db.max-age"},
		},
		{
			name:   "old data that the policy accepts is a pass",
			policy: Policy{DatabaseMaxAge: 7 * 24 * time.Hour, CoverageAllow: []outcome.Reason{outcome.DataStale}},
			input: Input{
				InventoryExamined: true, Coverage: gap(outcome.DataStale, 3, "bash 5.2"), Now: now,
				Database: outcome.Database{Location: "db", Built: now},
			},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "data that is getting old warns",
			policy: Policy{DatabaseMaxAge: 7 * 24 * time.Hour, WarnExit: true},
			input: Input{
				InventoryExamined: true, Coverage: covered(3), Now: now,
				Database: outcome.Database{Location: "db", Built: now, Aging: []string{"npm of 2026-08-01"}},
			},
			result: outcome.Pass, code: exit.Warned,
		},
		{
			name:   "data of any age that the policy accepts does not warn",
			policy: Policy{WarnExit: true},
			input: Input{
				InventoryExamined: true, Coverage: covered(3), Now: now,
				Database: outcome.Database{Location: "db", Built: now, Aging: []string{"npm of 2022-08-01"}},
			},
			result: outcome.Pass, code: exit.Passed,
		},
		{
			name:   "scores that are too old warn where nothing is judged by them",
			policy: Policy{DatabaseMaxAge: 7 * 24 * time.Hour, WarnExit: true},
			input: Input{
				InventoryExamined: true, Coverage: covered(3), Now: now,
				Database: outcome.Database{Location: "db", Built: now, Stale: []string{"epss of 2026-01-01"}},
			},
			result: outcome.Pass, code: exit.Warned,
		},
		{
			name:   "scores that are too old do not judge",
			policy: Policy{DatabaseMaxAge: 7 * 24 * time.Hour, EPSS: new(float64)},
			input: Input{
				InventoryExamined: true, Coverage: covered(3), Now: now,
				Database: outcome.Database{
					Location: "db", Built: now, Stale: []string{"epss of 2026-01-01"},
					Sources: []outcome.DatabaseSource{{Name: epssSource}},
				},
			},
			result: outcome.Incomplete, code: exit.DataMissing, broken: []string{"db.max-age"},
		},
		{
			name:   "data from the future is not trusted",
			policy: Policy{DatabaseMaxAge: 7 * 24 * time.Hour},
			input: Input{
				InventoryExamined: true, Coverage: covered(1), Now: now,
				Database: outcome.Database{Location: "db", Built: now.AddDate(0, 0, 2)},
			},
			result: outcome.Incomplete, code: exit.DataMissing, broken: []string{"db.max-age"},
		},
		{
			name:   "a broken policy outranks old data",
			policy: Policy{FailOn: failOn(finding.High), DatabaseMaxAge: time.Hour},
			input: Input{
				InventoryExamined: true, Coverage: gap(outcome.DataStale, 3, "bash 5.2"), Now: now,
				Database: outcome.Database{Location: "db", Built: now},
				Findings: []finding.Finding{vulnerability("CVE-1", finding.High, finding.Fixed)},
			},
			result: outcome.Fail, code: exit.PolicyBroken, broken: []string{"fail-on", "db.max-age"},
		},
		{
			name:   "a failure of the run is incomplete even when findings break the policy",
			policy: Policy{FailOn: failOn(finding.High)},
			input: Input{
				Failures: []outcome.Failure{{Stage: "target", Code: exit.NotExamined}},
				Findings: []finding.Finding{vulnerability("CVE-1", finding.High, finding.Fixed)},
			},
			result: outcome.Incomplete, code: exit.NotExamined, broken: []string{"fail-on"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdict, code := Evaluate(tt.policy, tt.input)
			if verdict.Result != tt.result || code != tt.code {
				t.Errorf("got %s with exit code %d, want %s with %d", verdict.Result, code, tt.result, tt.code)
			}
			var broken []string
			for _, c := range verdict.Clauses {
				if c.Broken {
					broken = append(broken, c.Name)
					if c.Reason == "" {
						t.Errorf("clause %s is broken without a reason", c.Name)
					}
				}
			}
			if diff := cmp.Diff(tt.broken, broken); diff != "" {
				t.Errorf("broken clauses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddingAFindingNeverTurnsFailIntoPass(t *testing.T) {
	p := Policy{FailOn: failOn(finding.High)}
	base := []finding.Finding{vulnerability("CVE-1", finding.High, finding.Fixed)}
	for _, s := range finding.Severities() {
		more := append(slices.Clone(base), vulnerability("CVE-2", s, finding.NotFixed))
		if v, _ := Evaluate(p, Input{Findings: more}); v.Result != outcome.Fail {
			t.Errorf("adding a finding of severity %s gives %s", s, v.Result)
		}
	}
}
