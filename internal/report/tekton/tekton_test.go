package tekton_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
	"github.com/portcullis-ci/portcullis/internal/report/tekton"
)

func TestWriteGivesOneShortLine(t *testing.T) {
	tests := map[string]struct {
		outcome outcome.Outcome
		want    string
	}{
		"failed":     {reporttest.Outcome(), `{"result":"fail","exitCode":1,"findings":14,"failed":9,"critical":5,"high":4,"medium":2,"low":1,"unknown":1,"waived":1,"notAssessed":4,"imageDigest":"sha256:` + strings.Repeat("5", 64) + `"}`},
		"passed":     {reporttest.Passed(), `{"result":"pass","exitCode":0,"findings":0,"failed":0,"critical":0,"high":0,"medium":0,"low":0,"unknown":0,"waived":0,"notAssessed":0}`},
		"incomplete": {reporttest.Incomplete(), `{"result":"incomplete","exitCode":4,"findings":0,"failed":0,"critical":0,"high":0,"medium":0,"low":0,"unknown":0,"waived":0,"notAssessed":0}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := tekton.Write(t.Context(), &b, tt.outcome, document.Options{}); err != nil {
				t.Fatal(err)
			}
			if b.String() != tt.want {
				t.Errorf("got  %s\nwant %s", b.String(), tt.want)
			}
		})
	}
}

func TestALongDigestDoesNotMakeTheResultLong(t *testing.T) {
	o := reporttest.Outcome()
	o.Image.Digest = strings.Repeat(reporttest.Hostile, 1000)
	var b bytes.Buffer
	if err := tekton.Write(t.Context(), &b, o, document.Options{}); err != nil || b.Len() > 1024 {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}
