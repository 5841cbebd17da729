package dockerfile

import (
	"path"
	"strings"
)

// fillHead sets keyword, flags and body from the logical line.
func (in *Instruction) fillHead(escape byte) {
	line := in.Text.S
	h := splitHead(line, escape)
	in.Keyword = strings.ToUpper(h.keyword(line))
	in.KeywordSpan = in.Text.Span(h.keywordStart, h.keywordEnd)
	for _, raw := range h.flags {
		fl := Flag{Span: in.Text.Span(raw.start, raw.end)}
		name, value, has := strings.Cut(strings.TrimPrefix(raw.text, "--"), "=")
		fl.Name, fl.HasValue = name, has
		fl.Value = Value{Text: value, Known: true}
		if i := strings.IndexByte(line[raw.start:raw.end], '='); i >= 0 {
			fl.ValueSpan = in.Text.Span(raw.start+i+1, raw.end)
		}
		in.Flags = append(in.Flags, fl)
	}
	end := len(strings.TrimRight(line, " \t\v\f\r"))
	in.Body = in.Text.Slice(min(h.args, end), end)
}

// fillArgs splits the body as BuildKit does for the keyword and expands it.
func (in *Instruction) fillArgs(escape byte) {
	in.expandFlags()
	body := in.Body.S
	switch in.Keyword {
	case "ENV", "LABEL", "ARG":
		in.fillPairs(escape)
	case "FROM", "EXPOSE":
		in.words(blankWords(body, 0), in.Keyword != "EXPOSE" || strings.Contains(body, "$"))
	case "COPY", "ADD", "VOLUME":
		if !in.execForm(0, true) {
			in.words(blankWords(body, 0), true)
		}
	case "RUN", "CMD", "ENTRYPOINT", "SHELL":
		if !in.execForm(0, false) && body != "" {
			in.words([]piece{{0, len(body)}}, false)
		}
	case "HEALTHCHECK":
		in.fillHealthcheck()
	case "WORKDIR", "USER", "STOPSIGNAL":
		if body != "" {
			in.words([]piece{{0, len(body)}}, true)
		}
	case "MAINTAINER":
		if body != "" {
			in.words([]piece{{0, len(body)}}, false)
		}
	}
}

func (in *Instruction) expandFlags() {
	for i, fl := range in.Flags {
		if fl.HasValue && fl.Name != "mount" && strings.Contains(fl.Value.Text, "$") {
			in.Flags[i].Value = in.file.resolver.expandAt(in, fl.Value.Text)
		}
	}
}

func (in *Instruction) words(pieces []piece, expand bool) {
	for _, p := range pieces {
		in.word(p, in.Body.S[p.start:p.end], expand)
	}
}

func (in *Instruction) word(p piece, raw string, expand bool) {
	w := Word{Raw: raw, Span: in.Body.Span(p.start, p.end), Value: Value{Text: raw, Known: true}}
	if expand {
		w.Value = in.file.resolver.expandAt(in, raw)
	}
	in.Args = append(in.Args, w)
}

func (in *Instruction) execForm(from int, expand bool) bool {
	list, ok := jsonWords(in.Body.S, from)
	if !ok {
		return false
	}
	in.Exec = true
	for _, w := range list {
		in.word(w.piece, w.value, expand)
	}
	return true
}

func (in *Instruction) fillHealthcheck() {
	words := blankWords(in.Body.S, 0)
	if len(words) == 0 {
		return
	}
	in.words(words[:1], false)
	if len(words) == 1 {
		return
	}
	rest := words[1].start
	if !in.execForm(rest, false) {
		in.words([]piece{{rest, len(in.Body.S)}}, false)
	}
}

func (in *Instruction) fillPairs(escape byte) {
	body := in.Body.S
	pieces := quotedWords(body, 0, escape)
	if len(pieces) == 0 {
		return
	}
	first := body[pieces[0].start:pieces[0].end]
	if in.Keyword != "ARG" && !strings.Contains(first, "=") {
		in.legacyPair(pieces[0])
		return
	}
	for _, p := range pieces {
		raw := body[p.start:p.end]
		key, value, has := strings.Cut(raw, "=")
		pair := Pair{Key: key, HasValue: has, Raw: value}
		pair.KeySpan = in.Body.Span(p.start, p.start+len(key))
		pair.ValueSpan = in.Body.Span(p.end-len(value), p.end)
		in.addPair(pair)
	}
}

// legacyPair reads "ENV name value with blanks".
func (in *Instruction) legacyPair(first piece) {
	body := in.Body.S
	cut := blankWords(body, first.start)
	key := cut[0]
	pair := Pair{Key: body[key.start:key.end], KeySpan: in.Body.Span(key.start, key.end), Legacy: true}
	if len(cut) > 1 {
		pair.HasValue = true
		pair.Raw = body[cut[1].start:]
		pair.ValueSpan = in.Body.Span(cut[1].start, len(body))
	}
	in.addPair(pair)
}

