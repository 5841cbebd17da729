package replay

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/jsonreport"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func saved(t *testing.T, p policy.Policy) Saved {
	t.Helper()
	o := reporttest.Outcome()
	o.Coverage.Gaps = nil
	o.Coverage.Assessed = o.Coverage.Packages
	o.Verdict, o.ExitCode = policy.Evaluate(p, policy.Input{
		Findings: o.Findings, Coverage: o.Coverage, InventoryExamined: true, Database: o.Database, Now: o.Finished,
	})
	var b bytes.Buffer
	if err := jsonreport.Write(context.Background(), &b, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	s, err := Read("saved.json", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func threshold(s finding.Severity) *finding.Severity { return &s }

func TestTheSamePolicyGivesTheSameVerdict(t *testing.T) {
	for _, s := range finding.Severities()[:5] {
		p := policy.Policy{FailOn: threshold(s)}
		r := Judge(p, saved(t, p), saved(t, p).Outcome.Finished)
		if r.Before != r.After || r.BeforeCode != r.AfterCode || r.Blocking != nil || r.Freed != nil {
			t.Errorf("fail-on %s: %s with %d, was %s with %d; %d findings more, %d fewer",
				s, r.After, r.AfterCode, r.Before, r.BeforeCode, len(r.Blocking), len(r.Freed))
		}
	}
}

func TestAStricterPolicySaysWhatItBlocks(t *testing.T) {
	s := saved(t, policy.Policy{})
	if s.Outcome.Verdict.Result != outcome.Pass {
		t.Fatalf("the saved run is %s", s.Outcome.Verdict.Result)
	}
	p := policy.Policy{
		FailOn: threshold(finding.Critical), UnknownSeverityPasses: true,
		SBOMRequired: true, Licences: policy.Licences{Deny: []string{"GPL-*"}},
		Deny: []policy.Expression{{Name: "root", Text: `image.user == "root"`}},
	}
	r := Judge(p, s, s.Outcome.Finished)
	if r.After != outcome.Fail || Code([]Result{r}) != exit.PolicyBroken {
		t.Errorf("got %s with %d", r.After, r.AfterCode)
	}
	for _, f := range r.Blocking {
		if f.Severity != finding.Critical || f.Status != finding.Open {
			t.Errorf("blocks %s %s", f.Severity, f.RuleID)
		}
	}
	if len(r.Blocking) == 0 {
		t.Error("no finding blocks")
	}
	if diff := cmp.Diff([]string{"deny.root", "licences", "sbom"}, r.NotJudged); diff != "" {
		t.Errorf("not judged (-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := Write(&b, []Result{r}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"saved.json (2026-11-20T10:30:04Z): fail, was pass", "broken   fail-on: ", "warning  sbom: not judged", "blocks   critical CVE-2024-5535: ", "1 of 1 reports would be newly blocked"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if strings.ContainsRune(b.String(), '\x1b') {
		t.Error("a terminal code got through")
	}
}

func TestAMilderPolicySaysWhatItFrees(t *testing.T) {
	r := Judge(policy.Policy{}, saved(t, policy.Policy{FailOn: threshold(finding.High)}), saved(t, policy.Policy{}).Outcome.Finished)
	if r.After != outcome.Pass || len(r.Freed) == 0 || len(r.Blocking) != 0 {
		t.Errorf("%s: %d more, %d fewer", r.After, len(r.Blocking), len(r.Freed))
	}
}

func TestAFileThatIsNoReportIsAUsageError(t *testing.T) {
	if _, err := Read("x.json", []byte("{}")); exit.CodeOf(err) != exit.Usage || exit.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}
