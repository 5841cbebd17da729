package gate

import (
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/triage"
	"github.com/portcullis-ci/portcullis/internal/triage/baseline"
	"github.com/portcullis-ci/portcullis/internal/triage/vex"
	"github.com/portcullis-ci/portcullis/internal/triage/waiver"
	"github.com/portcullis-ci/portcullis/internal/workload"
)

// Triage is what people and earlier runs have said about findings.
type Triage struct {
	VEX []vex.Document
	// Waivers is nil when there is no waiver file.
	Waivers *waiver.File
	// WaiverLife is the longest life of a waiver, zero for any; WarnBefore is
	// how long before its end it warns.
	WaiverLife time.Duration
	WarnBefore time.Duration
	// Baseline is the report that findings are compared with, BaselineImage the
	// image; at most one is set.
	Baseline      *baseline.Report
	BaselineImage *BaselineImage
	// Catalogue tells rules' ids from those of advisories.
	Catalogue rules.Catalogue
}

// triage gives the outcome's findings their statuses.
func (r run) triage(o *outcome.Outcome, all part, known compared) {
	if all.inventory != nil {
		o.PackageURLs = packageURLs(all.inventory.Packages)
	}
	in := triage.Input{
		Findings: o.Findings, VEX: r.Triage.VEX, Waivers: r.Triage.Waivers,
		MaxLife: r.Triage.WaiverLife, WarnBefore: r.Triage.WarnBefore, Scope: r.waiverScope(*o),
		Base: known.base, Baseline: known.report, Now: r.Clock(),
	}
	if known.report != nil {
		in.Run = baseline.IdentityOf(*o)
	}
	if o.Image != nil {
		in.Images = []*inventory.Image{o.Image}
	}
	if more := r.runsVulnerable(in, all); len(more) > 0 {
		in.Findings = slices.Concat(in.Findings, more)
	}
	result := triage.Apply(in)
	o.Findings, o.Baseline = result.Findings, result.Baseline
	for _, use := range result.VEX {
		r.Progress.Note("%s: %s of %d", use.Document, count(use.Matched, "statement is about a finding", "statements are about findings"), use.Statements)
		for _, note := range use.Notes {
			r.Progress.Note("%s", note)
		}
	}
}

// weigh raises what was found in the image by how the manifests run it.
func (r run) weigh(findings []finding.Finding, all part) []finding.Finding {
	if all.inventory == nil {
		return findings
	}
	return workload.Weigh(findings, all.uses, all.inventory.Subject, r.KeepSeverities)
}

// tellOtherVersions says beside the manifests which of them roll out another
// version of the image than the one that was examined.
func tellOtherVersions(targets []outcome.Target, all part) {
	if all.inventory == nil {
		return
	}
	others := workload.Others(all.uses, all.inventory.Subject)
	for i, t := range targets {
		if other, ok := others[t.Name]; ok && t.Kind == outcome.TargetManifest {
			targets[i].Detail += ", names another version of the image: " + other
		}
	}
}

// runsVulnerable returns the places in manifests that run the examined image,
// where what triage leaves open in it calls for a new one.
func (r run) runsVulnerable(in triage.Input, all part) []finding.Finding {
	if all.inventory == nil {
		return nil
	}
	return r.applyRules(workload.Vulnerable(all.vulnerable, all.inventory.Subject, func() []finding.Finding {
		return triage.Apply(in).Findings
	}))
}

// waiverScope says what this run looked at in full, so that only waivers that
// could have matched are called unused.
func (r run) waiverScope(o outcome.Outcome) waiver.Scope {
	scope := waiver.Scope{
		RuleKind: func(id string) (finding.Kind, bool) {
			rule, ok := r.Triage.Catalogue.Find(id)
			return rule.Kind, ok
		},
	}
	if len(o.Failures) > 0 {
		return scope
	}
	kinds := map[outcome.TargetKind][]finding.Kind{
		outcome.TargetImage:      {finding.Vulnerability, finding.ImageConfig, finding.Secret, finding.Malware},
		outcome.TargetRootFS:     {finding.Vulnerability, finding.ImageConfig, finding.Secret, finding.Malware},
		outcome.TargetSBOM:       {finding.Vulnerability},
		outcome.TargetDockerfile: {finding.Dockerfile},
		outcome.TargetManifest:   {finding.Kubernetes},
	}
	for _, t := range o.Targets {
		scope.Targets = append(scope.Targets, t.Name)
		for _, kind := range kinds[t.Kind] {
			if !slices.Contains(scope.Kinds, kind) {
				scope.Kinds = append(scope.Kinds, kind)
			}
		}
	}
	return scope
}

// packageURLs lists the package URLs of the inventory, each once, in order.
func packageURLs(packages []inventory.Package) []string {
	urls := make([]string, 0, len(packages))
	for i := range packages {
		if url := packages[i].PURL; url != "" {
			urls = append(urls, url)
		}
	}
	if len(urls) == 0 {
		return nil
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}
