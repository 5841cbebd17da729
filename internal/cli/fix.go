package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// fix runs the linters and makes the mechanical changes that their findings
// propose, or only shows them. A file whose changes cannot be made as a whole
// is left as it is.
func (p Program) fix(ctx context.Context, s session, req gate.Request, onlyShow bool) error {
	result, err := gate.Run(ctx, req, gate.Environment{
		Repository: s.root, Stdin: p.Stdin, Clock: p.Clock,
	})
	if err != nil {
		return err
	}
	for _, name := range filesWithEdits(result.Outcome.Findings) {
		if err := p.fixFile(filepath.Join(s.root.Dir, filepath.FromSlash(name)), name, result.Outcome.Findings, onlyShow); err != nil {
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
func (p Program) fixFile(path, name string, findings []finding.Finding, onlyShow bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "fix " + name, Err: err}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "fix " + name, Err: err}
	}
	after, fixed, err := dockerfile.Fix(name, before, findings)
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Err: err}
	}
	if onlyShow {
		_, err := p.Stdout.Write(dockerfile.Diff(name, before, after))
		return err
	}
	if fixed == 0 {
		return nil
	}
	p.printf("%s: %d findings fixed\n", name, fixed)
	if err := report.WholeFile(path, "fix "+name, func(w io.Writer) error {
		_, err := w.Write(after)
		return err
	}); err != nil {
		return err
	}
	return os.Chmod(path, info.Mode().Perm())
}
