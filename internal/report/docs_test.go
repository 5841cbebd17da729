package report_test

import (
	"os"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/report"
)

func TestEveryFormatIsInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Formats() {
		if !strings.Contains(string(guide), "`"+f.Name+"`") {
			t.Errorf("docs/ci.md does not name the format %s", f.Name)
		}
	}
}
