package gate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/repository"
)

func TestIgnoreFilesOfABuildAreReadFromTheCheckoutAlone(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "ignore")
	if err := os.WriteFile(outside, []byte("*\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, folder := range []string{"a", "b", "c", "d/.dockerignore"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{".dockerignore": "*.lock\n", "a/Dockerfile.dockerignore": "*.md\n", "c/.dockerignore": "[a-\n"} {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(root, "b", ".dockerignore")); err != nil {
		t.Fatal(err)
	}
	r := run{Environment: environment(t, nil)}
	r.Repository = repository.Root{Dir: root, Working: root}
	ignored := make(map[string]*dockerfile.IgnoreFile)
	for _, folder := range []string{"a", "b", "c", "d"} {
		r.readIgnored(folder+"/Dockerfile", ignored)
	}
	for name, want := range map[string]bool{".dockerignore": true, "a/Dockerfile.dockerignore": true, "a/.dockerignore": false, "b/.dockerignore": false, "c/.dockerignore": false, "d/.dockerignore": false} {
		if got := ignored[name] != nil; got != want {
			t.Errorf("%s is read: %v", name, got)
		}
	}
	if !ignored[".dockerignore"].Excludes("Cargo.lock") {
		t.Error("the ignore file of the root leaves out nothing")
	}
}
