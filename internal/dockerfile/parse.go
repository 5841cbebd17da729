package dockerfile

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// MaxSize is the largest file that is read, in bytes. The largest Dockerfiles
// in use have some hundred kilobytes.
const MaxSize = 32 << 20

// Options are what a build would be given besides the file.
type Options struct {
	// BuildArgs are the values of --build-arg.
	BuildArgs map[string]string
	// Target is the stage to build (--target), by default the last one.
	Target string
}

// Parse reads a Dockerfile. It never fails: what is wrong with the text is in
// File.Problems, and all that can be understood is in the model.
func Parse(path string, content []byte, opts Options) *File {
	f := &File{Path: path, Content: string(content), Escape: '\\', target: opts.Target, globals: &scope{}}
	f.resolver = &resolver{file: f, buildArgs: opts.BuildArgs, stages: make(map[string][]int)}
	if p, bad := unreadable(content); bad {
		f.Content = ""
		f.Problems = append(f.Problems, p)
	}
	f.lines = newLineIndex(f.Content)
	s := scan(f.lines)
	f.Escape, f.Comments, f.Directives = s.escape, s.comments, s.found
	f.findFrontend()
	f.resolver.lex = shell.NewLex(rune(f.Escape))
	if s.badHead != nil {
		f.Problems = append(f.Problems, *s.badHead)
	}
	if err := f.read(s); err != nil {
		f.Problems = append(f.Problems, Problem{Kind: Limit, Message: err.Error()})
	}
	return f
}

// read makes the model of what was scanned.
func (f *File) read(s *scanner) (err error) {
	defer recovered.As(&err, "read the file")
	nodes := f.nodes(s)
	for i := range s.chunks {
		f.add(&s.chunks[i], nodes[i])
	}
	f.conclude()
	return nil
}

// unreadable reports content that is no text of the kind a builder reads.
func unreadable(content []byte) (Problem, bool) {
	p := Problem{Kind: BadEncoding}
	switch {
	case len(content) > MaxSize:
		p.Kind = Limit
		p.Message = "the file is larger than " + itoa(MaxSize>>20) + " MiB and was not read"
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}) || bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		p.Message = "the file is UTF-16; save it as UTF-8"
	case bytes.IndexByte(content, 0) >= 0:
		p.Message = "the file holds NUL bytes; it is not UTF-8 text"
	case !utf8.Valid(content):
		p.Message = "the file is not valid UTF-8; save it as UTF-8"
	default:
		return p, false
	}
	return p, true
}

// outcomeOf is what BuildKit says about one chunk.
type outcomeOf struct {
	node *parser.Node
	err  error
}

// nodes has BuildKit parse the file: in one go where it accepts all of it, and
// chunk by chunk where it does not, so that one fault does not hide the rest.
func (f *File) nodes(s *scanner) []outcomeOf {
	out := make([]outcomeOf, len(s.chunks))
	if len(s.chunks) == 0 {
		return out
	}
	if s.badHead == nil {
		result, err := parser.Parse(strings.NewReader(f.Content))
		if err == nil && len(result.AST.Children) == len(s.chunks) {
			for i, n := range result.AST.Children {
				out[i].node = n
			}
			return out
		}
	}
	prefix := ""
	if f.Escape != '\\' {
		prefix = "# escape=" + string(f.Escape) + "\n"
	}
	for i, c := range s.chunks {
		if c.endless != "" {
			continue // BuildKit would say no more than the scanner knows
		}
		raw := f.Content[f.lines.starts[c.first]:f.lines.next(c.last)]
		result, err := parser.Parse(strings.NewReader(prefix + raw))
		switch {
		case err != nil:
			out[i].err = err
		case len(result.AST.Children) != 1:
			out[i].err = errors.New("the instruction cannot be told from the next one")
		default:
			out[i].node = result.AST.Children[0]
		}
	}
	return out
}

// add turns a chunk into an instruction of the model.
func (f *File) add(c *chunk, b outcomeOf) {
	in := &Instruction{
		Index: len(f.Instructions), Line: c.first + 1, EndLine: c.last + 1,
		Text: c.text, Heredocs: c.heredocs, file: f,
	}
	for _, n := range c.blanks {
		in.BlankLines = append(in.BlankLines, n+1)
	}
	_, lastStart := f.lines.line(c.last)
	lastText, _ := f.lines.line(c.last)
	in.Span = Span{c.text.Offset(0), max(lastStart+len(lastText), c.text.Offset(0))}
	in.fillHead(f.Escape)
	f.Instructions = append(f.Instructions, in)
	f.enter(in)
	in.fillArgs(f.Escape)
	f.trigger(in)
	f.judge(in, c, b)
	f.apply(in)
}

// enter puts the instruction into its stage and gives it the state that holds
// before it.
func (f *File) enter(in *Instruction) {
	if in.Keyword == "FROM" {
		f.startStage(in)
		return
	}
	if len(f.Stages) == 0 {
		f.Global = append(f.Global, in)
		return
	}
	s := f.Stages[len(f.Stages)-1]
	in.Stage = s
	s.Instructions = append(s.Instructions, in)
	s.state.give(in)
}

// trigger parses what ONBUILD holds. Its parts keep their places.
func (f *File) trigger(in *Instruction) {
	if in.Keyword != "ONBUILD" || strings.TrimSpace(in.Body.S) == "" {
		return
	}
	t := &Instruction{
		Index: in.Index, Stage: in.Stage, Line: in.Line, EndLine: in.EndLine, Span: in.Span,
		Text: in.Body, Heredocs: in.Heredocs, Outer: in, file: f,
		Shell: in.Shell, ShellSetBy: in.ShellSetBy, Workdir: in.Workdir, User: in.User,
	}
	t.fillHead(f.Escape)
	t.fillArgs(f.Escape)
	in.Trigger = t
}

