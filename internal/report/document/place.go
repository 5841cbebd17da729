package document

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// PlaceKind is the sort of a place.
type PlaceKind int

// The kinds of places.
const (
	// File is a line of a file in the repository, or the file as a whole.
	File PlaceKind = iota
	// Layer is a layer of the examined image.
	Layer
	// ImagePath is a file inside the image whose layer is not known.
	ImagePath
)

// Place is somewhere a person goes to fix findings, with these findings.
type Place struct {
	Kind PlaceKind
	// Path is the file in the repository or the image; empty for a layer.
	Path string
	// Line is 0 for a file as a whole.
	Line int
	// Layer is the number of the layer from 1, of Layers; 0 if unknown.
	Layer, Layers int
	// CreatedBy is the build step that made the layer.
	CreatedBy string
	// findings in report order.
	findings []*finding.Finding
}

// Findings are those of the place in report order.
func (p Place) Findings() []finding.Finding {
	out := make([]finding.Finding, len(p.findings))
	for i, f := range p.findings {
		out[i] = *f
	}
	return out
}

// Count is the number of the findings.
func (p Place) Count() int { return len(p.findings) }

// Worst is the severity of the worst finding.
func (p Place) Worst() finding.Severity {
	worst := finding.Unknown
	for _, f := range p.findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// Sensitive reports whether the text at the place holds a secret and must not
// be shown.
func (p Place) Sensitive() bool {
	return slices.ContainsFunc(p.findings, func(f *finding.Finding) bool {
		return f.Sensitive || f.Kind == finding.Secret
	})
}

// Text is what stands at the place, as far as it may be shown: the line of the
// file, or the build step.
func (p Place) Text(root fs.FS) string {
	if p.Kind == File {
		return Shown(SourceLine(root, p.Path, p.Line), p.Sensitive(), IsDockerfile(p.Path))
	}
	if p.Sensitive() && !onlyBrings(p.CreatedBy) {
		keyword, _, _ := strings.Cut(p.CreatedBy, " ")
		return keyword
	}
	return p.CreatedBy
}

// Label names the place in a few words: "Dockerfile:7", "image layer 3 of 9".
func (p Place) Label() string {
	switch {
	case p.Kind == File && p.Line > 0:
		return fmt.Sprintf("%s:%d", p.Path, p.Line)
	case p.Kind == Layer && p.Layer > 0:
		return fmt.Sprintf("image layer %d of %d", p.Layer, p.Layers)
	case p.Kind == Layer:
		return "image layer"
	case p.Kind == ImagePath:
		return "image " + p.Path
	default:
		return p.Path
	}
}

// Places groups findings by the place of their first location: the place with
// the worst and then with the most findings comes first.
func Places(findings []finding.Finding, image *inventory.Image) []Place {
	type key struct {
		kind  PlaceKind
		path  string
		line  int
		layer string
	}
	index := make(map[key]int)
	var places []Place
	for i := range findings {
		f := &findings[i]
		if len(f.Locations) == 0 {
			continue
		}
		p, diffID := placeOf(*f, image)
		k := key{p.Kind, p.Path, p.Line, diffID}
		at, known := index[k]
		if !known {
			at = len(places)
			index[k] = at
			places = append(places, p)
		}
		places[at].findings = append(places[at].findings, f)
	}
	slices.SortStableFunc(places, comparePlaces)
	return places
}

func comparePlaces(a, b Place) int {
	return cmp.Or(
		cmp.Compare(b.Worst(), a.Worst()),
		cmp.Compare(b.Count(), a.Count()),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Layer, b.Layer),
	)
}

// placeOf returns the place of a finding and the diff id that tells layers of
// unknown number apart.
func placeOf(f finding.Finding, image *inventory.Image) (place Place, diffID string) {
	l := f.Locations[0]
	switch {
	case l.Space == finding.Repository:
		return Place{Kind: File, Path: l.Path, Line: l.Line}, ""
	case l.Layer == "":
		return Place{Kind: ImagePath, Path: l.Path}, ""
	}
	number, createdBy := LayerOf(image, l.Layer)
	p := Place{Kind: Layer, Layer: number, CreatedBy: createdBy}
	if image != nil {
		p.Layers = len(image.Layers)
	}
	return p, l.Layer
}

// LayerOf returns the number of a layer from 1 and the build step that made
// it, or 0 and "" if the image does not have it.
func LayerOf(image *inventory.Image, diffID string) (number int, createdBy string) {
	if image == nil {
		return 0, ""
	}
	for i, layer := range image.Layers {
		if layer.DiffID != diffID {
			continue
		}
		if layer.History >= 0 && layer.History < len(image.History) {
			createdBy = Step(image.History[layer.History].CreatedBy)
		}
		return i + 1, createdBy
	}
	return 0, ""
}

// Step shortens a history entry to the instruction that made it: without the
// shell, the builders' own marks and the build arguments. Values of ENV, ARG
// and LABEL are left out, because they may be secrets that no rule knows, and
// of steps that hold a secret all but the keyword.
func Step(createdBy string) string {
	step := stepOf(createdBy)
	shown := Shown(step, false, true)
	if shown == Hidden {
		keyword, _, _ := strings.Cut(step, " ")
		return keyword + " " + Hidden
	}
	return shown
}

func stepOf(createdBy string) string {
	step := strings.TrimSpace(createdBy)
	step = strings.TrimSpace(strings.TrimSuffix(step, "# buildkit"))
	step = strings.TrimPrefix(step, "RUN ")
	if buildArgs.MatchString(step) {
		// Where the arguments end and the command starts cannot be told for
		// values with blanks in them.
		return "RUN with build arguments"
	}
	rest, shell := strings.CutPrefix(step, "/bin/sh -c ")
	rest = strings.TrimSpace(rest)
	if instruction, ok := strings.CutPrefix(rest, "#(nop)"); ok {
		return withoutValues(strings.TrimSpace(instruction))
	}
	if shell || strings.HasPrefix(createdBy, "RUN ") {
		return "RUN " + rest
	}
	return withoutValues(step)
}

// buildArgs is how a history entry starts that was built with arguments.
var buildArgs = regexp.MustCompile(`^\|\d+ `)

// withoutValues cuts the values off the instructions that set names.
func withoutValues(step string) string {
	for _, keyword := range []string{"ENV ", "ARG ", "LABEL "} {
		if strings.HasPrefix(step, keyword) {
			name, _, found := strings.Cut(step, "=")
			if found {
				return name + "=…"
			}
			return name
		}
	}
	return step
}

// SourceLine returns the text of a line of a file in the repository, without
// its indentation, or "" when it cannot be read. Files over 4 MiB are left
// alone: they are not written by hand.
func SourceLine(root fs.FS, path string, line int) string {
	if root == nil || line < 1 || !fs.ValidPath(path) {
		return ""
	}
	info, err := fs.Stat(root, path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 4<<20 {
		return ""
	}
	content, err := fs.ReadFile(root, path)
	if err != nil {
		return ""
	}
	lines := strings.SplitN(string(content), "\n", line+1)
	if len(lines) < line {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}
