package finding

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownSeverityIsNoLowSeverity(t *testing.T) {
	tests := []struct {
		severity, threshold Severity
		want                bool
	}{
		{High, High, true},
		{Critical, High, true},
		{Medium, High, false},
		{Info, Info, true},
		{Unknown, Info, false},
		{Unknown, Unknown, true},
		{Critical, Unknown, false},
	}
	for _, tt := range tests {
		if got := tt.severity.AtLeast(tt.threshold); got != tt.want {
			t.Errorf("%s at least %s: got %v, want %v", tt.severity, tt.threshold, got, tt.want)
		}
	}
}

func TestParseSeverityReadsBackEveryName(t *testing.T) {
	for _, s := range Severities() {
		for _, spelling := range []string{s.String(), strings.ToUpper(s.String()), " " + s.String()} {
			if got, err := ParseSeverity(spelling); err != nil || got != s {
				t.Errorf("%q: got %s, %v", spelling, got, err)
			}
		}
	}
	if _, err := ParseSeverity("severe"); err == nil || !strings.Contains(err.Error(), "critical") {
		t.Errorf("a name that does not exist: %v, want an error that lists the names", err)
	}
}

func TestSeverityFromScoreFollowsTheBandsOfCVSS(t *testing.T) {
	tests := map[float64]Severity{
		0: Info, 0.1: Low, 3.9: Low, 4.0: Medium, 6.9: Medium, 7.0: High, 8.9: High, 9.0: Critical, 10: Critical,
	}
	for score, want := range tests {
		if got := SeverityFromScore(score); got != want {
			t.Errorf("%.1f: got %s, want %s", score, got, want)
		}
	}
}

func TestFingerprintTellsPartsApart(t *testing.T) {
	a := Fingerprint(Vulnerability, "CVE-1", "ab", "c")
	if a != Fingerprint(Vulnerability, "CVE-1", "ab", "c") {
		t.Error("the same parts give two fingerprints")
	}
	for _, other := range []string{
		Fingerprint(Vulnerability, "CVE-1", "a", "bc"),
		Fingerprint(Vulnerability, "CVE-1", "ab", "c", ""),
		Fingerprint(Vulnerability, "CVE-12", "ab", "c"),
		Fingerprint(Secret, "CVE-1", "ab", "c"),
	} {
		if other == a {
			t.Error("different parts give one fingerprint")
		}
	}
}

func TestDistinguishMakesFingerprintsUniqueAndKeepsTheFirst(t *testing.T) {
	same := Finding{RuleID: "r", Kind: Dockerfile, Fingerprint: "x"}
	got := Distinguish([]Finding{same, same, {RuleID: "r", Fingerprint: "y"}, same})
	if got[0].Fingerprint != "x" || got[2].Fingerprint != "y" {
		t.Errorf("the first of each changed: %q, %q", got[0].Fingerprint, got[2].Fingerprint)
	}
	seen := map[string]bool{}
	for _, f := range got {
		if seen[f.Fingerprint] {
			t.Errorf("fingerprint %q twice", f.Fingerprint)
		}
		seen[f.Fingerprint] = true
	}
	again := Distinguish([]Finding{same, same, {RuleID: "r", Fingerprint: "y"}, same})
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("a second run differs:\n%s", diff)
	}
}

func TestSortDoesNotDependOnTheOrderBefore(t *testing.T) {
	var all []Finding
	for _, s := range Severities() {
		for _, path := range []string{"Dockerfile", "k8s/web.yaml"} {
			for line := range 3 {
				all = append(all, Finding{
					RuleID: "r", Severity: s, Fingerprint: Fingerprint(Dockerfile, "r", path, s.String(), string(rune('a'+line))),
					Locations: []Location{{Space: Repository, Path: path, Line: line + 1}},
				})
			}
		}
	}
	want := slices.Clone(all)
	Sort(want)
	if want[0].Severity != Critical || want[len(want)-1].Severity != Unknown {
		t.Errorf("order goes from %s to %s, want critical to unknown", want[0].Severity, want[len(want)-1].Severity)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		got := slices.Clone(all)
		rng.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order (-want +got):\n%s", diff)
		}
	}
}

func TestEqualFindingsKeepTheirOrderWhenTheyAreMoved(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	byLine := func(a, b *Finding) int { return a.Locations[0].Line - b.Locations[0].Line }
	for n := range 60 {
		var got []Finding
		for i := range n {
			got = append(got, Finding{Fingerprint: string(rune('A' + i)), Locations: []Location{{Line: rng.IntN(1 + n/3)}}})
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, func(a, b Finding) int { return byLine(&a, &b) })
		SortStableFunc(got, byLine)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d findings (-want +got):\n%s", n, diff)
		}
	}
}

func TestValidateNamesTheFirstBrokenPromise(t *testing.T) {
	valid := Finding{
		RuleID: "r", Kind: Dockerfile, Title: "t", Message: "m", Fingerprint: "f", Status: Open,
		Locations: []Location{{Space: Repository, Path: "Dockerfile", Line: 1, Column: 1, EndLine: 1, EndColumn: 5}},
	}
	if err := valid.Validate(); err != nil {
		t.Fatalf("a valid finding: %v", err)
	}
	tests := []struct {
		name string
		edit func(*Finding)
		want string
	}{
		{"no rule", func(f *Finding) { f.RuleID = "" }, "rule id"},
		{"no kind", func(f *Finding) { f.Kind = "" }, "kind"},
		{"no message", func(f *Finding) { f.Message = "" }, "message"},
		{"no location", func(f *Finding) { f.Locations = nil }, "no location"},
		{"no fingerprint", func(f *Finding) { f.Fingerprint = "" }, "fingerprint"},
		{"no status", func(f *Finding) { f.Status = "" }, "status"},
		{"a location in no space", func(f *Finding) { f.Locations = []Location{{Path: "x"}} }, "space"},
		{"a location without a path", func(f *Finding) { f.Locations = []Location{{Space: InImage}} }, "path"},
		{"a column without a line", func(f *Finding) { f.Locations = []Location{{Space: InImage, Path: "/x", Column: 2}} }, "position"},
		{"an end before the start", func(f *Finding) {
			f.Locations = []Location{{Space: InImage, Path: "/x", Line: 3, EndLine: 2}}
		}, "ends on line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := valid
			tt.edit(&f)
			if err := f.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}
