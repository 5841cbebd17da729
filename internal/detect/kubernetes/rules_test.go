package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// ruleCase is a manifest for one rule. Where the rule must fire, ➤ stands
// before the first character of the place that it must point at; a case
// without ➤ must be silent for this rule.
type ruleCase struct {
	name     string
	manifest string
}

// casesByRule joins the tables of all families.
func casesByRule() map[string][]ruleCase {
	all := make(map[string][]ruleCase)
	for _, family := range []map[string][]ruleCase{
		readingCases, privilegeCases, hostCases, capabilityCases, identityCases, imageCases, secretCases, rbacCases,
		profileCases, hostShareCases, resourceCases, grantCases,
		networkCases, exposureCases, meshCases, clusterCases, cloudCases, relationCases, reliabilityCases, ignoreCases, schemaCases,
	} {
		maps.Copy(all, family)
	}
	return all
}

// optionsByRule holds the settings without which a rule has nothing to do.
var optionsByRule = map[string]Options{
	"k8s-ignore-expired": {Today: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)},
	"k8s-image-registry": {Registries: []string{"registry.example", "ghcr.io/shop", "docker.io/library/*"}},
}

func TestRules(t *testing.T) {
	cases := casesByRule()
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			firing, silent := 0, 0
			for _, c := range cases[r.ID] {
				if strings.Contains(c.manifest, "➤") {
					firing++
				} else {
					silent++
				}
				t.Run(c.name, func(t *testing.T) { checkCase(t, r.ID, c) })
			}
			if firing < 4 || silent < 4 {
				t.Errorf("%d cases in which the rule fires and %d in which it is silent: at least 4 of each are asked for", firing, silent)
			}
		})
	}
	for id := range cases {
		if !slices.ContainsFunc(Rules(), func(r rules.Rule) bool { return r.ID == id }) {
			t.Errorf("there are cases for %s, which is no rule", id)
		}
	}
}

func checkCase(t *testing.T, id string, c ruleCase) {
	t.Helper()
	text, want := unmark(c.manifest)
	opts := optionsByRule[id]
	opts.Enable = append(slices.Clone(opts.Enable), id)
	result := Lint(context.Background(), []File{{Path: "k8s/case.yaml", Content: []byte(text)}}, opts)
	checkResult(t, result)
	var got []string
	for _, f := range foundWith(result) {
		l := f.Locations[0]
		if f.RuleID == id {
			got = append(got, fmt.Sprintf("%d:%d", l.Line, l.Column))
		} else if f.RuleID == "k8s-unreadable" {
			t.Errorf("the case itself cannot be read: %s", f.Message)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places that the rule points at (-want +got):\n%s\n%s", diff, text)
	}
}

// unmark removes the marks and returns the places at which they stood.
func unmark(text string) (string, []string) {
	var want []string
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		for {
			before, after, ok := strings.Cut(line, "➤")
			if !ok {
				break
			}
			want = append(want, fmt.Sprintf("%d:%d", i+1, len([]rune(before))+1))
			line = before + after
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n"), want
}

// foundWith are the findings beside a scan that found version 1.4.1 of the
// image web vulnerable.
func foundWith(result Result) []finding.Finding {
	all := slices.Clone(result.Findings)
	for _, f := range result.Vulnerable {
		if slices.ContainsFunc(f.Evidence, func(e finding.Fact) bool {
			return e.Name == ImageFact && strings.Contains(e.Value, "web:1.4.1")
		}) {
			all = append(all, f)
		}
	}
	return all
}

// checkResult asserts what is always true of a result.
func checkResult(t *testing.T, result Result) {
	t.Helper()
	for _, f := range result.Failures {
		t.Errorf("the run failed: %s", f.Message)
	}
	seen := make(map[string]bool)
	for _, f := range result.Findings {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
		if seen[f.Fingerprint] {
			t.Errorf("fingerprint of %s %s is used twice", f.RuleID, f.Object)
		}
		seen[f.Fingerprint] = true
	}
}

func TestExamplesShowExactlyTheirRule(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if r.Bad == r.Good {
				t.Error("the bad example is the good one: the text that should be replaced is not there")
			}
			if got := rulesFiredOn(t, r, r.Bad); !slices.Equal(got, []string{r.ID}) {
				t.Errorf("the bad example fires %v, not just its rule:\n%s", got, r.Bad)
			}
			if got := rulesFiredOn(t, r, r.Good); len(got) > 0 {
				t.Errorf("the good example fires %v:\n%s", got, r.Good)
			}
		})
	}
}

// rulesFiredOn returns the ids of the rules that fire on an example, sorted.
func rulesFiredOn(t *testing.T, r rules.Rule, example string) []string {
	t.Helper()
	opts := optionsByRule[r.ID]
	if r.Off {
		opts.Enable = []string{r.ID}
	}
	result := Lint(context.Background(), []File{{Path: "k8s/web.yaml", Content: []byte(example)}}, opts)
	var ids []string
	for _, f := range foundWith(result) {
		if f.Status == finding.Open {
			ids = append(ids, f.RuleID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestCatalogueIsValid(t *testing.T) {
	if _, err := rules.NewCatalogue(Rules()); err != nil {
		t.Error(err)
	}
	for _, r := range Rules() {
		if r.Severity == finding.Unknown || len(r.References) == 0 || r.WhenToIgnore == "" {
			t.Errorf("rule %s lacks a severity, a reference or a word on when to ignore it", r.ID)
		}
	}
}

// pod is a pod with the given lines in its spec; container one with the given
// lines in its only container.
func pod(lines string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n" + indent(2, lines) +
		"  containers:\n    - name: app\n      image: registry.example/web:1\n"
}

func container(lines string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers:\n    - name: app\n      image: registry.example/web:1\n" +
		indent(6, lines)
}

// bareContainer has no fields but its name, before which a mark may stand.
func bareContainer(mark string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers:\n    - " + mark + "name: app\n      image: registry.example/web:1\n"
}

// inWorkload puts the lines of a pod spec into a workload of the given kind.
func inWorkload(apiVersion, kind, lines string) string {
	head := "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata:\n  name: web\n  namespace: shop\nspec:\n"
	if kind == "CronJob" {
		return head + "  jobTemplate:\n    spec:\n      template:\n        spec:\n" + indent(10, lines)
	}
	return head + "  template:\n    spec:\n" + indent(6, lines)
}

// mount is a pod that mounts a path of the node.
func mount(hostPath string) string {
	return pod("volumes:\n  - name: host\n    hostPath:\n      " + hostPath)
}
