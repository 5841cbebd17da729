package repository

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sideBySide makes the checkouts ci and app and the plain folder plain in one
// folder, and returns that folder and the root as seen from ci/sub.
func sideBySide(t *testing.T) (string, Root) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"ci/.git/HEAD", "ci/sub/here", "ci/Dockerfile", "app/.git/HEAD", "app/Dockerfile", "app/k8s/web.yaml",
		"plain/Dockerfile", "plain/under/Dockerfile", "other/secret",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := FindRoot(filepath.Join(dir, "ci", "sub"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, root
}

func TestARootCoversThePathsThatAreLookedAt(t *testing.T) {
	dir, root := sideBySide(t)
	for _, tt := range []struct {
		given []string
		dir   string
		names []string
	}{
		{[]string{"here", "../Dockerfile"}, "ci", []string{"sub/here", "Dockerfile"}},
		{[]string{"../../app/Dockerfile"}, "app", []string{"Dockerfile"}},
		{[]string{filepath.Join(dir, "app", "k8s")}, "app", []string{"k8s"}},
		{[]string{"../../app/k8s", "../../app/Dockerfile"}, "app", []string{"k8s", "Dockerfile"}},
		{[]string{"../../plain/Dockerfile"}, "plain", []string{"Dockerfile"}},
		{[]string{"../../plain/under/Dockerfile", "../../plain"}, "plain", []string{"under/Dockerfile", "."}},
		{[]string{"../Dockerfile", "../../app/Dockerfile"}, ".", []string{"ci/Dockerfile", "app/Dockerfile"}},
		{[]string{"../.."}, ".", []string{"."}},
		{[]string{"../../nowhere/Dockerfile"}, "nowhere", []string{"Dockerfile"}},
		{nil, "ci", nil},
	} {
		got := root.Covering(tt.given)
		if want := filepath.Join(dir, tt.dir); got.Dir != want {
			t.Errorf("%v: %s, want %s", tt.given, got.Dir, want)
		}
		for i, given := range tt.given {
			if name := got.Name(given); name != tt.names[i] {
				t.Errorf("%v: %s is called %s, want %s", tt.given, given, name, tt.names[i])
			}
		}
	}
}

func TestARootAboveSeveralCheckoutsHoldsThemAlone(t *testing.T) {
	_, root := sideBySide(t)
	covering := root.Covering([]string{"../Dockerfile", "../../app/k8s"})
	var seen []string
	err := fs.WalkDir(covering.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			seen = append(seen, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"app/.git/HEAD", "app/Dockerfile", "app/k8s/web.yaml", "ci/.git/HEAD", "ci/Dockerfile", "ci/sub/here"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := fs.ReadFile(covering.FS(), "other/secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: %v", err)
	}
	for name, want := range map[string]error{"app/k8s/web.yaml": nil, "ci/Dockerfile": nil, "other/secret": ErrOutside, "app/../other/secret": ErrOutside} {
		if _, err := covering.ReadInside(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestNoLinkLeadsFromOneCheckoutToBesideIt(t *testing.T) {
	dir, root := sideBySide(t)
	for link, target := range map[string]string{
		"ci/out.yaml": "../other/secret", "ci/across.yaml": "../app/Dockerfile", "ci/in.yaml": "Dockerfile", "plain/out.yaml": "../other/secret",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	covering := root.Covering([]string{"../Dockerfile", "../../app", "../../plain"})
	for given, want := range map[string]error{
		"../out.yaml": ErrLeadsOut, "../across.yaml": ErrLeadsOut, "../in.yaml": nil,
		// What the user names outside of any checkout is read as it is.
		"../../plain/out.yaml": nil,
	} {
		if _, err := covering.Read(given); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", given, err, want)
		}
	}
}
