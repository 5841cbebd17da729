package vex

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// judged applies one document to minimist 1.2.5 with CVE-2021-44906, tagged 1.2.
func judged(t *testing.T, content string) finding.Finding {
	t.Helper()
	d, err := Decode("x.json", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	f := vulnerable("CVE-2021-44906", "pkg:npm/minimist@1.2.5", "minimist", "1.2.5", "DSA-1-1", "GHSA-xvch-5gv4-984h")
	got, _ := Apply([]finding.Finding{f}, []Document{d}, images())
	return got[0]
}

func cycloneDX(product, state, affects string) string {
	return fmt.Sprintf(`{"bomFormat": "CycloneDX", "metadata": {"timestamp": "2026-11-01T00:00:00Z", "component": %s},
		"components": [{"bom-ref": "e", "name": "minimist", "purl": "pkg:npm/minimist"}],
		"vulnerabilities": [{"id": "CVE-2021-44906", "analysis": {"state": %q, "detail": "see there"}, "affects": %s}]}`, product, state, affects)
}

func TestCycloneDXExcusesOnlyTheVersionsThatItSaysAreNotAffected(t *testing.T) {
	const web = `{"bom-ref": "p", "name": "registry.example/shop/web"}`
	versions := func(list string) string { return `[{"ref": "e", "versions": [` + list + `]}]` }
	ofProduct := func(list string) string { return `[{"ref": "p", "versions": [` + list + `]}]` }
	tests := []struct {
		name, product, state, affects string
		want                          bool
	}{
		{"this version is affected, others are not", web, "resolved", versions(`{"version": "1.2.5", "status": "affected"}, {"version": "1.2.6", "status": "unaffected"}`), false},
		{"this version is affected, whatever the analysis", web, "not_affected", versions(`{"version": "1.2.5", "status": "affected"}`), false},
		{"this version is unaffected", web, "resolved", versions(`{"version": "1.2.5", "status": "unaffected"}, {"version": "1.2.4", "status": "affected"}`), true},
		{"this version is unaffected, although others are exploitable", web, "exploitable", versions(`{"version": "1.2.5", "status": "unaffected"}`), true},
		{"of this version nothing is known", web, "not_affected", versions(`{"version": "1.2.5", "status": "unknown"}`), false},
		{"this version without a status of its own", web, "not_affected", versions(`{"version": "1.2.5"}`), true},
		{"another version", web, "not_affected", versions(`{"version": "1.2.6", "status": "unaffected"}`), false},
		{"a range that holds this version", web, "not_affected", versions(`{"range": "vers:npm/>=1.2.0", "status": "unaffected"}`), false},
		{"a range that is affected", web, "not_affected", versions(`{"range": "vers:npm/<1.2.6", "status": "affected"}`), false},
		{"both affected and unaffected", web, "not_affected", versions(`{"version": "1.2.5", "status": "unaffected"}, {"version": "1.2.5", "status": "affected"}`), false},
		{"the product's tag is unaffected", web, "not_affected", ofProduct(`{"version": "1.2", "status": "unaffected"}`), true},
		{"the product's tag is affected", web, "not_affected", ofProduct(`{"version": "1.2", "status": "affected"}`), false},
		{"another tag of the product", web, "not_affected", ofProduct(`{"version": "1.3", "status": "unaffected"}`), false},
		{"a range of the product", web, "not_affected", ofProduct(`{"range": "vers:semver/<2", "status": "unaffected"}`), false},
		{"the product as a whole", web, "not_affected", `[{"ref": "p"}]`, true},
		{"the product's version is another", `{"bom-ref": "p", "name": "registry.example/shop/web", "version": "1.3"}`, "not_affected", `[{"ref": "e"}]`, false},
		{"the product's version is another, beside its package URL", `{"bom-ref": "p", "purl": "pkg:oci/web", "version": "1.3"}`, "not_affected", `[{"ref": "e"}]`, false},
		{"the product's version is this, beside its package URL", `{"bom-ref": "p", "purl": "pkg:oci/web", "version": "1.2"}`, "not_affected", `[{"ref": "p"}]`, true},
		{"the product's digest is this, beside its package URL", `{"bom-ref": "p", "purl": "pkg:oci/web", "version": "` + digest + `"}`, "not_affected", `[{"ref": "p"}]`, true},
		{"the product's tag by package URL is unaffected", `{"bom-ref": "p", "purl": "pkg:oci/web"}`, "not_affected", ofProduct(`{"version": "1.2", "status": "unaffected"}`), true},
		{"another tag by package URL is unaffected", `{"bom-ref": "p", "purl": "pkg:oci/web"}`, "not_affected", ofProduct(`{"version": "1.3", "status": "unaffected"}`), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := judged(t, cycloneDX(tt.product, tt.state, tt.affects))
			if got := f.Status == finding.NotAffected; got != tt.want {
				t.Errorf("ruled out is %v: %s", got, f.StatusReason)
			}
		})
	}
	affected := judged(t, cycloneDX(web, "resolved", versions(`{"version": "1.2.5", "status": "affected"}`)))
	if last := affected.Evidence[len(affected.Evidence)-1]; last.Name != FactName || !strings.HasPrefix(last.Value, "affected") {
		t.Errorf("what is affected has the evidence %v", last)
	}
	if _, err := Decode("x.json", []byte(cycloneDX(web, "resolved", versions(`{"version": "1", "status": "fine"}`)))); err == nil || !strings.Contains(err.Error(), `status "fine" of version "1"`) {
		t.Errorf("a status that is none: %v", err)
	}
}

