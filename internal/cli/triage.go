package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/target"
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
	flags.StringVar(&f.baseline, "baseline", "", "what findings are compared with, new ones apart from known ones: a saved JSON report; for an image also another image, base-image for the one that FROM names, or base-image:REFERENCE")
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

// triage reads the files that the flags or the configuration name. An image to
// compare with is opened by the gate, as the image flags say; nil where no image
// is examined.
func (p Program) triage(ctx context.Context, s session, f triageFlags, images *imageFlags) (gate.Triage, error) {
	t := gate.Triage{WaiverLife: s.config.Waivers.MaxAge, WarnBefore: s.config.Waivers.WarnBefore}
	var err error
	if t.Catalogue, err = Catalogue(); err != nil {
		return t, err
	}
	for _, path := range append(s.config.VEXPaths(), f.vex...) {
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
		f.baseline = s.config.BaselinePath()
	}
	return t, p.baseline(s, f.baseline, images, &t)
}

// baseImage is the word for the base image in --baseline.
const baseImage = "base-image"

// baseline fills in what findings are compared with.
func (p Program) baseline(s session, given string, images *imageFlags, t *gate.Triage) error {
	if given == "" {
		return nil
	}
	reference, isBase := baseReference(given)
	switch {
	case !isBase && !isImage(s.root.Path(given), given):
		report, err := p.baselineReport(s, given)
		t.Baseline = report
		return err
	case images == nil:
		return &exit.Error{
			Code: exit.Usage, Doing: "--baseline " + given + " is an image, and this run examines none",
			Hint: "compare with a saved report, or use gate",
		}
	}
	t.BaselineImage = &gate.BaselineImage{Request: images.request(reference), Base: isBase}
	t.BaselineImage.Request.Platform = ""
	return nil
}

// baseReference takes the reference of the base image out of a value; it is
// empty for the one that FROM names.
func baseReference(given string) (reference string, isBase bool) {
	head, rest, _ := strings.Cut(given, ":")
	if head != baseImage {
		return given, false
	}
	return rest, true
}

// isImage tells an image from a saved report. Only what is unmistakably an image
// may lead to a registry: a misspelt name of a file must not.
func isImage(path, given string) bool {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return true
	case err == nil:
		return target.IsArchive(path)
	default:
		return target.HasScheme(given) || strings.ContainsAny(given, "@:")
	}
}

// baselineReport reads a saved report.
func (p Program) baselineReport(s session, path string) (*baseline.Report, error) {
	content, err := readNamed(s, path, "read the baseline")
	if err != nil {
		return nil, err
	}
	report, err := baseline.Decode(s.root.Name(path), content)
	if err != nil {
		return nil, &exit.Error{Code: exit.Usage, Doing: "read the baseline", Err: err, Hint: "write one with --output json=FILE"}
	}
	return &report, nil
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
		path = s.config.WaiversPath()
	}
	named := path != ""
	if !named {
		path = s.root.Dir + string(os.PathSeparator) + waiver.FileName
	}
	if f.waiversRef != "" {
		if rel, err := filepath.Rel(s.root.Dir, s.root.Path(path)); err != nil || !filepath.IsLocal(rel) {
			return nil, &exit.Error{
				Code: exit.Usage, Doing: fmt.Sprintf("read the waivers %s at %s: the file is outside of the repository", path, f.waiversRef),
				Hint: "name a file of the repository, or leave --waivers-ref out",
			}
		}
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
