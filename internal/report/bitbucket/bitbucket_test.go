package bitbucket_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/bitbucket"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func write(t *testing.T, o outcome.Outcome) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bitbucket.Write(t.Context(), &b, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	for name, o := range map[string]outcome.Outcome{"failed": reporttest.Outcome(), "passed": reporttest.Passed(), "incomplete": reporttest.Incomplete()} {
		t.Run(name, func(t *testing.T) {
			got := write(t, o)
			reporttest.Golden(t, name+".json", got)
			reporttest.NoRawControls(t, got, false)
		})
	}
}

func TestRequestsStayWithinTheLimitsOfTheAPI(t *testing.T) {
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings = nil
	for i := range 1500 {
		f := template
		f.Message = string(bytes.Repeat([]byte("ä"), 3000))
		f.Fingerprint = fmt.Sprint(i)
		o.Findings = append(o.Findings, f)
	}
	var got struct {
		Report      struct{ Data []any }
		Annotations [][]struct{ Summary, Details string }
	}
	if err := json.Unmarshal(write(t, o), &got); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, request := range got.Annotations {
		total += len(request)
		if len(request) > 100 {
			t.Errorf("a request of %d annotations", len(request))
		}
		for _, a := range request {
			if len(a.Summary) > 450 || len(a.Details) > 2000 {
				t.Fatalf("summary of %d, details of %d bytes", len(a.Summary), len(a.Details))
			}
		}
	}
	if total != 1000 || len(got.Report.Data) > 10 {
		t.Errorf("%d annotations, %d data", total, len(got.Report.Data))
	}
}
