// Package gate is the pipeline: it opens what is to be examined, takes its
// inventory, runs the detectors side by side, leads findings back to the
// user's lines and has the policy decide. It is the only package that knows
// the whole order. It prints nothing and writes no report.
package gate

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/clamav"
	"github.com/portcullis-ci/portcullis/internal/credential"
	dockerfilerules "github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	kubernetesrules "github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/progress"
	"github.com/portcullis-ci/portcullis/internal/repository"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// Request says what to examine and how to judge it.
type Request struct {
	// Image, RootFS and SBOM are three ways to name the one thing whose
	// packages are examined; at most one may be set.
	Image  target.Request
	RootFS string
	SBOM   string
	// Name is the stable name of what Image, RootFS or SBOM names, where that
	// of its repository or file will not do: an image that travels through
	// temporary files keeps its findings' fingerprints by it.
	Name string
	// Dockerfiles and Manifests are files or directories; "-" is standard
	// input.
	Dockerfiles []string
	Manifests   []string
	// OtherFiles allows that the Manifests hold no Kubernetes object at all: a
	// tool named them by their place, such as a hook before a commit.
	OtherFiles bool
	// Search are directories that are searched for Dockerfiles and manifests;
	// a directory that holds only one of the two is in order.
	Search []string
	// Exclude are globs of paths relative to the repository that searches leave
	// out.
	Exclude []string
	// DockerfileRules and KubernetesRules steer the linters. The former holds
	// the build arguments and the stage that the image is built from.
	DockerfileRules dockerfilerules.Options
	KubernetesRules kubernetesrules.Options
	// ImageRules are the ids of rules about the image's configuration that are
	// off by default and wanted.
	ImageRules []string
	// Database says where the advisory database is; Path, Now and Note are the
	// pipeline's to set.
	Database supply.Request
	// SkipVulnerabilities leaves packages unjudged: for lint and for writing
	// an SBOM only.
	SkipVulnerabilities bool
	// KeepSeverities leaves the severities of what is found in the image as they
	// are, however it is run. Otherwise those of an image that a manifest runs
	// with power over its node, or opens to the outside, are raised.
	KeepSeverities bool
	// Rules changes single rules, by their ids.
	Rules map[string]RuleSetting
	// Triage says what is known about findings beforehand.
	Triage Triage
	// ClamAV is where a ClamAV daemon examines the files of the image or root
	// file system; nil for none.
	ClamAV *clamav.Address
	// SBOMFormats are those in which the caller will write the SBOM of this run.
	SBOMFormats []syftcatalog.Format
	// HelmValues are values files, and HelmSet single values (name=value), with
	// which charts among the manifests are rendered.
	HelmValues []string
	HelmSet    []string
	Limits     layers.Limits
	// Memory is how many bytes of memory the run may use while packages are
	// read; 0 for a default.
	Memory int64
	// Timeout bounds the examination; 0 for no bound. What it cuts off is a
	// failure in the outcome, and the rest is reported.
	Timeout time.Duration
	Policy  policy.Policy
	Tool    outcome.Tool
}

// RuleSetting changes one rule.
type RuleSetting struct {
	// Off makes the rule not run.
	Off bool
	// Severity replaces the rule's own; nil leaves it.
	Severity *finding.Severity
	// Least is the severity that its findings get where theirs is lower; nil
	// for none.
	Least *finding.Severity
}

// Environment is what the pipeline takes from the world outside.
type Environment struct {
	Repository repository.Root
	Target     target.Environment
	Stdin      io.Reader
	Clock      func() time.Time
	Progress   *progress.Display
	// Cache keeps what was read of images for the next run of the same Build;
	// may be nil.
	Cache layers.Cache
	Build string
}

// Result is what a run comes to.
type Result struct {
	Outcome outcome.Outcome
	// SBOMs has one for each examined image: none when no image, root file
	// system or SBOM was examined, several when there are several platforms.
	SBOMs []SBOM
}

// SBOM is that of one target.
type SBOM struct {
	// Platform is that of the image; empty where there is none.
	Platform string
	*syftcatalog.SBOM
}

