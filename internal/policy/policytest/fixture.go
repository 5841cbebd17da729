package policytest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// sources are the data that the database of a test has unless it says
// otherwise: everything that a clause can ask for.
var sources = []string{"CISA KEV", "FIRST EPSS"}

// input makes what the policy judges of a test.
func (t test) input() (policy.Input, error) {
	now, err := day(cmp.Or(t.AsOf, "2026-01-01"))
	errs := []error{err}
	in := policy.Input{Now: now, SBOM: t.SBOM, InventoryExamined: !t.LintOnly}
	for i, f := range t.Findings {
		made, err := f.finding(i)
		errs = append(errs, err)
		in.Findings = append(in.Findings, made)
	}
	for _, p := range t.Packages {
		in.Packages = append(in.Packages, p.inventory())
	}
	if t.Image != nil {
		in.Image, err = t.Image.image()
		errs = append(errs, err)
	}
	if t.Distro != nil {
		in.Distro = &inventory.Distro{ID: t.Distro.ID, Version: t.Distro.Version}
	}
	for _, m := range t.Manifests {
		in.Manifests = append(in.Manifests, policy.Manifest{Path: m.Path, Line: m.Line, Object: m.Object})
	}
	if in.InventoryExamined {
		in.Coverage = t.coverage()
		in.Database = outcome.Database{Location: "test", Built: now}
		names := t.Sources
		if names == nil {
			names = sources
		}
		for _, name := range names {
			in.Database.Sources = append(in.Database.Sources, outcome.DatabaseSource{Name: name})
		}
	}
	return in, errors.Join(errs...)
}

func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a day such as 2026-01-31", s)
}

// coverage is what is written, or one package for each that is, all assessed.
func (t test) coverage() outcome.Coverage {
	if t.Coverage == nil {
		n := max(len(t.Packages), 1)
		return outcome.Coverage{Packages: n, Assessed: n}
	}
	c := outcome.Coverage{Packages: t.Coverage.Packages, Assessed: t.Coverage.Assessed}
	for _, g := range t.Coverage.Gaps {
		c.Gaps = append(c.Gaps, outcome.Gap{Reason: outcome.Reason(g.Reason), Detail: g.Detail, Packages: g.Packages})
	}
	return c
}

// finding makes a finding; what is not written is such that the finding is
// valid and counts.
func (f findingFixture) finding(i int) (finding.Finding, error) {
	severity, err := finding.ParseSeverity(cmp.Or(f.Severity, "unknown"))
	errs := []error{err}
	kind := finding.Kind(cmp.Or(f.Kind, string(finding.Vulnerability)))
	out := finding.Finding{
		RuleID: f.ID, Aliases: f.Aliases, Kind: kind, Severity: severity, Score: f.Score, Object: f.Object,
		Title: f.ID, Message: f.ID, Target: "test", Origin: finding.Origin(f.Origin),
		Status: finding.Status(cmp.Or(f.Status, string(finding.Open))),
		Fix:    finding.Fix{State: finding.FixState(f.FixState), Version: f.FixedIn},
	}
	if f.FixedIn != "" && f.FixState == "" {
		out.Fix.State = finding.Fixed
	} else if f.FixState == "" && kind == finding.Vulnerability {
		out.Fix.State = finding.NotFixed
	}
	space := finding.InImage
	if kind == finding.Dockerfile || kind == finding.Kubernetes || f.Line > 0 {
		space = finding.Repository
	}
	out.Locations = []finding.Location{{Space: space, Path: cmp.Or(f.Path, "test"), Line: f.Line}}
	if p := f.Package; p != nil {
		out.Package = &finding.Package{Name: p.Name, Version: p.Version, Type: p.Type, PURL: p.PURL, Source: p.Source}
	}
	exploited, err := day(f.KnownExploited)
	errs = append(errs, err)
	if f.EPSS > 0 || !exploited.IsZero() {
		out.Risk = &finding.Risk{EPSS: f.EPSS, KnownExploited: exploited}
	}
	if f.Published != "" {
		_, err := day(f.Published)
		errs = append(errs, err)
		out.Evidence = append(out.Evidence, finding.Fact{Name: "published", Value: f.Published})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Evidence)) {
		out.Evidence = append(out.Evidence, finding.Fact{Name: name, Value: f.Evidence[name]})
	}
	out.Fingerprint = finding.Fingerprint(kind, f.ID, strconv.Itoa(i))
	return out, errors.Join(append(errs, out.Validate())...)
}

func (p packageFixture) inventory() inventory.Package {
	out := inventory.Package{
		ID: p.Name + "@" + p.Version, Name: p.Name, Version: p.Version, Type: p.Type, PURL: p.PURL, Licenses: p.Licences,
	}
	if p.Source != "" {
		out.Source = &inventory.Source{Name: p.Source}
	}
	for _, path := range p.Paths {
		out.Places = append(out.Places, inventory.Place{Path: path})
	}
	return out
}

func (i imageFixture) image() (*inventory.Image, error) {
	created, err := day(i.Created)
	return &inventory.Image{
		Name: cmp.Or(i.Name, "test"), Created: created, Platform: i.Platform,
		Config: inventory.Config{User: i.User, Env: i.Env, Entrypoint: i.Entrypoint, Cmd: i.Cmd, ExposedPorts: i.Ports, Labels: i.Labels},
	}, err
}
