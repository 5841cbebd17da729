// Package neutralise makes text from images, manifests and feeds harmless for
// one kind of reader at a time: a terminal, the log of a CI host, Markdown,
// HTML, JSON. Reports and CI adapters pass every string that they did not
// write themselves through the function for their sink; detectors keep the raw
// text. It is not for hiding secrets: those are masked where they are found.
package neutralise

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line that cannot move a terminal's cursor, change its
// colours or reorder what is read: control characters, line and paragraph
// separators, bidirectional controls and other invisible formatting characters
// appear as \x1b, \n or \u202e, and invalid UTF-8 as \xNN. Printable text, tabs
// turned into single blanks, is left alone.
func Line(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t':
			b.WriteByte(' ')
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x100 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case invisible(r):
			b.WriteString(escapeRune(r))
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// invisible reports whether r shows nothing or changes how its neighbours
// show: the Unicode categories Cc, Cf, Zl, Zp, Co and the tag and variation
// blocks that can smuggle text past a reader.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) ||
		r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' ||
		(r >= 0xe0100 && r <= 0xe01ef) || (r >= 0xfe00 && r <= 0xfe0f)
}

func escapeRune(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// logCommands are the openings that a CI host takes for a command: GitHub and
// Gitea "::cmd" at the start of a line and "##[cmd]" anywhere, Azure
// "##vso[...]" and "##[...]", TeamCity "##teamcity[...]", GitLab
// "section_start:".
var logCommands = strings.NewReplacer(
	"::", ": :",
	"##[", "## [",
	"##vso[", "## vso [",
	"##teamcity[", "## teamcity [",
	"section_start:", "section_start :",
	"section_end:", "section_end :",
)

// Log returns Line(s) with everything broken up that a CI host reads as a
// command in a log. Use it for each foreign string that may reach a CI log,
// progress lines and error messages included.
func Log(s string) string {
	line := Line(s)
	for {
		broken := logCommands.Replace(line)
		if broken == line {
			return line
		}
		line = broken
	}
}

// markdownSpecial are the ASCII characters that can start a construct in
// GitHub's or GitLab's Markdown.
const markdownSpecial = "\\`*_{}[]()<>#+-.!|~&:@$=^\"'/"

// Markdown returns s as one line of Markdown text that shows s and nothing
// else: no link, image, HTML, mention, issue reference, emoji, table cell
// border or autolink. Letters and digits are left readable in the source.
func Markdown(s string) string {
	line := strings.TrimSpace(Line(s)) // blanks at the start make code or lists
	var b strings.Builder
	b.Grow(len(line) + 8)
	for i, r := range line {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case reference(r, line[:i]):
			// Mentions and references of people, issues, merge requests and
			// labels. They survive a backslash in GitLab; an entity followed
			// by a zero-width non-joiner does not link.
			fmt.Fprintf(&b, "&#%d;&zwnj;", r)
		case r == ':' && linkColon(line[i:]):
			b.WriteString("&#58;&zwnj;")
		case r == '-' && issueNumber(line[:i], line[i:]):
			b.WriteString("&#45;&zwnj;")
		case r == '.' && strings.HasPrefix(line[:i], "www") || r == '.' && strings.HasSuffix(line[:i], "www"):
			b.WriteString("&#46;&zwnj;")
		case needsBackslash(r, i, line):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// reference reports whether r after the given text can start a reference to a
// person or an object of the host. Inside a word only the sharp does
// (owner/repository#1), and the at sign, which makes addresses of mail.
func reference(r rune, before string) bool {
	if r == '#' || r == '@' {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	return strings.ContainsRune("!$~%", r) && (before == "" || !unicode.IsLetter(last) && !unicode.IsDigit(last))
}

// issueNumber reports whether a hyphen stands in GH-1, GitHub's other way to
// write #1.
func issueNumber(before, rest string) bool {
	return len(before) >= 2 && strings.EqualFold(before[len(before)-2:], "GH") && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9'
}

func linkColon(rest string) bool {
	return strings.HasPrefix(rest, "://") || len(rest) > 1 && rest[1] != ' '
}

// needsBackslash leaves the marks alone that only mean something at the start
// of a line, so that version numbers and paths stay readable.
func needsBackslash(r rune, at int, line string) bool {
	if r >= utf8.RuneSelf || !strings.ContainsRune(markdownSpecial, r) {
		return false
	}
	switch r {
	case '/':
		// An order to GitLab, such as /close, where it starts a line.
		return at == 0 && order.MatchString(line)
	case '.', '(', ')', '"', '\'', '=', '^', ':':
		listItem := at+1 == len(line) || line[at+1] == ' '
		return (r == '.' || r == ')') && listItem && startsWithNumber(line[:at])
	case '-', '+':
		return at == 0
	}
	return true
}

// order matches what GitLab may take for a quick action; paths have more parts.
var order = regexp.MustCompile(`^/[A-Za-z_]+(?:\s|$)`)

// startsWithNumber reports whether text is digits only, which with a full stop
// would start a numbered list.
func startsWithNumber(text string) bool {
	if text == "" {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}

// codeSpecial are the marks that mean something even between HTML tags, and
// linkSpecial those that would end the target of a link.
var (
	codeSpecial = strings.NewReplacer("|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "\\", "&#92;",
		"[", "&#91;", "]", "&#93;", "@", "&#64;", "~", "&#126;", "$", "&#36;", ":", "&#58;", "www.", "www&#46;")
	linkSpecial = strings.NewReplacer("(", "%28", ")", "%29", "|", "%7C", "<", "%3C", ">", "%3E", "\\", "%5C", "`", "%60")
)

// mailAddress matches what hosts take for an address of mail even where its
// sign is an entity: they look for it once entities are characters.
var mailAddress = regexp.MustCompile(`([A-Za-z0-9.+_-])&#64;([A-Za-z0-9_-]+&?\.)`)

// MarkdownCode returns s as a code span that also holds in a table cell.
func MarkdownCode(s string) string {
	line := Line(s)
	if line == "" {
		return ""
	}
	escaped := codeSpecial.Replace(html.EscapeString(line))
	// Tags keep the parts of an address apart, and unlike invisible characters
	// do not get into what a person copies.
	return "<code>" + mailAddress.ReplaceAllString(escaped, "$1<span>&#64;</span>$2") + "</code>"
}

// MarkdownProse is Markdown for sentences of ours that quote foreign text in
// backticks: quoted pieces become code spans, everything else stays text.
func MarkdownProse(s string) string {
	pieces := strings.Split(Line(s), "`")
	if len(pieces)%2 == 0 {
		return Markdown(s) // a backtick without a partner quotes nothing
	}
	var b strings.Builder
	for i, piece := range pieces {
		if i%2 == 0 {
			b.WriteString(outerBlanks(piece, Markdown(piece)))
		} else {
			b.WriteString(MarkdownCode(piece))
		}
	}
	return b.String()
}

// MarkdownSpans is MarkdownProse with Markdown's own backticks, for a text that
// some readers show as it is written.
func MarkdownSpans(s string) string {
	pieces := strings.Split(Line(s), "`")
	if len(pieces)%2 == 0 {
		return Markdown(s)
	}
	var b strings.Builder
	for i, piece := range pieces {
		switch {
		case i%2 == 0 && piece == "" && i > 0 && i < len(pieces)-1, i%2 == 1 && strings.TrimSpace(piece) == "":
			return Markdown(s) // two backticks in a row are another mark
		case i%2 == 0:
			b.WriteString(outerBlanks(piece, Markdown(piece)))
		case strings.ContainsRune(piece, '@'):
			b.WriteString(Markdown("`" + piece + "`")) // hosts link addresses of mail in code too
		default:
			b.WriteString("`" + piece + "`")
		}
	}
	return b.String()
}

// outerBlanks gives text the blank before and after it back that piece had.
func outerBlanks(piece, text string) string {
	if text == "" {
		return strings.Repeat(" ", min(len(piece), 1))
	}
	if strings.HasPrefix(piece, " ") {
		text = " " + text
	}
	if strings.HasSuffix(piece, " ") {
		text += " "
	}
	return text
}

// MarkdownLink returns a link with the given text, or only the text when
// target is not a plain https or http address.
func MarkdownLink(text, target string) string {
	clean, ok := URL(target)
	if !ok {
		return Markdown(text)
	}
	clean = linkSpecial.Replace(clean)
	return "[" + Markdown(text) + "](" + clean + ")"
}

// HTML returns s as one line of text for an HTML element or a quoted
// attribute.
func HTML(s string) string { return html.EscapeString(Line(s)) }

// maxURL is the length that browsers and hosts all take.
const maxURL = 2048

// URL returns target if it is an absolute http or https address without
// credentials, of at most 2,048 bytes, in its escaped form; otherwise it returns false, and the text
// must be shown without a link.
func URL(target string) (string, bool) {
	if len(target) > maxURL {
		return "", false
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return "", false
	}
	clean := u.String()
	if strings.ContainsFunc(clean, func(r rune) bool { return r <= ' ' || r == '"' || r == '\'' || invisible(r) }) {
		return "", false
	}
	return clean, true
}

// JSON returns an encoded JSON document in which characters that a terminal
// or a reader's eye could fall for (DEL, C1 controls, bidirectional and other
// invisible ones) stand as \uXXXX, and so does the sharp of "##[" and "##vso[",
// with which CI hosts start a command anywhere in a line of their log. The
// decoded values stay the same: such characters only ever occur inside strings.
// The encoder has escaped the other control characters; line ends between the
// values stay. The result may share memory with encoded.
func JSON(encoded []byte) []byte {
	var out []byte // nil as long as nothing had to be changed
	copied := 0
	for i := 0; i < len(encoded); {
		if encoded[i] < 0x7f && !startsCommand(encoded, i) {
			i++
			continue
		}
		r, size := utf8.DecodeRune(encoded[i:])
		if r == '#' || invisible(r) {
			out = append(out, encoded[copied:i]...)
			out = append(out, jsonEscape(r)...)
			copied = i + size
		}
		i += size
	}
	if copied == 0 {
		return encoded
	}
	return append(out, encoded[copied:]...)
}

// startsCommand reports whether the sharp at i is the second of two and a name
// or a bracket follows.
func startsCommand(encoded []byte, i int) bool {
	if encoded[i] != '#' || i == 0 || encoded[i-1] != '#' || i+1 == len(encoded) {
		return false
	}
	next := encoded[i+1]
	return next == '[' || next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z'
}

// Markup is the counterpart of JSON for encoded XML and HTML: the second of two
// sharps becomes a character reference. Scripts and styles must not hold two.
func Markup(encoded []byte) []byte {
	return bytes.ReplaceAll(encoded, []byte("##"), []byte("#&#35;"))
}

func jsonEscape(r rune) string {
	if r > 0xffff {
		high, low := surrogates(r)
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

func surrogates(r rune) (high, low rune) {
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

// Short is Line for at most limit bytes. It does not look at more of s than it
// keeps, however long s is.
func Short(s string, limit int) string { return Cut(Line(Cut(s, limit)), limit) }

// Cut shortens s to at most limit bytes without splitting a character, ending
// in "…" where something was cut.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const ellipsis = "…"
	end := max(limit-len(ellipsis), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if limit < len(ellipsis) {
		return s[:end]
	}
	return s[:end] + ellipsis
}
