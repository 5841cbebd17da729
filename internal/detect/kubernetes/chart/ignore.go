package chart

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/ignore"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// IgnoreFile names the file of a chart that lists what does not belong to it.
// https://helm.sh/docs/chart_template_guide/helm_ignore_file/
const IgnoreFile = ignore.HelmIgnore

// withoutIgnored leaves out what the chart in a directory does not count among
// its files. Helm reads no more of them than we do. Rules that cannot be read
// leave out nothing, and are a problem.
func withoutIgnored(dir string, files []manifest.File) ([]manifest.File, []Problem) {
	rules := ignore.Empty()
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
		rules = read
	}
	rules.AddDefaults()
	directories := make(map[string]bool)
	var kept []manifest.File
	for _, f := range files {
		rel := strings.TrimPrefix(strings.TrimPrefix(f.Path, dir), "/")
		if !ignoredDirectory(rules, path.Dir(rel), directories) && !rules.Ignore(rel, info{name: rel}) {
			kept = append(kept, f)
		}
	}
	return kept, problems
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
