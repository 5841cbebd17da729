// Package origin leads what was found in an image back to the place where a
// person fixes it: the line of the lock file that fixes an application
// package's version, the instruction of the Dockerfile that brought a package
// in, the FROM line for what the base image brought, or the line of the
// manifest that names the image. It guesses nothing: where the Dockerfile and
// the image's history do not agree, findings keep their place in the image. It
// is not for finding problems.
package origin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/lockfile"
)

// HistoryFact is the name of the evidence by which a detector says which entry
// of the image's history a finding comes from, as a decimal index.
const HistoryFact = "history"

// Fact is the name of the evidence that tracing adds: the confidence, a colon,
// and in words what told the place.
const Fact = "origin"

// The confidences. Exact: history, command or path name the place. Likely: all
// that is known speaks for it and nothing against it.
const (
	Exact  = "exact"
	Likely = "likely"
)

// baseNote marks the place of what the base image brought.
const baseNote = "base image"

// ImageUse is a place in the repository that names an image, such as the image
// field of a container in a manifest.
type ImageUse struct {
	// Image is the reference as written.
	Image    string
	Location finding.Location
}

// Options is what is known about the repository. All of it may be missing.
type Options struct {
	// Dockerfiles that may have built the image.
	Dockerfiles []*dockerfile.File
	// Uses are the places that name images.
	Uses []ImageUse
	// Locks are the lock files of the checkout.
	Locks *lockfile.Set
	// Packages are those of the image. What lies beside a package tells whether
	// a lock file is that of its project.
	Packages []inventory.Package
	// Working is the working directory relative to the root of the checkout,
	// from which a build may take its files besides the Dockerfile's folder.
	Working string
	// Ignored are the ignore files of builds by their paths: one named after a
	// Dockerfile, or .dockerignore in a folder that may be the build's context.
	Ignored map[string]*dockerfile.IgnoreFile
	// BaseLayers are the diff ids of the image that FROM names, from the bottom
	// up. They tell the base image's layers where no Dockerfile does.
	BaseLayers []string
}

// Tracer leads findings of one image back to the repository. It is for one
// goroutine.
type Tracer struct {
	image     *inventory.Image
	opt       Options
	alignment *alignment
	// rejected says of each Dockerfile why it does not describe the image.
	rejected []string
	uses     []finding.Location
	exactUse bool           // the first of uses names this very image
	layers   map[string]int // diff id → index into image.Layers
	base     int            // number of layers known to be the base image's
	besides  *besides       // nil until they are asked for
	scripts  scripts
}

// New is NewWith for Dockerfiles and places that name images only.
func New(image *inventory.Image, files []*dockerfile.File, uses []ImageUse) *Tracer {
	return NewWith(image, Options{Dockerfiles: files, Uses: uses})
}

// NewWith compares the image's history with the Dockerfiles and keeps the one
// that describes it; of several, the one that accounts for most of the history.
// Where two different files do so equally well, neither counts.
func NewWith(image *inventory.Image, opt Options) *Tracer {
	t := &Tracer{image: image, opt: opt, layers: make(map[string]int), base: baseLayers(image, opt.BaseLayers), scripts: make(scripts)}
	for i, l := range image.Layers {
		if _, seen := t.layers[l.DiffID]; !seen {
			t.layers[l.DiffID] = i
		}
	}
	t.choose()
	t.findUses()
	return t
}

// findUses keeps the places that name the image's repository, those in front
// that name its digest or tag.
func (t *Tracer) findUses() {
	var rest []finding.Location
	for _, u := range t.opt.Uses {
		switch {
		case !SameRepository(u.Image, t.image.Name):
		case sameImage(u.Image, t.image):
			t.uses = append(t.uses, u.Location)
		default:
			rest = append(rest, u.Location)
		}
	}
	t.exactUse = len(t.uses) > 0
	t.uses = append(t.uses, rest...)
}

// baseLayers is how many of the image's layers are those of the base image: all
// of them in their order, or none.
func baseLayers(image *inventory.Image, base []string) int {
	if len(base) > len(image.Layers) {
		return 0
	}
	for i, id := range base {
		if image.Layers[i].DiffID != id {
			return 0
		}
	}
	return len(base)
}

