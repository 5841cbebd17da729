package dockerfile

import (
	"bytes"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// excluder decides which paths of the build context an ignore file leaves out.
// https://docs.docker.com/build/concepts/context/#dockerignore-files
type excluder struct {
	matcher *patternmatcher.PatternMatcher
}

// newExcluder reads an ignore file; nil when there is none or it is faulty,
// which the builder itself will report.
func newExcluder(c *Context) *excluder {
	if c == nil || c.IgnoreFile == "" {
		return nil
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(c.Ignore))
	if err != nil || len(patterns) == 0 {
		return nil
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil
	}
	return &excluder{m}
}

// excludes reports whether a source of COPY is left out. Sources with
// wildcards cannot be judged without the files.
func (e *excluder) excludes(source string) bool {
	if e == nil || strings.ContainsAny(source, "*?[$") {
		return false
	}
	p := strings.TrimPrefix(path.Clean("/"+source), "/")
	if p == "" {
		return false
	}
	// A later exception may bring single files of an excluded folder back.
	for _, pattern := range e.matcher.Patterns() {
		if pattern.Exclusion() && strings.HasPrefix(pattern.String(), p+"/") {
			return false
		}
	}
	ok, err := e.matcher.MatchesOrParentMatches(p)
	return err == nil && ok
}

func checkIgnoredSources(p *Pass) {
	e := newExcluder(p.Input.Context)
	if e == nil {
		return
	}
	for _, in := range p.File.Instructions {
		in := in.Effective()
		if _, from := in.Flag("from"); from || in.Problem != nil {
			continue
		}
		for _, src := range sources(in) {
			if s := src.Value; s.Known && !remoteSource.MatchString(s.Text) && e.excludes(s.Text) {
				p.Reportf(in, src.Span, in.Keyword+" "+s.Text, "%s of %s, which %s excludes; the builder does not see it.",
					in.Keyword, quote(s.Text), quote(p.Input.Context.IgnoreFile))
			}
		}
	}
}
