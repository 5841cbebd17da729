package builder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// foreignFiles are names of input files, one of each class, with what one may
// hold.
var foreignFiles = []struct{ name, content string }{
	{"epss_scores-current.csv", "#model_version:v2025.03.14,score_date:2026-08-16T12:00:00Z\ncve,epss,percentile\nCVE-2024-9,0.00043,0.1\n"},
	{"known_exploited_vulnerabilities.json", `{"dateReleased":"2025-08-25T15:00:00.0Z","vulnerabilities":[{"cveID":"CVE-2024-9","dateAdded":"2024-05-01","dueDate":"2024-05-22","knownRansomwareCampaignUse":"Known"}]}`},
	{"nvdcve-2.0-2024.json", `{"timestamp":"2026-08-20T00:00:01.000","vulnerabilities":[{"cve":{"id":"CVE-2024-1","vulnStatus":"Analyzed","metrics":{"cvssMetricV31":[{"type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]}}}]}`},
	{"endoflife-all.json", fullV1},
	{"endoflife-alpine-linux.json", alpineOld},
	{"debian.csv", debianCSV},
	{"ubuntu.csv", ubuntuCSV},
	{"debian-security-tracker.json", `{"curl":{"CVE-2024-1":{"description":"x","releases":{"bookworm":{"status":"resolved","fixed_version":"1"}}}}}`},
	{"updateinfo.xml", `<updates><update type="security"><id>ELSA-2023-1</id><pkglist><collection><package name="curl" version="7" release="1.el8" epoch="0" arch="x86_64"/></collection></pkglist></update></updates>`},
	{"arch-linux.json", `[{"name":"AVG-1","packages":["curl"],"status":"Fixed","severity":"Low","affected":"7.1-1","fixed":"7.2-1","issues":["CVE-2022-1"]}]`},
	{photonPrefix + "5.0.json", `[{"cve_id":"CVE-2024-1","pkg":"curl","cve_score":7.5,"aff_ver":"all versions before 8.1-1.ph5 are vulnerable","res_ver":"8.1-1.ph5"}]`},
	{"com.oracle.elsa-all.xml.bz2", packedOVAL},
	{"all.zip", "PK\x05\x06" + strings.Repeat("\x00", 18)},
	{"vex.tar.zst", "\x28\xb5\x2f\xfd\x00\x58\x00\x00"},
	{"record.json", npmRecord("GHSA-2", "", "2.0.0")},
}

// FuzzBuild holds for each class of input file that it is an error which says
// in which file, and leaves no database, or that the database is whole.
func FuzzBuild(f *testing.F) {
	for i, file := range foreignFiles {
		f.Add(byte(i), []byte(file.content))
	}
	dir := f.TempDir()
	good, bad, out := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "out")
	for _, d := range []string{good, bad} {
		if err := os.Mkdir(d, 0o700); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(good, "0.json"), []byte(npmRecord("GHSA-1", `"aliases":["CVE-2024-1"],`, "1.0.0")), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, class byte, data []byte) {
		name := foreignFiles[int(class)%len(foreignFiles)].name
		path := filepath.Join(bad, name)
		if err := errors.Join(os.RemoveAll(out), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := Build(context.Background(), Request{From: []string{good, path}, Out: out, Now: now, Tool: "test", Workers: 1})
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			if _, there := os.Stat(filepath.Join(out, advisory.ManifestName)); !errors.Is(there, os.ErrNotExist) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: manifest: %v, error: %v", name, there, err)
			}
			return
		}
		db, err := advisory.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		states, err := store.Verify(context.Background(), db)
		for _, s := range states {
			if err != nil || !s.Present || s.Err != nil {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
		}
	})
}
