package html_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/html"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func options() document.Options {
	return document.Options{Catalogue: reporttest.Catalogue(), Root: reporttest.Root(), Links: document.Links{Source: "https://github.com/acme/demo/blob/main/"}}
}

func write(t testing.TB, o outcome.Outcome) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(t.Context(), &b, o, options()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	for name, o := range map[string]outcome.Outcome{"failed": reporttest.Outcome(), "passed": reporttest.Passed(), "incomplete": reporttest.Incomplete()} {
		t.Run(name, func(t *testing.T) {
			got := write(t, o)
			// Style and script are files of this folder; the golden has the rest.
			got = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(got, "<style></style>")
			got = regexp.MustCompile(`(?s)<script>.*?</script>`).ReplaceAllString(got, "<script></script>")
			got = regexp.MustCompile(`sha256-[^']*`).ReplaceAllString(got, "sha256-…")
			reporttest.Golden(t, name+".html", []byte(got))
		})
	}
}

func TestThePageLoadsNothing(t *testing.T) {
	page := write(t, reporttest.Outcome())
	for _, loading := range []string{"<link", "<img", "<iframe", "@import", "url(", "fetch(", "XMLHttpRequest", "import(", " src="} {
		if strings.Contains(page, loading) {
			t.Errorf("the page holds %q", loading)
		}
	}
	if strings.Contains(page, " style=") || regexp.MustCompile(`<[^>]* on[a-z]+=`).MatchString(page) {
		t.Error("the page has a style or an event handler that its own policy forbids")
	}
	if !strings.Contains(page, `content="default-src &#39;none&#39;; style-src &#39;sha256-`) {
		t.Error("the page has no content security policy")
	}
}

func TestHostileTextIsNoMarkup(t *testing.T) {
	page := write(t, reporttest.Outcome())
	if strings.Contains(page, "<script>alert") || strings.Contains(page, `href="javascript:`) || strings.Contains(page, `"javascript:`) {
		t.Error("the page holds active content of an attacker")
	}
	if n := strings.Count(page, "</script>"); n != 2 {
		t.Errorf("%d script elements end, two are ours", n)
	}
	reporttest.NoRawControls(t, []byte(page), false)
}

func TestTheScriptWritesNoMarkup(t *testing.T) {
	page := write(t, reporttest.Passed())
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setTimeout('"} {
		if strings.Contains(page, sink) {
			t.Errorf("the script uses %s", sink)
		}
	}
}

// Many returns an outcome of n findings for tests of size.
func many(n int) outcome.Outcome {
	o := reporttest.Outcome()
	template := o.Findings
	o.Findings = make([]finding.Finding, 0, n)
	for i := range n {
		f := template[i%len(template)]
		f.RuleID = fmt.Sprintf("%s-%d", f.RuleID, i)
		f.Fingerprint = finding.Fingerprint(f.Kind, f.RuleID, fmt.Sprint(i))
		o.Findings = append(o.Findings, f)
	}
	return o
}

func TestFiveThousandFindingsMakeAFileThatOpens(t *testing.T) {
	if size := len(write(t, many(5000))); size > 8<<20 {
		t.Errorf("the page has %d bytes", size)
	}
}

func BenchmarkWriteFiveThousandFindings(b *testing.B) {
	o := many(5000)
	for b.Loop() {
		write(b, o)
	}
}

func TestWhatToDoIsShownWithItsCode(t *testing.T) {
	o := reporttest.Outcome()
	o.Verdict.Changes = []outcome.Change{
		{Kind: outcome.CorrectByHand, Text: "Add `USER 10001` <b>at the end</b>.", Findings: []string{"x"}},
		{Kind: outcome.CorrectByHand, Text: "One ` alone.", Findings: []string{"x"}},
		{Kind: outcome.RenewData, Text: "Fetch the data anew."},
	}
	page := write(t, o)
	for _, want := range []string{
		"Add <code>USER 10001</code> &lt;b&gt;at the end&lt;/b&gt;. <span", "One ` alone. <span", "Fetch the data anew.</li>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}
