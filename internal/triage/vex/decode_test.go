package vex

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

func example(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "triage", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(t testing.TB, name string) Document {
	t.Helper()
	d, err := Decode(name, example(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func component(t *testing.T, purl string) Component {
	t.Helper()
	p, err := match.ParsePURL(purl)
	if err != nil {
		t.Fatal(err)
	}
	return Component{PURL: p}
}

// purls compares package URLs by their text.
var purls = cmp.Comparer(func(a, b match.PURL) bool { return a.String() == b.String() })

func TestOpenVEXIsReadWithStatusJustificationAndTime(t *testing.T) {
	d := decode(t, "openvex.json")
	want := Document{
		Name: "openvex.json", Format: OpenVEX, Author: "Shop security team <security@shop.example.org>",
		Statements: []Statement{
			{
				IDs: []string{"CVE-2023-38545", "GHSA-7xw5-5ppm-hmgv"}, Status: NotAffected, Justification: "vulnerable_code_not_in_execute_path",
				Detail: "No SOCKS5 proxy is configured anywhere.", Time: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), Source: "openvex.json statement 1",
				Products: []Product{{
					Names:      []string{"pkg:oci/web?repository_url=registry.example/shop/web"},
					Components: []Component{component(t, "pkg:deb/debian/curl"), component(t, "pkg:deb/debian/libcurl4")},
				}},
			},
			{
				IDs: []string{"CVE-2023-4911"}, Status: UnderInvestigation, Detail: "We look at the setuid programs.",
				Time: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), Source: "openvex.json statement 2",
				Products: []Product{{Names: []string{"registry.example/shop/web"}, Components: []Component{component(t, "pkg:deb/debian/libc6")}}},
			},
			{
				IDs: []string{"CVE-2021-44906"}, Status: Affected, Detail: "Update to 1.2.6.",
				Time: time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC), Source: "openvex.json statement 3",
				Products: []Product{{Names: []string{"pkg:npm/minimist@1.2.5"}}},
			},
		},
	}
	if diff := cmp.Diff(want, d, purls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheFirstOpenVEXIsReadToo(t *testing.T) {
	d := decode(t, "openvex-0.0.1.json")
	want := []Statement{{
		IDs: []string{"CVE-2023-5363"}, Status: NotAffected, Justification: "vulnerable_code_not_present",
		Time: time.Date(2022, 11, 1, 8, 0, 0, 0, time.UTC), Source: "openvex-0.0.1.json statement 1",
		Products: []Product{{Names: []string{"pkg:oci/web"}, Components: []Component{component(t, "pkg:deb/debian/libssl3@3.0.9-1")}}},
	}}
	if diff := cmp.Diff(want, d.Statements, purls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCycloneDXIsReadWithItsReferencesResolved(t *testing.T) {
	d := decode(t, "vex.cdx.json")
	product := []string{"registry.example/shop/web"}
	at := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	with := func(purl, version string) []Product {
		c := component(t, purl)
		c.Version = version
		return []Product{{Names: product, Components: []Component{c}}}
	}
	want := []Statement{
		{
			IDs: []string{"CVE-2023-4527", "DEBIAN-CVE-2023-4527"}, Status: NotAffected, Detail: "requires_configuration: The option no-aaaa is not set.",
			Time: at.Add(24 * time.Hour), Source: "vex.cdx.json vulnerability CVE-2023-4527", Products: with("pkg:deb/debian/libc6?arch=amd64", ""),
		},
		{
			IDs: []string{"CVE-2022-32149"}, Status: Fixed, Detail: "Backported.", Time: at,
			Source: "vex.cdx.json vulnerability CVE-2022-32149", Products: with("pkg:golang/golang.org/x/text", "v0.3.5"),
		},
		{
			IDs: []string{"CVE-2022-32149"}, Status: NotAffected, Detail: "Backported.", Time: at,
			Source: "vex.cdx.json vulnerability CVE-2022-32149", Products: with("pkg:golang/golang.org/x/text", "v0.3.4"),
		},
		{
			IDs: []string{"CVE-2021-38561"}, Status: Affected, Detail: "Update is under way.", Time: at,
			Source: "vex.cdx.json vulnerability CVE-2021-38561", Products: with("pkg:golang/golang.org/x/text@v0.3.5?package-id=abc", ""),
		},
	}
	if diff := cmp.Diff(want, d.Statements, purls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.Author != "Shop security team" || len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "range") {
		t.Errorf("author %q, notes %q", d.Author, d.Notes)
	}
}

func TestAPackageURLInABOMLinkIsReadWithOrWithoutItsOwnEncoding(t *testing.T) {
	for link, want := range map[string]string{
		"#pkg:deb/ubuntu/libstdc%2B%2B6@12.3.0-1ubuntu1~22.04?arch=amd64": "pkg:deb/ubuntu/libstdc%2B%2B6@12.3.0-1ubuntu1~22.04?arch=amd64",
		"#pkg%3Anpm%2F%2540babel%2Fcore%407.0.0":                          "pkg:npm/%40babel/core@7.0.0",
	} {
		d, err := Decode("x", []byte(`{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-1", "analysis": {"state": "not_affected"},
			"affects": [{"ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1`+link+`"}]}]}`))
		if err != nil || len(d.Statements) != 1 || d.Statements[0].Products[0].Components[0].PURL.String() != want {
			t.Errorf("%s: %+v, %v", link, d, err)
		}
	}
}

func TestCSAFIsReadWithItsProductsResolved(t *testing.T) {
	d := decode(t, "csaf-vex.json")
	at := time.Date(2026, 11, 4, 10, 0, 0, 0, time.UTC)
	want := []Statement{
		{
			IDs: []string{"CVE-2023-5363"}, Status: NotAffected, Justification: "vulnerable_code_cannot_be_controlled_by_adversary",
			Detail: "Keys are never set by others.", Time: at, Source: "csaf-vex.json CVE-2023-5363 product WEB:LIBSSL",
			Products: []Product{{
				Names:      []string{"pkg:oci/web?repository_url=registry.example/shop/web"},
				Components: []Component{component(t, "pkg:deb/debian/libssl3@3.0.9-1")},
			}},
		},
		{
			IDs: []string{"CVE-2023-5363"}, Status: NotAffected, Time: at, Source: "csaf-vex.json CVE-2023-5363 product APPLIANCE",
			Products: []Product{{Names: []string{"Example Appliance 3"}}},
		},
		{
			IDs: []string{"CVE-2020-28500", "GHSA-29mw-wpgm-hmr9"}, Status: UnderInvestigation, Time: at,
			Source: "csaf-vex.json CVE-2020-28500 product LODASH", Products: []Product{{Names: []string{"pkg:npm/lodash@4.17.20"}}},
		},
	}
	if diff := cmp.Diff(want, d.Statements, purls, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFileThatIsNotInOrderIsRefused(t *testing.T) {
	open := string(example(t, "openvex.json"))
	csaf := string(example(t, "csaf-vex.json"))
	cdx := string(example(t, "vex.cdx.json"))
	tests := []struct{ name, content, old, replacement, want string }{
		{"no VEX", `{"a": 1}`, "", "", "is neither OpenVEX nor CycloneDX nor CSAF"},
		{"no JSON", "statements:", "", "", "read VEX"},
		{"another context", open, "https://openvex.dev/ns", "https://example.org/openvex.dev", "@context"},
		{"no author", open, `"author": "Shop security team <security@shop.example.org>",`, "", "author is missing"},
		{"no time", open, `"timestamp": "2026-11-01T09:00:00Z",`, "", "statement 1: timestamp is missing"},
		{"a time that is none", open, "2026-11-01T09", "yesterday", `statement 1: timestamp is "yesterday`},
		{"a status that is none", open, `"status": "not_affected"`, `"status": "fine"`, `statement 1: status is "fine"`},
		{"not affected, but why", open, `"justification": "vulnerable_code_not_in_execute_path",
      "impact_statement": "No SOCKS5 proxy is configured anywhere."`, `"status_notes": ""`, "without justification or impact_statement"},
		{"a justification that is none", open, "vulnerable_code_not_in_execute_path", "trust_me", `justification is "trust_me"`},
		{"no vulnerability", open, `{"name": "CVE-2023-4911"}`, "{}", "statement 2: vulnerability has no name"},
		{"no product", open, `[{"@id": "pkg:npm/minimist@1.2.5"}]`, "[]", "statement 3: it names no product"},
		{"an advisory that is no VEX", csaf, "csaf_vex", "csaf_security_advisory", "only the profile csaf_vex"},
		{"nobody as publisher", csaf, `"name": "Example Company", "namespace"`, `"namespace"`, "publisher.name is missing"},
		{"no release date", csaf, `"current_release_date": "2026-11-04T10:00:00.000Z",`, "", "current_release_date is needed"},
		{"a vulnerability without id", csaf, `"cve": "CVE-2023-5363",`, "", "vulnerability 1 has neither cve nor ids"},
		{"a state that is none", cdx, `"state": "resolved"`, `"state": "sorted"`, `vulnerability 2 (CVE-2022-32149): analysis.state "sorted"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := tt.content
			if tt.old != "" {
				if content = strings.Replace(content, tt.old, tt.replacement, 1); content == tt.content {
					t.Fatalf("%q is not in the example", tt.old)
				}
			}
			_, err := Decode("x.json", []byte(content))
			if err == nil || !strings.HasPrefix(err.Error(), "x.json: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestNotesDoNotGrowWithoutBound(t *testing.T) {
	var d Document
	for i := range 1000 {
		d.note("x %d", i/2)
	}
	if len(d.Notes) != maxNotes+1 {
		t.Errorf("%d notes", len(d.Notes))
	}
}

// fuzz holds that what is accepted can be applied and rules out nothing
// without ids, products and a known status.
func fuzz(f *testing.F, names ...string) {
	for _, name := range names {
		f.Add(example(f, name))
		var compact bytes.Buffer
		if err := json.Compact(&compact, example(f, name)); err != nil {
			f.Fatal(err)
		}
		f.Add(compact.Bytes())
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := Decode("x.json", content)
		if err != nil {
			return
		}
		for _, s := range d.Statements {
			_, known := caution[s.Status]
			if len(s.IDs) == 0 || !known || s.Source == "" {
				t.Errorf("accepted %+v", s)
			}
			for _, p := range s.Products {
				if len(p.Names)+len(p.Components) == 0 {
					t.Errorf("a product that is everything: %+v", s)
				}
			}
		}
		before := findings()
		after, _ := Apply(before, []Document{d}, images())
		if diff := cmp.Diff(findings(), before); diff != "" || len(after) != len(before) {
			t.Errorf("%d findings became %d, or changed in place:\n%s", len(before), len(after), diff)
		}
		again, _ := Apply(after, []Document{d}, images())
		if diff := cmp.Diff(after, again); diff != "" {
			t.Errorf("applied twice:\n%s", diff)
		}
	})
}

func FuzzOpenVEX(f *testing.F) { fuzz(f, "openvex.json", "openvex-0.0.1.json") }

func FuzzCycloneDX(f *testing.F) { fuzz(f, "vex.cdx.json") }

func FuzzCSAF(f *testing.F) { fuzz(f, "csaf-vex.json") }
