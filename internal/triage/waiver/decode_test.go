package waiver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func example(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "triage", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

var ignoreCompiled = cmp.Options{cmp.AllowUnexported(Waiver{}), cmpopts.IgnoreFields(Waiver{}, "purl", "versions")}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func TestDecodeReadsEveryKeyWithItsPlace(t *testing.T) {
	got, err := Decode("w.yaml", example(t, "portcullis-waivers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := File{Name: "w.yaml", Waivers: []Waiver{
		{
			ID: "CVE-2023-38545", Package: "curl", Versions: "<7.88.1-10+deb12u4", Image: "registry.example/shop/*",
			Owner: "team-shop@example.org", Reason: "The program never talks through a SOCKS5 proxy.",
			Created: date(2026, 11, 1), Expires: date(2027, 1, 15), Place: Place{File: "w.yaml", Line: 3, Column: 9, EndColumn: 23},
		},
		{
			ID: "k8s-privileged", Path: "k8s/agent/**", Object: "DaemonSet/monitoring/node-agent", Owner: "platform@example.org",
			Reason:  "The agent loads kernel modules.\nReviewed with the security team on 2026-10-12.",
			Created: date(2026, 10, 15), Expires: date(2026, 12, 31), Place: Place{File: "w.yaml", Line: 11, Column: 9, EndColumn: 23},
		},
		{
			ID: "*", Package: "pkg:npm/qs", Path: "/opt/tools/**", Owner: "team-build@example.org",
			Reason:  "Tools of the build that never see foreign input.",
			Created: date(2026, 11, 1), Expires: date(2026, 12, 31), Place: Place{File: "w.yaml", Line: 20, Column: 9, EndColumn: 10},
		},
	}}
	if diff := cmp.Diff(want, got, ignoreCompiled); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEmptyFileWaivesNothing(t *testing.T) {
	for _, content := range []string{"", "# nothing yet\n", "---\n", "version: 1\n", "waivers:\n", "waivers: []\n"} {
		got, err := Decode("w.yaml", []byte(content))
		if err != nil || len(got.Waivers)+len(got.Problems) > 0 {
			t.Errorf("%q: %+v, %v", content, got, err)
		}
	}
}

func TestFaultsOfAnEntryAreProblemsWithTheirPlace(t *testing.T) {
	tests := []struct{ name, keys, want string }{
		{"a misspelt key is suggested", "id: CVE-1-1; ojbect: x", `w.yaml:7:5: unknown key "ojbect"; did you mean "object"?`},
		{"a strange key lists those that are known", "id: CVE-1-1; colour: red", `w.yaml:7:5: unknown key "colour"; known here are id, package`},
		{"a key that is there twice", "id: CVE-1-1; owner: me", `w.yaml:7:5: key "owner" is there twice`},
		{"no id", "package: qs", "w.yaml:2:5: id is missing"},
		{"an id that means everything", `id: "*"`, `w.yaml:6:9: id "*" needs a package`},
		{"an id that is none", "id: all of them", `w.yaml:6:9: id "all of them" is no id`},
		{"a list where a text belongs", "id: [CVE-1-1]", "w.yaml:6:9: id: expected a text"},
		{"an empty value", "id: CVE-1-1; package:", "w.yaml:7:13: package is empty"},
		{"a broken package URL", "id: CVE-1-1; package: 'pkg:npm'", "w.yaml:7:14: package url"},
		{"a range without a package", "id: CVE-1-1; versions: <2", "w.yaml:7:15: versions needs a package"},
		{"a range that is none", "id: CVE-1-1; package: qs; versions: latest", `w.yaml:8:15: version range "latest"`},
		{"a range beside a version", "id: CVE-1-1; package: pkg:npm/qs@1.0.0; versions: <2", "w.yaml:8:15: the package url names a version already"},
		{"a range of a type that cannot be compared", "id: CVE-1-1; package: pkg:generic/qs; versions: <2", "w.yaml:8:15: versions of type"},
		{"a broken glob", "id: CVE-1-1; path: 'a[b'", "w.yaml:7:11: path"},
		{"a path that leaves the repository", "id: CVE-1-1; path: ../x", "w.yaml:7:11: path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Decode("w.yaml", []byte(entry(tt.keys)))
			if err != nil {
				t.Fatal(err)
			}
			wantProblem(t, f, tt.want)
		})
	}
}

func wantProblem(t *testing.T, f File, want string) {
	t.Helper()
	if len(f.Waivers) != 0 || len(f.Problems) == 0 {
		t.Fatalf("got %d waivers and problems %+v", len(f.Waivers), f.Problems)
	}
	var all []string
	for _, p := range f.Problems {
		all = append(all, fmt.Sprintf("%s: %s", p.Place, p.Text))
	}
	if text := strings.Join(all, "\n"); !strings.Contains(text, want) {
		t.Errorf("problems\n%s\nlack %q", text, want)
	}
}

func TestEveryEntryNeedsOwnerReasonAndDays(t *testing.T) {
	tests := []struct{ name, old, replacement, want string }{
		{"no owner", "owner: team@example.org\n    ", "", "w.yaml:2:5: owner is missing"},
		{"no reason", "    reason: Not reachable.\n", "", "w.yaml:2:5: reason is missing"},
		{"an owner who is still to be found", "team@example.org", "TODO", `w.yaml:2:12: owner is "TODO"`},
		{"a reason that says nothing", "Not reachable.", "n/a", `w.yaml:3:13: reason is "n/a"`},
		{"a reason of dots", "Not reachable.", "...", `w.yaml:3:13: reason is "..."`},
		{"no end", "    expires: 2027-01-15\n", "", "w.yaml:2:5: expires is missing"},
		{"no day of creation", "    created: 2026-11-01\n", "", "w.yaml:2:5: created is missing"},
		{"an end that is no day", "2027-01-15", "2027-02-30", `w.yaml:5:14: expires is "2027-02-30": expected a day`},
		{"an end that is still to be set", "2027-01-15", "TODO", `w.yaml:5:14: expires is "TODO"`},
		{"an end before the start", "2027-01-15", "2026-10-31", "w.yaml:5:14: it expires on 2026-10-31, before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := strings.Replace(entry("id: CVE-1-1"), tt.old, tt.replacement, 1)
			f, err := Decode("w.yaml", []byte(content))
			if err != nil {
				t.Fatal(err)
			}
			wantProblem(t, f, tt.want)
		})
	}
}