// part is what one branch of the pipeline contributes to the outcome.
type part struct {
	targets  []outcome.Target
	findings []finding.Finding
	failures []outcome.Failure
	timings  []outcome.Timing
	// image is set where one was opened, also when its inventory could not be
	// taken: reports tell which digest that was.
	image *inventory.Image
	// The rest is set by the image branch only.
	inventory *inventory.Inventory
	sboms     []SBOM
	coverage  outcome.Coverage
	database  outcome.Database
	// platforms are the parts of several platforms of the image, until they are
	// joined; platformImages are the images of those with an inventory then.
	platforms      []part
	platformImages []*inventory.Image
	// dockerfiles is set by the Dockerfile branch only.
	dockerfiles []dockerfilerules.File
	images      []namedImage
	// uses are images with what surrounds them, and vulnerable the findings at
	// their places that hold if the image is found vulnerable.
	uses []kubernetesrules.Image
	// chartFiles lie in charts and are not linted.
	chartFiles []kubernetesrules.ChartFile
	vulnerable []finding.Finding
	manifests  []policy.Manifest
}

// examined reports whether every target of the part was examined to its end.
func (p part) examined() bool {
	return len(p.targets) > 0 && !slices.ContainsFunc(p.targets, func(t outcome.Target) bool { return !t.Examined })
}

// run carries the inputs through the branches.
type run struct {
	Request
	Environment
	// told holds the notes about the database that were printed: several
	// platforms are judged by one, and a line a platform tells nothing.
	told *sync.Map
}

// Run examines everything that the request names and returns the outcome. An
// error is returned only when there is nothing to report: a request that names
// no target, or a cancelled context. All other faults are failures in the
// outcome, so that reports can show them.
func Run(ctx context.Context, req Request, env Environment) (Result, error) {
	if err := req.validate(); err != nil {
		return Result{}, err
	}
	r := run{Request: req, Environment: env, told: new(sync.Map)}
	started := env.Clock()
	branches := r.branches()
	parts := make([]part, len(branches))
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if req.Timeout > 0 {
		bounded, cancel = context.WithTimeoutCause(ctx, req.Timeout, TimeoutError(req.Timeout))
	}
	defer cancel()
	var group errgroup.Group
	for i, b := range branches {
		group.Go(func() error {
			parts[i] = r.guard(bounded, b)
			return nil
		})
	}
	// The branches return no errors: their faults are failures in their part.
	_ = group.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if bounded.Err() != nil {
		parts = append(parts, part{failures: []outcome.Failure{failure("run", "", context.Cause(bounded))}})
	}
	result := r.assemble(ctx, bounded, parts)
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	result.Outcome.Started, result.Outcome.Finished = started, env.Clock()
	return result, nil
}

// validate refuses requests that could only end in an empty result.
func (req Request) validate() error {
	var inventories int
	for _, set := range []bool{req.Image.Reference != "", req.RootFS != "", req.SBOM != ""} {
		if set {
			inventories++
		}
	}
	if inventories > 1 {
		return &exit.Error{
			Code: exit.Usage, Doing: "more than one of image, SBOM and root file system is given",
			Hint: "examine them in runs of their own",
		}
	}
	if inventories+len(req.Dockerfiles)+len(req.Manifests)+len(req.Search) == 0 {
		return &exit.Error{
			Code: exit.Usage, Doing: "there is nothing to examine: no image, SBOM, root file system, Dockerfile or manifest is given",
			Hint: "name at least one, such as --image or --dockerfile; an empty value in a pipeline often comes from a variable that is not set",
		}
	}
	return nil
}

// branch is one independent line of work.
type branch struct {
	stage string
	run   func(context.Context) part
}

