// Package gitlab writes the files that GitLab collects as artifacts:reports:
// Code Quality, the security reports (container scanning, dependency scanning,
// SAST, secret detection), dotenv variables and job annotations. SBOMs, JUnit
// and SARIF have packages of their own.
package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// maxIssues is the number of Code Quality issues: more than a reviewer reads,
// and little enough for the page to open.
const maxIssues = 2000

// issue is one entry of a Code Quality report,
// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
type issue struct {
	Description string        `json:"description"`
	CheckName   string        `json:"check_name"`
	Fingerprint string        `json:"fingerprint"`
	Severity    string        `json:"severity"`
	Location    issueLocation `json:"location"`
}

type issueLocation struct {
	Path  string     `json:"path"`
	Lines issueLines `json:"lines"`
}

type issueLines struct {
	Begin int `json:"begin"`
}

// CodeQuality writes the Code Quality report: every open, inherited or known
// finding that has a place in the repository, worst first. Findings without
// one cannot be shown there; JUnit and JSON have them.
func CodeQuality(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	issues := []issue{}
	seen := make(map[string]bool)
	left := 0
	for _, f := range document.Sorted(o.Findings) {
		if !reported(f) || !opts.Shown(f) || seen[f.Fingerprint] {
			continue
		}
		l := f.Locations[0]
		if l.Space != finding.Repository {
			continue
		}
		seen[f.Fingerprint] = true
		if len(issues) == maxIssues {
			left++
			continue
		}
		issues = append(issues, issue{
			Description: describe(f),
			CheckName:   short(f.RuleID),
			Fingerprint: f.Fingerprint,
			Severity:    issueSeverity(f.Severity),
			Location:    issueLocation{Path: l.Path, Lines: issueLines{Begin: max(l.Line, 1)}},
		})
	}
	opts.Cuts.Add(document.Cut{Report: "Code Quality", Host: "GitLab", Kept: len(issues), All: len(issues) + left})
	return writeJSON(w, issues)
}

// reported leaves out what the user or a vendor ruled out.
func reported(f finding.Finding) bool {
	return f.Status != finding.Waived && f.Status != finding.NotAffected && len(f.Locations) > 0
}

func describe(f finding.Finding) string {
	text := f.Message
	if f.Package != nil {
		text = fmt.Sprintf("%s (%s) in %s %s", f.RuleID, f.Severity, f.Package.Name, f.Package.Version)
		if f.Fix.Version != "" {
			text += ", fixed in " + f.Fix.Version
		}
		text += ": " + f.Title
	}
	return neutralise.Short(text, 500)
}

// issueSeverity maps to GitLab's five classes. An unknown severity is in the
// middle: nobody has said that it is harmless.
func issueSeverity(s finding.Severity) string {
	switch s {
	case finding.Critical:
		return "blocker"
	case finding.High:
		return "critical"
	case finding.Medium, finding.Unknown:
		return "major"
	case finding.Low:
		return "minor"
	default:
		return "info"
	}
}

func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode GitLab report: %w", err)
	}
	_, err := w.Write(neutralise.JSON(b.Bytes()))
	return err
}