func TestAMalformedEntryLeavesTheOthersInForce(t *testing.T) {
	f := decode(t, entry("id: CVE-1-1; nonsense: 1")+strings.TrimPrefix(entry("id: CVE-2-2"), "waivers:\n"))
	if len(f.Waivers) != 1 || f.Waivers[0].ID != "CVE-2-2" || len(f.Problems) != 1 {
		t.Errorf("got %+v", f)
	}
}

func TestAFileThatIsNoneIsAnErrorWithItsPlace(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"a list at the top", "- id: CVE-1\n", "w.yaml:1:1: expected the keys version and waivers"},
		{"a later version", "version: 2\n", `w.yaml:1:10: version is "2"`},
		{"waivers that are no list", "waivers: {a: b}\n", "w.yaml:1:10: waivers: expected a list"},
		{"two documents", "version: 1\n---\nversion: 1\n", "more than one YAML document"},
		{"broken YAML", "waivers: [\n", "w.yaml: yaml: "},
		{"a key that is there twice", "waivers: []\nwaivers: []\n", `key "waivers" is there twice`},
		{"a file that is too large", strings.Repeat("#", maxSize+1), "at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Decode("w.yaml", []byte(tt.content))
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(f.Waivers)+len(f.Problems) > 0 {
				t.Errorf("got %+v, %v; want an error with %q", f, err, tt.want)
			}
		})
	}
	f := decode(t, "waivres:\n  - id: CVE-1-1\n")
	wantProblem(t, f, `unknown key "waivres"; did you mean "waivers"?`)
}

// FuzzDecode holds that what is accepted is complete, and is read back the
// same after it was written.
func FuzzDecode(f *testing.F) {
	f.Add(example(f, "portcullis-waivers.yaml"))
	f.Add([]byte(entry(`id: "*"; package: pkg:npm/qs; versions: "<2"; object: a; image: b`)))
	f.Add([]byte("a: &a [*a]\nwaivers: *a\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := Decode("w.yaml", content)
		if err != nil {
			return
		}
		for _, w := range file.Waivers {
			if w.ID == "" || w.Owner == "" || w.Reason == "" || w.Expires.Before(w.Created) || w.Created.IsZero() || w.ID == AnyID && w.Package == "" {
				t.Errorf("accepted %+v", w)
			}
		}
		for _, p := range file.Problems {
			if p.Text == "" || p.Place.Line < 1 || p.Place.Column < 1 || p.Place.EndColumn <= p.Place.Column {
				t.Errorf("problem %+v", p)
			}
		}
		var b bytes.Buffer
		if err := Write(&b, file.Waivers); err != nil {
			t.Fatal(err)
		}
		again, err := Decode("w.yaml", b.Bytes())
		if err != nil || len(again.Problems) > 0 {
			t.Fatalf("written again: %v %+v\n%s", err, again.Problems, b.String())
		}
		opts := cmp.Options{ignoreCompiled, cmpopts.IgnoreFields(Waiver{}, "Place"), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(file.Waivers, again.Waivers, opts); diff != "" {
			t.Errorf("written and read again:\n%s", diff)
		}
	})
}
