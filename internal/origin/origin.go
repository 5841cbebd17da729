// Package origin leads what was found in an image back to the place where a
// person fixes it: the instruction of the Dockerfile that brought it in, the
// FROM line for what the base image brought, or the line of the manifest that
// names the image. It guesses nothing: where the Dockerfile and the image's
// history do not agree, findings keep their place in the image. It is not for
// finding problems.
package origin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// HistoryFact is the name of the evidence by which a detector says which entry
// of the image's history a finding comes from, as a decimal index.
const HistoryFact = "history"

// ImageUse is a place in the repository that names an image, such as the image
// field of a container in a manifest.
type ImageUse struct {
	// Image is the reference as written.
	Image    string
	Location finding.Location
}

// Tracer leads findings of one image back to the repository.
type Tracer struct {
	image     *inventory.Image
	alignment *alignment
	uses      []finding.Location
	layers    map[string]int // diff id → index into image.Layers
}

// New compares the image's history with the Dockerfiles and keeps the one that
// describes it; of several, the one that accounts for most of the history.
func New(image *inventory.Image, files []*dockerfile.File, uses []ImageUse) *Tracer {
	t := &Tracer{image: image, layers: make(map[string]int)}
	for i, l := range image.Layers {
		if _, seen := t.layers[l.DiffID]; !seen {
			t.layers[l.DiffID] = i
		}
	}
	for _, f := range files {
		a, ok := align(f, image.History)
		if ok && (t.alignment == nil || len(a.steps) > len(t.alignment.steps)) {
			t.alignment = &a
		}
	}
	for _, u := range uses {
		if SameRepository(u.Image, image.Name) {
			t.uses = append(t.uses, u.Location)
		}
	}
	return t
}

// Describe says in a few words what findings were led back to.
func (t *Tracer) Describe() string {
	switch {
	case t.alignment != nil:
		return fmt.Sprintf("%d layers, built by %s", len(t.image.Layers), t.alignment.file.Path)
	case len(t.uses) > 0:
		return fmt.Sprintf("%d layers, named in %s", len(t.image.Layers), t.uses[0].Path)
	default:
		return fmt.Sprintf("%d layers, no Dockerfile matches its history", len(t.image.Layers))
	}
}

// Trace returns the finding with the place where a person fixes it in front.
// A finding that has a place in the repository already is returned as it is.
func (t *Tracer) Trace(f finding.Finding) finding.Finding {
	if len(f.Locations) == 0 || f.Locations[0].Space == finding.Repository {
		return f
	}
	f.Locations = slices.Clone(f.Locations)
	entry := t.entryOf(f)
	f.Locations[0].Note = t.note(f.Locations[0], entry)
	var places []finding.Location
	switch {
	case t.alignment != nil && entry >= 0:
		places = t.places(f, entry)
	case t.alignment != nil && entry == unset:
		places = []finding.Location{t.missingSetting()}
	case t.alignment == nil && len(t.uses) > 0:
		places = t.uses[:1]
	}
	f.Locations = append(places, f.Locations...)
	return f
}

// What entryOf returns when there is no entry.
const (
	unknown = -1 // nothing says where the finding comes from
	unset   = -2 // the finding is that nothing was set
)

// entryOf returns the index of the history entry that the finding comes from:
// what the detector says, or else the entry that made the finding's layer.
func (t *Tracer) entryOf(f finding.Finding) int {
	for _, fact := range f.Evidence {
		if fact.Name != HistoryFact {
			continue
		}
		if n, err := strconv.Atoi(fact.Value); err == nil && n >= 0 && n < len(t.image.History) {
			return n
		}
	}
	if i, ok := t.layers[f.Locations[0].Layer]; ok {
		if entry := t.image.Layers[i].History; entry >= 0 && entry < len(t.image.History) {
			return entry
		}
		return unknown
	}
	if f.Kind == finding.ImageConfig && f.Locations[0].Layer == "" {
		return unset
	}
	return unknown
}

// note says which layer a place inside the image belongs to. It names the
// instruction but not its text, which may hold a secret.
func (t *Tracer) note(l finding.Location, entry int) string {
	i, ok := t.layers[l.Layer]
	if !ok {
		return l.Note
	}
	note := fmt.Sprintf("layer %d of %d", i+1, len(t.image.Layers))
	if entry >= 0 {
		note += " (" + readStep(t.image.History[entry]).keyword + ")"
	}
	if l.Note != "" {
		note = l.Note + ", " + note
	}
	return note
}

// places are the lines in the Dockerfile for a history entry.
func (t *Tracer) places(f finding.Finding, entry int) []finding.Location {
	in, fromBase := t.alignment.instruction(entry)
	file := t.alignment.file
	if fromBase {
		l := spanLocation(file, t.alignment.stage.Root().Base.Span)
		l.Note = "base image"
		return []finding.Location{l}
	}
	out := []finding.Location{t.instructionPlace(in, f)}
	for _, ref := range in.StageRefs() {
		if ref.Stage != nil && in.Keyword != "RUN" {
			l := spanLocation(file, ref.Stage.From.KeywordSpan)
			l.Note = "copied from stage " + ref.Stage.Label()
			out = append(out, l)
		}
	}
	return out
}

// instructionPlace is the word of the instruction that names the package, or
// the first line of the instruction.
func (t *Tracer) instructionPlace(in *dockerfile.Instruction, f finding.Finding) finding.Location {
	file := t.alignment.file
	if f.Package != nil && in.Keyword == "RUN" {
		if span, ok := findWord(in, f.Package.Name); ok {
			return spanLocation(file, span)
		}
	}
	return spanLocation(file, lineSpan(file, in))
}

// missingSetting is the place for a setting that nobody has made: the FROM of
// the final stage, after which it belongs.
func (t *Tracer) missingSetting() finding.Location {
	return spanLocation(t.alignment.file, t.alignment.stage.From.KeywordSpan)
}

// lineSpan covers the first line of an instruction from its keyword on.
func lineSpan(file *dockerfile.File, in *dockerfile.Instruction) dockerfile.Span {
	end := file.LineSpan(in.Line).End
	if in.Span.End < end {
		end = in.Span.End
	}
	return dockerfile.Span{Start: in.KeywordSpan.Start, End: end}
}

// findWord looks for a package's name as a word of its own in the instruction,
// where it may be followed by a version: curl, curl=7.88, curl@8.
func findWord(in *dockerfile.Instruction, name string) (dockerfile.Span, bool) {
	text := in.Body.S
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 || name == "" {
			return dockerfile.Span{}, false
		}
		start, end := from+i, from+i+len(name)
		if startsWord(text, start) && endsName(text, end) {
			return in.Body.Span(start, end), true
		}
		from = end
	}
}

func startsWord(text string, i int) bool {
	return i == 0 || unicode.IsSpace(rune(text[i-1])) || strings.ContainsRune(`"'`, rune(text[i-1]))
}

func endsName(text string, i int) bool {
	return i == len(text) || unicode.IsSpace(rune(text[i])) || strings.ContainsRune(`=@<>~!"';&|:`, rune(text[i]))
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

// SameRepository reports whether an image reference names the repository, with
// Docker Hub's short forms read as what they stand for.
func SameRepository(reference, repository string) bool {
	if reference == "" || repository == "" {
		return false
	}
	return repositoryOf(reference) == repositoryOf(repository)
}

// repositoryOf drops tag and digest and spells Docker Hub's names out.
func repositoryOf(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	host, rest, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, rest = "docker.io", name
	}
	if host == "index.docker.io" {
		host = "docker.io"
	}
	if host == "docker.io" && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	return host + "/" + rest
}
