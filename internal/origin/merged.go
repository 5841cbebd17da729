package origin

import (
	"path"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// wholeEntry is the entry of the layer for the whole build, -1 without one.
// buildah without --layers commits once, after the last instruction: that one's
// entry has the layer and the base image in its comment, and those of all
// others are marked as empty, also where they made files.
func (a *alignment) wholeEntry(image *inventory.Image) int {
	last := -1
	for i := a.base; i < len(image.History); i++ {
		h := image.History[i]
		if h.EmptyLayer {
			continue
		}
		in := a.by[i]
		if last >= 0 || in == nil || !isBuildah(h) && filesOnly(in) {
			return -1
		}
		last = i
	}
	return last
}

// wholeBuild reports whether the finding lies in a layer that holds what all
// instructions made, whichever of them the layer's entry names. A finding about
// the entry itself has no layer.
func (a *alignment) wholeBuild(f finding.Finding, entry int) bool {
	return entry == a.whole && f.Locations[0].Layer != ""
}

// candidates are the instructions that may have brought a file.
type candidates struct {
	// installing are the commands that name the finding's package.
	installing []*dockerfile.Instruction
	// writing are the commands that name the file or its folder.
	writing []*dockerfile.Instruction
	// naming are the copies whose source has the file's name, copying those to
	// one of its folders.
	naming, copying []*dockerfile.Instruction
	// making are all that can make files.
	making []*dockerfile.Instruction
	// anew is true when a command after the last copy may have written the file.
	anew bool
}

func (t *Tracer) candidates(f finding.Finding) candidates {
	var c candidates
	file := f.Locations[0].Path
	for _, in := range t.alignment.steps {
		switch in.Keyword {
		case "RUN":
			s := t.scripts.of(in)
			if f.Package != nil {
				if _, ok := s.installs(in, f.Package); ok {
					c.installing = append(c.installing, in)
				}
			}
			if s.runMaker(in, file) != nil {
				c.writing = append(c.writing, in)
			} else {
				c.anew = c.anew || s.mayWrite(in, file)
			}
		case "COPY", "ADD":
			to, ok := target(in)
			if !ok || !inside(file, to) {
				break
			}
			c.anew = false
			if to == file || path.Dir(file) == to && hasSource(in, path.Base(file)) {
				c.naming = append(c.naming, in)
			} else {
				c.copying = append(c.copying, in)
			}
		default:
			continue
		}
		c.making = append(c.making, in)
	}
	return c
}

// hasSource reports whether a source of the copy has the name.
func hasSource(in *dockerfile.Instruction, name string) bool {
	return slices.ContainsFunc(in.Args[:len(in.Args)-1], func(w dockerfile.Word) bool {
		return w.Value.Known && path.Base(path.Clean(w.Value.Text)) == name
	})
}

// fromMerged looks for the instruction behind one layer for the whole build: a
// command that installs the package or names the file, a copy to its path, or
// the only one that makes files. What also fits another decides nothing.
func (t *Tracer) fromMerged(f finding.Finding) (traced, *dockerfile.Instruction) {
	const merged = "one layer holds the whole build; "
	c := t.candidates(f)
	switch {
	case len(c.installing) == 1:
		return t.fromInstruction(f, c.installing[0], Likely, merged+"one command installs it")
	case len(c.installing) > 1:
	case len(c.naming) == 1 && len(c.writing) == 0 && !c.anew:
		return t.fromInstruction(f, c.naming[0], Likely, merged+"one instruction copies it by its name")
	case len(c.naming) == 0 && len(c.writing) == 1 && f.Package == nil:
		return t.fromInstruction(f, c.writing[0], Likely, merged+"one command names its path")
	case len(c.naming)+len(c.writing) == 0 && len(c.copying) == 1 && notRoot(c.copying[0]) && !c.anew:
		return t.fromInstruction(f, c.copying[0], Likely, merged+"one instruction copies to its path")
	case len(c.making) == 1:
		return t.fromInstruction(f, c.making[0], Likely, merged+"one instruction makes files")
	}
	// The file is the right one, but none of its lines can be told.
	whole := finding.Location{Space: finding.Repository, Path: t.alignment.file.Path, Note: "one layer for the whole build"}
	return traced{places: []finding.Location{whole}, confidence: Likely, why: merged + "which instruction brought it cannot be told", origin: finding.FromBuild}, nil
}

// notRoot: a copy to the root folder may bring anything, and so tells nothing.
func notRoot(in *dockerfile.Instruction) bool {
	to, ok := target(in)
	return ok && to != "/"
}
