package advisory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/atomicfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

func samplePackages() []Package {
	simple := func(fixed string) []Range {
		return []Range{{Events: []Event{{Introduced, "0"}, {FixedIn, fixed}}}}
	}
	bundle := &Advisory{
		ID: "ALSA-1", Title: "Important: a fix", Published: time.Date(2024, 5, 7, 0, 0, 0, 0, time.UTC),
		Ratings: []Rating{{Source: "AlmaLinux", Word: "important"}},
		Vulnerabilities: []Vulnerability{
			{ID: "CVE-2024-1", Aliases: []string{"GHSA-x"}, Ratings: []Rating{{Source: "NVD", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}}},
			{ID: "CVE-2024-2"},
		},
	}
	golang := &Advisory{ID: "GO-1", Kind: Notice, Vulnerabilities: []Vulnerability{{ID: "CVE-2024-1", Aliases: []string{"GHSA-x"}, Ratings: []Rating{{Source: "NVD", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}}}}}
	return []Package{
		{Name: "alpha", Entries: []Entry{
			{Advisory: bundle, Module: "nodejs:16", Variant: "Pro", FixState: finding.WontFix, Note: "end of life", Ranges: []Range{{Events: []Event{{Introduced, "0"}}}}},
			{Advisory: bundle, Ranges: simple("1:2.0-1")},
		}},
		{Name: "beta", Entries: []Entry{{
			Advisory: golang, Versions: []string{"1.0", "1.1"},
			Ranges:  []Range{{Events: []Event{{Introduced, "1"}, {LastAffected, "2"}, {Introduced, "3"}, {Limit, "4"}}}},
			Ratings: []Rating{{Source: "Debian", Word: "unimportant"}},
			Imports: []Import{{Path: "net/http", Symbols: []string{"Get"}, GOOS: []string{"windows"}, GOARCH: []string{"amd64"}}},
		}}},
	}
}

