package repository

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkout makes a repository with the given files and returns its root as
// seen from the folder working.
func checkout(t *testing.T, working string, files ...string) Root {
	t.Helper()
	dir := t.TempDir()
	for _, name := range append(files, ".git/HEAD", filepath.Join(working, "here")) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := FindRoot(filepath.Join(dir, working))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestNamesAreRelativeToTheRepository(t *testing.T) {
	root := checkout(t, "services/web", "services/web/Dockerfile")
	for given, want := range map[string]string{
		"Dockerfile":                             "services/web/Dockerfile",
		"./Dockerfile":                           "services/web/Dockerfile",
		"../../k8s/a.yaml":                       "k8s/a.yaml",
		"../../../elsewhere/Dockerfile":          "elsewhere/Dockerfile",
		filepath.Join(root.Dir, "k8s", "b.yaml"): "k8s/b.yaml",
	} {
		if got := root.Name(given); got != want {
			t.Errorf("%s: got %q, want %q", given, got, want)
		}
	}
}

func TestWithoutARepositoryTheWorkingDirectoryIsTheRoot(t *testing.T) {
	dir := t.TempDir()
	root, err := FindRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if root.Dir != dir || root.Name("Dockerfile") != "Dockerfile" {
		t.Errorf("root %s, name %s", root.Dir, root.Name("Dockerfile"))
	}
}

func TestFilesWalksDirectoriesButNotForeignFolders(t *testing.T) {
	root := checkout(t, ".", "k8s/b.yaml", "k8s/a.yml", "k8s/deep/c.json", "k8s/README.md", "k8s/node_modules/x.yaml")
	for given, want := range map[string][]string{
		"k8s":              {"k8s/README.md", "k8s/a.yml", "k8s/b.yaml", "k8s/deep/c.json"},
		"k8s/node_modules": {"k8s/node_modules/x.yaml"}, // it was named
	} {
		found, links, err := root.Files(given)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range found {
			names = append(names, root.Name(f))
		}
		if diff := cmp.Diff(want, names); diff != "" || len(links) != 0 {
			t.Errorf("%s: links %v (-want +got):\n%s", given, links, diff)
		}
	}
}

func TestLinksLeadToFilesOfTheCheckoutOnly(t *testing.T) {
	root := checkout(t, ".", "k8s/a.yaml", "other/bad.yaml", ".git/config")
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"same": "a.yaml", "other": "../other/bad.yaml", "chain": "other", "absolute": filepath.Join(root.Dir, "other/bad.yaml"),
		"out": filepath.Join(outside, "secret"), "folder": "../other", "git": "../.git/config", "absent": "nothing", "loop": "loop",
		"device": "/dev/null", "out-and-back": filepath.Join(outside, "back"), "directory-out": outside,
	} {
		if err := os.Symlink(target, filepath.Join(root.Dir, "k8s", name)); err != nil {
			t.Skipf("this system has no links: %v", err)
		}
	}
	if err := os.Symlink(filepath.Join(root.Dir, "other/bad.yaml"), filepath.Join(outside, "back")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("secret", filepath.Join(outside, "beside")); err != nil {
		t.Fatal(err)
	}
	_, links, err := root.Files("k8s")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"same": "k8s/a.yaml", "other": "other/bad.yaml", "chain": "other/bad.yaml", "absolute": "other/bad.yaml", "out-and-back": "other/bad.yaml",
		"out": "!a link that leads out of the checkout", "device": "!a link that leads out of the checkout", "directory-out": "!a link that leads out of the checkout",
		"folder": "!a link to a directory", "git": "!a link into .git", "absent": "!a link that leads nowhere", "loop": "!a link that leads nowhere",
	}
	got := make(map[string]string)
	for _, l := range links {
		got[filepath.Base(l.Path)] = l.Target
		if l.Left != "" {
			got[filepath.Base(l.Path)] += "!" + l.Left
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A directory elsewhere that the user names is its own bound.
	_, links, err = root.Files(outside)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if inside := filepath.Base(l.Path) == "beside"; inside != (l.Target != "") {
			t.Errorf("%+v", l)
		}
	}
}

func TestFilesTakesANamedFileWhateverItsName(t *testing.T) {
	root := checkout(t, ".", "deploy.txt")
	got, _, err := root.Files("deploy.txt")
	if err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	root := checkout(t, ".", "k8s/a.yaml")
	if f, err := root.Read("k8s/a.yaml"); err != nil || f.Name != "k8s/a.yaml" || string(f.Content) != "k8s/a.yaml" {
		t.Errorf("a file: %+v, %v", f, err)
	}
	for given, want := range map[string]string{"k8s": "is a directory", "nowhere": "no such file"} {
		if _, err := root.Read(given); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", given, err, want)
		}
	}
}

