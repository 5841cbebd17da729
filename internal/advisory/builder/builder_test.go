package builder

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
)

const samples = "../../../testdata/advisories"

var now = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// build compiles the given paths and opens the result.
func build(t *testing.T, change func(*Request), from ...string) (*advisory.Database, advisory.Manifest) {
	t.Helper()
	req := Request{From: from, Out: t.TempDir(), Now: now, Tool: "test"}
	if change != nil {
		change(&req)
	}
	m, err := Build(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(req.Out)
	if err != nil {
		t.Fatal(err)
	}
	return db, m
}

// records writes OSV records into a directory and returns it.
func records(t *testing.T, list ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, r := range list {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), []byte(r), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// npmRecord is a short way to write an OSV record about one npm package.
func npmRecord(id, rest, fixed string) string {
	return fmt.Sprintf(`{"id":%q,%s"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, id, rest, fixed)
}

func lookup(t *testing.T, db *advisory.Database, shard, name string) []advisory.Entry {
	t.Helper()
	a, err := db.Shard(context.Background(), shard)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := a.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// zipDir packs the records below a directory as osv.dev does: one flat archive
// for each ecosystem.
func zipDir(t *testing.T, dir string) string {
	t.Helper()
	out := t.TempDir()
	folders, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		if err := os.MkdirAll(filepath.Join(out, folder.Name()), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(out, folder.Name(), "all.zip"))
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		files, err := filepath.Glob(filepath.Join(dir, folder.Name(), "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(files)
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			w, err := z.Create(filepath.Base(path))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	one, _ := build(t, func(r *Request) { r.Workers = 1 }, samples)
	two, _ := build(t, func(r *Request) { r.Workers = 8 }, samples)
	if one.Digest() != two.Digest() {
		t.Error("two builds of the same directory differ")
	}
	nvd := filepath.Join(samples, "nvdcve-2.0-sample.json")
	zipped, _ := build(t, nil, nvd, zipDir(t, samples))
	if one.Digest() != zipped.Digest() {
		t.Errorf("records and archives of them differ:\n%s", cmp.Diff(one.Manifest(), zipped.Manifest()))
	}
	if files, _ := filepath.Glob(filepath.Join(one.Location(), ".*")); len(files) != 1 || filepath.Base(files[0]) != ".lock" {
		t.Errorf("hidden files besides the lock: %v", files)
	}
}

func TestManifestDescribesTheDatabase(t *testing.T) {
	_, m := build(t, nil, samples)
	s, ok := m.Shard("debian-12")
	if !ok || s.Ecosystem != "Debian:12" || s.Records != 3 || s.Packages != 3 {
		t.Errorf("shard debian-12: %+v", s)
	}
	want := time.Date(2023, 10, 24, 0, 0, 0, 0, time.UTC)
	if !s.Date.Equal(want) || !s.Fetched.Equal(want) {
		t.Errorf("dates of debian-12: %v and %v, want %v", s.Date, s.Fetched, want)
	}
	source, ok := m.Source("Go vulnerability database")
	if !ok || source.Licence != "CC-BY-4.0" || source.Records != 9 {
		t.Errorf("source: %+v", source)
	}
	if m.Skipped[skipWithdrawn] != 1 || m.Skipped[skipNoFlaw] != 1 {
		t.Errorf("skipped: %v", m.Skipped)
	}
	if !m.Built.Equal(now) || m.Tool != "test" {
		t.Errorf("built %v by %q", m.Built, m.Tool)
	}
}

func TestTimeOfFetchingOverridesDatesOfRecords(t *testing.T) {
	fetched := now.Add(-time.Hour)
	_, m := build(t, func(r *Request) { r.Fetched = fetched }, samples)
	for _, s := range m.Shards {
		if !s.Fetched.Equal(fetched) {
			t.Errorf("%s: fetched %v", s.Name, s.Fetched)
		}
	}
}

func TestAFreshDownloadDoesNotHideADeadOne(t *testing.T) {
	dir := t.TempDir()
	for name, fetched := range map[string]time.Time{"osv": now.Add(-time.Hour), "feed": now.AddDate(0, 0, -20)} {
		path := filepath.Join(dir, name, name+".json")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		record := `{"id":"GHSA-` + name + `","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1.0.0"]}]}`
		if err := errors.Join(os.WriteFile(path, []byte(record), 0o600), download.WriteInfo(path, download.Info{Fetched: fetched})); err != nil {
			t.Fatal(err)
		}
	}
	_, m := build(t, nil, dir)
	if s, _ := m.Shard("npm"); s.Records != 2 || !s.Fetched.Equal(now.AddDate(0, 0, -20)) {
		t.Errorf("%d records, fetched %v", s.Records, s.Fetched)
	}
}

func TestDatesInTheFutureDoNotMakeDataFresh(t *testing.T) {
	dir := records(t,
		npmRecord("GHSA-1", `"modified":"2026-08-01T00:00:00Z",`, "1.0.0"),
		npmRecord("GHSA-2", `"modified":"2099-01-01T00:00:00Z",`, "1.0.0"))
	_, m := build(t, nil, dir)
	if got := m.Shards[0].Date.Format(time.DateOnly); got != "2026-08-01" {
		t.Errorf("date of the shard is %s", got)
	}
}

func TestTheNewestCopyOfARecordCounts(t *testing.T) {
	older := npmRecord("GHSA-1", `"modified":"2024-01-01T00:00:00Z",`, "1.0.0")
	newer := npmRecord("GHSA-1", `"modified":"2025-01-01T00:00:00Z",`, "2.0.0")
	withdrawn := npmRecord("GHSA-1", `"modified":"2026-01-01T00:00:00Z","withdrawn":"2026-01-01T00:00:00Z",`, "3.0.0")
	other := npmRecord("GHSA-2", "", "9.0.0")
	for _, list := range [][]string{{older, newer, other}, {newer, older, other}} {
		db, m := build(t, nil, records(t, list...))
		if e := lookup(t, db, "npm", "p"); len(e) != 2 || m.Shards[0].Records != 2 {
			t.Fatalf("%d entries", len(e))
		}
	}
	for _, list := range [][]string{{older, withdrawn, other}, {withdrawn, older, other}} {
		db, _ := build(t, nil, records(t, list...))
		if e := lookup(t, db, "npm", "p"); len(e) != 1 || e[0].Advisory.ID != "GHSA-2" {
			t.Errorf("a withdrawn record came back: %d entries", len(e))
		}
	}
}

// Archives of two ecosystems may have copies of one record, of different times
// and each with its own ecosystem only.
func TestTheNewestCopyOfARecordCountsForEachEcosystem(t *testing.T) {
	npm := npmRecord("GHSA-1", `"modified":"2024-01-01T00:00:00Z",`, "1.0.0")
	nuget := strings.ReplaceAll(npmRecord("GHSA-1", `"modified":"2025-01-01T00:00:00Z",`, "2.0.0"), `"npm"`, `"NuGet"`)
	newer := npmRecord("GHSA-1", `"modified":"2024-06-01T00:00:00Z",`, "3.0.0")
	for _, list := range [][]string{{npm, nuget, newer}, {newer, nuget, npm}, {nuget, newer, npm, nuget}} {
		db, m := build(t, nil, records(t, list...))
		for name, fixed := range map[string]string{"npm": "3.0.0", "nuget": "2.0.0"} {
			e := lookup(t, db, name, "p")
			if len(e) != 1 {
				t.Fatalf("%s: %d entries", name, len(e))
			}
			if got := e[0].Ranges[0].Events[1].Version; got != fixed || len(e[0].Advisory.Vulnerabilities) != 1 {
				t.Errorf("%s: fixed in %s, flaws %+v", name, got, e[0].Advisory.Vulnerabilities)
			}
		}
		if m.Sources[0].Records != 1 {
			t.Errorf("%d records", m.Sources[0].Records)
		}
	}
	withdrawn := npmRecord("GHSA-1", `"modified":"2026-01-01T00:00:00Z","withdrawn":"2026-01-01T00:00:00Z",`, "3.0.0")
	db, _ := build(t, nil, records(t, withdrawn, nuget, npm, npmRecord("GHSA-2", "", "9.0.0")))
	if e := lookup(t, db, "npm", "p"); len(e) != 1 || e[0].Advisory.ID != "GHSA-2" {
		t.Errorf("a withdrawn record came back: %d entries", len(e))
	}
}

func TestIdsOfOneFlawAreJoined(t *testing.T) {
	db, _ := build(t, nil, records(t,
		npmRecord("GHSA-1", `"aliases":["CVE-2024-9"],`, "1.0.0"),
		npmRecord("GLC-1", `"aliases":["GHSA-1"],`, "1.0.0"),
		npmRecord("GLC-2", `"related":["CVE-2024-9"],`, "1.0.0")))
	got := map[string][]string{}
	for _, e := range lookup(t, db, "npm", "p") {
		for _, v := range e.Advisory.Vulnerabilities {
			got[e.Advisory.ID] = append([]string{v.ID}, v.Aliases...)
		}
	}
	want := map[string][]string{
		"GHSA-1": {"CVE-2024-9", "GHSA-1", "GLC-1"},
		"GLC-1":  {"CVE-2024-9", "GHSA-1", "GLC-1"},
		"GLC-2":  {"GLC-2"}, // related is no alias
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flaws by advisory (-want +got):\n%s", diff)
	}
}

func TestBundlesAreExpandedIntoTheirFlaws(t *testing.T) {
	db, _ := build(t, nil, samples)
	tests := []struct{ shard, name, advisory, want string }{
		{"debian-12", "glibc", "DSA-5514-1", "CVE-2023-4527 CVE-2023-4806 CVE-2023-4911"},
		{"almalinux-9", "openssl-libs", "ALSA-2025:1330", "CVE-2024-12797"},
		{"alpine-v3.16", "zlib", "ALPINE-CVE-2018-25032", "CVE-2018-25032"},
		{"go", "golang.org/x/text", "GO-2021-0113", "CVE-2021-38561"},
	}
	for _, tt := range tests {
		found := false
		for _, e := range lookup(t, db, tt.shard, tt.name) {
			if e.Advisory.ID != tt.advisory {
				continue
			}
			found = true
			var ids []string
			for _, v := range e.Advisory.Vulnerabilities {
				ids = append(ids, v.ID)
			}
			if got := strings.Join(ids, " "); got != tt.want {
				t.Errorf("%s is about %s, want %s", tt.advisory, got, tt.want)
			}
		}
		if !found {
			t.Errorf("%s: nothing about %s in %s", tt.advisory, tt.name, tt.shard)
		}
	}
}

func TestRebuildsOfOneFixCountOnce(t *testing.T) {
	db, _ := build(t, nil, samples)
	var fixed []string
	for _, e := range lookup(t, db, "almalinux-8", "nodejs") {
		if e.Advisory.ID == "ALSA-2021:3623" {
			fixed = append(fixed, e.Ranges[0].Events[1].Version)
			if e.Module != "nodejs:12" {
				t.Errorf("module %q", e.Module)
			}
		}
	}
	if len(fixed) != 1 || fixed[0] != "1:12.22.5-1.module_el8.4.0+2529+af52a4c7" {
		t.Errorf("fixed versions of nodejs:12: %q", fixed)
	}
}

func TestVectorsAreJoinedForRecordsWithoutOne(t *testing.T) {
	vector := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	other := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
	nvd := fmt.Sprintf(`{"vulnerabilities":[{"cve":{"id":"CVE-2024-9","metrics":{"cvssMetricV31":[{"type":"Secondary","cvssData":{"vectorString":%q}},{"type":"Primary","cvssData":{"vectorString":%q}}]}}},
		{"cve":{"id":"CVE-2024-8","vulnStatus":"Rejected","metrics":{"cvssMetricV31":[{"type":"Primary","cvssData":{"vectorString":%q}}]}}}]}`, other, vector, vector)
	bare := npmRecord("GHSA-1", `"aliases":["CVE-2024-9"],`, "1.0.0")
	twin := npmRecord("GLC-1", fmt.Sprintf(`"aliases":["CVE-2024-9"],"severity":[{"type":"CVSS_V3","score":%q}],`, other), "1.0.0")
	rejected := npmRecord("GHSA-2", `"aliases":["CVE-2024-8"],`, "1.0.0")
	tests := []struct {
		why  string
		list []string
		want []advisory.Rating
	}{
		{"NVD alone", []string{bare, rejected}, []advisory.Rating{{Source: "NVD", Vector: vector}}},
		{"another record of the flaw comes before NVD", []string{bare, twin}, []advisory.Rating{{Source: "GLC-1", Vector: other}}},
	}
	for _, tt := range tests {
		dir := records(t, tt.list...)
		if err := os.WriteFile(filepath.Join(dir, "nvdcve-2.0-2024.json"), []byte(nvd), 0o600); err != nil {
			t.Fatal(err)
		}
		db, m := build(t, nil, dir)
		for _, e := range lookup(t, db, "npm", "p") {
			switch e.Advisory.ID {
			case "GHSA-1":
				if diff := cmp.Diff(tt.want, e.Advisory.Vulnerabilities[0].Ratings); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.why, diff)
				}
			case "GHSA-2":
				if len(e.Advisory.Vulnerabilities[0].Ratings) > 0 {
					t.Errorf("a rejected entry of NVD was joined")
				}
			}
		}
		if s, ok := m.Source("NVD"); !ok || s.Records != 1 {
			t.Errorf("%s: source NVD: %+v", tt.why, s)
		}
	}
}

func TestVersionsOutsideOfRangesAreKept(t *testing.T) {
	db, _ := build(t, nil, records(t,
		`{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["0.9.0","5.0.0","1.0.0"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}]}]}`,
		`{"id":"GHSA-2","affected":[{"package":{"ecosystem":"npm","name":"q"},"versions":["0.9.0"],"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}`,
		`{"id":"GHSA-3","affected":[{"package":{"ecosystem":"npm","name":"r"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}`))
	if got := lookup(t, db, "npm", "p")[0].Versions; !slices.Equal(got, []string{"1.0.0", "5.0.0"}) {
		t.Errorf("versions = %q", got)
	}
	if got := lookup(t, db, "npm", "q")[0].Versions; !slices.Equal(got, []string{"0.9.0"}) {
		t.Errorf("versions without range = %q", got)
	}
	if len(lookup(t, db, "npm", "r")) != 0 {
		t.Error("an entry that nothing can be compared with was kept")
	}
}

