// Package jsonreport writes the report for scripts: everything that a run came
// to, under a published JSON Schema. Fields are added in minor versions of the
// schema and removed or changed only in major ones. Text from images and feeds
// is in it as it was found, encoded so that no raw control character remains.
package jsonreport

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

const (
	// SchemaVersion is the version of the report's schema, a semantic version.
	SchemaVersion = "1.1.0"
	// SchemaID is the $id of the report's schema.
	SchemaID = document.InformationURI + "/schema/report-1.json"
)

//go:embed report.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of the report.
func Schema() []byte { return bytes.Clone(schema) }

// noFindings is where the list of findings stands in a report without any. A
// line cannot begin like this within a text, in which line ends are escaped,
// nor within an inner object, which is indented further.
var noFindings = []byte("\n  \"findings\": []")

// Write writes the outcome as one JSON object. The same outcome gives the same
// bytes. The findings are written one by one, since encoded they take several
// times the memory of all else.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, _ document.Options) error {
	frame, err := json.MarshalIndent(convert(o), "", "  ")
	if err != nil {
		return fmt.Errorf("encode JSON report: %w", err)
	}
	before, after, found := bytes.Cut(frame, noFindings)
	if !found {
		return errors.New("encode JSON report: it has no list of findings")
	}
	list := &findingList{w: w, failed: o.Verdict.Failed()}
	if _, err := w.Write(neutralise.JSON(before)); err != nil {
		return err
	}
	if err := list.write(document.Sorted(o.Findings)); err != nil {
		return err
	}
	_, err = w.Write(neutralise.JSON(append(after, '\n')))
	return err
}

// findingList writes findings as they stand in a report.
type findingList struct {
	w      io.Writer
	failed map[string]bool
}

func (l *findingList) write(findings []finding.Finding) error {
	if _, err := l.w.Write(noFindings[:len(noFindings)-1]); err != nil {
		return err
	}
	between := "\n    "
	for _, f := range findings {
		text, err := json.MarshalIndent(convertFinding(f, l.failed[f.Fingerprint]), "    ", "  ")
		if err != nil {
			return fmt.Errorf("encode JSON report: finding %s: %w", f.Fingerprint, err)
		}
		if _, err := io.WriteString(l.w, between); err != nil {
			return err
		}
		if _, err := l.w.Write(neutralise.JSON(text)); err != nil {
			return err
		}
		between = ",\n    "
	}
	end := "]"
	if len(findings) > 0 {
		end = "\n  ]"
	}
	_, err := io.WriteString(l.w, end)
	return err
}

// convert makes the report without its findings.
func convert(o outcome.Outcome) reportDTO {
	r := reportDTO{
		Schema:        SchemaID,
		SchemaVersion: SchemaVersion,
		Tool:          toolDTO(o.Tool),
		Started:       moment(o.Started),
		Finished:      moment(o.Finished),
		Result:        string(o.Verdict.Result),
		ExitCode:      int(o.ExitCode),
		Summary:       summary(o),
		Targets:       []targetDTO{},
		Image:         image(o.Image),
		Packages:      o.Packages,
		PackageURLs:   o.PackageURLs,
		Verdict:       []clauseDTO{},
		Findings:      []findingDTO{},
		Baseline:      baseline(o.Baseline),
		Coverage:      coverage(o.Coverage),
		Database:      database(o.Database),
		Failures:      []failureDTO{},
		Timings:       []timingDTO{},
	}
	if r.Packages == nil {
		r.Packages = map[string]int{}
	}
	if d := o.Distro; d != nil {
		r.Distro = &distroDTO{ID: d.ID, Version: d.Version, Codename: d.Codename, Name: d.PrettyName}
	}
	for _, t := range o.Targets {
		r.Targets = append(r.Targets, targetDTO{Kind: string(t.Kind), Name: t.Name, Detail: t.Detail, Examined: t.Examined})
	}
	for _, c := range o.Verdict.Clauses {
		r.Verdict = append(r.Verdict, clauseDTO{
			Name: c.Name, Demand: c.Demand, Broken: c.Broken, Warned: c.Warned, Reason: c.Reason,
			Findings: list(c.Findings), Subjects: c.Subjects,
		})
	}
	r.Changes, r.Unresolved = changes(o.Verdict.Changes), list(o.Verdict.Unresolved)
	for _, f := range o.Failures {
		r.Failures = append(r.Failures, failureDTO{Stage: f.Stage, Target: f.Target, Message: f.Message, Hint: f.Hint, ExitCode: int(f.Code)})
	}
	for _, t := range o.Timings {
		r.Timings = append(r.Timings, timingDTO{Stage: t.Stage, Milliseconds: t.Duration.Milliseconds()})
	}
	return r
}

func summary(o outcome.Outcome) summaryDTO {
	c := document.Count(o)
	s := summaryDTO{Total: c.Total, Open: c.Active, Fixable: c.Fixable, Failing: c.Failing, BySeverity: map[string]int{}, ByStatus: map[string]int{}}
	for _, severity := range finding.Severities() {
		s.BySeverity[severity.String()] = c.BySeverity[severity]
	}
	for status, n := range c.ByStatus {
		s.ByStatus[string(status)] = n
	}
	return s
}

