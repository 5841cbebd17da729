package credential

import (
	"net/url"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// defaultPasswords stand in documents and examples for any password, and in
// development setups for none worth the name.
var defaultPasswords = set("password", "passwd", "pass", "pwd", "secret", "token", "user", "username", "changeme", "x-oauth-basic", "xxxx", "pw", "p4ssw0rd", "mypassword",
	"mypass", "my-password", "my_password", "s3cr3t", "guest", "test", "foo", "bar", "yourpassword", "your_password", "userpass", "letmein", "p%40ssword", "p@ssword")

// maxUserinfo is how long user name and password of a URL may be.
const maxUserinfo = 512

// urlAt looks at a URL whose "://" is at the given place, and returns the
// place of the password in it, and whether its host is one of documentation.
func urlAt(data []byte, at int) (start, end int, documented, ok bool) {
	scheme := at
	for scheme > 0 && at-scheme < 24 && (isWord(data[scheme-1]) && data[scheme-1] != '_' || data[scheme-1] == '+' || data[scheme-1] == '-' || data[scheme-1] == '.') {
		scheme--
	}
	if scheme == at {
		return 0, 0, false, false
	}
	rest := data[at+3 : min(len(data), at+3+maxUserinfo)]
	colon, sign := -1, -1
loop:
	for i, c := range rest {
		switch c {
		case ':':
			if colon < 0 {
				colon = i
			}
		case '@':
			// The last one before the path ends the password.
			sign = i
		case '/', ' ', '\t', '\r', '\n', '"', '\'', '`', '<', '>', '{', '}', '|', '\\', 0, '?', '#', ',', ';', '(', ')', '[', ']':
			break loop
		default:
			if c < ' ' || c > '~' {
				break loop
			}
		}
	}
	if colon < 0 || sign <= colon+1 || sign+1 >= len(rest) || !isWord(rest[sign+1]) && rest[sign+1] != '[' {
		return 0, 0, false, false
	}
	return at + 3 + colon + 1, at + 3 + sign, documentedHost(rest[sign+1:]), true
}

// documentedHost knows the names that RFC 2606 keeps for examples.
func documentedHost(rest []byte) bool {
	n := 0
	for n < len(rest) && (isWord(rest[n]) || rest[n] == '.' || rest[n] == '-') {
		n++
	}
	host := "." + strings.ToLower(strings.TrimRight(string(rest[:n]), "."))
	for _, suffix := range []string{".example.com", ".example.org", ".example.net", ".example", ".test", ".invalid", ".domain.com", ".host", ".hostname", ".domain.tld", ".yourdomain.com", ".mydomain.com", ".server.com"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// passwordInURL decides about the password of a URL.
func passwordInURL(password string, documented bool) (Match, bool) {
	if decoded, err := url.PathUnescape(password); err == nil {
		password = decoded
	}
	lower := strings.ToLower(password)
	if !plausible(password) || defaultPasswords[lower] || exampleWords.MatchString(password) || strings.ContainsAny(password, "$%") && reference.MatchString(password) {
		return Match{}, false
	}
	c := classesOf(password)
	if documented && (len(password) < 8 || c.kinds() < 2) {
		return Match{}, false
	}
	return Match{
		Class: URLPassword, Kind: "password in a URL", Severity: finding.High,
		Redacted: redact(password), Fingerprint: fingerprint(password, !random(password)),
	}, true
}
