package waiver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func options() Options {
	return Options{
		Now: now, MaxLife: 90 * 24 * time.Hour, WarnBefore: 14 * 24 * time.Hour,
		Images: []*inventory.Image{{Name: "registry.example/shop/web", Reference: "registry.example/shop/web:1.2", Digest: "sha256:" + strings.Repeat("1", 64)}},
		Scope: Scope{
			Kinds:   []finding.Kind{finding.Vulnerability, finding.Dockerfile, finding.Kubernetes},
			Targets: []string{"registry.example/shop/web", "Dockerfile", "k8s/web.yaml"},
			RuleKind: func(id string) (finding.Kind, bool) {
				switch {
				case strings.HasPrefix(id, "k8s-"), id == "KSV-0017":
					return finding.Kubernetes, true
				case strings.HasPrefix(id, "PC-DF"):
					return finding.Dockerfile, true
				}
				return "", false
			},
		},
	}
}

func vulnerability() finding.Finding {
	return finding.Finding{
		RuleID: "CVE-2024-1234", Aliases: []string{"DSA-1-1", "GHSA-aaaa-bbbb-cccc"}, Kind: finding.Vulnerability, Severity: finding.High,
		Title: "t", Message: "m", Target: "registry.example/shop/web", Status: finding.Open,
		Package: &finding.Package{Name: "libqs3", Version: "6.5.2-1", Type: "deb", PURL: "pkg:deb/debian/libqs3@6.5.2-1?arch=amd64", Source: "qs"},
		Locations: []finding.Location{
			{Space: finding.Repository, Path: "services/web/Dockerfile", Line: 3},
			{Space: finding.InImage, Path: "/var/lib/dpkg/info/libqs3.list"},
			{Space: finding.InImage, Path: "/var/lib/dpkg/status"},
		},
		Fingerprint: "f1",
	}
}

func manifest() finding.Finding {
	return finding.Finding{
		RuleID: "k8s-privileged", Aliases: []string{"KSV-0017"}, Kind: finding.Kubernetes, Severity: finding.Critical,
		Title: "t", Message: "m", Target: "k8s/web.yaml", Object: "Deployment/shop/web, container web", Status: finding.Open,
		Locations: []finding.Location{{Space: finding.Repository, Path: "k8s/web.yaml", Line: 18}}, Fingerprint: "f2",
	}
}

// entry makes a waiver file with one entry of the given keys beside those that
// every entry needs.
func entry(keys string) string {
	return "waivers:\n  - owner: team@example.org\n    reason: Not reachable.\n    created: 2026-11-01\n    expires: 2027-01-15\n    " +
		strings.ReplaceAll(keys, "; ", "\n    ") + "\n"
}

