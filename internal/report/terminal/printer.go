package terminal

import (
	"bytes"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// style is an SGR sequence (ECMA-48, 8.3.117) without its introducer.
type style string

const (
	plain      style = ""
	bold       style = "1"
	dim        style = "2"
	red        style = "31"
	green      style = "32"
	yellow     style = "33"
	blue       style = "34"
	cyan       style = "36"
	boldRed    style = "1;31"
	boldPurple style = "1;35"
	passBanner style = "1;37;42"
	failBanner style = "1;37;41"
	warnBanner style = "1;30;43"
)

// printer collects the report. Nothing but its methods adds text, and each of
// them neutralises what it is given.
type printer struct {
	out   bytes.Buffer
	width int
	color bool
}

// span is text in one style.
type span struct {
	style style
	text  string
}

// width is the number of columns of a text, independent of the user's locale:
// ambiguous characters are one column wide, as in nearly all terminals.
func width(s string) int { return displaywidth.String(s) }

// truncate cuts a text to a number of columns, the tail included.
func truncate(s string, columns int, tail string) string {
	return displaywidth.TruncateString(s, columns, tail)
}

// line prints spans as one line, cut at the terminal's width.
func (p *printer) line(spans ...span) {
	left := p.width
	var b strings.Builder
	for _, s := range spans {
		text := neutralise.Log(s.text)
		if text == "" || left <= 0 {
			continue
		}
		if w := width(text); w > left {
			text = truncate(text, left, "…")
			left = 0
		} else {
			left -= w
		}
		b.WriteString(p.paint(s.style, text))
	}
	p.out.WriteString(strings.TrimRight(b.String(), " "))
	p.out.WriteByte('\n')
}

func (p *printer) paint(s style, text string) string {
	if !p.color || s == plain {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

func (p *printer) blank() { p.out.WriteByte('\n') }

// maxWrapped bounds any text: nobody reads more, and images can name packages
// as they like.
const maxWrapped = 4000

// wrapped prints text in as many lines as it takes, each with the indent.
func (p *printer) wrapped(s style, indent int, text string) {
	text = neutralise.Cut(text, maxWrapped)
	pad := strings.Repeat(" ", indent)
	for _, l := range wrap(neutralise.Log(text), max(p.width-indent, 20)) {
		p.line(span{plain, pad}, span{s, l})
	}
}

// hanging prints a label that is indent columns wide, and spans after it. A span
// that no longer fits goes below, and one that is longer than a line is wrapped,
// so that nothing is cut off.
func (p *printer) hanging(indent int, label []span, spans ...span) {
	room := max(p.width-indent, 20)
	current, used := label, 0
	flush := func() {
		p.line(current...)
		current, used = []span{{plain, strings.Repeat(" ", indent)}}, 0
	}
	for _, s := range spans {
		text := neutralise.Log(neutralise.Cut(s.text, maxWrapped))
		switch w := width(text); {
		case used == 0 && strings.TrimSpace(text) == "":
		case used+w <= room:
			current, used = append(current, span{s.style, text}), used+w
		default:
			for _, l := range wrap(text, room) {
				if used > 0 {
					flush()
				}
				current, used = append(current, span{s.style, l}), width(l)
			}
		}
	}
	p.line(current...)
}

// wrap breaks text at blanks; a word that is longer than a line is cut up.
func wrap(text string, limit int) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(text) {
		for width(word) > limit {
			head := truncate(word, limit, "")
			if head == "" {
				break
			}
			if current != "" {
				lines, current = append(lines, current), ""
			}
			lines = append(lines, head)
			word = word[len(head):]
		}
		switch {
		case current == "":
			current = word
		case width(current)+1+width(word) <= limit:
			current += " " + word
		default:
			lines, current = append(lines, current), word
		}
	}
	if current != "" {
		lines = append(lines, current)
	}
	return lines
}

// pad fills text up to n columns, or cuts it there.
func pad(text string, n int) string {
	text = neutralise.Log(text)
	if w := width(text); w < n {
		return text + strings.Repeat(" ", n-w)
	}
	return truncate(text, n, "…")
}

func severityStyle(s finding.Severity) style {
	switch s {
	case finding.Critical:
		return boldPurple
	case finding.High:
		return boldRed
	case finding.Medium:
		return yellow
	case finding.Low:
		return blue
	case finding.Unknown:
		return cyan
	default:
		return dim
	}
}
