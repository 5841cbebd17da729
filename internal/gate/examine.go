package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// examineImage opens the image and judges what is in it.
func (r run) examineImage(ctx context.Context) part {
	if r.Image.Platform == target.AllPlatforms {
		return r.examinePlatforms(ctx)
	}
	t, err := target.Open(ctx, r.Image, r.Target)
	if err != nil {
		return unexamined(outcome.TargetImage, r.imageName(), err)
	}
	return r.examineTarget(ctx, outcome.TargetImage, t)
}

// examineRootFS judges a root file system in a directory.
func (r run) examineRootFS(ctx context.Context) part {
	t, err := target.OpenRootFS(ctx, r.Repository.Path(r.RootFS))
	if err != nil {
		return unexamined(outcome.TargetRootFS, cmp.Or(r.Name, target.FileName(r.RootFS)), err)
	}
	return r.examineTarget(ctx, outcome.TargetRootFS, t)
}

// examineSBOM judges the packages that an SBOM lists.
func (r run) examineSBOM(ctx context.Context) part {
	if r.SBOM == stdinPath {
		return r.examineTarget(ctx, outcome.TargetSBOM, target.StreamSBOM(cmp.Or(r.Name, "stdin"), r.Stdin))
	}
	t, err := target.OpenSBOM(ctx, r.Repository.Path(r.SBOM))
	if err != nil {
		return unexamined(outcome.TargetSBOM, cmp.Or(r.Name, target.FileName(r.SBOM)), err)
	}
	return r.examineTarget(ctx, outcome.TargetSBOM, t)
}

// imageName is what the image is called when it cannot be opened, too: reports
// must not take it for another because of that.
func (req Request) imageName() string { return cmp.Or(req.Name, target.NameOf(req.Image.Reference)) }

// unexamined is the part of a target that could not be examined.
func unexamined(kind outcome.TargetKind, name string, err error) part {
	return part{
		targets:  []outcome.Target{{Kind: kind, Name: credential.Withhold(name), Detail: "not examined"}},
		failures: []outcome.Failure{failure("target", name, err)},
	}
}

// examineTarget takes the inventory of an open target, closes it, and has the
// detectors judge the inventory.
func (r run) examineTarget(ctx context.Context, kind outcome.TargetKind, t *target.Target) (p part) {
	defer func() {
		if err := t.Close(); err != nil {
			p.failures = append(p.failures, failure("target", t.Name, fmt.Errorf("close %s: %w", t.Name, err)))
		}
	}()
	if r.Name != "" {
		t.Name = r.Name
		if t.Image != nil {
			t.Image.Name = r.Name
		}
	}
	if t.Image != nil {
		r.Progress.Note("%s %s%s", kind, t.Image.Reference, digestNote(t.Image))
	}
	var inspected *layers.Inspections
	inv, sbom, err := syftcatalog.Catalog(ctx, t, syftcatalog.Options{
		ToolVersion: r.Tool.Version, Limits: r.Limits, Heap: r.Memory, Inspectors: inspectors(),
		Cache: r.Cache, Build: r.Build, SBOM: r.SBOMFormats, Licences: r.Policy.LooksAtLicences(),
		Inspected: func(i *layers.Inspections) { inspected = i },
	})
	inv.Subject = inv.Subject.Join(t.Subject()).Join(inventory.Subject{References: []string{r.Name}})
	if err != nil {
		return r.judgeRemains(ctx, unexamined(kind, t.Name, err), t, inv, inspected)
	}
	p = part{image: t.Image, inventory: &inv, sboms: []SBOM{{SBOM: sbom}}}
	if t.Image != nil {
		p.sboms[0].Platform = t.Image.Platform
	}
	p.targets = []outcome.Target{{
		Kind: kind, Name: t.Name, Examined: true,
		Detail: count(len(inv.Packages), "package", "packages"),
	}}
	packages := r.beginPackages(ctx, t, inv)
	defer packages.wait()
	r.judgeConfiguration(ctx, t, &p)
	if inspected != nil {
		r.judgeSecrets(t, inspected, &p)
		r.judgeContents(t, inspected, &p)
		if r.ClamAV != nil {
			r.askClamAV(ctx, t, inspected, &p)
		}
	}
	packages.addTo(&p)
	return p
}

