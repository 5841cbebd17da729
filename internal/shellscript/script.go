// Package shellscript reads the shell code of a RUN instruction into a flat
// list of simple commands with resolved arguments and exact places, on top of
// mvdan.cc/sh. Wrappers such as sudo, env or xargs, `sh -c '…'` and scripts fed
// to a shell as a here-document are looked through. It does not run anything
// and judges nothing; its main type is Script.
package shellscript

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Limits that keep the recursive parser within its stack. Real scripts nest a
// handful of levels.
const (
	maxDepth      = 400
	maxSize       = 16 << 20
	maxArithmetic = 256 << 10
	maxNested     = 6 // scripts within scripts
)

// ErrTooDeep and ErrTooLarge are the reasons for not reading a script.
var (
	ErrTooDeep  = errors.New("the script is nested too deeply")
	ErrTooLarge = errors.New("the script is too large")
)

// Lookup gives the value of a variable that is set outside the script. It
// reports false when the value is not known.
type Lookup func(name string) (value string, known bool)

// Script is a parsed script.
type Script struct {
	// Source is the text that was parsed.
	Source string
	// File is the syntax tree; nil when Err is set.
	File *syntax.File
	// Err says why the source could not be parsed, or not be followed to its end.
	Err error
	// ErrOffset is where, as an offset in the outermost source.
	ErrOffset int
	// Commands are all simple commands in order of their place, those of nested
	// scripts included.
	Commands []*Command
	// Pipelines are all pipelines of two or more elements.
	Pipelines []Pipeline
	// Nested are the scripts inside this one: sh -c, eval, here-documents.
	Nested []*Script

	at func(int) int
	// whole is set when places inside cannot be told apart: all are this one.
	whole *Range
}

// Offset maps an offset in Source to one in the source of the outermost script.
func (s *Script) Offset(i int) int { return s.at(i) }

// Range is a half-open range of offsets in the outermost source.
type Range struct {
	Start, End int
}

// Command is a simple command.
type Command struct {
	// Name is the last path element of the command's name, such as apt-get;
	// empty when it is not known.
	Name string
	// At is the place of the name, Whole that of the command.
	At, Whole Range
	// Args are the arguments after field splitting.
	Args []Arg
	// Assigns are the assignments in front of the command, or the command
	// itself when it has no name.
	Assigns []Assign
	// Via is the wrapper or shell through which the command is run; nil for a
	// command that stands for itself.
	Via *Command
	// Guarded is true when the command's failure is looked at: it is an operand
	// of && or ||, or a condition.
	Guarded bool
	// Redirects are the targets of output redirections.
	Redirects []Arg
	// Stdin is true when standard input comes from a here-document, a
	// here-string or a file.
	Stdin bool
	// Subst is true inside a command or process substitution.
	Subst bool
	// Script is the script that holds the command.
	Script *Script
}

// Arg is one argument of a command.
type Arg struct {
	// Text is the argument with quotes taken off and known variables replaced.
	// What is not known stays as it is written.
	Text string
	// Known is true when all of the argument is known.
	Known bool
	// Quoted is true when any part of it is quoted.
	Quoted bool
	// At is the place of the word it comes from; the fields of one variable
	// share it.
	At Range
	// Split is true for a field that comes out of a variable's value.
	Split bool
	word  *syntax.Word
}

// Word is the syntax of the argument; nil for a field made by splitting.
func (a Arg) Word() *syntax.Word { return a.word }

// Assign is an assignment to a shell variable.
type Assign struct {
	Name string
	// Value is the value, as far as it is known.
	Value Arg
	// At is the place of the whole assignment.
	At Range
}

// Pipeline is a sequence of commands joined by pipes.
type Pipeline struct {
	// Elements hold the commands of each element; a subshell may have several.
	Elements [][]*Command
	// Pipes are the places of the pipe signs.
	Pipes []Range
}

// Parse reads source. All Bash syntax is understood, whichever shell will run
// it; the error of a script that is not valid is in Script.Err.
func Parse(source string, lookup Lookup) *Script {
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	r := &reader{lookup: lookup, local: make(map[string]Arg), root: source}
	root := r.parse(source, nil, func(i int) int { return i })
	root.Commands, root.Pipelines = r.commands, r.pipelines
	if root.Err == nil && r.expandedBytes > maxExpanded {
		root.Err = ErrTooLarge
	}
	return root
}

// reader gathers commands while it walks over scripts.
type reader struct {
	lookup Lookup
	// expandedBytes is what variables have added so far.
	expandedBytes int
	root          string
	local         map[string]Arg
	commands      []*Command
	pipelines     []Pipeline
	depth         int
	script        *Script
	guarded       bool
	subst         bool
	via           *Command
}

