package gitlab

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// Dotenv writes variables for later jobs, all with the prefix GATE_. Values
// are numbers, words of ours and a checked digest, because a dotenv report
// knows no quoting: https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
func Dotenv(_ context.Context, w io.Writer, o outcome.Outcome, _ document.Options) error {
	c := document.Count(o)
	result := string(o.Verdict.Result)
	if result == "" {
		result = string(outcome.Incomplete)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "GATE_RESULT=%s\nGATE_EXIT_CODE=%d\nGATE_FINDINGS=%d\nGATE_FAILED=%d\nGATE_FIXABLE=%d\n",
		result, int(o.ExitCode), c.Active, c.Failing, c.Fixable)
	for _, s := range finding.Severities() {
		fmt.Fprintf(&b, "GATE_%s=%d\n", strings.ToUpper(s.String()), c.BySeverity[s])
	}
	fmt.Fprintf(&b, "GATE_WAIVED=%d\nGATE_NOT_ASSESSED=%d\n", c.ByStatus[finding.Waived], o.Coverage.NotAssessed())
	if digest := document.ImageDigest(o); digest != "" {
		fmt.Fprintf(&b, "GATE_IMAGE_DIGEST=%s\n", digest)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type externalLink struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

type annotation struct {
	ExternalLink externalLink `json:"external_link"`
}

// Annotations writes the links that GitLab shows on the page of the job: to
// the report, and to the advisories of the findings that break the policy.
// https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations
func Annotations(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	section := []annotation{}
	add := func(label, target string) {
		if clean, ok := neutralise.URL(target); ok && len(section) < 20 {
			section = append(section, annotation{externalLink{neutralise.Short(label, 200), clean}})
		}
	}
	add("Report of Portcullis", opts.Links.Report)
	failed := o.Verdict.Failed()
	seen := make(map[string]bool)
	for _, f := range document.Sorted(o.Findings) {
		if !failed[f.Fingerprint] || seen[f.RuleID] || len(f.References) == 0 {
			continue
		}
		seen[f.RuleID] = true
		label := f.RuleID + " (" + f.Severity.String() + ")"
		if f.Package != nil {
			label += " in " + f.Package.Name
		}
		add(label, f.References[0])
	}
	return writeJSON(w, map[string][]annotation{"Portcullis": section})
}
