package chart

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// TestChartRendersByteForByteAsHelm compares with what the engine of Helm
// v3.19.0 made of the same chart for Kubernetes 1.34, which is kept beside it.
func TestChartRendersByteForByteAsHelm(t *testing.T) {
	const root = "../../../../testdata/kubernetes/charts"
	var files []manifest.File
	err := filepath.WalkDir(filepath.Join(root, "shop"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		files = append(files, manifest.File{Path: filepath.ToSlash(rel), Content: content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rendered, problems := Render(context.Background(), "shop", files, Settings{KubeVersion: "1.34"})
	for _, p := range problems {
		t.Errorf("%s:%d: %s", p.Path, p.Line, p.Message)
	}
	if len(rendered) != 4 {
		t.Errorf("%d templates were rendered, want 4", len(rendered))
	}
	rendered[0].trace.run()
	for name, err := range rendered[0].trace.untraced {
		t.Errorf("the values of %s are not traced: %v", name, err)
	}
	for _, r := range rendered {
		want, err := os.ReadFile(filepath.Join(root, strings.Replace(r.Path, "shop/", "shop.rendered/", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(r.Content)); diff != "" {
			t.Errorf("%s (-helm +ours):\n%s", r.Path, diff)
		}
		// Every line that is not empty comes from somewhere.
		for i, line := range strings.Split(string(r.Content), "\n") {
			source, ok := r.Locate(manifest.Span{Line: i + 1, Column: 1, EndColumn: 2})
			if line != "" && (!ok || source.Span.Line < 1 || source.Path == "") {
				t.Errorf("%s: line %d %q comes from nowhere", r.Path, i+1, line)
			}
		}
	}
}
