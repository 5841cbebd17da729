package origin

import (
	"fmt"
	"path"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// fromEntry leads an entry of the history to the Dockerfile. aboveBase is true
// when the base image's layers are known and the finding's is not one of them.
func (t *Tracer) fromEntry(f finding.Finding, entry int, aboveBase bool) (traced, *dockerfile.Instruction) {
	in, fromBase := t.alignment.instruction(entry)
	file := t.alignment.file
	if fromBase {
		root := t.alignment.stage.Root()
		l := spanLocation(file, root.Base.Span)
		if aboveBase {
			l.Note = "trigger of the base image"
			return traced{places: []finding.Location{l}, confidence: Likely, why: "a trigger (ONBUILD) of the base image made the layer", origin: finding.FromBuild}, nil
		}
		l.Note = baseNote
		why := fmt.Sprintf("%s is below the instructions of %s", entryName(entry, len(t.image.History)), file.Path)
		confidence := Exact
		switch name := t.image.Config.Labels["org.opencontainers.image.base.name"]; {
		case name != "" && SameRepository(name, root.Base.Value.Text):
			why += ", and the image's labels name the same base image"
		case !t.alignment.makesFiles() && !t.alignment.endsAbove(t.image, t.base):
			confidence, why = Likely, why+", of which none makes files"
		}
		return traced{places: []finding.Location{l}, confidence: confidence, why: why, origin: finding.FromBaseImage}, nil
	}
	if in == nil || t.alignment.wholeBuild(f, entry) {
		return t.fromMerged(f)
	}
	why := fmt.Sprintf("%s is line %d of %s (%s)", entryName(entry, len(t.image.History)), in.Line, file.Path, in.Keyword)
	return t.fromInstruction(f, in, Exact, why)
}

// fromInstruction are the places for what an instruction brought.
func (t *Tracer) fromInstruction(f finding.Finding, in *dockerfile.Instruction, confidence, why string) (traced, *dockerfile.Instruction) {
	r := traced{confidence: confidence, why: why, origin: finding.FromBuild}
	if in.Keyword == "RUN" {
		l, how, exact := t.runPlace(in, f)
		if how != "" {
			r.why += ", which " + how
		}
		if !exact {
			r.confidence = Likely
		}
		r.places = []finding.Location{l}
		return r, in
	}
	r.places = []finding.Location{spanLocation(in.File(), lineSpan(in))}
	refs := in.StageRefs()
	switch {
	case len(refs) == 0:
		return r, in
	case refs[0].Stage != nil:
		return t.fromStage(f, in, refs[0].Stage, r)
	}
	l := spanLocation(in.File(), refs[0].Span)
	l.Note = "copied from image " + refs[0].Name.Text
	r.places = append([]finding.Location{l}, r.places...)
	return r, nil
}

// systemTypes are the packages that the database of a distribution lists.
var systemTypes = []string{"deb", "apk", "rpm"}

// fromStage leads a copy on to the instruction of the stage that made the file.
// It comes first when it names the file as its output.
func (t *Tracer) fromStage(f finding.Finding, in *dockerfile.Instruction, stage *dockerfile.Stage, r traced) (traced, *dockerfile.Instruction) {
	file := in.File()
	copied := r.places[0]
	var m *maker
	if from, ok := copiedFrom(in, f.Locations[0].Path); ok {
		m = t.makerOf(stage, path.Join("/", from), 0)
	}
	if m == nil && f.Package != nil && slices.Contains(systemTypes, f.Package.Type) {
		m = installedByName(stepsOf(stage), func(in *dockerfile.Instruction) bool {
			w, ok := t.scripts.of(in).installs(in, f.Package)
			return ok && w.exact
		})
	}
	if m == nil {
		l := spanLocation(file, stage.From.KeywordSpan)
		l.Note = "copied from stage " + stage.Label()
		r.places = append(r.places, l)
		r.why += "; what made it in stage " + stage.Label() + " cannot be told"
		return r, in
	}
	m.settle(f)
	copied.Note = "copied from stage " + stage.Label()
	made, how, exact := spanLocation(file, lineSpan(m.in)), "", true
	if m.in.Keyword == "RUN" {
		made, how, exact = t.runPlace(m.in, f)
	}
	if made.Note == "" {
		made.Note = "made in stage " + stage.Label()
	}
	r.why += fmt.Sprintf("; line %d in stage %s %s", m.in.Line, m.in.Stage.Label(), m.how)
	if how != "" {
		r.why += ", and " + how
	}
	if m.changed != nil {
		r.why += fmt.Sprintf(", and line %d may have written it anew", m.changed.Line)
	}
	r.doubt = !m.exact
	if m.exact {
		r.places = []finding.Location{made, copied}
		if !exact {
			r.confidence = Likely
		}
	} else {
		r.places, r.confidence = []finding.Location{copied, made}, Likely
	}
	if l, ok := toolchain(f, m); ok {
		r.places, r.confidence = append([]finding.Location{l}, r.places...), Likely
		r.why += "; the standard library is that of the compiler in the stage's base image"
	}
	return r, m.in
}

// toolchain is the image of the Go compiler for a flaw in Go's standard
// library: the compiler's version is what has to change.
func toolchain(f finding.Finding, m *maker) (finding.Location, bool) {
	root := m.in.Stage.Root()
	name := path.Base(repositoryOf(root.Base.Value.Text))
	if f.Package == nil || f.Package.Type != "golang" || f.Package.Name != "stdlib" || m.in.Keyword != "RUN" ||
		!root.Base.Value.Known || name != "golang" && name != "go" || m.changed != nil {
		return finding.Location{}, false
	}
	l := spanLocation(m.in.File(), root.Base.Span)
	l.Note = "compiler of the build"
	return l, true
}

// runPlace is the word of a RUN that names the package, or the first line of
// the instruction. how says in words what was found there.
func (t *Tracer) runPlace(in *dockerfile.Instruction, f finding.Finding) (l finding.Location, how string, exact bool) {
	if f.Package != nil {
		if w, ok := t.scripts.of(in).installs(in, f.Package); ok {
			l := spanLocation(in.File(), w.span)
			if w.exact {
				l.Note = byNameNote
			}
			return l, w.how, w.exact
		}
	}
	return spanLocation(in.File(), lineSpan(in)), "", true
}

// missingSetting is the place for a setting that nobody has made: the FROM of
// the final stage, after which it belongs.
func (t *Tracer) missingSetting() finding.Location {
	return spanLocation(t.alignment.file, t.alignment.stage.From.KeywordSpan)
}

// lineSpan covers the first line of an instruction from its keyword on.
func lineSpan(in *dockerfile.Instruction) dockerfile.Span {
	end := in.File().LineSpan(in.Line).End
	if in.Span.End < end {
		end = in.Span.End
	}
	return dockerfile.Span{Start: in.KeywordSpan.Start, End: max(end, in.KeywordSpan.Start)}
}

// spanLocation makes a location of one line; a span over several lines is cut
// at the end of its first.
func spanLocation(file *dockerfile.File, span dockerfile.Span) finding.Location {
	line, column := file.Position(span.Start)
	if end := file.LineSpan(line).End; span.End > end {
		span.End = end
	}
	endLine, endColumn := file.Position(span.End)
	return finding.Location{
		Space: finding.Repository, Path: file.Path,
		Line: line, Column: column, EndLine: endLine, EndColumn: endColumn,
	}
}
