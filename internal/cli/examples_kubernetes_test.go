package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/exit"
)

// yamlBlocks returns the blocks of YAML of a page.
func yamlBlocks(t *testing.T, page string) []string {
	t.Helper()
	content, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(content), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// blockWith is the only block with a text.
func blockWith(t *testing.T, blocks []string, text string) string {
	t.Helper()
	var found []string
	for _, b := range blocks {
		if strings.Contains(b, text) {
			found = append(found, b)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d blocks hold %q, want 1", len(found), text)
	}
	return found[0]
}

func writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func runCommand(args ...string) (exit.Code, string, string) {
	var stdout, stderr bytes.Buffer
	code := cli.Program{
		Args: args, Getenv: exampleEnvironment, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Clock: func() time.Time { return scriptTime },
	}.Main(context.Background())
	return code, stdout.String(), stderr.String()
}

// lintFindings lints a file and returns its findings as "RULE LINE:COLUMN
// SEVERITY", and those that are ignored with "ignored" behind it.
func lintFindings(t *testing.T, file string, flags ...string) []string {
	t.Helper()
	code, stdout, stderr := runCommand(append([]string{"lint", file, "--quiet", "--output", "json=-"}, flags...)...)
	if code != exit.Passed && code != exit.PolicyBroken {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var report struct {
		Findings []struct {
			Rule, Severity, Status string
			Locations              []struct{ Line, Column int }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range report.Findings {
		text := fmt.Sprintf("%s %d:%d %s", f.Rule, f.Locations[0].Line, f.Locations[0].Column, f.Severity)
		if f.Status != "open" {
			text += " ignored"
		}
		found = append(found, text)
	}
	return found
}

func wantFinding(t *testing.T, found []string, want string) {
	t.Helper()
	if !slices.Contains(found, want) {
		t.Errorf("no finding %q in\n%s", want, strings.Join(found, "\n"))
	}
}

// hostPod is a pod that uses the network of its node, with a line above that
// field and lines of metadata.
func hostPod(above, metadata string) string {
	return "apiVersion: v1\nkind: Pod\n" + metadata + "spec:\n" + above + "  hostNetwork: true\n  containers: [{name: web, image: elsewhere.example/web:1.4.1}]\n"
}

const namedWeb = "metadata: {name: web, namespace: shop}\n"

// TestTheExamplesOfThePageAboutKubernetesDoWhatItSays runs each of them.
func TestTheExamplesOfThePageAboutKubernetesDoWhatItSays(t *testing.T) {
	blocks := yamlBlocks(t, "kubernetes.md")
	page, err := os.ReadFile("../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	settings := blockWith(t, blocks, "pod-security: baseline")
	profiles := blockWith(t, blocks, "profiles:")
	own := blockWith(t, blocks, "kubernetes-rules:")
	test := blockWith(t, blocks, "violations:")
	comment := blockWith(t, blocks, "# portcullis:ignore")
	annotation := blockWith(t, blocks, "portcullis/ignore:")
	if len(blocks) != 6 {
		t.Errorf("the page has %d examples in YAML, of which 6 are tried here", len(blocks))
	}

	writeFiles(t, map[string]string{"pod.yaml": hostPod("", namedWeb), ".portcullis.yaml": settings})
	found := lintFindings(t, "pod.yaml")
	wantFinding(t, found, "k8s-host-network 5:3 high")
	if slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, "k8s-run-as-non-root") }) {
		t.Errorf("at the level baseline, a rule of restricted runs: %q", found)
	}

	writeFiles(t, map[string]string{".portcullis.yaml": profiles})
	for profile, want := range map[string]string{
		"cis": "k8s-run-as-non-root 6:17 high", "nsa": "k8s-memory-request 6:17 info", "restricted": "k8s-caps-drop-all 6:17 high",
	} {
		wantFinding(t, lintFindings(t, "pod.yaml", "--profile", profile), want)
	}

	writeFiles(t, map[string]string{
		".portcullis.yaml": own, "policy.test.yaml": test,
		"web.yaml": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers: [{name: web, image: elsewhere.example/web:1}]\n",
	})
	found = lintFindings(t, "web.yaml")
	wantFinding(t, found, "shop-team 3:1 medium")
	wantFinding(t, found, "shop-registry 8:32 high")
	if code, stdout, stderr := runCommand("policy", "test", "policy.test.yaml"); code != exit.Passed || !strings.Contains(stdout, "1 of 1 tests passed") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}

	// The forms that the text names are tried as they stand there.
	named := "metadata:\n  name: web\n  namespace: shop\n"
	indented := func(lines string) string {
		return "  " + strings.TrimRight(strings.ReplaceAll(lines, "\n", "\n  "), " ")
	}
	forms := map[string]string{
		comment:                                      hostPod(strings.TrimSuffix(indented(comment), "  hostNetwork: true\n"), namedWeb),
		annotation:                                   hostPod("", named+strings.TrimPrefix(annotation, "metadata:\n")),
		"ignore-check.kube-linter.io/…":              hostPod("", named+"  annotations: {ignore-check.kube-linter.io/host-network: \"node agent\"}\n"),
		"kube-linter.io/ignore-all":                  hostPod("", named+"  annotations: {kube-linter.io/ignore-all: \"node agent\"}\n"),
		"checkov.io/skip1: CKV_K8S_19=reason":        hostPod("", named+"  annotations:\n    checkov.io/skip1: CKV_K8S_19=reason\n"),
		"# checkov:skip=CKV_K8S_19:reason":           hostPod("  # checkov:skip=CKV_K8S_19:reason\n", namedWeb),
		"# trivy:ignore:KSV-0009":                    hostPod("  # trivy:ignore:KSV-0009\n", namedWeb),
		"portcullis:ignore k8s-host-network until=2": hostPod("  # portcullis:ignore KSV-0009 until=2027-01-31 reason=ids of other tools\n", namedWeb),
	}
	writeFiles(t, map[string]string{".portcullis.yaml": "fail-on: none\n"})
	for form, manifest := range forms {
		if !strings.Contains(string(page), form) {
			t.Errorf("the page does not hold %q any more", form)
		}
		writeFiles(t, map[string]string{"pod.yaml": manifest})
		line := strings.Count(manifest[:strings.Index(manifest, "hostNetwork")], "\n") + 1
		wantFinding(t, lintFindings(t, "pod.yaml"), fmt.Sprintf("k8s-host-network %d:3 high ignored", line))
	}
	writeFiles(t, map[string]string{"pod.yaml": forms["# trivy:ignore:KSV-0009"], ".portcullis.yaml": "lint: {inline-ignores: reason}\n"})
	wantFinding(t, lintFindings(t, "pod.yaml"), "k8s-ignore-no-reason 5:3 medium")
	writeFiles(t, map[string]string{".portcullis.yaml": "lint: {inline-ignores: none}\n"})
	wantFinding(t, lintFindings(t, "pod.yaml"), "k8s-host-network 6:3 high")
}
