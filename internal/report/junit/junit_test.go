package junit_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/junit"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

var outcomes = map[string]func() outcome.Outcome{"failed": reporttest.Outcome, "passed": reporttest.Passed, "incomplete": reporttest.Incomplete}

func write(t *testing.T, o outcome.Outcome) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := junit.Write(t.Context(), &b, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	for name, make := range outcomes {
		t.Run(name, func(t *testing.T) {
			got := write(t, make())
			reporttest.Golden(t, name+".xml", got)
			reporttest.NoRawControls(t, got, false)
		})
	}
}

func TestCountsAreThoseOfTheTestcases(t *testing.T) {
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Cases []struct {
				F *struct{} `xml:"failure"`
				S *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(write(t, reporttest.Outcome()), &doc); err != nil {
		t.Fatal(err)
	}
	tests, failures, skipped := 0, 0, 0
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			tests++
			if c.F != nil {
				failures++
			}
			if c.S != nil {
				skipped++
			}
		}
	}
	// Nine findings and one clause fail, four findings and two gaps do not count.
	if tests != doc.Tests || failures != doc.Failures || skipped != doc.Skipped || failures != 10 || skipped != 6 {
		t.Errorf("%d tests, %d failures, %d skipped; the file says %d, %d, %d", tests, failures, skipped, doc.Tests, doc.Failures, doc.Skipped)
	}
}

// The schema check needs node. It runs where PORTCULLIS_CHECK_GITLAB names a
// script that takes FILE KIND.
func TestGoldenFilesFitTheSchema(t *testing.T) {
	script := os.Getenv("PORTCULLIS_CHECK_GITLAB")
	if script == "" {
		t.Skip("PORTCULLIS_CHECK_GITLAB is not set")
	}
	for name := range outcomes {
		if out, err := exec.CommandContext(t.Context(), script, "testdata/"+name+".xml", "junit").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
