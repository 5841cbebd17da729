package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// changes returns the smallest set of changes known that keeps every broken
// clause, and the findings that none removes. Each finding belongs to one
// change at most, so for a clause that must lose all of its findings the set
// is the smallest; for clauses that may keep some, the changes that remove
// most come first, until enough are gone.
func changes(clauses []judged, in Input) ([]outcome.Change, []string) {
	byPrint := make(map[string]*finding.Finding, len(in.Findings))
	for i := range in.Findings {
		byPrint[in.Findings[i].Fingerprint] = &in.Findings[i]
	}
	all, owner := group(clauses, byPrint, in)
	chosen := make(map[int]bool)
	var unresolved []string
	for _, c := range clauses {
		if !c.clause.Broken || len(c.over) > 0 {
			continue
		}
		for _, fp := range c.clause.Findings {
			if i, ok := owner[fp]; ok {
				chosen[i] = true
			} else {
				unresolved = append(unresolved, fp)
			}
		}
	}
	for _, c := range clauses {
		if c.clause.Broken && len(c.over) > 0 {
			for _, s := range finding.Severities() {
				prints := slices.DeleteFunc(slices.Clone(c.clause.Findings), func(fp string) bool { return byPrint[fp] == nil || byPrint[fp].Severity != s })
				unresolved = append(unresolved, reduce(prints, c.over[s], owner, chosen)...)
			}
		}
	}
	var out []outcome.Change
	for _, i := range slices.Sorted(maps.Keys(chosen)) {
		out = append(out, all[i])
	}
	if slices.ContainsFunc(clauses, func(c judged) bool { return c.clause.Broken && c.code == exit.DataMissing }) {
		out = append(out, outcome.Change{
			Kind: outcome.RenewData, Subject: "advisory database",
			Text: "build or fetch the advisory database anew, with the sources that the broken clauses name",
		})
	}
	for _, c := range clauses {
		if c.clause.Broken && c.change != nil {
			out = append(out, *c.change)
		}
	}
	return out, inReportOrder(unresolved, in.Findings)
}

// reduce chooses changes until enough of the findings are gone, those that
// remove most first. It returns the findings in the way that no change removes,
// if the changes are not enough.
func reduce(prints []string, excess int, owner map[string]int, chosen map[int]bool) (unresolved []string) {
	removes := make(map[int]int)
	for _, fp := range prints {
		i, ok := owner[fp]
		switch {
		case !ok:
			unresolved = append(unresolved, fp)
		case chosen[i]:
			excess--
		default:
			removes[i]++
		}
	}
	order := slices.SortedFunc(maps.Keys(removes), func(a, b int) int {
		return cmp.Or(removes[b]-removes[a], a-b)
	})
	for _, i := range order {
		if excess <= 0 {
			break
		}
		chosen[i] = true
		excess -= removes[i]
	}
	if excess <= 0 {
		return nil
	}
	return unresolved
}

// group makes one change of all findings in broken clauses that go away
// together. The changes come in a fixed order; owner tells which one removes a
// finding.
func group(clauses []judged, byPrint map[string]*finding.Finding, in Input) ([]outcome.Change, map[string]int) {
	groups := make(map[string][]*finding.Finding)
	seen := make(map[string]bool)
	for _, c := range clauses {
		if !c.clause.Broken {
			continue
		}
		for _, fp := range c.clause.Findings {
			f, ok := byPrint[fp]
			if !ok || seen[fp] {
				continue
			}
			if key := changeKey(*f); key != "" {
				seen[fp] = true
				groups[key] = append(groups[key], f)
			}
		}
	}
	owner := make(map[string]int)
	var all []outcome.Change
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		list := groups[key]
		finding.SortPointers(list)
		for _, together := range batches(list) {
			for _, f := range together {
				owner[f.Fingerprint] = len(all)
			}
			all = append(all, change(together, in))
		}
	}
	return all, owner
}

// changeKey is equal for findings that one change removes, and empty for
// those of which no change is known.
func changeKey(f finding.Finding) string {
	var at finding.Location
	if len(f.Locations) > 0 {
		at = f.Locations[0]
	}
	place := fmt.Sprintf("%s:%06d", at.Path, at.Line)
	switch {
	case f.Kind == finding.Vulnerability && f.Fix.Version == "":
		return ""
	case f.Kind == finding.Vulnerability && OriginOf(f) == finding.FromBaseImage:
		return "1 " + f.Target + " " + place
	case f.Kind == finding.Vulnerability && f.Package != nil:
		return "2 " + f.Target + " " + f.Package.Type + " " + sourceOf(f.Package)
	case len(f.Fix.Edits) > 0:
		return "3 " + f.Fix.Edits[0].Path
	case f.Fix.Text != "":
		return "4 " + f.Target + " " + place + " " + f.Fix.Text
	default:
		return ""
	}
}