func (in *Instruction) addPair(p Pair) {
	if strings.ContainsAny(p.Key, "$\"'") {
		p.Key = in.file.resolver.expandAt(in, p.Key).Text
	}
	switch {
	case p.HasValue:
		p.Value = in.file.resolver.expandAt(in, p.Raw)
	default:
		p.Value = Value{Known: true, Unset: true}
	}
	p.Value.From = in
	in.Pairs = append(in.Pairs, p)
}

// state is what instructions of a stage hand on to those after them.
type state struct {
	user    *Instruction
	shell   *Instruction
	words   []string // of shell
	workdir Workdir
}

func (s *state) give(in *Instruction) {
	in.User, in.Workdir, in.ShellSetBy, in.Shell = s.user, s.workdir, s.shell, s.words
}

func shellWords(in *Instruction) []string {
	out := make([]string, len(in.Args))
	for i, a := range in.Args {
		out[i] = a.Value.Text
	}
	return out
}

// apply lets the instruction change the state of its stage.
func (f *File) apply(in *Instruction) {
	if in.Keyword == "ARG" || in.Keyword == "ENV" {
		f.define(in)
		return
	}
	if in.Stage == nil || len(in.Args) == 0 {
		return
	}
	s := &in.Stage.state
	switch in.Keyword {
	case "USER":
		s.user = in
	case "SHELL":
		if in.Exec {
			s.shell, s.words = in, shellWords(in)
		}
	case "WORKDIR":
		s.workdir = s.workdir.change(in.Args[0].Value)
	}
}

// change is the working directory after WORKDIR with the given value.
func (w Workdir) change(v Value) Workdir {
	next := Workdir{Set: true, Path: v.Text, Known: v.Known}
	switch {
	case strings.HasPrefix(v.Text, "/") || hasDrive(v.Text) || !v.Known:
	case w.Known:
		next.Path = path.Join(w.Path, v.Text)
	default:
		next.Known = false // relative to the base image's directory
	}
	return next
}

func hasDrive(p string) bool {
	return len(p) >= 2 && p[1] == ':' || strings.HasPrefix(p, `\`)
}

// define enters ARG and ENV into the scope.
func (f *File) define(in *Instruction) {
	sc := f.globals
	if in.Stage != nil {
		sc = in.Stage.ownScope()
		if sc == nil {
			f.resolver.limit(in)
			return
		}
	}
	for _, p := range in.Pairs {
		v := p.Value
		if in.Keyword == "ARG" {
			v = f.argValue(in, p)
		}
		v.From = in
		sc.define(in.Keyword == "ENV", p.Key, binding{index: in.Index, value: v})
	}
}

// argValue is the value of an ARG: the caller's, else its default, else that of
// the ARG of the same name before the first FROM.
func (f *File) argValue(in *Instruction, p Pair) Value {
	if given, ok := f.resolver.buildArgs[p.Key]; ok {
		return Value{Text: given, Known: true}
	}
	if p.HasValue {
		return p.Value
	}
	if in.Stage != nil {
		if v, ok := f.globals.lookup(p.Key, in.Index); ok {
			return v
		}
	}
	if platformArgs[p.Key] {
		return Value{}
	}
	return Value{Unset: true, Known: true}
}

// startStage begins a stage at a FROM instruction.
func (f *File) startStage(in *Instruction) {
	s := &Stage{Index: len(f.Stages), From: in}
	f.Stages = append(f.Stages, s)
	in.Stage = s
	in.fillArgs(f.Escape)
	args := in.Args
	in.Args = nil                // filled again by add, like those of every instruction
	s.Base.Span = in.KeywordSpan // for a FROM without an image
	if len(args) > 0 {
		s.Base = args[0]
	}
	if len(args) >= 3 && strings.EqualFold(args[1].Raw, "as") {
		s.Name, s.NameSpan = args[2].Raw, args[2].Span
	}
	if s.Base.Value.Known {
		if n, ok := f.resolver.stageByName(strings.ToLower(s.Base.Value.Text), s.Index); ok {
			s.inherit(f.Stages[n])
		}
	}
	if s.Name != "" {
		key := strings.ToLower(s.Name)
		f.resolver.stages[key] = append(f.resolver.stages[key], s.Index)
	}
}

// inherit takes over what the parent stage has at its end.
func (s *Stage) inherit(parent *Stage) {
	s.Parent, s.state, s.scope, s.depth = parent, parent.state, parent.scope, parent.depth
	s.root = parent.Root()
}

// ownScope is the stage's scope for new definitions; nil when the chain of
// stages has become too long. A stage without definitions shares its parent's.
func (s *Stage) ownScope() *scope {
	shared := s.Parent != nil && s.scope == s.Parent.scope
	if s.scope != nil && !shared {
		return s.scope
	}
	if s.depth >= maxAncestors {
		return nil
	}
	s.depth++
	s.scope = &scope{parent: s.scope}
	return s.scope
}
