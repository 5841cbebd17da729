package baseline

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	vulnerable "github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// The tests below hold the real detectors to what a baseline rests on: the
// fingerprints of their findings survive changes that are no change.

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile("../../../testdata/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// allKnown fails the test unless every finding is in a baseline of the first
// ones, and nothing of that is gone.
func allKnown(t *testing.T, before, after []finding.Finding) {
	t.Helper()
	if len(before) == 0 {
		t.Fatal("nothing is found: the test shows nothing")
	}
	var targets []string
	for _, f := range before {
		targets = append(targets, f.Target)
	}
	base := saved(t, run(before))
	now := IdentityOf(run(nil, rebuilt))
	now.Targets = targets
	got := Compare(after, base, now)
	for _, f := range got.Findings {
		if f.Baseline.State == finding.BaselineNew {
			t.Errorf("%s at %+v is new", f.RuleID, f.Locations[0])
		}
	}
	for _, f := range got.Summary.Fixed {
		t.Errorf("%s is gone", f.RuleID)
	}
	if got.Summary.NotExamined > 0 {
		t.Errorf("%d not looked at", got.Summary.NotExamined)
	}
}

func TestFingerprintsOfDockerfilesSurviveNewLinesAndBlanks(t *testing.T) {
	content := read(t, "demo/Dockerfile")
	lint := func(content string) []finding.Finding {
		return dockerfile.Lint(t.Context(), []dockerfile.File{{Path: "Dockerfile", Content: []byte(content)}}, dockerfile.Options{}).Findings
	}
	before := lint(content)
	for name, changed := range map[string]string{
		"blank lines above":     "\n\n\n" + content,
		"a comment above":       "# a remark\n" + content,
		"blank lines between":   strings.ReplaceAll(content, "\nFROM", "\n\n\n# again\n\nFROM"),
		"a new harmless line":   strings.Replace(content, "EXPOSE 8080", "STOPSIGNAL SIGTERM\nEXPOSE 8080", 1),
		"Windows' line endings": strings.ReplaceAll(content, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) { allKnown(t, before, lint(changed)) })
	}
}

func TestFingerprintsOfManifestsSurviveNewLinesAndTags(t *testing.T) {
	content := read(t, "demo/k8s/deployment.yaml")
	lint := func(content string) []finding.Finding {
		return kubernetes.Lint(t.Context(), []kubernetes.File{{Path: "k8s/web.yaml", Content: []byte(content)}}, kubernetes.Options{}).Findings
	}
	before := lint(content)
	other := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n---\n"
	for name, changed := range map[string]string{
		"a comment above":         "# a remark\n\n" + content,
		"another document above":  other + content,
		"blank lines between":     strings.ReplaceAll(content, "\nspec:", "\n\n\nspec:"),
		"another tag of an image": strings.ReplaceAll(content, ":1.", ":2."),
	} {
		t.Run(name, func(t *testing.T) { allKnown(t, before, lint(changed)) })
	}
}

func TestFingerprintsOfVulnerabilitiesSurviveRebuildsAndVersionBumps(t *testing.T) {
	out := t.TempDir()
	built := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	if _, err := builder.Build(t.Context(), builder.Request{From: []string{"../../../testdata/advisories"}, Out: out, Now: built}); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	match := func(minimist, layer string, extra ...inventory.Package) []finding.Finding {
		inv := inventory.Inventory{Packages: extra}
		for name, version := range map[string]string{"minimist": minimist, "lodash": "4.17.20"} {
			inv.Packages = append(inv.Packages, inventory.Package{
				ID: name, Name: name, Version: version, Type: "npm", PURL: fmt.Sprintf("pkg:npm/%s@%s", name, version),
				Places: []inventory.Place{{Path: "/app/node_modules/" + name + "/package.json", Layer: layer}},
			})
		}
		slices.SortFunc(inv.Packages, func(a, b inventory.Package) int { return strings.Compare(a.ID, b.ID) })
		r, err := vulnerable.Match(t.Context(), inv, db, vulnerable.Options{Target: image, Now: built})
		if err != nil {
			t.Fatal(err)
		}
		return r.Findings
	}
	before := match("1.2.5", "sha256:1")
	harmless := inventory.Package{
		ID: "a", Name: "a", Version: "1.0.0", Type: "npm", PURL: "pkg:npm/a@1.0.0",
		Places: []inventory.Place{{Path: "/app/node_modules/a/package.json", Layer: "sha256:1"}},
	}
	for name, after := range map[string][]finding.Finding{
		"a rebuild, with other layers":    match("1.2.5", "sha256:2"),
		"a version that is no better":     match("1.2.4", "sha256:1"),
		"a further package that is sound": match("1.2.5", "sha256:1", harmless),
	} {
		t.Run(name, func(t *testing.T) { allKnown(t, before, after) })
	}
	fixed := Compare(match("1.2.8", "sha256:1"), saved(t, run(before)), IdentityOf(run(nil, rebuilt))).Summary
	if fixed.New != 0 || len(fixed.Fixed) == 0 {
		t.Errorf("a version that is better: %+v", fixed)
	}
}