func packer(t *testing.T) *Packer {
	t.Helper()
	p, err := NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAdvisoriesComeBackAsTheyWereEncoded(t *testing.T) {
	want := samplePackages()
	file, size, _ := packer(t).EncodeAdvisories(want)
	a, err := DecodeAdvisories(file, size)
	if err != nil {
		t.Fatal(err)
	}
	var got []Package
	for i := range a.Len() {
		p, err := a.Package(i)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	for name, n := range map[string]int{"alpha": 2, "beta": 1, "": 0, "alph": 0, "gamma": 0, "aaaa": 0} {
		entries, err := a.Lookup(name)
		if err != nil || len(entries) != n {
			t.Errorf("Lookup(%q): %d entries and %v, want %d", name, len(entries), err, n)
		}
	}
}

func TestANameIsFoundFromWhereverItIsLookedFor(t *testing.T) {
	var packages []Package
	for i := range 40 {
		packages = append(packages, Package{Name: fmt.Sprintf("name-%02d", 2*i+1), Entries: samplePackages()[0].Entries})
	}
	file, size, _ := packer(t).EncodeAdvisories(packages)
	a, err := DecodeAdvisories(file, size)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 82 {
		name, there := fmt.Sprintf("name-%02d", i), i%2 == 1 && i < 80
		for near := -1; near <= a.Len()+1; near++ {
			entries, at, err := a.LookupNear(name, near)
			if err != nil || (len(entries) > 0) != there || at != min(i/2, a.Len()) {
				t.Fatalf("LookupNear(%q, %d): %d entries at %d and %v", name, near, len(entries), at, err)
			}
		}
	}
}

func TestEncodingDoesNotDependOnOrder(t *testing.T) {
	packages := samplePackages()
	one, _, _ := packer(t).EncodeAdvisories(packages)
	packages[0], packages[1] = packages[1], packages[0]
	packages[1].Entries[0], packages[1].Entries[1] = packages[1].Entries[1], packages[1].Entries[0]
	two, _, _ := packer(t).EncodeAdvisories(packages)
	if string(one) != string(two) {
		t.Error("the same advisories in another order give other bytes")
	}
}

func TestRangesAreEvaluatedAsTheSchemaSays(t *testing.T) {
	semver, _ := ecosystem.ByName("npm")
	parse := func(pairs ...string) Range {
		kinds := map[string]EventKind{"i": Introduced, "f": FixedIn, "l": LastAffected, "m": Limit}
		var r Range
		for _, p := range pairs {
			k, v, _ := strings.Cut(p, " ")
			r.Events = append(r.Events, Event{kinds[k], v})
		}
		return r
	}
	tests := []struct {
		why     string
		r       Range
		version string
		want    string // interval, "" when the version is outside
	}{
		{"before the fix", parse("i 0", "f 2.0.0"), "1.9.9", "< 2.0.0"},
		{"the fixed version is free", parse("i 0", "f 2.0.0"), "2.0.0", ""},
		{"the introducing version is affected", parse("i 1.0.0", "f 2.0.0"), "1.0.0", ">= 1.0.0, < 2.0.0"},
		{"just before it was introduced", parse("i 1.0.0", "f 2.0.0"), "0.9.9", ""},
		{"a pre-release of the introducing version comes before it", parse("i 1.0.0", "f 2.0.0"), "1.0.0-rc.1", ""},
		{"a pre-release of the fix is affected", parse("i 1.0.0", "f 2.0.0"), "2.0.0-rc.1", ">= 1.0.0, < 2.0.0"},
		{"0 is before everything", parse("i 0", "f 2.0.0"), "0.0.0-alpha", "< 2.0.0"},
		{"never fixed", parse("i 0"), "99.0.0", "all versions"},
		{"the last affected version is affected", parse("i 1.0.0", "l 1.5.0"), "1.5.0", ">= 1.0.0, <= 1.5.0"},
		{"after the last affected version", parse("i 1.0.0", "l 1.5.0"), "1.5.1", ""},
		{"a single version", parse("i 6.0.0", "l 6.0.0"), "6.0.0", ">= 6.0.0, <= 6.0.0"},
		{"several pairs: in the first", parse("i 0", "f 1.2.0", "i 2.0.0", "f 2.3.0"), "1.1.0", "< 1.2.0"},
		{"several pairs: between", parse("i 0", "f 1.2.0", "i 2.0.0", "f 2.3.0"), "1.9.0", ""},
		{"several pairs: the fix shown is that of the interval", parse("i 0", "f 1.2.0", "i 2.0.0", "f 2.3.0"), "2.1.0", ">= 2.0.0, < 2.3.0"},
		{"events in any order", parse("f 2.3.0", "i 2.0.0", "f 1.2.0", "i 0"), "2.1.0", ">= 2.0.0, < 2.3.0"},
		{"a limit bounds what is described", parse("i 1.0.0", "m 3.0.0"), "3.0.0", ""},
		{"below the limit", parse("i 1.0.0", "m 3.0.0"), "2.0.0", ">= 1.0.0, < 3.0.0"},
		{"fixed and introduced at one version", parse("i 0", "f 2.0.0", "i 2.0.0", "f 2.1.0"), "2.0.0", ">= 2.0.0, < 2.1.0"},
		{"no events", parse(), "1.0.0", ""},
	}
	for _, tt := range tests {
		v, err := semver.Scheme.Parse(tt.version)
		if err != nil {
			t.Fatal(err)
		}
		interval, in, err := tt.r.Holding(semver.Scheme, v)
		got := ""
		if in {
			got = interval.String()
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %q and %v, want %q", tt.why, got, err, tt.want)
		}
	}
	v, _ := semver.Scheme.Parse("1.0.0")
	if _, _, err := parse("i 0", "f soon").Holding(semver.Scheme, v); !errors.Is(err, ecosystem.ErrUnreadable) {
		t.Errorf("a bound that is no version: %v, want ErrUnreadable", err)
	}
}

// writeDatabase makes a database of one shard and returns its directory.
func writeDatabase(t *testing.T, change func(*Manifest)) string {
	t.Helper()
	file, size, _ := packer(t).EncodeAdvisories(samplePackages())
	dir := t.TempDir()
	m := Manifest{
		Tool: "test", Built: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		Sources: []Source{{Name: "s", Licence: "MIT", Redistributable: true, Records: 2}},
		Shards: []Shard{{
			Name: "npm", Kind: ShardAdvisories, Ecosystem: "npm", File: "npm.0.zst", SHA256: Digest(file),
			Size: int64(len(file)), Data: size, Records: 2, Sources: []string{"s"},
		}},
	}
	if change != nil {
		change(&m)
	}
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"npm.0.zst": file, ManifestName: data} {
		if err := atomicfile.WriteBytes(filepath.Join(dir, name), content); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenReadsWhatWasWritten(t *testing.T) {
	db, err := Open(writeDatabase(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	a, err := db.Shard(context.Background(), "npm")
	if err != nil || a.Len() != 2 {
		t.Fatalf("shard: %v", err)
	}
	if _, err := db.Shard(context.Background(), "go"); !errors.Is(err, ErrNoShard) {
		t.Errorf("a shard that is not there: %v, want ErrNoShard", err)
	}
	if len(db.Digest()) != 64 {
		t.Errorf("digest %q", db.Digest())
	}
}

func TestOpenSaysWhatIsWrongWithADatabase(t *testing.T) {
	edit := func(name string, change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(old, new string) func([]byte) []byte {
		return func(data []byte) []byte { return []byte(strings.Replace(string(data), old, new, 1)) }
	}
	tests := []struct {
		why    string
		damage func(*testing.T, string)
		want   error
	}{
		{"no manifest", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, ManifestName)) }, ErrMissing},
		{"an empty manifest", edit(ManifestName, func([]byte) []byte { return nil }), ErrCorrupt},
		{"a truncated manifest", edit(ManifestName, func(b []byte) []byte { return b[:len(b)/2] }), ErrCorrupt},
		{"another program's manifest", edit(ManifestName, replace("portcullis-advisory-database", "npm-package")), ErrForeign},
		{"a newer schema", edit(ManifestName, replace(`"schema": 1`, `"schema": 99`)), ErrNewerSchema},
		{"a schema of nothing", edit(ManifestName, replace(`"schema": 1`, `"schema": 0`)), ErrCorrupt},
		{"a file outside of the directory", edit(ManifestName, replace("npm.0.zst", "../npm.0.zst")), ErrCorrupt},
		{"a source that is not named", edit(ManifestName, replace(`"name": "s"`, `"name": "t"`)), ErrCorrupt},
		{"a size without bounds", edit(ManifestName, replace(`"size": `, `"size": 99999999`)), ErrCorrupt},
		{"no shard file", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "npm.0.zst")) }, ErrMissing},
		{"a truncated shard", edit("npm.0.zst", func(b []byte) []byte { return b[:len(b)-1] }), ErrCorrupt},
		{"a longer shard", edit("npm.0.zst", func(b []byte) []byte { return append(b, 0) }), ErrCorrupt},
		{"one flipped bit", edit("npm.0.zst", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), ErrCorrupt},
		{"a shard of another kind", edit(ManifestName, replace(`"shardKind": "advisories"`, `"shardKind": "kev"`)), ErrCorrupt},
	}
	for _, tt := range tests {
		dir := writeDatabase(t, nil)
		tt.damage(t, dir)
		db, err := Open(dir)
		if err == nil {
			_, err = db.Shard(context.Background(), "npm")
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.why, err, tt.want)
		}
		if err != nil && !strings.Contains(err.Error(), "npm") && !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %q names neither file nor shard", tt.why, err)
		}
	}
}

