package dockerfile

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// IgnoreFile says which paths of a build context the builder does not see. The
// zero value and nil leave out nothing.
// https://docs.docker.com/build/concepts/context/#dockerignore-files
type IgnoreFile struct {
	// Path is where the file lies, for messages.
	Path    string
	matcher *patternmatcher.PatternMatcher
}

// ReadIgnoreFile reads the content of an ignore file. A pattern that the builder
// would refuse is an error.
func ReadIgnoreFile(name string, content []byte) (*IgnoreFile, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &IgnoreFile{Path: name, matcher: m}, nil
}

// Excludes reports whether a file or folder, relative to the context, is left
// out together with all that it may hold.
func (f *IgnoreFile) Excludes(name string) bool {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if f == nil || f.matcher == nil || name == "" {
		return false
	}
	// A later exception may bring single files of an excluded folder back.
	for _, pattern := range f.matcher.Patterns() {
		if pattern.Exclusion() && strings.HasPrefix(pattern.String(), name+"/") {
			return false
		}
	}
	ok, err := f.matcher.MatchesOrParentMatches(name)
	return err == nil && ok
}
