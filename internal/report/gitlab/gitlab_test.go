package gitlab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/gitlab"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

type writer func(context.Context, io.Writer, outcome.Outcome, document.Options) error

// formats are the writers by the kind of report that GitLab calls them, with
// the end of the file name that GitLab's documents use.
var formats = map[string]struct {
	write writer
	ext   string
}{
	"codequality":         {gitlab.CodeQuality, ".json"},
	"container_scanning":  {gitlab.ContainerScanning, ".json"},
	"dependency_scanning": {gitlab.DependencyScanning, ".json"},
	"sast":                {gitlab.SAST, ".json"},
	"secret_detection":    {gitlab.SecretDetection, ".json"},
	"dotenv":              {gitlab.Dotenv, ".env"},
	"annotations":         {gitlab.Annotations, ".json"},
}

func options() document.Options {
	return document.Options{Catalogue: reporttest.Catalogue(), Root: reporttest.Root(), Links: document.Links{Report: "https://gitlab.example.org/acme/demo/-/jobs/77/artifacts/file/report.html"}}
}

func write(t *testing.T, w writer, o outcome.Outcome) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := w(t.Context(), &b, o, options()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReportsMatchTheGoldenFiles(t *testing.T) {
	for kind, f := range formats {
		for name, o := range map[string]outcome.Outcome{"failed": reporttest.Outcome(), "incomplete": reporttest.Incomplete()} {
			t.Run(kind+" "+name, func(t *testing.T) {
				got := write(t, f.write, o)
				reporttest.Golden(t, name+"-"+kind+f.ext, got)
				reporttest.NoRawControls(t, got, false)
			})
		}
	}
}

// The rules of the host need node. They run where PORTCULLIS_CHECK_GITLAB
// names a script that takes FILE KIND --root DIR.
func TestGoldenFilesPassTheHostsChecks(t *testing.T) {
	script := os.Getenv("PORTCULLIS_CHECK_GITLAB")
	if script == "" {
		t.Skip("PORTCULLIS_CHECK_GITLAB is not set")
	}
	for kind, f := range formats {
		for _, name := range []string{"failed", "incomplete"} {
			file := filepath.Join("testdata", name+"-"+kind+f.ext)
			out, err := exec.CommandContext(t.Context(), script, file, kind, "--root", "../reporttest/testdata/repo").CombinedOutput()
			if err != nil || strings.Contains(string(out), "warn ") {
				t.Errorf("%s: %v\n%s", file, err, out)
			}
		}
	}
}

func TestDotenvHoldsNothingThatNeedsQuoting(t *testing.T) {
	o := reporttest.Outcome()
	o.Image.Digest = "sha256:" + reporttest.Hostile
	o.Verdict.Result = ""
	got := string(write(t, gitlab.Dotenv, o))
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) > 20 {
		t.Errorf("%d variables, a self-managed GitLab takes 20", len(lines))
	}
	for _, line := range lines {
		if !regexp.MustCompile(`^GATE_[A-Z_]+=[a-z0-9:]+$`).MatchString(line) {
			t.Errorf("line %q", line)
		}
	}
}

// A secret is reported once, at a line of the repository and without its text.
func TestSecretsHaveAReportOfTheirOwn(t *testing.T) {
	type entry struct {
		Name     string
		Location struct {
			File      string
			StartLine int `json:"start_line"`
			Commit    *struct{ SHA string }
		}
	}
	read := func(w writer, o outcome.Outcome) map[string]entry {
		var r struct {
			Scan            struct{ Type string }
			Vulnerabilities []entry
		}
		content := write(t, w, o)
		if err := json.Unmarshal(content, &r); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("raw_source_code_extract")) {
			t.Error("the report shows source code")
		}
		entries := map[string]entry{}
		for _, v := range r.Vulnerabilities {
			entries[v.Name] = v
		}
		return entries
	}
	o := reporttest.Outcome()
	at := finding.Location{Space: finding.Repository, Path: "Dockerfile", Line: 3}
	written := finding.Finding{
		RuleID: "PC-DF009", Kind: finding.Dockerfile, Severity: finding.High, Title: "Secret in ENV", Message: "ENV holds a token.", Target: "Dockerfile",
		Sensitive: true, Locations: []finding.Location{at}, Fingerprint: "f1", Status: finding.Open,
	}
	traced := written
	traced.RuleID, traced.Kind, traced.Title, traced.Fingerprint = "secret-token", finding.Secret, "Token in the image", "f2"
	traced.Locations = []finding.Location{at, {Space: finding.InImage, Path: "/app/.env", Line: 1}}
	hidden := traced
	hidden.Title, hidden.Fingerprint, hidden.Locations = "Token without a line", "f3", traced.Locations[1:]
	o.Findings = append(o.Findings, written, traced, hidden)

	secrets, sast := read(gitlab.SecretDetection, o), read(gitlab.SAST, o)
	for _, name := range []string{"Secret in ENV", "Token in the image"} {
		got, ok := secrets[name]
		if !ok || got.Location.File != "Dockerfile" || got.Location.StartLine != 3 || got.Location.Commit == nil || got.Location.Commit.SHA == "" {
			t.Errorf("%s: %+v", name, got)
		}
		if _, ok := sast[name]; ok {
			t.Errorf("%s is in the SAST report as well", name)
		}
	}
	if len(secrets) != 2 {
		t.Errorf("secrets %v", secrets)
	}
}

func TestIdsOfVulnerabilitiesAreTheSameForANewTagAndVersion(t *testing.T) {
	ids := func(o outcome.Outcome) []string {
		var r struct{ Vulnerabilities []struct{ ID string } }
		if err := json.Unmarshal(write(t, gitlab.ContainerScanning, o), &r); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, v := range r.Vulnerabilities {
			all = append(all, v.ID)
		}
		return all
	}
	changed := reporttest.Outcome()
	changed.Image.Reference, changed.Image.Digest = "registry.example/shop/web:2.0", "sha256:77"
	for i := range changed.Findings {
		if p := changed.Findings[i].Package; p != nil {
			renamed := *p
			renamed.Version += ".1"
			changed.Findings[i].Package = &renamed
		}
	}
	before, after := ids(reporttest.Outcome()), ids(changed)
	if len(before) == 0 || strings.Join(before, " ") != strings.Join(after, " ") {
		t.Errorf("ids changed:\n%v\n%v", before, after)
	}
}

func TestWaivedFindingsAreLeftOut(t *testing.T) {
	for kind, f := range formats {
		if got := write(t, f.write, reporttest.Outcome()); bytes.Contains(got, []byte("CVE-2023-4911")) || bytes.Contains(got, []byte("CVE-2023-31484")) {
			t.Errorf("%s holds a waived finding or one that is not affected", kind)
		}
	}
}
