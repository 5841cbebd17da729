package github

import (
	"strconv"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// Outputs are the outputs of the action. Files maps report formats, "sbom" and
// "summary" to the paths that were written.
func Outputs(o outcome.Outcome, files map[string]string) []Output {
	c := document.Count(o)
	number := func(n int) string { return strconv.Itoa(n) }
	return []Output{
		{"result", result(o)},
		{"exit-code", number(int(o.ExitCode))},
		{"findings", number(c.Active)},
		{"failed", number(c.Failing)},
		{"critical", number(c.BySeverity[finding.Critical])},
		{"high", number(c.BySeverity[finding.High])},
		{"medium", number(c.BySeverity[finding.Medium])},
		{"low", number(c.BySeverity[finding.Low])},
		{"unknown", number(c.BySeverity[finding.Unknown])},
		{"waived", number(c.ByStatus[finding.Waived])},
		{"new", number(newFindings(o, c))},
		{"sarif-file", files["sarif"]},
		{"sbom-file", files["sbom"]},
		{"report-file", files["json"]},
		{"html-file", files["html"]},
		{"summary-file", files["markdown"]},
		{"image-digest", document.ImageDigest(o)},
	}
}

// result is pass, fail, or error when there is no verdict.
func result(o outcome.Outcome) string {
	switch o.Verdict.Result {
	case outcome.Pass, outcome.Fail:
		return string(o.Verdict.Result)
	default:
		return "error"
	}
}

// newFindings are those that are not in the baseline; without one all are.
func newFindings(o outcome.Outcome, c document.Counts) int {
	if o.Baseline != nil {
		return o.Baseline.New
	}
	return c.Active
}
