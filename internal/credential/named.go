package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// maxName and maxValue bound names and values of settings.
const (
	maxName  = 80
	maxValue = 1024
)

// setting is a name with its value as it stands in a text.
type setting struct {
	name  string
	value string
	// from is where the name begins, start and end are the borders of the value.
	from, start, end int
	quoted           bool
}

// settingAt reads the setting whose name has a letter at the given place.
func settingAt(data []byte, at int, p place) (s setting, ok bool) {
	from, to := at, at
	for from > 0 && at-from < maxName && isName(data[from-1]) {
		from--
	}
	for to < len(data) && to-at < maxName && isName(data[to]) {
		to++
	}
	for from < to && data[from] == '-' {
		from++
	}
	if from > 0 && (data[from-1] == '/' || data[from-1] == '@') {
		return s, false // a part of a path or URL
	}
	s.from = from
	if from > 1 && data[from-1] == '{' && data[from-2] == '$' {
		ok = s.readDefault(data, from)
		s.name = string(data[from : from+words(data[from:])])
		return s, ok
	}
	i, ok := pairedValue(data, from, to)
	if !ok {
		if i, ok = behindName(data, from, to, p); !ok {
			return s, false
		}
	}
	if !s.readValue(data, i, p) {
		return s, false
	}
	if strings.HasPrefix(s.value, "${") {
		s.readDefault(data, s.start+len("${"))
	}
	// Most words are no names of settings: those get no string.
	s.name = string(data[from:to])
	// The element of a markup ends with its value.
	return s, data[i-1] != '>' || data[i-2] == '=' || s.end+1 < len(data) && data[s.end] == '<' && data[s.end+1] == '/'
}

// pairedValue returns where the value begins of a name that is itself a value:
// name: DB_PASSWORD, value: x, as lists of variables have it in YAML, JSON and
// XML, in either order.
func pairedValue(data []byte, from, to int) (int, bool) {
	at, ok := nameBefore(data, from)
	if !ok {
		return 0, false
	}
	i := skip(data, to, " \t\r\n,\"'")
	if i == to || len(data)-i < len("value:") || !bytes.EqualFold(data[i:i+len("value")], []byte("value")) {
		return valueBefore(data, at)
	}
	if i = skip(data, i+len("value"), " \t\"'"); i >= len(data) || data[i] != ':' && data[i] != '=' {
		return valueBefore(data, at)
	}
	return i + 1, true
}

// nameBefore reports whether name: or key= stands before a place, and where that
// begins.
func nameBefore(data []byte, from int) (at int, ok bool) {
	j := blanksBefore(data, from, from-32)
	if j == 0 || data[j-1] != ':' && data[j-1] != '=' {
		return 0, false
	}
	j = blanksBefore(data, j-1, from-32)
	end := j
	for j > 0 && end-j < 5 && isWord(data[j-1]) {
		j--
	}
	word := data[j:end]
	return j, bytes.EqualFold(word, []byte("name")) || bytes.EqualFold(word, []byte("key"))
}

// blanksBefore returns where the blanks and quotes begin that end at a place, as
// far back as least.
func blanksBefore(data []byte, at, least int) int {
	for at > max(0, least) && (data[at-1] == ' ' || data[at-1] == '\t' || data[at-1] == '"' || data[at-1] == '\'') {
		at--
	}
	return at
}

// valueBefore returns where the value begins that stands before the place of
// name: in value: x, name: DB_PASSWORD.
func valueBefore(data []byte, name int) (int, bool) {
	from := max(0, name-maxValue)
	head := bytes.TrimRight(data[from:name], "\"'")
	at := bytes.LastIndex(bytes.ToLower(head), []byte("value"))
	if at < 0 || at > 0 && isWord(head[at-1]) {
		return 0, false
	}
	i := skip(head, at+len("value"), "\"'")
	if i = skip(head, i, " \t"); i >= len(head) || head[i] != ':' && head[i] != '=' {
		return 0, false
	}
	// Only the value lies between: no other line, no other object.
	value := bytes.TrimSpace(bytes.TrimRight(head[i+1:], " \t\r\n,"))
	if len(value) == 0 || bytes.ContainsAny(value, "\r\n{}[]") {
		return 0, false
	}
	return from + i + 1, true
}

func isName(c byte) bool { return isWord(c) || c == '.' || c == '-' }