func TestLicenceFilterLeavesOutWhatMayNotBePassedOn(t *testing.T) {
	chainguard := strings.ReplaceAll(npmRecord("CGA-1", `"upstream":["CVE-2024-9"],`, "1.0.0-r0"), `"npm"`, `"Chainguard"`)
	dir := records(t, chainguard, npmRecord("GHSA-1", "", "1.0.0"), npmRecord("XYZ-1", "", "1.0.0"))
	_, all := build(t, nil, dir)
	if _, ok := all.Shard("chainguard"); !ok {
		t.Error("a local build lacks Chainguard")
	}
	db, published := build(t, func(r *Request) { r.Redistributable = true }, dir)
	if _, ok := published.Shard("chainguard"); ok {
		t.Error("a published build holds Chainguard")
	}
	if n := len(lookup(t, db, "npm", "p")); n != 1 {
		t.Errorf("%d npm entries, want that of GHSA alone", n)
	}
	if published.Skipped[skipLicence+"Chainguard"] != 1 || published.Skipped[skipLicence+"unknown publisher of XYZ"] != 1 {
		t.Errorf("skipped: %v", published.Skipped)
	}
}

func TestMaliciousPackagesHaveAShardOfTheirOwn(t *testing.T) {
	db, m := build(t, nil, records(t, npmRecord("MAL-2024-1", "", "1.0.0"), npmRecord("GHSA-1", "", "1.0.0")))
	if e := lookup(t, db, "npm-malware", "p"); len(e) != 1 || e[0].Advisory.Kind != advisory.Malware {
		t.Errorf("entries: %+v", e)
	}
	if s, _ := m.Shard("npm"); s.Records != 1 {
		t.Errorf("npm has %d records", s.Records)
	}
}