// judgedPackages are packages that are judged side by side with the rest.
type judgedPackages struct {
	done   chan struct{}
	part   part
	judged bool
	broken any
}

// beginPackages begins to judge the packages of an inventory, unless they are to
// be left unjudged.
func (r run) beginPackages(ctx context.Context, t *target.Target, inv inventory.Inventory) *judgedPackages {
	j := &judgedPackages{done: make(chan struct{}), part: part{inventory: &inv}, judged: !r.SkipVulnerabilities}
	go func() {
		defer close(j.done)
		defer func() { j.broken = recover() }()
		if j.judged {
			r.judgePackages(ctx, t, &j.part)
		}
	}()
	return j
}

func (j *judgedPackages) wait() { <-j.done }

// addTo adds what the judgement came to. If it broke down, that arises here, where
// it is caught.
func (j *judgedPackages) addTo(p *part) {
	j.wait()
	if j.broken != nil {
		panic(j.broken)
	}
	p.findings = append(p.findings, j.part.findings...)
	p.failures = append(p.failures, j.part.failures...)
	p.coverage, p.database = j.part.coverage, j.part.database
	if j.judged {
		// Other checks add to it.
		p.coverage.Unreadable = p.inventory.Unreadable
	}
}

// judgeRemains judges what is known of a target that could not be examined: the
// image's configuration, what was found in the contents of its files if packages
// could not be looked for, and what was read before a limit was reached.
func (r run) judgeRemains(ctx context.Context, p part, t *target.Target, inv inventory.Inventory, inspected *layers.Inspections) part {
	p.image, p.inventory = t.Image, &inv
	r.judgeConfiguration(ctx, t, &p)
	if inspected != nil {
		// Nothing is left out as a package's where no packages are known.
		r.judgeSecrets(t, inspected, &p)
		r.judgeContents(t, inspected, &p)
	}
	if len(inv.Packages) == 0 {
		p.inventory = nil
		return p
	}
	p.targets[0].Detail = "not examined beyond " + count(len(inv.Packages), "package", "packages")
	if !r.SkipVulnerabilities {
		r.judgePackages(ctx, t, &p)
	}
	return p
}

// digestNote names what was read, so that a log tells later which image was
// meant by a tag.
func digestNote(img *inventory.Image) string {
	note := " " + img.Platform
	if img.Digest != "" {
		note += " " + img.Digest
	}
	return note + " id " + img.ID
}

// judgeConfiguration runs the checks of the image's own configuration. They take
// no time to speak of, so that they run too where the time for the rest is over.
func (r run) judgeConfiguration(ctx context.Context, t *target.Target, p *part) {
	result := imageconfig.Check(context.WithoutCancel(ctx), *p.inventory, imageconfig.Options{
		Target: t.Name, Now: r.Clock(),
		Enabled: func(rule rules.Rule) bool { return !rule.Off || slices.Contains(r.ImageRules, rule.ID) },
	})
	p.findings = append(p.findings, result.Findings...)
	p.failures = append(p.failures, result.Failures...)
}

// judgeSupport runs the check of the distribution's end of life, whose date is
// known once the database was read.
func (r run) judgeSupport(ctx context.Context, t *target.Target, end *advisory.SupportEnd, p *part) {
	if end == nil {
		return
	}
	result := imageconfig.Check(ctx, *p.inventory, imageconfig.Options{
		Target: t.Name, Now: r.Clock(),
		SupportEnd: &imageconfig.SupportEnd{Release: end.Release, Day: end.Day, Source: end.Source},
		Enabled:    func(rule rules.Rule) bool { return rule.ID == imageconfig.EndOfLifeRule },
	})
	if slices.Contains(r.Policy.CoverageAllow, outcome.EndOfLife) || r.Policy.EndOfLife == policy.Warns {
		// It was decided that such a distribution does not close the gate.
		for i := range result.Findings {
			result.Findings[i].Severity, result.Findings[i].SeveritySource = finding.Info, "policy"
		}
	}
	p.findings = append(p.findings, result.Findings...)
	p.failures = append(p.failures, result.Failures...)
}

