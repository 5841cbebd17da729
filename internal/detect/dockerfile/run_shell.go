package dockerfile

import (
	"path"
	"regexp"
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// windowsText is what hardly anything but a Dockerfile for Windows holds.
var windowsText = regexp.MustCompile(`(?i)\bc:\\|\bcontainer(?:user|administrator)\b`)

// shellPragma is a comment "# hadolint shell=powershell": it names the shell of
// the steps below it, up to the next SHELL or the end of the stage.
type shellPragma struct {
	line  int
	shell string
}

var shellComment = regexp.MustCompile(`(?i)^(?:hadolint|portcullis)\s+shell\s*=\s*([\w./-]+)`)

func shellPragmas(f *df.File) []shellPragma {
	var out []shellPragma
	for _, c := range f.Comments {
		if m := shellComment.FindStringSubmatch(c.Text); m != nil {
			out = append(out, shellPragma{c.Line, strings.ToLower(path.Base(m[1]))})
		}
	}
	return out
}

// shellOf is the name of the shell that runs a step, and whether that is sure
// and not only the default of Linux.
func shellOf(in *df.Instruction, pragmas []shellPragma) (name string, sure bool) {
	i, _ := slices.BinarySearchFunc(pragmas, in.Line, func(p shellPragma, line int) int { return p.line - line })
	if i > 0 {
		since := 0
		if in.Stage != nil {
			since = in.Stage.From.Line
		}
		if in.ShellSetBy != nil {
			since = max(since, in.ShellSetBy.Line)
		}
		if p := pragmas[i-1]; p.line > since || in.Stage != nil && in.Stage.Index == 0 && in.ShellSetBy == nil {
			return p.shell, true
		}
	}
	switch {
	case len(in.Shell) > 0:
		return shellAmong(in.Shell), true
	case windowsBase(in):
		return "cmd", true
	}
	return "sh", false
}

// shellAmong is the name of the shell that a command line starts, also behind
// others such as env, busybox or conda run; without one, that of its program.
func shellAmong(words []string) string {
	var all []string
	for i, w := range words {
		w = strings.TrimPrefix(w, "--split-string=")
		if i > 0 && (words[i-1] == "-S" || words[i-1] == "--split-string") || w != words[i] {
			all = append(all, strings.Fields(w)...)
			continue
		}
		all = append(all, w)
	}
	first := ""
	for i, w := range all {
		name := programName(w)
		if shellscript.IsShell(name) {
			return name
		}
		passed := strings.HasPrefix(w, "-") || strings.Contains(w, "=")
		if i == 0 || first == "env" && !passed {
			first = name
		}
	}
	return first
}

// holdsScript reports whether a SHELL instruction has a script of its own, which
// then runs in each step, with the step's text as an argument.
func holdsScript(in *df.Instruction) bool {
	var words []string
	for _, a := range in.Args {
		words = append(words, a.Raw)
	}
	i := slices.IndexFunc(words, func(w string) bool {
		return strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.Contains(w, "c")
	})
	if i < 0 || !shellscript.IsShell(shellAmong(words)) {
		return false
	}
	for ; i < len(words) && strings.HasPrefix(words[i], "-"); i++ {
		if strings.HasSuffix(words[i], "o") {
			i++ // its value
		}
	}
	return i < len(words)
}

// programName is a program's name without its directory, on both systems.
func programName(word string) string {
	name := strings.ToLower(word)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return strings.TrimSuffix(name, ".exe")
}

// interpreter is the program that a script names in its first line. The builder
// looks for one in a step that is nothing but a here-document.
func interpreter(in *df.Instruction, script string) (string, bool) {
	line, _, _ := strings.Cut(script, "\n")
	line, ok := strings.CutPrefix(line, "#!")
	words := strings.Fields(line)
	if !ok || len(words) == 0 || !onlyHeredoc(in) {
		return "", false
	}
	return shellAmong(words), true
}

// windowsBase reports whether the instruction belongs to an image that is one of
// Windows, whatever the rest of the file says: Microsoft's own, or one that is
// asked for by --platform. A digest decides more than the tag beside it.
func windowsBase(in *df.Instruction) bool {
	if in.Stage == nil {
		return false
	}
	root := in.Stage.Root()
	if f, ok := root.From.Flag("platform"); ok && f.Value.Known && strings.HasPrefix(strings.ToLower(f.Value.Text), "windows") {
		return true
	}
	image := parseImage(strings.ToLower(root.Base.Value.Text))
	name, microsoft := strings.CutPrefix(image.Name, "mcr.microsoft.com/")
	switch {
	case !microsoft || !root.Base.Value.Known:
		return false
	case name == "windows", strings.HasPrefix(name, "windows/"):
		return true
	}
	return windowsTag(image)
}

// windowsTag reports whether the tag alone says that an image is one of Windows.
func windowsTag(image imageRef) bool {
	return image.Digest == "" && (strings.Contains(image.Tag, "nanoserver") || strings.Contains(image.Tag, "windowsservercore"))
}

// windowsName reports whether an image may be one of Windows by its name, which
// anybody can choose.
func windowsName(in *df.Instruction) bool {
	if in.Stage == nil {
		return false
	}
	base := strings.ToLower(in.Stage.Root().Base.Value.Text)
	for _, mark := range []string{"windows", "nanoserver", "servercore"} {
		if strings.Contains(base, mark) {
			return true
		}
	}
	return false
}

// windows reports whether the instruction belongs to a Windows image, by its
// base or by an escape character and a shell that belong together there.
func windows(in *df.Instruction) bool {
	if windowsBase(in) || in.Stage != nil && windowsTag(parseImage(strings.ToLower(in.Stage.Root().Base.Value.Text))) {
		return true
	}
	return in.File().Escape == '`' && len(in.Shell) > 0 && slices.Contains([]string{"powershell", "cmd"}, shellAmong(in.Shell))
}
