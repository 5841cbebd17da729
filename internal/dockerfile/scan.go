package dockerfile

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// chunk is one instruction as it stands in the file: a logical line with the
// here-documents that follow it.
type chunk struct {
	first, last int // line indexes, last included
	text        Text
	blanks      []int // line indexes of blank lines inside
	heredocs    []Heredoc
	endless     string // name of a here-document without an end
}

// scanner cuts a file into chunks by the builder's own rules (continuation
// marks, comments, here-documents), but keeps offsets and goes on after faults.
// https://docs.docker.com/reference/dockerfile/#format
type scanner struct {
	lines    lineIndex
	escape   byte
	chunks   []chunk
	comments []Comment
	// directives is nil once the head of the file is over.
	directives *parser.DirectiveParser
	found      []Directive
	badHead    *Problem
	lineOf     map[string][]int
}

func scan(lines lineIndex) *scanner {
	s := &scanner{lines: lines, escape: '\\', directives: &parser.DirectiveParser{}}
	for n := 0; n < len(lines.starts); {
		n = s.scanChunk(n)
	}
	return s
}

// headLine looks for a parser directive; every line of the file's head counts.
func (s *scanner) headLine(n int, trimmed string) {
	if s.directives == nil {
		return
	}
	d, err := s.directives.ParseLine([]byte(trimmed))
	if err != nil {
		s.directives = nil
		start, end := s.lines.starts[n], s.lines.starts[n]+len(trimmed)
		s.badHead = &Problem{Kind: BadDirective, Span: Span{start, end}, Message: err.Error()}
		return
	}
	if d == nil {
		s.directives = nil
		return
	}
	start := s.lines.starts[n]
	s.found = append(s.found, Directive{Name: d.Name, Value: d.Value, Line: n + 1, Span: Span{start, start + len(trimmed)}})
	if d.Name == "escape" {
		if d.Value == "`" || d.Value == `\` {
			s.escape = d.Value[0]
			return
		}
		s.badHead = &Problem{
			Kind: BadDirective, Span: Span{start, start + len(trimmed)},
			Message: "the escape directive must name ` or \\",
		}
	}
}

// scanChunk reads the chunk or comment or blank line at line n and returns the
// index of the line after it.
func (s *scanner) scanChunk(n int) int {
	raw, start := s.lines.line(n)
	if n == 0 && strings.HasPrefix(raw, byteOrderMark) {
		raw, start = raw[len(byteOrderMark):], start+len(byteOrderMark)
	}
	line := strings.TrimLeftFunc(raw, unicode.IsSpace)
	start += len(raw) - len(line)
	isDirective := len(s.found)
	s.headLine(n, line)
	if strings.HasPrefix(line, "#") {
		s.comment(n, line, start, len(s.found) > isDirective)
		return n + 1
	}
	body, more := s.cutContinuation(line)
	if body == "" && !more {
		return n + 1
	}
	c := chunk{first: n, last: n}
	var tb textBuilder
	tb.add(body, start)
	for more && n+1 < len(s.lines.starts) {
		n++
		raw, start = s.lines.line(n)
		if start == len(s.lines.content) {
			break // nothing after the last line feed
		}
		trimmed := strings.TrimLeftFunc(raw, unicode.IsSpace)
		s.headLine(n, raw)
		c.last = n
		switch {
		case strings.HasPrefix(trimmed, "#"):
			s.comment(n, trimmed, start+len(raw)-len(trimmed), false)
			continue
		case trimmed == "":
			c.blanks = append(c.blanks, n)
			continue
		}
		body, more = s.cutContinuation(raw)
		tb.add(body, start)
	}
	c.text = tb.text()
	s.heredocs(&c)
	s.chunks = append(s.chunks, c)
	return c.last + 1
}

