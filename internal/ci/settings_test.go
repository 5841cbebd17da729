package ci_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/exit"
)

func TestAVariableThatSteersNothingIsRefusedBeforeTheWork(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, value, want string }{
		{ci.EnvAnnotations, "foo", "none, errors or all"},
		{ci.EnvSummary, "maybe", `expected true or false, not "maybe"`},
		{ci.EnvComment, "yes please", `expected true or false, not "yes please"`},
		{ci.EnvDiff, "true", "no such file"},
		{ci.EnvDiff, text, "not the output of git diff"},
	} {
		_, err := ci.ReadSettings(lookup(map[string]string{tt.name: tt.value}))
		if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("%s=%s: %v", tt.name, tt.value, err)
		}
	}
}

func TestVariablesThatSayOnOrOffInAnyUsualWayAreRead(t *testing.T) {
	for _, value := range []string{"", "true", "True", "FALSE", "0", "1", " true "} {
		for _, name := range []string{ci.EnvSummary, ci.EnvComment} {
			if _, err := ci.ReadSettings(lookup(map[string]string{name: value})); err != nil {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}
