package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// files writes files below a new directory.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, content)
	}
	return dir
}

func TestLayersWinFromDefaultsToProfile(t *testing.T) {
	dir := files(t, map[string]string{
		FileName: `include: org/base.yaml
fail-on: high
counts: {high: 3}
deny:
  - {name: ours, expression: 'image.user == "root"'}
profiles:
  release: {counts: {high: 0}, sbom: required}
  pr: {fail-on: critical}
`,
		"org/base.yaml": `include: [more.yaml]
fail-on: low
counts: {critical: 0}
cvss: 9
deny:
  - {name: org, expression: 'packages.size() == 0'}
profiles:
  release: {fail-on: medium}
`,
		"org/more.yaml": "warn-on: info\ncvss: 7\nrules: {DL3008: off}\n",
	})
	c, err := LoadProfile(context.Background(), Request{Dir: dir, Profile: "release"})
	if err != nil {
		t.Fatal(err)
	}
	if *c.FailOn != finding.Medium {
		t.Errorf("fail-on is %s: a profile wins over every base, also an included one", c.FailOn)
	}
	if diff := cmp.Diff(map[finding.Severity]int{finding.Critical: 0, finding.High: 0}, c.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if *c.CVSS != 9 || *c.WarnOn != finding.Info || !c.SBOMRequired || len(c.Deny) != 2 {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff([]string{"pr", "release"}, c.Profiles); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
	want := []RuleSetting{{Name: "DL3008", Mode: RuleOff, Source: Source{Kind: FromFile, Name: filepath.Join(dir, "org", "more.yaml"), Line: 3, Column: 9}}}
	if diff := cmp.Diff(want, c.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := c.Sources["fail-on"].String(); !strings.HasSuffix(got, "base.yaml:8 (profile release)") {
		t.Errorf("fail-on comes from %s", got)
	}
	if len(c.Files) != 3 || c.Files[0] != filepath.Join(dir, FileName) {
		t.Errorf("files are %v", c.Files)
	}
}

func TestAKeyIsGivenWhereSomebodySaysItEvenWithTheDefaultsValue(t *testing.T) {
	dir := files(t, map[string]string{FileName: "fail-on: high\nprofiles: {strict: {warn-on: low}}\n"})
	for profile, want := range map[string]map[string]bool{
		"":       {"fail-on": true, "warn-on": false, "only-fixed": false},
		"strict": {"fail-on": true, "warn-on": true, "only-fixed": false},
	} {
		c, err := LoadProfile(context.Background(), Request{Dir: dir, Profile: profile})
		if err != nil {
			t.Fatal(err)
		}
		for key, given := range want {
			if c.Given(key) != given {
				t.Errorf("profile %q: %s is given: %v, want %v", profile, key, !given, given)
			}
		}
	}
	if Default().Given("fail-on") {
		t.Error("a default counts as given")
	}
}

func TestWithoutAProfileNoneApplies(t *testing.T) {
	dir := files(t, map[string]string{FileName: "profiles: {pr: {fail-on: none}}\n"})
	c, _, err := Load(dir, "")
	if err != nil || c.FailOn == nil || c.Profile != "" {
		t.Errorf("got %v, %v", c.FailOn, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	deep := map[string]string{FileName: "include: 0.yaml\n"}
	for i := range 9 {
		deep[string(rune('0'+i))+".yaml"] = "include: " + string(rune('1'+i)) + ".yaml\n"
	}
	tests := []struct {
		name    string
		files   map[string]string
		profile string
		want    string
	}{
		{"files that include each other", map[string]string{FileName: "include: a.yaml\n", "a.yaml": "include: .portcullis.yaml\n"}, "", "a.yaml:1:10: include \".portcullis.yaml\": the files include each other"},
		{"a file that includes itself", map[string]string{FileName: "include: ./.portcullis.yaml\n"}, "", "include each other"},
		{"deep nesting", deep, "", "nested deeper than 4"},
		{"a missing file", map[string]string{FileName: "include: nowhere.yaml\n"}, "", ":1:10: include \"nowhere.yaml\": no such file"},
		{"a fault in an included file", map[string]string{FileName: "include: a.yaml\n", "a.yaml": "fail-on: hihg\n"}, "", `a.yaml:1:10: fail-on is "hihg": expected none, info, low, medium, high or critical; did you mean "high"?`},
		{"an artifact by tag", map[string]string{FileName: "include: oci://registry.example/policy:1\n"}, "", "and the digest"},
		{"an artifact without a way to read it", map[string]string{FileName: "include: oci://registry.example/policy@sha256:" + strings.Repeat("a", 64) + "\n"}, "", "cannot be read here"},
		{"a profile that is not there", map[string]string{FileName: "profiles: {release: {}}\n"}, "relaese", `profile "relaese" is not defined; did you mean "release"?`},
		{"a profile where none is", map[string]string{FileName: "fail-on: low\n"}, "pr", "defines no profiles"},
		{"a fault in a profile that is not selected", map[string]string{FileName: "profiles: {release: {fail-on: hi}, pr: {}}\n"}, "pr", ":1:31: fail-on is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := LoadProfile(context.Background(), Request{Dir: files(t, tt.files), Profile: tt.profile})
			if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v with code %d, want %q", err, exit.CodeOf(err), tt.want)
			}
		})
	}
}

func TestAnArtifactIsFetchedByDigest(t *testing.T) {
	reference := "registry.example/policy@sha256:" + strings.Repeat("a", 64)
	dir := files(t, map[string]string{FileName: "include: oci://" + reference + "\n"})
	fetch := func(_ context.Context, got string) ([]byte, error) {
		if got != reference {
			return nil, errors.New("asked for " + got)
		}
		return []byte("fail-on: low\n"), nil
	}
	c, err := LoadProfile(context.Background(), Request{Dir: dir, Fetch: fetch})
	if err != nil || *c.FailOn != finding.Low {
		t.Errorf("got %v, %v", c.FailOn, err)
	}
	hostile := func(context.Context, string) ([]byte, error) { return []byte("include: /etc/passwd\n"), nil }
	if _, err := LoadProfile(context.Background(), Request{Dir: dir, Fetch: hostile}); err == nil || !strings.Contains(err.Error(), "other artifacts only") {
		t.Errorf("an artifact that includes a file: %v", err)
	}
}

func TestSetLaysFlagsOverTheFile(t *testing.T) {
	c := Default()
	flagged := Source{Kind: FromFlag, Name: "--x"}
	for path, written := range map[string]string{
		"fail-on": "none", "only-fixed": "true", "db.path": "off", "db.max-age": "36h", "coverage.minimum": "90%",
		"counts": "{high: 2}", "epss": "0.25", "coverage.allow": "[end-of-life]", "pass-fix-states": "wont-fix, deferred",
		"warn-only": "- counts\n- epss",
	} {
		if err := Set(&c, path, written, flagged); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if c.Sources[path] != flagged {
			t.Errorf("%s comes from %v", path, c.Sources[path])
		}
	}
	if c.FailOn != nil || !c.OnlyFixed || c.DatabasePath != "off" || c.DatabaseMaxAge != 36*time.Hour || c.Counts[finding.High] != 2 || *c.EPSS != 0.25 || !slices.Equal(c.PassFixStates, []finding.FixState{finding.WontFix, finding.FixDeferred}) {
		t.Errorf("got %+v", c)
	}
	err := Set(&c, "fail-on", "hihg", flagged)
	if err == nil || !strings.HasPrefix(err.Error(), `--x: fail-on is "hihg"`) {
		t.Errorf("got %v", err)
	}
	err = Set(&c, "pass-fix-states", "wont-fix,postponed", flagged)
	if err == nil || !strings.Contains(err.Error(), `"postponed": expected fixed,`) {
		t.Errorf("got %v", err)
	}
	if err := Set(&c, "db", "x", flagged); err == nil {
		t.Error("a section was set")
	}
}

func TestAFaultInAnExpressionHasItsPlaceInTheFile(t *testing.T) {
	tests := []struct{ content, want string }{
		{"deny:\n  - name: a\n    expression: finding.sevrity == \"high\"\n", "f:3:24: expression: undefined field 'sevrity'"},
		{"deny:\n  - name: a\n    expression: 'finding.sevrity == \"high\"'\n", "f:3:25: expression: undefined field 'sevrity'"},
		{"warn:\n  - name: a\n    expression: |\n      finding.level > 3 &&\n      finding.sevrity == \"high\"\n", "f:5:8: expression: undefined field 'sevrity'"},
		{"warn:\n  - name: A b\n    expression: 'true'\n", "f:2:11: name is \"A b\""},
		{"deny:\n  - {name: a, expression: 'true'}\n  - {name: a, expression: 'false'}\n", `the name "a" is there twice`},
	}
	for _, tt := range tests {
		_, err := Decode("f", []byte(tt.content))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

func TestKindsAreLaidOverEachOther(t *testing.T) {
	yes := true
	c, err := Decode("f", []byte("kinds:\n  secret: {fail-on: low}\n  kubernetes: {fail-on: none, only-fixed: true, counts: {high: 2}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	low := finding.Low
	want := map[finding.Kind]policy.KindDemands{
		finding.Secret:     {OwnFailOn: true, FailOn: &low},
		finding.Kubernetes: {OwnFailOn: true, OnlyFixed: &yes, Counts: map[finding.Severity]int{finding.High: 2}},
	}
	if diff := cmp.Diff(want, c.Kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPathsAreRelativeToTheFileThatNamesThem(t *testing.T) {
	dir := files(t, map[string]string{FileName: "include: org/base.yaml\nbaseline: last.json\n", "org/base.yaml": "vex: [a.json]\nwaivers: {file: /w.yaml}\n"})
	c, _, err := Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := Set(&c, "db.path", "db", Source{Kind: FromFlag, Name: "--db"}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"baseline": filepath.Join(dir, "last.json"), "vex": filepath.Join(dir, "org", "a.json"), "waivers.file": "/w.yaml", "db.path": "db",
	} {
		given := map[string]string{"baseline": c.Baseline, "vex": c.VEX[0], "waivers.file": c.Waivers.File, "db.path": c.DatabasePath}[key]
		if got := c.Resolve(key, given); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}
