package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
)

// excludesSource reports whether a source of COPY is left out of the build.
// Sources with wildcards cannot be judged without the files.
func excludesSource(ignored *df.IgnoreFile, source string) bool {
	return !strings.ContainsAny(source, "*?[$") && ignored.Excludes(source)
}

func checkIgnoredSources(p *Pass) {
	c := p.Input.Context
	if c == nil || c.IgnoreFile == "" {
		return
	}
	ignored, err := df.ReadIgnoreFile(c.IgnoreFile, c.Ignore)
	if err != nil {
		return // the builder itself will report it
	}
	for _, in := range p.File.Instructions {
		in := in.Effective()
		if _, from := in.Flag("from"); from || in.Problem != nil {
			continue
		}
		for _, src := range sources(in) {
			if s := src.Value; s.Known && !remoteSource.MatchString(s.Text) && excludesSource(ignored, s.Text) {
				p.Reportf(in, src.Span, in.Keyword+" "+s.Text, "%s of %s, which %s excludes; the builder does not see it.",
					in.Keyword, quote(s.Text), quote(p.Input.Context.IgnoreFile))
			}
		}
	}
}
