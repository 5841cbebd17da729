package discover

import (
	"io/fs"
	"path"
	"strings"

	git "github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// gitignore answers which paths git leaves out, by the .gitignore files from
// the root down to the path's folder. https://git-scm.com/docs/gitignore
type gitignore struct {
	fsys fs.FS
	read map[string][]git.Pattern // by folder
}

// matches reports whether git ignores the path itself; the caller does not go
// into ignored folders.
func (g *gitignore) matches(name string, isDir bool) bool {
	parts := strings.Split(name, "/")
	var patterns []git.Pattern
	for i := range parts {
		patterns = append(patterns, g.of(parts[:i])...)
	}
	return git.NewMatcher(patterns).Match(parts, isDir)
}

// of are the patterns of one folder's .gitignore.
func (g *gitignore) of(dir []string) []git.Pattern {
	key := strings.Join(dir, "/")
	if patterns, ok := g.read[key]; ok {
		return patterns
	}
	var patterns []git.Pattern
	content, err := fs.ReadFile(g.fsys, path.Join(path.Join(dir...), ".gitignore"))
	if err == nil {
		for line := range strings.Lines(string(content)) {
			line = strings.TrimRight(line, "\r\n")
			if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
				patterns = append(patterns, git.ParsePattern(line, dir))
			}
		}
	}
	if g.read == nil {
		g.read = make(map[string][]git.Pattern)
	}
	g.read[key] = patterns
	return patterns
}
