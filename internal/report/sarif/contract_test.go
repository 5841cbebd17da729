package sarif_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func TestTheHelpOfAVulnerabilityNamesEachPackageWithItsLayer(t *testing.T) {
	o := vulnerable(1, func(int) string { return "x" })
	o.Findings[0].Locations = append([]finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: 1, Column: 1, EndLine: 1, EndColumn: 5}},
		finding.Location{Space: finding.InImage, Path: "/usr/lib/a", Layer: "sha256:0", Note: "layer 2 of 5 (RUN)"})
	markdown := decode(t, o, options()).Runs[0].Tool.Driver.Rules[0].Help.Markdown
	for _, part := range []string{"| Package | Installed | Fixed in | Where | Layer |", "<code>/usr/lib/a</code> | layer 2 of 5 (RUN) |"} {
		if !strings.Contains(markdown, part) {
			t.Errorf("%q is not in\n%s", part, markdown)
		}
	}
	if strings.Contains(markdown, "sha256:0") {
		t.Error("the help holds a digest, which changes with each build")
	}
}

func TestEachLimitHoldsAtItsEdge(t *testing.T) {
	for _, n := range []int{4999, 5000, 5001} {
		run := decode(t, vulnerable(n, func(int) string { return "x" }), options()).Runs[0]
		cut := slices.ContainsFunc(run.Invocations[0].ToolExecutionNotifications, func(n struct {
			Level   string
			Message struct{ Text string }
		},
		) bool {
			return strings.Contains(n.Message.Text, "left out to stay within the limits")
		})
		if len(run.Results) != min(n, 5000) || cut != (n > 5000) {
			t.Errorf("%d findings: %d results, told as cut: %v", n, len(run.Results), cut)
		}
	}
	for _, n := range []int{10, 11} {
		o := vulnerable(n, func(int) string { return "x" })
		for i := range o.Findings {
			p := *o.Findings[i].Package
			p.Name = fmt.Sprintf("package-%d", i)
			o.Findings[i].Package, o.Findings[i].RuleID, o.Findings[i].Fingerprint = &p, "CVE-2024-1", p.Name
		}
		results := decode(t, o, options()).Runs[0].Results
		if len(results) != 1 || strings.Contains(results[0].Message.Text, " and 1 more package,") != (n > 10) {
			t.Errorf("%d packages at one place: %d results, %s", n, len(results), results[0].Message.Text)
		}
	}
}

func TestWhatWasRuledOutIsInNoResultAndNoRule(t *testing.T) {
	o := reporttest.Outcome()
	for i := range o.Findings {
		o.Findings[i].Status = []finding.Status{finding.Waived, finding.NotAffected}[i%2]
	}
	text := string(write(t, o, options()))
	for _, run := range decode(t, o, options()).Runs {
		if len(run.Results)+len(run.Tool.Driver.Rules) > 0 {
			t.Errorf("%s has %d results and %d rules", run.AutomationDetails.ID, len(run.Results), len(run.Tool.Driver.Rules))
		}
	}
	if strings.Contains(text, "suppressions") || strings.Contains(text, "CVE-") {
		t.Error("a waived finding is named")
	}
}
