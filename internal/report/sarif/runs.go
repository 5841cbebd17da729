package sarif

import (
	"fmt"
	"slices"

	gosarif "github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// part is one run of the log: what one detector family said about one target.
type part struct {
	id       string
	targets  []outcome.TargetKind
	findings []*finding.Finding
}

// imageKinds are the targets that hold packages and files.
var imageKinds = []outcome.TargetKind{outcome.TargetImage, outcome.TargetRootFS, outcome.TargetSBOM}

// parts splits findings into runs. A part is there whenever its targets were
// asked for, even without findings: a host closes alerts only when a run of
// the same category comes without them.
func parts(o outcome.Outcome, opts document.Options) []part {
	category := opts.Category
	if category == "" {
		category = "gate"
	}
	name := neutralise.Line(cleanPath(document.ImageName(o)))
	all := []part{
		{id: category + "/sbom-vuln/" + name + "/", targets: imageKinds},
		{id: category + "/image/" + name + "/", targets: imageKinds},
		{id: category + "/dockerfile/", targets: []outcome.TargetKind{outcome.TargetDockerfile}},
		{id: category + "/k8s/", targets: []outcome.TargetKind{outcome.TargetManifest}},
		{id: category + "/waivers/", targets: []outcome.TargetKind{
			outcome.TargetImage, outcome.TargetRootFS, outcome.TargetSBOM, outcome.TargetDockerfile, outcome.TargetManifest,
		}},
	}
	sorted := document.Sorted(o.Findings)
	for i := range sorted {
		f := &sorted[i]
		if !reported(*f) || !opts.Shown(*f) || len(f.Locations) == 0 {
			continue
		}
		if id := cutText(f.RuleID, 255); id != f.RuleID {
			shorter := *f
			shorter.RuleID = id
			f = &shorter
		}
		at := partOf(*f, o)
		all[at].findings = append(all[at].findings, f)
	}
	asked := slices.DeleteFunc(all, func(p part) bool { return len(p.findings) == 0 && !p.askedFor(o) })
	if len(asked) == 0 {
		return []part{{id: category + "/run/"}}
	}
	return asked
}

// reported leaves out what the user or a vendor ruled out. Inherited and known
// findings stay: they are true, and the host has its own view of what is new.
func reported(f finding.Finding) bool {
	return f.Status != finding.Waived && f.Status != finding.NotAffected
}

func (p part) askedFor(o outcome.Outcome) bool {
	return slices.ContainsFunc(o.Targets, func(t outcome.Target) bool { return slices.Contains(p.targets, t.Kind) })
}

func partOf(f finding.Finding, o outcome.Outcome) int {
	switch f.Kind {
	case finding.Vulnerability:
		return 0
	case finding.Dockerfile:
		return 2
	case finding.Kubernetes:
		return 3
	case finding.Waiver:
		return 4
	}
	for _, t := range o.Targets {
		if t.Name != f.Target {
			continue
		}
		switch t.Kind {
		case outcome.TargetDockerfile:
			return 2
		case outcome.TargetManifest:
			return 3
		}
	}
	return 1
}

func build(o outcome.Outcome, opts document.Options, plan budget) (*report, document.Cut) {
	files := newSources(opts.Root)
	cut := document.Cut{Report: "SARIF", Host: "code scanning"}
	var runs []*run
	for _, p := range parts(o, opts) {
		r, left := buildRun(p, o, opts, plan, files)
		cut.Kept, cut.All = cut.Kept+len(r.Results), cut.All+len(r.Results)+left
		runs = append(runs, r)
	}
	return newReport(runs), cut
}

// buildRun makes the run of one part. left is the number of results for which
// there was no room.
func buildRun(p part, o outcome.Outcome, opts document.Options, plan budget, files *sources) (r *run, left int) {
	r = newRun(p.id, "Portcullis", o.Tool.Version, document.InformationURI)
	set := ruleSet{catalogue: opts.Catalogue, short: plan.shortHelp}
	byRule := make(map[string][]*finding.Finding)
	for _, f := range p.findings {
		byRule[f.RuleID] = append(byRule[f.RuleID], f)
	}
	scores := make(map[string]float64, len(byRule))
	for id, list := range byRule {
		for _, f := range list {
			scores[id] = max(scores[id], score(*f))
		}
	}
	all := alerts(p.findings, files)
	sortAlerts(all, scores)
	cut := max(len(all)-plan.results, 0)
	index := make(map[string]int)
	for _, a := range all[:len(all)-cut] {
		at, known := index[a.ruleID]
		if !known {
			at = len(r.Tool.Driver.Rules)
			index[a.ruleID] = at
			r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, set.descriptor(a.ruleID, byRule[a.ruleID]))
		}
		level := r.Tool.Driver.Rules[at].DefaultConfiguration.Level
		r.Results = append(r.Results, a.toResult(at, level, files))
	}
	r.Invocations = []*gosarif.Invocation{invocation(p, o, plan, cut)}
	return r, cut
}

// invocation says whether the part was examined in full, and what was left
// out of the file.
func invocation(p part, o outcome.Outcome, plan budget, cut int) *gosarif.Invocation {
	inv := &gosarif.Invocation{}
	for _, f := range o.Failures {
		if !p.concerns(f, o) {
			continue
		}
		text := f.Message
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
		inv.ToolExecutionNotifications = append(inv.ToolExecutionNotifications, notification("error", plainText(neutralise.Cut(text, 4000))))
	}
	successful := len(inv.ToolExecutionNotifications) == 0
	inv.ExecutionSuccessful = &successful
	if cut > 0 {
		inv.ToolExecutionNotifications = append(inv.ToolExecutionNotifications, notification("warning",
			fmt.Sprintf("%d results of the lowest severity were left out to stay within the limits of code scanning; the JSON report has them all", cut)))
	}
	if plan.shortHelp {
		inv.ToolExecutionNotifications = append(inv.ToolExecutionNotifications, notification("note",
			"the help of rules was shortened to stay within the size limit of code scanning"))
	}
	if gaps := o.Coverage.NotAssessed(); gaps > 0 && slices.Equal(p.targets, imageKinds) {
		inv.ToolExecutionNotifications = append(inv.ToolExecutionNotifications, notification("warning",
			fmt.Sprintf("%d of %d packages could not be assessed for vulnerabilities", gaps, o.Coverage.Packages)))
	}
	if !o.Started.IsZero() {
		started, finished := o.Started.UTC(), o.Finished.UTC()
		inv.StartTimeUTC, inv.EndTimeUTC = &started, &finished
	}
	return inv
}

// concerns reports whether a failure belongs to the part. One that names no
// known target may have hit any.
func (p part) concerns(f outcome.Failure, o outcome.Outcome) bool {
	if len(p.targets) == 0 || f.Code == exit.Passed {
		return true
	}
	for _, t := range o.Targets {
		if t.Name == f.Target {
			return slices.Contains(p.targets, t.Kind)
		}
	}
	return true
}