// behindName returns where the value begins, if what stands between is what
// stands between names and values.
func behindName(data []byte, from, to int, p place) (int, bool) {
	i := to
	quoted := false
	if i < len(data) && (data[i] == '"' || data[i] == '\'' || data[i] == '\\') && from > 0 && (data[from-1] == '"' || data[from-1] == '\'') {
		quoted = true
		for i < len(data) && (data[i] == '\\' || data[i] == '"' || data[i] == '\'') {
			i++
		}
		if i < len(data) && data[i] == ']' {
			i++
		}
	}
	blank := i
	for i < len(data) && (data[i] == ' ' || data[i] == '\t') {
		i++
	}
	if i >= len(data) {
		return 0, false
	}
	next := byte(0)
	if i+1 < len(data) {
		next = data[i+1]
	}
	switch c := data[i]; {
	case (c == '=' || c == ':') && next == '=', c == '=' && next == '>':
		if c == '=' && next == '=' {
			return 0, false // a comparison
		}
		return i + 2, true
	case c == ':' && next == ':':
		return 0, false // a scope
	case c == '=', c == ':':
		return i + 1, true
	case c == ',' && quoted:
		return i + 1, true
	case c == '(' && p.text == codeText && (next == '"' || next == '\''):
		return i + 1, true
	case c == '>' && from > 0 && data[from-1] == '<':
		return i + 1, true
	case i > blank && (p.blanks || takesBlank(data[from:to]) || from > 1 && data[from-1] == '-' && data[from-2] == '-' && c != '-'):
		return i, true
	}
	return 0, false
}

// takesBlank reports names of settings that are kept apart from their values by
// a blank: those of LDAP's programs.
func takesBlank(name []byte) bool {
	return bytes.EqualFold(name, []byte("bindpw")) || bytes.EqualFold(name, []byte("rootpw"))
}

// readValue reads the value that begins at or behind i, in quotes or bare.
func (s *setting) readValue(data []byte, i int, p place) bool {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t') {
		i++
	}
	escaped := i+1 < len(data) && data[i] == '\\' && data[i+1] == '"'
	if escaped {
		i++
	}
	if i >= len(data) {
		return false
	}
	end := min(len(data), i+maxValue)
	if q := data[i]; q == '"' || q == '\'' || q == '`' {
		s.quoted, s.start = true, i+1
		for j := i + 1; j < end; j++ {
			if data[j] == '\n' {
				return false
			}
			if data[j] == q || escaped && data[j] == '\\' {
				s.end = j
				s.value = string(data[s.start:j])
				return j > s.start
			}
			if data[j] == '\\' {
				j++
			}
		}
		return false
	}
	s.start = i
	j := i
	for j < end && !endsBare(data[j], p) {
		j++
	}
	if j == end && end < len(data) && !endsBare(data[end], p) {
		return false
	}
	if p.lines && wordsFollow(data, j) {
		return false
	}
	s.end = j
	s.value = strings.TrimRight(string(data[i:j]), ".,;:")
	return s.value != ""
}

// wordsFollow reports whether more than a comment stands behind a place in its
// line.
func wordsFollow(data []byte, at int) bool {
	i := skip(data, at, " \t")
	return i > at && i < len(data) && data[i] != '\r' && data[i] != '\n' && data[i] != '#'
}

// words is how many characters of a name of a variable stand in front.
func words(data []byte) (n int) {
	for n < len(data) && n < maxName && isWord(data[n]) {
		n++
	}
	return n
}

// readDefault reads the value that the expansion of a variable gives where the
// variable is not set: ${NAME:-value}, ${NAME-value}, ${NAME:=value},
// ${NAME=value}. The others give none.
func (s *setting) readDefault(data []byte, name int) bool {
	i := name + words(data[name:])
	if i < len(data) && data[i] == ':' {
		i++
	}
	if i == name || i >= len(data) || data[i] != '-' && data[i] != '=' {
		return false
	}
	i++
	n := bytes.IndexAny(data[i:min(len(data), i+maxValue)], "}\r\n")
	if n <= 0 || data[i+n] != '}' {
		return false
	}
	value := data[i : i+n]
	s.start, s.end, s.quoted = i, i+n, false
	if q := value[0]; n > 2 && (q == '"' || q == '\'') && value[n-1] == q {
		s.start, s.end, s.quoted = i+1, i+n-1, true
	}
	s.value = string(data[s.start:s.end])
	return s.value != ""
}

// defaultOf returns the value that a text gives which is one such expansion and
// nothing else, and other texts as they are.
func defaultOf(text string) string {
	var s setting
	if strings.HasPrefix(text, "${") && s.readDefault([]byte(text), len("${")) && strings.HasSuffix(text, "}") && strings.Count(text, "}") == 1 {
		return s.value
	}
	return text
}

// endsBare reports whether a character ends a value without quotes.
func endsBare(c byte, p place) bool {
	switch c {
	case ' ', '\t', '\r', '\n', '<', '"', '\'', '`', 0:
		return true
	case ',', ';', ')', '}', ']', '|', '&':
		return p.text != envText
	}
	return c > '~'
}

