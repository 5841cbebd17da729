package origin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// alignment says which history entries of an image come from which
// instructions of a Dockerfile.
type alignment struct {
	file  *dockerfile.File
	stage *dockerfile.Stage
	// base is the number of history entries that the base image brought.
	base int
	// by are the instructions by their entries, from base on. An entry that
	// stands for several instructions has none.
	by map[int]*dockerfile.Instruction
	// steps are all instructions after the base image.
	steps []*dockerfile.Instruction
	// merged is true when one layer holds what several instructions made and
	// the configuration had to tell that the Dockerfile is the right one.
	merged bool
	// whole is the entry whose layer holds what all instructions made, although
	// the others have entries too; -1 when there is none.
	whole int
	// agreed is the number of instructions that agree with the end of the
	// history, also where the file as a whole does not. edited is true when the
	// next one has the right keyword with another text, as in a file that was
	// changed after the build.
	agreed int
	edited bool
}

// choose keeps the Dockerfile that describes the image.
func (t *Tracer) choose() {
	var rival string
	var others []*alignment
	for _, f := range t.opt.Dockerfiles {
		a, why := align(f, t.image, t.base)
		best := t.alignment
		switch {
		case why != "":
			t.rejected, others = append(t.rejected, f.Path+": "+why), append(others, a)
		case best == nil || a.beats(best):
			t.alignment, rival = a, ""
		case !best.beats(a) && f.Path != best.file.Path:
			rival = f.Path
		}
	}
	if rival != "" {
		t.refuse(fmt.Sprintf("%s and %s describe it equally well", t.alignment.file.Path, rival))
	}
	for _, other := range others {
		if t.alignment != nil && t.doubts(other) {
			t.refuse(fmt.Sprintf("%s agrees as far as %s does, and may have been changed since", other.file.Path, t.alignment.file.Path))
		}
	}
}

// refuse takes the choice back.
func (t *Tracer) refuse(why string) {
	t.rejected, t.alignment = append([]string{why}, t.rejected...), nil
}

// doubts reports that a file which does not describe the image agrees with all
// that speaks for the one that does, and differs from then on as a file does
// that was changed after the build. Where known layers end with the chosen
// file's base image, there is no doubt.
func (t *Tracer) doubts(other *alignment) bool {
	return other.edited && other.file.Path != t.alignment.file.Path && !t.alignment.merged &&
		other.agreed >= len(t.alignment.by) && !t.alignment.endsAbove(t.image, t.base)
}

// maxTargets is the number of stages up to which each is held against the
// image. Real files have some ten.
const maxTargets = 50

// align lays the instructions of a stage over the end of the image's history:
// those of the target that was given, else those of the stage that accounts for
// most of it. The text says what does not agree in the final stage, and is
// empty when a stage agrees.
func align(file *dockerfile.File, image *inventory.Image, baseLayers int) (*alignment, string) {
	final := file.Final()
	if final == nil {
		return &alignment{file: file}, "it has no stage to build"
	}
	best, why := alignStage(file, final, image, baseLayers)
	if file.Targeted() || len(file.Stages) > maxTargets {
		return best, why
	}
	var rival *alignment
	for _, stage := range file.Stages {
		if stage == final {
			continue
		}
		a, no := alignStage(file, stage, image, baseLayers)
		switch {
		case no != "":
		case why != "" || a.beats(best):
			best, why, rival = a, "", nil
		case best.beats(a) || best.stage == final || slices.Equal(a.steps, best.steps):
		default:
			rival = a
		}
	}
	if rival != nil {
		return best, fmt.Sprintf("its stages %s and %s describe it equally well", best.stage.Label(), rival.stage.Label())
	}
	return best, why
}

// beats reports that an alignment accounts for more of the history. One that
// leads each layer to its line beats one that leads all to one file.
func (a *alignment) beats(b *alignment) bool {
	return a.merged == b.merged && len(a.by) > len(b.by) || !a.merged && b.merged
}

// alignStage lays the instructions of one stage over the end of the image's
// history. All that the builder records must agree; if one does not, the image
// was built from something else, and a wrong line would be worse than none. The
// text says what did not agree.
func alignStage(file *dockerfile.File, stage *dockerfile.Stage, image *inventory.Image, baseLayers int) (*alignment, string) {
	a := &alignment{file: file, stage: stage, steps: stepsOf(stage), by: make(map[int]*dockerfile.Instruction), whole: -1}
	if len(a.steps) == 0 {
		return a, "it has no instruction besides FROM"
	}
	if len(image.History) == 0 {
		return a, "the image has no history"
	}
	if why := a.lay(image); why != "" {
		if reason, merged := a.layMerged(image); !merged {
			return a, why
		} else if reason != "" {
			return a, reason
		}
	}
	return a, a.checkBase(image, baseLayers)
}

