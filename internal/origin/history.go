package origin

import (
	"fmt"
	"path"
	"regexp"
	"slices"
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
	flagWords = regexp.MustCompile(`^(--[a-z-]+(=\S*)?\s+)+`)
	// classicCopy is the source of a copy as the classic builder and buildah
	// record it: a digest of what was copied. The classic builder puts no blank
	// behind the owner.
	classicCopy = regexp.MustCompile(`^(?:--chown=\S+? ?)?(?:file|dir|multi):[0-9a-f]+ in `)
)

// buildkitSuffix ends the entries that BuildKit writes for layers.
const buildkitSuffix = "# buildkit"

// readStep reads one history entry. What names no instruction was a RUN of the
// classic builder, which records the bare command.
func readStep(h inventory.History) step {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(h.CreatedBy), buildkitSuffix))
	text = classicMark.ReplaceAllString(text, "")
	if isKaniko(h) { // which records the instruction as it is written
		word, rest, _ := strings.Cut(text, " ")
		text = strings.ToUpper(word) + " " + rest
	}
	if m := keywordHead.FindString(text); m != "" {
		return step{strings.TrimSpace(m), fold(text[len(m):])}
	}
	return step{"RUN", fold(text)}
}

func fold(s string) string { return strings.TrimSpace(blanks.ReplaceAllString(s, " ")) }

// disagrees says in a few words why the history entry cannot be the given
// instruction, or "" when it can: keyword and text must be the same as far as
// both sides tell. It quotes neither, for both may hold a secret.
func (s step) disagrees(in *dockerfile.Instruction, shell []string) string {
	if s.keyword != in.Keyword {
		return "is " + s.keyword
	}
	ok := true
	switch in.Keyword {
	case "RUN":
		ok = s.agreesWithRun(in, shell)
	case "COPY", "ADD":
		ok = s.agreesWithCopy(in)
	case "ENV", "LABEL":
		ok = s.agreesWithPairs(in)
	case "ARG":
		ok = len(in.Pairs) == 0 || s.body == in.Pairs[0].Key || strings.HasPrefix(s.body, in.Pairs[0].Key+"=") ||
			strings.HasPrefix(s.body, in.Pairs[0].Key+" ")
	case "USER", "WORKDIR":
		ok = len(in.Args) == 0 || s.agreesWithWord(in)
	default:
		ok = s.agreesWithSetting(in, shell)
	}
	if !ok {
		return "is " + s.keyword + " with another text"
	}
	return ""
}

// defaultShells come before the command where a base image's shell is unknown.
var defaultShells = []string{"/bin/sh -c", "/bin/bash -c", "cmd /S /C", "powershell -Command"}

// agreesWithRun compares the command. Shell and build arguments come before
// it in the record; a here-document is recorded in the builder's own way and
// is compared by its lines.
func (s step) agreesWithRun(in *dockerfile.Instruction, shell []string) bool {
	recorded := flagWords.ReplaceAllString(s.body, "")
	if len(in.Heredocs) > 0 {
		return agreesWithHeredoc(recorded, in)
	}
	commands := []string{fold(in.Body.S)}
	if in.Exec {
		words := make([]string, len(in.Args))
		for i, w := range in.Args {
			words[i] = w.Raw
		}
		commands = append(commands, fold(strings.Join(words, " ")))
	}
	for _, command := range commands {
		head, ok := strings.CutSuffix(recorded, command)
		if ok && command != "" && runHead(strings.TrimSpace(head), in, shell) {
			return true
		}
	}
	return false
}

// runHead reports whether what stands before a command is what builders put
// there: nothing, build arguments, a shell.
func runHead(head string, in *dockerfile.Instruction, shell []string) bool {
	shells := append([]string{strings.Join(in.Shell, " "), strings.Join(shell, " ")}, defaultShells...)
	for _, sh := range shells {
		if rest, ok := strings.CutSuffix(head, sh); ok && (sh != "" || in.Exec || head == "") {
			rest = strings.TrimSpace(rest)
			if rest == "" || buildArgs.MatchString(rest+" ") {
				return true
			}
		}
	}
	return false
}

