// Package discover finds the Dockerfiles of a checkout: by their names in
// folders, and through the Compose and bake files that build them, which also
// tell build arguments, target stage and build context. It honours .gitignore,
// takes globs of paths to leave out, and finds the ignore file that the builder
// would use. It judges nothing; what it finds goes to package
// internal/detect/dockerfile.
package discover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Options steer the search.
type Options struct {
	// Exclude are globs (doublestar) of paths relative to the root that are
	// left out; a glob that matches a folder leaves out all below it.
	Exclude []string
	// AllowNone makes it no failure when a folder holds no Dockerfile.
	AllowNone bool
	// NoGitignore finds files that .gitignore leaves out as well.
	NoGitignore bool
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Dir is the folder that the file system is of, by which absolute links into
	// it are told from those out of it; empty where it is none.
	Dir string
	// Shown is how a path is called in messages; nil for itself.
	Shown func(path string) string
	// StdinName is the name of standard input in findings, by default "stdin".
	StdinName string
}

// Result is what was found.
type Result struct {
	// Files are sorted by path. A Dockerfile that Compose or bake files build
	// in several ways is there once for each.
	Files []dockerfile.File
	// Skipped are files whose names look like Dockerfiles but which are
	// templates, backups or the like, with the reason.
	Skipped []Skip
	// Failures are paths that could not be examined.
	Failures []outcome.Failure
}

// Skip is a file that was left alone.
type Skip struct {
	Path, Reason string
}

// finder is one search.
type finder struct {
	ctx    context.Context
	fsys   fs.FS
	opts   Options
	ignore gitignore
	found  map[string]bool // Dockerfiles by path
	builds []build
	res    Result
}

// Find looks for Dockerfiles at the paths, which are relative to the root of
// fsys, slash-separated: files, which are taken whatever their name, and
// folders, which are searched. Where a path holds none, that is a failure, so
// that nothing found never means nothing looked at.
func Find(ctx context.Context, fsys fs.FS, paths []string, opts Options) Result {
	f := &finder{ctx: ctx, fsys: fsys, opts: opts, found: make(map[string]bool), ignore: gitignore{fsys: fsys}}
	for _, glob := range opts.Exclude {
		if !doublestar.ValidatePattern(glob) {
			f.fail(glob, "the exclude glob is not valid", exit.Usage)
			return f.res
		}
	}
	for _, p := range paths {
		f.path(p)
	}
	f.collect()
	return f.res
}

func (f *finder) fail(target, why string, code exit.Code) {
	shown := target
	if f.opts.Shown != nil {
		shown = f.opts.Shown(target)
	}
	f.res.Failures = append(f.res.Failures, outcome.Failure{
		Stage: "dockerfile", Target: target, Message: fmt.Sprintf("find Dockerfiles at %s: %s", shown, why),
		Hint: "name a Dockerfile, or a folder that holds one", Code: code,
	})
}

// path looks at one path that was given.
func (f *finder) path(given string) {
	if given == Stdin {
		f.stdin()
		return
	}
	name := path.Clean(given)
	info, err := fs.Stat(f.fsys, name)
	switch {
	case err != nil:
		f.fail(given, plain(err).Error(), exit.NotExamined)
	case !info.IsDir():
		kind := buildFileKind(path.Base(name))
		if kind == nil {
			f.found[name] = true
			return
		}
		before := len(f.res.Failures)
		if f.buildFile(name, kind) == 0 && len(f.res.Failures) == before && !f.opts.AllowNone {
			f.fail(given, "it names no build whose Dockerfile is known from the file alone", exit.NotExamined)
		}
	default:
		before := len(f.found) + len(f.builds) + len(f.res.Failures)
		if err := f.walk(name); err != nil {
			f.fail(given, err.Error(), exit.NotExamined)
		}
		if len(f.found)+len(f.builds)+len(f.res.Failures) == before && !f.opts.AllowNone {
			f.fail(given, "there is none", exit.NotExamined)
		}
	}
}

func (f *finder) stdin() {
	if f.opts.Stdin == nil {
		f.fail(Stdin, "there is no standard input", exit.NotExamined)
		return
	}
	content, err := io.ReadAll(io.LimitReader(f.opts.Stdin, df.MaxSize+1))
	if err != nil {
		f.fail(Stdin, err.Error(), exit.NotExamined)
		return
	}
	name := f.opts.StdinName
	if name == "" {
		name = "stdin"
	}
	f.res.Files = append(f.res.Files, dockerfile.File{Path: name, Content: content})
}