// stepsOf are the instructions that make up the stage's image, with the
// triggers that stages of the same file left for their children.
func stepsOf(stage *dockerfile.Stage) []*dockerfile.Instruction {
	var steps []*dockerfile.Instruction
	for _, s := range stage.Ancestry() {
		if s.Parent != nil {
			for _, in := range s.Parent.Instructions {
				if in.Trigger != nil {
					steps = append(steps, in.Trigger)
				}
			}
		}
		steps = append(steps, s.Instructions...)
	}
	return steps
}

// lay pairs instructions with entries from the last one backwards.
func (a *alignment) lay(image *inventory.Image) string {
	history := image.History
	j := len(history) - 1
	for j >= 0 && isSquash(history[j]) {
		j--
	}
	kaniko := j >= 0 && isKaniko(history[j])
	if j >= 0 && !kaniko && trailingLabel(history[j], a.steps) {
		j-- // of --label, which the classic builder appends to the file
	}
	for i := len(a.steps) - 1; i >= 0; i-- {
		in := a.steps[i]
		last := i == len(a.steps)-1
		reason := "does not exist"
		if j >= 0 {
			reason = readStep(history[j]).disagrees(in, image.Config.Shell)
			if kaniko && (!isKaniko(history[j]) || !filesOnly(in) && !last) {
				reason = "is not of this build"
			}
		}
		if reason == "" {
			a.by[j] = in
			j--
			continue
		}
		if !unrecorded(in, kaniko) {
			a.agreed, a.edited = len(a.by), j >= 0 && readStep(history[j]).keyword == in.Keyword
			return fmt.Sprintf("line %d (%s) does not agree: %s %s", in.Line, in.Keyword, entryName(max(j, 0), len(history)), reason)
		}
	}
	if len(a.by) == 0 {
		return "its instructions leave no trace in the history"
	}
	a.base, a.agreed = j+1, len(a.by)
	a.whole = a.wholeEntry(image)
	return ""
}

func trailingLabel(h inventory.History, steps []*dockerfile.Instruction) bool {
	s := readStep(h)
	return h.EmptyLayer && s.keyword == "LABEL" && s.disagrees(steps[len(steps)-1], nil) != ""
}

// filesOnly are the instructions that can make a layer.
func filesOnly(in *dockerfile.Instruction) bool {
	switch in.Keyword {
	case "RUN", "COPY", "ADD", "WORKDIR":
		return true
	}
	return false
}

// unrecorded reports that a builder need not record the instruction: BuildKit
// leaves out ONBUILD; kaniko all that changes no file.
func unrecorded(in *dockerfile.Instruction, kaniko bool) bool {
	if in.Keyword == "ONBUILD" {
		return true
	}
	return kaniko && (!filesOnly(in) || in.Keyword == "WORKDIR")
}

// layMerged takes the last entry for the whole build, where the builder is
// known to write such: kaniko with --single-snapshot, buildah without layers.
// The image's configuration must then be that of the Dockerfile.
func (a *alignment) layMerged(image *inventory.Image) (reason string, merged bool) {
	n := len(image.History) - 1
	top := image.History[n]
	switch {
	case isWholeBuild(top):
		if recordsByHand(image.History[:n]) {
			return "the history below the last entry is that of a container which was changed by hand", true
		}
		if from, ok := strings.CutPrefix(top.Comment, "FROM "); ok && a.baseKnown() && !SameRepository(from, a.baseName()) {
			return "its base image is not the one that the history names", true
		}
	case isKaniko(top) && (n == 0 || !isKaniko(image.History[n-1])):
		if why := readStep(top).disagrees(a.steps[len(a.steps)-1], image.Config.Shell); why != "" {
			return fmt.Sprintf("line %d (%s) does not agree: %s %s", a.steps[len(a.steps)-1].Line,
				a.steps[len(a.steps)-1].Keyword, entryName(n, n+1), why), true
		}
	default:
		return "", false
	}
	a.by, a.base, a.merged = map[int]*dockerfile.Instruction{}, n, true
	return a.compareConfig(image.Config), true
}

func (a *alignment) baseKnown() bool  { return a.stage.Root().Base.Value.Known }
func (a *alignment) baseName() string { return a.stage.Root().Base.Value.Text }

