package baseline

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/jsonreport"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

const image = "registry.example/shop/web"

var (
	lastWeek = time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)
	today    = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
)

func vulnerability(id, name, version string, aliases ...string) finding.Finding {
	return finding.Finding{
		RuleID: id, Aliases: aliases, Kind: finding.Vulnerability, Severity: finding.High, Title: "t", Message: "m", Target: image,
		Package:     &finding.Package{Name: name, Version: version, Type: "npm", PURL: "pkg:npm/" + name + "@" + version},
		Locations:   []finding.Location{{Space: finding.InImage, Path: "/app/" + name, Layer: "sha256:app"}},
		Evidence:    []finding.Fact{{Name: "published", Value: "2026-01-01"}},
		Fingerprint: finding.Fingerprint(finding.Vulnerability, id, image, "npm", name), Status: finding.Open,
	}
}

func lint(id string) finding.Finding {
	return finding.Finding{
		RuleID: id, Kind: finding.Dockerfile, Severity: finding.Medium, Title: "t", Message: "m", Target: "Dockerfile",
		Locations:   []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: 1}},
		Fingerprint: finding.Fingerprint(finding.Dockerfile, id, "Dockerfile"), Status: finding.Open,
	}
}

// run makes an outcome of last week; changes make it another one.
func run(findings []finding.Finding, changes ...func(*outcome.Outcome)) outcome.Outcome {
	o := outcome.Outcome{
		Tool: outcome.Tool{Name: "portcullis", Version: "0.1.0"}, Started: lastWeek, Finished: lastWeek,
		Targets: []outcome.Target{
			{Kind: outcome.TargetImage, Name: image, Examined: true}, {Kind: outcome.TargetDockerfile, Name: "Dockerfile", Examined: true},
		},
		Image:       &inventory.Image{Name: image, Reference: image + ":1", Source: "registry", ID: "sha256:one"},
		PackageURLs: []string{"pkg:npm/lodash@4.17.20", "pkg:npm/qs@6.5.2"},
		Database:    outcome.Database{Location: "db", Digest: "db-one", Built: lastWeek},
		Findings:    findings,
		Verdict:     outcome.Verdict{Result: outcome.Pass},
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

func rebuilt(o *outcome.Outcome) { o.Image.ID = "sha256:two" }

func learned(o *outcome.Outcome) { o.Database.Digest, o.Database.Built = "db-two", today }

func updated(o *outcome.Outcome) { o.Tool.Version = "0.2.0" }

func packages(purls ...string) func(*outcome.Outcome) {
	return func(o *outcome.Outcome) { o.PackageURLs = purls }
}

// saved writes an outcome as a JSON report and reads it as a baseline.
func saved(t testing.TB, o outcome.Outcome) Report {
	t.Helper()
	var b bytes.Buffer
	if err := jsonreport.Write(t.Context(), &b, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	r, err := Decode("main.json", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASavedReportSaysWhatTheOutcomeSays(t *testing.T) {
	for name, o := range map[string]outcome.Outcome{
		"a small run": run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2"), lint("PC-DF009")}),
		"a rich run":  reporttest.Outcome(), "a passed run": reporttest.Passed(), "an incomplete run": reporttest.Incomplete(),
	} {
		t.Run(name, func(t *testing.T) {
			got, want := saved(t, o), FromOutcome("main.json", o)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Identity{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-outcome +report):\n%s", diff)
			}
		})
	}
}

func TestFindingsAreNewOrKnownAndWhatIsGoneIsFixed(t *testing.T) {
	base := saved(t, run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2"), vulnerability("CVE-2", "lodash", "4.17.20"), lint("PC-DF009")}))
	now := run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2"), vulnerability("CVE-3", "minimist", "1.2.5"), lint("PC-DF002")},
		rebuilt, packages("pkg:npm/lodash@4.17.21", "pkg:npm/qs@6.5.2", "pkg:npm/minimist@1.2.5"))
	got := Compare(now.Findings, base, IdentityOf(now))
	type row struct{ ID, Status, State, Cause, Reason string }
	var rows []row
	for _, f := range got.Findings {
		rows = append(rows, row{f.RuleID, string(f.Status), string(f.Baseline.State), string(f.Baseline.Cause), f.Baseline.Reason})
	}
	want := []row{
		{"CVE-1", "known", "known", "", "in the baseline main.json of 2026-11-16"},
		{"CVE-3", "open", "new", "code", "the baseline had no package minimist"},
		{"PC-DF002", "open", "new", "code", "the same version of portcullis did not find it in the baseline's run"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	summary := outcome.Baseline{
		Source: "main.json", Taken: lastWeek, Notes: []string{"the image has changed", "the advisory data is the same"}, New: 2, Known: 1,
		Fixed: []outcome.BaselineFinding{
			{
				Fingerprint: vulnerability("CVE-2", "lodash", "").Fingerprint, RuleID: "CVE-2", Kind: finding.Vulnerability, Severity: finding.High,
				Title: "t", Target: image, PURL: "pkg:npm/lodash@4.17.20", Cause: finding.CodeChanged, Reason: "lodash is now 4.17.21",
			},
			{
				Fingerprint: lint("PC-DF009").Fingerprint, RuleID: "PC-DF009", Kind: finding.Dockerfile, Severity: finding.Medium,
				Title: "t", Target: "Dockerfile", Cause: finding.CodeChanged, Reason: "the same version of portcullis found it in the baseline's run",
			},
		},
	}
	if diff := cmp.Diff(summary, got.Summary); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCodeThatChangedIsToldFromDataThatLearned(t *testing.T) {
	published := func(day string) func(*finding.Finding) {
		return func(f *finding.Finding) { f.Evidence = []finding.Fact{{Name: "published", Value: day}} }
	}
	noList := func(o *outcome.Outcome) { o.PackageURLs = nil }
	noData := func(o *outcome.Outcome) { o.Database = outcome.Database{} }
	unassessed := func(o *outcome.Outcome) {
		o.Coverage.Gaps = []outcome.Gap{{Reason: outcome.NoFeed, Packages: []string{"qs 6.5.2"}}}
	}
	tests := []struct {
		name   string
		base   []func(*outcome.Outcome)
		now    []func(*outcome.Outcome)
		edit   func(*finding.Finding)
		cause  finding.Cause
		reason string
	}{
		{"the same image, other data", nil, []func(*outcome.Outcome){learned}, nil, finding.DataLearned, "the image is the same, the advisory data has changed"},
		{"the same image and data, another program", nil, []func(*outcome.Outcome){updated}, nil, finding.ToolChanged, "portcullis was version 0.1.0"},
		{"everything is the same", nil, nil, nil, finding.CauseUnknown, "another place in the image"},
		{"a rebuilt image with the same package, other data", nil, []func(*outcome.Outcome){rebuilt, learned}, nil, finding.DataLearned, "the baseline had qs 6.5.2, the advisory data has changed"},
		{"a package that came in, other data", []func(*outcome.Outcome){packages("pkg:npm/lodash@1")}, []func(*outcome.Outcome){rebuilt, learned}, nil, finding.CodeChanged, "had no package qs"},
		{"a package that came in with an advisory of yesterday", []func(*outcome.Outcome){packages("pkg:npm/lodash@1")}, []func(*outcome.Outcome){rebuilt, learned}, published("2026-11-22"), finding.CodeChanged, "had no package qs"},
		{"another version", []func(*outcome.Outcome){packages("pkg:npm/qs@6.5.1")}, []func(*outcome.Outcome){rebuilt, learned}, nil, finding.CodeChanged, "had qs 6.5.1"},
		{"another version, and an advisory that came out since", []func(*outcome.Outcome){packages("pkg:npm/qs@6.5.1")}, []func(*outcome.Outcome){rebuilt, learned}, published("2026-11-22"), finding.DataLearned, "published on 2026-11-22, the baseline's data is of 2026-11-16"},
		{"a package that could not be assessed", []func(*outcome.Outcome){unassessed}, []func(*outcome.Outcome){rebuilt, learned}, nil, finding.DataLearned, "could not assess it"},
		{"no list of packages, the same data", []func(*outcome.Outcome){noList}, []func(*outcome.Outcome){rebuilt}, nil, finding.CodeChanged, "the advisory data is the same"},
		{"no list of packages, an advisory that came out since", []func(*outcome.Outcome){noList}, []func(*outcome.Outcome){rebuilt, learned}, published("2026-11-20"), finding.DataLearned, "published on"},
		{"no list of packages, an old advisory", []func(*outcome.Outcome){noList}, []func(*outcome.Outcome){rebuilt, learned}, nil, finding.CauseUnknown, "not known"},
		{"a baseline without data", []func(*outcome.Outcome){noData}, []func(*outcome.Outcome){rebuilt}, nil, finding.CauseUnknown, "without advisory data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := vulnerability("CVE-1", "qs", "6.5.2")
			if tt.edit != nil {
				tt.edit(&f)
			}
			now := run([]finding.Finding{f}, tt.now...)
			got := Compare(now.Findings, saved(t, run(nil, tt.base...)), IdentityOf(now)).Findings[0].Baseline
			if got.State != finding.BaselineNew || got.Cause != tt.cause || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("got %+v, want %s and %q", got, tt.cause, tt.reason)
			}
		})
	}
}

func TestWhatIsGoneIsFixedOnlyWhereItWasLookedFor(t *testing.T) {
	gone := []finding.Finding{vulnerability("CVE-1", "qs", "6.5.2")}
	tests := []struct {
		name   string
		now    []func(*outcome.Outcome)
		fixed  bool
		cause  finding.Cause
		reason string
	}{
		{"the package is gone", []func(*outcome.Outcome){rebuilt, packages("pkg:npm/lodash@1")}, true, finding.CodeChanged, "no package qs any more"},
		{"the package is another", []func(*outcome.Outcome){rebuilt, packages("pkg:npm/qs@6.5.3")}, true, finding.CodeChanged, "qs is now 6.5.3"},
		{"the advisory was withdrawn", []func(*outcome.Outcome){rebuilt, learned}, true, finding.DataLearned, "qs is still 6.5.2"},
		{"the image was not examined", []func(*outcome.Outcome){func(o *outcome.Outcome) { o.Targets = o.Targets[1:] }}, false, "", ""},
		{"the image could not be examined", []func(*outcome.Outcome){func(o *outcome.Outcome) { o.Targets[0].Examined = false }}, false, "", ""},
		{"without advisory data", []func(*outcome.Outcome){func(o *outcome.Outcome) { o.Database = outcome.Database{} }}, false, "", ""},
		{"the package could not be assessed", []func(*outcome.Outcome){func(o *outcome.Outcome) {
			o.Coverage.Gaps = []outcome.Gap{{Reason: outcome.DataStale, Packages: []string{"qs 6.5.2"}}}
		}}, false, "", ""},
		{"something failed", []func(*outcome.Outcome){func(o *outcome.Outcome) {
			o.Failures = []outcome.Failure{{Stage: "vulnerability", Message: "m", Code: exit.NotExamined}}
		}}, false, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := run(nil, tt.now...)
			got := Compare(nil, saved(t, run(gone)), IdentityOf(now)).Summary
			if !tt.fixed {
				if len(got.Fixed) != 0 || got.NotExamined != 1 {
					t.Errorf("got %+v", got)
				}
				return
			}
			if len(got.Fixed) != 1 || got.NotExamined != 0 || got.Fixed[0].Cause != tt.cause || !strings.Contains(got.Fixed[0].Reason, tt.reason) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAnExcuseOfTheBaselineDoesNotOutliveItself(t *testing.T) {
	for _, status := range []finding.Status{finding.Waived, finding.NotAffected, finding.Inherited} {
		f := vulnerability("CVE-1", "qs", "6.5.2")
		f.Status, f.StatusReason = status, "somebody said so"
		base := saved(t, run([]finding.Finding{f}))
		now := run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2")}) // the excuse is gone
		got := Compare(now.Findings, base, IdentityOf(now)).Findings[0]
		if got.Status != finding.Open || got.Baseline.State != finding.BaselineKnown {
			t.Errorf("%s in the baseline: now %s, %+v", status, got.Status, got.Baseline)
		}
	}
	known := vulnerability("CVE-1", "qs", "6.5.2")
	known.Status = finding.Known
	now := run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2")})
	if got := Compare(now.Findings, saved(t, run([]finding.Finding{known})), IdentityOf(now)).Findings[0]; got.Status != finding.Known {
		t.Errorf("known in the baseline: now %s", got.Status)
	}
}

func TestAFlawThatGotItsCVEIsKnownByItsFormerId(t *testing.T) {
	tests := []struct {
		name     string
		had, has finding.Finding
		known    bool
	}{
		{"a CVE came to a GHSA", vulnerability("GHSA-1", "qs", "6.5.2"), vulnerability("CVE-1", "qs", "6.5.2", "GHSA-1"), true},
		{"the former id had the new one as alias", vulnerability("GHSA-1", "qs", "6.5.2", "CVE-1"), vulnerability("CVE-1", "qs", "6.5.3"), true},
		{"two flaws of one notice", vulnerability("CVE-1", "qs", "6.5.2", "DSA-1"), vulnerability("CVE-2", "qs", "6.5.2", "DSA-1"), false},
		{"another package", vulnerability("GHSA-1", "qs", "6.5.2"), vulnerability("CVE-1", "lodash", "6.5.2", "GHSA-1"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := run([]finding.Finding{tt.has})
			got := Compare(now.Findings, saved(t, run([]finding.Finding{tt.had})), IdentityOf(now))
			if known := got.Findings[0].Status == finding.Known; known != tt.known || (len(got.Summary.Fixed) == 0) != tt.known {
				t.Errorf("known is %v, fixed %+v", known, got.Summary.Fixed)
			}
		})
	}
	now := run([]finding.Finding{vulnerability("CVE-2", "qs", "6.5.2", "GHSA-1"), vulnerability("GHSA-1", "qs", "6.5.2")})
	got := Compare(now.Findings, saved(t, run([]finding.Finding{vulnerability("GHSA-1", "qs", "6.5.2")})), IdentityOf(now))
	if got.Summary.New != 1 || got.Summary.Known != 1 {
		t.Errorf("a former id that is still there excuses a second finding: %+v", got.Summary)
	}
}

func TestNotesAndFindingsAboutWaiversAreLeftAlone(t *testing.T) {
	notice := lint("PC-WAIVER-EXPIRED")
	notice.Kind = finding.Waiver
	now := run([]finding.Finding{notice})
	got := Compare(now.Findings, saved(t, run([]finding.Finding{notice})), IdentityOf(now))
	if diff := cmp.Diff(now.Findings, got.Findings); diff != "" || got.Summary.Known+got.Summary.New+len(got.Summary.Fixed) > 0 {
		t.Errorf("summary %+v (-want +got):\n%s", got.Summary, diff)
	}
}

func TestTheOrderOfFindingsNeverMattersAndTwiceEqualsOnce(t *testing.T) {
	var had, has []finding.Finding
	for i := range 12 {
		f := vulnerability(fmt.Sprintf("CVE-%d", i), fmt.Sprintf("p%d", i%5), "1.0.0", fmt.Sprintf("GHSA-%d", i))
		if i%3 != 0 {
			had = append(had, f)
		}
		if i%4 != 0 {
			has = append(has, f)
		}
	}
	had = append(had, vulnerability("GHSA-0", "p0", "1.0.0"))
	has = append(has, vulnerability("CVE-0", "p0", "1.0.0", "GHSA-0"))
	now := IdentityOf(run(nil, rebuilt))
	want := Compare(has, saved(t, run(had)), now)
	before := slices.Clone(has)
	if twice := Compare(want.Findings, saved(t, run(had)), now); cmp.Diff(want, twice) != "" {
		t.Errorf("(-once +twice):\n%s", cmp.Diff(want, twice))
	}
	if diff := cmp.Diff(before, has); diff != "" {
		t.Errorf("changed in place:\n%s", diff)
	}
	finding.Sort(want.Findings)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		rng.Shuffle(len(had), func(i, j int) { had[i], had[j] = had[j], had[i] })
		rng.Shuffle(len(has), func(i, j int) { has[i], has[j] = has[j], has[i] })
		got := Compare(has, saved(t, run(had)), now)
		finding.Sort(got.Findings)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestAReportThatIsNotInOrderIsRefused(t *testing.T) {
	var b bytes.Buffer
	if err := jsonreport.Write(t.Context(), &b, run([]finding.Finding{lint("PC-DF009")}), document.Options{}); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	tests := []struct{ name, old, replacement, want string }{
		{"no JSON", `{`, `[`, "read the report"},
		{"no report", `"schemaVersion"`, `"x"`, "is no JSON report of portcullis"},
		{"a later schema", `"schemaVersion": "1.`, `"schemaVersion": "2.`, "this program reads versions 1.x"},
		{"another tool", `"name": "portcullis"`, `"name": "other"`, "only reports of portcullis"},
		{"a result that is none", `"result": "pass"`, `"result": "fine"`, `result is "fine"`},
		{"a fingerprint that is none", `"fingerprint": "`, `"fingerprint": "x`, "finding 1: fingerprint"},
		{"a status that is none", `"status": "open"`, `"status": "shut"`, `finding 1: status "shut"`},
		{"a kind that is none", `"kind": "dockerfile",
      "severity"`, `"kind": "x",
      "severity"`, `finding 1: kind "x"`},
		{"a severity that is none", `"severity": "medium"`, `"severity": "bad"`, `finding 1: unknown severity "bad"`},
		{"no id", `"id": "PC-DF009"`, `"id": ""`, "finding 1: id or title is missing"},
		{"a text that is too long", `"title": "t"`, `"title": "` + strings.Repeat("t", maxText+1) + `"`, "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := strings.Replace(good, tt.old, tt.replacement, 1)
			if content == good {
				t.Fatalf("%q is not in the report", tt.old)
			}
			_, err := Decode("main.json", []byte(content))
			if err == nil || !strings.HasPrefix(err.Error(), "main.json: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// FuzzDecode holds that whatever is accepted can be compared: nothing is lost,
// and a run compared with itself has nothing new and nothing fixed.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := jsonreport.Write(f.Context(), &b, run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2"), lint("PC-DF009")}), document.Options{}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schemaVersion":"1.1.0","tool":{"name":"portcullis"},"result":"pass","findings":[]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		base, err := Decode("main.json", content)
		if err != nil {
			return
		}
		now := run([]finding.Finding{vulnerability("CVE-1", "qs", "6.5.2"), vulnerability("CVE-2", "qs", "6.5.2"), lint("PC-DF002")}, rebuilt)
		got := Compare(now.Findings, base, IdentityOf(now))
		if got.Summary.New+got.Summary.Known != len(now.Findings) {
			t.Errorf("%d findings, %+v", len(now.Findings), got.Summary)
		}
		if sum := got.Summary.Known + len(got.Summary.Fixed) + got.Summary.NotExamined; sum < len(base.Findings) {
			t.Errorf("%d findings of the baseline, %+v", len(base.Findings), got.Summary)
		}
	})
}

func TestOneMoreFileIsNews(t *testing.T) {
	setuid := func(paths ...string) finding.Finding {
		f := lint("image-setuid")
		f.Kind, f.Target, f.Locations = finding.ImageConfig, image, nil
		for _, p := range paths {
			f.Locations = append(f.Locations, finding.Location{Space: finding.InImage, Path: p})
		}
		return f
	}
	base := FromOutcome("before.json", outcome.Outcome{Findings: []finding.Finding{setuid("/bin/su", "/bin/mount")}})
	for _, tt := range []struct {
		name string
		now  finding.Finding
		want finding.BaselineState
	}{
		{"the same files", setuid("/bin/su", "/bin/mount"), finding.BaselineKnown},
		{"one less", setuid("/bin/mount"), finding.BaselineKnown},
		{"one more", setuid("/bin/su", "/bin/mount", "/srv/tool"), finding.BaselineNew},
		{"another one", setuid("/bin/su", "/srv/tool"), finding.BaselineNew},
	} {
		r := Compare([]finding.Finding{tt.now}, base, Identity{Targets: []string{image}})
		if got := r.Findings[0].Baseline; got.State != tt.want || got.Reason == "" {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
		if open := r.Findings[0].Status == finding.Open; open != (tt.want == finding.BaselineNew) || len(r.Summary.Fixed) > 0 {
			t.Errorf("%s: status %s, fixed %v", tt.name, r.Findings[0].Status, r.Summary.Fixed)
		}
	}
}
