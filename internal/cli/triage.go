package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/triage/baseline"
	"github.com/portcullis-ci/portcullis/internal/triage/vex"
	"github.com/portcullis-ci/portcullis/internal/triage/waiver"
)

// triageFlags are the flags that name what is known about findings beforehand.
type triageFlags struct {
	vex        []string
	waivers    string
	waiversRef string
	baseline   string
}

func (f *triageFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.vex, "vex", nil, "VEX file: OpenVEX, CycloneDX or CSAF (repeatable)")
	flags.StringVar(&f.waivers, "waivers", "", "file of waivers (default: "+waiver.FileName+" at the repository's root, if there is one)")
	flags.StringVar(&f.waiversRef, "waivers-ref", "", "git ref from which the waivers are read, such as origin/main, so that a change cannot waive itself")
	flags.StringVar(&f.baseline, "baseline", "", "saved JSON report: findings that it has are known, the others new")
}

// vexOutFlags are the flags about the VEX document that a run writes.
type vexOutFlags struct {
	path   string
	author string
}

func (f *vexOutFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.path, "vex-out", "", "file to write an OpenVEX document to, about what the gate itself ruled out")
	flags.StringVar(&f.author, "vex-author", "", "who answers for its statements, such as a team's address")
}

// writeVEX writes what the gate's own evidence ruled out. Without anything to
// state no file is written, and that is told.
func (p Program) writeVEX(f vexOutFlags, o outcome.Outcome) error {
	if f.path == "" {
		return nil
	}
	var document bytes.Buffer
	err := vex.Write(&document, vex.Evidence{
		Findings: o.Findings, Image: o.Image, Author: f.author, Tool: o.Tool.Name + " " + o.Tool.Version, Now: p.Clock(),
	})
	if errors.Is(err, vex.ErrNothingToState) {
		p.printf("portcullis: the gate ruled nothing out itself, so %s is not written\n", f.path)
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the VEX document: %w", err)
	}
	return report.WholeFile(f.path, "write the VEX document", func(w io.Writer) error {
		_, err := w.Write(document.Bytes())
		return err
	})
}

// triage reads the files that the flags or the configuration name.
func (p Program) triage(ctx context.Context, s session, f triageFlags) (gate.Triage, error) {
	t := gate.Triage{WaiverLife: s.config.Waivers.MaxAge, WarnBefore: s.config.Waivers.WarnBefore}
	var err error
	if t.Catalogue, err = Catalogue(); err != nil {
		return t, err
	}
	for _, path := range append(s.config.VEX, f.vex...) {
		content, err := readNamed(s, path, "read the VEX file")
		if err != nil {
			return t, err
		}
		document, err := vex.Decode(s.root.Name(path), content)
		if err != nil {
			return t, &exit.Error{Code: exit.Usage, Doing: "read the VEX file", Err: err, Hint: "OpenVEX, CycloneDX and CSAF documents are read"}
		}
		t.VEX = append(t.VEX, document)
	}
	if t.Waivers, err = p.waivers(ctx, s, f); err != nil {
		return t, err
	}
	if f.baseline == "" {
		f.baseline = s.config.Baseline
	}
	if f.baseline != "" {
		content, err := readNamed(s, f.baseline, "read the baseline")
		if err != nil {
			return t, err
		}
		report, err := baseline.Decode(s.root.Name(f.baseline), content)
		if err != nil {
			return t, &exit.Error{Code: exit.Usage, Doing: "read the baseline", Err: err, Hint: "write one with --output json=FILE"}
		}
		t.Baseline = &report
	}
	return t, nil
}

// readNamed reads a file that the user named.
func readNamed(s session, path, doing string) ([]byte, error) {
	f, err := s.root.Read(path)
	if err != nil {
		return nil, &exit.Error{Code: exit.Usage, Doing: doing + " " + path, Err: err, Hint: "paths are relative to " + s.root.Working}
	}
	return f.Content, nil
}

// waivers reads the file of waivers: of the checkout, or as it is at a ref. A
// file that nobody named may be missing.
func (p Program) waivers(ctx context.Context, s session, f triageFlags) (*waiver.File, error) {
	path := f.waivers
	if path == "" {
		path = s.config.Waivers.File
	}
	named := path != ""
	if !named {
		path = s.root.Dir + string(os.PathSeparator) + waiver.FileName
	}
	if f.waiversRef != "" {
		file, absent, err := waiver.ReadRef(ctx, waiver.CommandGit{Dir: s.root.Dir}, f.waiversRef, s.root.Name(path))
		if err != nil {
			return nil, err
		}
		if absent {
			p.printf("%s has no %s: nothing is waived\n", f.waiversRef, s.root.Name(path))
		}
		return &file, nil
	}
	if _, err := os.Stat(s.root.Path(path)); errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	content, err := readNamed(s, path, "read the waivers")
	if err != nil {
		return nil, err
	}
	file, err := waiver.Decode(s.root.Name(path), content)
	if err != nil {
		return nil, &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("read the waivers %s", path), Err: err}
	}
	return &file, nil
}
