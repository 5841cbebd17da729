package sarif

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func TestALogThatIsTooLargeLosesHelpAndThenResults(t *testing.T) {
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings = nil
	for i := range 200 {
		f := template
		f.Kind, f.Package = finding.Vulnerability, &finding.Package{Name: "a", Version: "1", Type: "deb", PURL: "pkg:deb/a@1"}
		f.RuleID = fmt.Sprintf("CVE-2024-%d", i)
		// Text that gzip cannot shrink much.
		f.Message = finding.Fingerprint(f.Kind, f.RuleID) + finding.Fingerprint(f.Kind, f.RuleID, "x")
		f.Fingerprint = f.RuleID
		o.Findings = append(o.Findings, f)
	}
	tests := map[string]struct {
		most    limits
		shorter bool
		cut     bool
	}{
		"all fits":                  {limits{results: 5000, gzip: 9_000_000}, false, false},
		"only without tables":       {limits{results: 5000, gzip: sizeOf(t, o, budget{results: 5000, shortHelp: true})}, true, false},
		"only some results":         {limits{results: 5000, gzip: 9_000}, true, true},
		"fewer results than it has": {limits{results: 50, gzip: 9_000_000}, false, true},
		"nothing fits, one is left": {limits{results: 5000, gzip: 10}, true, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			cuts := &document.Cuts{}
			if err := writeWithin(t.Context(), tt.most, &b, o, document.Options{Cuts: cuts}); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if got := strings.Contains(text, "help of rules was shortened"); got != tt.shorter {
				t.Errorf("shortened: %v", got)
			}
			if got := strings.Contains(text, "results of the lowest severity were left out"); got != tt.cut {
				t.Errorf("cut: %v", got)
			}
			if list := cuts.List(); (len(list) == 1) != tt.cut || tt.cut && (list[0].All != 200 || list[0].Kept != strings.Count(text, `"ruleIndex"`)) {
				t.Errorf("cuts %v", list)
			}
			size, err := gzipSize(b.Bytes(), gzip.DefaultCompression)
			if err != nil || size > tt.most.gzip && tt.most.gzip > 10 {
				t.Errorf("%d bytes, %d allowed, %v", size, tt.most.gzip, err)
			}
		})
	}
}

func sizeOf(t *testing.T, o outcome.Outcome, plan budget) int {
	t.Helper()
	log, _ := build(o, document.Options{}, plan)
	encoded, err := encode(log)
	if err != nil {
		t.Fatal(err)
	}
	size, err := gzipSize(encoded, gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	return size
}