func (r run) branches() []branch {
	var out []branch
	switch {
	case r.Image.Reference != "":
		out = append(out, branch{"image", r.examineImage})
	case r.RootFS != "":
		out = append(out, branch{"rootfs", r.examineRootFS})
	case r.SBOM != "":
		out = append(out, branch{"sbom", r.examineSBOM})
	}
	if len(r.Dockerfiles) > 0 || len(r.Search) > 0 {
		out = append(out, branch{"dockerfile", r.lintDockerfiles})
	}
	if len(r.Manifests) > 0 || len(r.Search) > 0 {
		out = append(out, branch{"manifests", r.lintManifests})
	}
	return out
}

// guard runs a branch with its progress line; a panic in it becomes a failure
// and leaves the others alone.
func (r run) guard(ctx context.Context, b branch) (p part) {
	began := r.Clock()
	done := r.Progress.Start(b.stage)
	defer func() {
		if cause := recover(); cause != nil {
			p.failures = append(p.failures, panicked(b.stage, "", cause))
		}
		p.timings = append(p.timings, outcome.Timing{Stage: b.stage, Duration: r.Clock().Sub(began)})
		done(p.summary())
	}()
	return b.run(ctx)
}

// panicked makes a failure of a recovered panic.
func panicked(stage, name string, cause any) outcome.Failure {
	return outcome.Failure{
		Stage: stage, Target: name, Code: exit.NotExamined,
		Message: fmt.Sprintf("internal error while examining: %v", cause),
		Hint:    "this is a fault in portcullis; please report it together with the input",
	}
}

// failure makes a failure of an error. An address in it may hold a password.
func failure(stage, name string, err error) outcome.Failure {
	return outcome.Failure{
		Stage: stage, Target: credential.Withhold(name), Message: credential.Withhold(err.Error()), Hint: exit.HintOf(err), Code: exit.CodeOf(err),
	}
}

