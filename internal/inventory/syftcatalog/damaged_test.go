package syftcatalog_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/anchore/syft/syft/format/syftjson"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// An SBOM file is an error or an inventory that holds together, whichever byte
// is changed and wherever it ends. It is no fuzz target since the engine would
// measure all of syft.
func TestADamagedSBOMIsAnErrorOrAnInventory(t *testing.T) {
	img, err := imagetest.New().Layer("ADD x /", imagetest.Alpine("3.20.1", imagetest.Package{Name: "curl", Version: "8-r0"}, imagetest.Package{Name: "musl", Version: "1-r0"})...).Image()
	must(t, err)
	_, bom := catalog(t, layout(t, img))
	var cycloneDX, spdx, own bytes.Buffer
	must(t, bom.Write(&cycloneDX, syftcatalog.CycloneDX, time.Unix(0, 0)))
	must(t, bom.Write(&spdx, syftcatalog.SPDX, time.Unix(0, 0)))
	curl := pkg.Package{Name: "curl", Version: "8-r0", Type: pkg.ApkPkg, PURL: "pkg:apk/alpine/curl@8-r0", Metadata: pkg.ApkDBEntry{Package: "curl", Version: "8-r0", OriginPackage: "curl"}}
	curl.SetID()
	must(t, syftjson.NewFormatEncoder().Encode(&own, sbom.SBOM{Artifacts: sbom.Artifacts{Packages: pkg.NewCollection(curl)}}))
	for name, whole := range map[string][]byte{"CycloneDX": cycloneDX.Bytes(), "SPDX": spdx.Bytes(), "syft": own.Bytes()} {
		refused, read := 0, 0
		try := func(what string, at int, data []byte) {
			inv, _, err := syftcatalog.Catalog(t.Context(), target.StreamSBOM("bom.json", bytes.NewReader(data)), syftcatalog.Options{})
			switch {
			case err != nil && len(inv.Packages) > 0:
				t.Errorf("%s, %s at %d: packages in spite of %v", name, what, at, err)
			case err != nil:
				refused++
			default:
				read++
			}
		}
		step := max(len(whole)/25, 1)
		for at := 0; at < len(whole); at += step {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 0x15
			try("changed", at, damaged)
			try("cut", at, whole[:at])
			// Values of another type: a number, nothing, a list.
			for _, value := range []string{"-1e99", "null", "[{}]", `"\u0000"`} {
				if key := bytes.Index(whole[at:], []byte(`": "`)); key >= 0 {
					from := at + key + 3
					if end := bytes.IndexAny(whole[from+1:], "\",\n"); end >= 0 {
						try(value, at, bytes.Join([][]byte{whole[:from], whole[from+end+2:]}, []byte(value)))
					}
				}
			}
		}
		if refused < 20 || read < 12 {
			t.Errorf("%s: %d refused and %d read", name, refused, read)
		}
		t.Logf("%s: %d bytes, %d refused, %d read", name, len(whole), refused, read)
	}
}
