package syftcatalog

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/target"
)

func TestAnSBOMSaysWhichImageItIsAbout(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	cyclonedx := func(component string) string {
		return `{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": ` + component + `}, "components": []}`
	}
	spdx := func(version string) string {
		return `{"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "web", "documentNamespace": "https://example.com/web",
			"creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: some-1"]},
			"packages": [{"name": "registry.example/shop/web", "SPDXID": "SPDXRef-DocumentRoot-Image-web", "versionInfo": "` + version + `",
				"downloadLocation": "NOASSERTION", "primaryPackagePurpose": "CONTAINER"}],
			"relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-DocumentRoot-Image-web", "relationshipType": "DESCRIBES"}]}`
	}
	for name, tt := range map[string]struct {
		document string
		want     inventory.Subject
	}{
		"CycloneDX with the digest as version": {
			cyclonedx(`{"type": "container", "name": "registry.example/shop/web", "version": "` + digest + `"}`),
			inventory.Subject{References: []string{"registry.example/shop/web"}, Digests: []string{digest}},
		},
		"CycloneDX with the tag in the name": {
			cyclonedx(`{"type": "container", "name": "registry.example/shop/web:1.4", "version": "` + digest + `"}`),
			inventory.Subject{References: []string{"registry.example/shop/web:1.4"}, Digests: []string{digest}},
		},
		"CycloneDX with the tag as version": {
			cyclonedx(`{"type": "container", "name": "registry.example/shop/web", "version": "1.4"}`),
			inventory.Subject{References: []string{"registry.example/shop/web:1.4"}},
		},
		"CycloneDX of an application": {
			cyclonedx(`{"type": "application", "name": "web", "version": "1.4"}`), inventory.Subject{},
		},
		"SPDX with a tag": {
			spdx("1.4"), inventory.Subject{References: []string{"registry.example/shop/web:1.4", "registry.example/shop/web"}},
		},
		"SPDX with a digest": {
			spdx(digest),
			inventory.Subject{References: []string{"registry.example/shop/web@" + digest, "registry.example/shop/web"}, Digests: []string{digest}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bom.json")
			if err := os.WriteFile(file, []byte(tt.document), 0o600); err != nil {
				t.Fatal(err)
			}
			model, _, err := decode(&target.Target{Path: file})
			if err != nil {
				t.Fatal(err)
			}
			if got := subjectOf(model.Source); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
