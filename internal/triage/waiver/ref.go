package waiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

// Git reads from a git repository. Git (the program) is the implementation;
// tests have another one.
type Git interface {
	// Resolve returns the full id of the commit that a ref names.
	Resolve(ctx context.Context, ref string) (commit string, err error)
	// Blob returns a file of a commit, or an error that wraps ErrNoFile when
	// the commit has no regular file there.
	Blob(ctx context.Context, commit, path string) ([]byte, error)
}

// ErrNoFile is wrapped by the error about a path that a commit does not have.
var ErrNoFile = errors.New("no such file in the commit")

// refPattern allows the names that git gives to branches, tags and commits,
// and the marks ~ and ^ for ancestors. It excludes whatever could be read as
// an option, a path or a range. git-check-ref-format(1)
var refPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./@+~^-]{0,254}$`)
})

// ValidateRef returns an error unless ref can be the name of a commit.
func ValidateRef(ref string) error {
	if !refPattern().MatchString(ref) || strings.Contains(ref, "..") || strings.Contains(ref, "@{") {
		return fmt.Errorf("%q is no name of a branch, tag or commit, such as origin/main", ref)
	}
	return nil
}

// ReadRef reads the waiver file as it is at a ref, so that a change cannot
// waive itself. The path is relative to the root of the repository, with
// forward slashes. A ref without the file gives an empty File and true for
// absent: nothing is waived. It never reads the checkout instead: a missing
// git, repository or ref is a usage error with a hint.
func ReadRef(ctx context.Context, git Git, ref, name string) (file File, absent bool, err error) {
	doing := fmt.Sprintf("read the waivers %s at %s", name, ref)
	if err := ValidateRef(ref); err != nil {
		return File{}, false, &exit.Error{Code: exit.Usage, Doing: "read the waivers of another ref", Err: err}
	}
	if clean := path.Clean(name); path.IsAbs(name) || clean != name || clean == ".." || strings.HasPrefix(clean, "../") {
		return File{}, false, &exit.Error{
			Code: exit.Usage, Doing: doing, Err: errors.New("the path leaves the repository or is not plain"),
			Hint: "name the waiver file relative to the root of the repository",
		}
	}
	commit, err := git.Resolve(ctx, ref)
	if err != nil {
		return File{}, false, &exit.Error{Code: exit.Usage, Doing: doing, Err: err, Hint: refHint(err, ref)}
	}
	content, err := git.Blob(ctx, commit, name)
	switch {
	case errors.Is(err, ErrNoFile):
		return File{Name: name, Ref: ref}, true, nil
	case err != nil:
		return File{}, false, &exit.Error{Code: exit.Usage, Doing: doing, Err: err, Hint: refHint(err, ref)}
	}
	file, err = Decode(name, content)
	if err != nil {
		return File{}, false, &exit.Error{
			Code: exit.Usage, Doing: doing, Err: err, Hint: "correct the file on that branch: the checkout's own version is not used instead",
		}
	}
	return file.at(ref), false, nil
}

// at marks every place with the ref.
func (f File) at(ref string) File {
	f.Ref = ref
	for i := range f.Waivers {
		f.Waivers[i].Place.Ref = ref
	}
	for i := range f.Problems {
		f.Problems[i].Place.Ref = ref
	}
	return f
}

func refHint(err error, ref string) string {
	text := err.Error()
	switch {
	case errors.Is(err, errSeveralRefs):
		full := "refs/heads/" + ref
		if strings.Contains(ref, "/") {
			full = "refs/remotes/" + ref
		}
		return "give the ref in full, such as --waivers-ref " + full
	case errors.Is(err, exec.ErrNotFound):
		return "install git in the job's image, or read the waivers of the checkout by leaving --waivers-ref out"
	case strings.Contains(text, "dubious ownership"):
		return "the checkout belongs to another user: git config --global --add safe.directory DIR"
	case strings.Contains(text, "not a git repository"):
		return "run in a git checkout, or leave --waivers-ref out"
	default:
		return fmt.Sprintf("fetch it first, such as with `git fetch --depth=1 origin BRANCH`, and check the name %s; "+
			"CI hosts fetch only the branch that they build", ref)
	}
}

// CommandGit is the program git run in a directory of the repository.
type CommandGit struct {
	// Dir is a directory inside the repository.
	Dir string
	// Program is the path of git; empty to look for git in PATH.
	Program string
}

// errSeveralRefs is about a name that git would have to choose for.
var errSeveralRefs = errors.New("several refs have this name")

// Resolve asks git rev-parse. A name that several refs have is refused: git takes
// a local branch that is called origin/main before the branch main of origin, and
// anybody can give that name to the branch of a change.
func (g CommandGit) Resolve(ctx context.Context, ref string) (string, error) {
	refs, err := g.named(ctx, ref)
	if err != nil {
		return "", err
	}
	if len(refs) > 1 {
		return "", fmt.Errorf("%w: %s", errSeveralRefs, strings.Join(refs, ", "))
	}
	out, err := g.run(ctx, 1024, "rev-parse", "--verify", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(out))
	if !commitPattern.MatchString(commit) {
		return "", fmt.Errorf("git rev-parse answers %.80q, which is no commit id", commit)
	}
	return commit, nil
}

// named returns the refs that a name may mean, without the marks for ancestors.
// https://git-scm.com/docs/gitrevisions
func (g CommandGit) named(ctx context.Context, ref string) ([]string, error) {
	if i := strings.IndexAny(ref, "~^"); i >= 0 {
		ref = ref[:i]
	}
	var candidates []string
	for _, form := range []string{"refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"} {
		candidates = append(candidates, fmt.Sprintf(form, ref))
	}
	out, err := g.run(ctx, 16<<20, append([]string{"for-each-ref", "--format=%(refname)"}, candidates...)...)
	if err != nil {
		return nil, err
	}
	// A pattern also matches what is below it.
	return slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool { return !slices.Contains(candidates, name) }), nil
}

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Blob asks git ls-tree for the kind of the entry and git cat-file for its
// content: unlike git show, it runs no program that the repository configures
// for its files. A symbolic link is not followed.
func (g CommandGit) Blob(ctx context.Context, commit, name string) ([]byte, error) {
	out, err := g.run(ctx, 1<<16, "ls-tree", "-z", "--full-tree", commit, "--", ":(literal)"+name)
	if err != nil {
		return nil, err
	}
	entry, rest, _ := strings.Cut(strings.TrimSuffix(string(out), "\x00"), "\t")
	fields := strings.Fields(entry)
	switch {
	case entry == "":
		return nil, fmt.Errorf("%s at %s: %w", name, commit, ErrNoFile)
	case len(fields) != 3 || rest != name:
		return nil, fmt.Errorf("git ls-tree answers %.80q for %s", out, name)
	case fields[0] != "100644" && fields[0] != "100755":
		return nil, fmt.Errorf("%s at %s is no regular file (mode %s)", name, commit, fields[0])
	}
	return g.run(ctx, maxSize, "cat-file", "blob", fields[2])
}

// run starts git without a shell and returns at most limit bytes of what it
// prints.
func (g CommandGit) run(ctx context.Context, limit int64, args ...string) ([]byte, error) {
	program := g.Program
	if program == "" {
		program = "git"
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"--no-pager", "--no-replace-objects"}, args...)...)
	cmd.Dir = g.Dir
	// Nobody can answer a prompt, nothing is fetched behind the user's back,
	// and messages come in the language that refHint knows.
	cmd.Env = append(cmd.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("run git %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run git %s: %w", args[0], err)
	}
	content, readErr := io.ReadAll(io.LimitReader(stdout, limit+1))
	if int64(len(content)) > limit {
		_ = cmd.Process.Kill() // it would wait for a reader; Wait below reports
		_ = cmd.Wait()
		return nil, fmt.Errorf("git %s prints more than %d bytes", args[0], limit)
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("git %s: %s: %w", args[0], firstLine(stderr.String()), err)
	}
	if readErr != nil {
		return nil, fmt.Errorf("read what git %s prints: %w", args[0], readErr)
	}
	return content, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
