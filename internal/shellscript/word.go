package shellscript

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxField bounds what variables may grow an argument to, and maxExpanded what
// they may add to a whole script.
const (
	maxField    = 64 << 10
	maxExpanded = 16 << 20
)

// word evaluates a word without field splitting.
func (r *reader) word(w *syntax.Word) Arg {
	e := evaluation{reader: r, known: true}
	e.parts(w.Parts, false)
	return Arg{Text: e.b.String(), Known: e.known, Quoted: e.quoted, At: r.nodeRange(w), word: w}
}

// fields evaluates a word and splits what unquoted variables bring in.
func (r *reader) fields(w *syntax.Word) []Arg {
	e := evaluation{reader: r, known: true}
	e.parts(w.Parts, false)
	whole := Arg{Text: e.b.String(), Known: e.known, Quoted: e.quoted, At: r.nodeRange(w), word: w}
	if len(e.breaks) == 0 {
		return []Arg{whole}
	}
	var out []Arg
	start := 0
	for _, cut := range append(e.breaks, len(whole.Text)) {
		if field := whole.Text[start:cut]; field != "" {
			out = append(out, Arg{Text: field, Known: whole.Known, Quoted: whole.Quoted, At: whole.At, Split: true})
		}
		start = cut
	}
	return out
}

// evaluation puts the text of a word together.
type evaluation struct {
	*reader
	b      strings.Builder
	known  bool
	quoted bool
	breaks []int // offsets at which the word falls apart
}

func (e *evaluation) parts(parts []syntax.WordPart, quoted bool) {
	for _, p := range parts {
		e.part(p, quoted)
	}
}

func (e *evaluation) part(p syntax.WordPart, quoted bool) {
	switch p := p.(type) {
	case *syntax.Lit:
		e.b.WriteString(unescape(p.Value, quoted))
	case *syntax.SglQuoted:
		e.quoted = true
		e.b.WriteString(p.Value)
	case *syntax.DblQuoted:
		e.quoted = true
		e.parts(p.Parts, true)
	case *syntax.ParamExp:
		e.param(p, quoted)
	default:
		e.unknown(p)
	}
}

func (e *evaluation) unknown(n syntax.Node) {
	e.known = false
	start, end := int(n.Pos().Offset()), int(n.End().Offset())
	if src := e.script.Source; start <= end && end <= len(src) && e.b.Len()+end-start < maxField {
		e.b.WriteString(src[start:end])
	}
}

func (e *evaluation) param(p *syntax.ParamExp, quoted bool) {
	plain := p.Param != nil && !p.Excl && !p.Length && p.Index == nil && p.Slice == nil && p.Repl == nil && p.Names == 0
	if !plain {
		e.unknown(p)
		return
	}
	value, ok := e.value(p.Param.Value)
	if p.Exp != nil {
		if ok && value != "" && (p.Exp.Op == syntax.DefaultUnset || p.Exp.Op == syntax.DefaultUnsetOrNull) {
			e.expanded(value, quoted)
			return
		}
		e.unknown(p)
		return
	}
	if !ok {
		e.unknown(p)
		return
	}
	e.expanded(value, quoted)
}

// expanded adds the value of a variable, and the breaks that its blanks make
// when it is not quoted.
func (e *evaluation) expanded(value string, quoted bool) {
	e.expandedBytes += len(value)
	if e.b.Len()+len(value) > maxField || e.expandedBytes > maxExpanded {
		e.known = false
		return
	}
	if quoted || !strings.ContainsAny(value, " \t\n") {
		e.b.WriteString(value)
		return
	}
	if strings.TrimLeft(value, " \t\n") != value {
		e.breaks = append(e.breaks, e.b.Len())
	}
	for i, f := range strings.Fields(value) {
		if i > 0 {
			e.breaks = append(e.breaks, e.b.Len())
		}
		e.b.WriteString(f)
	}
	if strings.TrimRight(value, " \t\n") != value {
		e.breaks = append(e.breaks, e.b.Len())
	}
}

// value is that of a variable: the script's own, else the one from outside.
func (r *reader) value(name string) (string, bool) {
	if a, ok := r.local[name]; ok {
		return a.Text, a.Known
	}
	return r.lookup(name)
}

// unescape takes backslashes off literal text. Inside double quotes they count
// only before a few characters.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
func unescape(s string, quoted bool) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (!quoted || strings.IndexByte("$`\"\\\n", s[i+1]) >= 0) {
			i++
			if s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