// summary says in a few words what came of a branch, for the progress line.
func (p part) summary() string {
	if len(p.platforms) > 0 {
		p.inventory = &inventory.Inventory{}
		for _, one := range p.platforms {
			p.findings = append(p.findings, one.findings...)
			if one.inventory != nil {
				p.inventory.Packages = append(p.inventory.Packages, one.inventory.Packages...)
			}
		}
	}
	s := count(len(p.findings), "finding", "findings")
	if p.inventory != nil {
		s = count(len(p.inventory.Packages), "package", "packages") + ", " + s
	}
	if n := len(p.failures); n > 0 {
		s += ", " + count(n, "failure", "failures")
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// assemble joins the parts in their fixed order, leads findings to the user's
// lines and judges them. Examining a baseline has to end with the bounded
// context; the rest is done whatever the time.
func (r run) assemble(ctx, bounded context.Context, parts []part) Result {
	result := Result{}
	o := &result.Outcome
	o.Tool = r.Tool
	var all part
	stage := r.guardStages(o)
	for _, p := range r.tracePlatforms(ctx, parts, stage) {
		o.Targets = append(o.Targets, p.targets...)
		o.Failures = append(o.Failures, p.failures...)
		o.Timings = append(o.Timings, p.timings...)
		all.findings = joined(all.findings, p.findings)
		all.dockerfiles = append(all.dockerfiles, p.dockerfiles...)
		all.images = append(all.images, p.images...)
		all.uses, all.vulnerable = append(all.uses, p.uses...), append(all.vulnerable, p.vulnerable...)
		all.manifests = append(all.manifests, p.manifests...)
		if p.image != nil {
			all.image, o.Image = p.image, p.image
		}
		if p.inventory != nil {
			all.inventory, all.platformImages, result.SBOMs = p.inventory, p.platformImages, p.sboms
			o.Coverage, o.Database = p.coverage, p.database
			o.Image, o.Distro, o.Packages = p.inventory.Image, p.inventory.Distro, byType(p.inventory.Packages)
		}
	}
	tellOtherVersions(o.Targets, all)
	if len(r.Search) > 0 && len(o.Targets) == 0 && len(o.Failures) == 0 {
		o.Failures = append(o.Failures, nothingFound(r.Search))
	}
	var known compared
	stage("baseline", func() { known = r.compareWith(bounded, o, all) })
	stage("origin", func() { all.findings = r.trace(ctx, all, known.baseLayers()) })
	stage("workload", func() { all.findings = r.weigh(all.findings, all) })
	o.Findings, o.Failures = sound(r.applyRules(all.findings), o.Failures)
	stage("triage", func() { r.triage(o, all, known) })
	finding.Sort(o.Findings)
	// Where nothing can be judged the failure speaks alone, and ends with exit
	// code 4.
	stage("policy", func() { o.Verdict, o.ExitCode = policy.Evaluate(r.Policy, r.policyInput(o, all)) })
	if o.Verdict.Result == "" {
		o.Verdict, o.ExitCode = policy.Evaluate(policy.Policy{}, policy.Input{Failures: o.Failures, Now: r.Clock()})
	}
	return result
}

// joined are the findings of two parts; of one alone they are no copy, which
// counts where there are many.
func joined(a, b []finding.Finding) []finding.Finding {
	if len(a) == 0 {
		return b
	}
	return slices.Concat(a, b)
}

// stages runs a stage by its name.
type stages func(stage string, work func())

// guardStages returns a function that runs one stage of what comes after the
// branches. A panic in it is a failure of the outcome, and leaves everything as
// it was before.
func (r run) guardStages(o *outcome.Outcome) stages {
	return func(stage string, work func()) {
		defer func() {
			if cause := recover(); cause != nil {
				o.Failures = append(o.Failures, panicked(stage, "", cause))
			}
		}()
		work()
	}
}

// policyInput is everything that the policy judges.
func (r run) policyInput(o *outcome.Outcome, all part) policy.Input {
	in := policy.Input{
		Findings: o.Findings, Coverage: o.Coverage, Failures: o.Failures, Database: o.Database,
		InventoryExamined: all.inventory != nil && !r.SkipVulnerabilities, Now: r.Clock(),
		Image: o.Image, Platforms: all.platformImages, Distro: o.Distro, Manifests: all.manifests, SBOM: len(r.SBOMFormats) > 0 || r.SBOM != "",
		Compare: compareVersions,
	}
	if all.inventory != nil {
		in.Packages = all.inventory.Packages
	}
	return in
}

// compareVersions orders two versions of a package type as its ecosystem does.
func compareVersions(purlType, a, b string) (order int, ok bool) {
	e, known := ecosystem.ByPURLType(purlType)
	if !known {
		return 0, false
	}
	va, errA := e.Scheme.Parse(a)
	vb, errB := e.Scheme.Parse(b)
	if errA != nil || errB != nil {
		return 0, false
	}
	return va.Compare(vb), true
}

// applyRules leaves out the findings of rules that are off and sets the
// severities that the request gives to others.
func (r run) applyRules(findings []finding.Finding) []finding.Finding {
	if len(r.Rules) == 0 {
		return findings
	}
	var kept []finding.Finding
	for _, f := range findings {
		setting, ok := r.Rules[f.RuleID]
		switch {
		case ok && setting.Off:
			continue
		case ok && setting.Severity != nil:
			f.Severity, f.SeveritySource = *setting.Severity, "configuration"
		case ok && setting.Least != nil && !f.Severity.AtLeast(*setting.Least):
			f.Severity, f.SeveritySource = *setting.Least, "configuration"
		}
		kept = append(kept, f)
	}
	return kept
}

// sound takes out findings that break the promises of the type. That is a
// fault of a detector; losing one in silence would be a miss, so each becomes
// a failure.
func sound(findings []finding.Finding, failures []outcome.Failure) ([]finding.Finding, []outcome.Failure) {
	unsound := func(f finding.Finding) bool { return f.Validate() != nil }
	if !slices.ContainsFunc(findings, unsound) {
		return findings, failures
	}
	var kept []finding.Finding
	for _, f := range findings {
		if err := f.Validate(); err != nil {
			failures = append(failures, panicked(string(f.Kind), f.Target, err))
			continue
		}
		kept = append(kept, f)
	}
	return slices.Clip(kept), failures
}

func byType(packages []inventory.Package) map[string]int {
	counts := make(map[string]int)
	for _, p := range packages {
		counts[p.Type]++
	}
	return counts
}
