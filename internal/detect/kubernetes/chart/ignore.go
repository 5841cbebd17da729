package chart

import (
	"bytes"
	"io/fs"
	"path"
	"time"

	"helm.sh/helm/v4/pkg/ignore"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// IgnoreFile names the file of a chart that lists what does not belong to it.
// https://helm.sh/docs/chart_template_guide/helm_ignore_file/
const IgnoreFile = ignore.HelmIgnore

// ignored are the rules about what a chart does not count among its files.
type ignored struct {
	dir   string
	rules *ignore.Rules
	// directories keeps the answers about these.
	directories map[string]bool
}

// ignoredIn reads the rules of the chart in a directory. Rules that cannot be
// read leave out nothing, and are a problem.
func ignoredIn(dir string, files []manifest.File) (*ignored, []Problem) {
	i := &ignored{dir: dir, rules: ignore.Empty(), directories: make(map[string]bool)}
	var problems []Problem
	for _, f := range files {
		if f.Path != path.Join(dir, IgnoreFile) {
			continue
		}
		read, err := ignore.Parse(bytes.NewReader(f.Content))
		if err != nil {
			problems = append(problems, Problem{Path: f.Path, Line: 1, Message: "the list of ignored files cannot be read: " + err.Error()})
			continue
		}
		i.rules = read
	}
	i.rules.AddDefaults()
	return i, problems
}

// holds reports whether a file is ignored.
func (i *ignored) holds(name string) bool {
	rel := relative(i.dir, name)
	return ignoredDirectory(i.rules, path.Dir(rel), i.directories) || i.rules.Ignore(rel, info{name: rel})
}

// without leaves out the files that are ignored.
func (i *ignored) without(files []manifest.File) []manifest.File {
	var kept []manifest.File
	for _, f := range files {
		if !i.holds(f.Path) {
			kept = append(kept, f)
		}
	}
	return kept
}

// ignoredDirectory reports whether a directory or one above it is ignored;
// known keeps the answers.
func ignoredDirectory(rules *ignore.Rules, dir string, known map[string]bool) bool {
	if dir == "." {
		return false
	}
	answer, ok := known[dir]
	if !ok {
		answer = ignoredDirectory(rules, path.Dir(dir), known) || rules.Ignore(dir, info{name: dir, dir: true})
		known[dir] = answer
	}
	return answer
}

// info is what the rules ask about a file.
type info struct {
	name string
	dir  bool
}

func (i info) Name() string       { return path.Base(i.name) }
func (i info) Size() int64        { return 0 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir
	}
	return 0
}