func csaf(branches, status string) string {
	return fmt.Sprintf(`{"document": {"category": "csaf_vex", "publisher": {"name": "Vendor"}, "tracking": {"current_release_date": "2026-11-01T00:00:00Z"}},
		"product_tree": {"branches": [{"category": "vendor", "name": "Vendor", "branches": [
			{"category": "product_version", "name": "web", "product": {"product_id": "WEB", "product_identification_helper": {"purl": "pkg:oci/web"}}}, %s]}],
			"relationships": [{"category": "default_component_of", "product_reference": "P", "relates_to_product_reference": "WEB", "full_product_name": {"product_id": "WEB:P", "name": "x"}}]},
		"vulnerabilities": [{"cve": "CVE-2021-44906", "product_status": %s}]}`, branches, status)
}

func TestCSAFExcusesOnlyTheVersionsThatItSaysAreNotAffected(t *testing.T) {
	branch := func(category, name, purl string) string {
		return fmt.Sprintf(`{"category": "product_name", "name": "minimist", "branches": [{"category": %q, "name": %q, "product": {"product_id": "P", "name": "minimist", "product_identification_helper": {"purl": %q}}}]}`, category, name, purl)
	}
	tests := []struct {
		name, branches, status string
		want                   bool
	}{
		{"this version by its package URL", branch("product_version", "1.2.5", "pkg:npm/minimist@1.2.5"), `{"known_not_affected": ["P"]}`, true},
		{"another version by its package URL", branch("product_version", "1.2.6", "pkg:npm/minimist@1.2.6"), `{"known_not_affected": ["P"]}`, false},
		{"this version by its branch", branch("product_version", "1.2.5", "pkg:npm/minimist"), `{"known_not_affected": ["P"]}`, true},
		{"another version by its branch", branch("product_version", "1.2.6", "pkg:npm/minimist"), `{"known_not_affected": ["P"]}`, false},
		{"another version by its branch, in the image", branch("product_version", "v1.2.6", "pkg:npm/minimist"), `{"known_not_affected": ["WEB:P"]}`, false},
		{"this version by its branch, in the image", branch("product_version", "1.2.5", "pkg:npm/minimist"), `{"known_not_affected": ["WEB:P"]}`, true},
		{"a branch that names the package, as Red Hat has it", branch("product_version", "minimist", "pkg:npm/minimist"), `{"known_not_affected": ["P"]}`, true},
		{"a range of versions", branch("product_version_range", "vers:npm/>=1.2.6", "pkg:npm/minimist"), `{"known_not_affected": ["P"]}`, false},
		{"a range of versions, in the image", branch("product_version_range", "vers:npm/>=1.2.6", "pkg:npm/minimist"), `{"known_not_affected": ["WEB:P"]}`, false},
		{"fixed in a range", branch("product_version_range", "vers:npm/>=1.2.6", "pkg:npm/minimist"), `{"fixed": ["P"]}`, false},
		{"fixed in this version", branch("product_version", "1.2.5", "pkg:npm/minimist"), `{"fixed": ["P"]}`, true},
		{"fixed in a later version", branch("product_version", "1.2.6", "pkg:npm/minimist@1.2.6"), `{"first_fixed": ["P"], "fixed": ["P"]}`, false},
		{"affected and not affected", branch("product_version", "1.2.5", "pkg:npm/minimist@1.2.5"), `{"known_not_affected": ["P"], "last_affected": ["P"]}`, false},
		{"only recommended", branch("product_version", "1.2.5", "pkg:npm/minimist@1.2.5"), `{"recommended": ["P"]}`, false},
		{"of another architecture", branch("product_version", "1.2.5", "pkg:npm/minimist@1.2.5?arch=arm64"), `{"known_not_affected": ["P"]}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := judged(t, csaf(tt.branches, tt.status))
			if got := f.Status == finding.NotAffected; got != tt.want {
				t.Errorf("ruled out is %v: %s", got, f.StatusReason)
			}
		})
	}
}

func TestTheNameOfAVersionBranchIsAVersionUnlessItNamesThePackage(t *testing.T) {
	nested := func(purl string, names ...string) string {
		product := fmt.Sprintf(`"product": {"product_id": "P", "name": "x", "product_identification_helper": {"purl": %q}}`, purl)
		for _, name := range names {
			product = fmt.Sprintf(`"branches": [{"category": "product_version", "name": %q, %s}]`, name, product)
		}
		return fmt.Sprintf(`{"category": "product_name", "name": "x", %s}`, product)
	}
	const minimist, react = "pkg:npm/minimist", "pkg:npm/%40scope/react_dom"
	tests := []struct {
		purl  string
		names []string
		want  string // the package URL that statements are about
		note  string
	}{
		{minimist, []string{"20230311-1"}, minimist + "@20230311-1", ""},
		{minimist, []string{"9e-3"}, minimist + "@9e-3", ""},
		{minimist, []string{"2024a-0+deb12u1"}, minimist + "@2024a-0%2Bdeb12u1", ""},
		{minimist, []string{"6b"}, minimist + "@6b", ""},
		{minimist, []string{"1-2"}, minimist + "@1-2", ""},
		{minimist, []string{" 1.2.5 "}, minimist + "@1.2.5", ""},
		{minimist, []string{"RELEASE.2023-11-01"}, minimist + "@RELEASE.2023-11-01", "is taken for the version"},
		{minimist, []string{"minimist-1.2.5"}, minimist + "@minimist-1.2.5", "is taken for the version"},
		{minimist, []string{"Version 1.2.5"}, minimist + "@Version%201.2.5", "is taken for the version"},
		{minimist, []string{" "}, "", "a version without a name"},
		{minimist, []string{"minimist"}, minimist, ""},
		{minimist, []string{"Minimist"}, minimist, ""},
		{minimist, []string{"minimist", "1.2.5"}, minimist + "@1.2.5", ""},
		{minimist, []string{"minimist", "jammy"}, minimist, ""},
		{minimist, []string{"1.2.5", "2.0"}, minimist + "@1.2.5", ""},
		{react, []string{"@scope/react-dom"}, react, ""},
		{"pkg:maven/org.apache/struts", []string{"org.apache:struts"}, "pkg:maven/org.apache/struts", ""},
		{"pkg:rpm/redhat/7zip", []string{"7zip"}, "pkg:rpm/redhat/7zip", ""},
		{"pkg:rpm/redhat/389-ds-base", []string{"389-ds:1.4/389-ds-base"}, "pkg:rpm/redhat/389-ds-base", ""},
		{"pkg:golang/example.com/x/v2", []string{"v2"}, "pkg:golang/example.com/x/v2@v2", ""},
		{minimist + "@1.2.5", []string{"Version 1"}, minimist + "@1.2.5", ""},
	}
	for _, tt := range tests {
		t.Run(tt.purl+" in "+strings.Join(tt.names, " in "), func(t *testing.T) {
			d, err := Decode("x.json", []byte(csaf(nested(tt.purl, tt.names...), `{"known_not_affected": ["P"]}`)))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(d.Statements) > 0 {
				got = strings.Join(d.Statements[0].Products[0].Names, " ")
			}
			if notes := strings.Join(d.Notes, "\n"); got != tt.want || !strings.Contains(notes, tt.note) || (notes != "") != (tt.note != "") {
				t.Errorf("the statement is about %q with the notes %q, want %q and %q", got, notes, tt.want, tt.note)
			}
		})
	}
}

func TestOpenVEXExcusesOnlyWhatItNames(t *testing.T) {
	document := func(vulnerability, products string, more ...string) string {
		statement := `{"vulnerability": ` + vulnerability + `, "status": "not_affected", "impact_statement": "i", "products": ` + products + `}`
		return `{"@context": "https://openvex.dev/ns/v0.2.0", "author": "a", "timestamp": "2026-11-01T00:00:00Z", "statements": [` +
			strings.Join(append([]string{statement}, more...), ", ") + `]}`
	}
	const cve = `{"name": "CVE-2021-44906"}`
	affected := `{"vulnerability": {"name": "GHSA-xvch-5gv4-984h"}, "status": "affected", "action_statement": "update", "products": [{"@id": "pkg:npm/minimist@1.2.5"}]}`
	later := strings.Replace(affected, `"status"`, `"timestamp": "2026-11-02T00:00:00Z", "status"`, 1)
	earlier := strings.Replace(affected, `"status"`, `"timestamp": "2026-10-02T00:00:00Z", "status"`, 1)
	tests := []struct {
		name, content string
		want          bool
	}{
		{"this version", document(cve, `[{"@id": "pkg:npm/minimist@1.2.5"}]`), true},
		{"another version", document(cve, `[{"@id": "pkg:npm/minimist@1.2.6"}]`), false},
		{"any version", document(cve, `[{"@id": "pkg:npm/minimist"}]`), true},
		{"a qualifier that the package has not", document(cve, `[{"@id": "pkg:npm/minimist@1.2.5?vcs_url=x"}]`), false},
		{"this version by one name and any by another", document(cve, `[{"@id": "pkg:npm/minimist@1.2.6", "identifiers": {"purl": "pkg:npm/minimist"}}]`), false},
		{"a subcomponent of another version by one of its names", document(cve, `[{"@id": "pkg:oci/web", "subcomponents": [{"@id": "pkg:npm/minimist@1.2.6", "identifiers": {"purl": "pkg:npm/minimist"}}]}]`), false},
		{"a subcomponent by two names", document(cve, `[{"@id": "pkg:oci/web", "subcomponents": [{"@id": "pkg:npm/minimist@1.2.5", "identifiers": {"purl": "pkg:npm/minimist"}}]}]`), true},
		{"one of several subcomponents", document(cve, `[{"@id": "pkg:oci/web", "subcomponents": [{"@id": "pkg:npm/qs"}, {"@id": "pkg:npm/minimist"}]}]`), true},
		{"an image of another digest, by one of its names", document(cve, `[{"@id": "pkg:oci/web", "hashes": {"sha-256": "`+strings.Repeat("9", 64)+`"}}]`), false},
		{"an image of this digest, by one of its names", document(cve, `[{"@id": "pkg:oci/web", "hashes": {"sha-256": "`+strings.TrimPrefix(digest, "sha256:")+`"}}]`), true},
		{"one name that is no image's", document(cve, `[{"@id": "https://example.org/web", "identifiers": {"purl": "pkg:oci/web"}}]`), true},
		{"the flaw by its id at GitHub", document(`{"name": "GHSA-xvch-5gv4-984h"}`, `[{"@id": "pkg:npm/minimist@1.2.5"}]`), true},
		{"the notice that the flaw is in", document(`{"name": "DSA-1-1"}`, `[{"@id": "pkg:npm/minimist@1.2.5"}]`), true},
		{"another flaw of the same notice", document(`{"name": "CVE-2021-11111", "aliases": ["DSA-1-1"]}`, `[{"@id": "pkg:npm/minimist@1.2.5"}]`), false},
		{"another id of the flaw, with its CVE", document(`{"name": "SNYK-1", "aliases": ["CVE-2021-44906"]}`, `[{"@id": "pkg:npm/minimist@1.2.5"}]`), true},
		{"another id of the flaw, with its id at GitHub", document(`{"name": "SNYK-1", "aliases": ["ghsa-xvch-5gv4-984h"]}`, `[{"@id": "pkg:npm/minimist@1.2.5"}]`), true},
		{"affected is said at the same time", document(cve, `[{"@id": "pkg:npm/minimist"}]`, affected), false},
		{"affected is said later", document(cve, `[{"@id": "pkg:npm/minimist"}]`, later), false},
		{"affected was said earlier", document(cve, `[{"@id": "pkg:npm/minimist"}]`, earlier), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := judged(t, tt.content)
			if got := f.Status == finding.NotAffected; got != tt.want {
				t.Errorf("ruled out is %v: %s", got, f.StatusReason)
			}
		})
	}
}
