package waiver

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

const oneWaiver = `version: 1
waivers:
  - id: CVE-2024-1234
    owner: team-shop@example.org
    reason: Not reachable.
    created: 2026-11-01
    expires: 2027-01-15
`

// checkout makes a repository whose branch main has the given files and whose
// working tree has them changed to the text "changed".
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatalf("these tests run git: %v", err)
	}
	dir := t.TempDir()
	git := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	git("checkout", "-q", "-b", "change")
	for name := range files {
		write(t, filepath.Join(dir, name), "changed")
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWaiversOfARefAreThoseOfTheRefAndNotOfTheCheckout(t *testing.T) {
	dir := checkout(t, map[string]string{FileName: oneWaiver, "deep/w.yaml": oneWaiver, ".gitattributes": "*.yaml diff=run\n"})
	// A repository may name programs that git show would run on its files.
	cfg := exec.CommandContext(t.Context(), "git", "config", "diff.run.textconv", "touch "+filepath.Join(dir, "ran")+"; cat")
	cfg.Dir = dir
	if err := cfg.Run(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{FileName, "deep/w.yaml"} {
		for _, ref := range []string{"main", "refs/heads/main", "HEAD", "main^0"} {
			file, absent, err := ReadRef(t.Context(), CommandGit{Dir: filepath.Join(dir, "deep")}, ref, name)
			if err != nil || absent || len(file.Waivers) != 1 || len(file.Problems) != 0 {
				t.Fatalf("%s at %s: %+v, absent %v, %v", name, ref, file, absent, err)
			}
			if got, want := file.Waivers[0].Place.String(), ref+":"+name+":3:9"; got != want {
				t.Errorf("place %s, want %s", got, want)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a program that the repository names was run")
	}
}

func TestANameThatSeveralRefsHaveIsRefused(t *testing.T) {
	dir := checkout(t, map[string]string{FileName: oneWaiver})
	git := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	git("update-ref", "refs/remotes/origin/main", "main")
	git("update-ref", "refs/heads/origin/main/below", "main") // no ref of this name
	read := func(ref string) error {
		_, _, err := ReadRef(t.Context(), CommandGit{Dir: dir}, ref, FileName)
		return err
	}
	for _, ref := range []string{"origin/main", "main", "main~0", "refs/remotes/origin/main"} {
		if err := read(ref); err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
	}
	git("update-ref", "-d", "refs/heads/origin/main/below")
	for _, other := range []string{"refs/heads/origin/main", "refs/tags/origin/main"} {
		git("update-ref", other, "main")
		for _, ref := range []string{"origin/main", "origin/main^0"} {
			err := read(ref)
			if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), other) || !strings.Contains(exit.HintOf(err), "refs/remotes/origin/main") {
				t.Errorf("%s beside %s: %v, hint %q", ref, other, err, exit.HintOf(err))
			}
		}
		if err := read("refs/remotes/origin/main"); err != nil {
			t.Errorf("in full beside %s: %v", other, err)
		}
		git("update-ref", "-d", other)
	}
}

func TestARefWithoutTheFileWaivesNothing(t *testing.T) {
	dir := checkout(t, map[string]string{"README": "x"})
	write(t, filepath.Join(dir, FileName), oneWaiver) // only in the checkout
	file, absent, err := ReadRef(t.Context(), CommandGit{Dir: dir}, "main", FileName)
	if err != nil || !absent || len(file.Waivers) != 0 {
		t.Errorf("got %+v, absent %v, %v", file, absent, err)
	}
}

func TestWhatCannotBeReadFromARefIsAUsageErrorWithAHint(t *testing.T) {
	dir := checkout(t, map[string]string{FileName: oneWaiver, "broken.yaml": "- a\n", "big.yaml": strings.Repeat("#", maxSize+1)})
	tests := []struct {
		name, ref, path string
		git             Git
		want, hint      string
	}{
		{"a ref that is not there", "origin/main", FileName, CommandGit{Dir: dir}, "origin/main", "git fetch"},
		{"an option for a ref", "--upload-pack=x", FileName, CommandGit{Dir: dir}, "no name of a branch", ""},
		{"a path in a ref", "main:x", FileName, CommandGit{Dir: dir}, "no name of a branch", ""},
		{"a range for a ref", "main..change", FileName, CommandGit{Dir: dir}, "no name of a branch", ""},
		{"an empty ref", "", FileName, CommandGit{Dir: dir}, "no name of a branch", ""},
		{"a path that leaves the repository", "main", "../x.yaml", CommandGit{Dir: dir}, "leaves the repository", "relative to the root"},
		{"an absolute path", "main", "/etc/passwd", CommandGit{Dir: dir}, "leaves the repository", "relative to the root"},
		{"a symbolic link", "main", "link.yaml", CommandGit{Dir: dir}, "no regular file", ""},
		{"a file that is no waiver file", "main", "broken.yaml", CommandGit{Dir: dir}, "broken.yaml:1:1", "not used instead"},
		{"a file that is too large", "main", "big.yaml", CommandGit{Dir: dir}, "prints more than", ""},
		{"no repository", "main", FileName, CommandGit{Dir: t.TempDir()}, "not a git repository", "git checkout"},
		{"no git", "main", FileName, CommandGit{Dir: dir, Program: "git-that-is-not-there"}, "git-that-is-not-there", "install git"},
		{"git that says nonsense", "main", FileName, answers{"nonsense"}, "no commit", "fetch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file, absent, err := ReadRef(t.Context(), tt.git, tt.ref, tt.path)
			if err == nil || absent || len(file.Waivers) > 0 {
				t.Fatalf("got %+v, absent %v, no error", file, absent)
			}
			if exit.CodeOf(err) != exit.Usage || !strings.Contains(err.Error(), tt.want) || !strings.Contains(exit.HintOf(err), tt.hint) {
				t.Errorf("code %d, error %q, hint %q; want %q and %q", exit.CodeOf(err), err, exit.HintOf(err), tt.want, tt.hint)
			}
		})
	}
}

// answers is a Git that cannot resolve anything.
type answers struct{ text string }

func (a answers) Resolve(context.Context, string) (string, error) {
	return "", errors.New("no commit: " + a.text)
}

func (a answers) Blob(context.Context, string, string) ([]byte, error) {
	return nil, errors.New("asked for a blob without a commit")
}
