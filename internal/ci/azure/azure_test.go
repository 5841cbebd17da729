package azure_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/ci/azure"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func TestWriteMatchesTheGoldenFile(t *testing.T) {
	var b bytes.Buffer
	if err := azure.Write(&b, reporttest.Outcome(), "/tmp/summary.md"); err != nil {
		t.Fatal(err)
	}
	reporttest.Golden(t, "failed.vso", b.Bytes())
	reporttest.NoRawControls(t, b.Bytes(), false)
}

func TestEachLineIsOneCommandOfOurs(t *testing.T) {
	var b bytes.Buffer
	if err := azure.Write(&b, reporttest.Outcome(), ""); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if !strings.HasPrefix(line, "##vso[task.") || strings.Count(line, "##vso[") != 1 || strings.Contains(line, "##[") {
			t.Errorf("line %q", line)
		}
	}
}
