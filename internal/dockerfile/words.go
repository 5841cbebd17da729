package dockerfile

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// head holds the offsets of an instruction's parts within its logical line.
type head struct {
	keywordStart, keywordEnd int
	flags                    []rawFlag
	args                     int // where the arguments start
}

// rawFlag is a builder flag: its place and its text without quotes and escapes.
type rawFlag struct {
	start, end int
	text       string
}

func (h head) keyword(line string) string { return line[h.keywordStart:h.keywordEnd] }

// splitHead finds keyword, flags and the start of the arguments in the way of
// BuildKit: flags are leading words that start with "--", in which quotes and
// escapes count; a lone "--" ends them.
func splitHead(line string, escape byte) head {
	var h head
	h.keywordStart = len(line) - len(strings.TrimLeftFunc(line, unicode.IsSpace))
	h.keywordEnd = h.keywordStart
	for h.keywordEnd < len(line) && !isBlank(line[h.keywordEnd]) {
		h.keywordEnd++
	}
	pos := h.keywordEnd
	for {
		for pos < len(line) && isSpaceByte(line[pos]) {
			pos++
		}
		if !strings.HasPrefix(line[pos:], "--") {
			break
		}
		end, text := flagWord(line, pos, escape)
		if text == "--" {
			pos = end
			for pos < len(line) && isSpaceByte(line[pos]) {
				pos++
			}
			break
		}
		h.flags = append(h.flags, rawFlag{start: pos, end: end, text: text})
		pos = end
	}
	h.args = pos
	return h
}

// flagWord reads one flag from pos on: quotes and escapes are taken off.
func flagWord(line string, pos int, escape byte) (int, string) {
	var b strings.Builder
	var quote byte
	for ; pos < len(line); pos++ {
		ch := line[pos]
		switch {
		case quote == 0 && isSpaceByte(ch):
			return pos, b.String()
		case quote == 0 && (ch == '"' || ch == '\''):
			quote = ch
			continue
		case quote != 0 && ch == quote:
			quote = 0
			continue
		case ch == escape:
			pos++
			if pos == len(line) {
				return pos, b.String()
			}
			ch = line[pos]
		}
		b.WriteByte(ch)
	}
	return pos, b.String()
}

// isBlank reports the bytes at which BuildKit splits words.
func isBlank(ch byte) bool {
	return ch == ' ' || ch == '\t' || ch == '\v' || ch == '\f' || ch == '\r'
}

func isSpaceByte(ch byte) bool { return isBlank(ch) || ch == '\n' }

// piece is a word by its offsets.
type piece struct {
	start, end int
}

// blankWords splits s from offset from on at blanks, as BuildKit does for FROM,
// COPY, ADD, EXPOSE and VOLUME.
func blankWords(s string, from int) []piece {
	var out []piece
	for i := from; i < len(s); {
		for i < len(s) && isSpaceByte(s[i]) {
			i++
		}
		start := i
		for i < len(s) && !isSpaceByte(s[i]) {
			i++
		}
		if i > start {
			out = append(out, piece{start, i})
		}
	}
	return out
}

// quotedWords splits s from offset from on at blanks outside quotes, as
// BuildKit does for ENV, LABEL and ARG. Quotes stay part of the words.
func quotedWords(s string, from int, escape byte) []piece {
	var out []piece
	start, quote := -1, rune(0)
	for i := from; i < len(s); {
		ch, width := utf8.DecodeRuneInString(s[i:])
		switch {
		case start < 0 && unicode.IsSpace(ch):
			i += width
			continue
		case start >= 0 && quote == 0 && unicode.IsSpace(ch):
			out = append(out, piece{start, i})
			start = -1
			i += width
			continue
		case start < 0:
			start = i
		}
		switch {
		case ch == rune(escape) && quote != '\'':
			i += width // the next character belongs to the word, whatever it is
			if i < len(s) {
				_, width = utf8.DecodeRuneInString(s[i:])
			} else {
				width = 0
			}
		case quote == 0 && (ch == '"' || ch == '\''):
			quote = ch
		case quote != 0 && ch == quote:
			quote = 0
		}
		i += width
	}
	if start >= 0 {
		out = append(out, piece{start, len(s)})
	}
	return out
}

// jsonWord is one string of an exec-form array.
type jsonWord struct {
	piece
	value string
}

// jsonWords are the strings of the JSON array that starts at offset from, with
// their places without the quotes. It reports false when the rest of the line
// is not an array of strings.
func jsonWords(s string, from int) ([]jsonWord, bool) {
	if !isStringArray(s[from:]) {
		return nil, false
	}
	var out []jsonWord
	for i := from; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		start := i
		for i++; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
		}
		if i >= len(s) {
			return nil, false
		}
		var value string
		if json.Unmarshal([]byte(s[start:i+1]), &value) != nil {
			return nil, false
		}
		out = append(out, jsonWord{piece{start + 1, i}, value})
	}
	return out, true
}
