package dockerfile

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// testCase is one Dockerfile for one rule. «…» marks each place where the rule
// must fire; a text without marks must stay silent. FROM debian:12 is put in
// front of a text that has no FROM.
type testCase struct {
	name string
	text string
	opts Options
}

// table holds the cases of rules by rule id.
type table map[string][]testCase

// tables are the tables of all families.
func tables() []table {
	return []table{
		parseCases, userCases, baseCases, secretCases, copyCases, downloadCases, tlsCases, signatureCases, runCases,
	}
}

// marked takes the marks out of a text and returns the places they enclose.
func marked(text string) (plain string, places []string) {
	line, col, open := 1, 1, ""
	var b strings.Builder
	for _, r := range text {
		switch r {
		case '«':
			open = fmt.Sprintf("%d:%d", line, col)
		case '»':
			places = append(places, fmt.Sprintf("%s-%d:%d", open, line, col))
		default:
			b.WriteRune(r)
			col++
			if r == '\n' {
				line, col = line+1, 1
			}
		}
	}
	return b.String(), places
}

func place(f finding.Finding) string {
	l := f.Locations[0]
	return fmt.Sprintf("%d:%d-%d:%d", l.Line, l.Column, l.EndLine, l.EndColumn)
}

// lint runs all rules, those that are off as well, on one text.
func lint(t *testing.T, text string, opts Options) Result {
	t.Helper()
	for _, r := range allRules() {
		opts.Enable = append(opts.Enable, r.ID)
	}
	res := Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text)}}, opts)
	for _, f := range res.Findings {
		if err := f.Validate(); err != nil {
			t.Errorf("finding %s at %s: %v", f.RuleID, place(f), err)
		}
	}
	for _, f := range res.Failures {
		if strings.Contains(f.Message, "broke down") {
			t.Errorf("failure: %s", f.Message)
		}
	}
	return res
}

func (c testCase) run(t *testing.T, id string) {
	t.Helper()
	text := c.text
	if !strings.Contains(text, "FROM ") && !strings.HasPrefix(text, "!") {
		text = "FROM debian:12\n" + text
	}
	plain, want := marked(strings.TrimPrefix(text, "!"))
	var got []string
	for _, f := range lint(t, plain, c.opts).Findings {
		if f.RuleID == id {
			got = append(got, place(f))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s on\n%s\nplaces (-want +got):\n%s", id, plain, diff)
	}
}

func TestRulesFireWhereTheyShould(t *testing.T) {
	for _, tab := range tables() {
		for id, cases := range tab {
			t.Run(id, func(t *testing.T) {
				for _, c := range cases {
					t.Run(c.name, func(t *testing.T) { c.run(t, id) })
				}
			})
		}
	}
}

func TestEveryRuleHasEnoughCases(t *testing.T) {
	fire, silent := make(map[string]int), make(map[string]int)
	for _, tab := range tables() {
		for id, cases := range tab {
			for _, c := range cases {
				if strings.Contains(c.text, "«") {
					fire[id]++
				} else {
					silent[id]++
				}
			}
		}
	}
	for _, r := range allRules() {
		if fire[r.ID] < 4 || silent[r.ID] < 4 {
			t.Errorf("rule %s has %d firing and %d silent cases, at least 4 of each are needed", r.ID, fire[r.ID], silent[r.ID])
		}
	}
}

func TestCatalogueIsValid(t *testing.T) {
	if _, err := rules.NewCatalogue(Rules()); err != nil {
		t.Error(err)
	}
	for _, r := range allRules() {
		if r.File == nil && r.Instruction == nil && r.Run == nil && r.Command == nil {
			t.Errorf("rule %s checks nothing", r.ID)
		}
		if r.Severity == finding.Unknown {
			t.Errorf("rule %s has no severity", r.ID)
		}
		if r.WhenToIgnore == "" || len(r.References) == 0 {
			t.Errorf("rule %s does not say when to ignore it, or has no reference", r.ID)
		}
	}
}

func TestExamples(t *testing.T) {
	for _, r := range allRules() {
		t.Run(r.ID, func(t *testing.T) {
			if got := firing(t, r, r.Bad); !cmp.Equal(got, []string{r.ID}) {
				t.Errorf("the bad example fires %v:\n%s", got, r.Bad)
			}
			if got := firing(t, r, r.Good); len(got) != 0 {
				t.Errorf("the good example fires %v:\n%s", got, r.Good)
			}
		})
	}
}

// firing are the rules that fire on an example, each named once; of the rules
// that are off only the one in question runs.
func firing(t *testing.T, r Rule, text string) []string {
	t.Helper()
	opts := exampleOptions(r)
	if r.Off {
		opts.Enable = append(opts.Enable, r.ID)
	}
	res := Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text)}}, opts)
	var ids []string
	seen := make(map[string]bool)
	for _, f := range res.Findings {
		if !seen[f.RuleID] {
			seen[f.RuleID] = true
			ids = append(ids, f.RuleID)
		}
	}
	return ids
}

// exampleOptions are the settings that a rule's examples are made for.
func exampleOptions(r Rule) Options { return Options{} }