// judge notes what BuildKit refuses.
func (f *File) judge(in *Instruction, c *chunk, b outcomeOf) {
	switch {
	case c.endless != "":
		f.problem(in, EndlessHeredoc, in.Span, "the here-document "+c.endless+" has no end: no line holds "+c.endless+" alone")
	case in.Trigger != nil && badTrigger(in.Trigger.Keyword):
		f.problem(in, BadTrigger, in.Trigger.KeywordSpan, in.Trigger.Keyword+" is not allowed after ONBUILD")
	case b.err != nil:
		f.problem(in, BadInstruction, in.KeywordSpan, reason(in.Keyword, b.err))
	case b.node != nil:
		f.instruct(in, b.node)
	}
	if in.Stage == nil && in.Keyword != "FROM" && in.Keyword != "ARG" && in.Problem == nil {
		f.problem(in, BeforeFrom, in.KeywordSpan, in.Keyword+" stands before the first FROM; only ARG may")
	}
}

func badTrigger(keyword string) bool {
	return keyword == "ONBUILD" || keyword == "FROM" || keyword == "MAINTAINER"
}

// instruct has BuildKit read the instruction's arguments. Flags that it does
// not know are noted and left out.
func (f *File) instruct(in *Instruction, node *parser.Node) {
	inner := in
	if in.Trigger != nil && node.Next != nil && len(node.Next.Children) == 1 {
		inner = in.Trigger
		child := *node.Next.Children[0]
		child.Heredocs = node.Heredocs
		node = &child
	}
	clean := *node
	clean.Flags = nil
	for i, raw := range node.Flags {
		name, _, _ := strings.Cut(strings.TrimPrefix(raw, "--"), "=")
		if known, ok := knownFlags[inner.Keyword]; ok && !slices.Contains(known, name) {
			span := inner.KeywordSpan
			if i < len(inner.Flags) {
				span = inner.Flags[i].Span
			}
			f.Problems = append(f.Problems, Problem{
				Kind: UnknownFlag, Span: span,
				Message: "the flag --" + name + " of " + inner.Keyword + " is not known",
			})
			continue
		}
		clean.Flags = append(clean.Flags, raw)
	}
	_, err := instructions.ParseInstruction(&clean)
	if err == nil {
		return
	}
	kind := BadInstruction
	var unknown *instructions.UnknownInstructionError
	if errors.As(err, &unknown) {
		kind = UnknownInstruction
	}
	f.problem(inner, kind, inner.KeywordSpan, reason(inner.Keyword, err))
	in.Problem = inner.Problem
}

// knownFlags are the builder flags by instruction.
// https://docs.docker.com/reference/dockerfile/
var knownFlags = map[string][]string{
	"FROM":        {"platform"},
	"RUN":         {"mount", "network", "security", "device"},
	"COPY":        {"from", "chown", "chmod", "link", "parents", "exclude"},
	"ADD":         {"chown", "chmod", "link", "keep-git-dir", "checksum", "unpack", "exclude"},
	"HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}

func (f *File) problem(in *Instruction, kind ProblemKind, span Span, message string) {
	p := Problem{Kind: kind, Span: span, Message: message}
	in.Problem = &p
	if f.endless && kind != EndlessHeredoc {
		return // most likely the body of the here-document that has no end
	}
	f.endless = kind == EndlessHeredoc
	f.Problems = append(f.Problems, p)
}

// reason is the message of a BuildKit error on one line. Words of instructions
// that may hold a credential are left out.
func reason(keyword string, err error) string {
	msg := err.Error()
	switch keyword {
	case "ENV", "ARG", "LABEL", "RUN":
		if i := strings.IndexByte(msg, '"'); i >= 0 {
			if j := strings.LastIndexByte(msg, '"'); j > i {
				msg = msg[:i] + "a word" + msg[j+1:]
			}
		}
	}
	if i := strings.IndexByte(msg, '\n'); i >= 0 {
		msg = msg[:i]
	}
	if len(msg) > 200 {
		msg = strings.ToValidUTF8(msg[:200], "") + "…"
	}
	return msg
}

// conclude notes what only the whole file shows.
func (f *File) conclude() {
	if len(f.Problems) == 0 || f.Content != "" {
		switch {
		case len(f.Instructions) == 0:
			f.Problems = append(f.Problems, Problem{Kind: NoInstructions, Message: "the file holds no instruction"})
		case len(f.Stages) == 0:
			f.Problems = append(f.Problems, Problem{
				Kind: NoStage, Span: f.Instructions[0].KeywordSpan, Message: "the file has no FROM instruction",
			})
		}
	}
	slices.SortStableFunc(f.Problems, func(a, b Problem) int { return a.Span.Start - b.Span.Start })
}

// findFrontend looks for the syntax directive as the builder does, which also
// takes it behind // and in JSON.
func (f *File) findFrontend() {
	image, _, at, ok := parser.DetectSyntax([]byte(f.Content))
	if !ok || image == "" || len(at) == 0 {
		return
	}
	f.Frontend, f.FrontendSpan = image, f.LineSpan(max(at[0].Start.Line, 1))
	line := f.Content[f.FrontendSpan.Start:f.FrontendSpan.End]
	if i := strings.Index(line, image); i >= 0 {
		f.FrontendSpan.Start += i
		f.FrontendSpan.End = f.FrontendSpan.Start + len(image)
	}
}
