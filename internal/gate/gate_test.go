package gate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/repository"
	"github.com/portcullis-ci/portcullis/internal/target"
)

func environment(t *testing.T, files map[string]string) Environment {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := repository.FindRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return Environment{Repository: root, Clock: func() time.Time { return now }, Stdin: strings.NewReader("")}
}

func high() *finding.Severity {
	s := finding.High
	return &s
}

const (
	sudo       = "FROM debian:12.5-slim\nUSER 10001\nRUN sudo make install\n"
	privileged = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  containers:\n    - name: web\n      image: registry.example/web:1.0\n      securityContext: {privileged: true}\n"
)

func TestRunRefusesRequestsThatNameNothingOrTooMuch(t *testing.T) {
	for name, req := range map[string]Request{
		"nothing":      {},
		"two at once":  {SBOM: "a.json", RootFS: "/"},
		"all of three": {SBOM: "a.json", RootFS: "/", Image: target.Request{Reference: "x"}},
	} {
		_, err := Run(context.Background(), req, environment(t, nil))
		if exit.CodeOf(err) != exit.Usage || exit.HintOf(err) == "" {
			t.Errorf("%s: got %v with code %d and hint %q", name, err, exit.CodeOf(err), exit.HintOf(err))
		}
	}
}

func TestRunGivesTheSameOutcomeEveryTime(t *testing.T) {
	env := environment(t, map[string]string{"Dockerfile": sudo, "k8s/a.yaml": privileged, "k8s/b.yaml": privileged})
	req := Request{Dockerfiles: []string{"Dockerfile"}, Manifests: []string{"k8s"}, Policy: policy.Policy{FailOn: high()}}
	var first []string
	for i := range 5 {
		result, err := Run(context.Background(), req, env)
		if err != nil {
			t.Fatal(err)
		}
		var prints []string
		for _, f := range result.Outcome.Findings {
			prints = append(prints, f.Fingerprint)
		}
		if i == 0 {
			first = prints
			continue
		}
		if strings.Join(first, " ") != strings.Join(prints, " ") {
			t.Fatalf("run %d differs from the first", i)
		}
	}
}

func TestRunReportsEverythingBesideWhatItCouldNotExamine(t *testing.T) {
	env := environment(t, map[string]string{"Dockerfile": sudo, "k8s/web.yaml": privileged})
	result, err := Run(context.Background(), Request{
		Image:       target.Request{Reference: "oci:nowhere", Offline: true},
		Dockerfiles: []string{"Dockerfile", "missing/Dockerfile"}, Manifests: []string{"k8s"},
		Policy: policy.Policy{FailOn: high()},
	}, env)
	if err != nil {
		t.Fatal(err)
	}
	o := result.Outcome
	if o.ExitCode != exit.NotExamined || o.Verdict.Result != outcome.Incomplete {
		t.Errorf("got %s with exit code %d", o.Verdict.Result, o.ExitCode)
	}
	if len(o.Failures) != 2 {
		t.Errorf("failures: %+v, want the image and the missing Dockerfile", o.Failures)
	}
	kinds := make(map[finding.Kind]bool)
	for _, f := range o.Findings {
		kinds[f.Kind] = true
	}
	if !kinds[finding.Dockerfile] || !kinds[finding.Kubernetes] {
		t.Errorf("findings of %v, want those of the Dockerfile and the manifest", kinds)
	}
}

func TestAManifestFolderWithoutObjectsIsAFailure(t *testing.T) {
	env := environment(t, map[string]string{"k8s/values.yaml": "colour: red\n", "Dockerfile": "FROM scratch\nUSER 1\n"})
	result, err := Run(context.Background(), Request{Manifests: []string{"k8s"}}, env)
	if err != nil || result.Outcome.ExitCode != exit.NotExamined {
		t.Errorf("named: exit code %d, %v", result.Outcome.ExitCode, err)
	}
	// Found by searching a repository, other people's YAML is in order.
	result, err = Run(context.Background(), Request{Search: []string{"."}}, env)
	if err != nil || result.Outcome.ExitCode != exit.Passed {
		t.Errorf("searched: exit code %d, %v, %+v", result.Outcome.ExitCode, err, result.Outcome.Failures)
	}
}

func TestAPanicInOneBranchLeavesTheOthersAndFails(t *testing.T) {
	r := run{Environment: environment(t, nil)}
	p := r.guard(context.Background(), branch{"image", func(context.Context) part { panic("index out of range") }})
	if len(p.failures) != 1 || p.failures[0].Code != exit.NotExamined || !strings.Contains(p.failures[0].Message, "index out of range") {
		t.Errorf("got %+v", p.failures)
	}
}

func TestAFindingThatBreaksItsPromisesIsAFailureAndNotLost(t *testing.T) {
	good := finding.Finding{
		RuleID: "r", Kind: finding.Dockerfile, Title: "t", Message: "m", Fingerprint: "f", Status: finding.Open,
		Locations: []finding.Location{{Space: finding.Repository, Path: "Dockerfile"}},
	}
	bad := good
	bad.Locations = nil
	kept, failures := sound([]finding.Finding{good, bad}, nil)
	if len(kept) != 1 || len(failures) != 1 || failures[0].Code != exit.NotExamined {
		t.Errorf("kept %d, failures %+v", len(kept), failures)
	}
}

func TestRunStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	env := environment(t, map[string]string{"Dockerfile": sudo})
	if _, err := Run(ctx, Request{Dockerfiles: []string{"Dockerfile"}}, env); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAPanicInALaterStageLeavesTheRestAndFails(t *testing.T) {
	for _, tc := range []struct {
		panics int // first calls of the clock: triage asks it, then the policy
		stages []string
	}{{0, nil}, {1, []string{"triage"}}, {2, []string{"triage", "policy"}}} {
		env := environment(t, nil)
		clock, calls := env.Clock, 0
		env.Clock = func() time.Time {
			if calls++; calls <= tc.panics {
				panic("index out of range")
			}
			return clock()
		}
		found := part{findings: []finding.Finding{{
			RuleID: "r", Kind: finding.Dockerfile, Title: "t", Message: "m", Fingerprint: "f", Severity: finding.High, Status: finding.Open,
			Locations: []finding.Location{{Space: finding.Repository, Path: "Dockerfile"}},
		}}}
		o := run{Environment: env}.assemble(t.Context(), t.Context(), []part{found}).Outcome
		var stages []string
		for _, f := range o.Failures {
			stages = append(stages, f.Stage)
		}
		if !slices.Equal(stages, tc.stages) || len(o.Findings) != 1 {
			t.Errorf("%d panics: failures of %v and %d findings, want %v and 1", tc.panics, stages, len(o.Findings), tc.stages)
		}
		if tc.panics > 0 && (o.ExitCode != exit.NotExamined || o.Verdict.Result != outcome.Incomplete) {
			t.Errorf("%d panics: %s with exit code %d", tc.panics, o.Verdict.Result, o.ExitCode)
		}
	}
}
