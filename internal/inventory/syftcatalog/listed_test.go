package syftcatalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// inventoryOf reads an SBOM file.
func inventoryOf(t *testing.T, content string) inventory.Inventory {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sbom.json")
	must(t, os.WriteFile(file, []byte(content), 0o600))
	inv, _, err := syftcatalog.Catalog(t.Context(), &target.Target{Kind: target.SBOM, Path: file, Name: "sbom.json"}, syftcatalog.Options{})
	must(t, err)
	return inv
}

// cycloneDX is a file with the components, as JSON.
func cycloneDX(components ...string) string {
	return `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[
		{"bom-ref":"os","type":"operating-system","name":"debian","version":"12.5"},` + strings.Join(components, ",") + `]}`
}

// The components are as Trivy 0.74 writes them.
func TestSourcePackagesOfTrivysFilesAreKnown(t *testing.T) {
	const purl = "pkg:deb/debian/zlib1g@1.2.13.dfsg-1?arch=amd64\u0026distro=debian-12.5\u0026epoch=1"
	for name, content := range map[string]string{
		"CycloneDX": cycloneDX(`{"bom-ref":"z","type":"library","name":"zlib1g","version":"1:1.2.13.dfsg-1","purl":"` + purl + `","properties":[
			{"name":"aquasecurity:trivy:SrcEpoch","value":"1"},{"name":"aquasecurity:trivy:SrcName","value":"zlib"},
			{"name":"aquasecurity:trivy:SrcRelease","value":"1"},{"name":"aquasecurity:trivy:SrcVersion","value":"1.2.13.dfsg"}]}`),
		"SPDX": `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"x","documentNamespace":"https://example.org/x","packages":[
			{"name":"zlib1g","SPDXID":"SPDXRef-z","versionInfo":"1:1.2.13.dfsg-1","downloadLocation":"NONE","sourceInfo":"built package from: zlib 1:1.2.13.dfsg-1",
			"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"` + purl + `"}]}],
			"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"SPDXRef-z","relationshipType":"DESCRIBES"}]}`,
	} {
		inv := inventoryOf(t, content)
		if len(inv.Packages) != 1 {
			t.Fatalf("%s: packages %+v", name, inv.Packages)
		}
		if s := inv.Packages[0].Source; s == nil || *s != (inventory.Source{Name: "zlib"}) {
			t.Errorf("%s: source %+v, want zlib in the package's version", name, s)
		}
	}
}

func TestAnSBOMThatNamesNoSourcePackageSaysSo(t *testing.T) {
	list := func(n int, more string) string {
		var components []string
		for i := range n {
			components = append(components, fmt.Sprintf(`{"bom-ref":"%[1]d","type":"library","name":"p%[1]d","version":"1","purl":"pkg:deb/debian/p%[1]d@1%[2]s"}`, i, more))
		}
		return cycloneDX(components...)
	}
	for name, tc := range map[string]struct {
		content string
		want    bool
	}{
		"many packages without a source":     {list(20, ""), true},
		"some, as in a small image":          {list(5, ""), false},
		"many packages with one":             {list(20, "?upstream=other"), false},
		"packages of which none is a system": {cycloneDX(`{"bom-ref":"a","type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"}`), false},
	} {
		if got := inventoryOf(t, tc.content).SourcesUnknown; got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// What has the URL of a package is one, whatever its type.
func TestComponentsOfEveryTypeArePackages(t *testing.T) {
	for _, kind := range []string{"library", "application", "framework", "firmware", "platform", "container", "file", "device-driver", "data"} {
		inv := inventoryOf(t, cycloneDX(`{"bom-ref":"a","type":"`+kind+`","name":"a","version":"1.0.0","purl":"pkg:npm/a@1.0.0","components":[
			{"bom-ref":"b","type":"`+kind+`","name":"b","version":"2.0.0","purl":"pkg:npm/%40s/b@2.0.0"}]}`))
		var got []string
		for _, p := range inv.Packages {
			got = append(got, p.Name+"@"+p.Version)
		}
		if len(got) != 2 || got[0] != "a@1.0.0" || !strings.HasSuffix(got[1], "b@2.0.0") {
			t.Errorf("%s: packages %v, want a and b", kind, got)
		}
	}
	inv := inventoryOf(t, cycloneDX(`{"bom-ref":"z","type":"platform","name":"zlib1g","version":"1:1.2.13","purl":"pkg:deb/debian/zlib1g@1.2.13?arch=amd64&epoch=1&upstream=zlib"}`))
	if len(inv.Packages) != 1 || inv.Packages[0].Version != "1:1.2.13" || inv.Packages[0].Architecture != "amd64" || inv.Packages[0].Source == nil || inv.Packages[0].Source.Name != "zlib" {
		t.Errorf("what the URL says of a package is lost: %+v", inv.Packages)
	}
	if inv := inventoryOf(t, cycloneDX(`{"bom-ref":"a","type":"container","name":"a","version":"1","purl":"pkg:oci/a@sha256%3Aabc"}`)); len(inv.Packages) != 0 {
		t.Errorf("an image is a package: %+v", inv.Packages)
	}
}