func (s *scanner) comment(n int, line string, start int, directive bool) {
	s.comments = append(s.comments, Comment{
		Text: strings.TrimSpace(line[1:]), Line: n + 1,
		Span: Span{start, start + len(line)}, Directive: directive,
	})
}

// cutContinuation takes the continuation mark off a line. The mark counts only
// when no second escape character stands before it.
func (s *scanner) cutContinuation(line string) (string, bool) {
	t := strings.TrimRight(line, " \t")
	if t == "" || t[len(t)-1] != s.escape || (len(t) > 1 && t[len(t)-2] == s.escape) {
		return line, false
	}
	return t[:len(t)-1], true
}

// heredocs reads the here-documents that the chunk's line announces.
func (s *scanner) heredocs(c *chunk) {
	if !strings.Contains(c.text.S, "<<") || !takesHeredocs(c.text.S, s.escape) {
		return
	}
	n := c.last + 1
	for _, h := range announcedHeredocs(c.text.S) {
		end := s.terminator(h.Name, h.Chomp, n)
		if end < 0 {
			c.endless = h.Name
			return
		}
		start := s.lines.next(n - 1)
		h.Span = Span{start, max(start, s.lines.starts[end])}
		h.Content = s.lines.content[h.Span.Start:h.Span.End]
		h.Line = n + 1
		c.heredocs = append(c.heredocs, h)
		c.last = end
		n = end + 1
	}
}

// terminator is the index of the first line from n on that ends a
// here-document of the name, or -1. The index of lines by their content is
// built once, so that many endless here-documents cost no more than one.
func (s *scanner) terminator(name string, chomp bool, n int) int {
	if s.lineOf == nil {
		s.lineOf = make(map[string][]int)
		for i := range s.lines.starts {
			line, start := s.lines.line(i)
			if start == len(s.lines.content) {
				break
			}
			s.lineOf[line] = append(s.lineOf[line], i)
			if t := strings.TrimLeft(line, "\t"); t != line {
				s.lineOf["\t"+t] = append(s.lineOf["\t"+t], i)
			}
		}
	}
	best := firstFrom(s.lineOf[name], n)
	if chomp {
		if other := firstFrom(s.lineOf["\t"+name], n); other >= 0 && (best < 0 || other < best) {
			best = other
		}
	}
	return best
}

func firstFrom(sorted []int, n int) int {
	i, _ := slices.BinarySearch(sorted, n)
	if i == len(sorted) {
		return -1
	}
	return sorted[i]
}

// takesHeredocs reports whether the instruction in line may be followed by
// here-documents: RUN, COPY and ADD not in exec form, and ONBUILD of these.
func takesHeredocs(line string, escape byte) bool {
	head := splitHead(line, escape)
	if strings.EqualFold(head.keyword(line), "ONBUILD") {
		line = line[head.args:]
		head = splitHead(line, escape)
	}
	switch strings.ToUpper(head.keyword(line)) {
	case "RUN", "COPY", "ADD":
		return !isStringArray(line[head.args:])
	}
	return false
}

func isStringArray(s string) bool {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "[") {
		return false
	}
	var list []string
	return json.Unmarshal([]byte(s), &list) == nil
}

// announcedHeredocs are the here-documents that a logical line announces, found
// in the way of the builder: unquoted words of the form <<NAME.
func announcedHeredocs(line string) []Heredoc {
	lex := shell.NewLex('\\')
	lex.RawQuotes, lex.RawEscapes, lex.SkipUnsetEnv = true, true, true
	words, _ := lex.ProcessWords(line, noVariables{})
	var out []Heredoc
	for _, w := range words {
		if h, err := parser.ParseHeredoc(w); err == nil && h != nil {
			out = append(out, Heredoc{Name: h.Name, Expand: h.Expand, Chomp: h.Chomp})
		}
	}
	return out
}

// noVariables is an environment without any variable.
type noVariables struct{}

func (noVariables) Get(string) (string, bool) { return "", false }
func (noVariables) Keys() []string            { return nil }