// agreesWithHeredoc asks for all lines of the documents in their order; a
// document with an interpreter of its own is recorded by its mark alone.
func agreesWithHeredoc(recorded string, in *dockerfile.Instruction) bool {
	rest, found := recorded, false
	for _, doc := range in.Heredocs {
		if strings.HasPrefix(strings.TrimSpace(doc.Content), "#!") && strings.Contains(rest, doc.Name) {
			found = true
			continue
		}
		for line := range strings.Lines(doc.Content) {
			line = fold(line)
			if line == "" {
				continue
			}
			i := strings.Index(rest, line)
			if i < 0 {
				return false
			}
			rest, found = rest[i+len(line):], true
		}
	}
	return found
}

// agreesWithCopy compares sources and target. The classic builder and buildah
// record a digest in place of the sources.
func (s step) agreesWithCopy(in *dockerfile.Instruction) bool {
	if len(in.Args) == 0 {
		return false
	}
	target := in.Args[len(in.Args)-1]
	if m := classicCopy.FindString(s.body); m != "" {
		return agreesWithTarget(s.body[len(m):], target, in)
	}
	recorded := strings.Fields(flagWords.ReplaceAllString(s.body, ""))
	if len(recorded) == 0 {
		return false
	}
	if !agreesWithTarget(recorded[len(recorded)-1], target, in) {
		return false
	}
	if len(in.Heredocs) > 0 || in.Exec || strings.HasPrefix(s.body, "[") {
		return true
	}
	if len(recorded) != len(in.Args) {
		return false
	}
	for i, w := range in.Args[:len(in.Args)-1] {
		if !wild(w, recorded[i]) && strings.TrimPrefix(recorded[i], "./") != strings.TrimPrefix(w.Value.Text, "./") {
			return false
		}
	}
	return true
}

func agreesWithTarget(recorded string, target dockerfile.Word, in *dockerfile.Instruction) bool {
	recorded = strings.Trim(recorded, `"]`)
	if wild(target, recorded) {
		return true
	}
	same := func(a, b string) bool { return path.Clean(a) == path.Clean(b) }
	return same(recorded, target.Value.Text) || in.Workdir.Known && same(recorded, path.Join(in.Workdir.Path, target.Value.Text))
}

// agreesWithPairs compares names and values of ENV and LABEL.
func (s step) agreesWithPairs(in *dockerfile.Instruction) bool {
	rest := s.body
	for _, p := range in.Pairs {
		i := strings.Index(rest, p.Key)
		if i < 0 || i > 0 && rest[i-1] != ' ' && rest[i-1] != '"' {
			return false
		}
		rest = rest[i+len(p.Key):]
		if strings.Contains(p.Raw, "$") || !p.Value.Known {
			continue // the build's arguments decide
		}
		value := fold(p.Value.Text)
		i = strings.Index(rest, value)
		if i < 0 || i > 2 { // ="
			return false
		}
		rest = rest[i+len(value):]
		if strings.Trim(rest, `"'`) != "" && !strings.HasPrefix(strings.TrimLeft(rest, `"'`), " ") {
			return false
		}
	}
	return len(in.Pairs) > 0
}

func (s step) agreesWithWord(in *dockerfile.Instruction) bool {
	w := in.Args[0]
	if wild(w, s.body) {
		return true
	}
	want := fold(w.Value.Text)
	if in.Keyword == "USER" {
		return s.body == want
	}
	// BuildKit records the working directory in full, from the base image's on.
	got := path.Clean(s.body)
	return got == path.Clean(want) || !strings.HasPrefix(want, "/") && strings.HasSuffix(got, "/"+strings.TrimPrefix(path.Clean(want), "./"))
}