func TestAFileThatAnotherNamesIsReadInsideOfTheRepositoryOnly(t *testing.T) {
	root := checkout(t, "k8s", "k8s/run.sh", "k8s/big.bin")
	outside := filepath.Join(t.TempDir(), "secret")
	for name, change := range map[string]error{
		"a file outside":      os.WriteFile(outside, []byte("x"), 0o600),
		"a link to it":        os.Symlink(outside, filepath.Join(root.Dir, "k8s/out")),
		"a link to one's own": os.Symlink("run.sh", filepath.Join(root.Dir, "k8s/in")),
		"a large one":         os.Truncate(filepath.Join(root.Dir, "k8s/big.bin"), maxNamedSize+1),
	} {
		if change != nil {
			t.Fatalf("%s: %v", name, change)
		}
	}
	for name, readable := range map[string]bool{
		"k8s/run.sh": true, "k8s/in": true, "k8s/out": false, "k8s/big.bin": false, "k8s": false, "k8s/absent": false,
		"../" + filepath.Base(root.Dir) + "/k8s/run.sh": false, outside: false,
	} {
		content, err := root.ReadInside(name)
		if readable != (err == nil) || readable && string(content) != "k8s/run.sh" {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
}

// A change may put a link in place of a file that a job names: lines of what it
// leads to would stand in reports.
func TestALinkOutOfTheCheckoutIsNotRead(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write := func(path string) {
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, path string) {
		if err := os.Symlink(target, path); err != nil {
			t.Skipf("this system has no links: %v", err)
		}
	}
	write(filepath.Join(outside, "secret"))
	write(filepath.Join(dir, "pod.yaml"))
	link(filepath.Join(outside, "secret"), filepath.Join(dir, "absolute.yaml"))
	up, err := filepath.Rel(dir, filepath.Join(outside, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	link(up, filepath.Join(dir, "relative.yaml"))
	link(outside, filepath.Join(dir, "folder"))
	link("absolute.yaml", filepath.Join(dir, "chain.yaml"))
	link("pod.yaml", filepath.Join(dir, "inside.yaml"))
	link("loop.yaml", filepath.Join(dir, "loop.yaml"))
	// A checkout may lie behind a link itself.
	behind := filepath.Join(outside, "checkout")
	link(dir, behind)
	for _, root := range []Root{{Dir: dir, Working: dir}, {Dir: behind, Working: behind}} {
		for _, name := range []string{"absolute.yaml", "relative.yaml", "chain.yaml", "folder/secret", filepath.Join(root.Dir, "absolute.yaml")} {
			if f, err := root.Read(name); !errors.Is(err, ErrLeadsOut) {
				t.Errorf("%s: %q, %v", name, f.Content, err)
			}
		}
		if _, err := root.Read("loop.yaml"); err == nil {
			t.Error("a loop of links is read")
		}
		for _, name := range []string{"pod.yaml", "inside.yaml", filepath.Join(outside, "secret"), up} {
			if name == up && root.Dir == behind {
				continue // It leads elsewhere from there.
			}
			if f, err := root.Read(name); err != nil || string(f.Content) != "secret" {
				t.Errorf("%s: %q, %v", name, f.Content, err)
			}
		}
	}
}