func TestBuildingAgainReplacesTheDatabase(t *testing.T) {
	out := t.TempDir()
	for _, fixed := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		_, err := Build(context.Background(), Request{From: []string{records(t, npmRecord("GHSA-1", "", fixed))}, Out: out, Now: now})
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := advisory.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := lookup(t, db, "npm", "p")[0].Ranges[0].Events[1].Version; got != "3.0.0" {
		t.Errorf("fixed in %s", got)
	}
	files, _ := filepath.Glob(filepath.Join(out, "*.zst"))
	if len(files) != 2 {
		t.Errorf("%d shard files are kept, want those of this database and the one before: %v", len(files), files)
	}
}

func TestADatabaseMayBeBuiltBelowItsInput(t *testing.T) {
	dir := records(t, npmRecord("GHSA-1", "", "1.0.0"))
	for range 2 {
		if _, err := Build(context.Background(), Request{From: []string{dir}, Out: filepath.Join(dir, "db"), Now: now}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuildSaysWhichInputIsWrong(t *testing.T) {
	good := records(t, npmRecord("GHSA-1", "", "1.0.0"))
	tests := []struct {
		why  string
		from []string
		want string
	}{
		{"nothing given", nil, "no advisories"},
		{"a path that is not there", []string{good, "/no/such/path"}, "/no/such/path"},
		{"an empty directory", []string{t.TempDir()}, "no advisories"},
		{"a file that is no record", []string{records(t, "{}")}, "0.json"},
		{"only what is not supported", []string{records(t, `{"id":"A-1","affected":[{"package":{"ecosystem":"Android","name":"p"},"versions":["1"]}]}`)}, "no advisories"},
	}
	for _, tt := range tests {
		out := filepath.Join(t.TempDir(), "db")
		_, err := Build(context.Background(), Request{From: tt.from, Out: out, Now: now})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.why, err, tt.want)
		}
		if _, err := advisory.Open(out); !errors.Is(err, advisory.ErrMissing) {
			t.Errorf("%s: a database is there (%v)", tt.why, err)
		}
	}
	broken := filepath.Join(t.TempDir(), "all.zip")
	if err := os.WriteFile(broken, []byte("PK\x03\x04 cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(context.Background(), Request{From: []string{broken}, Out: t.TempDir(), Now: now}); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("a broken archive: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, Request{From: []string{good}, Out: t.TempDir(), Now: now}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRiskFeedsAreRead(t *testing.T) {
	dir := records(t, npmRecord("GHSA-1", `"aliases":["CVE-2024-9"],`, "1.0.0"))
	files := map[string]string{
		"epss_scores-current.csv":              "#model_version:v2025.03.14,score_date:2026-08-16T12:00:00Z\ncve,epss,percentile\nCVE-2024-9,0.00043,0.1\n",
		"known_exploited_vulnerabilities.json": `{"dateReleased":"2025-08-25T15:00:00.0Z","vulnerabilities":[{"cveID":"CVE-2024-9","dateAdded":"2024-05-01","dueDate":"2024-05-22","knownRansomwareCampaignUse":"Known"}]}`,
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, m := build(t, nil, dir)
	epss, err := db.EPSS(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := epss.Find("CVE-2024-9"); !ok || s.Score != 0.00043 {
		t.Errorf("EPSS: %v %v", s, ok)
	}
	kev, err := db.KEV(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if k := kev["CVE-2024-9"]; !k.Ransomware || k.Added.Format(time.DateOnly) != "2024-05-01" {
		t.Errorf("KEV: %+v", k)
	}
	if s, _ := m.Shard("epss"); s.Date.Format(time.DateOnly) != "2026-08-16" {
		t.Errorf("date of EPSS: %v", s.Date)
	}
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "epss_scores-current.csv"), []byte("CVE-2024-9,7,0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(context.Background(), Request{From: []string{bad}, Out: t.TempDir(), Now: now}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a score of 7: %v", err)
	}
}

// packedOVAL is one definition of Oracle about package f, compressed with bzip2,
// which the standard library reads and does not write.
const packedOVAL = "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x0b\x5c\xfa\xfe\x00\x00\x23\x9f\x80\x50\x03\xf4\x57\x2a\x04\x89\x80\xaf\x67\xdf\x60\x30\x00\xe5\x8c\x34\xd2\x9e\x94\x00\x3d\x4f\x28\xfd\x53\x40\xde\x94\x34\x01\xa9\x91\x0d\x32\x00\x00\x00\x68\x02\x51\x04\xf4\x9e\xa2\x1b\x53\x40\x00\x03\x42\x3e\xf5\x54\xc7\x61\xef\xb4\xe3\xfa\xe8\xb7\x04\xa5\x43\xdf\xc7\x78\x74\x03\x20\xa5\x52\x64\x38\x60\xde\x73\x35\xe1\x48\x18\x3a\xa2\x0f\x81\xee\xe9\xe3\x9f\x29\x49\x84\x99\x84\xca\xb4\x82\xc6\x7b\x11\x5d\xd1\xa0\xc5\xa8\x3d\x4c\x9c\x08\x4f\x7f\xc1\x3a\x50\xbd\x47\xa4\xf4\xb5\x90\x63\x10\xb3\x33\x50\x81\x2a\x04\xe0\xa1\x0a\xda\x64\x50\xda\x6d\x08\x76\x46\x14\x0a\x11\x18\xd5\x6e\x81\x32\x6d\x25\xff\x04\xb3\x64\xe6\x2a\x11\x2e\x22\x1c\x84\x91\x04\xb7\x01\xc9\x0f\x39\x66\x31\xc7\xe9\x25\x0a\x88\xa0\xae\x2b\x8a\x05\x4b\x1a\xbf\x9b\x72\x85\x02\x30\x1d\xc7\x1f\x40\x56\xeb\xe6\x34\xd1\x4a\x0d\x02\x40\xca\x23\x34\x10\x8b\xd2\xd2\x05\xa6\xb2\xea\xe0\x49\xfe\x2e\xe4\x8a\x70\xa1\x20\x16\xb9\xf5\xfc"

func TestVendorsFeedsArePutTogether(t *testing.T) {
	dir := t.TempDir()
	secdb := func(repo, name string) string {
		return fmt.Sprintf(`{"reponame":%q,"urlprefix":"https://dl-cdn.alpinelinux.org/alpine","distroversion":"v3.20","packages":[{"pkg":{"name":%q,"secfixes":{"1.0-r0":["CVE-2024-1"]}}}]}`, repo, name)
	}
	tracker := `{"p":{"CVE-2024-1":{"description":"text","releases":{"bookworm":{"status":"open","urgency":"low"}}}},"q":{"CVE-2024-1":{"description":"text","releases":{"bookworm":{"status":"resolved","fixed_version":"2"}}}}}`
	for name, content := range map[string]string{
		"main.json": secdb("main", "a"), "community.json": secdb("community", "b"), "osv.json": `{"id":"ALPINE-CVE-2024-1","upstream":["CVE-2024-1"],"affected":[{"package":{"ecosystem":"Alpine:v3.20","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0-r0"}]}]}]}`,
		"debian-security-tracker.json": tracker,
		"al2023-updateinfo.xml":        `<updates><update type="security"><id>ALAS2023-2023-1</id><severity>low</severity><references><reference id="CVE-2024-1" type="cve"/></references><pkglist><collection><package name="c" version="2" release="1.amzn2023" epoch="0" arch="x86_64"/></collection></pkglist></update></updates>`,
		"com.oracle.elsa-all.xml.bz2":  packedOVAL,
		"cve_data_photon5.0.json":      `[{"cve_id":"CVE-2024-1","pkg":"e","cve_score":7.5,"res_ver":"2-1.ph5"}]`,
		"suse.json":                    `{"document":{"publisher":{"namespace":"https://www.suse.com/"}},"product_tree":{"branches":[{"product":{"product_id":"openSUSE Leap 15.6","product_identification_helper":{"cpe":"cpe:/o:opensuse:leap:15.6"}}}],"relationships":[{"full_product_name":{"product_id":"x"},"product_reference":"g-2-1","relates_to_product_reference":"openSUSE Leap 15.6"}]},"vulnerabilities":[{"cve":"CVE-2024-1","product_status":{"recommended":["x"]}}]}`,
		"ubuntu.json":                  `{"@context":"https://openvex.dev/ns/v0.2.0","author":"Canonical Ltd.","statements":[{"vulnerability":{"name":"CVE-2024-1"},"status":"affected","products":[{"@id":"pkg:deb/ubuntu/h@1?arch=source&distro=noble"}]}]}`,
		"arch-linux.json":              `[{"name":"AVG-1","packages":["d"],"status":"Fixed","fixed":"2-1","issues":["CVE-2024-1"]}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, m := build(t, nil, dir)
	for _, tt := range []struct{ shard, name string }{{"alpine-v3.20", "a"}, {"alpine-v3.20", "b"}, {"debian-12", "p"}, {"debian-12", "q"}, {"amazon-linux-2023", "c"}, {"arch", "d"}, {"photon-os-5.0", "e"}, {"oracle-linux-8", "f"}, {"opensuse-leap-15.6", "g"}, {"ubuntu-24.04", "h"}} {
		if e := lookup(t, db, tt.shard, tt.name); len(e) != 1 || e[0].Advisory.Vulnerabilities[0].ID != "CVE-2024-1" {
			t.Errorf("%s of %s: %+v", tt.name, tt.shard, e)
		}
	}
	if s, _ := m.Shard("debian-12"); s.Unfixed != 1 || s.Entries != 2 {
		t.Errorf("debian-12: %+v", s)
	}
	if s, _ := m.Shard("alpine-v3.20"); s.Entries != 2 {
		t.Errorf("alpine-v3.20: %+v", s)
	}
	other, _ := build(t, func(r *Request) { r.Workers = 4 }, filepath.Join(dir, "osv.json"), filepath.Join(dir, "community.json"),
		filepath.Join(dir, "debian-security-tracker.json"), filepath.Join(dir, "main.json"),
		filepath.Join(dir, "ubuntu.json"), filepath.Join(dir, "suse.json"), filepath.Join(dir, "cve_data_photon5.0.json"), filepath.Join(dir, "com.oracle.elsa-all.xml.bz2"),
		filepath.Join(dir, "arch-linux.json"), filepath.Join(dir, "al2023-updateinfo.xml"))
	if other.Digest() != db.Digest() {
		t.Error("the order of the feeds matters")
	}
}
