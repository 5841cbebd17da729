package gate

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

func flaw(fingerprint, version string, s finding.Severity, status finding.Status, origin finding.Origin) finding.Finding {
	return finding.Finding{
		RuleID: "CVE-1", Kind: finding.Vulnerability, Severity: s, Message: "m.", Fingerprint: fingerprint, Status: status, Origin: origin,
		Package: &finding.Package{Name: "curl", Version: version},
	}
}

func TestFindingsOfPlatformsAreJoined(t *testing.T) {
	high := flaw("a", "1", finding.High, finding.Open, finding.FromBaseImage)
	excused := flaw("a", "1", finding.Critical, finding.NotAffected, finding.FromBaseImage)
	excused.StatusReason = "not on this architecture"
	tests := []struct {
		name     string
		lists    [][]finding.Finding
		severity finding.Severity
		status   finding.Status
		origin   finding.Origin
		evidence []finding.Fact
		message  string
	}{
		{"both have it", [][]finding.Finding{{high}, {high}}, finding.High, finding.Open, finding.FromBaseImage, nil, "m."},
		{"only the second has it", [][]finding.Finding{nil, {high}}, finding.High, finding.Open, finding.FromBaseImage, []finding.Fact{{Name: "platforms", Value: "linux/arm64"}}, "m. Only on linux/arm64."},
		{
			"the worse severity stays",
			[][]finding.Finding{{high}, {flaw("a", "1", finding.Critical, finding.Open, finding.FromBaseImage)}},
			finding.Critical, finding.Open, finding.FromBaseImage, nil, "m.",
		},
		{
			"what is open counts before what is excused elsewhere",
			[][]finding.Finding{{excused}, {high}},
			finding.High, finding.Open, finding.FromBaseImage,
			[]finding.Fact{{Name: "linux/amd64", Value: "not affected: not on this architecture"}, {Name: "platforms", Value: "linux/arm64"}},
			"m. Only on linux/arm64.",
		},
		{"what is excused everywhere is excused", [][]finding.Finding{{excused}, {excused}}, finding.Critical, finding.NotAffected, finding.FromBaseImage, nil, "m."},
		{
			"the base image's on one platform only is nobody's",
			[][]finding.Finding{{high}, {flaw("a", "1", finding.High, finding.Open, finding.FromBuild)}},
			finding.High, finding.Open, "", nil, "m.",
		},
		{
			"other versions are told",
			[][]finding.Finding{{high}, {flaw("a", "2", finding.High, finding.Open, finding.FromBaseImage)}},
			finding.High, finding.Open, finding.FromBaseImage,
			[]finding.Fact{{Name: "linux/arm64", Value: "curl 2"}},
			"m.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := joinFindings([]string{"linux/amd64", "linux/arm64"}, tt.lists)
			if len(got) != 1 {
				t.Fatalf("%d findings, want 1", len(got))
			}
			f := got[0]
			if f.Severity != tt.severity || f.Status != tt.status || f.Origin != tt.origin || f.Message != tt.message {
				t.Errorf("got %s, %s, %q, %q", f.Severity, f.Status, f.Origin, f.Message)
			}
			if diff := cmp.Diff(tt.evidence, f.Evidence); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCoverageOfPlatformsAddsUp(t *testing.T) {
	one := outcome.Coverage{
		Packages: 3, Assessed: 1,
		Gaps:       []outcome.Gap{{Reason: outcome.NoFeed, Detail: "npm", Packages: []string{"a 1"}}, {Reason: outcome.EndOfLife, Detail: "x", Packages: []string{"c 1"}}},
		Unreadable: []inventory.Unreadable{{Path: "/a", Reason: "r"}},
	}
	two := outcome.Coverage{Packages: 2, Assessed: 1, Gaps: []outcome.Gap{{Reason: outcome.NoFeed, Detail: "npm", Packages: []string{"a 1"}}}, Unreadable: one.Unreadable}
	got := joinCoverage(one, two)
	if got.Packages != 5 || got.Assessed != 2 || got.Assessed+got.NotAssessed() != got.Packages || len(got.Gaps) != 2 || len(got.Unreadable) != 1 {
		t.Errorf("got %+v", got)
	}
	if one.Gaps[0].Packages[0] != "a 1" || len(one.Gaps[0].Packages) != 1 {
		t.Error("the input was changed")
	}
}

func TestAnIndexIsDescribedWithoutThePlatformsOwnDigests(t *testing.T) {
	image := func(platform, digest string, layers ...string) *inventory.Image {
		img := &inventory.Image{Name: "shop", Platform: platform, Digest: digest, ID: "id-" + digest, IndexDigest: "index"}
		for i, l := range layers {
			img.Layers = append(img.Layers, inventory.Layer{DiffID: l, History: i})
			img.History = append(img.History, inventory.History{CreatedBy: platform + " " + l})
		}
		return img
	}
	got := joinImages([]*inventory.Image{image("linux/amd64", "d1", "a", "shared"), image("linux/arm64", "d2", "b", "shared")})
	if got.Digest != "index" || got.ID != "index" || got.Platform != "linux/amd64, linux/arm64" || len(got.Platforms) != 2 {
		t.Errorf("got %+v", got)
	}
	var made []string
	for _, l := range got.Layers {
		made = append(made, got.History[l.History].CreatedBy)
	}
	if want := []string{"linux/amd64 a", "linux/amd64 shared", "linux/arm64 b"}; !slices.Equal(made, want) {
		t.Errorf("layers made by %s, want %s", strings.Join(made, "; "), want)
	}
}
