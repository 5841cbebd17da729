package origin

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// maker is the instruction that made a file of a build stage.
type maker struct {
	in *dockerfile.Instruction
	// exact is true when the instruction names the file as its output.
	exact bool
	how   string
	// filler is true when a program is known to fill the file's folder, rivals
	// are the commands before it that fill the folder too.
	filler bool
	rivals []*dockerfile.Instruction
	// folder is true for the copy of a folder that may or may not hold the file.
	folder bool
	// changed is a later instruction that may have written the file anew.
	changed *dockerfile.Instruction
}

// settle decides between several commands that fill a folder, where one of them
// installs packages by name: the one that names the finding's package made it,
// and of any other package it cannot be told.
func (m *maker) settle(f finding.Finding) {
	all := append([]*dockerfile.Instruction{m.in}, m.rivals...)
	if f.Package == nil || len(all) == 1 {
		return
	}
	var naming, reading []*dockerfile.Instruction
	for _, in := range all {
		if _, ok := findInstalled(in, f.Package); ok {
			naming = append(naming, in)
		}
		if !usesOf(in, f.Package.Type).named {
			reading = append(reading, in)
		}
	}
	switch {
	case len(naming) == 1:
		m.in = naming[0]
	case len(naming) > 1 || len(reading) < len(all):
		m.exact = false
		if len(reading) > 0 {
			m.in = reading[0]
		}
	}
}

// maxStages bounds how far copies are followed from stage to stage.
const maxStages = 16

// target is where COPY or ADD writes to, as an absolute path.
func target(in *dockerfile.Instruction) (string, bool) {
	if len(in.Args) < 2 || !in.Args[len(in.Args)-1].Value.Known {
		return "", false
	}
	return absolute(in, in.Args[len(in.Args)-1].Value.Text)
}

// absolute is a path as the instruction's working directory makes it.
func absolute(in *dockerfile.Instruction, file string) (string, bool) {
	switch {
	case strings.HasPrefix(file, "/"):
		return path.Clean(file), true
	case in.Workdir.Known && strings.HasPrefix(in.Workdir.Path, "/"):
		return path.Join(in.Workdir.Path, file), true
	}
	return "", false
}

// copiedFrom is the path that a file of the image had before COPY brought it to
// its place, relative to the stage or context that it was copied from.
func copiedFrom(in *dockerfile.Instruction, file string) (string, bool) {
	to, ok := target(in)
	if !ok || !inside(file, to) {
		return "", false
	}
	sources := in.Args[:len(in.Args)-1]
	intoFolder := strings.HasSuffix(in.Args[len(in.Args)-1].Value.Text, "/") || len(sources) > 1
	rel := strings.TrimPrefix(strings.TrimPrefix(path.Clean(file), to), "/")
	first, _, _ := strings.Cut(rel, "/")
	for _, src := range sources {
		if !src.Value.Known || strings.ContainsAny(src.Value.Text, "*?[") {
			continue
		}
		from := path.Clean(src.Value.Text)
		if rel == "" || rel == path.Base(from) {
			return path.Join(path.Dir(from), path.Base(from)), true
		}
		if intoFolder && len(sources) > 1 && first != path.Base(from) {
			continue
		}
		if len(sources) == 1 {
			return path.Join(from, rel), true
		}
	}
	return "", false
}

// makerOf looks for the last instruction of a stage that made a file. Nil means
// that the instructions do not tell.
func (t *Tracer) makerOf(stage *dockerfile.Stage, file string, depth int) *maker {
	var changed *dockerfile.Instruction // the last that may have written the file anew
	var folder *maker                   // the copy of a folder that may hold the file
	steps := stepsOf(stage)
	for i, in := range slices.Backward(steps) {
		var m *maker
		switch in.Keyword {
		case "RUN":
			m = t.scripts.of(in).runMaker(in, file)
		case "COPY", "ADD":
			m = t.copyMaker(in, file, depth)
		default:
			continue
		}
		switch {
		case m == nil:
			if changed == nil && in.Keyword == "RUN" && t.scripts.of(in).mayWrite(in, file) {
				changed = in
			}
		case m.folder:
			if changed == nil {
				changed, folder = in, m
			}
		case folder != nil && !m.exact:
			return folder
		default:
			if changed != nil {
				m.exact, m.changed = false, changed
			}
			if m.in == in && m.filler {
				m.rivals = t.fillersIn(steps[:i], file)
			}
			return m
		}
	}
	return folder
}

