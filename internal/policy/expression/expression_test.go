package expression

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

var sample = FindingOf(finding.Finding{
	RuleID: "CVE-1", Aliases: []string{"GHSA-1"}, Kind: finding.Vulnerability, Severity: finding.High, Score: 8.1,
	Package:   &finding.Package{Name: "openssl", Version: "3.0", Type: "deb"},
	Locations: []finding.Location{{Path: "Dockerfile", Line: 4}, {Path: "/usr/bin/openssl"}},
	Evidence:  []finding.Fact{{Name: "published", Value: "2026-01-02"}},
	Fix:       finding.Fix{State: finding.Fixed, Version: "3.1"}, Status: finding.Open,
	Risk: &finding.Risk{EPSS: 0.4, KnownExploited: time.Unix(1, 0)},
}, finding.FromBuild)

func TestAConditionIsTrueOrFalse(t *testing.T) {
	inputs := Inputs{
		"findings": []Finding{sample, {ID: "CVE-2", Severity: "low", Level: 2}},
		"packages": []Package{{Name: "left-pad", Licences: []string{"WTFPL"}}},
		"image":    Image{User: "root", Labels: map[string]string{"team": "shop"}},
		"manifests": []map[string]any{
			{"kind": "Deployment", "spec": map[string]any{"replicas": 1}},
		},
		"distribution": Distribution{ID: "debian", Version: "12"},
		"now":          time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
	}
	tests := []struct {
		text string
		want bool
	}{
		{`findings.exists(f, f.level >= 4 && f.package.type == "deb")`, true},
		{`findings.filter(f, f.severity == "critical").size() > 0`, false},
		{`packages.exists(p, "WTFPL" in p.licences)`, true},
		{`image.user in ["", "0", "root"]`, true},
		{`!("owner" in image.labels) || image.labels["team"] == "web"`, true},
		{`manifests.exists(m, m.kind == "Deployment" && m.spec.replicas < 2)`, true},
		{`manifests.exists(m, m[?"spec"][?"hostNetwork"].orValue(false) == true)`, false},
		{`distribution.id == "debian" && int(distribution.version) < 12`, false},
		{`now - timestamp("2026-11-01T00:00:00Z") > duration("500h")`, true},
		{`findings.exists(f, f.known_exploited && f.epss > 0.3 && f.evidence["published"] < "2026-06")`, true},
		{`findings.all(f, f.paths.all(p, !p.startsWith("/opt/")))`, true},
	}
	for _, tt := range tests {
		p, err := Compile(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got, err := p.Run(inputs); err != nil || got != tt.want {
			t.Errorf("%s: got %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestAnExpressionAboutAnItemRunsForEach(t *testing.T) {
	p, err := Compile(`finding.level >= 4 && findings.size() == 2`)
	if err != nil {
		t.Fatal(err)
	}
	if p.Each() != EachFinding || !p.Uses("findings") || p.Uses("image") {
		t.Errorf("runs for each %q and uses %v", p.Each(), p.uses)
	}
	list := []Finding{{ID: "CVE-2", Level: 2}, sample}
	hits, err := p.RunEach(Inputs{"findings": list}, len(list), func(i int) any { return list[i] })
	if diff := cmp.Diff([]int{1}, hits); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestFaultsAreToldWhenTheExpressionIsRead(t *testing.T) {
	tests := []struct {
		name, text   string
		line, column int
		want         string
	}{
		{"a field that does not exist", `finding.sevrity == "high"`, 1, 8, "sevrity"},
		{"a variable that does not exist", "finding.level > 3 &&\n  images.size() > 1", 2, 3, "images"},
		{"types that cannot be compared", `finding.level == "high"`, 1, 15, "no matching overload"},
		{"broken syntax", `finding.level >`, 1, 16, "Syntax error"},
		{"a value that is no condition", `finding.level`, 1, 1, "true or false"},
		{"two items at once", `finding.level > 3 && pkg.name == "a"`, 1, 1, "of one only"},
		{"nothing", " ", 1, 1, "empty"},
		{"a text without end", strings.Repeat("a", maxText+1), 1, 1, "size exceeds limit"},
		{"nesting without end", strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500), 1, 1, "recursion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(tt.text)
			var fault *Error
			if !errors.As(err, &fault) {
				t.Fatalf("got %v", err)
			}
			if fault.Line != tt.line || fault.Column != tt.column || !strings.Contains(fault.Message, tt.want) {
				t.Errorf("got %v, want %q at %d:%d", fault, tt.want, tt.line, tt.column)
			}
		})
	}
}

func TestManifestsMayBeDeep(t *testing.T) {
	var deep any = "here"
	for range 150 {
		deep = map[string]any{"a": []any{deep}}
	}
	manifest := map[string]any{"kind": "Deployment", "spec": deep}
	for _, text := range []string{`manifest.kind == "Deployment" && size(manifest.spec.a) == 1`, `manifests.exists(m, m.spec.a[0].a[0] != null)`} {
		p, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if hit, err := p.Run(Inputs{"manifest": manifest, "manifests": []map[string]any{manifest}}); err != nil || !hit {
			t.Errorf("%s: got %v, %v", text, hit, err)
		}
	}
}

func TestCostIsLimited(t *testing.T) {
	many := make([]Finding, 3000)
	p, err := Compile(`findings.all(a, findings.all(b, a.id == b.id))`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(Inputs{"findings": many}); !errors.Is(err, errCost) {
		t.Errorf("one evaluation: got %v", err)
	}
	p, err = Compile(`findings.all(a, a.id == finding.id)`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.RunEach(Inputs{"findings": many}, len(many), func(i int) any { return many[i] }); !errors.Is(err, errCost) {
		t.Errorf("many evaluations: got %v", err)
	}
}

func TestAnExpressionWithoutAValueIsAnError(t *testing.T) {
	for _, text := range []string{`manifest.spec.replicas == 1`, `1 / 0 == 1`, `finding.evidence["no such"] == ""`} {
		p, err := Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := p.Run(Inputs{EachManifest: map[string]any{}, EachFinding: sample}); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// FuzzCompile holds that an expression either is refused with a place in its
// text, or can be run within its cost and gives the same value twice.
func FuzzCompile(f *testing.F) {
	f.Add(`finding.level >= 4 && finding.package.name.matches("^lib.*")`)
	f.Add(`findings.map(f, f.id).join(",") == ""`)
	f.Add(`[1,2,3].exists(x, x > 2`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Compile(text)
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) || fault.Line < 1 || fault.Column < 1 {
				t.Fatalf("%q: refused without a place: %v", text, err)
			}
			return
		}
		inputs := Inputs{
			"findings": []Finding{sample}, "packages": []Package{}, "image": Image{}, "manifests": []map[string]any{},
			"distribution": Distribution{}, "now": time.Unix(0, 0), EachFinding: sample, EachPackage: Package{}, EachManifest: map[string]any{},
		}
		first, errA := p.Run(inputs)
		second, errB := p.Run(inputs)
		if first != second || (errA == nil) != (errB == nil) {
			t.Errorf("%q: %v, %v and then %v, %v", text, first, errA, second, errB)
		}
	})
}

func TestAPanicOfTheEvaluationIsAnError(t *testing.T) {
	if hit, err := new(Program).Run(nil); err == nil || hit {
		t.Errorf("an expression that was never compiled gave %v, %v", hit, err)
	}
}
