package origin

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// outputFolders are the folders that options of an installer name.
func outputFolders(c *shellscript.Command) []string {
	name, args := c.Name, c.Args
	switch {
	case strings.HasPrefix(name, "python") && len(args) > 2 && args[0].Text == "-m" && args[1].Text == "pip":
		name, args = "pip", args[2:]
	case strings.HasPrefix(name, "pip3"):
		name = "pip"
	}
	o, ok := outputOptions[name]
	if !ok {
		return nil
	}
	options, operands := optionsOf(name).split(args)
	if len(operands) == 0 || !slices.Contains(o.verbs, operands[0].Text) {
		return nil
	}
	var out []string
	for _, given := range options {
		if slices.Contains(o.options, given.name) && given.given && given.value.Known {
			out = append(out, given.value.Text)
		}
	}
	return out
}

// environments are the virtual environments into which a command of Python's
// installers puts packages: the one it is called from, the one that the script
// has activated, the one that VIRTUAL_ENV names.
func (s script) environments(in *dockerfile.Instruction, c *shellscript.Command) []string {
	if !slices.ContainsFunc([]string{"pip", "python", "uv", "poetry"}, func(p string) bool { return strings.HasPrefix(c.Name, p) }) || !installsPython(c) {
		return nil
	}
	var out []string
	if called := strings.Trim(s.at(shellscript.Arg{At: c.At}), `"'`); strings.HasPrefix(called, "/") && path.Base(path.Dir(called)) == "bin" {
		out = append(out, path.Dir(path.Dir(called)))
	}
	for _, other := range s.Commands {
		if (other.Name == "." || other.Name == "source") && len(other.Args) > 0 && other.Args[0].Known && path.Base(other.Args[0].Text) == "activate" {
			out = append(out, path.Dir(path.Dir(other.Args[0].Text)))
		}
	}
	if v, ok := in.Lookup("VIRTUAL_ENV"); ok && v.Known && strings.HasPrefix(v.Text, "/") {
		out = append(out, v.Text)
	}
	return slices.DeleteFunc(out, func(folder string) bool { return slices.Contains(systemFolders, folder) })
}

// installsPython reports whether a command installs packages of Python.
func installsPython(c *shellscript.Command) bool {
	return slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool { return a.Text == "install" || a.Text == "sync" })
}

// installedByName is the one command of a stage that installs the package of a
// finding by its name, where the stage's own database of packages is copied.
func installedByName(steps []*dockerfile.Instruction, finds func(*dockerfile.Instruction) bool) *maker {
	var found []*dockerfile.Instruction
	for _, in := range steps {
		if in.Keyword == "RUN" && finds(in) {
			found = append(found, in)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return &maker{in: found[0], exact: true, how: "installs the package"}
}