// wild compares a word with the record where variables stand for any text:
// the build may have been given arguments that nobody here knows.
func wild(w dockerfile.Word, recorded string) bool {
	if w.Value.Known && w.Value.Text == recorded {
		return true
	}
	refs := dockerfile.References(w.Raw, '\\')
	if len(refs) == 0 {
		return false
	}
	var pattern strings.Builder
	at := 0
	for _, ref := range refs {
		if ref.Start < at {
			continue // inside the default of another
		}
		pattern.WriteString(regexp.QuoteMeta(w.Raw[at:ref.Start]) + ".*")
		at = max(at, min(ref.End, len(w.Raw)))
	}
	pattern.WriteString(regexp.QuoteMeta(w.Raw[at:]))
	re, err := regexp.Compile("^" + strings.ReplaceAll(pattern.String(), `"`, `"?`) + "$")
	return err == nil && re.MatchString(recorded)
}

// foreign are builders that use no Dockerfile, by what they leave in history.
// The texts are those that the programs write.
var foreign = []struct {
	name    string
	matches func(inventory.History) bool
}{
	{"ko", func(h inventory.History) bool { return h.Author == "ko" || strings.HasPrefix(h.CreatedBy, "ko build ") }},
	{"Jib", func(h inventory.History) bool { return h.Author == "Jib" || strings.HasPrefix(h.CreatedBy, "jib-") }},
	{"Bazel", func(h inventory.History) bool {
		return h.Author == "Bazel" || strings.HasPrefix(h.CreatedBy, "bazel build ")
	}},
	{"apko", func(h inventory.History) bool { return h.Author == "apko" || strings.HasPrefix(h.CreatedBy, "apko") }},
	{"Buildpacks", func(h inventory.History) bool { return strings.HasPrefix(h.CreatedBy, "Buildpacks ") }},
}

// withoutDockerfile names the builder of the image's top layer when it is one
// that reads no Dockerfile.
func withoutDockerfile(image *inventory.Image) string {
	for label := range image.Config.Labels {
		if strings.HasPrefix(label, "io.buildpacks.") {
			return "Buildpacks"
		}
	}
	for _, h := range slices.Backward(image.History) {
		for _, f := range foreign {
			if f.matches(h) {
				return f.name
			}
		}
		if !h.EmptyLayer {
			break
		}
	}
	return ""
}

// isKaniko: kaniko signs each entry that it makes.
func isKaniko(h inventory.History) bool { return h.Author == "kaniko" }

// isSquash: docker build --squash ends the history with one entry for all files
// and leaves the entries of the instructions without layers.
func isSquash(h inventory.History) bool {
	return strings.HasPrefix(h.Comment, "merge sha256:") && !h.EmptyLayer
}

// isWholeBuild: buildah without --layers records one entry for the whole build,
// a bare shell, with the base image in the comment. Without that it is a commit
// of a container in which somebody worked by hand.
func isWholeBuild(h inventory.History) bool {
	return !h.EmptyLayer && (h.CreatedBy == "/bin/sh" || strings.HasSuffix(h.CreatedBy, "|/bin/sh")) && isBuildah(h)
}

// recordsByHand reports that a history ends with commands that made no layer of
// their own: buildah commit notes them where run and copy were called with
// --add-history. They are of no Dockerfile, and not of the base image either.
func recordsByHand(history []inventory.History) bool {
	for _, h := range slices.Backward(history) {
		if !h.EmptyLayer {
			return false
		}
		switch readStep(h).keyword {
		case "RUN", "COPY", "ADD":
			return true
		}
	}
	return false
}

// isBuildah: buildah says in the comment of a layer's entry what it was built on.
func isBuildah(h inventory.History) bool { return strings.HasPrefix(h.Comment, "FROM ") }

// entryName names an entry without quoting it.
func entryName(i, of int) string { return fmt.Sprintf("entry %d of %d in the history", i+1, of) }
