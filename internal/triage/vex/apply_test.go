package vex

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

const digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

func images() []*inventory.Image {
	return []*inventory.Image{{
		Name: "registry.example/shop/web", Reference: "registry.example/shop/web:1.2", Digest: digest,
		ID: "sha256:" + strings.Repeat("2", 64), Platform: "linux/amd64",
	}}
}

func vulnerable(id, purl, name, version string, aliases ...string) finding.Finding {
	return finding.Finding{
		RuleID: id, Aliases: aliases, Kind: finding.Vulnerability, Severity: finding.High, Title: "t", Message: "m",
		Target: "registry.example/shop/web", Status: finding.Open, Fingerprint: id + name,
		Package:   &finding.Package{Name: name, Version: version, PURL: purl},
		Locations: []finding.Location{{Space: finding.InImage, Path: "/x"}},
		Evidence:  []finding.Fact{{Name: "advisory", Value: id}},
	}
}

func findings() []finding.Finding {
	lint := vulnerable("PC-DF009", "", "", "")
	lint.Kind, lint.Package = finding.Dockerfile, nil
	return []finding.Finding{
		vulnerable("DSA-5523-1", "pkg:deb/debian/libcurl4@7.88.1-10%2Bdeb12u1?arch=amd64&distro=debian-12.1", "libcurl4", "7.88.1-10+deb12u1", "CVE-2023-38545"),
		vulnerable("CVE-2023-4911", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12.1", "libc6", "2.36-9+deb12u1"),
		vulnerable("CVE-2023-4527", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12.1", "libc6", "2.36-9+deb12u1"),
		vulnerable("CVE-2023-5363", "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64", "libssl3", "3.0.9-1"),
		vulnerable("CVE-2021-44906", "pkg:npm/minimist@1.2.5", "minimist", "1.2.5"),
		vulnerable("CVE-2020-28500", "pkg:npm/lodash@4.17.20", "lodash", "4.17.20"),
		vulnerable("CVE-2022-32149", "pkg:golang/golang.org/x/text@v0.3.5", "golang.org/x/text", "v0.3.5"),
		vulnerable("CVE-2021-38561", "pkg:golang/golang.org/x/text@v0.3.5", "golang.org/x/text", "v0.3.5"),
		lint,
	}
}

func documents(t *testing.T) []Document {
	t.Helper()
	var list []Document
	for _, name := range []string{"openvex.json", "openvex-0.0.1.json", "vex.cdx.json", "csaf-vex.json"} {
		list = append(list, decode(t, name))
	}
	return list
}

func TestStatementsOfAllFormatsAreAppliedWithTheirSource(t *testing.T) {
	got, uses := Apply(findings(), documents(t), images())
	type row struct{ Status, Reason, Source, Justification, Fact string }
	var rows []row
	for _, f := range got {
		r := row{string(f.Status), f.StatusReason, f.StatusSource, f.Justification, ""}
		if last := f.Evidence[len(f.Evidence)-1]; last.Name == FactName {
			r.Fact = last.Value
		}
		rows = append(rows, r)
	}
	const team = "Shop security team"
	want := []row{
		{"not affected", "not_affected by " + team + " <security@shop.example.org>, vulnerable_code_not_in_execute_path: No SOCKS5 proxy is configured anywhere. (openvex.json statement 1)", "openvex.json statement 1", "vulnerable_code_not_in_execute_path", ""},
		{Status: "open", Fact: "under_investigation by " + team + " <security@shop.example.org>: We look at the setuid programs. (openvex.json statement 2)"},
		{"not affected", "not_affected by " + team + ": requires_configuration: The option no-aaaa is not set. (vex.cdx.json vulnerability CVE-2023-4527)", "vex.cdx.json vulnerability CVE-2023-4527", "", ""},
		{"not affected", "not_affected by Example Company, vulnerable_code_cannot_be_controlled_by_adversary: Keys are never set by others. (csaf-vex.json CVE-2023-5363 product WEB:LIBSSL)", "csaf-vex.json CVE-2023-5363 product WEB:LIBSSL", "vulnerable_code_cannot_be_controlled_by_adversary", ""},
		{Status: "open", Fact: "affected by " + team + " <security@shop.example.org>: Update to 1.2.6. (openvex.json statement 3)"},
		{Status: "open", Fact: "under_investigation by Example Company (csaf-vex.json CVE-2020-28500 product LODASH)"},
		{"not affected", "fixed by " + team + ": Backported. (vex.cdx.json vulnerability CVE-2022-32149)", "vex.cdx.json vulnerability CVE-2022-32149", "", ""},
		{Status: "open", Fact: "affected by " + team + ": Update is under way. (vex.cdx.json vulnerability CVE-2021-38561)"},
		{Status: "open"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var matched []string
	for _, u := range uses {
		matched = append(matched, fmt.Sprintf("%s %d/%d", u.Document, u.Matched, u.Statements))
	}
	if diff := cmp.Diff([]string{"openvex.json 3/3", "openvex-0.0.1.json 1/1", "vex.cdx.json 3/4", "csaf-vex.json 2/3"}, matched); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}

// open makes an OpenVEX document of one statement.
func open(t *testing.T, author, time, product, subcomponent, status string) Document {
	t.Helper()
	content := fmt.Sprintf(`{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": %q, "timestamp": %q, "version": 1, "statements": [
		{"vulnerability": {"name": "CVE-2021-44906"}, "status": %q, "impact_statement": "i", "products": [{"@id": %q%s}]}]}`,
		author, time, status, product, subcomponent)
	d, err := Decode(author+".json", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAStatementAppliesByProductAndSubcomponent(t *testing.T) {
	sub := func(purl string) string { return fmt.Sprintf(`, "subcomponents": [{"@id": %q}]`, purl) }
	tests := []struct {
		name, product, subcomponent, status string
		want                                bool
	}{
		{"the image as a whole", "pkg:oci/web", "", "not_affected", true},
		{"the image by digest", "pkg:oci/web@" + digest, "", "not_affected", true},
		{"another digest", "pkg:oci/web@sha256:" + strings.Repeat("9", 64), "", "not_affected", false},
		{"another image", "pkg:oci/api", "", "not_affected", false},
		{"the package in the image", "pkg:oci/web", sub("pkg:npm/minimist"), "not_affected", true},
		{"the package of this version", "pkg:oci/web", sub("pkg:npm/minimist@1.2.5"), "not_affected", true},
		{"the package of another version", "pkg:oci/web", sub("pkg:npm/minimist@1.2.4"), "not_affected", false},
		{"another package", "pkg:oci/web", sub("pkg:npm/lodash"), "not_affected", false},
		{"a subcomponent that is no package", "pkg:oci/web", sub("minimist"), "not_affected", false},
		{"the package as product", "pkg:npm/minimist", "", "not_affected", true},
		{"a package in another product", "pkg:npm/minimist", sub("pkg:npm/minimist"), "not_affected", false},
		{"fixed in this version", "pkg:npm/minimist@1.2.5", "", "fixed", true},
		{"fixed in this image", "pkg:oci/web@" + digest, sub("pkg:npm/minimist"), "fixed", true},
		{"fixed in this tag", "registry.example/shop/web:1.2", "", "fixed", true},
		{"fixed, but nobody says in which version", "pkg:npm/minimist", "", "fixed", false},
		{"fixed in some image", "pkg:oci/web", sub("pkg:npm/minimist"), "fixed", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t, "a", "2026-11-01T00:00:00Z", tt.product, tt.subcomponent, tt.status)
			got, _ := Apply([]finding.Finding{vulnerable("GHSA-x", "pkg:npm/minimist@1.2.5", "minimist", "1.2.5", "cve-2021-44906")}, []Document{d}, images())
			if ruledOut := got[0].Status == finding.NotAffected; ruledOut != tt.want {
				t.Errorf("ruled out is %v", ruledOut)
			}
		})
	}
}

func TestOnlyVulnerabilitiesAreChanged(t *testing.T) {
	rule := vulnerable("CVE-2021-44906", "pkg:npm/minimist@1.2.5", "minimist", "1.2.5")
	rule.Kind = finding.ImageConfig
	given := []finding.Finding{rule}
	got, uses := Apply(given, []Document{open(t, "a", "2026-11-01T00:00:00Z", "pkg:oci/web", "", "not_affected")}, images())
	if diff := cmp.Diff(given, got); diff != "" || uses[0].Matched != 0 {
		t.Errorf("used %d times (-want +got):\n%s", uses[0].Matched, diff)
	}
}

func TestOfStatementsThatConflictTheLatestCountsAndOfEqualOnesTheMoreCautious(t *testing.T) {
	const early, late = "2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z"
	tests := []struct {
		name           string
		first, second  string
		firstT, secndT string
		want           string
	}{
		{"affected came later", "not_affected", "affected", early, late, "open"},
		{"not affected came later", "affected", "not_affected", early, late, "not affected"},
		{"both at once", "affected", "not_affected", early, early, "open"},
		{"under investigation at once", "not_affected", "under_investigation", late, late, "open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			docs := []Document{
				open(t, "first", tt.firstT, "pkg:oci/web", "", tt.first),
				open(t, "second", tt.secndT, "pkg:npm/minimist@1.2.5", "", tt.second),
			}
			for range 2 {
				got, _ := Apply(findings()[4:5], docs, images())
				if string(got[0].Status) != tt.want {
					t.Errorf("%s before %s: got %s", docs[0].Name, docs[1].Name, got[0].Status)
				}
				slices.Reverse(docs)
			}
		})
	}
}

func TestTheOrderOfDocumentsAndFindingsNeverMattersAndTwiceEqualsOnce(t *testing.T) {
	docs := documents(t)
	want, _ := Apply(findings(), docs, images())
	finding.Sort(want)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		f := findings()
		rng.Shuffle(len(f), func(i, j int) { f[i], f[j] = f[j], f[i] })
		rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		got, _ := Apply(f, docs, images())
		twice, _ := Apply(got, docs, images())
		if diff := cmp.Diff(got, twice); diff != "" {
			t.Fatalf("(-once +twice):\n%s", diff)
		}
		finding.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func ruledOut(id, purl, reason, justification string) finding.Finding {
	f := vulnerable(id, purl, "p", "1", "GHSA-1")
	f.Status, f.StatusReason, f.Justification = finding.NotAffected, reason, justification
	return f
}

func evidence() Evidence {
	foreign := ruledOut("CVE-9", "pkg:npm/other@1", "somebody says so", "")
	foreign.StatusSource = "vendor.json statement 1"
	return Evidence{
		Author: "security@shop.example.org", Tool: "portcullis 0.1.0", Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Image: images()[0],
		Findings: []finding.Finding{
			ruledOut("CVE-2", "pkg:golang/golang.org/x/sys@v0.1.0", "the flaw is in code for windows only", "vulnerable_code_not_present"),
			ruledOut("CVE-1", "pkg:deb/debian/linux-libc-dev@6.1.38-1?arch=all", "only headers of the kernel", "vulnerable_code_not_present"),
			ruledOut("CVE-1", "pkg:deb/debian/linux-headers-6.1@6.1.38-1?arch=amd64", "only headers of the kernel", "vulnerable_code_not_present"),
			foreign, vulnerable("CVE-3", "pkg:npm/open@1", "open", "1"),
		},
	}
}

func TestWhatTheGateRuledOutIsWrittenAndReadBack(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, evidence()); err != nil {
		t.Fatal(err)
	}
	reporttest.Golden(t, "written.vex.json", b.Bytes())
	d, err := Decode("written.vex.json", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	e := evidence()
	for i := range e.Findings {
		e.Findings[i].Status, e.Findings[i].StatusReason, e.Findings[i].StatusSource = finding.Open, "", ""
	}
	got, _ := Apply(e.Findings, []Document{d}, images())
	var statuses []finding.Status
	for _, f := range got {
		statuses = append(statuses, f.Status)
	}
	if diff := cmp.Diff([]finding.Status{finding.NotAffected, finding.NotAffected, finding.NotAffected, finding.Open, finding.Open}, statuses); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	other := images()
	other[0].Digest = "sha256:" + strings.Repeat("8", 64)
	if got, _ := Apply(e.Findings, []Document{d}, other); got[0].Status != finding.Open {
		t.Error("the statement holds for another image too")
	}
}

func TestTheWrittenDocumentIsTheSameWhateverTheOrderOfFindings(t *testing.T) {
	var first, second bytes.Buffer
	e := evidence()
	if err := Write(&first, e); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(e.Findings)
	if err := Write(&second, e); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutARegistryDigestTheProductIsTheConfigurationOrThePackage(t *testing.T) {
	archive := images()[0]
	archive.Digest = ""
	for want, img := range map[string]*inventory.Image{`"@id": "sha256:2222`: archive, `"@id": "pkg:golang/golang.org/x/sys@v0.1.0"`: nil} {
		e := evidence()
		e.Image = img
		var b bytes.Buffer
		if err := Write(&b, e); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v, %s lacks %s", err, b.String(), want)
		}
		if d, err := Decode("x", b.Bytes()); err != nil || len(d.Statements) != 2 || len(d.Notes) > 0 {
			t.Errorf("read back: %+v, %v", d, err)
		}
	}
}

func TestNothingIsWrittenWithoutEvidenceOrAuthor(t *testing.T) {
	var b bytes.Buffer
	e := evidence()
	e.Findings = e.Findings[3:]
	if err := Write(&b, e); !errors.Is(err, ErrNothingToState) || b.Len() > 0 {
		t.Errorf("without evidence: %v, %q", err, b.String())
	}
	e = evidence()
	e.Author = " "
	if err := Write(&b, e); err == nil || b.Len() > 0 {
		t.Errorf("without author: %v, %q", err, b.String())
	}
}

// TestTheWrittenDocumentPassesTheCheckerWhereItIs runs the checker named by
// PORTCULLIS_CHECK_BOM, which parses the file with the OpenVEX project's own
// library.
func TestTheWrittenDocumentPassesTheCheckerWhereItIs(t *testing.T) {
	script := os.Getenv("PORTCULLIS_CHECK_BOM")
	if script == "" {
		t.Skip("PORTCULLIS_CHECK_BOM names no checker: the golden file and the reader above are the cover")
	}
	if out, err := exec.CommandContext(t.Context(), script, filepath.Join("testdata", "written.vex.json")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
