package kubernetes

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

const silentCorpus = "../../../testdata/kubernetes/silent"

// TestHardenedManifestsAreSilent keeps manifests that do everything right, and
// those that once raised a false alarm, free of findings that fail a gate.
func TestHardenedManifestsAreSilent(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(silentCorpus, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			result := Lint(context.Background(), []File{{Path: filepath.Base(file), Content: content}}, Options{})
			checkResult(t, result)
			for _, f := range result.Findings {
				if f.Severity.AtLeast(finding.Medium) && f.Status == finding.Open {
					t.Errorf("line %d: %s %s: %s", f.Locations[0].Line, f.Severity, f.RuleID, f.Message)
				}
			}
		})
	}
}

func TestSecretsNeverAppearInFindings(t *testing.T) {
	const value = "hunter2-Correct-Horse"
	manifests := []string{
		env("DB_PASSWORD", "value: "+value), env("URL", "value: postgres://app:"+value+"@db/shop"),
		container("args: [--password=" + value + "]"), container("args: [--password, " + value + "]"),
		configMap("password: " + value), configMap("app.properties: |\n    db.password=" + value),
		secret("stringData: {password: " + value + "}"), ecs("\"environment\": [{\"name\": \"DB_PASSWORD\", \"value\": \"" + value + "\"}]"),
		container("command: [sh, -c, \"PGPASSWORD=" + value + " psql\"]"),
	}
	for _, m := range manifests {
		result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(m)}}, Options{})
		for _, f := range result.Findings {
			if strings.Contains(fmt.Sprintf("%+v", f), value) {
				t.Errorf("%s shows the secret: %+v", f.RuleID, f)
			}
		}
	}
}

func TestAStoppedRunIsAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	result := Lint(ctx, []File{{Path: "a.yaml", Content: []byte(bareContainer(""))}}, Options{})
	if len(result.Failures) != 1 {
		t.Errorf("failures: %+v", result.Failures)
	}
}

func TestARuleThatPanicsStopsNoOther(t *testing.T) {
	l := linter{set: newSet(Options{})}
	l.read(File{Path: "a.yaml", Content: []byte(bareContainer(""))})
	l.set.index()
	broken := privileged.complete()
	broken.container = func(*pass, *manifest.Container) { panic("out of cheese") }
	l.run(broken)
	l.run(readOnlyRootFS.complete())
	if len(l.result.Failures) != 1 || !strings.Contains(l.result.Failures[0].Message, "k8s-privileged broke down on Pod/shop/web: out of cheese") {
		t.Errorf("failures: %+v", l.result.Failures)
	}
	if len(l.found) != 1 {
		t.Errorf("the other rule found %d problems, want 1", len(l.found))
	}
}

func TestCountsAddUp(t *testing.T) {
	files := []File{
		{Path: "a.yaml", Content: []byte(bareContainer("") + "---\nservices: {}\n---\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n---\na: [\n")},
		{Path: "b.yaml", Content: []byte("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap}, {apiVersion: v1, kind: ConfigMap}]\n")},
	}
	r := Lint(context.Background(), files, Options{})
	got := fmt.Sprint(r.Documents, r.Objects, r.Unreadable, r.Other, r.Unknown, len(r.Files), len(r.Images))
	if want := "5 4 1 1 1 2 1"; got != want {
		t.Errorf("documents, objects, unreadable, other, unknown, files, images = %s, want %s", got, want)
	}
}

func TestFingerprintsSurviveLineShiftsAndVersions(t *testing.T) {
	prints := func(text string) map[string]bool {
		set := make(map[string]bool)
		for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, Options{}).Findings {
			set[f.RuleID+f.Fingerprint] = true
		}
		return set
	}
	before := prints(container("securityContext: {privileged: true}"))
	after := prints("# a comment\n\n" + strings.ReplaceAll(container("\n\nsecurityContext:\n  privileged: true"), "web:1", "web:2"))
	if len(before) == 0 || fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("fingerprints moved:\n%v\n%v", before, after)
	}
}

func FuzzLint(f *testing.F) {
	for _, cases := range casesByRule() {
		text, _ := unmark(cases[0].manifest)
		f.Add([]byte(text))
	}
	f.Add([]byte(hardenedWorkload))
	f.Fuzz(func(t *testing.T, content []byte) {
		opts := Options{Limits: manifest.Limits{Nodes: 5000, Depth: 50}, Registries: []string{"a"}}
		for _, r := range allRules() {
			opts.Enable = append(opts.Enable, r.ID)
		}
		result := Lint(context.Background(), []File{{Path: "a.yaml", Content: content}}, opts)
		checkResult(t, result)
		lines := bytes.Count(content, []byte{'\n'}) + 1
		if bytes.HasPrefix(content, []byte{0xFE, 0xFF}) || bytes.HasPrefix(content, []byte{0xFF, 0xFE}) || bytes.IndexByte(content, 0) >= 0 {
			// UTF-16: a line end is one character of two bytes.
			lines = len(content) + 1
		}
		for _, f := range result.Findings {
			for _, l := range f.Locations {
				if l.Line < 1 || l.Line > lines {
					t.Fatalf("%s points at line %d of %d", f.RuleID, l.Line, lines)
				}
			}
		}
	})
}

// BenchmarkLint2000 checks 2,000 files of one hardened workload and one with
// every common fault.
func BenchmarkLint2000(b *testing.B) {
	var files []File
	for i := range 2000 {
		text := strings.ReplaceAll(hardenedWorkload, "name: web", fmt.Sprintf("name: web%d", i))
		if i%2 == 0 {
			text = strings.ReplaceAll(inWorkload("apps/v1", "Deployment", "hostPID: true\ncontainers:\n  - name: app\n    image: web\n    securityContext: {privileged: true}\n    env: [{name: DB_PASSWORD, value: hunter2}]"), "name: web", fmt.Sprintf("name: web%d", i)) +
				"---\napiVersion: v1\nkind: Service\nmetadata: {name: s" + fmt.Sprint(i) + ", namespace: shop}\nspec: {selector: {app: web" + fmt.Sprint(i) + "}}\n"
		}
		files = append(files, File{Path: fmt.Sprintf("k8s/%d.yaml", i), Content: []byte(text)})
	}
	b.ReportAllocs()
	for b.Loop() {
		Lint(context.Background(), files, Options{})
	}
}
