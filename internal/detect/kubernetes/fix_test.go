package kubernetes

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// apply makes the edits of one finding, the last one first.
func apply(text string, edits []finding.Edit) string {
	lines := strings.Split(text, "\n")
	for i := len(edits) - 1; i >= 0; i-- {
		e := edits[i]
		line := []rune(lines[e.Line-1])
		lines[e.Line-1] = string(line[:e.Column-1]) + e.NewText + string(line[e.EndColumn-1:])
	}
	return strings.Join(lines, "\n")
}

// TestEditsMendTheirFinding applies the edits of every finding of every case
// of the rules: the finding must be gone, and the manifest be as sound as before.
func TestEditsMendTheirFinding(t *testing.T) {
	tried := make(map[string]int)
	for id, cases := range casesByRule() {
		for _, c := range cases {
			text, _ := unmark(c.manifest)
			opts := optionsByRule[id]
			opts.Enable = []string{id}
			lint := func(text string) Result {
				return Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, opts)
			}
			before := lint(text)
			for _, f := range before.Findings {
				if f.RuleID != id || len(f.Fix.Edits) == 0 {
					continue
				}
				tried[id]++
				after := lint(apply(text, f.Fix.Edits))
				if n := len(places(after, id)); n >= len(places(before, id)) {
					t.Errorf("%s, %s: %d findings are left after the edit\n%s", id, c.name, n, apply(text, f.Fix.Edits))
				}
				// Findings that the mended one covered may come up, but the
				// manifest must be as sound as before.
				for _, sound := range []string{"k8s-unreadable", "k8s-schema"} {
					if len(places(after, sound)) > len(places(before, sound)) {
						t.Errorf("%s, %s: the edit breaks the manifest\n%s", id, c.name, apply(text, f.Fix.Edits))
					}
				}
			}
		}
	}
	for id := range fixes {
		if tried[id] == 0 {
			t.Errorf("no case of %s has edits", id)
		}
	}
}

func TestEditsKeepCommentsAndLayout(t *testing.T) {
	text := "# head\napiVersion: v1\nkind: Pod\nmetadata: {name: p}   # meta\nspec:\n  containers:\n    # the one\n    - name: a   # name\n\n      image:   web:1\n"
	want := "# head\napiVersion: v1\nkind: Pod\nmetadata: {name: p}   # meta\nspec:\n  containers:\n    # the one\n    - securityContext:\n        readOnlyRootFilesystem: true\n      name: a   # name\n\n      image:   web:1\n"
	for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, Options{}).Findings {
		if f.RuleID == "k8s-read-only-root-fs" {
			if diff := cmp.Diff(want, apply(text, f.Fix.Edits)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Error("nothing was found")
}
