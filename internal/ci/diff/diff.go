// Package diff reads which lines a pull or merge request adds or changes, from
// what `git diff` writes. Hosts show annotations beside these lines, and they
// are what the author of the change looks at, so they come first.
package diff

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// maxSize bounds the diff that is read, in bytes.
const maxSize = 64 << 20

// Read reads the diff in a file; an empty path gives none.
func Read(path string) (document.Changed, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	changed, err := parse(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s is not the output of git diff: %w", path, err)
	}
	return changed, nil
}

func parse(r io.Reader) (lines document.Changed, err error) {
	defer recovered.As(&err, "read the diff")
	limited := &io.LimitedReader{R: r, N: maxSize + 1}
	files, _, err := gitdiff.Parse(limited)
	if err == nil && limited.N <= 0 {
		err = fmt.Errorf("it is larger than %d MiB", maxSize>>20)
	}
	if err != nil {
		return nil, err
	}
	changed := document.Changed{}
	for _, f := range files {
		if f.NewName == "" {
			continue
		}
		for _, fragment := range f.TextFragments {
			changed[f.NewName] = append(changed[f.NewName], addedLines(fragment)...)
		}
	}
	return changed, nil
}

// addedLines are the lines of the new file that the fragment adds, also where
// the diff has context around them.
func addedLines(fragment *gitdiff.TextFragment) []document.LineRange {
	var ranges []document.LineRange
	line := int(fragment.NewPosition)
	for _, l := range fragment.Lines {
		if l.Op == gitdiff.OpDelete {
			continue
		}
		if l.Op == gitdiff.OpAdd {
			if n := len(ranges); n > 0 && ranges[n-1].Last == line-1 {
				ranges[n-1].Last = line
			} else {
				ranges = append(ranges, document.LineRange{First: line, Last: line})
			}
		}
		line++
	}
	return ranges
}
