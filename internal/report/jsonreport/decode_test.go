package jsonreport_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/jsonreport"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func TestASavedReportIsReadBack(t *testing.T) {
	var first bytes.Buffer
	o := reporttest.Outcome()
	if err := jsonreport.Write(context.Background(), &first, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	got, err := jsonreport.Decode("report.json", first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Findings) != len(o.Findings) || got.Coverage.Packages != o.Coverage.Packages || got.ExitCode != o.ExitCode ||
		!got.Finished.Equal(o.Finished) || len(got.Verdict.Clauses) != len(o.Verdict.Clauses) {
		t.Errorf("got %d findings, %+v, code %d", len(got.Findings), got.Coverage, got.ExitCode)
	}
	// The history of the image, the comparison with a baseline and the changes
	// are not read; everything else is written again as it was.
	o.Image, got.Image, o.Baseline, o.Verdict.Changes = nil, nil, nil, nil
	for i := range o.Findings {
		o.Findings[i].Baseline = got.Findings[i].Baseline
		o.Findings[i].Sensitive = false
	}
	var want, again bytes.Buffer
	if err := jsonreport.Write(context.Background(), &want, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := jsonreport.Write(context.Background(), &again, got, document.Options{}); err != nil {
		t.Fatal(err)
	}
	if want.String() != again.String() {
		t.Errorf("written again it differs:\n%s", firstDifference(want.String(), again.String()))
	}
}

func firstDifference(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			return la[i] + "\n" + lb[i]
		}
	}
	return "one is longer"
}

func TestDecodeRefusesWhatIsNoReport(t *testing.T) {
	for _, content := range []string{
		"", "[]", "{}", `{"schemaVersion": "2.0.0"}`, `{"schemaVersion": "1.0.0", "findings": [{}]}`,
		`{"schemaVersion": "1.0.0", "findings": [{"id": "A", "severity": "grave"}]}`,
	} {
		if _, err := jsonreport.Decode("x.json", []byte(content)); err == nil || !strings.HasPrefix(err.Error(), "x.json: ") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// FuzzDecode holds that a report that is read can be written, and is then read
// again.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := jsonreport.Write(context.Background(), &b, reporttest.Incomplete(), document.Options{}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schemaVersion": "1.0.0"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		o, err := jsonreport.Decode("x", content)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := jsonreport.Write(context.Background(), &again, o, document.Options{}); err != nil {
			// Only a report made by hand has a time that in UTC is of another
			// millennium.
			if !strings.Contains(err.Error(), "year outside of range") {
				t.Errorf("%q was read, but cannot be written: %v", content, err)
			}
			return
		}
		if _, err := jsonreport.Decode("x", again.Bytes()); err != nil {
			t.Errorf("%q was read, but not what was written of it: %v", content, err)
		}
	})
}
