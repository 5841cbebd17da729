// Package triage decides what becomes of findings before the policy judges
// them: what VEX statements rule out, what waivers excuse, what the base image
// brought and what a baseline had already. It returns new findings with a
// status, a reason and the source of the decision, and drops none. The parts
// live in the packages below it; this one knows their order. It reads no files
// and asks no clock.
package triage

import (
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/triage/baseline"
	"github.com/portcullis-ci/portcullis/internal/triage/vex"
	"github.com/portcullis-ci/portcullis/internal/triage/waiver"
)

// Input is what triage works with. Everything but Findings and Now may be
// missing.
type Input struct {
	Findings []finding.Finding
	// Images are the examined images.
	Images []*inventory.Image
	VEX    []vex.Document
	// Waivers is nil when there is no waiver file.
	Waivers *waiver.File
	// MaxLife, WarnBefore and Scope are those of waiver.Options.
	MaxLife    time.Duration
	WarnBefore time.Duration
	Scope      waiver.Scope
	// Base is nil unless what comes from a base image is to be exempt. Nobody
	// should be surprised by that: it is asked for.
	Base *baseline.Base
	// Baseline is nil when there is none; Run is this run, to compare with it, and
	// not looked at otherwise.
	Baseline *baseline.Report
	Run      baseline.Identity
	// Now is the time against which waivers are held.
	Now time.Time
}

// Result is what triage comes to.
type Result struct {
	// Findings are all that were given, in report order, with those about
	// waivers that need a person.
	Findings []finding.Finding
	// Baseline is nil without a baseline.
	Baseline *outcome.Baseline
	// VEX says of each document how much of it was of use.
	VEX []vex.Use
	// Waivers are the waivers that match findings.
	Waivers []waiver.Use
}

// Apply triages findings. What the gate's own evidence has ruled out comes
// first, then VEX, waivers, the base image and the baseline: only an open
// finding gets another status, so that the strongest reason is the one that is
// shown. The order of inputs does not matter, and applying twice equals once.
func Apply(in Input) Result {
	var result Result
	// What comes out of any step is another list.
	findings, uses := vex.Apply(in.Findings, in.VEX, in.Images)
	result.VEX = uses
	var notices []finding.Finding
	if in.Waivers != nil {
		r := waiver.Apply(findings, *in.Waivers, waiver.Options{
			Now: in.Now, MaxLife: in.MaxLife, WarnBefore: in.WarnBefore, Images: in.Images, Scope: in.Scope,
		})
		findings, notices, result.Waivers = r.Findings, r.Notices, r.Uses
	}
	if in.Base != nil {
		for _, img := range in.Images {
			findings = baseline.Inherit(findings, *in.Base, img)
		}
	}
	if in.Baseline != nil {
		r := baseline.Compare(findings, *in.Baseline, in.Run)
		findings, result.Baseline = r.Findings, &r.Summary
	}
	result.Findings = withNotices(findings, notices)
	finding.Sort(result.Findings)
	return result
}

// withNotices adds the findings about waivers that are not there already.
func withNotices(findings, notices []finding.Finding) []finding.Finding {
	have := make(map[string]bool)
	for _, f := range findings {
		if f.Kind == finding.Waiver {
			have[f.Fingerprint] = true
		}
	}
	for _, n := range notices {
		if !have[n.Fingerprint] {
			findings = append(findings, n)
		}
	}
	return findings
}

// Rules lists the rules of the findings that triage makes.
func Rules() []rules.Rule { return waiver.Rules() }
