package gate

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/origin"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/target"
	"github.com/portcullis-ci/portcullis/internal/triage/baseline"
)

// BaselineImage is an image that findings are compared with in place of a saved
// report. It is examined in the same run, with the same data and rules.
type BaselineImage struct {
	// Request opens it. Without a platform it is that of the examined image.
	Request target.Request
	// Base says that it is the base image, so that what lies in its layers is
	// inherited. Then the reference may be empty: it is the one that FROM names
	// in the Dockerfile that the image was built from.
	Base bool
}

// compared is what findings are held against.
type compared struct {
	report *baseline.Report
	base   *baseline.Base
}

// baseLayers are the diff ids of the base image's layers, where one was named.
func (c compared) baseLayers() []string {
	if c.base == nil {
		return nil
	}
	return c.base.Layers
}

// compareWith returns what the request wants findings to be compared with. A
// baseline image that cannot be examined is a failure of the run: everything
// would seem new, and that is not what was asked for.
func (r run) compareWith(ctx context.Context, o *outcome.Outcome, all part) compared {
	asked := r.Triage.BaselineImage
	if asked == nil || all.inventory == nil {
		return compared{report: r.Triage.Baseline}
	}
	req, err := r.baselineRequest(asked, all)
	if err != nil {
		o.Failures = append(o.Failures, failure("baseline", "base image", err))
		return compared{}
	}
	earlier, failures := r.examineBaseline(ctx, req, o, all.inventory.Image)
	if len(failures) > 0 {
		o.Failures = append(o.Failures, failures...)
		return compared{}
	}
	report := baseline.FromOutcome(req.Reference, earlier)
	c := compared{report: &report}
	if asked.Base {
		base := baseline.BaseOf(req.Reference, earlier)
		c.base, report.Findings = &base, slices.DeleteFunc(report.Findings, isSetting)
	}
	return c
}

// isSetting reports whether a base image's finding is about a setting that each
// image built on it has to make for itself, such as its user.
func isSetting(e baseline.Entry) bool {
	return e.Kind == finding.ImageConfig && e.Path == imageconfig.ConfigPath
}

// baselineRequest says which image to open.
func (r run) baselineRequest(asked *BaselineImage, all part) (target.Request, error) {
	req := asked.Request
	if req.Reference == "" {
		reference, err := r.fromOf(all)
		if err != nil {
			return req, err
		}
		// Whatever files are about, FROM means an image in a registry.
		req.Reference = "registry:" + reference
	}
	switch img := all.inventory.Image; {
	case len(all.platformImages) > 0:
		req.Platform = target.AllPlatforms
	case req.Platform == "" && img != nil:
		req.Platform = img.Platform
	}
	return req, nil
}

// fromOf returns the base image that FROM names in the Dockerfile that the
// image was built from. Where none agrees with the image's history, the only
// Dockerfile that was given counts.
func (r run) fromOf(all part) (string, error) {
	none := &exit.Error{
		Code: exit.Usage, Doing: "find the base image", Err: errors.New("no Dockerfile that was given says what the image is built on"),
		Hint: "give the Dockerfile with --dockerfile, or name the base image: --baseline base-image:REFERENCE",
	}
	var files []*dockerfile.File
	for _, f := range all.dockerfiles {
		files = append(files, r.parse(f))
	}
	images := all.platformImages
	if img := all.inventory.Image; img != nil && len(images) == 0 {
		images = append(images, img)
	}
	for _, img := range images {
		if reference, _, ok := origin.New(img, files, nil).Base(); ok {
			return reference, nil
		}
	}
	if len(files) != 1 || files[0].Final() == nil {
		return "", none
	}
	from := files[0].Final().Root().Base.Value
	if !from.Known || from.Text == "" || from.Text == "scratch" {
		return "", none
	}
	return from.Text, nil
}

// examineBaseline judges another image as this run judges its own: under the
// same name, since fingerprints hold it.
func (r run) examineBaseline(ctx context.Context, req target.Request, o *outcome.Outcome, img *inventory.Image) (outcome.Outcome, []outcome.Failure) {
	name := r.Name
	if img != nil {
		name = img.Name
	}
	for _, t := range o.Targets {
		if t.Kind == outcome.TargetRootFS || t.Kind == outcome.TargetSBOM {
			name = cmp.Or(name, t.Name)
		}
	}
	other := run{Request: r.Request, Environment: r.Environment, told: r.told}
	other.Image, other.RootFS, other.SBOM, other.Name = req, "", "", name
	other.Dockerfiles, other.Manifests, other.Search, other.Triage = nil, nil, nil, Triage{}
	// Of the policy only that counts which says how much must be seen.
	other.Policy = policy.Policy{
		CoverageMinimum: r.Policy.CoverageMinimum, CoverageAllow: r.Policy.CoverageAllow, DatabaseMaxAge: r.Policy.DatabaseMaxAge,
	}
	p := other.guard(ctx, branch{"baseline", other.examineImage})
	if !p.examined() && len(p.platforms) == 0 {
		for i := range p.failures {
			p.failures[i].Stage = "baseline"
		}
		return outcome.Outcome{}, p.failures
	}
	result := other.assemble(ctx, ctx, []part{p})
	result.Outcome.Started = r.Clock()
	return result.Outcome, nil
}
