package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

func TestDecodeReadsTheKeys(t *testing.T) {
	got, err := Decode("f", []byte(`# policy of the shop
fail-on: critical
only-fixed: true
unknown-severity: pass
coverage:
  minimum: 95%
  allow: [end-of-life, version-unreadable]
db:
  path: /var/lib/portcullis
  max-age: 36h
`))
	if err != nil {
		t.Fatal(err)
	}
	critical := finding.Critical
	want := Default()
	want.FailOn, want.OnlyFixed, want.UnknownSeverityPasses, want.CoverageMinimum = &critical, true, true, 95
	want.CoverageAllow = []outcome.Reason{outcome.EndOfLife, outcome.VersionUnreadable}
	want.DatabasePath, want.DatabaseMaxAge = "/var/lib/portcullis", 36*time.Hour
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Config{}, "Sources")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := got.Sources["db.max-age"]; got != (Source{Kind: FromFile, Name: "f", Line: 10, Column: 12}) {
		t.Errorf("db.max-age comes from %+v", got)
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	for _, content := range []string{"", "# nothing yet\n", "---\n", "coverage:\n", "db: {}\n"} {
		got, err := Decode("f", []byte(content))
		if err != nil {
			t.Errorf("%q: %v", content, err)
			continue
		}
		if diff := cmp.Diff(Default(), got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", content, diff)
		}
	}
}

func TestDecodeNamesEveryFaultWithItsPlace(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string
	}{
		{"a misspelt key is suggested", "fail_on: high\n", []string{`f:1:1: unknown key "fail_on"; did you mean "fail-on"?`}},
		{"a strange key lists those that are known", "colour: red\n", []string{`f:1:1: unknown key "colour"; known here are baseline, counts, coverage`}},
		{"a nested key is checked too", "db:\n  paht: x\n", []string{`f:2:3: unknown key "paht"; did you mean "path"?`}},
		{"a severity that does not exist", "fail-on: severe\n", []string{`f:1:10: fail-on is "severe": expected none, info`}},
		{"unknown is no threshold", "fail-on: unknown\n", []string{`f:1:10: fail-on is "unknown"`}},
		{"a text where true or false belongs", "only-fixed: \"yes\"\n", []string{`f:1:13: expected true or false, not "yes"`}},
		{"a list where a severity belongs", "fail-on: [high]\n", []string{"f:1:10: fail-on is a list: expected none, info"}},
		{"a section where a number belongs", "counts: {high: {max: 1}}\n", []string{"high is a section: expected a number"}},
		{"a list where a percentage belongs", "coverage: {minimum: [1]}\n", []string{"minimum is a list: expected a percentage"}},
		{"true in quotes", "only-fixed: \"true\"\n", []string{`f:1:13: expected true or false, not the text "true": write it without quotes`}},
		{"a pattern of paths that is none", "lint: {exclude: [ok/**, 'a[']}\n", []string{`f:1:25: exclude: "a[" is not a pattern of paths`}},
		{"a pattern that no registry matches", "lint:\n  trusted-registries: [ghcr.io/shop/*, 'a*b*c']\n", []string{`f:2:40: trusted-registries: "a*b*c" matches no registry`}},
		{"a star in the middle", "lint: {trusted-registries: [a*b]}\n", []string{`"a*b" matches no registry`}},
		{"two faults are both told", "a1b2c3: 1\nonly-fixed: 3\n", []string{"f:1:1:", "f:2:13:"}},
		{"a repeated key", "fail-on: low\nfail-on: high\n", []string{`f:2:1: key "fail-on" is already on line 1`}},
		{"a reason that cannot be accepted", "coverage:\n  allow: [no-database]\n", []string{`f:2:11: allow: "no-database" is not one of`}},
		{"a percentage over a hundred", "coverage: {minimum: 101}\n", []string{"f:1:21: minimum is"}},
		{"a percentage that is no number", "coverage: {minimum: .nan}\n", []string{"f:1:21: minimum is"}},
		{"an age without a unit", "db: {max-age: 7}\n", []string{"f:1:15: max-age:"}},
		{"a list at the top", "- fail-on\n", []string{"f:1:1: expected keys and values"}},
		{"two documents", "fail-on: high\n---\nfail-on: low\n", []string{"more than one YAML document"}},
		{"broken YAML", "fail-on: [\n", []string{"f: yaml: "}},
		{"an alias", "only-fixed: &a true\nfail-on: *a\n", []string{"aliases are not read"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode("f", []byte(tt.content))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not hold %q", err, want)
				}
			}
		})
	}
}