// sourceOf names what is upgraded together: all packages that are built from
// one source.
func sourceOf(p *finding.Package) string { return cmp.Or(p.Source, p.Name) }

// change words the change that removes a group of findings.
func change(list []*finding.Finding, in Input) outcome.Change {
	first := list[0]
	c := outcome.Change{}
	if len(first.Locations) > 0 {
		c.Location = first.Locations[0]
	}
	for _, f := range list {
		c.Findings = append(c.Findings, f.Fingerprint)
	}
	switch {
	case first.Kind == finding.Vulnerability:
		c.Upgrades = upgrades(list, in.Compare)
		c.Kind, c.Subject = outcome.UpgradePackage, sourceOf(first.Package)
		c.Text = "upgrade " + upgradeWords(c.Upgrades)
		if OriginOf(*first) == finding.FromBaseImage {
			c.Kind, c.Subject = outcome.MoveBaseImage, place(c.Location)
			c.Text = "move to a base image with " + upgradeWords(c.Upgrades)
		}
	case len(first.Fix.Edits) > 0:
		c.Kind, c.Subject = outcome.EditFile, first.Fix.Edits[0].Path
		c.Edits, c.Text = edits(list), fmt.Sprintf("edit %s in %s", first.Fix.Edits[0].Path, plural(len(list), "place", "places"))
	default:
		c.Kind, c.Subject, c.Text = outcome.CorrectByHand, place(c.Location), first.Fix.Text
	}
	return c
}

func place(l finding.Location) string {
	if l.Line == 0 {
		return l.Path
	}
	return fmt.Sprintf("%s:%d", l.Path, l.Line)
}

// edits joins the edits of a file, each once, in the order of their places.
func edits(list []*finding.Finding) []finding.Edit {
	var out []finding.Edit
	for _, f := range list {
		out = append(out, f.Fix.Edits...)
	}
	slices.SortFunc(out, func(a, b finding.Edit) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), compareEdits(a, b))
	})
	return slices.Compact(out)
}

// upgrades says which package must move to which version.
func upgrades(list []*finding.Finding, compare func(purlType, a, b string) (int, bool)) []outcome.Upgrade {
	byPackage := make(map[string]*outcome.Upgrade)
	types := make(map[string]string)
	for _, f := range list {
		if f.Package == nil {
			continue
		}
		key := f.Package.Name + "\x00" + f.Package.Version
		if byPackage[key] == nil {
			byPackage[key] = &outcome.Upgrade{Package: f.Package.Name, From: f.Package.Version}
			types[key] = f.Package.Type
		}
		byPackage[key].Versions = append(byPackage[key].Versions, f.Fix.Version)
	}
	var out []outcome.Upgrade
	for _, key := range slices.Sorted(maps.Keys(byPackage)) {
		u := *byPackage[key]
		slices.Sort(u.Versions)
		u.Versions = slices.Compact(u.Versions)
		u.To = highest(u.Versions, types[key], compare)
		out = append(out, u)
	}
	return out
}

// highest returns the version that none of the others is above, or "" when
// that cannot be told.
func highest(versions []string, purlType string, compare func(purlType, a, b string) (int, bool)) string {
	most := versions[0]
	for _, v := range versions[1:] {
		if compare == nil {
			return ""
		}
		order, ok := compare(purlType, v, most)
		if !ok {
			return ""
		}
		if order > 0 {
			most = v
		}
	}
	return most
}

func upgradeWords(list []outcome.Upgrade) string {
	var words []string
	for _, u := range list {
		to := u.To
		if to == "" {
			to = "the highest of " + strings.Join(u.Versions, ", ")
		}
		words = append(words, fmt.Sprintf("%s %s to %s", u.Package, u.From, to))
	}
	return someOf(words)
}

// inReportOrder returns the given fingerprints once each in the order of the
// findings.
func inReportOrder(prints []string, findings []finding.Finding) []string {
	wanted := make(map[string]bool)
	for _, fp := range prints {
		wanted[fp] = true
	}
	var out []string
	for _, f := range findings {
		if wanted[f.Fingerprint] {
			out, wanted[f.Fingerprint] = append(out, f.Fingerprint), false
		}
	}
	return out
}