// Describe says in a few words what findings were led back to, and where no
// Dockerfile matched, why.
func (t *Tracer) Describe() string {
	layers := fmt.Sprintf("%d layers", len(t.image.Layers))
	if len(t.image.Layers) == 1 {
		layers = "1 layer"
	}
	switch builder := withoutDockerfile(t.image); {
	case t.alignment != nil && t.alignment.merged:
		return layers + ", one of them for all of " + t.alignment.file.Path
	case t.alignment != nil:
		return layers + ", built by " + t.alignment.name()
	case builder != "":
		return layers + ", built by " + builder + " without a Dockerfile" + t.namedIn()
	case len(t.rejected) > 0:
		return layers + ", no Dockerfile matches its history" + t.namedIn() + ": " + strings.Join(t.rejected[:min(len(t.rejected), 3)], "; ")
	case len(t.uses) > 0:
		return layers + t.namedIn()
	default:
		return layers + ", no Dockerfile matches its history"
	}
}

func (t *Tracer) namedIn() string {
	if len(t.uses) == 0 {
		return ""
	}
	return ", named in " + t.uses[0].Path
}

// traced is what tracing makes of a finding.
type traced struct {
	places     []finding.Location
	confidence string
	why        string
	origin     finding.Origin
	// doubt is true when it is not certain that the instruction made the file.
	doubt bool
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
	r, in := t.trace(f, entry)
	if r.origin != finding.FromBaseImage && (in != nil || t.alignment == nil || t.alignment.merged) && !r.byName() {
		t.addLocked(&r, f, in)
	}
	f.Locations = append(r.places, f.Locations...)
	if f.Origin == "" {
		f.Origin = r.origin
	}
	if r.why != "" {
		f.Evidence = append(slices.Clone(f.Evidence), finding.Fact{Name: Fact, Value: strings.TrimPrefix(r.confidence+": "+r.why, ": ")})
	}
	return f
}

// byNameNote marks a place that names the package itself.
const byNameNote = "installed by name"

// byName reports that the user's own command names the package, so that no lock
// file can be where its version is decided.
func (r traced) byName() bool { return len(r.places) > 0 && r.places[0].Note == byNameNote }

// addLocked puts the line of the lock file first.
func (t *Tracer) addLocked(r *traced, f finding.Finding, in *dockerfile.Instruction) {
	l := t.findLocked(f, in)
	switch {
	case l.found:
		r.places = append([]finding.Location{l.place()}, r.places...)
		r.confidence = Likely
		if l.exact && !r.doubt {
			r.confidence = Exact
		}
		r.why, r.origin = joinWords(l.hit.File.Path+" is "+l.why, r.why), finding.FromBuild
	case l.why != "":
		r.why = joinWords(r.why, "no lock file line: "+l.why)
	}
}

func joinWords(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// trace leads to the Dockerfile or to the manifest. The instruction is the one
// that installed the package, in whichever stage.
func (t *Tracer) trace(f finding.Finding, entry int) (traced, *dockerfile.Instruction) {
	layer, known := t.layers[f.Locations[0].Layer]
	inBase := known && layer < t.base
	switch {
	case t.alignment != nil && entry >= 0:
		return t.fromEntry(f, entry, known && t.base > 0 && !inBase)
	case t.alignment != nil && entry == unset:
		return traced{places: []finding.Location{t.missingSetting()}, confidence: Exact, why: "no instruction makes the setting, which belongs into the last stage"}, nil
	}
	r := traced{}
	if inBase {
		r.origin, r.confidence, r.why = finding.FromBaseImage, Exact, fmt.Sprintf("layer %d is one of the %d of the base image", layer+1, t.base)
	}
	if t.alignment == nil {
		if len(t.uses) > 0 {
			t.fromUse(&r)
		}
		r.why = joinWords(r.why, t.unmatched())
	}
	return r, nil
}

// fromUse leads to the first place in the repository that names the image.
func (t *Tracer) fromUse(r *traced) {
	place := t.uses[0]
	place.Note = finding.NamesTheImage
	r.places = []finding.Location{place}
	confidence, what := Likely, "the image's repository"
	if t.exactUse {
		confidence, what = Exact, "the image"
	}
	why := fmt.Sprintf("line %d of %s names %s", place.Line, place.Path, what)
	if n := len(t.uses) - 1; n > 0 {
		why += fmt.Sprintf(", as %s", count(n, "other place does", "other places do"))
	}
	r.confidence, r.why = confidence, joinWords(r.why, why)
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// unmatched says why there is no line of a Dockerfile, or "".
func (t *Tracer) unmatched() string {
	if builder := withoutDockerfile(t.image); builder != "" {
		return "built by " + builder + " without a Dockerfile"
	}
	if len(t.rejected) > 0 {
		return "no Dockerfile matches the image's history"
	}
	return ""
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
