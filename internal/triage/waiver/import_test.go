package waiver

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestImportKeepsWhatAWaiverCanSay(t *testing.T) {
	today := date(2026, 11, 23)
	tests := []struct {
		file   string
		format Format
		want   []Waiver
		notes  []string
	}{
		{
			"trivyignore", TrivyIgnore,
			[]Waiver{
				{ID: "CVE-2018-14618", Reason: "Accept the risk: only local users", Created: today},
				{ID: "CVE-2019-14697", Reason: "No impact in our settings", Created: today},
				{ID: "CVE-2019-1543", Reason: "until the base image is renewed", Created: today, Expires: date(2026, 12, 31)},
				{ID: "AVD-DS-0002", Created: today},
				{ID: "generic-unwanted-rule", Created: today},
			},
			[]string{`:8: "soon" is no date`, `:9: "until:2027-01-01" is not understood`},
		},
		{
			"trivyignore.yaml", TrivyIgnoreYAML,
			[]Waiver{
				{ID: "CVE-2022-40897", Path: "/usr/local/lib/python3.9/site-packages/setuptools-58.1.0.dist-info/METADATA", Reason: "Accept the risk", Created: today},
				{ID: "CVE-2023-3817", Package: "pkg:deb/debian/libssl1.1", Created: today, Expires: date(2026, 12, 31)},
				{ID: "CVE-2023-3817", Package: "pkg:deb/debian/openssl", Created: today, Expires: date(2026, 12, 31)},
				{ID: "AVD-DS-0001", Created: today},
				{ID: "AVD-DS-0002", Path: "docs/Dockerfile", Reason: "The image needs root privileges", Created: today},
				{ID: "aws-access-key-id", Path: "foo/bar/aws.secret", Created: today},
			},
			[]string{`:21: "licenses" has no counterpart`},
		},
		{
			"grype.yaml", GrypeConfig,
			[]Waiver{
				{ID: "CVE-2024-1234", Package: "libcurl", Versions: "=1.5.1", Path: "/usr/local/lib/node_modules/**", Reason: "Not reachable", Created: today},
				{ID: AnyID, Package: "pkg:gem/rexml", Created: today},
			},
			[]string{`:4: a waiver cannot express "fix-state"`, `:16: the package name "linux-.*-headers" is a pattern`, `:19: package type "deb"`, `:22: a waiver cannot express "namespace"`},
		},
		{
			"snyk", SnykPolicy,
			[]Waiver{
				{ID: "SNYK-JS-LODASH-567746", Created: date(2026, 10, 1), Expires: date(2027, 1, 30)},
				{ID: "CVE-2022-24999", Package: "qs", Versions: "=6.5.2", Owner: "shop@example.org", Reason: "Only our own clients reach it", Created: today},
			},
			[]string{
				":4: SNYK-JS-LODASH-567746 is an id of Snyk's own", `:12: "never" is no date`,
				":10: the draft means every qs", ":18: CVE-2022-25883 is only ignored while", `:19: "patch" has no counterpart`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			got, err := Import(tt.format, tt.file, example(t, tt.file), today.Add(9*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Waivers, ignoreCompiled, cmpopts.IgnoreFields(Waiver{}, "Place")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(got.Notes) != len(tt.notes) {
				t.Errorf("notes %q", got.Notes)
			}
			for i, want := range tt.notes {
				if i < len(got.Notes) && !strings.Contains(got.Notes[i], want) {
					t.Errorf("note %q lacks %q", got.Notes[i], want)
				}
			}
		})
	}
}

func TestAnImportedFileExcusesNothingBeforeAPersonHasCompletedIt(t *testing.T) {
	imported, err := Import(TrivyIgnore, ".trivyignore", []byte("CVE-2024-1234\nCVE-2024-2 exp:2027-01-01\n"), now)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, imported.Waivers); err != nil {
		t.Fatal(err)
	}
	want := `version: 1
waivers:
  - id: CVE-2024-1234
    owner: TODO
    reason: TODO
    created: 2026-11-23
    expires: TODO
  - id: CVE-2024-2
    owner: TODO
    reason: TODO
    created: 2026-11-23
    expires: 2026-12-31
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f := decode(t, b.String())
	if len(f.Waivers) > 0 || len(f.Problems) != 5 {
		t.Errorf("got %d waivers and %d problems", len(f.Waivers), len(f.Problems))
	}
	completed := strings.NewReplacer("owner: TODO", "owner: team@example.org", "reason: TODO", "reason: not reachable", "expires: TODO", "expires: 2027-01-15").Replace(b.String())
	if f := decode(t, completed); len(f.Waivers) != 2 || len(f.Problems) > 0 {
		t.Errorf("completed: %+v", f)
	}
}

func TestTheFormatIsToldByTheNameOfTheFile(t *testing.T) {
	for name, want := range map[string]Format{
		".trivyignore": TrivyIgnore, "a/.trivyignore.yaml": TrivyIgnoreYAML, ".grype.yaml": GrypeConfig, "web/.snyk": SnykPolicy,
	} {
		if got, err := FormatOf(name); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := FormatOf("ignore.txt"); err == nil || !strings.Contains(err.Error(), ".grype.yaml") {
		t.Errorf("a file of no format: %v", err)
	}
}

func fuzzImport(f *testing.F, format Format, name string) {
	f.Add(example(f, name))
	f.Fuzz(func(t *testing.T, content []byte) {
		imported, err := Import(format, name, content, now)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, imported.Waivers); err != nil {
			t.Fatal(err)
		}
		file, err := Decode("w.yaml", b.Bytes())
		if err != nil {
			t.Fatalf("what was imported cannot be read: %v\n%s", err, b.String())
		}
		for _, w := range file.Waivers {
			if w.Owner == "" || w.Reason == "" || w.Expires.IsZero() {
				t.Errorf("a draft became a waiver that says too little: %+v", w)
			}
		}
		if len(file.Waivers) > len(imported.Waivers) {
			t.Errorf("%d drafts became %d waivers", len(imported.Waivers), len(file.Waivers))
		}
	})
}

func FuzzImportTrivyIgnore(f *testing.F) { fuzzImport(f, TrivyIgnore, "trivyignore") }

func FuzzImportTrivyIgnoreYAML(f *testing.F) { fuzzImport(f, TrivyIgnoreYAML, "trivyignore.yaml") }

func FuzzImportGrype(f *testing.F) { fuzzImport(f, GrypeConfig, "grype.yaml") }

func FuzzImportSnyk(f *testing.F) { fuzzImport(f, SnykPolicy, "snyk") }
