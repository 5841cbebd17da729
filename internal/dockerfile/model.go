package dockerfile

import "strings"

// File is a parsed Dockerfile. It is complete even where the text has faults:
// Problems tells what could not be understood, everything else is there.
type File struct {
	// Path is the name of the file as the caller gave it.
	Path string
	// Content is the text of the file.
	Content string
	// Escape is the escape character, a backslash unless a directive says so.
	Escape byte
	// Directives are the parser directives at the head: syntax, escape, check.
	Directives []Directive
	// Frontend is the image that reads the file in place of the builder's own
	// reader, as a syntax directive names it, with its place; empty for none.
	Frontend     string
	FrontendSpan Span
	// Comments are all comment lines outside here-documents, in order.
	Comments []Comment
	// Instructions are all instructions in order, FROM included.
	Instructions []*Instruction
	// Global are the instructions before the first FROM.
	Global []*Instruction
	// Stages are the build stages in order.
	Stages []*Stage
	// Problems are all faults of the text, in order of their place.
	Problems []Problem

	target   string
	endless  bool // a here-document has no end
	lines    lineIndex
	globals  *scope
	resolver *resolver
}

// Position is the line and column, both from 1, of a byte offset into Content.
// Columns count Unicode code points.
func (f *File) Position(offset int) (line, column int) { return f.lines.position(offset) }

// LineSpan is the range of the line with the given number, from 1, without its
// line ending. A line that does not exist gives an empty span at the end.
func (f *File) LineSpan(line int) Span {
	if line < 1 || line > len(f.lines.starts) {
		return Span{len(f.Content), len(f.Content)}
	}
	text, start := f.lines.line(line - 1)
	return Span{start, start + len(text)}
}

// Lines is the number of lines.
func (f *File) Lines() int { return len(f.lines.starts) }

// Directive is a parser directive.
// https://docs.docker.com/reference/dockerfile/#parser-directives
type Directive struct {
	// Name is in lower case.
	Name, Value string
	Line        int
	Span        Span
}

// Comment is one comment line.
type Comment struct {
	// Text is the comment without # and surrounding blanks.
	Text string
	Line int
	Span Span
	// Directive is true for a parser directive.
	Directive bool
}

// Stage is one build stage: a FROM instruction and all up to the next one.
type Stage struct {
	// Index counts from 0.
	Index int
	// Name is the name after AS as written, empty when there is none. Names
	// are compared without regard to letter case.
	Name string
	// NameSpan is the place of Name.
	NameSpan Span
	// From is the FROM instruction.
	From *Instruction
	// Base is the image or stage as written after FROM, and its value.
	Base Word
	// Parent is the earlier stage that Base names, nil for an image.
	Parent *Stage
	// Instructions are those after FROM.
	Instructions []*Instruction

	scope *scope
	depth int
	state state
	root  *Stage
}

// Label names the stage for a person: its name, or its index where it has none.
func (s *Stage) Label() string {
	if s.Name != "" {
		return s.Name
	}
	return "stage " + itoa(s.Index)
}

// Root is the stage at the end of the chain of parents: the one whose Base is
// an image and not a stage.
func (s *Stage) Root() *Stage {
	if s.root != nil {
		return s.root
	}
	return s
}

// Ancestry is the chain of stages that make up this one's image, the stage
// that starts from an image first and s itself last.
func (s *Stage) Ancestry() []*Stage {
	n := 0
	for p := s; p != nil; p = p.Parent {
		n++
	}
	out := make([]*Stage, n)
	for p := s; p != nil; p = p.Parent {
		n--
		out[n] = p
	}
	return out
}

// Chain is every instruction that makes up the stage's image after its base
// image, in build order: those of the parent stages come first. FROM
// instructions are included.
func (s *Stage) Chain() []*Instruction {
	var out []*Instruction
	for _, stage := range s.Ancestry() {
		out = append(out, stage.From)
		out = append(out, stage.Instructions...)
	}
	return out
}

// User is the last USER instruction that holds at the end of the stage, from
// this stage or a parent one; nil when the user is that of the base image.
func (s *Stage) User() *Instruction { return s.state.user }

// Final is the stage that a build makes: the target given to Parse, else the
// last one. It is nil when there is no stage, or none of the target's name.
func (f *File) Final() *Stage {
	if f.target != "" {
		return f.StageNamed(f.target, len(f.Stages))
	}
	if len(f.Stages) == 0 {
		return nil
	}
	return f.Stages[len(f.Stages)-1]
}

