// Package bitbucket writes a Code Insights report with its annotations as one
// JSON file. A pipeline sends its parts to the API, which needs no token
// through the proxy inside Pipelines; see
// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/
package bitbucket

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// The API's limits: annotations of a report, of one request, and characters.
const (
	maxAnnotations = 1000
	perRequest     = 100
	maxSummary     = 450
	maxDetails     = 2000
)

type file struct {
	// Report is the body of PUT …/commit/{commit}/reports/portcullis.
	Report report `json:"report"`
	// Annotations are the bodies of POST …/reports/portcullis/annotations, one
	// request each.
	Annotations [][]annotation `json:"annotations"`
}

type report struct {
	Title      string  `json:"title"`
	Details    string  `json:"details"`
	ReportType string  `json:"report_type"`
	Reporter   string  `json:"reporter"`
	Result     string  `json:"result"`
	Link       string  `json:"link,omitempty"`
	Data       []datum `json:"data"`
}

type datum struct {
	Title string `json:"title"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type annotation struct {
	ExternalID string `json:"external_id"`
	Type       string `json:"annotation_type"`
	Summary    string `json:"summary"`
	Details    string `json:"details,omitempty"`
	Result     string `json:"result"`
	Severity   string `json:"severity"`
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line,omitempty"`
	Link       string `json:"link,omitempty"`
}

// Write writes the report and the worst findings as annotations.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	f := file{Report: reportOf(o, opts), Annotations: [][]annotation{}}
	failed := o.Verdict.Failed()
	var request []annotation
	n, left := 0, 0
	for _, x := range document.Sorted(o.Findings) {
		if !document.Active(x) || !opts.Shown(x) || len(x.Locations) == 0 {
			continue
		}
		if n == maxAnnotations {
			left++
			continue
		}
		n++
		request = append(request, annotationOf(x, failed[x.Fingerprint]))
		if len(request) == perRequest {
			f.Annotations, request = append(f.Annotations, request), nil
		}
	}
	if len(request) > 0 {
		f.Annotations = append(f.Annotations, request)
	}
	opts.Cuts.Add(document.Cut{Report: "Bitbucket", Host: "Code Insights", Kept: n, All: n + left})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(f); err != nil {
		return fmt.Errorf("encode Bitbucket report: %w", err)
	}
	_, err := w.Write(neutralise.JSON(b.Bytes()))
	return err
}

func reportOf(o outcome.Outcome, opts document.Options) report {
	c := document.Count(o)
	r := report{
		Title: "Portcullis", ReportType: "SECURITY", Reporter: "Portcullis", Result: "FAILED",
		Details: fmt.Sprintf("%d open findings, %d of them break the policy.", c.Active, c.Failing),
		Data:    []datum{},
	}
	switch o.Verdict.Result {
	case outcome.Pass:
		r.Result = "PASSED"
	case outcome.Fail:
	default:
		r.Details = "Not everything could be examined, so there is no verdict. " + r.Details
	}
	if n := o.Coverage.NotAssessed(); n > 0 {
		r.Details += fmt.Sprintf(" %d of %d packages were not assessed.", n, o.Coverage.Packages)
	}
	if link, ok := neutralise.URL(cmp.Or(opts.Links.Report, opts.Links.Job)); ok {
		r.Link = link
	}
	for _, s := range finding.Severities() {
		r.Data = append(r.Data, datum{Title: s.String(), Type: "NUMBER", Value: c.BySeverity[s]})
	}
	r.Data = append(r.Data, datum{Title: "fixable", Type: "NUMBER", Value: c.Fixable}, datum{Title: "waived", Type: "NUMBER", Value: c.ByStatus[finding.Waived]})
	return r
}

func annotationOf(f finding.Finding, failing bool) annotation {
	a := annotation{
		ExternalID: f.Fingerprint, Type: "CODE_SMELL", Result: "PASSED", Severity: severity(f.Severity),
		Summary: cut(summary(f), maxSummary), Details: cut(f.Message, maxDetails),
	}
	if f.Kind == finding.Vulnerability || f.Kind == finding.Secret {
		a.Type = "VULNERABILITY"
	}
	if failing {
		a.Result = "FAILED"
	}
	if l := f.Locations[0]; l.Space == finding.Repository {
		a.Path, a.Line = neutralise.Line(l.Path), l.Line
	}
	for _, ref := range f.References {
		if link, ok := neutralise.URL(ref); ok {
			a.Link = link
			break
		}
	}
	return a
}

func summary(f finding.Finding) string {
	if f.Package == nil {
		return f.RuleID + ": " + f.Title
	}
	text := f.RuleID + " in " + f.Package.Name + " " + f.Package.Version
	if f.Fix.Version != "" {
		text += ", fixed in " + f.Fix.Version
	}
	return text
}

// severity maps to the API's four classes; it has none for unknown, which is
// in the middle.
func severity(s finding.Severity) string {
	switch s {
	case finding.Critical:
		return "CRITICAL"
	case finding.High:
		return "HIGH"
	case finding.Medium, finding.Unknown:
		return "MEDIUM"
	default:
		return "LOW"
	}
}

func cut(s string, limit int) string { return neutralise.Short(s, limit) }
