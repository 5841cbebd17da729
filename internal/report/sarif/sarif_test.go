package sarif_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"unicode/utf16"

	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
	"github.com/portcullis-ci/portcullis/internal/report/sarif"
)

func write(t *testing.T, o outcome.Outcome, opts document.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sarif.Write(t.Context(), &b, o, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func options() document.Options {
	return document.Options{Catalogue: reporttest.Catalogue(), Root: reporttest.Root()}
}

var outcomes = map[string]func() outcome.Outcome{
	"failed":     reporttest.Outcome,
	"passed":     reporttest.Passed,
	"incomplete": reporttest.Incomplete,
}

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	for name, make := range outcomes {
		t.Run(name, func(t *testing.T) {
			got := write(t, make(), options())
			reporttest.Golden(t, name+".sarif", got)
			reporttest.NoRawControls(t, got, false)
		})
	}
}

// The checks of the hosts' own clients need node and a network. They run where
// PORTCULLIS_CHECK_SARIF names a script that takes FILE --root DIR --strict.
func TestGoldenFilesPassTheHostsChecks(t *testing.T) {
	script := os.Getenv("PORTCULLIS_CHECK_SARIF")
	if script == "" {
		t.Skip("PORTCULLIS_CHECK_SARIF is not set")
	}
	for name := range outcomes {
		// Places inside the image are in no checkout, of which --strict with
		// --root would complain.
		for _, args := range [][]string{{"--strict"}, {"--root", "../reporttest/testdata/repo"}} {
			args = append([]string{"testdata/" + name + ".sarif"}, args...)
			out, err := exec.CommandContext(t.Context(), script, args...).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
		}
	}
}

func utf16Len(s string) int { return len(utf16.Encode([]rune(s))) }
