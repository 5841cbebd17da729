package osv

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeReadsRealRecords(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/advisories/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no records to read: %v", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Decode(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if (r.Title() == "" && !strings.HasPrefix(r.ID, "ALPINE-")) || len(r.Affected) == 0 {
			t.Errorf("%s: no title or nothing affected", path)
		}
		if SourceOf(r.ID).Licence == "unknown" {
			t.Errorf("%s: source of %s is not known", path, r.ID)
		}
	}
}

func TestDecodeRefusesWhatBreaksTheFormat(t *testing.T) {
	tests := []struct{ why, data, want string }{
		{"not JSON", "not json", "invalid character"},
		{"empty", "", "unexpected end"},
		{"cut off", `{"id":"X-1","affected":[`, "unexpected end"},
		{"no id", `{}`, `id ""`},
		{"an id with a path", `{"id":"a b"}`, "has the character"},
		{"an id with markup", `{"id":"<b>"}`, "has the character"},
		{"an alias with a line break", `{"id":"X-1","aliases":["CVE-1\n2"]}`, "has the character"},
		{"an event with two fields", `{"id":"X-1","affected":[{"package":{"name":"a","ecosystem":"npm"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":"1"}]}]}]}`, "2 fields"},
		{"an event with no field", `{"id":"X-1","affected":[{"ranges":[{"type":"SEMVER","events":[{}]}]}]}`, "0 fields"},
		{"a list where a text is expected", `{"id":["X"]}`, "cannot unmarshal"},
		{"a name that is too long", `{"id":"X-1","affected":[{"package":{"name":"` + strings.Repeat("a", 2000) + `"}}]}`, "longer than"},
		{"a record that is too large", `{"id":"X-1","details":"` + strings.Repeat("a", MaxRecordSize) + `"}`, "more than the limit"},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.data))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want ErrInvalid with %q", tt.why, err, tt.want)
		}
	}
}

func TestDecodeForgivesWhatRealRecordsDo(t *testing.T) {
	r, err := Decode([]byte("\xef\xbb\xbf" + `{"id":"X-1","aliases":[" CVE-2026-1 ",""],"details":"\n\n# Heading\nmore",
		"affected":[{"package":{"name":"a","ecosystem":"npm"},"ecosystem_specific":{"urgency":["x"]},"ranges":[{"type":"GIT","events":[{}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Aliases) != 1 || r.Aliases[0] != "CVE-2026-1" {
		t.Errorf("aliases = %q", r.Aliases)
	}
	if r.Title() != "Heading" {
		t.Errorf("title = %q", r.Title())
	}
	if r.Affected[0].Ecosystem.Urgency != "" {
		t.Errorf("urgency = %q", r.Affected[0].Ecosystem.Urgency)
	}
}

func TestTitleIsCutAtAWord(t *testing.T) {
	long := strings.Repeat("word ", 60)
	data, err := json.Marshal(map[string]string{"id": "X-1", "summary": long + "\x1b[31m"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	title := r.Title()
	if n := utf8.RuneCountInString(title); n > maxTitle || !strings.HasSuffix(title, "word…") {
		t.Errorf("title of %d characters: %q", n, title)
	}
}

func TestSourceOfNamesPublisherAndLicence(t *testing.T) {
	tests := []struct {
		id, name        string
		redistributable bool
	}{
		{"GO-2024-1", "Go vulnerability database", true},
		{"GHSA-aaaa-bbbb-cccc", "GitHub Advisory Database", true},
		{"DSA-1-1", "Debian security team", true},
		{"CGA-aaaa", "Chainguard", false},
		{"UBUNTU-CVE-2020-1", "Ubuntu security team", true},
		{"NOBODY-1", "unknown publisher of NOBODY", false},
	}
	for _, tt := range tests {
		s := SourceOf(tt.id)
		if s.Name != tt.name || s.Redistributable != tt.redistributable {
			t.Errorf("SourceOf(%s) = %s, redistributable %v", tt.id, s.Name, s.Redistributable)
		}
	}
}

// FuzzDecode checks that what is accepted keeps what later stages rely on:
// bounded printable ids, short titles of one line, events with one field.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"npm/*", "Go/*", "AlmaLinux/*"} {
		files, err := filepath.Glob("../../../testdata/advisories/" + pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
			return
		}
		if strings.ContainsAny(r.Title(), "\n\r\x1b") || utf8.RuneCountInString(r.Title()) > maxTitle {
			t.Errorf("title %q", r.Title())
		}
		for _, id := range append(append([]string{r.ID}, r.Aliases...), r.Upstream...) {
			if id == "" || strings.ContainsAny(id, " \n<>\"") {
				t.Errorf("id %q", id)
			}
		}
		for _, a := range r.Affected {
			for _, g := range a.Ranges {
				for _, e := range g.Events {
					if g.Type != "GIT" && e.fields() != 1 {
						t.Errorf("event %+v", e)
					}
				}
			}
		}
	})
}