func decode(t *testing.T, content string) File {
	t.Helper()
	f, err := Decode(FileName, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAWaiverMeansWhatAllItsKeysMean(t *testing.T) {
	tests := []struct {
		name, keys string
		finding    finding.Finding
		want       bool
	}{
		{"the id", "id: CVE-2024-1234", vulnerability(), true},
		{"an alias in another letter case", "id: ghsa-AAAA-bbbb-cccc", vulnerability(), true},
		{"another id", "id: CVE-2024-12345", vulnerability(), false},
		{"another tool's id of a rule", "id: KSV-0017", manifest(), true},
		{"the package's name", "id: DSA-1-1; package: libqs3", vulnerability(), true},
		{"the source package's name", "id: DSA-1-1; package: qs", vulnerability(), true},
		{"a part of the name", "id: DSA-1-1; package: libqs", vulnerability(), false},
		{"the package URL", "id: DSA-1-1; package: pkg:deb/debian/libqs3", vulnerability(), true},
		{"the package URL of another version", "id: DSA-1-1; package: pkg:deb/debian/libqs3@6.5.3-1", vulnerability(), false},
		{"a version in the range", `id: DSA-1-1; package: qs; versions: "<6.5.3"`, vulnerability(), true},
		{"a version outside", `id: DSA-1-1; package: qs; versions: ">=6.5.3"`, vulnerability(), false},
		{"a package for a finding without one", "id: k8s-privileged; package: web", manifest(), false},
		{"every vulnerability of a package", `id: "*"; package: qs`, vulnerability(), true},
		{"the file where it is fixed", "id: DSA-1-1; path: services/**", vulnerability(), true},
		{"another file", "id: DSA-1-1; path: services/*", vulnerability(), false},
		{"all places in the image", "id: DSA-1-1; path: /var/lib/dpkg/**", vulnerability(), true},
		{"only one of the places in the image", "id: DSA-1-1; path: /var/lib/dpkg/status", vulnerability(), false},
		{"the image's repository", "id: DSA-1-1; image: registry.example/shop/*", vulnerability(), true},
		{"the image's tag", `id: DSA-1-1; image: "registry.example/shop/web:1.2"`, vulnerability(), true},
		{"another tag", `id: DSA-1-1; image: "registry.example/shop/web:1.3"`, vulnerability(), false},
		{"the image's digest", "id: DSA-1-1; image: registry.example/shop/web@sha256:" + strings.Repeat("1", 64), vulnerability(), true},
		{"another image", "id: DSA-1-1; image: registry.example/shop/api", vulnerability(), false},
		{"an image for a manifest's finding", "id: k8s-privileged; image: '**'", manifest(), false},
		{"the object", "id: k8s-privileged; object: Deployment/shop/web", manifest(), true},
		{"objects of a namespace", "id: k8s-privileged; object: '*/shop/*'", manifest(), true},
		{"the container", "id: k8s-privileged; object: 'Deployment/shop/web, container web'", manifest(), true},
		{"another namespace", "id: k8s-privileged; object: Deployment/test/*", manifest(), false},
		{"two keys of which one does not hold", "id: DSA-1-1; package: qs; path: other/**", vulnerability(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := decode(t, entry(tt.keys))
			if len(file.Problems) > 0 {
				t.Fatalf("problems: %+v", file.Problems)
			}
			got := Apply([]finding.Finding{tt.finding}, file, options())
			if waived := got.Findings[0].Status == finding.Waived; waived != tt.want {
				t.Errorf("waived is %v", waived)
			}
			if unused := len(got.Uses) == 0; unused == tt.want {
				t.Errorf("unused is %v", unused)
			}
		})
	}
}

func TestAWaivedFindingNamesReasonOwnerEndAndSource(t *testing.T) {
	got := Apply([]finding.Finding{vulnerability()}, decode(t, entry("id: DSA-1-1")), options()).Findings[0]
	want := vulnerability()
	want.Status, want.StatusReason = finding.Waived, "Not reachable. (team@example.org, until 2027-01-15, "+FileName+":6:9)"
	want.StatusSource, want.StatusUntil = FileName+":6:9", time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFindingThatSomebodyElseRuledOutKeepsItsStatusAndUsesTheWaiver(t *testing.T) {
	f := vulnerability()
	f.Status, f.StatusReason, f.StatusSource = finding.NotAffected, "not linked", "app.vex.json"
	got := Apply([]finding.Finding{f}, decode(t, entry("id: DSA-1-1")), options())
	if diff := cmp.Diff([]finding.Finding{f}, got.Findings); diff != "" || len(got.Notices) > 0 {
		t.Errorf("notices %v (-want +got):\n%s", got.Notices, diff)
	}
}

func TestAFindingAboutAWaiverCannotBeWaived(t *testing.T) {
	notices := Apply(nil, decode(t, strings.ReplaceAll(entry("id: CVE-2020-1"), "2027-01-15", "2026-11-02")), options()).Notices
	if ruleIDs(notices) != "PC-WAIVER-EXPIRED" {
		t.Fatalf("got %q", ruleIDs(notices))
	}
	got := Apply(notices, decode(t, entry("id: PC-WAIVER-EXPIRED")), options())
	if diff := cmp.Diff(notices, got.Findings); diff != "" || len(got.Uses) > 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOfSeveralWaiversTheOneThatLastsLongestIsNamed(t *testing.T) {
	content := entry("id: DSA-1-1") + strings.TrimPrefix(strings.ReplaceAll(entry("id: CVE-2024-1234"), "2027-01-15", "2027-01-20"), "waivers:\n")
	got := Apply([]finding.Finding{vulnerability()}, decode(t, content), options())
	if !strings.Contains(got.Findings[0].StatusReason, "until 2027-01-20,") || len(got.Uses) != 2 || len(got.Notices) > 0 {
		t.Errorf("got %q, %d uses, notices %+v", got.Findings[0].StatusReason, len(got.Uses), got.Notices)
	}
}

func TestTheLifeOfAWaiver(t *testing.T) {
	at := func(s string) time.Time {
		moment, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	tests := []struct {
		name, created, expires string
		now                    time.Time
		waived                 bool
		notice                 string
	}{
		{"in the middle of its life", "2026-11-01", "2027-01-15", now, true, ""},
		{"two weeks before its end", "2026-11-01", "2026-12-06", now, true, "PC-WAIVER-EXPIRING"},
		{"a day more than two weeks before its end", "2026-11-01", "2026-12-07", now, true, ""},
		{"in the last second of its last day", "2026-11-01", "2026-11-23", at("2026-11-23T23:59:59Z"), true, "PC-WAIVER-EXPIRING"},
		{"in the first second after", "2026-11-01", "2026-11-23", at("2026-11-24T00:00:00Z"), false, "PC-WAIVER-EXPIRED"},
		{"as long as the policy allows", "2026-11-01", "2027-01-30", now, true, ""},
		{"a day longer", "2026-11-01", "2027-01-31", now, false, "PC-WAIVER-LIFE"},
		{"created where it is tomorrow already", "2026-11-24", "2027-01-15", now, true, ""},
		{"created in the future", "2026-11-26", "2027-01-15", now, false, "PC-WAIVER-MALFORMED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := strings.NewReplacer("2026-11-01", tt.created, "2027-01-15", tt.expires).Replace(entry("id: DSA-1-1"))
			o := options()
			o.Now = tt.now
			got := Apply([]finding.Finding{vulnerability()}, decode(t, content), o)
			if waived := got.Findings[0].Status == finding.Waived; waived != tt.waived {
				t.Errorf("waived is %v", waived)
			}
			if ids := ruleIDs(got.Notices); ids != tt.notice {
				t.Errorf("notices %q, want %q", ids, tt.notice)
			}
		})
	}
	o := options()
	o.MaxLife, o.WarnBefore = 0, 0
	got := Apply([]finding.Finding{vulnerability()}, decode(t, strings.ReplaceAll(entry("id: DSA-1-1"), "2027-01-15", "2036-01-01")), o)
	if got.Findings[0].Status != finding.Waived || len(got.Notices) > 0 {
		t.Errorf("without limits: %s, %v", got.Findings[0].Status, got.Notices)
	}
}

func ruleIDs(findings []finding.Finding) string {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.RuleID)
	}
	return strings.Join(ids, " ")
}

func TestAWaiverIsUnusedOnlyWhereItsFindingWouldHaveBeenSeen(t *testing.T) {
	lintOnly := func(o *Options) {
		o.Scope.Kinds, o.Scope.Targets = []finding.Kind{finding.Dockerfile}, []string{"Dockerfile"}
	}
	tests := []struct {
		name, keys string
		edit       func(*Options)
		want       bool
	}{
		{"an advisory that was looked for", "id: CVE-2020-1", nil, true},
		{"an advisory when only files were linted", "id: CVE-2020-1", lintOnly, false},
		{"a rule that was looked for", "id: PC-DF009", lintOnly, true},
		{"a rule of another kind", "id: k8s-privileged", lintOnly, false},
		{"another image", "id: CVE-2020-1; image: registry.example/shop/api", nil, false},
		{"this image", "id: CVE-2020-1; image: registry.example/shop/web", nil, true},
		{"a file that was not linted", "id: PC-DF009; path: other/Dockerfile", nil, false},
		{"a file that is not in the whole repository", "id: PC-DF009; path: other/Dockerfile", func(o *Options) { o.Scope.Complete = true }, true},
		{"a file that was linted", "id: PC-DF009; path: Dockerfile", nil, true},
		{"a run that failed", "id: CVE-2020-1", func(o *Options) { o.Scope.Kinds = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options()
			if tt.edit != nil {
				tt.edit(&o)
			}
			got := ruleIDs(Apply([]finding.Finding{vulnerability()}, decode(t, entry(tt.keys)), o).Notices)
			if (got == "PC-WAIVER-UNUSED") != tt.want || !tt.want && got != "" {
				t.Errorf("notices: %q", got)
			}
		})
	}
}

func TestEveryRuleFiresOnItsBadExampleAndNoneOnTheGoodOne(t *testing.T) {
	catalogue, err := rules.NewCatalogue(Rules())
	if err != nil {
		t.Fatal(err)
	}
	f := vulnerability()
	f.Package = &finding.Package{Name: "qs", Version: "6.5.2", Type: "npm", PURL: "pkg:npm/qs@6.5.2"}
	for _, r := range catalogue.All() {
		if got := ruleIDs(Apply([]finding.Finding{f}, decode(t, r.Bad), options()).Notices); got != r.ID {
			t.Errorf("%s: its bad example gives %q", r.ID, got)
		}
		if got := Apply([]finding.Finding{f}, decode(t, r.Good), options()); len(got.Notices) > 0 || got.Findings[0].Status != finding.Waived {
			t.Errorf("%s: its good example gives %q", r.ID, ruleIDs(got.Notices))
		}
	}
}

func TestNoticesAreSoundFindingsThatSurviveNewLines(t *testing.T) {
	content := "waivers:\n"
	for _, r := range Rules() {
		content += strings.TrimPrefix(r.Bad, "version: 1\nwaivers:\n")
	}
	first := Apply([]finding.Finding{vulnerability()}, decode(t, content), options()).Notices
	moved := Apply([]finding.Finding{vulnerability()}, decode(t, "# a note\n\n"+content), options()).Notices
	if len(first) != len(Rules()) {
		t.Fatalf("got %s", ruleIDs(first))
	}
	for i, f := range first {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
		if f.Fingerprint != moved[i].Fingerprint || f.Locations[0].Line+2 != moved[i].Locations[0].Line {
			t.Errorf("%s moved from %+v to %+v", f.RuleID, f.Locations, moved[i].Locations)
		}
	}
}

// manyFindings and manyWaivers meet each other in many ways.
func manyFindings() []finding.Finding {
	var all []finding.Finding
	for i := range 6 {
		for _, pkg := range []string{"qs", "curl", "zlib"} {
			f := vulnerability()
			f.RuleID, f.Aliases = fmt.Sprintf("CVE-2024-%d", i), []string{fmt.Sprintf("GHSA-%d", i%4)}
			f.Package = &finding.Package{Name: pkg, Version: fmt.Sprintf("%d.0.0", i), Type: "npm", PURL: fmt.Sprintf("pkg:npm/%s@%d.0.0", pkg, i)}
			f.Fingerprint = fmt.Sprintf("%s-%d", pkg, i)
			all = append(all, f)
		}
	}
	return append(all, manifest())
}

func manyWaivers(t *testing.T) File {
	content := entry("id: CVE-2024-1")
	for _, keys := range []string{
		"id: GHSA-2; package: qs", `id: "*"; package: zlib; versions: "<3"`, "id: CVE-2024-3; package: pkg:npm/curl",
		"id: CVE-2024-99", "id: k8s-privileged; object: '*/shop/*'", "id: GHSA-1", "id: CVE-2024-5; path: nowhere/**",
	} {
		content += strings.TrimPrefix(entry(keys), "waivers:\n")
	}
	return decode(t, content)
}

func TestTheOrderOfWaiversAndFindingsNeverMatters(t *testing.T) {
	findings, file := manyFindings(), manyWaivers(t)
	want := Apply(findings, file, options())
	finding.Sort(want.Findings)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f, w := slices.Clone(findings), file
		w.Waivers = slices.Clone(file.Waivers)
		rng.Shuffle(len(f), func(i, j int) { f[i], f[j] = f[j], f[i] })
		rng.Shuffle(len(w.Waivers), func(i, j int) { w.Waivers[i], w.Waivers[j] = w.Waivers[j], w.Waivers[i] })
		got := Apply(f, w, options())
		finding.Sort(got.Findings)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Result{}, "Uses")); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestApplyingTwiceEqualsOnceAndChangesNothingInPlace(t *testing.T) {
	findings, file := manyFindings(), manyWaivers(t)
	before := manyFindings()
	once := Apply(findings, file, options())
	if diff := cmp.Diff(before, findings); diff != "" {
		t.Errorf("the given findings changed:\n%s", diff)
	}
	twice := Apply(once.Findings, file, options())
	if diff := cmp.Diff(once, twice, cmp.AllowUnexported(Waiver{}), cmpopts.IgnoreFields(Waiver{}, "purl", "versions")); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
}

func TestAddingAWaiverChangesOnlyTheFindingsThatItMeans(t *testing.T) {
	findings, file := manyFindings(), manyWaivers(t)
	for i, added := range file.Waivers {
		without := file
		without.Waivers = slices.Delete(slices.Clone(file.Waivers), i, i+1)
		before, after := Apply(findings, without, options()), Apply(findings, file, options())
		var meant []string
		for _, u := range after.Uses {
			if u.Waiver.Place == added.Place {
				meant = u.Fingerprints
			}
		}
		for j, f := range after.Findings {
			if slices.Contains(meant, f.Fingerprint) {
				continue
			}
			if diff := cmp.Diff(before.Findings[j], f); diff != "" {
				t.Errorf("%s changed %s:\n%s", added.Describe(), f.Fingerprint, diff)
			}
		}
	}
}

// BenchmarkApply holds five thousand findings against a thousand waivers.
func BenchmarkApply(b *testing.B) {
	var file File
	var findings []finding.Finding
	for i := range 5000 {
		f := vulnerability()
		f.RuleID, f.Fingerprint = fmt.Sprintf("CVE-2024-%d", i%2000), fmt.Sprint(i)
		findings = append(findings, f)
	}
	for i := range 1000 {
		w := Waiver{ID: fmt.Sprintf("CVE-2024-%d", i), Package: "pkg:deb/debian/libqs3", Path: "services/**", Owner: "team", Reason: "not reachable"}
		if faults := w.check("2026-11-01", "2027-01-15"); len(faults) > 0 {
			b.Fatal(faults)
		}
		file.Waivers = append(file.Waivers, w)
	}
	for b.Loop() {
		if got := Apply(findings, file, options()); len(got.Uses) != 1000 {
			b.Fatal(len(got.Uses))
		}
	}
}