func convertFinding(f finding.Finding, failsGate bool) findingDTO {
	d := findingDTO{
		ID: f.RuleID, Rule: f.RuleID, Aliases: list(f.Aliases), Kind: string(f.Kind),
		Severity: f.Severity.String(), SeveritySource: f.SeveritySource, Vector: f.Vector,
		Title: f.Title, Message: f.Message, Target: f.Target, Object: f.Object,
		Locations: []locationDTO{}, Evidence: []factDTO{}, References: list(f.References),
		Fingerprint: f.Fingerprint, Status: string(f.Status), StatusReason: f.StatusReason,
		StatusSource: f.StatusSource, Justification: f.Justification,
		FailsGate: failsGate,
	}
	if !f.StatusUntil.IsZero() {
		d.StatusUntil = f.StatusUntil.UTC().Format(time.DateOnly)
	}
	if b := f.Baseline; b.State != "" {
		d.Baseline = &comparedDTO{State: string(b.State), Cause: string(b.Cause), Reason: b.Reason}
	}
	if f.Score > 0 {
		d.Score = &f.Score
	}
	if p := f.Package; p != nil {
		d.Package, d.Version, d.PackageType, d.PURL, d.SourcePackage = p.Name, p.Version, p.Type, p.PURL, p.Source
	}
	for _, l := range f.Locations {
		d.Locations = append(d.Locations, location(l))
	}
	for _, fact := range f.Evidence {
		d.Evidence = append(d.Evidence, factDTO(fact))
	}
	d.Fix, d.Risk, d.Origin = fix(f.Fix), risk(f.Risk), string(f.Origin)
	return d
}

func fix(f finding.Fix) *fixDTO {
	if f.State == "" && f.Version == "" && f.Text == "" && len(f.Edits) == 0 {
		return nil
	}
	return &fixDTO{State: string(f.State), Version: f.Version, Text: f.Text, Edits: edits(f.Edits)}
}

func edits(all []finding.Edit) []editDTO {
	var out []editDTO
	for _, e := range all {
		out = append(out, editDTO(e))
	}
	return out
}

func risk(r *finding.Risk) *riskDTO {
	if r == nil {
		return nil
	}
	d := &riskDTO{EPSS: r.EPSS, Percentile: r.Percentile, Ransomware: r.Ransomware}
	if !r.KnownExploited.IsZero() {
		d.KnownExploited = r.KnownExploited.UTC().Format(time.DateOnly)
	}
	return d
}

func changes(all []outcome.Change) []changeDTO {
	out := []changeDTO{}
	for _, c := range all {
		d := changeDTO{Kind: string(c.Kind), Subject: c.Subject, Text: c.Text, Edits: edits(c.Edits), Findings: list(c.Findings)}
		if c.Location.Path != "" {
			l := location(c.Location)
			d.Location = &l
		}
		for _, u := range c.Upgrades {
			d.Upgrades = append(d.Upgrades, upgradeDTO(u))
		}
		out = append(out, d)
	}
	return out
}

func location(l finding.Location) locationDTO {
	return locationDTO{
		Space: string(l.Space), Path: l.Path, Line: l.Line, Column: l.Column,
		EndLine: l.EndLine, EndColumn: l.EndColumn, Layer: l.Layer, Note: l.Note,
	}
}

func baseline(b *outcome.Baseline) *baselineDTO {
	if b == nil {
		return nil
	}
	d := &baselineDTO{
		Source: b.Source, Taken: moment(b.Taken), Notes: list(b.Notes),
		New: b.New, Known: b.Known, Fixed: []goneDTO{}, NotExamined: b.NotExamined,
	}
	for _, f := range b.Fixed {
		d.Fixed = append(d.Fixed, goneDTO{
			ID: f.RuleID, Kind: string(f.Kind), Severity: f.Severity.String(), Title: f.Title, Target: f.Target,
			PURL: f.PURL, Fingerprint: f.Fingerprint, Cause: string(f.Cause), Reason: f.Reason,
		})
	}
	return d
}

func image(img *inventory.Image) *imageDTO {
	if img == nil {
		return nil
	}
	d := &imageDTO{
		Name: img.Name, Reference: img.Reference, Source: img.Source, Digest: img.Digest, IndexDigest: img.IndexDigest,
		ID: img.ID, Platform: img.Platform, Created: moment(img.Created), Layers: []layerDTO{},
	}
	for _, p := range img.Platforms {
		d.Platforms = append(d.Platforms, platformDTO(p))
	}
	for _, l := range img.Layers {
		_, createdBy := document.LayerOf(img, l.DiffID)
		d.Layers = append(d.Layers, layerDTO{DiffID: l.DiffID, CreatedBy: createdBy})
	}
	return d
}

func coverage(c outcome.Coverage) coverageDTO {
	d := coverageDTO{Packages: c.Packages, Assessed: c.Assessed, Gaps: []gapDTO{}, Unreadable: []unreadableDTO{}}
	for _, g := range c.Gaps {
		d.Gaps = append(d.Gaps, gapDTO{Reason: string(g.Reason), Detail: g.Detail, Packages: list(g.Packages)})
	}
	for _, u := range c.Unreadable {
		d.Unreadable = append(d.Unreadable, unreadableDTO(u))
	}
	return d
}

func database(db outcome.Database) *databaseDTO {
	if db.Location == "" {
		return nil
	}
	d := &databaseDTO{Location: db.Location, Digest: db.Digest, Built: moment(db.Built), Sources: []sourceDTO{}}
	for _, s := range db.Sources {
		d.Sources = append(d.Sources, sourceDTO{Name: s.Name, Date: moment(s.Date), Records: s.Records, Licence: s.Licence})
	}
	return d
}

// moment leaves out times that are not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// list makes an empty array of nothing, so that readers need no special case.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
