package kubernetes

import (
	"cmp"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// finish puts the findings in the order of files and positions and makes
// their fingerprints unique.
func (l *linter) finish(files []File) Result {
	l.waive()
	l.judgeIgnores()
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f.Path] = i
	}
	slices.SortStableFunc(l.found, func(a, b finding.Finding) int {
		la, lb := a.Locations[0], b.Locations[0]
		return cmp.Or(
			cmp.Compare(order[la.Path], order[lb.Path]),
			cmp.Compare(la.Line, lb.Line),
			cmp.Compare(la.Column, lb.Column),
			cmp.Compare(a.RuleID, b.RuleID),
			cmp.Compare(a.Object, b.Object),
		)
	})
	l.result.Findings = finding.Distinguish(l.found)
	l.result.Images = l.set.images()
	return l.result
}
