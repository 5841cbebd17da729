package syftcatalog_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anchore/syft/syft/cpe"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/format/syftjson"
	"github.com/anchore/syft/syft/linux"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// sbomFiles are SBOM files of each format that is read.
func sbomFiles(t testing.TB) [][]byte {
	t.Helper()
	all := pkg.NewCollection()
	for _, name := range []string{"curl", "musl"} {
		p := pkg.Package{
			Name: name, Version: "8-r0", Type: pkg.ApkPkg, PURL: "pkg:apk/alpine/" + name + "@8-r0", Locations: file.NewLocationSet(file.NewLocation("/lib/apk/db/installed")),
			CPEs: []cpe.CPE{cpe.Must("cpe:2.3:a:"+name+":"+name+":8-r0:*:*:*:*:*:*:*", cpe.GeneratedSource)}, Licenses: pkg.NewLicenseSet(pkg.NewLicense("MIT")),
			Metadata: pkg.ApkDBEntry{Package: name, Version: "8-r0", OriginPackage: name},
		}
		p.SetID()
		all.Add(p)
	}
	var own, cycloneDX, spdx bytes.Buffer
	must(t, syftjson.NewFormatEncoder().Encode(&own, sbom.SBOM{Artifacts: sbom.Artifacts{Packages: all, LinuxDistribution: &linux.Release{ID: "alpine", VersionID: "3.20.1"}}}))
	inv, bom, err := syftcatalog.Catalog(t.Context(), target.StreamSBOM("bom.json", bytes.NewReader(own.Bytes())), syftcatalog.Options{})
	must(t, err)
	if len(inv.Packages) != 2 || inv.Distro == nil {
		t.Fatalf("%d packages of %+v, want two of Alpine", len(inv.Packages), inv.Distro)
	}
	must(t, bom.Write(&cycloneDX, syftcatalog.CycloneDX, time.Unix(0, 0)))
	must(t, bom.Write(&spdx, syftcatalog.SPDX, time.Unix(0, 0)))
	return [][]byte{cycloneDX.Bytes(), spdx.Bytes(), own.Bytes()}
}

// notUTF8 stands in a document for bytes that no JSON encoder writes.
const notUTF8 = "not UTF-8"

// alterations are what may stand in place of any value of a document.
var alterations = []func(old any) any{
	func(any) any { return nil },
	func(any) any { return true },
	func(any) any { return json.Number("-1e99") },
	func(any) any { return json.Number("9223372036854775808") },
	func(any) any { return json.Number("1e400") },
	func(any) any { return "" },
	func(any) any { return strings.Repeat("long ", 20_000) },
	func(any) any { return notUTF8 },
	func(any) any { return "\x00\x1b[31m\r\n::error::\u202e<script>" },
	func(any) any { return "pkg:deb/%zz//@?#a=%" },
	func(any) any { return "../../../../etc/passwd" },
	func(any) any { return map[string]any{} },
	func(any) any { return []any{} },
	func(old any) any { return []any{old, old, old} },
	func(old any) any { return map[string]any{"name": old, "components": []any{old}} },
	func(old any) any {
		for range 300 {
			old = []any{old}
		}
		return old
	},
}

// values counts the values of a document below v, v among them. With a change
// it replaces the one of a number.
func values(v any, at *int, number int, change func(any) any) any {
	here := *at
	*at++
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			v[k] = values(v[k], at, number, change)
		}
	case []any:
		for i := range v {
			v[i] = values(v[i], at, number, change)
		}
	}
	if here == number {
		return change(v)
	}
	return v
}

// altered is a document with values replaced: two bytes of steps name a value,
// the third says by what.
func altered(t testing.TB, whole, steps []byte) []byte {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(whole))
	dec.UseNumber()
	var doc any
	must(t, dec.Decode(&doc))
	for ; len(steps) >= 3; steps = steps[3:] {
		n := 0
		doc = values(doc, &n, -1, nil)
		number := int(binary.LittleEndian.Uint16(steps)) % n
		n = 0
		doc = values(doc, &n, number, alterations[int(steps[2])%len(alterations)])
	}
	out, err := json.Marshal(doc)
	must(t, err)
	return bytes.ReplaceAll(out, []byte(notUTF8), []byte("\xff\xfe\xc0\x80"))
}

