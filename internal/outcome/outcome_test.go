package outcome_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/outcome"
)

func TestPackagesOfAGapAreNamedOnceAndAllCounted(t *testing.T) {
	g := outcome.Gap{Packages: []string{"a 1", "a 1", "a 1", "b 1", "c 1", "c 1"}}
	for _, tc := range []struct {
		limit int
		want  []string
		more  int
	}{
		{0, nil, 6},
		{1, []string{"a 1 (3 times)"}, 3},
		{2, []string{"a 1 (3 times)", "b 1"}, 2},
		{3, []string{"a 1 (3 times)", "b 1", "c 1 (2 times)"}, 0},
		{9, []string{"a 1 (3 times)", "b 1", "c 1 (2 times)"}, 0},
	} {
		got, more := g.Listed(tc.limit)
		if diff := cmp.Diff(tc.want, got); diff != "" || more != tc.more {
			t.Errorf("at most %d: %d more, want %d (-want +got):\n%s", tc.limit, more, tc.more, diff)
		}
	}
}