// fillersIn are the commands that fill the file's folder, the last one first.
func (t *Tracer) fillersIn(steps []*dockerfile.Instruction, file string) []*dockerfile.Instruction {
	var fillers []*dockerfile.Instruction
	for _, in := range slices.Backward(steps) {
		if in.Keyword != "RUN" {
			continue
		}
		if m := t.scripts.of(in).runMaker(in, file); m != nil && m.filler {
			fillers = append(fillers, in)
		}
	}
	return fillers
}

// copyMaker says what a COPY that may have put the file there leads to; nil
// where it cannot have.
func (t *Tracer) copyMaker(in *dockerfile.Instruction, file string, depth int) *maker {
	to, ok := target(in)
	if !ok || !inside(file, to) {
		return nil
	}
	from, known := copiedFrom(in, file)
	for _, ref := range in.StageRefs() {
		if ref.Stage == nil || !known || depth >= maxStages {
			continue
		}
		if m := t.makerOf(ref.Stage, path.Join("/", from), depth+1); m != nil {
			return m
		}
	}
	if _, other := in.Flag("from"); !other && known && t.unseen(in, from) {
		return nil
	}
	// Of a folder it is not known whether it holds the file.
	named := known && (to == file || path.Dir(file) == to && hasSource(in, path.Base(file)))
	return &maker{in: in, exact: named, folder: !named, how: "copies it"}
}

// passive commands name files without making them.
var passive = []string{
	"chmod", "chown", "chgrp", "strip", "ls", "rm", "rmdir", "test", "[", "mkdir", "file", "ldd", "cat", "echo", "printf",
	"upx", "setcap", "sha256sum", "du", "find", "cd", "true", "export",
}

// outputs are folders, relative to the working directory, in which programs
// leave what they build when nothing else is said.
var outputs = []struct {
	programs []string
	verbs    []string
	folder   string
}{
	{[]string{"npm", "yarn", "pnpm", "bun"}, []string{"ci", "install", "i", ""}, "node_modules"},
	{[]string{"cargo"}, []string{"build"}, "target"},
	{[]string{"mvn", "mvnw"}, nil, "target"},
	{[]string{"gradle", "gradlew"}, nil, "build"},
	{[]string{"bundle"}, []string{"install"}, "vendor"},
	{[]string{"composer"}, []string{"install"}, "vendor"},
	{[]string{"uv"}, []string{"sync"}, ".venv"},
	{[]string{"pdm"}, []string{"install", "sync"}, ".venv"},
}

// outputOptions name the folder into which a program installs or publishes.
var outputOptions = map[string]struct{ verbs, options []string }{
	"pip":    {[]string{"install"}, []string{"--prefix", "--target", "-t", "--root"}},
	"uv":     {[]string{"pip"}, []string{"--prefix", "--target", "--root"}},
	"cargo":  {[]string{"install"}, []string{"--root"}},
	"dotnet": {[]string{"publish", "build"}, []string{"-o", "--output"}},
	"gem":    {[]string{"install"}, []string{"-i", "--install-dir"}},
}

