package builder

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// Excerpts in the form of each source.
const (
	debianCSV = "version,codename,series,created,release,eol,eol-lts,eol-elts\n" +
		"12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30\n" +
		"5.0,Lenny,lenny,2007-04-08,2009-02-14,2012-02-06\n14,Forky,forky,2025-08-09\n,Sid,sid,1993-08-16\n"
	ubuntuCSV = "version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy\n" +
		"10.04 LTS,Lucid Lynx,lucid,2009-10-29,2010-04-29,2013-05-09,2015-04-30\n" +
		"24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31,2034-04-25,2036-04-29\n"
	// fullV1 has a product that is no distribution, and dates of Debian that are
	// not those of Debian.
	fullV1 = `{"schema_version":"1.2.0","generated_at":"2026-08-20T00:00:00+00:00","total":7,"result":[
		{"name":"python","releases":[{"name":"3.12","isEol":false,"eolFrom":"2028-10-31"}]},
		{"name":"debian","releases":[{"name":"12","eolFrom":"2026-06-10","eoesFrom":"2028-06-10"},{"name":"11","eoasFrom":null,"eolFrom":"2024-08-14","eoesFrom":"2026-08-31"}]},
		{"name":"rhel","releases":[{"name":"7","eoasFrom":"2019-08-06","eolFrom":"2024-06-30","eoesFrom":"2028-06-30"},{"name":"11","isEol":false,"eolFrom":null}]},
		{"name":"centos","releases":[{"name":"8","eolFrom":"2021-12-31"}]},
		{"name":"sles","releases":[{"name":"15.6","eolFrom":"2025-12-31","eoesFrom":"2028-12-31"},{"name":"16.0","eolFrom":"2027-11-30"}]},
		{"name":"opensuse","releases":[{"name":"15.6","eolFrom":"2026-04-30"}]},
		{"name":"azure-linux","releases":[{"name":"3.0","eolFrom":"2027-08-31"}]}]}`
	// alpineV1 is newer than alpineOld, which is of the API before.
	alpineV1  = `{"schema_version":"1.2.0","generated_at":"2026-08-21T10:00:00+02:00","last_modified":"2026-01-01T00:00:00+00:00","result":{"name":"alpine-linux","releases":[{"name":"3.20","isEol":true,"eolFrom":"2026-04-02"}]}}`
	alpineOld = `[{"cycle":"3.20","eol":"2026-04-01","extendedSupport":false},{"cycle":"3.19","eol":"2025-11-01"},{"cycle":"3.1","eol":true}]`
)

func write1(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDatesOfEndOfLifeAreRead(t *testing.T) {
	from := []string{
		write1(t, "debian.csv", debianCSV), write1(t, "ubuntu.csv", ubuntuCSV), write1(t, "endoflife-full.json", fullV1),
		write1(t, "endoflife-alpine-linux.json", alpineV1), write1(t, "endoflife-alpine-linux.json", alpineOld),
	}
	db, m := build(t, nil, from...)
	ends, err := db.EndOfLife(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for release, e := range ends {
		got[release] = e.Day.Format(time.DateOnly) + " " + e.Source
	}
	want := map[string]string{
		"Debian:12": "2028-06-30 distro-info-data", "Debian:5": "2012-02-06 distro-info-data", "Debian:11": "2026-08-31 endoflife.date",
		"Ubuntu:10.04": "2015-04-30 distro-info-data", "Ubuntu:24.04": "2029-05-31 distro-info-data",
		"Red Hat:7": "2024-06-30 endoflife.date", "CentOS:8": "2021-12-31 endoflife.date",
		"SUSE:15 SP6": "2025-12-31 endoflife.date", "SUSE:Linux Enterprise Server 16.0": "2027-11-30 endoflife.date",
		"openSUSE:Leap 15.6": "2026-04-30 endoflife.date", "Azure Linux:3": "2027-08-31 endoflife.date",
		"Alpine:v3.20": "2026-04-02 endoflife.date", "Alpine:v3.19": "2025-11-01 endoflife.date",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dates (-want +got):\n%s", diff)
	}
	s, _ := m.Shard(advisory.EndOfLifeShard)
	if s.Kind != advisory.ShardEndOfLife || s.Records != len(want) || s.Date.Format(time.DateOnly) != "2026-08-21" || len(s.Sources) != 2 {
		t.Errorf("shard %+v", s)
	}
	for name, want := range map[string]string{"distro-info-data": "ISC", "endoflife.date": "MIT"} {
		if source, _ := m.Source(name); source.Licence != want || !source.Redistributable || source.Records == 0 {
			t.Errorf("%s: %+v", name, source)
		}
	}
	slices.Reverse(from)
	if other, _ := build(t, func(r *Request) { r.Redistributable = true }, from...); other.Digest() != db.Digest() {
		t.Error("the order of the files matters")
	}
	states, err := store.Verify(context.Background(), db)
	if err != nil || len(states) != 1 || states[0].Err != nil {
		t.Errorf("verify: %+v, %v", states, err)
	}
	if err := os.WriteFile(filepath.Join(db.Location(), s.File), make([]byte, s.Size), 0o600); err != nil {
		t.Fatal(err)
	}
	if states, err = store.Verify(context.Background(), db); err != nil || states[0].Err == nil {
		t.Errorf("verify a damaged one: %+v, %v", states, err)
	}
}

func TestBuildRefusesDatesOfEndOfLifeThatItCannotRead(t *testing.T) {
	for _, tt := range []struct{ why, name, content, want string }{
		{"no titles", "debian.csv", "12,Bookworm\n", "columns"},
		{"an empty file", "ubuntu.csv", "", "columns"},
		{"a day that is none", "debian.csv", "version,eol\n12,soon\n", "record 2"},
		{"another product", "endoflife-python.json", `[{"cycle":"3.12","eol":"2028-10-31"}]`, "known distribution"},
		{"no dates", "endoflife-debian.json", `[{"cycle":"12","eol":false}]`, "known distribution"},
		{"no answer of the API", "endoflife-debian.json", `{"message":"Not Found"}`, "no result"},
		{"a page", "endoflife-debian.json", `<html>`, "invalid character"},
		{"a number for a day", "endoflife-debian.json", `[{"cycle":"12","eol":2028}]`, "no date"},
		{"a name that would break the shard", "endoflife-debian.json", `[{"cycle":"12\t1","eol":"2028-06-30"}]`, "release, day and source"},
	} {
		path := write1(t, tt.name, tt.content)
		_, err := Build(context.Background(), Request{From: []string{path}, Out: t.TempDir(), Now: now})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.why, err, tt.want)
		}
	}
}