// Targeted reports that the caller has named the stage to build.
func (f *File) Targeted() bool { return f.target != "" }

// StageNamed is the stage among the first n that the name or index refers to,
// nil when there is none. Of equal names the last one counts.
func (f *File) StageNamed(name string, n int) *Stage {
	if i, ok := f.resolver.stageByName(strings.ToLower(name), n); ok {
		return f.Stages[i]
	}
	if i, ok := atoi(name); ok && i < n && i < len(f.Stages) {
		return f.Stages[i]
	}
	return nil
}

// Used are the stages that the final stage needs: itself, its parents, and
// what these copy or mount from. It is empty when there is no final stage.
func (f *File) Used() map[*Stage]bool {
	used := make(map[*Stage]bool)
	var todo []*Stage
	if final := f.Final(); final != nil {
		todo = append(todo, final)
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if used[s] {
			continue
		}
		used[s] = true
		if s.Parent != nil {
			todo = append(todo, s.Parent)
		}
		for _, in := range s.Instructions {
			for _, ref := range in.StageRefs() {
				if ref.Stage != nil {
					todo = append(todo, ref.Stage)
				}
			}
		}
	}
	return used
}

// Instruction is one instruction.
type Instruction struct {
	// Index is its place in File.Instructions; a trigger has that of its
	// ONBUILD.
	Index int
	// Stage is nil before the first FROM.
	Stage *Stage
	// Keyword is the instruction's name in upper case, KeywordSpan its place.
	Keyword     string
	KeywordSpan Span
	// Line and EndLine are the first and last line, from 1; a here-document
	// belongs to its instruction.
	Line, EndLine int
	// Span covers the instruction with its here-documents.
	Span Span
	// Text is the logical line: continuation marks, comments and
	// here-documents are taken out.
	Text Text
	// Body is the part of Text after keyword and flags.
	Body Text
	// Flags are the builder flags such as --from=build.
	Flags []Flag
	// Args are the words of the body, as BuildKit splits them for this
	// keyword; the strings of the array in exec form. For RUN, CMD, ENTRYPOINT
	// in shell form, and for WORKDIR, USER, STOPSIGNAL and MAINTAINER it is one
	// word with all of the body. HEALTHCHECK has CMD or NONE first. It is
	// empty for ENV, LABEL and ARG, which have Pairs.
	Args []Word
	// Pairs are the names and values of ENV, LABEL and ARG.
	Pairs []Pair
	// Exec is true for the exec form, a JSON array.
	Exec bool
	// Heredocs are the here-documents.
	Heredocs []Heredoc
	// BlankLines are the numbers of blank lines inside a continuation.
	BlankLines []int
	// Trigger is the instruction that ONBUILD holds.
	Trigger *Instruction
	// Outer is the ONBUILD instruction of a trigger, nil otherwise.
	Outer *Instruction
	// Problem is what is wrong with the instruction; nil when the builder
	// accepts it.
	Problem *Problem
	// Shell is the SHELL that holds here, nil for the default.
	Shell []string
	// ShellSetBy is the SHELL instruction behind Shell, nil for the default.
	ShellSetBy *Instruction
	// Workdir is the working directory that holds here.
	Workdir Workdir
	// User is the USER instruction that holds here, nil for the base image's.
	User *Instruction

	file *File
}

// Workdir is a working directory as far as it is known.
type Workdir struct {
	// Set is true when a WORKDIR of this file has set it.
	Set bool
	// Path is the directory with variables replaced; Known is false when it
	// depends on the base image or on an unknown variable.
	Path  string
	Known bool
}

// Flag is a builder flag of an instruction.
type Flag struct {
	// Name is without dashes, in the case as written.
	Name string
	// Value is the text after =, HasValue whether there was a =.
	Value    Value
	HasValue bool
	// Span covers the whole flag, ValueSpan what follows the =.
	Span, ValueSpan Span
}

// Word is one argument.
type Word struct {
	// Raw is the text as written, without the quotes of the exec form.
	Raw  string
	Span Span
	// Value is the text after expansion by the builder. The words of RUN, CMD,
	// ENTRYPOINT, HEALTHCHECK and SHELL are not expanded by it.
	Value Value
}

