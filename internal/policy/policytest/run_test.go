package policytest

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

var block = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```yaml\n(.*?)```\n")

// TestTheWorkedExampleInDocsHolds writes the files of the example and runs its
// tests.
func TestTheWorkedExampleInDocsHolds(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, m := range block.FindAllSubmatch(page, -1) {
		path := filepath.Join(dir, string(m[1]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, m[2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, "policy.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run("policy.test.yaml", content, func(path, profile string) (policy.Policy, error) {
		c, err := config.LoadProfile(context.Background(), config.Request{Path: filepath.Join(dir, path), Profile: profile})
		return c.Policy, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Tests) < 15 || report.Failed() > 0 {
		var b strings.Builder
		if err := report.Write(&b); err != nil {
			t.Fatal(err)
		}
		t.Error(b.String())
	}
}

func TestATestThatDoesNotHoldSaysHow(t *testing.T) {
	report, err := Run("t.yaml", []byte(`policy: {fail-on: high}
tests:
  - name: wrong
    findings: [{id: CVE-1, severity: high}]
    expect: {result: pass, exit-code: 0, broken: [], findings: [CVE-2], warned: []}
  - name: right
    policy: {fail-on: critical}
    findings: [{id: CVE-1, severity: high}]
    expect: {result: pass}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := report.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"t.yaml:3: wrong\n", "result: expected pass, got fail (fail-on: 1 finding breaks it: 1 high)",
		"exit-code: expected 0, got 1", "broken: expected [], got [fail-on]", "findings: expected [CVE-2], got [CVE-1]", "t.yaml: 1 of 2 tests passed\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "warned:") || report.Failed() != 1 {
		t.Errorf("what was expected is told as a fault:\n%s", b.String())
	}
}

func TestRunRefuses(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"an unknown key", "tests:\n  - nam: a\n", `t.yaml:2: unknown key "nam"; did you mean "name"?`},
		{"no tests", "policy: {}\n", "t.yaml: holds no tests"},
		{"no policy", "tests: [{name: a, expect: {result: pass}}]\n", "has no policy"},
		{"no result", "policy: {}\ntests: [{name: a}]\n", `expect.result is ""`},
		{"a name twice", "policy: {}\ntests:\n  - {name: a, expect: {result: pass}}\n  - {name: a, expect: {result: pass}}\n", "t.yaml:4: the name \"a\" is there twice"},
		{"a fault in the policy", "policy:\n  fail-on: hihg\ntests: [{name: a, expect: {result: pass}}]\n", "t.yaml:2:12: fail-on is \"hihg\""},
		{"a fault in a finding", "policy: {}\ntests: [{name: a, findings: [{id: X, severity: grave}], expect: {result: pass}}]\n", "unknown severity \"grave\""},
		{"a day that is none", "policy: {}\ntests: [{name: a, as-of: tomorrow, expect: {result: pass}}]\n", `"tomorrow" is not a day`},
		{"broken YAML", "tests: [\n", "t.yaml: yaml: "},
		{"an alias", "policy: &a {}\ntests: [{name: a, policy: *a, expect: {result: pass}}]\n", "aliases are not read"},
		{"a policy and a configuration", "policy: {}\nconfig: x.yaml\ntests: [{name: a, expect: {result: pass}}]\n", "t.yaml: policy and config are both there"},
		{"a policy and a profile", "policy: {}\nprofile: x\ntests: [{name: a, expect: {result: pass}}]\n", "t.yaml: profile is there without a config"},
		{"a profile of nothing", "profile: x\ntests: [{name: a, policy: {}, expect: {result: pass}}]\n", "t.yaml: profile is there without a config"},
		{"a test with a policy and a profile", "config: x.yaml\ntests: [{name: a, policy: {}, profile: x, expect: {result: pass}}]\n", "t.yaml:2: test \"a\" has a policy and a profile"},
		{"a test with a profile of nothing", "policy: {}\ntests: [{name: a, profile: x, expect: {result: pass}}]\n", "t.yaml:2: test \"a\" has a profile, and there is no config"},
		{"a list", "[]\n", "t.yaml:1: cannot unmarshal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Run("t.yaml", []byte(tt.content), nil)
			if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestATestMayHaveAPolicyOrAProfileOfItsOwnInPlaceOfTheFilesOne(t *testing.T) {
	var asked []string
	report, err := Run("t.yaml", []byte(`config: x.yaml
profile: usual
tests:
  - {name: a, expect: {result: pass}}
  - {name: b, profile: release, expect: {result: pass}}
  - {name: c, policy: {fail-on: critical}, expect: {result: pass}}
`), func(path, profile string) (policy.Policy, error) {
		asked = append(asked, path+" "+profile)
		return config.Config{}.Policy, nil
	})
	if err != nil || len(report.Tests) != 3 {
		t.Fatal(report, err)
	}
	if got := strings.Join(asked, ", "); got != "x.yaml usual, x.yaml release" {
		t.Errorf("read %s", got)
	}
}

// FuzzRun holds that a file of tests is refused as a usage error or gives one
// result for each of its tests, twice the same.
func FuzzRun(f *testing.F) {
	f.Add([]byte("policy: {fail-on: high}\ntests: [{name: a, findings: [{id: X, severity: high, fixed-in: 1}], expect: {result: fail}}]\n"))
	f.Add([]byte("tests: [{name: a, policy: {deny: [{name: x, expression: 'true'}]}, expect: {result: fail, changes: []}}]\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		first, err := Run("t", content, nil)
		if err != nil {
			if exit.CodeOf(err) != exit.Usage {
				t.Errorf("%q: %v with code %d", content, err, exit.CodeOf(err))
			}
			return
		}
		second, err := Run("t", content, nil)
		if err != nil || len(first.Tests) == 0 || first.Failed() != second.Failed() {
			t.Errorf("%q: %d failed, then %d and %v", content, first.Failed(), second.Failed(), err)
		}
	})
}

func TestRulesForManifestsRunOnTheManifestsOfATest(t *testing.T) {
	report, err := Run("t.yaml", []byte(`policy:
  fail-on: high
  lint:
    kubernetes-rules:
      - {id: shop-team, kind: Deployment, field: metadata.labels.team, expression: value == null, message: A team, severity: high}
      - {id: shop-image, field: image, expression: '!container.image.startsWith("registry.example/")', message: Ours, severity: low}
tests:
  - name: both are broken
    lint-only: true
    manifests:
      - object: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: a, image: a}, {name: b, image: b}]}}}}
    expect: {result: fail, findings: [shop-team], violations: [shop-team, shop-image, shop-image]}
  - name: both hold
    lint-only: true
    manifests:
      - object: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {team: web}}}
    expect: {result: pass, violations: []}
  - name: an ignore counts
    lint-only: true
    manifests:
      - object: {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, annotations: {portcullis/ignore: shop-team reason=none}}}
    expect: {result: pass, violations: []}
  - name: wrong
    lint-only: true
    manifests: [{object: {apiVersion: v1, kind: Service, metadata: {name: web}}}]
    expect: {result: pass, violations: [shop-team]}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := report.Write(&b); err != nil {
		t.Fatal(err)
	}
	if want := "t.yaml:23: wrong\n  violations: expected [shop-team], got []\nt.yaml: 3 of 4 tests passed\n"; b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}