// judgeSBOM reads a document as an SBOM file: it is an error that ends the gate
// as incomplete, or an inventory that can be written again.
func judgeSBOM(t *testing.T, data []byte) (inventory.Inventory, error) {
	t.Helper()
	inv, bom, err := syftcatalog.Catalog(t.Context(), target.StreamSBOM("bom.json", bytes.NewReader(data)), syftcatalog.Options{})
	if err != nil {
		if code := exit.CodeOf(err); len(inv.Packages) > 0 || code == exit.Passed || code == exit.Warned {
			t.Errorf("%d packages and exit code %d in spite of %v", len(inv.Packages), code, err)
		}
		return inv, err
	}
	for _, format := range []syftcatalog.Format{syftcatalog.CycloneDX, syftcatalog.SPDX} {
		if err := bom.Write(io.Discard, format, time.Unix(0, 0)); err != nil {
			t.Errorf("it was read, but cannot be written as %s: %v", format, err)
		}
	}
	return inv, nil
}

// Each value of an SBOM is replaced by something that does not belong there, and
// the file is cut and altered at each class of offset. Documents of other kinds
// in disguise are none.
func TestAnAlteredSBOMIsAnErrorOrAnInventory(t *testing.T) {
	for i, whole := range sbomFiles(t) {
		read, refused := 0, 0
		try := func(data []byte) {
			if _, err := judgeSBOM(t, data); err != nil {
				refused++
			} else {
				read++
			}
		}
		count := 0
		var doc any
		must(t, json.Unmarshal(whole, &doc))
		values(doc, &count, -1, nil)
		for n := range count {
			// All alterations of the first values, and one of each of the others.
			for what := range alterations {
				if n < 12 || what == n%len(alterations) {
					try(altered(t, whole, []byte{byte(n), byte(n >> 8), byte(what)}))
				}
			}
		}
		for _, at := range []int{0, 1, 2, 3, len(whole) / 2, len(whole) - 3, len(whole) - 2, len(whole) - 1} {
			if _, err := judgeSBOM(t, bytes.TrimRight(whole[:at], "\n }")); err == nil {
				t.Errorf("file %d: cut after %d bytes and read", i, at)
			}
		}
		for at := 0; at < len(whole); at += max(len(whole)/25, 1) {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 0x15
			try(flipped)
			try(whole[:at])
		}
		if read < 20 || refused < 50 {
			t.Errorf("file %d: %d read, %d refused of %d values: the alterations do not reach what is read", i, read, refused, count)
		}
		t.Logf("file %d: %d values, %d read, %d refused", i, count, read, refused)
	}
	entities := `<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY a "lol">`
	for i := range 12 {
		entities += fmt.Sprintf(`<!ENTITY %c "%s">`, 'b'+i, strings.Repeat(fmt.Sprintf("&%c;", 'a'+i), 10))
	}
	for name, text := range map[string]string{
		"XML with entities": entities + `]><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component type="library"><name>&m;</name></component></components></bom>`,
		"SPDX as tags":      "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nPackageName: curl\nPackageVersion: 8\n",
		"UTF-16":            "\xff\xfe{\x00}\x00",
		"a million levels":  `{"bomFormat":"CycloneDX","specVersion":"1.6","components":` + strings.Repeat(`[{"components":`, 500_000),
		"the same key":      `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a","name":"b"}]}`,
	} {
		if _, err := judgeSBOM(t, []byte(text)); exit.CodeOf(err) != exit.NotExamined {
			t.Errorf("%s: %v, want exit code 4", name, err)
		}
	}
}

// Instrumented, all of syft would be built anew.
//
//fuzz:uninstrumented
func FuzzAlteredSBOM(f *testing.F) {
	whole := sbomFiles(f)
	for i := range whole {
		f.Add(uint8(i), []byte{1, 0, 0, 7, 0, 13}, uint16(0), uint8(0))
		f.Add(uint8(i), []byte{}, uint16(100), uint8(0x15))
	}
	f.Fuzz(func(t *testing.T, which uint8, steps []byte, at uint16, flip uint8) {
		data := altered(t, whole[int(which)%len(whole)], steps[:min(len(steps), 12)])
		data[int(at)%len(data)] ^= flip
		_, _ = judgeSBOM(t, data) // It judges errors and inventories.
	})
}