func (f *finder) walk(root string) error {
	return fs.WalkDir(f.fsys, root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case f.ctx.Err() != nil:
			return f.ctx.Err()
		case err != nil:
			f.fail(name, err.Error(), exit.NotExamined)
			return nil
		}
		leaveOut := name != root && (f.excluded(name) || !f.opts.NoGitignore && f.ignore.matches(name, d.IsDir()))
		if d.IsDir() {
			if leaveOut || d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if leaveOut {
			return nil
		}
		if kind := buildFileKind(d.Name()); kind != nil {
			f.buildFile(name, kind)
			return nil
		}
		looks, why := dockerfileName(d.Name())
		switch {
		case looks && why != "":
			f.res.Skipped = append(f.res.Skipped, Skip{name, why})
		case looks:
			f.found[name] = true
		}
		return nil
	})
}

func (f *finder) excluded(name string) bool {
	return slices.ContainsFunc(f.opts.Exclude, func(glob string) bool {
		ok, err := doublestar.Match(strings.TrimSuffix(glob, "/"), name)
		return err == nil && ok
	})
}

// otherFiles are last parts of names that look like Dockerfiles and are not.
var otherFiles = map[string]string{
	"dockerignore": "an ignore file", "md": "documentation", "txt": "documentation", "j2": "a template", "jinja": "a template",
	"jinja2": "a template", "tmpl": "a template", "tpl": "a template", "template": "a template", "erb": "a template", "in": "a template",
	"mustache": "a template", "orig": "a backup", "rej": "a backup", "bak": "a backup", "swp": "a backup", "go": "source code",
	"py": "source code", "js": "source code", "ts": "source code", "sh": "source code", "rb": "source code", "java": "source code",
	"json": "data", "yaml": "data", "yml": "data", "lock": "data", "gz": "data", "sha256": "data",
}

// dockerfileName reports whether a file's name is that of a Dockerfile, and why
// it is none although it looks like one.
func dockerfileName(name string) (looks bool, why string) {
	lower := strings.ToLower(name)
	ext := strings.TrimPrefix(path.Ext(lower), ".")
	for _, base := range []string{"dockerfile", "containerfile"} {
		switch {
		case lower == base, ext == base:
			return true, ""
		case strings.HasPrefix(lower, base+"."), strings.HasPrefix(lower, base+"-"), strings.HasPrefix(lower, base+"_"):
			if strings.HasSuffix(lower, "~") {
				return true, "a backup"
			}
			if strings.HasPrefix(lower, base+".") {
				return true, otherFiles[ext]
			}
			return otherFiles[ext] == "", ""
		}
	}
	return false, ""
}

// collect reads what was found.
func (f *finder) collect() {
	built := make(map[string]bool)
	for _, b := range f.builds {
		if b.inline {
			f.res.Files = append(f.res.Files, b.file)
			continue
		}
		if _, err := fs.Stat(f.fsys, b.file.Path); err != nil {
			f.fail(b.source, fmt.Sprintf("it builds %s, which cannot be read: %v", b.file.Path, plain(err)), exit.NotExamined)
			continue
		}
		built[b.file.Path] = true
		f.add(b.file, b.context)
	}
	for name := range f.found {
		if !built[name] {
			f.add(dockerfile.File{Path: name}, "")
		}
	}
	slices.SortStableFunc(f.res.Files, func(a, b dockerfile.File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(f.res.Skipped, func(a, b Skip) int { return strings.Compare(a.Path, b.Path) })
}

// plain takes the path off an error that names it.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (f *finder) add(file dockerfile.File, context string) {
	content, err := f.read(file.Path)
	if err != nil {
		f.fail(file.Path, plain(err).Error(), exit.NotExamined)
		return
	}
	file.Content = content
	file.Context = f.context(file.Path, context)
	f.res.Files = append(f.res.Files, file)
}

// read reads a regular file up to the size from which on it is refused.
func (f *finder) read(name string) ([]byte, error) {
	name, err := f.resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(f.fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	file, err := f.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // read only
	return io.ReadAll(io.LimitReader(file, df.MaxSize+1))
}

// context finds the ignore file of a build: the one named after the Dockerfile
// first, then .dockerignore in the context's folder. Where the context is not
// known it is taken to be the Dockerfile's folder if that has an ignore file or
// is the root of the checkout; else nothing is known.
// https://docs.docker.com/build/concepts/context/#filename-and-location
func (f *finder) context(dockerfilePath, dir string) *dockerfile.Context {
	known := dir != ""
	if !known {
		dir = path.Dir(dockerfilePath)
	}
	for _, name := range []string{dockerfilePath + ".dockerignore", path.Join(dir, ".dockerignore")} {
		if content, err := f.read(name); err == nil {
			return &dockerfile.Context{IgnoreFile: name, Ignore: content}
		}
	}
	if known || dir == "." {
		return &dockerfile.Context{}
	}
	return nil
}
