package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// examinePlatforms opens the images of all platforms of an index and judges
// one after the other, so that memory is needed for one.
func (r run) examinePlatforms(ctx context.Context) part {
	targets, err := target.OpenAll(ctx, r.Image, r.Target)
	var all part
	if err != nil {
		all = unexamined(outcome.TargetImage, r.imageName(), err)
	}
	for _, t := range targets {
		platform := t.Image.Platform
		p := r.examineTarget(ctx, outcome.TargetImage, t)
		if len(targets) == 1 && err == nil {
			return p
		}
		for i := range p.failures {
			p.failures[i].Message = platform + ": " + p.failures[i].Message
		}
		all.failures = append(all.failures, p.failures...)
		if p.inventory == nil {
			for _, t := range p.targets {
				t.Detail = platform + " not examined"
				all.targets = append(all.targets, t)
			}
		}
		all.platforms = append(all.platforms, p)
	}
	return all
}

// joinPlatforms makes one part of an image's platforms. Their findings must
// have been traced, since each has a history of its own.
func (p part) joinPlatforms() part {
	if len(p.platforms) == 0 {
		return p
	}
	var names []string
	var lists [][]finding.Finding
	inv := inventory.Inventory{}
	examined := true
	for _, one := range p.platforms {
		img := one.image
		names, lists = append(names, img.Platform), append(lists, one.findings)
		if one.inventory == nil {
			continue
		}
		examined = examined && one.examined()
		p.platformImages, p.sboms = append(p.platformImages, img), append(p.sboms, one.sboms...)
		inv.Packages = append(inv.Packages, one.inventory.Packages...)
		inv.Subject = inv.Subject.Join(one.inventory.Subject)
		if inv.Distro == nil {
			inv.Distro = one.inventory.Distro
		}
		p.coverage = joinCoverage(p.coverage, one.coverage)
		p.database = joinDatabase(p.database, one.database)
	}
	p.findings = joinFindings(names, lists)
	if len(p.platformImages) == 0 {
		return p
	}
	inv.Image = joinImages(p.platformImages)
	p.image, p.inventory = inv.Image, &inv
	p.targets = append([]outcome.Target{{
		Kind: outcome.TargetImage, Name: inv.Image.Name, Examined: examined,
		Detail: count(len(inv.Packages), "package", "packages"),
	}}, p.targets...)
	return p
}

// joinImages describes an index by the image of its first platform. Its digest
// is that of the index: what a statement says about one platform alone must not
// be taken for all. The layers of further platforms follow those of the first.
func joinImages(images []*inventory.Image) *inventory.Image {
	joined := *images[0]
	joined.Digest, joined.ID, joined.Platform = joined.IndexDigest, joined.IndexDigest, ""
	joined.Layers, joined.History = slices.Clone(joined.Layers), slices.Clone(joined.History)
	for i, img := range images {
		joined.Platforms = append(joined.Platforms, inventory.Platform{Name: img.Platform, Digest: img.Digest, ID: img.ID})
		joined.Platform += strings.Repeat(", ", min(i, 1)) + img.Platform
		if i == 0 {
			continue
		}
		for _, l := range img.Layers {
			if slices.ContainsFunc(joined.Layers, func(have inventory.Layer) bool { return have.DiffID == l.DiffID }) {
				continue
			}
			if l.History >= 0 {
				l.History += len(joined.History)
			}
			joined.Layers = append(joined.Layers, l)
		}
		joined.History = append(joined.History, img.History...)
	}
	return &joined
}

// joinFindings makes one list of the findings of several platforms. What all
// of them have is there once; what only some have says which. Of the same
// finding the one stays that weighs most: the open before the excused, the worse
// before the less bad, the earlier platform before the later.
func joinFindings(platforms []string, lists [][]finding.Finding) []finding.Finding {
	type sighting struct {
		platform string
		finding.Finding
	}
	seen := make(map[string][]sighting)
	var order []string
	for i, list := range lists {
		for _, f := range list {
			if seen[f.Fingerprint] == nil {
				order = append(order, f.Fingerprint)
			}
			seen[f.Fingerprint] = append(seen[f.Fingerprint], sighting{platforms[i], f})
		}
	}
	out := make([]finding.Finding, 0, len(order))
	for _, fingerprint := range order {
		all := seen[fingerprint]
		chosen := slices.MinFunc(all, func(a, b sighting) int {
			return cmp.Or(weight(b.Status)-weight(a.Status), cmp.Compare(b.Severity, a.Severity))
		})
		f := chosen.Finding
		f.Evidence = slices.Clone(f.Evidence)
		var on []string
		for _, s := range all {
			switch {
			case s.Status != f.Status:
				f.Evidence = append(f.Evidence, finding.Fact{Name: s.platform, Value: strings.TrimSuffix(string(s.Status)+": "+s.StatusReason, ": ")})
				continue
			case s.Package != nil && f.Package != nil && s.Package.Version != f.Package.Version:
				f.Evidence = append(f.Evidence, finding.Fact{Name: s.platform, Value: s.Package.Name + " " + s.Package.Version})
			}
			if s.Origin != f.Origin {
				f.Origin = "" // nobody may be spared on the ground of one platform
			}
			on = append(on, s.platform)
		}
		if len(on) < len(platforms) {
			only := strings.Join(on, ", ")
			f.Evidence = append(f.Evidence, finding.Fact{Name: finding.PlatformsFact, Value: only})
			f.Message = fmt.Sprintf("%s Only on %s.", f.Message, only)
		}
		out = append(out, f)
	}
	return out
}

// weight puts findings that count before those that something excuses.
func weight(s finding.Status) int {
	if s == finding.Open {
		return 1
	}
	return 0
}

// joinCoverage adds up two coverages: each package counts on each platform.
func joinCoverage(a, b outcome.Coverage) outcome.Coverage {
	out := outcome.Coverage{Packages: a.Packages + b.Packages, Assessed: a.Assessed + b.Assessed, Gaps: slices.Clone(a.Gaps)}
	for _, gap := range b.Gaps {
		i := slices.IndexFunc(out.Gaps, func(g outcome.Gap) bool { return g.Reason == gap.Reason && g.Detail == gap.Detail })
		if i < 0 {
			out.Gaps = append(out.Gaps, gap)
			continue
		}
		out.Gaps[i].Packages = slices.Sorted(slices.Values(slices.Concat(out.Gaps[i].Packages, gap.Packages)))
	}
	slices.SortFunc(out.Gaps, func(a, b outcome.Gap) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Detail, b.Detail))
	})
	out.Unreadable = slices.Clone(a.Unreadable)
	for _, u := range b.Unreadable {
		if !slices.Contains(out.Unreadable, u) {
			out.Unreadable = append(out.Unreadable, u)
		}
	}
	return out
}

// joinDatabase joins what two runs over one database used of it.
func joinDatabase(a, b outcome.Database) outcome.Database {
	if a.Location == "" {
		return b
	}
	a.Sources = slices.Clone(a.Sources)
	for _, s := range b.Sources {
		if !slices.ContainsFunc(a.Sources, func(have outcome.DatabaseSource) bool { return have.Name == s.Name }) {
			a.Sources = append(a.Sources, s)
		}
	}
	slices.SortFunc(a.Sources, func(x, y outcome.DatabaseSource) int { return cmp.Compare(x.Name, y.Name) })
	return a
}
