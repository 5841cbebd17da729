package origin

import (
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// step is a history entry read as the instruction that made it.
type step struct {
	keyword string
	// body is what follows the keyword with blanks folded; for RUN the command
	// as the builder recorded it.
	body string
}

var (
	// classicMark is how the classic builder and buildah record everything
	// but RUN.
	classicMark = regexp.MustCompile(`^/bin/sh -c #\(nop\)\s+`)
	keywordHead = regexp.MustCompile(`^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\b\s*`)
	// buildArgs is the mark for build arguments before a command: |1 A=b.
	buildArgs = regexp.MustCompile(`^\|\d+ `)
	blanks    = regexp.MustCompile(`\s+`)
)

// buildkitSuffix ends the entries that BuildKit writes for layers.
const buildkitSuffix = "# buildkit"

// readStep reads one history entry. What names no instruction was a RUN of the
// classic builder, which records the bare command.
func readStep(h inventory.History) step {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(h.CreatedBy), buildkitSuffix))
	text = classicMark.ReplaceAllString(text, "")
	if m := keywordHead.FindString(text); m != "" {
		return step{strings.TrimSpace(m), fold(text[len(m):])}
	}
	return step{"RUN", fold(text)}
}

func fold(s string) string { return strings.TrimSpace(blanks.ReplaceAllString(s, " ")) }

// agrees reports whether the history entry can be the given instruction:
// the keyword must be the same, and where both sides tell, the text too.
func (s step) agrees(in *dockerfile.Instruction) bool {
	if s.keyword != in.Keyword {
		return false
	}
	switch in.Keyword {
	case "RUN":
		return s.agreesWithRun(in)
	case "COPY", "ADD":
		return s.agreesWithCopy(in)
	case "ENV", "LABEL", "ARG":
		return len(in.Pairs) == 0 || strings.HasPrefix(s.body, in.Pairs[0].Key)
	case "USER", "WORKDIR":
		return len(in.Args) == 0 || !in.Args[0].Value.Known || s.body == fold(in.Args[0].Value.Text) ||
			strings.HasSuffix(s.body, strings.TrimSuffix(fold(in.Args[0].Value.Text), "/"))
	default:
		return true
	}
}

// agreesWithRun compares the command. Shells and build arguments come before
// it in the record; a here-document is recorded in the builder's own way and
// is compared by its first line only.
func (s step) agreesWithRun(in *dockerfile.Instruction) bool {
	command := fold(in.Body.S)
	if in.Exec {
		words := make([]string, len(in.Args))
		for i, w := range in.Args {
			words[i] = w.Raw
		}
		command = fold(strings.Join(words, " "))
	}
	if len(in.Heredocs) > 0 {
		first, _, _ := strings.Cut(strings.TrimLeft(in.Heredocs[0].Content, "\n"), "\n")
		return strings.Contains(s.body, fold(first)) || strings.Contains(s.body, command)
	}
	if buildArgs.MatchString(s.body) || command != "" {
		return strings.HasSuffix(s.body, command)
	}
	return true
}

// agreesWithCopy compares the target, the last word of both sides: sources are
// recorded as digests by some builders.
func (s step) agreesWithCopy(in *dockerfile.Instruction) bool {
	if len(in.Args) == 0 || len(in.Heredocs) > 0 {
		return true
	}
	target := in.Args[len(in.Args)-1].Value
	if !target.Known {
		return true
	}
	recorded := s.body[strings.LastIndexByte(s.body, ' ')+1:]
	want := strings.TrimSuffix(strings.TrimPrefix(target.Text, "./"), "/")
	return want == "" || want == "." || strings.HasSuffix(strings.TrimSuffix(recorded, "/"), want)
}

// alignment says which history entries of an image come from which
// instructions of a Dockerfile.
type alignment struct {
	file  *dockerfile.File
	stage *dockerfile.Stage
	// base is the number of history entries that the base image brought.
	base int
	// steps are the instructions for the entries from base on.
	steps []*dockerfile.Instruction
}

// align lays the instructions of the file's final stage over the end of the
// image's history. Each instruction makes one entry, so all of them must
// agree; if one does not, the image was built from something else, and a
// wrong line would be worse than none.
func align(file *dockerfile.File, history []inventory.History) (alignment, bool) {
	stage := file.Final()
	if stage == nil {
		return alignment{}, false
	}
	a := alignment{file: file, stage: stage}
	for _, in := range stage.Chain() {
		if in.Keyword != "FROM" {
			a.steps = append(a.steps, in)
		}
	}
	a.base = len(history) - len(a.steps)
	if a.base < 0 || len(a.steps) == 0 {
		return alignment{}, false
	}
	for i, in := range a.steps {
		if !readStep(history[a.base+i]).agrees(in) {
			return alignment{}, false
		}
	}
	return a, true
}

// instruction returns the instruction behind a history entry; for entries of
// the base image it is the FROM that names the base.
func (a alignment) instruction(entry int) (in *dockerfile.Instruction, fromBase bool) {
	if entry < a.base {
		return a.stage.Root().From, true
	}
	return a.steps[entry-a.base], false
}
