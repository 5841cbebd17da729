package gate

import (
	"context"
	"errors"
	"fmt"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// examineImage opens the image and judges what is in it.
func (r run) examineImage(ctx context.Context) part {
	if r.Image.Platform == target.AllPlatforms {
		return r.examinePlatforms(ctx)
	}
	t, err := target.Open(ctx, r.Image, r.Target)
	if err != nil {
		return unexamined(outcome.TargetImage, r.Image.Reference, err)
	}
	return r.examineTarget(ctx, outcome.TargetImage, t)
}

// examineRootFS judges a root file system in a directory.
func (r run) examineRootFS(ctx context.Context) part {
	t, err := target.OpenRootFS(ctx, r.Repository.Path(r.RootFS))
	if err != nil {
		return unexamined(outcome.TargetRootFS, r.RootFS, err)
	}
	return r.examineTarget(ctx, outcome.TargetRootFS, t)
}

// examineSBOM judges the packages that an SBOM lists.
func (r run) examineSBOM(ctx context.Context) part {
	t, err := target.OpenSBOM(ctx, r.Repository.Path(r.SBOM))
	if err != nil {
		return unexamined(outcome.TargetSBOM, r.SBOM, err)
	}
	return r.examineTarget(ctx, outcome.TargetSBOM, t)
}

// unexamined is the part of a target that could not be examined.
func unexamined(kind outcome.TargetKind, name string, err error) part {
	return part{
		targets:  []outcome.Target{{Kind: kind, Name: name, Detail: "not examined"}},
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
		Inspected: func(i *layers.Inspections) { inspected = i },
	})
	if err != nil {
		return r.judgeRemains(ctx, unexamined(kind, t.Name, err), t, inv)
	}
	p = part{image: t.Image, inventory: &inv, sboms: []SBOM{{SBOM: sbom}}}
	if t.Image != nil {
		p.sboms[0].Platform = t.Image.Platform
	}
	p.targets = []outcome.Target{{
		Kind: kind, Name: t.Name, Examined: true,
		Detail: count(len(inv.Packages), "package", "packages"),
	}}
	r.judgeConfiguration(ctx, t, &p)
	if inspected != nil {
		r.judgeSecrets(t, inspected, sbom, &p)
	}
	if !r.SkipVulnerabilities {
		r.judgePackages(ctx, t, &p)
	}
	return p
}

// judgeRemains judges what is known of a target that could not be examined: the
// image's configuration, and what was read before a limit was reached.
func (r run) judgeRemains(ctx context.Context, p part, t *target.Target, inv inventory.Inventory) part {
	p.image, p.inventory = t.Image, &inv
	r.judgeConfiguration(ctx, t, &p)
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

// judgeConfiguration runs the checks of the image's own configuration.
func (r run) judgeConfiguration(ctx context.Context, t *target.Target, p *part) {
	result := imageconfig.Check(ctx, *p.inventory, imageconfig.Options{Target: t.Name})
	p.findings = append(p.findings, result.Findings...)
	p.failures = append(p.failures, result.Failures...)
}

// judgePackages compares the packages with the advisory database. Without one
// every package is unassessed; that is a failure as well, and not a pass.
func (r run) judgePackages(ctx context.Context, t *target.Target, p *part) {
	dir := r.Database
	if dir != "" {
		dir = r.Repository.Path(dir)
	}
	db, err := OpenDatabase(dir)
	if err != nil {
		p.failures = append(p.failures, failure("vulnerability", r.Database, err))
	}
	result, err := vulnerability.Match(ctx, *p.inventory, db, vulnerability.Options{
		Target: t.Name, Now: r.Clock(), MaxAge: r.Policy.DatabaseMaxAge,
	})
	if err != nil {
		p.failures = append(p.failures, failure("vulnerability", t.Name, missingData(err)))
	}
	p.findings = append(p.findings, result.Findings...)
	p.coverage = result.Coverage
	p.coverage.Unreadable = p.inventory.Unreadable
	if db != nil {
		p.database = outcome.Database{
			Location: r.Database, Digest: db.Digest(), Built: db.Manifest().Built, Sources: result.Sources,
		}
	}
}

// errNoDatabase says that none was named.
var errNoDatabase = errors.New("no advisory database is given")

// OpenDatabase opens the advisory database in a directory. Its errors carry
// the exit code for missing data and say what to do about it.
func OpenDatabase(dir string) (*advisory.Database, error) {
	if dir == "" {
		return nil, &exit.Error{
			Code: exit.DataMissing, Err: errNoDatabase,
			Hint: "name one with --db DIR or db.path in the configuration; `portcullis db build` makes one from OSV records",
		}
	}
	db, err := advisory.Open(dir)
	if err != nil {
		return nil, missingData(err)
	}
	return db, nil
}

// missingData gives an error of the database its exit code and a hint.
func missingData(err error) error {
	hint := "build the database anew with `portcullis db build`"
	if errors.Is(err, advisory.ErrNewerSchema) {
		hint = "update portcullis, or build the database with this version"
	}
	return &exit.Error{Code: exit.DataMissing, Err: err, Hint: hint}
}
