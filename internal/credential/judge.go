package credential

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// InText returns the credentials in a text that are recognised by their form:
// tokens, private keys, passwords in URLs. Offsets are bytes of the text.
func InText(text string) []Match {
	s := search{data: []byte(text), place: place{text: configText}, tokensOnly: true}
	s.run(theEngine(), 0, len(text))
	return distinct(s.found)
}

// OfText returns the worst of the credentials in a text.
func OfText(text string) (Match, bool) {
	var worst Match
	found := InText(text)
	for _, m := range found {
		if m.Severity > worst.Severity {
			worst = m
		}
	}
	return worst, len(found) > 0
}

// OfPair decides about a value with a name that somebody wrote as a setting:
// an environment variable, a build argument, a label, a key of a ConfigMap. By
// its form, or because the name promises a secret and the value may be one.
func OfPair(name, value string) (Match, bool) {
	value = defaultOf(Unquote(value))
	if m, ok := OfText(value); ok {
		m.Name = name
		return m, true
	}
	switch Promises(name) {
	case StrongPromise:
		if !plausible(value) {
			return Match{}, false
		}
	case WeakPromise:
		if !plausible(value) || !random(value) || isIdentifier(value) {
			return Match{}, false
		}
	default:
		return Match{}, false
	}
	m := namedMatch(name, value)
	if len(value) >= 12 && entropy(value) >= 3 {
		m.Severity = finding.High
	}
	return m, true
}

// Plausible reports whether a value may be a secret at all: it is no
// reference to one, no placeholder, path, number, hash or fingerprint.
func Plausible(value string) bool { return plausible(value) }

// Random reports whether a value looks like made by a machine.
func Random(value string) bool { return random(value) }

// BasicAuth reports whether a value is user:password in base 64 (RFC 7617)
// with a password that may be a real one.
func BasicAuth(value string) bool { return basicAuth(value) }

// Unquote takes blanks and one pair of quotes off a value.
func Unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// Key is what a text holds of a private key.
type Key int

// The answers of PrivateKeyIn.
const (
	NoKey Key = iota
	// Unparsed: a text with the head of a private key that does not parse as one.
	Unparsed
	// Encrypted and Plain keys parse.
	Encrypted
	Plain
)

// PrivateKeyIn tells whether a text holds a private key.
func PrivateKeyIn(text []byte) (Key, Match) {
	best, match := NoKey, Match{}
	rest := string(text)
	for {
		i := strings.Index(rest, "-----BEGIN ")
		if i < 0 {
			if k, _, err := privateKeyAt(text); best == NoKey && err == nil {
				return keyOf(k), keyMatch(k)
			}
			return best, match
		}
		rest = rest[i:]
		line, _, _ := strings.Cut(rest, "\n")
		if strings.Contains(line, "PRIVATE KEY") {
			best = max(best, Unparsed)
			if k, _, err := privateKeyAt([]byte(rest)); err == nil && keyOf(k) > best {
				best, match = keyOf(k), keyMatch(k)
			}
		}
		rest = rest[len("-----BEGIN "):]
	}
}

func keyOf(k parsedKey) Key {
	if k.encrypted {
		return Encrypted
	}
	return Plain
}
