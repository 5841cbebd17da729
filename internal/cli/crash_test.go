package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/supervise"
)

func TestACrashedExaminationIsReportedAndNeverAPass(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const crash = "its process was ended by signal 9 (killed)"
	var out, errs bytes.Buffer
	program := cli.Program{
		Args: []string{
			"gate", "--image", "registry.example/shop/web:1", "--dockerfile", "Dockerfile",
			"--fail-on", "none", "--output", "json=gate.json", "--output", "sarif=gate.sarif",
		},
		Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Clock: func() time.Time { return scriptTime }, Crash: crash,
	}
	if code := program.Main(t.Context()); code != exit.NotExamined {
		t.Errorf("gate: exit code %d, want %d; it printed\n%s%s", code, exit.NotExamined, &out, &errs)
	}
	if !strings.Contains(out.String(), crash) || !strings.Contains(out.String(), "--max-memory") {
		t.Errorf("gate printed\n%s\nwant the cause and the way out", &out)
	}
	var report struct {
		ExitCode int `json:"exitCode"`
		Targets  []struct {
			Examined bool `json:"examined"`
		} `json:"targets"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "gate.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if report.ExitCode != int(exit.NotExamined) || len(report.Targets) != 2 || report.Targets[0].Examined || report.Targets[1].Examined {
		t.Errorf("report: %+v, want exit code 4 and two unexamined targets", report)
	}
	if sarif, err := os.ReadFile(filepath.Join(dir, "gate.sarif")); err != nil || !strings.Contains(string(sarif), crash) {
		t.Errorf("gate.sarif does not tell the crash: %v", err)
	}

	errs.Reset()
	program.Args = []string{"sbom", "registry.example/shop/web:1"}
	if code := program.Main(t.Context()); code != exit.NotExamined || !strings.Contains(errs.String(), crash) {
		t.Errorf("sbom: exit code %d, printed %s", code, &errs)
	}
}

func TestARunThatSomebodyEndedIsNoFaultToReport(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	code := cli.Program{
		Args: []string{"gate", "--image", "registry.example/shop/web:1"}, Getenv: func(string) string { return "" },
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: func() time.Time { return scriptTime },
		Crash: supervise.Told + " 3 (quit)",
	}.Main(t.Context())
	if code != exit.NotExamined || out.Len() > 0 || errs.String() != "portcullis: interrupted, its process was told to end by signal 3 (quit); nothing was decided\n" {
		t.Errorf("exit code %d, printed\n%s%s", code, &out, &errs)
	}
}

func TestOnlyCommandsThatReadImagesAreSupervised(t *testing.T) {
	for line, want := range map[string]bool{
		"gate --image x": true, "sbom x": true, "gate --help": false, "lint Dockerfile": false, "version": false, "": false,
	} {
		if got := (cli.Program{Args: strings.Fields(line)}).Supervised(); got != want {
			t.Errorf("portcullis %s: supervised %v, want %v", line, got, want)
		}
	}
}