func (r *reader) parse(source string, whole *Range, at func(int) int) *Script {
	s := &Script{Source: source, at: at, whole: whole}
	if err := tooMuch(source); err != nil {
		s.Err = err
		s.ErrOffset = at(0)
		return s
	}
	file, err := parseBash(source)
	if err != nil {
		offset, plain := plainError(err)
		s.Err, s.ErrOffset = plain, at(min(offset, len(source)))
		return s
	}
	s.File = file
	outer := r.script
	r.script = s
	r.stmts(file.Stmts)
	r.script = outer
	return s
}

// parseBash has the library parse a script.
func parseBash(source string) (file *syntax.File, err error) {
	defer recovered.As(&err, "read the script")
	return syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(source), "")
}

// plainError takes the place out of an error's text.
func plainError(err error) (int, error) {
	var p syntax.ParseError
	if errors.As(err, &p) {
		return int(p.Pos.Offset()), errors.New(p.Text)
	}
	var l syntax.LangError
	if errors.As(err, &l) {
		return int(l.Pos.Offset()), errors.New(l.Feature + " is not supported by this shell")
	}
	return 0, err
}

// tooMuch looks at brackets and keywords without regard to quotes: a script
// that it passes cannot take the parser deeper than the limit.
func tooMuch(source string) error {
	if len(source) > maxSize {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(source))
	}
	if len(source) > maxArithmetic {
		for _, mark := range []string{"((", "[[", "$[", "let"} {
			if strings.Contains(source, mark) {
				return fmt.Errorf("%w for arithmetic and tests: %d bytes", ErrTooLarge, len(source))
			}
		}
	}
	depth, deepest, ticks := 0, 0, 0
	start := -1
	for i := 0; i <= len(source); i++ {
		if i < len(source) && source[i] >= 'a' && source[i] <= 'z' {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			depth += wordDepth[source[start:i]]
			start = -1
		}
		if i < len(source) {
			switch source[i] {
			case '(', '{':
				depth++
			case ')', '}':
				depth--
			case '`':
				ticks++
			}
		}
		depth = max(depth, 0)
		deepest = max(deepest, depth)
	}
	if deepest > maxDepth || backslashRun(source) > maxDepth && ticks > maxDepth {
		return ErrTooDeep
	}
	return nil
}

// wordDepth is by how much a keyword changes the depth. Those that nest without
// an end mark of their own only go up.
var wordDepth = map[string]int{
	"if": 1, "fi": -1, "while": 1, "until": 1, "for": 1, "select": 1, "done": -1, "case": 1, "esac": -1,
	"function": 1, "time": 1, "coproc": 1,
}

// backslashRun is the longest run of backslashes, which is how backquotes nest.
func backslashRun(source string) int {
	run, longest := 0, 0
	for i := 0; i < len(source); i++ {
		if source[i] != '\\' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// FromWords is the script of one command that is given word by word, as in the
// exec form of a RUN. The places in args are offsets in source.
func FromWords(source string, args []Arg, lookup Lookup) *Script {
	r := &reader{lookup: lookup, local: make(map[string]Arg), root: source}
	s := &Script{Source: source, at: func(i int) int { return i }}
	r.script = s
	if len(args) > 0 {
		c := &Command{Args: args[1:], Script: s, Whole: Range{args[0].At.Start, args[len(args)-1].At.End}}
		c.setName(args[0])
		r.commands = append(r.commands, c)
		r.runs(c, nil)
	}
	s.Commands, s.Pipelines = r.commands, r.pipelines
	return s
}

// Walk calls f for the nodes of the script, those of nested scripts left out,
// in no fixed order; it goes below a node when f
// returns true. Long chains of commands do not make it recurse deeply.
func (s *Script) Walk(f func(*Script, syntax.Node) bool) {
	if s.File == nil {
		return
	}
	todo := []syntax.Node{s.File}
	for len(todo) > 0 {
		top := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		syntax.Walk(top, func(n syntax.Node) bool {
			b, ok := n.(*syntax.BinaryCmd)
			if !ok {
				return n == nil || f(s, n)
			}
			if f(s, n) {
				todo = append(todo, b.Y, b.X)
			}
			return false
		})
	}
}

// Range is the place of a node of this script in the outermost source.
func (s *Script) Range(n syntax.Node) Range {
	if s.whole != nil {
		return *s.whole
	}
	start, end := int(n.Pos().Offset()), min(int(n.End().Offset()), len(s.Source))
	if end <= start {
		return Range{s.at(start), s.at(start)}
	}
	return Range{s.at(start), s.at(end-1) + 1}
}