func TestContentThatIsNoShardIsRefused(t *testing.T) {
	pack := func(content string) ([]byte, int64) {
		return packer(t).Pack([]byte(content)), int64(len(content))
	}
	for _, content := range []string{"", "hello", magic, magic + "\x01", magic + "\x00\x00\x00\x00\x00\x00\x00\x00\x00", magic + "\x01\x07\x01\x01a\x00\x00\x00\x00", magic + "\xff\xff\xff\xff\x0f"} {
		file, size := pack(content)
		if _, err := DecodeAdvisories(file, size); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: got %v, want ErrCorrupt", content, err)
		}
	}
	file, size := pack(magic + "\x00\x00\x00\x00\x00\x00\x00\x00")
	if _, err := DecodeAdvisories(file, size+1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a wrong size: %v, want ErrCorrupt", err)
	}
	if _, err := DecodeAdvisories(file, 1<<40); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a size without bounds: %v, want ErrCorrupt", err)
	}
}

func TestRiskDataComesBackAsItWasEncoded(t *testing.T) {
	scores := []EPSSScore{{"CVE-2024-10000", 0.5, 0.99}, {"CVE-1999-0001", 0.00043, 0.1}, {"CVE-2024-2", 1, 1}}
	file, size, err := packer(t).EncodeEPSS(scores)
	if err != nil {
		t.Fatal(err)
	}
	e, err := DecodeEPSS(file, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range scores {
		if got, ok := e.Find(want.CVE); !ok || got != want {
			t.Errorf("Find(%s) = %v, %v", want.CVE, got, ok)
		}
	}
	for _, id := range []string{"CVE-2024-3", "GHSA-x", "CVE-x-1", "CVE-2024"} {
		if _, ok := e.Find(id); ok {
			t.Errorf("found a score for %s", id)
		}
	}
	// Of many, each is found, and none between them.
	var many []EPSSScore
	for i := range 1000 {
		many = append(many, EPSSScore{fmt.Sprintf("CVE-%d-%d", 2000+i%7, 3+2*i*i), float64(i) / 1000, 0.5})
	}
	file, size, err = packer(t).EncodeEPSS(many)
	if err != nil {
		t.Fatal(err)
	}
	if e, err = DecodeEPSS(file, size); err != nil || e.Len() != len(many) {
		t.Fatal(err)
	}
	for i, want := range many {
		if got, ok := e.Find(want.CVE); !ok || got != want {
			t.Errorf("Find(%s) = %v, %v", want.CVE, got, ok)
		}
		for _, number := range []int{2 + 2*i*i, 4 + 2*i*i} {
			if got, ok := e.Find(fmt.Sprintf("CVE-%d-%d", 2000+i%7, number)); ok {
				t.Errorf("found %v", got)
			}
		}
	}
	day := time.Date(2021, 12, 10, 0, 0, 0, 0, time.UTC)
	kev := []KnownExploited{{CVE: "CVE-2021-44228", Added: day, Due: day.AddDate(0, 0, 14), Ransomware: true}, {CVE: "CVE-2020-1", Added: day}}
	if file, size, err = packer(t).EncodeKEV(kev); err != nil {
		t.Fatal(err)
	}
	k, err := DecodeKEV(file, size)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(KEV{kev[0].CVE: kev[0], kev[1].CVE: kev[1]}, k); diff != "" {
		t.Errorf("KEV (-want +got):\n%s", diff)
	}
	if _, _, err := packer(t).EncodeKEV([]KnownExploited{{CVE: "x\ty"}}); err == nil {
		t.Error("an id that is no CVE was encoded")
	}
	ends := []SupportEnd{{"Ubuntu:24.04", day, "a"}, {"Debian:12", day.AddDate(1, 0, 0), "b c"}}
	if file, size, err = packer(t).EncodeEndOfLife(ends); err != nil {
		t.Fatal(err)
	}
	e2, err := DecodeEndOfLife(file, size)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(SupportEnds{"Ubuntu:24.04": ends[0], "Debian:12": ends[1]}, e2); diff != "" {
		t.Errorf("dates of end of life (-want +got):\n%s", diff)
	}
	for _, bad := range [][]SupportEnd{{{"x\ty", day, "a"}}, {{"x", day, "a\nb"}}, {{"x", time.Time{}, "a"}}, {{"x", day, ""}}, {ends[0], ends[0]}} {
		if _, _, err := packer(t).EncodeEndOfLife(bad); err == nil {
			t.Errorf("%q was encoded", bad)
		}
	}
}

// FuzzDecodeAdvisories checks that content either is refused with ErrCorrupt
// or can be read through and encoded again to the same packages.
func FuzzDecodeAdvisories(f *testing.F) {
	content, _ := layOut(samplePackages())
	f.Add(content)
	f.Add([]byte(magic + "\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		first, ok := readAll(t, content)
		if !ok {
			return
		}
		again, _ := layOut(first)
		if _, ok := readAll(t, again); !ok {
			t.Fatal("what was encoded cannot be read")
		}
	})
}

func readAll(t *testing.T, content []byte) ([]Package, bool) {
	t.Helper()
	a, err := openAdvisories(content)
	if err == nil {
		var packages []Package
		for i := range a.Len() {
			var p Package
			if p, err = a.Package(i); err != nil {
				break
			}
			if _, err = a.Lookup(p.Name); err != nil {
				break
			}
			packages = append(packages, p)
		}
		if err == nil {
			return packages, true
		}
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Fatalf("error %v does not wrap ErrCorrupt", err)
	}
	return nil, false
}

// FuzzDecodeManifest checks that a manifest either is refused with one of the
// typed errors or is written and read again as it is.
func FuzzDecodeManifest(f *testing.F) {
	f.Add([]byte(`{"kind":"portcullis-advisory-database","schema":1,"built":"2026-09-01T00:00:00Z","sources":[{"name":"s"}],"shards":[{"name":"npm","file":"npm.zst","sha256":"` + strings.Repeat("ab", 32) + `","size":1,"data":1,"sources":["s"]}]}`))
	f.Add([]byte(`{"kind":"other"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeManifest(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNewerSchema) {
				t.Fatalf("error %v wraps none of the typed ones", err)
			}
			return
		}
		for _, s := range m.Shards {
			if filepath.Base(s.File) != s.File || strings.HasPrefix(s.File, ".") {
				t.Errorf("file %q leaves the directory", s.File)
			}
		}
		if _, err := json.Marshal(m); err != nil {
			return // years that JSON cannot write
		}
		encoded, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeManifest(encoded); err != nil {
			t.Errorf("written manifest: %v", err)
		}
	})
}

// FuzzRiskShards checks that content of risk shards either is refused with
// ErrCorrupt or answers without trouble.
func FuzzRiskShards(f *testing.F) {
	f.Add(layOutEPSS([]epssRow{{1, epssPair{5, 6}}, {1 << 40, epssPair{7, 8}}}))
	f.Add([]byte(kevMagic + "CVE-2024-1\t1\t2\ttrue"))
	f.Add([]byte(endOfLifeMagic + "Debian:12\t21366\tdistro-info-data"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if e, err := openEPSS(content); err == nil {
			key := uint64(0)
			for rest := e.steps; len(rest) > 0; {
				step, size := stepAt(rest, 0)
				key, rest = key+step, rest[size:]
				s, ok := e.Find(fmt.Sprintf("CVE-%d-%d", key>>40, key&(1<<40-1)))
				if !ok && key>>40 < 1<<16 {
					t.Errorf("no score for the key %x", key)
				}
				if ok && (s.Score < 0 || s.Score > 1 || s.Percentile < 0 || s.Percentile > 1) {
					t.Errorf("score %+v", s)
				}
			}
		} else if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error %v does not wrap ErrCorrupt", err)
		}
		if _, err := openKEV(content); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error %v does not wrap ErrCorrupt", err)
		}
		ends, err := openEndOfLife(content)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error %v does not wrap ErrCorrupt", err)
		}
		for release, e := range ends {
			if release != e.Release || e.Day.IsZero() || e.Source == "" {
				t.Errorf("end of life of %q: %+v", release, e)
			}
		}
	})
}
