package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/edit"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// maxRounds bounds how often the linters look at what became of the files: a
// mended field may bring up another one.
const maxRounds = 5

// fix runs the linters and makes the mechanical changes that their findings
// propose, or only shows them, until there is nothing more to change. A file
// whose changes cannot be made as a whole is left as it is.
func (p Program) fix(ctx context.Context, s session, req gate.Request, onlyShow bool) error {
	inCheckout := func(name string) string { return filepath.Join(s.files.Dir, filepath.FromSlash(name)) }
	root := s.files
	root.Changed = make(map[string][]byte)
	fixed := make(map[string]int)
	before := make(map[string][]byte)
	for round := range maxRounds {
		result, err := gate.Run(ctx, req, gate.Environment{Repository: root, Stdin: p.Stdin, Clock: p.Clock})
		if err != nil {
			return err
		}
		more := 0
		for _, name := range filesWithEdits(result.Outcome.Findings) {
			// Only manifests are read as they would be after the last round.
			if round > 0 && !isManifestName(name) {
				continue
			}
			if before[name] == nil {
				if before[name], err = os.ReadFile(inCheckout(name)); err != nil {
					return &exit.Error{Code: exit.NotExamined, Doing: "fix " + name, Err: err}
				}
				root.Changed[name] = before[name]
			}
			after, n, err := edit.Fix(name, root.Changed[name], result.Outcome.Findings)
			if err != nil {
				return &exit.Error{Code: exit.NotExamined, Err: err}
			}
			root.Changed[name] = after
			fixed[name] += n
			more += n
		}
		if more == 0 {
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if err := p.fixFile(inCheckout(name), name, before[name], root.Changed[name], fixed[name], onlyShow); err != nil {
			return err
		}
	}
	return nil
}

// filesWithEdits lists the files that findings propose to change.
func filesWithEdits(findings []finding.Finding) []string {
	var names []string
	for _, f := range findings {
		for _, e := range f.Fix.Edits {
			names = append(names, e.Path)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fixFile changes one file or shows the change.
func (p Program) fixFile(path, name string, before, after []byte, fixed int, onlyShow bool) error {
	if onlyShow {
		_, err := p.Stdout.Write(edit.Diff(name, before, after))
		return err
	}
	if bytes.Equal(before, after) {
		if fixed == 0 && bytes.IndexByte(before, 0) >= 0 {
			p.printf("%s: left as it is, since it is not UTF-8\n", name)
		}
		return nil
	}
	info, err := os.Stat(path)
	if err == nil {
		err = writable(path)
	}
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "fix " + name, Err: err}
	}
	if err := report.WholeFile(path, "fix "+name, func(w io.Writer) error {
		_, err := w.Write(after)
		return err
	}); err != nil {
		return err
	}
	if err := os.Chmod(path, info.Mode().Perm()); err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "fix " + name, Err: err}
	}
	p.printf("%s: %s fixed\n", name, countFindings(fixed))
	return nil
}

func countFindings(n int) string {
	if n == 1 {
		return "1 finding"
	}
	return fmt.Sprintf("%d findings", n)
}

// writable asks whether a file may be changed: the rename that puts the new
// content in its place asks for the folder alone.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
