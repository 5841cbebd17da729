package jsonreport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// maxReport bounds a saved report in bytes. One with ten thousand findings has
// about twenty megabytes.
const maxReport = 256 << 20

// Decode reads a saved report back, as far as it holds the outcome: packages
// are known by their numbers and package URLs only, and of the image's
// configuration and history nothing is there. The name is used in errors. The
// findings keep the promises of finding.Validate.
func Decode(name string, content []byte) (saved outcome.Outcome, err error) {
	defer recovered.As(&err, name)
	var r reportDTO
	if len(content) > maxReport {
		return outcome.Outcome{}, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxReport)
	}
	if err := json.Unmarshal(bytes.TrimSpace(content), &r); err != nil {
		return outcome.Outcome{}, fmt.Errorf("%s: %w", name, err)
	}
	major, _, _ := strings.Cut(SchemaVersion, ".")
	if got, _, _ := strings.Cut(r.SchemaVersion, "."); got != major {
		return outcome.Outcome{}, fmt.Errorf("%s: not a JSON report of version %s of the schema, but %q", name, major, r.SchemaVersion)
	}
	o := outcome.Outcome{
		Tool: outcome.Tool(r.Tool), Started: instant(r.Started), Finished: instant(r.Finished),
		Packages: r.Packages, PackageURLs: r.PackageURLs, ExitCode: exit.Code(r.ExitCode),
		Coverage: r.Coverage.decode(), Database: r.Database.decode(), Verdict: r.verdict(),
	}
	if img := r.Image; img != nil {
		o.Image = img.decode()
	}
	if d := r.Distro; d != nil {
		o.Distro = &inventory.Distro{ID: d.ID, Version: d.Version, Codename: d.Codename, PrettyName: d.Name}
	}
	for _, t := range r.Targets {
		o.Targets = append(o.Targets, outcome.Target{Kind: outcome.TargetKind(t.Kind), Name: t.Name, Detail: t.Detail, Examined: t.Examined})
	}
	for _, f := range r.Failures {
		o.Failures = append(o.Failures, outcome.Failure{Stage: f.Stage, Target: f.Target, Message: f.Message, Hint: f.Hint, Code: exit.Code(f.ExitCode)})
	}
	for _, t := range r.Timings {
		o.Timings = append(o.Timings, outcome.Timing{Stage: t.Stage, Duration: time.Duration(t.Milliseconds) * time.Millisecond})
	}
	for i, d := range r.Findings {
		f, err := d.decode()
		if err != nil {
			return outcome.Outcome{}, fmt.Errorf("%s: finding %d: %w", name, i+1, err)
		}
		o.Findings = append(o.Findings, f)
	}
	return o, nil
}

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// verdict reads the verdict without its changes, which follow from the rest.
func (r reportDTO) verdict() outcome.Verdict {
	v := outcome.Verdict{Result: outcome.Result(r.Result), Unresolved: some(r.Unresolved)}
	for _, c := range r.Verdict {
		v.Clauses = append(v.Clauses, outcome.Clause{
			Name: c.Name, Demand: c.Demand, Broken: c.Broken, Warned: c.Warned, Reason: c.Reason,
			Findings: some(c.Findings), Subjects: some(c.Subjects),
		})
	}
	return v
}

// some undoes list: nothing is nil.
func some(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func (img imageDTO) decode() *inventory.Image {
	out := &inventory.Image{
		Name: img.Name, Reference: img.Reference, Source: img.Source, Digest: img.Digest, IndexDigest: img.IndexDigest,
		ID: img.ID, Platform: img.Platform, Created: instant(img.Created),
	}
	for _, p := range img.Platforms {
		out.Platforms = append(out.Platforms, inventory.Platform(p))
	}
	for _, l := range img.Layers {
		out.Layers = append(out.Layers, inventory.Layer{DiffID: l.DiffID, History: -1})
	}
	return out
}

func (d findingDTO) decode() (finding.Finding, error) {
	severity, err := finding.ParseSeverity(d.Severity)
	if err != nil {
		return finding.Finding{}, err
	}
	f := finding.Finding{
		RuleID: d.ID, Aliases: some(d.Aliases), Kind: finding.Kind(d.Kind), Severity: severity, SeveritySource: d.SeveritySource,
		Vector: d.Vector, Title: d.Title, Message: d.Message, Target: d.Target, Object: d.Object, Origin: finding.Origin(d.Origin),
		References: some(d.References), Fingerprint: d.Fingerprint, Status: finding.Status(d.Status), StatusReason: d.StatusReason,
		StatusSource: d.StatusSource, Justification: d.Justification,
	}
	if d.StatusUntil != "" {
		if f.StatusUntil, err = time.Parse(time.DateOnly, d.StatusUntil); err != nil {
			return finding.Finding{}, fmt.Errorf("statusUntil: %w", err)
		}
	}
	if d.Score != nil {
		f.Score = *d.Score
	}
	if d.Package != "" {
		f.Package = &finding.Package{Name: d.Package, Version: d.Version, Type: d.PackageType, PURL: d.PURL, Source: d.SourcePackage}
	}
	for _, l := range d.Locations {
		f.Locations = append(f.Locations, finding.Location{
			Space: finding.Space(l.Space), Path: l.Path, Line: l.Line, Column: l.Column,
			EndLine: l.EndLine, EndColumn: l.EndColumn, Layer: l.Layer, Note: l.Note,
		})
	}
	for _, fact := range d.Evidence {
		f.Evidence = append(f.Evidence, finding.Fact(fact))
	}
	if d.Fix != nil {
		f.Fix = finding.Fix{State: finding.FixState(d.Fix.State), Version: d.Fix.Version, Text: d.Fix.Text}
		for _, e := range d.Fix.Edits {
			f.Fix.Edits = append(f.Fix.Edits, finding.Edit(e))
		}
	}
	if d.Risk != nil {
		if f.Risk, err = d.Risk.decode(); err != nil {
			return finding.Finding{}, fmt.Errorf("finding %s: %w", d.ID, err)
		}
	}
	return f, f.Validate()
}

func (d riskDTO) decode() (*finding.Risk, error) {
	risk := &finding.Risk{EPSS: d.EPSS, Percentile: d.Percentile, Ransomware: d.Ransomware}
	if d.KnownExploited == "" {
		return risk, nil
	}
	day, err := time.Parse(time.DateOnly, d.KnownExploited)
	if err != nil {
		return nil, fmt.Errorf("known exploited since %q: %w", d.KnownExploited, err)
	}
	risk.KnownExploited = day
	return risk, nil
}

func (c coverageDTO) decode() outcome.Coverage {
	out := outcome.Coverage{Packages: c.Packages, Assessed: c.Assessed}
	for _, g := range c.Gaps {
		out.Gaps = append(out.Gaps, outcome.Gap{Reason: outcome.Reason(g.Reason), Detail: g.Detail, Packages: some(g.Packages)})
	}
	for _, u := range c.Unreadable {
		out.Unreadable = append(out.Unreadable, inventory.Unreadable(u))
	}
	return out
}

func (d *databaseDTO) decode() outcome.Database {
	if d == nil {
		return outcome.Database{}
	}
	out := outcome.Database{Location: d.Location, Digest: d.Digest, Built: instant(d.Built)}
	for _, s := range d.Sources {
		out.Sources = append(out.Sources, outcome.DatabaseSource{Name: s.Name, Date: instant(s.Date), Records: s.Records, Licence: s.Licence})
	}
	return out
}
