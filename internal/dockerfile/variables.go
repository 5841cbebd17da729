package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Limits of expansion. A value that doubles itself line by line must not take
// the memory of the machine; no real file comes near them.
const (
	maxValue     = 64 << 10 // bytes of one expanded value
	maxExpanded  = 64 << 20 // bytes expanded in a whole file
	maxAncestors = 1000     // stages in one chain that define variables
	maxBraces    = 200      // ${ in one word, which may be nested
)

// scope holds the definitions of one stage. ENV outranks ARG wherever they
// stand; children see what the parent stage has at its end.
// https://docs.docker.com/reference/dockerfile/#scope
type scope struct {
	parent *scope
	env    map[string][]binding
	arg    map[string][]binding
}

// binding is a definition by the instruction with the given index.
type binding struct {
	index int
	value Value
}

func (s *scope) define(env bool, key string, b binding) {
	m := &s.arg
	if env {
		m = &s.env
	}
	if *m == nil {
		*m = make(map[string][]binding)
	}
	(*m)[key] = append((*m)[key], b)
}

// lookup finds the value that holds for the instruction with the index.
func (s *scope) lookup(key string, index int) (Value, bool) {
	for c := s; c != nil; c = c.parent {
		if v, ok := latest(c.env[key], index); ok {
			return v, true
		}
	}
	for c := s; c != nil; c = c.parent {
		if v, ok := latest(c.arg[key], index); ok {
			return v, true
		}
	}
	return Value{}, false
}

// latest is the last binding before index. Bindings are in order of their
// index, and nearly always the last one is wanted.
func latest(bindings []binding, index int) (Value, bool) {
	lo, hi := 0, len(bindings)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if bindings[mid].index < index {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return Value{}, false
	}
	return bindings[lo-1].value, true
}

// resolver expands variables and names of stages.
type resolver struct {
	file      *File
	buildArgs map[string]string
	stages    map[string][]int // by lower-case name, ascending
	lex       *shell.Lex
	spent     int
	limited   bool
}

func (r *resolver) stageByName(lower string, n int) (int, bool) {
	list := r.stages[lower]
	i, _ := slices.BinarySearch(list, n)
	if i == 0 {
		return 0, false
	}
	return list[i-1], true
}

// Lookup is the value of a variable at the instruction: ENV before ARG, the
// stage's own before its parent's. It reports false when the file does not
// define it there; the base image may.
func (in *Instruction) Lookup(name string) (Value, bool) {
	if in.Stage == nil || in.Keyword == "FROM" {
		return in.file.globals.lookup(name, in.Index)
	}
	return in.Stage.scope.lookup(name, in.Index)
}

// platformArgs are set by the builder; FROM sees them without declaration.
// https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
var platformArgs = map[string]bool{
	"TARGETPLATFORM": true, "TARGETOS": true, "TARGETARCH": true, "TARGETVARIANT": true, "TARGETOSVERSION": true,
	"BUILDPLATFORM": true, "BUILDOS": true, "BUILDARCH": true, "BUILDVARIANT": true, "BUILDOSVERSION": true,
	"TARGETSTAGE": true,
}

// PlatformArg reports whether the builder itself gives the ARG its value.
func PlatformArg(name string) bool { return platformArgs[name] }

// Expand replaces variables in word as the builder does at this instruction.
func (in *Instruction) Expand(word string) Value { return in.file.resolver.expandAt(in, word) }

