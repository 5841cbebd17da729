package triage

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/triage/baseline"
	"github.com/portcullis-ci/portcullis/internal/triage/vex"
	"github.com/portcullis-ci/portcullis/internal/triage/waiver"
)

const image = "registry.example/shop/web"

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// flaw makes a finding about a package in the given layer, of which every way
// of ruling it out may be true at once.
func flaw(id string, status finding.Status, layer string) finding.Finding {
	name := strings.ToLower(id)
	return finding.Finding{
		RuleID: id, Kind: finding.Vulnerability, Severity: finding.High, Title: "t", Message: "m", Target: image, Status: status,
		Package:     &finding.Package{Name: name, Version: "1.0.0", Type: "npm", PURL: "pkg:npm/" + name + "@1.0.0"},
		Locations:   []finding.Location{{Space: finding.InImage, Path: "/" + name, Layer: layer}},
		Fingerprint: finding.Fingerprint(finding.Vulnerability, id, image),
	}
}

func statements(t *testing.T, ids ...string) vex.Document {
	t.Helper()
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"vulnerability": {"name": %q}, "products": [{"@id": "pkg:oci/web"}], "status": "not_affected", "impact_statement": "no"}`, id))
	}
	d, err := vex.Decode("app.vex.json", fmt.Appendf(nil,
		`{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a", "timestamp": "2026-11-01T00:00:00Z", "version": 1, "statements": [%s]}`,
		strings.Join(list, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func waivers(t *testing.T, ids ...string) *waiver.File {
	t.Helper()
	content := "waivers:\n"
	for _, id := range ids {
		content += "  - id: " + id + "\n    owner: team@example.org\n    reason: Not reachable.\n    created: 2026-11-01\n    expires: 2027-01-15\n"
	}
	f, err := waiver.Decode(waiver.FileName, []byte(content))
	if err != nil || len(f.Problems) > 0 {
		t.Fatalf("%v, %+v", err, f.Problems)
	}
	return &f
}

// everything is an input in which each part has something to say: a CVE is
// meant by all the parts from its letter on.
func everything(t *testing.T) Input {
	t.Helper()
	run := outcome.Outcome{
		Tool: outcome.Tool{Name: "portcullis", Version: "0.1.0"}, Targets: []outcome.Target{{Kind: outcome.TargetImage, Name: image, Examined: true}},
		Image:    &inventory.Image{Name: image, Reference: image + ":1", ID: "sha256:1", Layers: []inventory.Layer{{DiffID: "base"}, {DiffID: "app"}}},
		Database: outcome.Database{Digest: "one"},
	}
	had := run
	for _, id := range []string{"CVE-A", "CVE-B", "CVE-C", "CVE-D", "CVE-E", "CVE-GONE"} {
		had.Findings = append(had.Findings, flaw(id, finding.Open, "base"))
	}
	report := baseline.FromOutcome("main.json", had)
	return Input{
		Findings: []finding.Finding{
			flaw("CVE-A", finding.NotAffected, "base"), flaw("CVE-B", finding.Open, "base"), flaw("CVE-C", finding.Open, "base"),
			flaw("CVE-D", finding.Open, "base"), flaw("CVE-E", finding.Open, "app"), flaw("CVE-F", finding.Open, "app"),
		},
		Images: []*inventory.Image{run.Image}, VEX: []vex.Document{statements(t, "CVE-A", "CVE-B")},
		Waivers: waivers(t, "CVE-A", "CVE-B", "CVE-C", "CVE-UNUSED"), MaxLife: 90 * 24 * time.Hour,
		Scope: waiver.Scope{Kinds: []finding.Kind{finding.Vulnerability}, Targets: []string{image}},
		Base:  &baseline.Base{Reference: "debian:12", Layers: []string{"base"}}, Baseline: &report, Run: baseline.IdentityOf(run), Now: now,
	}
}

func TestTheStrongestReasonIsTheOneThatIsShown(t *testing.T) {
	got := Apply(everything(t))
	var rows []string
	for _, f := range got.Findings {
		rows = append(rows, fmt.Sprintf("%s %s [%s] %s", f.RuleID, f.Status, f.StatusSource, f.Baseline.State))
	}
	slices.Sort(rows)
	want := []string{
		"CVE-A not affected [] known",
		"CVE-B not affected [app.vex.json statement 2] known",
		"CVE-C waived [.portcullis-waivers.yaml:12:9] known",
		"CVE-D inherited [debian:12] known",
		"CVE-E known [main.json] known",
		"CVE-F open [] new",
		"PC-WAIVER-UNUSED open [] ",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Baseline.New != 1 || got.Baseline.Known != 5 || len(got.Baseline.Fixed) != 1 || got.Baseline.Fixed[0].RuleID != "CVE-GONE" {
		t.Errorf("baseline: %+v", got.Baseline)
	}
	if len(got.VEX) != 1 || got.VEX[0].Matched != 2 || len(got.Waivers) != 3 {
		t.Errorf("VEX %+v, waivers %+v", got.VEX, got.Waivers)
	}
}

func TestNothingInNothingOut(t *testing.T) {
	in := Input{Findings: []finding.Finding{flaw("CVE-A", finding.Open, "app")}, Now: now}
	got := Apply(in)
	if diff := cmp.Diff(Result{Findings: in.Findings, VEX: []vex.Use{}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheOrderOfInputsNeverMattersAndTwiceEqualsOnce(t *testing.T) {
	want := Apply(everything(t))
	again := everything(t)
	again.Findings = want.Findings
	if diff := cmp.Diff(want.Findings, Apply(again).Findings); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		in := everything(t)
		rng.Shuffle(len(in.Findings), func(i, j int) { in.Findings[i], in.Findings[j] = in.Findings[j], in.Findings[i] })
		w := in.Waivers.Waivers
		rng.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
		b := in.Baseline.Findings
		rng.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		given := slices.Clone(in.Findings)
		if diff := cmp.Diff(want.Findings, Apply(in).Findings); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(given, in.Findings); diff != "" {
			t.Fatalf("what was given has changed:\n%s", diff)
		}
	}
}

func TestNoFindingIsLostAndNoUnrelatedOneChanges(t *testing.T) {
	full := everything(t)
	parts := []func(*Input){
		func(in *Input) { in.VEX = nil }, func(in *Input) { in.Waivers = nil },
		func(in *Input) { in.Base = nil }, func(in *Input) { in.Baseline = nil },
	}
	for mask := range 1 << len(parts) {
		in := full
		for i, leaveOut := range parts {
			if mask&(1<<i) != 0 {
				leaveOut(&in)
			}
		}
		got := Apply(in)
		have := make(map[string]finding.Finding)
		for _, f := range got.Findings {
			have[f.Fingerprint] = f
		}
		for _, f := range full.Findings {
			after, ok := have[f.Fingerprint]
			if !ok {
				t.Fatalf("%b: %s is lost", mask, f.RuleID)
			}
			after.Status, after.StatusReason, after.StatusSource, after.StatusUntil, after.Baseline = f.Status, f.StatusReason, f.StatusSource, f.StatusUntil, f.Baseline
			if diff := cmp.Diff(f, after); diff != "" {
				t.Errorf("%b: more than the status changed (-before +after):\n%s", mask, diff)
			}
		}
		if f := have[flaw("CVE-F", "", "").Fingerprint]; f.Status != finding.Open {
			t.Errorf("%b: the finding that nothing means is %s", mask, f.Status)
		}
	}
}

func TestEvidenceOfTheMatcherBecomesOpenVEX(t *testing.T) {
	record := `{"schema_version": "1.7.0", "id": "DEBIAN-CVE-2024-1", "modified": "2024-01-01T00:00:00Z", "published": "2024-01-01T00:00:00Z", "upstream": ["CVE-2024-1"],
		"affected": [{"package": {"ecosystem": "Debian:12", "name": "linux"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}`
	from, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(from+"/DEBIAN-CVE-2024-1.json", []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := builder.Build(t.Context(), builder.Request{From: []string{from}, Out: out, Now: now}); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	inv := inventory.Inventory{
		Distro: &inventory.Distro{ID: "debian", Version: "12"},
		Packages: []inventory.Package{{
			ID: "h", Name: "linux-libc-dev", Version: "6.1.38-1", Type: "deb", PURL: "pkg:deb/debian/linux-libc-dev@6.1.38-1?arch=all",
			Source: &inventory.Source{Name: "linux"}, Places: []inventory.Place{{Path: "/var/lib/dpkg/status", Layer: "sha256:1"}},
		}},
	}
	r, err := vulnerability.Match(t.Context(), inv, db, vulnerability.Options{Target: image, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := vex.Write(&b, vex.Evidence{Findings: r.Findings, Author: "a", Now: now}); err != nil {
		t.Fatal(err)
	}
	d, err := vex.Decode("x", b.Bytes())
	if err != nil || len(d.Statements) != 1 || d.Statements[0].Justification != "vulnerable_code_not_present" {
		t.Errorf("got %+v, %v", d, err)
	}
}
