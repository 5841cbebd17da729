package report_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

// BenchmarkFormats writes 5,000 findings in each format.
func BenchmarkFormats(b *testing.B) {
	o := reporttest.Outcome()
	template := o.Findings
	o.Findings = make([]finding.Finding, 0, 5000)
	for i := range 5000 {
		f := template[i%len(template)]
		f.RuleID = fmt.Sprintf("%s-%d", f.RuleID, i)
		f.Fingerprint = finding.Fingerprint(f.Kind, f.RuleID)
		o.Findings = append(o.Findings, f)
	}
	opts := report.Options{Catalogue: reporttest.Catalogue(), Root: reporttest.Root()}
	for _, f := range report.Formats() {
		b.Run(f.Name, func(b *testing.B) {
			for b.Loop() {
				if err := f.Write(b.Context(), io.Discard, o, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