func TestPatternsThatMatchSomethingAreTaken(t *testing.T) {
	c, err := Decode("f", []byte("lint:\n  trusted-registries: ['*', '*.example', 'registry.*', ghcr.io/shop/*, docker.io]\n  exclude: ['**/{a,b}/*.yaml', 'x[0-9]', plain]\n"))
	if err != nil || len(c.Lint.TrustedRegistries) != 5 || len(c.Lint.Exclude) != 3 {
		t.Error(c.Lint, err)
	}
}

func TestLoadFindsTheFileUpToTheRepositoryRoot(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "repo", "services", "web")
	if err := os.MkdirAll(filepath.Join(root, "repo", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(root, FileName)
	inside := filepath.Join(root, "repo", FileName)
	write(t, outside, "fail-on: low\n")

	if c, path, err := Load(deep, ""); err != nil || path != "" || *c.FailOn != finding.High {
		t.Errorf("without a file in the repository: %v from %q, %v", c, path, err)
	}
	write(t, inside, "fail-on: medium\n")
	if c, path, err := Load(deep, ""); err != nil || path != inside || *c.FailOn != finding.Medium {
		t.Errorf("with a file at the root of the repository: %v from %q, %v", c, path, err)
	}
}

func TestOutsideOfARepositoryOnlyTheWorkingDirectoryCounts(t *testing.T) {
	parent := t.TempDir()
	working := filepath.Join(parent, "work")
	if err := os.Mkdir(working, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(parent, FileName), "fail-on: none\n")
	if c, path, err := Load(working, ""); err != nil || path != "" || c.FailOn == nil {
		t.Errorf("a file above: %v from %q, %v", c.FailOn, path, err)
	}
	write(t, filepath.Join(working, FileName), "fail-on: low\n")
	if c, path, err := Load(working, ""); err != nil || path == "" || *c.FailOn != finding.Low {
		t.Errorf("a file here: %v from %q, %v", c.FailOn, path, err)
	}
}

func TestLoadTreatsANamedFileThatIsMissingAsAUsageError(t *testing.T) {
	_, _, err := Load(t.TempDir(), filepath.Join(t.TempDir(), "nowhere.yaml"))
	if exit.CodeOf(err) != exit.Usage || exit.HintOf(err) == "" {
		t.Errorf("got %v with code %d and hint %q", err, exit.CodeOf(err), exit.HintOf(err))
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// FuzzDecode holds that a decoded configuration is one that the policy can
// work with, and that what is shown of it decodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("fail-on: high\ncoverage: {minimum: 5}\ndb: {max-age: 2d}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("rules: {DL1: off, \"x\\u2028\": low}\nlint: {build-args: {A: \"\"}, exclude: ['**']}\n"))
	f.Add([]byte("exempt: [{paths: [a], reason: r, below: low}]\nkinds: {secret: {counts: {high: 1}}}\nepss: 1e-3\n"))
	f.Add([]byte("exempt: [{reason, below: low}]\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := Decode("f", content)
		if err != nil {
			return
		}
		if !(c.CoverageMinimum >= 0 && c.CoverageMinimum <= 100) || c.DatabaseMaxAge < 0 {
			t.Errorf("accepted %+v", c)
		}
		shown := Show(c)
		again, err := Decode("f", []byte(shown))
		if err != nil {
			t.Fatalf("%q is shown as %q, which is refused: %v", content, shown, err)
		}
		if diff := cmp.Diff(values(c), values(again)); diff != "" {
			t.Errorf("%q is shown as\n%s\n(-read +shown and read):\n%s", content, shown, diff)
		}
	})
}

// values are the effective values by their keys.
func values(c Config) map[string]string {
	out := make(map[string]string)
	for _, s := range Settings(c) {
		out[s.Key] = s.Value
	}
	return out
}
