package markdown_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/markdown"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func options() document.Options {
	return document.Options{
		Catalogue: reporttest.Catalogue(), Root: reporttest.Root(),
		Links:   document.Links{Source: "https://github.com/acme/demo/blob/0123456789abcdef0123456789abcdef01234567/"},
		Command: "portcullis gate --image registry.example/shop/web:1.4",
	}
}

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	for name, o := range map[string]outcome.Outcome{"failed": reporttest.Outcome(), "passed": reporttest.Passed(), "incomplete": reporttest.Incomplete()} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := markdown.Write(t.Context(), &b, o, options()); err != nil {
				t.Fatal(err)
			}
			reporttest.Golden(t, name+".md", b.Bytes())
			reporttest.NoRawControls(t, b.Bytes(), false)
		})
	}
}

func TestHostileTextMakesNoMarkupOfItsOwn(t *testing.T) {
	got := markdown.Render(reporttest.Outcome(), options(), markdown.Summary)
	for _, forged := range []string{"<script", "javascript:", "[x](", " @team", "##[error]", "\n::error", "`tick`"} {
		if strings.Contains(got, forged) {
			t.Errorf("the text holds %q", forged)
		}
	}
	for _, line := range strings.Split(got, "\n") {
		if strings.HasPrefix(line, "| ") {
			columns := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if columns < 5 || columns > 8 {
				t.Errorf("row with %d borders: %s", columns, line)
			}
		}
	}
}

func TestTheTextStaysBelowTheLimitOfTheHost(t *testing.T) {
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings = nil
	for i := range 30_000 {
		f := template
		f.RuleID = fmt.Sprintf("CVE-2024-%d", i)
		f.Fingerprint = f.RuleID
		f.Locations = []finding.Location{{Space: finding.Repository, Path: fmt.Sprintf("dir%d/Dockerfile", i%300), Line: 1}}
		o.Findings = append(o.Findings, f)
	}
	for name, size := range map[string]markdown.Size{"summary": markdown.Summary, "comment": markdown.Comment} {
		got := markdown.Render(o, options(), size)
		if len(got) > size.Bytes {
			t.Errorf("%s: %d bytes, %d allowed", name, len(got), size.Bytes)
		}
		if !strings.Contains(got, "more") || !strings.HasSuffix(got, "</code>\n") {
			t.Errorf("%s: no count of what was cut, or no footer", name)
		}
	}
}

func TestTheSummaryNamesReportsThatWereCut(t *testing.T) {
	opts := options()
	opts.Cuts = &document.Cuts{}
	opts.Cuts.Add(document.Cut{Report: "SARIF", Host: "code scanning", Kept: 12, All: 12})
	if got := markdown.Render(reporttest.Outcome(), opts, markdown.Summary); strings.Contains(got, "SARIF") {
		t.Errorf("a whole report is called cut:\n%s", got)
	}
	opts.Cuts.Add(document.Cut{Report: "SARIF", Host: "code scanning", Kept: 5000, All: 5001})
	opts.Cuts.Add(document.Cut{Report: "SARIF", Host: "code scanning", Kept: 5000, All: 6234})
	for name, size := range map[string]markdown.Size{"summary": markdown.Summary, "comment": markdown.Comment} {
		got := markdown.Render(reporttest.Outcome(), opts, size)
		if strings.Count(got, "> The SARIF report holds the worst 5000 of 6234 entries") != 1 || strings.Contains(got, "5001") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestWaiversThatEndSoonComeFirst(t *testing.T) {
	o := reporttest.Outcome()
	template := o.Findings[0]
	template.Status, template.Severity = finding.Waived, finding.Low
	o.Findings = nil
	for _, end := range []string{"", "2027-03-01", "2026-12-01", "2028-01-01"} {
		f := template
		f.RuleID, f.Fingerprint, f.StatusReason = "CVE-"+end, end, "until "+end
		if end != "" {
			f.StatusUntil, _ = time.Parse(time.DateOnly, end)
		}
		o.Findings = append(o.Findings, f)
	}
	got := markdown.Render(o, options(), markdown.Summary)
	last := -1
	for _, end := range []string{"until 2026-12-01", "until 2027-03-01", "until 2028-01-01", "until |"} {
		at := strings.Index(got, end)
		if at <= last {
			t.Errorf("%q is at %d, after %d:\n%s", end, at, last, got)
		}
		last = at
	}
}
