package terminal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
	"github.com/portcullis-ci/portcullis/internal/report/terminal"
)

func write(t *testing.T, o outcome.Outcome, opts document.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := terminal.Write(t.Context(), &b, o, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	tests := map[string]struct {
		outcome outcome.Outcome
		opts    document.Options
	}{
		"failed.txt":     {reporttest.Outcome(), document.Options{Root: reporttest.Root()}},
		"failed-60.txt":  {reporttest.Outcome(), document.Options{Root: reporttest.Root(), Width: 60}},
		"failed.ansi":    {reporttest.Outcome(), document.Options{Root: reporttest.Root(), Color: true, Width: 120}},
		"passed.txt":     {reporttest.Passed(), document.Options{}},
		"incomplete.txt": {reporttest.Incomplete(), document.Options{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := write(t, tt.outcome, tt.opts)
			reporttest.Golden(t, name, []byte(got))
			reporttest.NoRawControls(t, []byte(got), tt.opts.Color)
		})
	}
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	for _, columns := range []int{40, 60, 80, 100, 200} {
		for _, l := range strings.Split(write(t, reporttest.Outcome(), document.Options{Root: reporttest.Root(), Width: columns}), "\n") {
			if w := displaywidth.String(l); w > columns {
				t.Errorf("at %d columns a line has %d: %q", columns, w, l)
			}
		}
	}
}

// What has to be copied or counted is not cut off, however narrow the terminal.
func TestDigestsIdsAndFixesAreWholeAtEveryWidth(t *testing.T) {
	o := reporttest.Outcome()
	for _, columns := range []int{40, 60, 80, 100, 200} {
		for _, color := range []bool{false, true} {
			got := write(t, o, document.Options{Root: reporttest.Root(), Width: columns, Color: color, All: true})
			words := strings.Join(strings.Fields(got), "")
			for _, want := range []string{o.Image.Digest, "CVE-2023-45853", "CVE-2024-5535", "GO-2024-2687", "linux/amd64", "exitcode1", "1unknown", "3.0.15-1~deb12u1"} {
				if !color && !strings.Contains(words, want) {
					t.Errorf("at %d columns %s is cut:\n%s", columns, want, got)
				}
			}
			if strings.Contains(got, "……") {
				t.Errorf("at %d columns a cut text is cut again", columns)
			}
		}
	}
}

func TestWideNamesFitTheTerminal(t *testing.T) {
	o := reporttest.Outcome()
	o.Findings = o.Findings[:1]
	o.Findings[0].Kind = finding.Vulnerability
	o.Findings[0].Package = &finding.Package{Name: strings.Repeat("汉字パッケージ", 20), Version: strings.Repeat("①", 30), Type: "deb"}
	o.Targets[0].Name = strings.Repeat("レジストリ/", 30)
	for _, columns := range []int{40, 80, 200} {
		for _, l := range strings.Split(write(t, o, document.Options{Width: columns}), "\n") {
			if w := displaywidth.String(l); w > columns {
				t.Errorf("at %d columns a line has %d: %q", columns, w, l)
			}
		}
	}
}

func TestNoLineIsACommandForACIHost(t *testing.T) {
	for _, l := range strings.Split(write(t, reporttest.Outcome(), document.Options{All: true}), "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.Contains(l, "##[") || strings.Contains(l, "##vso[") {
			t.Errorf("line %q", l)
		}
	}
}

func TestManyFindingsAreFoldedAndCounted(t *testing.T) {
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings = nil
	for i := range 400 {
		f := template
		p := finding.Package{Name: fmt.Sprintf("lib%03d", i), Version: "1.0", Type: "deb"}
		f.Kind, f.Package = finding.Vulnerability, &p
		f.RuleID = fmt.Sprintf("CVE-2024-%d", 1000+i)
		f.Fingerprint = f.RuleID
		f.Locations = []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: 1}}
		o.Findings = append(o.Findings, f)
	}
	folded := write(t, o, document.Options{})
	if n := strings.Count(folded, "\n"); n > 60 {
		t.Errorf("the report has %d lines", n)
	}
	if !strings.Contains(folded, "388 more findings in 388 packages") || !strings.Contains(folded, "--output json=FILE") {
		t.Errorf("what was folded is not counted:\n%s", folded)
	}
	all := write(t, o, document.Options{All: true})
	if n := strings.Count(all, "CVE-2024-"); n < 400 {
		t.Errorf("--all lists %d of 400 findings", n)
	}
}

func TestAPackagesVulnerabilitiesShareOneLine(t *testing.T) {
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings, o.Verdict.Changes = nil, nil
	for i := range 9 {
		f := template
		f.Kind, f.Package = finding.Vulnerability, &finding.Package{Name: "openssl", Version: "3.0", Type: "deb"}
		f.RuleID = fmt.Sprintf("CVE-2024-%d", 1000+i)
		f.Locations = []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: 1}}
		o.Findings = append(o.Findings, f)
	}
	got := write(t, o, document.Options{})
	if n := strings.Count(got, "openssl 3.0"); n != 1 {
		t.Errorf("the package has %d lines:\n%s", n, got)
	}
	if !strings.Contains(got, "CVE-2024-1000, CVE-2024-1001 +7") {
		t.Errorf("ids are not counted:\n%s", got)
	}
}

func TestAChangeWithoutAPlaceIsNamed(t *testing.T) {
	o := reporttest.Incomplete()
	o.Verdict.Changes = []outcome.Change{{Kind: outcome.RenewData, Subject: "advisory database", Text: "build or fetch the database anew"}}
	got := write(t, o, document.Options{})
	if !strings.Contains(got, "1. advisory database\n") || strings.Contains(got, "removes") {
		t.Errorf("the change is not named:\n%s", got)
	}
}
