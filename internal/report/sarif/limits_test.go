package sarif_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

// log is what the tests read of a SARIF log.
type log struct {
	Runs []struct {
		AutomationDetails struct{ ID string }
		ColumnKind        string
		Tool              struct {
			Driver struct {
				Rules []struct {
					ID               string
					ShortDescription struct{ Text string }
					FullDescription  struct{ Text string }
					Help             struct{ Text, Markdown string }
					Properties       struct {
						Tags             []string
						SecuritySeverity string `json:"security-severity"`
						Aliases          []string
					}
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct {
				Level   string
				Message struct{ Text string }
			}
		}
		Results []struct {
			RuleID              string
			Level               string
			Message             struct{ Text string }
			PartialFingerprints map[string]string
			Properties          map[string]any
			Locations           []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
				}
			}
			Fixes []any
		}
	}
}

func decode(t *testing.T, o outcome.Outcome, opts document.Options) log {
	t.Helper()
	var l log
	if err := json.Unmarshal(write(t, o, opts), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func vulnerable(n int, text func(i int) string) outcome.Outcome {
	o := reporttest.Outcome()
	template := o.Findings[0]
	for _, f := range o.Findings {
		if f.Package != nil && f.Severity == finding.Critical {
			template = f
		}
	}
	o.Findings = nil
	for i := range n {
		f := template
		f.RuleID = fmt.Sprintf("CVE-2024-%d", i)
		f.Fingerprint = f.RuleID
		f.Severity = finding.Severity(1 + i%5)
		f.Score = 0
		f.Message = text(i)
		o.Findings = append(o.Findings, f)
	}
	return o
}

func TestTheLeastSevereResultsAreCutWithANotification(t *testing.T) {
	l := decode(t, vulnerable(6000, func(int) string { return "x" }), options())
	run := l.Runs[0]
	if len(run.Results) != 5000 {
		t.Fatalf("%d results", len(run.Results))
	}
	levels := map[string]int{}
	for _, r := range run.Results {
		levels[r.Level]++
	}
	// 1,200 findings of each of five severities: the thousand that are left
	// out are of the lowest.
	if levels["error"] != 2400 || levels["warning"] != 1200 || levels["note"] != 1400 {
		t.Errorf("levels %v", levels)
	}
	notes := run.Invocations[0].ToolExecutionNotifications
	if len(notes) == 0 || !strings.HasPrefix(notes[0].Message.Text, "1000 results of the lowest severity were left out") {
		t.Errorf("notifications %v", notes)
	}
	if !run.Invocations[0].ExecutionSuccessful {
		t.Error("a cut is not a failed run")
	}
}

func TestTextsStayWithinTheLimitsOfTheHost(t *testing.T) {
	o := vulnerable(1, func(int) string { return strings.Repeat("𝔸", 3000) })
	for _, run := range decode(t, o, options()).Runs {
		for _, rule := range run.Tool.Driver.Rules {
			for _, text := range []string{rule.ShortDescription.Text, rule.FullDescription.Text} {
				if n := utf16Len(text); n > 1024 || n == 0 {
					t.Errorf("description of %d units", n)
				}
			}
			if len(rule.Properties.Tags) > 10 {
				t.Errorf("%d tags", len(rule.Properties.Tags))
			}
		}
	}
}

func TestTheSameFindingsGiveTheSameIdsForANewTagDigestAndVersion(t *testing.T) {
	keys := func(o outcome.Outcome) string {
		var all []string
		for _, run := range decode(t, o, options()).Runs {
			all = append(all, run.AutomationDetails.ID)
			for _, r := range run.Results {
				all = append(all, r.RuleID, r.Locations[0].PhysicalLocation.ArtifactLocation.URI, r.PartialFingerprints["primaryLocationLineHash"])
			}
		}
		return strings.Join(all, "\n")
	}
	changed := reporttest.Outcome()
	changed.Image.Reference, changed.Image.Digest, changed.Image.ID = "registry.example/shop/web:2.0", "sha256:77", "sha256:88"
	for i, f := range changed.Findings {
		if f.Package != nil {
			p := *f.Package
			p.Version += "+rebuilt"
			changed.Findings[i].Package = &p
		}
	}
	if a, b := keys(reporttest.Outcome()), keys(changed); a != b {
		t.Errorf("alerts would churn:\n%s\n---\n%s", a, b)
	}
}

func TestEachResultOfAPackageCarriesTheMachineInterface(t *testing.T) {
	for _, run := range decode(t, reporttest.Outcome(), options()).Runs {
		for _, r := range run.Results {
			if r.Properties["id"] != r.RuleID || r.Properties["aliases"] == nil {
				t.Errorf("%s: properties %v", r.RuleID, r.Properties)
			}
			if r.Properties["package"] == nil {
				continue
			}
			for _, key := range []string{"version", "purl"} {
				if s, ok := r.Properties[key].(string); !ok || s == "" {
					t.Errorf("%s: %s is %v", r.RuleID, key, r.Properties[key])
				}
			}
			if strings.Contains(r.Message.Text, " and ") && r.Properties["packages"] == nil {
				t.Errorf("%s: joined packages are not listed", r.RuleID)
			}
		}
	}
}

func TestAnIncompleteRunIsToldAsSuch(t *testing.T) {
	l := decode(t, reporttest.Incomplete(), options())
	found := false
	for _, run := range l.Runs {
		inv := run.Invocations[0]
		if strings.Contains(run.AutomationDetails.ID, "/sbom-vuln/") {
			found = true
			if inv.ExecutionSuccessful || len(inv.ToolExecutionNotifications) == 0 || inv.ToolExecutionNotifications[0].Level != "error" {
				t.Errorf("%s: %+v", run.AutomationDetails.ID, inv)
			}
		}
		if strings.HasSuffix(run.AutomationDetails.ID, "/dockerfile/") && !inv.ExecutionSuccessful {
			t.Errorf("the Dockerfile was examined, but its run is failed: %+v", inv)
		}
	}
	if !found {
		t.Error("the image that could not be opened has no run")
	}
}

func TestPartsWithoutFindingsKeepTheirRun(t *testing.T) {
	o := reporttest.Outcome()
	o.Findings = nil
	var ids []string
	for _, run := range decode(t, o, document.Options{Category: "nightly"}).Runs {
		ids = append(ids, run.AutomationDetails.ID)
	}
	want := "nightly/sbom-vuln/registry.example/shop/web/ nightly/image/registry.example/shop/web/ nightly/dockerfile/ nightly/k8s/ nightly/waivers/"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWithoutTheRepositoryTheHostHashesItsLinesItself(t *testing.T) {
	for _, run := range decode(t, reporttest.Outcome(), document.Options{}).Runs {
		for _, r := range run.Results {
			uri := r.Locations[0].PhysicalLocation.ArtifactLocation.URI
			if got := r.PartialFingerprints["primaryLocationLineHash"] != ""; got != strings.HasPrefix(uri, "image/") {
				t.Errorf("%s at %s has a hash: %v", r.RuleID, uri, got)
			}
		}
	}
}

func TestLinksAreFollowedToTheFileThatIsShown(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile.real"), []byte("FROM a\nUSER root\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("Dockerfile.real", filepath.Join(folder, "Dockerfile")); err != nil {
		t.Skip("this account may not make symbolic links:", err)
	}
	o := reporttest.Outcome()
	o.Findings = slices.DeleteFunc(o.Findings, func(f finding.Finding) bool { return f.RuleID != "PC-DF006" })
	for _, run := range decode(t, o, document.Options{Root: os.DirFS(folder)}).Runs {
		for _, r := range run.Results {
			if uri := r.Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != "Dockerfile.real" {
				t.Errorf("the result is at %s", uri)
			}
		}
	}
}

func TestTheMinimumSeverityLeavesOutLowerResultsAndKeepsUnknownOnes(t *testing.T) {
	opts := options()
	opts.MinSeverity = finding.High
	for _, run := range decode(t, reporttest.Outcome(), opts).Runs {
		for _, r := range run.Results {
			switch r.Properties["severity"] {
			case "critical", "high", "unknown":
			default:
				t.Errorf("%s is %v", r.RuleID, r.Properties["severity"])
			}
		}
	}
}
