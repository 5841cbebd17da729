// Package tekton writes the outcome as one short line of JSON, for result files
// of Tekton tasks, output parameters of Argo workflows and everything else
// that takes a few kilobytes: --output tekton=$(results.gate.path).
// https://tekton.dev/docs/pipelines/tasks/#emitting-results
package tekton

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

type result struct {
	Result      string `json:"result"`
	ExitCode    int    `json:"exitCode"`
	Findings    int    `json:"findings"`
	Failed      int    `json:"failed"`
	Critical    int    `json:"critical"`
	High        int    `json:"high"`
	Medium      int    `json:"medium"`
	Low         int    `json:"low"`
	Unknown     int    `json:"unknown"`
	Waived      int    `json:"waived"`
	NotAssessed int    `json:"notAssessed"`
	Digest      string `json:"imageDigest,omitempty"`
}

// Write writes the result, without a line end: Tekton keeps every byte.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, _ document.Options) error {
	c := document.Count(o)
	r := result{
		Result: "incomplete", ExitCode: int(o.ExitCode), Findings: c.Active, Failed: c.Failing,
		Critical: c.BySeverity[finding.Critical], High: c.BySeverity[finding.High], Medium: c.BySeverity[finding.Medium],
		Low: c.BySeverity[finding.Low], Unknown: c.BySeverity[finding.Unknown],
		Waived: c.ByStatus[finding.Waived], NotAssessed: o.Coverage.NotAssessed(), Digest: document.ImageDigest(o),
	}
	if o.Verdict.Result == outcome.Pass || o.Verdict.Result == outcome.Fail {
		r.Result = string(o.Verdict.Result)
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode Tekton result: %w", err)
	}
	_, err = w.Write(encoded)
	return err
}
