package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

func TestEachPlatformHasAnSBOMOfItsOwn(t *testing.T) {
	paths := func(platforms ...string) []string {
		var sboms []gate.SBOM
		for _, p := range platforms {
			sboms = append(sboms, gate.SBOM{Platform: p})
		}
		var list []string
		for _, o := range documents([]sbomOutput{{path: "out/bom.cdx.json"}}, sboms) {
			list = append(list, o.path)
		}
		return list
	}
	for _, tt := range []struct{ platforms, want []string }{
		{[]string{"linux/amd64"}, []string{"out/bom.cdx.json"}},
		{[]string{"linux/amd64", "linux/arm/v7"}, []string{"out/bom-linux-amd64.cdx.json", "out/bom-linux-arm-v7.cdx.json"}},
		{[]string{"linux/amd64", "linux/amd64", "linux/arm64"}, []string{"out/bom-linux-amd64.cdx.json", "out/bom-linux-amd64-2.cdx.json", "out/bom-linux-arm64.cdx.json"}},
		// What an index calls its platforms is nobody's command.
		{[]string{"linux/amd64", "linux/$(id)`id`\x1b[31m\n::warning::x/../.."}, []string{"out/bom-linux-amd64.cdx.json", "out/bom-linux---id--id---31m---warning--x-..-...cdx.json"}},
	} {
		if got := paths(tt.platforms...); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.platforms, got, tt.want)
		}
	}
}

func TestTheSummaryNamesTheCutsOfReportsThatAreAskedForAfterIt(t *testing.T) {
	o := outcome.Outcome{}
	for i := range 2001 {
		o.Findings = append(o.Findings, finding.Finding{
			Kind: finding.Dockerfile, RuleID: "x", Fingerprint: fmt.Sprint(i), Status: finding.Open,
			Locations: []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: i + 1}},
		})
	}
	folder := t.TempDir()
	summary := filepath.Join(folder, "summary.md")
	var outputs []output
	for name, path := range map[string]string{"markdown": summary, "gitlab-codequality": filepath.Join(folder, "quality.json")} {
		format, err := report.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, output{format: format, path: path})
	}
	slices.SortFunc(outputs, func(a, b output) int { return strings.Compare(b.format.Name, a.format.Name) })
	if _, _, err := (Program{}).writeReports(t.Context(), outputs, o, report.Options{Cuts: &document.Cuts{}}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(summary); err != nil || !strings.Contains(string(text), "The Code Quality report holds the worst 2000 of 2001 entries") {
		t.Errorf("%v\n%s", err, text[:min(len(text), 2000)])
	}
}

func TestAReportThatCannotBeWrittenAfterAllEndsWithTheCodeThatTheOthersName(t *testing.T) {
	// The folder went while the image was read.
	err := report.WholeFile(filepath.Join(t.TempDir(), "gone", "x"), "write it", nil)
	if exit.CodeOf(err) != exit.Usage {
		t.Fatal(err)
	}
	o := withoutReport(outcome.Outcome{}, err)
	if got := exit.CodeOf(unreported(err)); got != o.ExitCode || exit.HintOf(unreported(err)) != "create the folder first" {
		t.Errorf("exit code %d, the reports say %d: %v", got, o.ExitCode, unreported(err))
	}
}
