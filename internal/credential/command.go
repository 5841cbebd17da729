package credential

import (
	"bytes"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// schemes are what stands before the credential in an Authorization header.
var schemes = []string{"bearer ", "basic ", "token ", "bot ", "apikey ", "splunk ", "digest "}

// addHeader looks at an Authorization header, as RFC 9110 section 11.6.2 has
// it, in a command or a program.
func (s *search) addHeader(at int) {
	if s.place.trial || s.place.foreign || s.place.text == tokenText {
		return
	}
	i := at + len("authorization")
	if i = skip(s.data, i, " \t\"'\\"); i >= len(s.data) {
		return
	}
	// nginx and lists of arguments have no colon between the two.
	if c := s.data[i]; c == ':' || c == '=' || c == ',' {
		i = skip(s.data, i+1, " \t\"'`\\")
	}
	scheme := ""
	for _, name := range schemes {
		if len(s.data)-i > len(name) && strings.EqualFold(string(s.data[i:i+len(name)]), name) {
			scheme = name
			i += len(name)
		}
	}
	end := i
	for end < len(s.data) && end-i < maxValue && !endsBare(s.data[end], place{text: codeText}) && s.data[end] != '\\' {
		end++
	}
	value := string(s.data[i:end])
	switch {
	case scheme == "" || len(value) < 4 || !plausible(value) || exampleWords.MatchString(value) || isCode(value, false) || isIdentifier(value):
		return
	case scheme == "basic " && !basicAuth(value):
		return
	case scheme != "basic " && !random(value) && !thoughtUp(value):
		return
	}
	s.add(Match{
		Class: NamedValue, Kind: "credential in an Authorization header", Name: "Authorization", Severity: finding.High,
		Redacted: redact(value), Fingerprint: fingerprint(value, !random(value)),
	}, i, end-i)
}

// addUser looks at the option of curl that takes user:password.
func (s *search) addUser(at int) {
	if s.place.trial || s.place.foreign || s.place.text < codeText || s.place.text == tokenText || !s.starts(at) {
		return
	}
	end := min(len(s.data), at+2048)
	for i := at; i < end; i++ {
		if s.data[i] == '\n' && s.data[i-1] != '\\' && (s.data[i-1] != '\r' || s.data[i-2] != '\\') {
			end = i
		}
	}
	command := s.data[at:end]
	for _, option := range []string{" -u ", " --user ", " --user=", " -U ", " --proxy-user "} {
		i := bytes.Index(command, []byte(option))
		if i < 0 {
			continue
		}
		start := skip(s.data, at+i+len(option), " \"'")
		stop := start
		for stop < end && !endsBare(s.data[stop], place{text: envText}) {
			stop++
		}
		_, password, ok := strings.Cut(string(s.data[start:stop]), ":")
		if !ok || !plausible(password) || defaultPasswords[strings.ToLower(password)] || exampleWords.MatchString(password) || isCode(password, false) {
			continue
		}
		s.add(Match{
			Class: URLPassword, Kind: "password on a command line", Severity: finding.High,
			Redacted: redact(password), Fingerprint: fingerprint(password, !random(password)),
		}, stop-len(password), len(password))
	}
}

// addPasswordOption looks at the option -p of MySQL's programs, which the
// password follows without a blank, and of sshpass, where there may be one.
func (s *search) addPasswordOption(at int) {
	if s.place.trial || s.place.foreign || s.place.text < codeText || s.place.text == tokenText || !s.starts(at) {
		return
	}
	command := s.data[at:min(len(s.data), at+512)]
	if end := bytes.IndexAny(command, "\n;|&"); end >= 0 {
		command = command[:end]
	}
	i := bytes.Index(command, []byte(" -p"))
	if i < 0 {
		return
	}
	start := at + i + len(" -p")
	if bytes.HasPrefix(command, []byte("sshpass")) {
		start = skip(s.data, start, " ")
	}
	quoted := start < len(s.data) && (s.data[start] == '"' || s.data[start] == '\'')
	if quoted {
		start++
	}
	stop := start
	for stop < at+len(command) && !endsBare(s.data[stop], place{text: envText}) {
		stop++
	}
	value := string(s.data[start:stop])
	if len(value) < 4 || strings.HasPrefix(value, "-") || !plausible(value) || defaultPasswords[strings.ToLower(value)] || exampleWords.MatchString(value) || isCode(value, false) || !random(value) && !thoughtUp(value) {
		return
	}
	if !quoted && (strings.HasPrefix(value, "assword") || strings.HasPrefix(value, "rotocol")) {
		return // an option of another program, with one dash
	}
	s.add(Match{
		Class: URLPassword, Kind: "password on a command line", Severity: finding.High,
		Redacted: redact(value), Fingerprint: fingerprint(value, !random(value)),
	}, start, len(value))
}

// skip returns the first place from i on whose character is none of those.
func skip(data []byte, i int, of string) int {
	for i < len(data) && strings.IndexByte(of, data[i]) >= 0 {
		i++
	}
	return i
}

// InScript returns the credentials in the text of a script or a Dockerfile:
// those of InText, those that options, headers and assignments hold.
func InScript(text string) []Match {
	s := search{data: []byte(text), place: place{text: codeText, shell: true}}
	s.run(theEngine(), 0, len(text))
	return distinct(s.found)
}
