package kubernetes

import (
	"cmp"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// finish puts the findings in the given order of files and that of positions,
// and makes their fingerprints unique.
func (l *linter) finish(order map[string]int) Result {
	l.result.Images = l.set.images()
	if l.opts.KeepObjects {
		l.result.Plain = l.set.plain()
	}
	// Comments of templates are in the rendered text as well; those of the
	// sources of kustomizations are where their findings are led back to.
	l.waive(false)
	l.trace()
	l.waive(true)
	l.judgeIgnores()
	l.trace()
	finding.SortStableFunc(l.found, func(a, b *finding.Finding) int {
		return cmp.Or(
			comparePlaces(order, a.Locations[0], b.Locations[0]),
			cmp.Compare(a.RuleID, b.RuleID),
			cmp.Compare(a.Object, b.Object),
		)
	})
	slices.SortStableFunc(l.result.Plain, func(a, b PlainObject) int { return comparePlaces(order, a.Location, b.Location) })
	slices.SortStableFunc(l.result.Images, func(a, b Image) int { return comparePlaces(order, a.Location, b.Location) })
	all := finding.Distinguish(l.found)
	l.found = nil
	vulnerable := func(f finding.Finding) bool { return f.RuleID == ImageVulnerableRule }
	for _, f := range all {
		if vulnerable(f) {
			l.result.Vulnerable = append(l.result.Vulnerable, f)
		}
	}
	l.result.Findings = slices.DeleteFunc(all, vulnerable)
	return l.result
}

// comparePlaces orders places by the order of the files and by position.
func comparePlaces(order map[string]int, a, b finding.Location) int {
	return cmp.Or(
		cmp.Compare(order[a.Path], order[b.Path]),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
	)
}
