package dockerfile

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of the loud corpus anew")

// TestLoudFiles compares all findings on files that are full of faults with
// those written beside them.
func TestLoudFiles(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(silentFolder), "loud", "*.Dockerfile"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range Lint(context.Background(), []File{{Path: filepath.Base(path), Content: content}}, Options{}).Findings {
			fmt.Fprintf(&b, "%s %s %s %s\n", place(f), f.RuleID, f.Severity, f.Message)
		}
		golden := strings.TrimSuffix(path, ".Dockerfile") + ".out"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
		}
	}
}