// runMaker says whether a RUN made the file: by an option that names the
// output, by the folder that its program writes to, or by naming the path.
func (s script) runMaker(in *dockerfile.Instruction, file string) *maker {
	moves := s.moves()
	for _, c := range s.Commands {
		if builds(in, c, file, moves) {
			return &maker{in: in, exact: true, how: "builds it"}
		}
	}
	for _, c := range s.Commands {
		if folder := s.filled(in, c, file); folder != "" && !moves {
			return &maker{in: in, exact: true, how: "makes " + folder, filler: true}
		}
	}
	for _, c := range s.Commands {
		if !slices.Contains(passive, c.Name) && !s.runsOther(c) && commandNames(c, file) {
			return &maker{in: in, how: "names its path"}
		}
	}
	return nil
}

// moves reports whether a script changes its folder, so that it is not known
// where relative paths lie.
func (s script) moves() bool {
	return slices.ContainsFunc(s.Commands, func(c *shellscript.Command) bool { return c.Name == "cd" || c.Name == "pushd" })
}

// builds reports whether an option of the command names the file, or the folder
// that ends in a slash, as its output.
func builds(in *dockerfile.Instruction, c *shellscript.Command, file string, moves bool) bool {
	out, ok := outputOf(c)
	if !ok {
		return false
	}
	made := path.Clean(out)
	if !strings.HasPrefix(out, "/") {
		folder, told := worksIn(c)
		if made, ok = absolute(in, path.Join(folder, out)); moves || !told || !ok {
			return false
		}
	}
	return made == file || strings.HasSuffix(out, "/") && path.Dir(file) == made
}

// filled is the folder that the command's program fills, if the file is in it.
func (s script) filled(in *dockerfile.Instruction, c *shellscript.Command, file string) string {
	for _, folder := range append(outputFolders(c), s.environments(in, c)...) {
		if p, ok := absolute(in, folder); ok && inside(file, p) && p != "/" {
			return folder
		}
	}
	for _, o := range outputs {
		if !slices.Contains(o.programs, c.Name) || !hasVerb(c, o.verbs) {
			continue
		}
		work, told := worksIn(c)
		if folder, ok := absolute(in, path.Join(work, o.folder)); told && ok && inside(file, folder) {
			return o.folder
		}
	}
	return ""
}

func hasVerb(c *shellscript.Command, verbs []string) bool {
	if verbs == nil {
		return true
	}
	verb := ""
	if operands := operandsOf(c); len(operands) > 0 {
		verb = operands[0].Text
	}
	return slices.Contains(verbs, verb)
}

// outputOf is the value of -o or --output of a compiler.
func outputOf(c *shellscript.Command) (string, bool) {
	switch c.Name {
	case "go", "gcc", "g++", "cc", "clang", "ld", "rustc", "curl", "tinygo", "garble":
	default:
		return "", false
	}
	for i, a := range c.Args {
		if (a.Text == "-o" || a.Text == "--output") && i+1 < len(c.Args) && c.Args[i+1].Known {
			return c.Args[i+1].Text, true
		}
		if v, ok := strings.CutPrefix(a.Text, "-o="); ok && a.Known {
			return v, true
		}
	}
	return "", false
}

// systemFolders are named for so many reasons that they tell nothing.
var systemFolders = []string{"/", "/usr", "/usr/local", "/usr/bin", "/usr/local/bin", "/usr/lib", "/usr/local/lib", "/bin", "/lib", "/etc", "/var", "/tmp", "/opt", "/home", "/root", "/app", "/src"}

// commandNames reports whether an argument or output is the file or one of its
// folders that is not everybody's.
func commandNames(c *shellscript.Command, file string) bool {
	var texts []string
	for _, a := range c.Args {
		texts = append(texts, a.Text)
	}
	for _, a := range c.Redirects {
		texts = append(texts, a.Text)
	}
	for p := path.Clean(file); strings.HasPrefix(p, "/") && !slices.Contains(systemFolders, p); p = path.Dir(p) {
		for _, text := range texts {
			text = strings.TrimSuffix(text, "/")
			if text == p || strings.HasSuffix(text, "="+p) {
				return true
			}
		}
	}
	return false
}
