package dockerfile

import (
	"context"
	"fmt"
	"regexp"
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
	// ctx is the build context, where the case is about one.
	ctx *Context
}

// table holds the cases of rules by rule id.
type table map[string][]testCase

// tables are the tables of all families.
func tables() []table {
	return []table{
		parseCases, userCases, baseCases, secretCases, copyCases, downloadCases, tlsCases, signatureCases, runCases,
		stageCases, commandCases, pathCases, portCases, variableCases, formCases, shellCases, installCases,
		pinCases, cacheCases, optionalCases, labelCases, ignoreCases, scriptCases,
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
	return lintFile(t, File{Path: "Dockerfile", Content: []byte(text)}, opts)
}

func lintFile(t *testing.T, file File, opts Options) Result {
	t.Helper()
	for _, r := range allRules() {
		opts.Enable = append(opts.Enable, r.ID)
	}
	res := Lint(context.Background(), []File{file}, opts)
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
	for _, f := range lintFile(t, File{Path: "Dockerfile", Content: []byte(plain), Context: c.ctx}, c.opts).Findings {
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
		if r.ID == shellCheckRule.ID {
			continue // its findings are ShellCheck's; see TestShellCheck
		}
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
		if r.File == nil && r.Instruction == nil && r.Run == nil && r.Command == nil && r.Last == nil && r.ID != shellCheckRule.ID {
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
		if r.ID == shellCheckRule.ID {
			continue
		}
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
	file := File{Path: "Dockerfile", Content: []byte(text)}
	switch r.ID {
	case "PC-DF032":
		file.Context = &Context{}
	case "PC-DF122":
		file.Context = &Context{IgnoreFile: ".dockerignore", Ignore: []byte("secret.txt\n")}
	}
	res := Lint(context.Background(), []File{file}, opts)
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
func exampleOptions(r Rule) Options {
	kinds := map[string]string{
		"PC-DF301": "text", "PC-DF302": "text", "PC-DF303": "text", "PC-DF304": "url", "PC-DF305": "rfc3339", "PC-DF306": "spdx",
		"PC-DF307": "hash", "PC-DF308": "semver", "PC-DF309": "email",
	}
	switch kind, ok := kinds[r.ID]; {
	case r.ID == "PC-DF403":
		return Options{Inline: InlineIgnores{RequireReason: true}}
	case r.ID == "PC-DF008":
		return Options{TrustedRegistries: []string{"docker.io"}}
	case r.ID == "PC-DF302":
		return Options{LabelSchema: map[string]string{"title": kind}, StrictLabels: true}
	case ok:
		return Options{LabelSchema: map[string]string{"title": kind}}
	}
	return Options{}
}

func TestTheSetOfRulesIsComplete(t *testing.T) {
	// What this linter adds of its own: hidden characters, builder flags, ignore
	// comments and shell code.
	added := regexp.MustCompile(`^PC-DF(?:035|134|4\d\d|5\d\d)$`)
	count := make(map[string]int)
	for _, r := range allRules() {
		switch {
		case added.MatchString(r.ID):
			count["added"]++
		case r.Off:
			count["off"]++
		case strings.HasPrefix(r.ID, "PC-DF3"):
			count["label"]++
		default:
			count[r.Severity.String()]++
		}
	}
	want := map[string]int{"high": 27, "medium": 26, "info": 31, "label": 9, "off": 9, "added": 12}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("rules by default (-want +got):\n%s", diff)
	}
	// hadolint's rules by id, as of 2.15.
	ids := []string{
		"DL1000", "DL1001", "DL3000", "DL3001", "DL3002", "DL3003", "DL3004", "DL3006", "DL3007", "DL3008", "DL3009", "DL3010", "DL3011",
		"DL3012", "DL3013", "DL3014", "DL3015", "DL3016", "DL3018", "DL3019", "DL3020", "DL3021", "DL3022", "DL3023", "DL3024", "DL3025",
		"DL3026", "DL3027", "DL3028", "DL3029", "DL3030", "DL3032", "DL3033", "DL3034", "DL3035", "DL3036", "DL3037", "DL3038", "DL3040",
		"DL3041", "DL3042", "DL3043", "DL3044", "DL3045", "DL3046", "DL3047", "DL3048", "DL3049", "DL3050", "DL3051", "DL3052", "DL3053",
		"DL3054", "DL3055", "DL3056", "DL3057", "DL3058", "DL3059", "DL3060", "DL3061", "DL3062", "DL3063", "DL3064", "DL3065", "DL3066",
		"DL3067", "DL4000", "DL4001", "DL4003", "DL4004", "DL4005", "DL4006",
	}
	for _, alias := range ids {
		n := 0
		for _, r := range allRules() {
			if named(r, []string{alias}) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d rules have the alias %s, want 1", n, alias)
		}
	}
}
