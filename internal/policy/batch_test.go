package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// TestBatchesAreThoseOfComparingAllEdits holds the batches against those that
// come of comparing each edit with each other one.
func TestBatchesAreThoseOfComparingAllEdits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	edit := func() finding.Edit {
		e := finding.Edit{Path: []string{"a", "b"}[random.IntN(2)], Line: random.IntN(30), Column: random.IntN(4), NewText: []string{"", "x"}[random.IntN(2)]}
		e.EndLine, e.EndColumn = e.Line+random.IntN(2), e.Column+random.IntN(2)
		return e
	}
	for round := range 200 {
		var list []*finding.Finding
		for i := range 40 {
			f := &finding.Finding{Fingerprint: fmt.Sprint(i)}
			for range random.IntN(4) {
				f.Fix.Edits = append(f.Fix.Edits, edit())
			}
			list = append(list, f)
		}
		var want [][]string
		var made [][]finding.Edit
		for _, f := range list {
			i := slices.IndexFunc(made, func(have []finding.Edit) bool {
				return !slices.ContainsFunc(f.Fix.Edits, func(x finding.Edit) bool {
					return slices.ContainsFunc(have, func(y finding.Edit) bool { return x.Path == y.Path && touch(x, y) })
				})
			})
			if i < 0 {
				i, made, want = len(made), append(made, nil), append(want, nil)
			}
			made[i], want[i] = append(made[i], f.Fix.Edits...), append(want[i], f.Fingerprint)
		}
		var got [][]string
		for _, b := range batches(list) {
			var prints []string
			for _, f := range b {
				prints = append(prints, f.Fingerprint)
			}
			got = append(got, prints)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d (-want +got):\n%s", round, diff)
		}
	}
}

// TestBatchesOfManyFindings would take minutes if each were compared with each.
func TestBatchesOfManyFindings(t *testing.T) {
	var list []*finding.Finding
	for i := range 200_000 {
		list = append(list, &finding.Finding{Fix: finding.Fix{Edits: []finding.Edit{{Path: "Dockerfile", Line: i, Column: 3, EndLine: i, EndColumn: 8}}}})
	}
	if got := batches(list); len(got) != 1 || len(got[0]) != len(list) {
		t.Errorf("%d batches, want one of all findings", len(got))
	}
}
