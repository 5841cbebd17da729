package origin

import (
	"maps"
	"strings"
	"unicode"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
)

// agreesWithSetting compares an instruction that changes the configuration and
// no file. Builders write lists in different ways: as Go prints them, as JSON,
// or as they stand in the file.
func (s step) agreesWithSetting(in *dockerfile.Instruction, shell []string) bool {
	switch in.Keyword {
	case "CMD", "ENTRYPOINT":
		return s.agreesWithCommand(in, shell)
	case "EXPOSE":
		return s.agreesWithPorts(in)
	case "VOLUME", "STOPSIGNAL":
		return s.agreesWithWords(in)
	case "HEALTHCHECK":
		kind, command := healthCheck(in.Body.S)
		recordedKind, recorded := healthCheck(s.body)
		return kind == recordedKind && sameMarks(recorded, command)
	}
	return sameMarks(s.body, in.Body.S) // SHELL, MAINTAINER, ONBUILD
}

// agreesWithCommand compares words; in shell form a shell comes before them.
func (s step) agreesWithCommand(in *dockerfile.Instruction, shell []string) bool {
	if in.Exec {
		words := make([]string, len(in.Args))
		for i, w := range in.Args {
			words[i] = w.Value.Text
		}
		return sameMarks(s.body, strings.Join(words, " ")) || sameMarks(s.body, in.Body.S)
	}
	shells := append([]string{"", strings.Join(in.Shell, " "), strings.Join(shell, " ")}, defaultShells...)
	for _, sh := range shells {
		if sameMarks(s.body, sh+" "+in.Body.S) {
			return true
		}
	}
	return false
}

// agreesWithPorts compares ports as a set. What a variable or a range stands
// for is not known here.
func (s step) agreesWithPorts(in *dockerfile.Instruction) bool {
	want := map[string]bool{}
	for _, w := range in.Args {
		if strings.ContainsAny(w.Raw, "$-:") {
			return true
		}
		want[port(w.Value.Text)] = true
	}
	got := map[string]bool{}
	recorded := strings.NewReplacer("map[", " ", "[", " ", "]", " ", ":{}", " ", ",", " ", `"`, " ").Replace(s.body)
	for _, word := range strings.Fields(recorded) {
		got[port(word)] = true
	}
	return maps.Equal(want, got)
}

// port spells the default protocol out.
func port(s string) string {
	s = strings.ToLower(s)
	if !strings.Contains(s, "/") {
		s += "/tcp"
	}
	return s
}

func (s step) agreesWithWords(in *dockerfile.Instruction) bool {
	recorded := strings.Fields(strings.NewReplacer("[", " ", "]", " ", ",", " ", `"`, " ").Replace(s.body))
	if len(recorded) != len(in.Args) {
		return false
	}
	for i, w := range in.Args {
		if !wild(w, recorded[i]) && recorded[i] != w.Value.Text {
			return false
		}
	}
	return true
}

// healthCheck are the kind, CMD or NONE, and the command of a HEALTHCHECK as it
// is written or as Go prints it: &{["CMD-SHELL" "test -f x"] "30s" …}.
func healthCheck(text string) (kind, command string) {
	if list, ok := strings.CutPrefix(text, "&{["); ok {
		if end := strings.LastIndexByte(list, ']'); end >= 0 {
			list = list[:end]
		}
		kind, command, _ = strings.Cut(list, " ")
		kind = strings.TrimSuffix(strings.Trim(kind, `"`), "-SHELL")
		return kind, command
	}
	text = flagWords.ReplaceAllString(text, "")
	kind, command, _ = strings.Cut(text, " ")
	return strings.ToUpper(kind), command
}

// sameMarks compares a record with text by what is left without blanks, quotes
// and the marks of lists. In a record that Go has quoted, \t stands for a blank
// and \\ for a backslash.
func sameMarks(recorded, text string) bool {
	want := marks(text)
	return marks(recorded) == want || marks(unquoteBlanks.Replace(recorded)) == want
}

var unquoteBlanks = strings.NewReplacer(`\\`, `\`, `\t`, " ", `\n`, " ", `\r`, " ")

func marks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(`[]",'\`, r) {
			return -1
		}
		return r
	}, s)
}
