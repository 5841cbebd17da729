package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// destination is a place that a run writes to.
type destination struct {
	// flag is what names the place, doing what is written there.
	flag, doing, path string
}

// destinations are those of the flags.
func destinations(outputs []output, boms []sbomOutput, vexOut vexOutFlags) []destination {
	var all []destination
	for _, o := range outputs {
		all = append(all, destination{"--output " + o.format.Name + "=" + o.path, "write " + o.format.Name + " report", o.path})
	}
	for _, b := range boms {
		all = append(all, destination{"--sbom-out " + b.path, "write the SBOM", b.path})
	}
	if vexOut.path != "" {
		all = append(all, destination{"--vex-out " + vexOut.path, "write the VEX document", vexOut.path})
	}
	return all
}

// settle finds out, before anything is examined, whether all that the run is to
// write can be written: side by side, and in places that are there. The table for
// people goes to standard output unless something else does.
func (p Program) settle(s *session, boms []sbomOutput, diff bool) error {
	all := destinations(s.outputs, boms, s.vexOut)
	if diff {
		all = append(all, destination{"--diff", "write the diff", stdoutPath})
	}
	taken, err := p.apart(all)
	if err != nil {
		return err
	}
	s.stdoutTaken = taken && !p.showsTable(s.outputs)
	if s.host, err = ci.ReadSettings(p.Getenv); err != nil {
		return err
	}
	if taken || s.flags.quiet {
		return nil
	}
	terminal, err := report.Find("terminal")
	if err != nil {
		return err
	}
	s.outputs = append(s.outputs, output{terminal, stdoutPath})
	return nil
}

// showsTable reports whether what goes to standard output is the table.
func (p Program) showsTable(outputs []output) bool {
	for _, o := range outputs {
		if o.format.Name == "terminal" && p.sameFile(o.path) == stdoutPath {
			return true
		}
	}
	return false
}

// apart refuses destinations of which one would take another's place, and such
// as cannot be files. It reports whether one is standard output.
func (p Program) apart(all []destination) (stdoutTaken bool, err error) {
	taken := make(map[string]destination)
	for _, d := range all {
		file := p.sameFile(d.path)
		if file == os.DevNull {
			continue
		}
		if other, twice := taken[file]; twice {
			where := file
			if file == stdoutPath {
				where = "standard output"
			}
			return false, &exit.Error{
				Code: exit.Usage, Doing: fmt.Sprintf("%s and %s both go to %s", other.flag, d.flag, where),
				Hint: "name a file of its own for each",
			}
		}
		taken[file] = d
		if d.path == stdoutPath {
			continue
		}
		if err := report.CheckPath(d.path, d.doing); err != nil {
			return false, err
		}
	}
	_, stdoutTaken = taken[stdoutPath]
	return stdoutTaken, nil
}

// sameFile is one name for all names of a file that is to be written: links are
// followed, as they are in writing, and /dev/stdout is standard output.
func (p Program) sameFile(path string) string {
	switch {
	case filepath.Clean(path) == os.DevNull:
		return os.DevNull
	case path == stdoutPath, isOpen(p.Stdout, path):
		return stdoutPath
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if whole, err := filepath.EvalSymlinks(full); err == nil {
		return whole
	}
	// The file is yet to be made.
	if folder, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		return filepath.Join(folder, filepath.Base(full))
	}
	return full
}

// isOpen reports whether a path names the file that a stream writes to.
func isOpen(stream io.Writer, path string) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}
