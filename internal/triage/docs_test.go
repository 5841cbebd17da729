package triage

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/triage/baseline"
	"github.com/portcullis-ci/portcullis/internal/triage/vex"
	"github.com/portcullis-ci/portcullis/internal/triage/waiver"
)

// blocks returns the fenced blocks of a page in the given language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	content, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(content), -1) {
		list = append(list, m[1])
	}
	if len(list) == 0 {
		t.Fatalf("%s has no example in %s", page, language)
	}
	return list
}

func TestTheExamplesOfThePageAboutWaiversAreInOrder(t *testing.T) {
	for _, example := range blocks(t, "waivers.md", "yaml") {
		f, err := waiver.Decode("example", []byte(example))
		if err != nil || len(f.Problems) > 0 || len(f.Waivers) == 0 {
			t.Errorf("%v, %+v:\n%s", err, f.Problems, example)
		}
	}
}

func TestThePageAboutWaiversHasEveryRuleWithItsSeverity(t *testing.T) {
	page, err := os.ReadFile("../../docs/waivers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		if row := "| `" + r.ID + "` | " + r.Severity.String() + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/waivers.md lacks %q", row)
		}
	}
}

func TestTheExamplesOfThePageAboutVEXAreInOrder(t *testing.T) {
	for _, example := range blocks(t, "vex.md", "json") {
		d, err := vex.Decode("example", []byte(example))
		if err != nil || len(d.Notes) > 0 || len(d.Statements) == 0 {
			t.Errorf("%v, %q:\n%s", err, d.Notes, example)
		}
	}
}

// TestTheExampleOfThePageAboutBaselinesIsWhatACompareSays makes the run that
// the page tells of.
func TestTheExampleOfThePageAboutBaselinesIsWhatACompareSays(t *testing.T) {
	content, err := os.ReadFile("../../testdata/triage/baseline.json")
	if err != nil {
		t.Fatal(err)
	}
	base, err := baseline.Decode("baseline.json", content)
	if err != nil {
		t.Fatal(err)
	}
	f := flaw("CVE-2022-24999", finding.Open, "app")
	f.Package = &finding.Package{Name: "qs", Version: "6.5.2", Type: "npm", PURL: "pkg:npm/qs@6.5.2"}
	now := baseline.Identity{Tool: base.Tool, ImageName: image, ImageID: "sha256:2", DatabaseDigest: "another", Targets: []string{image}}
	got := baseline.Compare([]finding.Finding{f}, base, now).Findings[0].Baseline
	for _, example := range blocks(t, "baseline.md", "json") {
		var page struct {
			Baseline struct{ State, Cause, Reason string }
		}
		if err := json.Unmarshal([]byte(example), &page); err != nil {
			t.Fatal(err)
		}
		if want := []string{string(got.State), string(got.Cause), got.Reason}; !slices.Equal(want, []string{page.Baseline.State, page.Baseline.Cause, page.Baseline.Reason}) {
			t.Errorf("the page says\n%sa comparison says %q", example, want)
		}
	}
}
