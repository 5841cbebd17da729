package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// shellBlock is a fenced block of shell commands in a page.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// commandsIn returns the portcullis commands of a page's shell blocks.
// Commands over several lines are joined, comments dropped.
func commandsIn(page string) []string {
	var commands []string
	for _, block := range shellBlock.FindAllStringSubmatch(page, -1) {
		joined := strings.ReplaceAll(block[1], "\\\n", " ")
		for line := range strings.Lines(joined) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), " #")
			if strings.HasPrefix(command, "portcullis ") {
				commands = append(commands, strings.Join(strings.Fields(command), " "))
			}
		}
	}
	return commands
}

// TestExamplesOfThePagesRun runs every command that README and docs show, in
// a checkout that has what they name, with the image in a loopback registry.
func TestExamplesOfThePagesRun(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, path := range append(pages, "../../README.md") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, commandsIn(string(content))...)
	}
	if len(commands) < 3 {
		t.Fatalf("only %d commands found: have the pages changed their form?", len(commands))
	}
	// The database comes first, wherever the pages tell of it.
	slices.SortStableFunc(commands, func(a, b string) int {
		return boolInt(strings.Contains(b, " db build")) - boolInt(strings.Contains(a, " db build"))
	})
	ref := exampleCheckout(t)
	for _, command := range commands {
		t.Run(command, func(t *testing.T) {
			args := strings.Fields(strings.ReplaceAll(command, "registry.example/shop/web:1.2", ref))[1:]
			var stderr bytes.Buffer
			code := cli.Program{
				Args: args, Getenv: exampleEnvironment, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr,
				// The advisories of testdata are of 2023; so is this clock.
				Clock:     func() time.Time { return time.Date(2023, 10, 25, 0, 0, 0, 0, time.UTC) },
				Transport: http.DefaultTransport,
			}.Main(context.Background())
			if code == exit.Usage || code == exit.NotExamined {
				t.Errorf("exit code %d: %s", code, stderr.String())
			}
		})
	}
}

func exampleEnvironment(string) string { return "" }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// exampleCheckout makes the working directory a checkout with the files that
// examples name, and returns the reference of the image.
func exampleCheckout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	advisories, err := filepath.Abs("../../testdata/advisories")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		".git/HEAD":                        "ref: refs/heads/main\n",
		"Dockerfile":                       "FROM debian:12-slim AS web\nUSER 10001\n",
		"charts/web/Chart.yaml":            "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"charts/web/values.yaml":           "image: {tag: 1.4.1}\n",
		"charts/web/templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {tag: {{ .Values.image.tag | quote }}}\n",
		"prod.yaml":                        "replicas: 3\n",
		"k8s/config.yaml":                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n",
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "osv"), os.DirFS(advisories)); err != nil {
		t.Fatal(err)
	}
	img, err := images["shop"]().Image()
	if err != nil {
		t.Fatal(err)
	}
	reg := imagetest.NewRegistry()
	t.Cleanup(reg.Close)
	ref, err := reg.Push("shop/web:1.2", img)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return ref
}