// isSealed reports whether a value is that of a SealedSecret, which only the
// cluster can open: the length of a session key for RSA with 4096 or 2048 bits
// in two bytes, that key, and what is encrypted with it.
// https://github.com/bitnami-labs/sealed-secrets#how-it-works
func isSealed(value string) bool {
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(raw) < 2 {
		return false
	}
	key := int(binary.BigEndian.Uint16(raw))
	return (key == 512 || key == 256) && len(raw) > 2+key
}

// judgeSetting decides whether a setting of a file holds a secret. How much it
// takes depends on what the file is.
func judgeSetting(s setting, p place) (Match, bool) {
	promise := Promises(s.name)
	if promise == NoPromise || p.text == tokenText || p.text == binaryText || p.trial || len(s.value) < 4 || strings.ContainsAny(s.value, " \t") {
		return Match{}, false
	}
	if isSealed(s.value) || strings.Count(s.value, `\u`) > 2 { // Words in another script.
		return Match{}, false
	}
	made := random(s.value) && !isIdentifier(s.value)
	if text, ok := textInBase64(s.value); ok {
		if exampleWords.MatchString(text) {
			return Match{}, false
		}
		made = random(text)
	}
	switch {
	case isAuth(s.name):
		if !basicAuth(s.value) {
			return Match{}, false
		}
		made = true
	case p.foreign || p.text == proseText || promise == WeakPromise:
		if !made || !s.quoted && (p.text == codeText && !p.shell || p.text == proseText && p.foreign || isCode(s.value, false)) {
			return Match{}, false
		}
	case p.text == codeText && !s.quoted && (!p.shell || isCode(s.value, false)):
		return Match{}, false
	case p.text == codeText:
		if !made && !(s.quoted && thoughtUp(s.value) && strings.Contains(strings.ToLower(s.name), "pass")) {
			return Match{}, false
		}
	case !made && !chosen(s, p):
		return Match{}, false
	}
	if strings.EqualFold(s.value, s.name) || defaultPasswords[strings.ToLower(s.value)] && p.text != envText {
		return Match{}, false
	}
	// What takes regular expressions comes last: few values get here.
	if !plausible(s.value) || exampleWords.MatchString(s.value) {
		return Match{}, false
	}
	m := namedMatch(s.name, s.value)
	if p.foreign || p.text == codeText && !made {
		m.Severity = finding.Medium
	}
	return m, true
}

// namedMatch makes a match of a value that its name gives away.
func namedMatch(name, value string) Match {
	m := Match{Class: NamedValue, Kind: NamedKind, Severity: finding.Medium, Name: name, Redacted: redact(value)}
	made := random(value)
	if made || len(value) >= 12 && entropy(value) >= 3 && classesOf(value).kinds() >= 3 {
		m.Severity = finding.High
	}
	m.Fingerprint = fingerprint(value, !made)
	return m
}

// NamedKind is the kind of values that their names give away.
const NamedKind = "value of a variable that is named like a secret"

// chosen reports whether a value of a settings file looks like a password
// somebody chose, and not like a word of the program.
func chosen(s setting, p place) bool {
	if isIdentifier(s.value) || isCode(s.value, s.quoted) {
		// Lines of NAME=value leave no doubt about what a word is.
		return p.text == envText && !isCode(s.value, s.quoted) && isPassword(s.name) && !strings.ContainsAny(s.value, "._/") && len(s.value) >= 5
	}
	return thoughtUp(s.value)
}

func isPassword(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "passw") || strings.Contains(lower, "passphrase") || strings.HasSuffix(lower, "pwd") || strings.HasSuffix(lower, "_pass")
}

// thoughtUp reports whether a value mixes characters as passwords do.
func thoughtUp(v string) bool {
	c := classesOf(v)
	return len(v) >= 6 && c.lower+c.upper > 0 && !isIdentifier(v) && (c.kinds() >= 3 || c.digits > 0 && c.lower+c.upper >= 3 || c.others > 0 && strings.ContainsAny(v, "!@#$%^&*?+=~"))
}

// isIdentifier reports words put together, as programs name things:
// access_token, my-secret-name, auth.token, getPassword, Secret1.
func isIdentifier(v string) bool {
	letters := 0
	for i := range len(v) {
		c := v[i]
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			letters++
		case c == '_' || c == '-' || c == '.' || c == '/' || c == ':':
		default:
			return false
		}
	}
	return letters > 0 && !random(v)
}

// isCode reports calls, references to members, formats: what follows a name in
// programs and templates.
func isCode(v string, quoted bool) bool {
	if quoted {
		return strings.Contains(v, "${") || strings.Contains(v, "#{") || strings.HasPrefix(v, "%(")
	}
	return strings.ContainsAny(v, "()[]{}") || strings.HasPrefix(v, "$") || strings.HasPrefix(v, "&") || strings.HasPrefix(v, "*") || strings.Contains(v, "->") || strings.Contains(v, "::")
}
