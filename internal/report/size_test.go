package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// A poisoned advisory or image can hold texts of megabytes. Only JSON passes
// them on, because scripts may need them whole.
func TestEndlessTextsMakeNoEndlessReport(t *testing.T) {
	endless := strings.Repeat("](x ` | :: ##[ <b> @a \x1b[31m ", 4_000)
	location := []finding.Location{{Space: finding.InImage, Path: "/" + endless}}
	vulnerable := finding.Finding{
		RuleID: "CVE-" + endless, Aliases: []string{endless}, Kind: finding.Vulnerability, Severity: finding.High, Title: endless, Message: endless,
		Target: "image", Package: &finding.Package{Name: endless, Version: endless, Type: "deb", PURL: endless},
		Locations: location, Evidence: []finding.Fact{{Name: endless, Value: endless}}, Fix: finding.Fix{State: finding.Fixed, Version: endless, Text: endless},
		References: []string{"https://example.org/" + endless}, Fingerprint: "a", Status: finding.Open,
	}
	linted := vulnerable
	linted.Kind, linted.Package, linted.Fingerprint = finding.Secret, nil, "b"
	passive := vulnerable
	passive.Status, passive.StatusReason, passive.Fingerprint = finding.Waived, endless, "c"
	o := outcome.Outcome{
		Findings: []finding.Finding{vulnerable, linted, passive},
		Targets:  []outcome.Target{{Kind: outcome.TargetImage, Name: "image", Detail: endless, Examined: true}},
		Coverage: outcome.Coverage{
			Packages: 1, Gaps: []outcome.Gap{{Reason: outcome.NoFeed, Detail: endless, Packages: []string{endless}}},
			Unreadable: []inventory.Unreadable{{Path: endless, Reason: endless}},
		},
		Failures: []outcome.Failure{{Stage: "target", Target: endless, Message: endless, Hint: endless}},
		Verdict: outcome.Verdict{Result: outcome.Fail, Clauses: []outcome.Clause{
			{Name: "fail-on", Demand: endless, Broken: true, Reason: endless, Findings: []string{"a", "b"}, Subjects: []string{endless}},
		}},
	}
	for _, f := range report.Formats() {
		if f.Name == "json" {
			continue
		}
		var b bytes.Buffer
		if err := f.Write(t.Context(), &b, o, report.Options{}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if b.Len() > 400_000 {
			t.Errorf("%s has %d bytes", f.Name, b.Len())
		}
	}
}
