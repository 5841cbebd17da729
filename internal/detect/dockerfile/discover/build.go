package discover

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// build is one build that a Compose or bake file describes.
type build struct {
	// source is the file that describes it.
	source string
	file   dockerfile.File
	// context is the folder of the build context; empty when it is remote.
	context string
	// inline is true when the Dockerfile's text stands in the file itself.
	inline bool
}

// reader turns the content of a build file into builds.
type reader func(name string, content []byte) ([]build, error)

// guarded reads a file with a parser that may panic.
func (r reader) guarded(name string, content []byte) (builds []build, err error) {
	defer recovered.As(&err, "read it")
	return r(name, content)
}

var (
	composeName = regexp.MustCompile(`^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$`)
	bakeHCL     = regexp.MustCompile(`^docker-bake(?:\.override)?\.hcl$`)
	bakeJSON    = regexp.MustCompile(`^docker-bake(?:\.override)?\.json$`)
)

// buildFileKind is the reader for a file of this name; nil for other files.
func buildFileKind(name string) reader {
	switch {
	case composeName.MatchString(name):
		return readCompose
	case bakeHCL.MatchString(name), bakeJSON.MatchString(name):
		return readBake
	}
	return nil
}

// buildFile takes the builds that a file describes and returns their number.
func (f *finder) buildFile(name string, read reader) int {
	content, err := f.read(name)
	if err != nil {
		f.fail(name, plain(err).Error(), exit.NotExamined)
		return 0
	}
	builds, err := read.guarded(name, content)
	if err != nil {
		f.fail(name, err.Error(), exit.NotExamined)
	}
	for _, b := range builds {
		same := func(o build) bool { return sameBuild(o, b) }
		if !slices.ContainsFunc(f.builds, same) {
			f.builds = append(f.builds, b)
		}
	}
	return len(builds)
}

func sameBuild(a, b build) bool {
	return a.file.Path == b.file.Path && a.file.Target == b.file.Target && !a.inline && !b.inline &&
		fmt.Sprint(a.file.BuildArgs) == fmt.Sprint(b.file.BuildArgs)
}

// spec is a build as a file describes it, before paths are joined.
type spec struct {
	context, dockerfile, target string
	args                        map[string]string
	contexts                    []string
}

// build joins the paths of a spec. It reports false for a remote context,
// whose Dockerfile is not in the checkout.
func (s spec) build(source string) (build, bool) {
	if strings.Contains(s.context, "://") || strings.HasPrefix(s.context, "git@") || strings.Contains(s.context, "$") || strings.Contains(s.dockerfile, "$") {
		return build{}, false
	}
	name := s.dockerfile
	if name == "" {
		name = "Dockerfile"
	}
	dir := path.Join(path.Dir(source), s.context)
	if path.IsAbs(name) || path.IsAbs(s.context) || strings.HasPrefix(path.Join(dir, name), "../") {
		return build{}, false // outside the checkout
	}
	return build{
		source: source, context: dir,
		file: dockerfile.File{Path: path.Join(dir, name), BuildArgs: s.args, Target: s.target, NamedContexts: s.contexts},
	}, true
}