// compareConfig says which setting of the Dockerfile the image does not have.
// At least one setting must be there to compare.
func (a *alignment) compareConfig(c inventory.Config) string {
	env := make(map[string]string)
	for _, e := range c.Env {
		k, v, _ := strings.Cut(e, "=")
		env[k] = v
	}
	compared := 0
	seen := make(map[string]bool)
	for _, in := range slices.Backward(a.steps) {
		for _, s := range settingsOf(in, c, env) {
			if seen[s.name] {
				continue // a later instruction has set it anew
			}
			seen[s.name] = true
			if !s.same {
				return fmt.Sprintf("line %d (%s) is not what the image's configuration has", in.Line, in.Keyword)
			}
			compared++
		}
	}
	if compared == 0 {
		return "one layer holds the whole build, and no setting tells that this file made it"
	}
	return ""
}

type setting struct {
	name string
	same bool
}

func settingsOf(in *dockerfile.Instruction, c inventory.Config, env map[string]string) []setting {
	var out []setting
	switch in.Keyword {
	case "CMD":
		out = append(out, setting{in.Keyword, slices.Equal(commandOf(in), c.Cmd)})
	case "ENTRYPOINT":
		out = append(out, setting{in.Keyword, slices.Equal(commandOf(in), c.Entrypoint)})
	case "USER", "STOPSIGNAL":
		if len(in.Args) == 1 && fixed(in.Args[0].Raw, in.Args[0].Value) {
			got := c.User
			if in.Keyword == "STOPSIGNAL" {
				got = c.StopSignal
			}
			out = append(out, setting{in.Keyword, got == in.Args[0].Value.Text})
		}
	case "ENV", "LABEL":
		values := env
		if in.Keyword == "LABEL" {
			values = c.Labels
		}
		for _, p := range in.Pairs {
			if fixed(p.Raw, p.Value) {
				out = append(out, setting{in.Keyword + " " + p.Key, values[p.Key] == p.Value.Text})
			}
		}
	}
	return out
}

// fixed reports that no argument of the build can change a value.
func fixed(raw string, v dockerfile.Value) bool { return v.Known && !strings.Contains(raw, "$") }

func commandOf(in *dockerfile.Instruction) []string {
	if !in.Exec {
		shell := in.Shell
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		return append(slices.Clone(shell), in.Body.S)
	}
	words := make([]string, len(in.Args))
	for i, w := range in.Args {
		words[i] = w.Value.Text
	}
	return words
}

// name is the file, with the stage where that is not the one that a build makes
// when nothing else is asked for.
func (a *alignment) name() string {
	if a.stage == a.file.Final() {
		return a.file.Path
	}
	return a.file.Path + " (stage " + a.stage.Label() + ")"
}

// makesFiles reports whether any of the instructions that agree makes files.
func (a *alignment) makesFiles() bool {
	return a.merged || slices.ContainsFunc(slices.Collect(maps.Values(a.by)), filesOnly)
}

// endsAbove reports that the known layers of the base image are those below the
// instructions, all of them and no more.
func (a *alignment) endsAbove(image *inventory.Image, baseLayers int) bool {
	under := 0
	for _, l := range image.Layers {
		if l.History >= 0 && l.History < a.base {
			under++
		}
	}
	return baseLayers > 0 && under == baseLayers
}

// checkBase holds what is left of the history against the base image.
func (a *alignment) checkBase(image *inventory.Image, baseLayers int) string {
	scratch := a.baseKnown() && a.baseName() == "scratch"
	under, loose := 0, false
	for _, l := range image.Layers {
		if l.History < 0 {
			loose = true
		} else if l.History < a.base {
			under++
		}
	}
	switch {
	case scratch && (a.base > 0 || loose):
		return "it starts from scratch, but the image has more history than the file"
	case !scratch && a.base == 0 && !loose:
		return "it starts from an image, but the history holds none"
	case baseLayers > under && !loose:
		return fmt.Sprintf("its base image has %d layers, but %d lie below its instructions", baseLayers, under)
	}
	return ""
}

// instruction returns the instruction behind a history entry, nil where one
// layer holds several; for entries of the base image it is the FROM that names
// the base.
func (a *alignment) instruction(entry int) (in *dockerfile.Instruction, fromBase bool) {
	if entry < a.base {
		return a.stage.Root().From, true
	}
	return a.by[entry], false
}

// before are the instructions of a stage's image up to and without in; all of
// them when in is nil or not among them.
func before(stage *dockerfile.Stage, in *dockerfile.Instruction) []*dockerfile.Instruction {
	steps := stepsOf(stage)
	if i := slices.Index(steps, in); i >= 0 {
		return steps[:i]
	}
	return steps
}
