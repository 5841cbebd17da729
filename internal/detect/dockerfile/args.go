package dockerfile

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// options describes how a command reads its options: which take a value in the
// next word. An option with its value in the same word needs no entry.
type options struct {
	// short are the one-letter options with a value.
	short string
	// long are the long options with a value, with their dashes.
	long map[string]bool
	// whole is set for commands that do not join one-letter options.
	whole bool
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// option is one option of a command line.
type option struct {
	// Name is with dashes: -y, --yes; one letter of a group is apart.
	Name  string
	Value string
	// HasValue is true when a value was given.
	HasValue bool
	// Arg is the word that holds the name, ValueArg the one with the value.
	Arg, ValueArg shellscript.Arg
}

// commandLine is a command's arguments split into options and operands.
type commandLine struct {
	Options  []option
	Operands []shellscript.Arg
}

// split reads a command line. Everything after "--" is an operand.
func split(args []shellscript.Arg, o options) commandLine {
	var cl commandLine
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a.Text == "--":
			cl.Operands = append(cl.Operands, args[i+1:]...)
			return cl
		case strings.HasPrefix(a.Text, "--") || o.whole && len(a.Text) > 1 && a.Text[0] == '-':
			name, value, has := strings.Cut(a.Text, "=")
			from := a
			if !has && o.long[name] && i+1 < len(args) {
				i++
				value, has, from = args[i].Text, true, args[i]
			}
			cl.Options = append(cl.Options, option{name, value, has, a, from})
		case len(a.Text) > 1 && a.Text[0] == '-':
			i += cl.group(a, args[i+1:], o)
		default:
			cl.Operands = append(cl.Operands, a)
		}
	}
	return cl
}

// group reads joined one-letter options such as -fsSLo file and returns how
// many of the following words it used up.
func (cl *commandLine) group(a shellscript.Arg, rest []shellscript.Arg, o options) int {
	for i := 1; i < len(a.Text); i++ {
		name := "-" + a.Text[i:i+1]
		if strings.IndexByte(o.short, a.Text[i]) < 0 {
			cl.Options = append(cl.Options, option{Name: name, Arg: a})
			continue
		}
		if i+1 < len(a.Text) {
			cl.Options = append(cl.Options, option{name, strings.TrimPrefix(a.Text[i+1:], "="), true, a, a})
			return 0
		}
		if len(rest) > 0 {
			cl.Options = append(cl.Options, option{name, rest[0].Text, true, a, rest[0]})
			return 1
		}
		cl.Options = append(cl.Options, option{Name: name, Arg: a})
	}
	return 0
}

// find returns the first option of one of the names.
func (cl commandLine) find(names ...string) (option, bool) {
	for _, o := range cl.Options {
		for _, n := range names {
			if o.Name == n {
				return o, true
			}
		}
	}
	return option{}, false
}

func (cl commandLine) has(names ...string) bool {
	_, ok := cl.find(names...)
	return ok
}

// operand is the text of the operand with the index, or "".
func (cl commandLine) operand(i int) string {
	if i < len(cl.Operands) {
		return cl.Operands[i].Text
	}
	return ""
}

// off reports values that mean no.
func off(v string) bool {
	switch strings.ToLower(strings.Trim(v, `"'`)) {
	case "0", "false", "no", "off", "none", "never":
		return true
	}
	return false
}

// on reports values that mean yes.
func on(v string) bool {
	switch strings.ToLower(strings.Trim(v, `"'`)) {
	case "1", "true", "yes", "on", "always":
		return true
	}
	return false
}