// expandAt expands word in the environment of the instruction. The builder's
// own lexer does the work; before it, the references are looked at one by one,
// since an unknown variable must leave the value unknown and not empty.
func (r *resolver) expandAt(in *Instruction, word string) Value {
	if !strings.ContainsAny(word, "$\"'") && strings.IndexByte(word, r.file.Escape) < 0 {
		return Value{Text: word, Known: true}
	}
	env := &environment{in: in, known: true}
	size := len(word)
	for _, ref := range References(word, r.file.Escape) {
		v, ok := in.Lookup(ref.Name)
		size += len(v.Text)
		switch {
		case ok && v.Known && !v.Unset:
		case ok && v.Unset && ref.HandlesUnset(),
			!ok && ref.HandlesUnset() && env.global() && !platformArgs[ref.Name]:
			// The default applies, as it would in a build.
		default:
			env.known = false
		}
	}
	r.spent += size
	if len(word) > maxValue || strings.Count(word, "${") > maxBraces || size > maxValue || r.spent > maxExpanded {
		r.limit(in)
		return Value{Text: word}
	}
	r.lex.SkipUnsetEnv = !env.known
	text, _, err := r.lex.ProcessWord(word, env)
	if err != nil {
		return Value{Text: word}
	}
	return Value{Text: text, Known: env.known}
}

func (r *resolver) limit(in *Instruction) {
	if r.limited {
		return
	}
	r.limited = true
	r.file.Problems = append(r.file.Problems, Problem{
		Kind: Limit, Span: in.KeywordSpan,
		Message: "variables are nested or grow beyond what any real file does; their values were not followed any further",
	})
}

// environment gives the lexer the variables at an instruction. A variable
// without a known value is not in it.
type environment struct {
	in    *Instruction
	known bool
}

func (e *environment) global() bool { return e.in.Stage == nil || e.in.Keyword == "FROM" }

func (e *environment) Get(name string) (string, bool) {
	v, ok := e.in.Lookup(name)
	if !ok || !v.Known || v.Unset {
		return "", false
	}
	return v.Text, true
}

// Keys is not used by the lexer for expansion.
func (e *environment) Keys() []string { return nil }

// Reference is one use of a variable in a word.
type Reference struct {
	Name string
	// Start and End are offsets in the word, the dollar sign included.
	Start, End int
	// Modifier is what follows the name inside braces: ":-", "-", ":+", "#" …;
	// empty for a plain reference.
	Modifier string
}

// HandlesUnset reports that the reference says itself what an unset variable
// means, such as ${NAME:-default}.
func (r Reference) HandlesUnset() bool {
	switch strings.TrimPrefix(r.Modifier, ":") {
	case "-", "+":
		return true
	}
	return false
}

// References are the variables that word uses, in order: those in default
// values inside braces too, not those in single quotes or behind the escape
// character.
func References(word string, escape byte) []Reference {
	if strings.IndexByte(word, '$') < 0 {
		return nil
	}
	var out []Reference
	single, double := false, false
	for i := 0; i < len(word); i++ {
		switch ch := word[i]; {
		case single:
			single = ch != '\''
		case ch == escape:
			i++
		case ch == '"':
			double = !double
		case ch == '\'' && !double:
			single = true
		case ch == '$':
			if ref, ok := referenceAt(word, i); ok {
				out = append(out, ref)
				i = ref.Start + 1 + len(ref.Name)
				if word[ref.Start+1] != '{' {
					i--
				}
			}
		}
	}
	return out
}

// referenceAt reads the reference whose dollar sign stands at i.
func referenceAt(word string, i int) (Reference, bool) {
	j := i + 1
	braced := j < len(word) && word[j] == '{'
	if braced {
		j++
	}
	start := j
	for j < len(word) && isNameByte(word[j], j == start) {
		j++
	}
	if j == start {
		return Reference{}, false
	}
	ref := Reference{Name: word[start:j], Start: i, End: j}
	if !braced {
		return ref, true
	}
	m := j
	for m < len(word) && m < j+2 && strings.IndexByte(":-+?#%/", word[m]) >= 0 {
		m++
	}
	ref.Modifier = word[j:m]
	if strings.HasPrefix(ref.Modifier, "-") || strings.HasPrefix(ref.Modifier, "+") {
		ref.Modifier = ref.Modifier[:1]
	}
	if end := strings.IndexByte(word[j:], '}'); end >= 0 {
		ref.End = j + end + 1
	}
	return ref, true
}

func isNameByte(ch byte, first bool) bool {
	return ch == '_' || ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || !first && ch >= '0' && ch <= '9'
}
