package dockerfile

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

var silentFolder = filepath.Join("..", "..", "..", "testdata", "dockerfile", "silent")

// TestWellWrittenFilesStaySilent holds the linter to no finding of severity
// medium or worse on realistic files that have none.
func TestWellWrittenFilesStaySilent(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(silentFolder, "*.Dockerfile"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d files in %s, %v", len(paths), silentFolder, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		res := Lint(context.Background(), []File{{Path: filepath.Base(path), Content: content}}, Options{})
		for _, f := range res.Findings {
			if f.Severity.AtLeast(finding.Medium) {
				t.Errorf("%s:%s %s: %s", filepath.Base(path), place(f), f.RuleID, f.Message)
			}
		}
		for _, f := range res.Failures {
			t.Errorf("%s: %s", filepath.Base(path), f.Message)
		}
	}
}