// Pair is a name and value of ENV, LABEL or ARG.
type Pair struct {
	Key     string
	KeySpan Span
	// HasValue is false for ARG without a default.
	HasValue bool
	// Raw is the value as written, with quotes.
	Raw       string
	ValueSpan Span
	// Legacy is true for the form with a blank in place of =.
	Legacy bool
	Value  Value
}

// Value is the result of expanding variables.
type Value struct {
	// Text is the expanded text. References that are not known stay as written.
	Text string
	// Known is false when a variable in it has no value that this file or the
	// caller's build arguments give.
	Known bool
	// Unset is true for an ARG without default and without a build argument.
	Unset bool
	// From is the instruction that defines a variable's value; nil otherwise.
	From *Instruction
}

// Heredoc is a here-document.
// https://docs.docker.com/reference/dockerfile/#here-documents
type Heredoc struct {
	// Name is the end mark without quotes.
	Name string
	// Expand is true when variables are expanded in it: the name is not quoted.
	Expand bool
	// Chomp is true for <<-, which drops leading tabs.
	Chomp bool
	// Content is the body as it stands in the file.
	Content string
	Span    Span
	// Line is the first line of the body.
	Line int
}

// Flag returns the first flag of the name.
func (in *Instruction) Flag(name string) (Flag, bool) {
	for _, f := range in.Flags {
		if f.Name == name {
			return f, true
		}
	}
	return Flag{}, false
}

// File is the file that the instruction belongs to.
func (in *Instruction) File() *File { return in.file }

// Effective is the trigger of an ONBUILD and the instruction itself otherwise.
func (in *Instruction) Effective() *Instruction {
	if in.Trigger != nil {
		return in.Trigger
	}
	return in
}

// Resolved is the logical line with the variables replaced that the builder
// replaces and whose values are known.
func (in *Instruction) Resolved() string {
	v := in.file.resolver.expandAt(in, in.Body.S)
	switch in.Keyword {
	case "RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "ONBUILD", "MAINTAINER":
		v.Text = in.Body.S
	}
	parts := []string{in.Keyword}
	for _, f := range in.Flags {
		parts = append(parts, strings.TrimSpace("--"+f.Name+eq(f.HasValue)+f.Value.Text))
	}
	if v.Text != "" {
		parts = append(parts, v.Text)
	}
	return strings.Join(parts, " ")
}

func eq(has bool) string {
	if has {
		return "="
	}
	return ""
}

// StageRef is a reference to another stage or image: --from or from= of a
// mount.
type StageRef struct {
	// Name is the stage, index or image with variables replaced.
	Name Value
	// Span is the place of the name.
	Span Span
	// Stage is the earlier stage meant; nil for an image or context.
	Stage *Stage
}

// StageRefs are the stages and images that COPY --from and RUN --mount name.
func (in *Instruction) StageRefs() []StageRef {
	if in.Trigger != nil {
		return in.Trigger.StageRefs()
	}
	var out []StageRef
	for _, f := range in.Flags {
		switch {
		case in.Keyword == "COPY" && f.Name == "from":
			out = append(out, in.stageRef(f.Value, f.ValueSpan))
		case in.Keyword == "RUN" && f.Name == "mount":
			for _, m := range MountFields(f) {
				if m.Key == "from" {
					out = append(out, in.stageRef(in.file.resolver.expandAt(in, m.Value), m.ValueSpan))
				}
			}
		}
	}
	return out
}

func (in *Instruction) stageRef(v Value, span Span) StageRef {
	ref := StageRef{Name: v, Span: span}
	if v.Known && in.Stage != nil && in.Outer == nil {
		ref.Stage = in.file.StageNamed(v.Text, in.Stage.Index)
	}
	return ref
}

// MountField is one key=value of a RUN --mount flag.
type MountField struct {
	// Key is in lower case.
	Key, Value string
	ValueSpan  Span
}

// MountFields are the fields of a --mount flag. Places are exact as long as
// the flag has no quotes.
func MountFields(f Flag) []MountField {
	var out []MountField
	at := f.ValueSpan.Start
	for field := range strings.SplitSeq(f.Value.Text, ",") {
		key, value, _ := strings.Cut(field, "=")
		start := min(at+len(field)-len(value), f.ValueSpan.End)
		out = append(out, MountField{
			Key: strings.ToLower(key), Value: value,
			ValueSpan: Span{start, min(start+len(value), f.ValueSpan.End)},
		})
		at += len(field) + 1
	}
	return out
}
