package origin

import (
	"path"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
)

// ignoreName is the name of the ignore file in a build context, and the ending
// of the one that goes with a Dockerfile.
const ignoreName = ".dockerignore"

// IgnoreFiles are the paths at which the ignore files of a build may lie. working
// is the working directory relative to the root of the checkout.
func IgnoreFiles(file, working string) []string {
	out := []string{file + ignoreName}
	for _, root := range contexts(file, working) {
		out = append(out, path.Join(root, ignoreName))
	}
	return out
}

// contexts are the folders that may be the context of a Dockerfile's build: its
// own, the working directory and the root of the checkout.
func contexts(file, working string) []string {
	var out []string
	for _, root := range []string{path.Dir(file), path.Clean(working), "."} {
		if !slices.Contains(out, root) {
			out = append(out, root)
		}
	}
	return out
}

func (t *Tracer) contextsOf(file *dockerfile.File) []string {
	return contexts(file.Path, t.opt.Working)
}

// ignored is the ignore file of a build in the context, nil when there is none.
func (t *Tracer) ignored(file *dockerfile.File, context string) *dockerfile.IgnoreFile {
	if own := t.opt.Ignored[file.Path+ignoreName]; own != nil {
		return own
	}
	return t.opt.Ignored[path.Join(context, ignoreName)]
}

// unseen reports whether the build cannot see a path of its context, whichever
// of the folders the context is.
func (t *Tracer) unseen(in *dockerfile.Instruction, name string) bool {
	for _, root := range t.contextsOf(in.File()) {
		if !t.ignored(in.File(), root).Excludes(name) {
			return false
		}
	}
	return true
}
