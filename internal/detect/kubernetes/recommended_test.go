package kubernetes

import (
	_ "embed"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/rules"
)

// recommended are the rules that a survey of eight linters came to, each with
// the severity that it should have by default and what it maps to.
//
//go:embed testdata/recommended.txt
var recommended string

func TestEveryRecommendedRuleIsThere(t *testing.T) {
	byID := make(map[string]rules.Rule)
	for _, r := range Rules() {
		if _, twice := byID[r.ID]; twice {
			t.Errorf("the rule %s is there twice", r.ID)
		}
		byID[r.ID] = r
	}
	count := 0
	for line := range strings.Lines(recommended) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] == "#" {
			continue
		}
		id, severity, mappings := fields[0], fields[1], fields[2:]
		count++
		r, there := byID[id]
		switch {
		case !there:
			t.Errorf("the rule %s is missing", id)
		case severity != "-" && r.Severity.String() != severity:
			t.Errorf("the rule %s is %s by default, recommended is %s", id, r.Severity, severity)
		}
		for _, m := range mappings {
			if !slices.ContainsFunc(r.Tags, func(tag string) bool { return path.Base(tag) == m }) {
				t.Errorf("the rule %s does not map to %s", id, m)
			}
		}
	}
	if count != 137 {
		t.Errorf("the list has %d rules, want 137", count)
	}
}