// judgePackages compares the packages with the advisory database, of which only
// the files are read that this inventory needs. Without one every package is
// unassessed; that is a failure as well, and not a pass.
func (r run) judgePackages(ctx context.Context, t *target.Target, p *part) {
	db, err := r.openDatabase(ctx, *p.inventory)
	if err != nil {
		p.failures = append(p.failures, failure("vulnerability", t.Name, MissingData(err)))
	}
	defer func() {
		if err := db.Close(); err != nil {
			p.failures = append(p.failures, failure("vulnerability", db.Name, err))
		}
	}()
	result, err := vulnerability.Match(ctx, *p.inventory, db.Database, vulnerability.Options{
		Target: t.Name, Now: r.Clock(), MaxAge: r.Policy.DatabaseMaxAge,
	})
	if err != nil {
		p.failures = append(p.failures, failure("vulnerability", t.Name, MissingData(err)))
		// What could not be read has assessed nothing.
		result, err = vulnerability.Match(ctx, *p.inventory, nil, vulnerability.Options{Target: t.Name, Now: r.Clock()})
		if err != nil {
			p.failures = append(p.failures, failure("vulnerability", t.Name, err))
		}
	}
	if result.Broken != nil {
		p.failures = append(p.failures, panicked("vulnerability", t.Name, result.Broken))
	}
	p.findings = append(p.findings, result.Findings...)
	r.judgeSupport(ctx, t, result.SupportEnd, p)
	p.coverage = result.Coverage
	p.coverage.Unreadable = p.inventory.Unreadable
	if db.Database != nil {
		p.database = outcome.Database{
			Location: db.Name, Digest: db.Digest(), Built: db.Manifest().Built, Sources: result.Sources,
			Aging: r.ofAge(db.Manifest(), result.Shards, advisory.Aging), Stale: r.ofAge(db.Manifest(), result.Shards, advisory.Stale),
		}
	}
}

// openDatabase opens the database with what the inventory needs of it.
func (r run) openDatabase(ctx context.Context, inv inventory.Inventory) (supply.Supply, error) {
	req := r.Database
	req.Path, req.Now = r.Repository.Path, r.Clock()
	req.Note = func(message string) {
		if _, known := r.told.LoadOrStore(message, true); !known {
			r.Progress.Note("%s", message)
		}
	}
	return supply.Open(ctx, req, supply.Need{
		Shards:  func(m advisory.Manifest) []string { return vulnerability.Shards(inv, m) },
		Queries: func() []advisory.Query { return vulnerability.Queries(inv) },
	})
}

// ofAge names the shards that were read and whose data has the age, each with
// its date.
func (r run) ofAge(m advisory.Manifest, read []advisory.Shard, age advisory.Freshness) []string {
	var names []string
	for _, s := range read {
		if m.Freshness(s, r.Clock(), advisory.DefaultWarnAge, r.Policy.DatabaseMaxAge) == age {
			names = append(names, fmt.Sprintf("%s of %s", s.Name, m.FetchedOf(s).Format(time.DateOnly)))
		}
	}
	return names
}

// MissingData gives an error of the database its exit code and a hint. One that
// has a code already is left as it is.
func MissingData(err error) error {
	var coded *exit.Error
	if errors.As(err, &coded) {
		return err
	}
	hint := "build the database anew with `portcullis db build`, or name another one with --db"
	switch {
	case errors.Is(err, supply.ErrOffline):
		hint = "run once without --offline, or carry a database over with `portcullis db export` and `db import`"
	case errors.Is(err, advisory.ErrNewerSchema):
		hint = "update portcullis, or build the database with this version"
	case errors.Is(err, osv.ErrInvalid):
		hint = "the service answered with something else than the OSV API does; name a database with --db"
	}
	return &exit.Error{Code: exit.DataMissing, Err: err, Hint: hint}
}
