package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// salt keeps fingerprints of this program apart from plain digests of the same
// values, so that lists of digests made elsewhere do not open them. It is the
// same everywhere, or baselines would not know a secret again.
const salt = "portcullis credential fingerprint v1"

// Fingerprint returns 16 hexadecimal digits that are equal for equal values:
// a keyed digest, cut short. A salt that is known does not keep anybody from
// trying values one by one, so only values that cannot be found that way have
// a fingerprint: issued tokens, keys, and values that look made by a machine.
// For a password that a person thought up it is empty, and the place and the
// name tell one from another instead.
func fingerprint(value string, guessable bool) string {
	if guessable || len(value) < 16 {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// FingerprintOf returns what tells the credentials in a text from others that
// replace them: the fingerprints of those that are recognised in it, or else the
// text's own where nothing stands around the value. It is empty where all can be
// guessed.
func FingerprintOf(text string) string {
	var all []string
	found := InScript(text)
	for _, m := range found {
		if m.Fingerprint != "" {
			all = append(all, m.Fingerprint)
		}
	}
	if len(found) > 0 {
		slices.Sort(all)
		return strings.Join(slices.Compact(all), ",")
	}
	if strings.HasPrefix(text, "-") { // An option with its value.
		_, text, _ = strings.Cut(text, "=")
	}
	if text = Unquote(text); strings.ContainsAny(text, " \t\r\n:;,&?<>{}\"'") {
		return ""
	}
	return fingerprint(text, !random(text))
}

// redactToken shows the public prefix of a token and how long it is.
func redactToken(prefix, value string) string {
	return fmt.Sprintf("%s… (%d characters)", prefix, utf8.RuneCountInString(value))
}

// redact shows how long a value is, roughly, since the length of a short
// password helps those who guess.
func redact(value string) string {
	n := utf8.RuneCountInString(value)
	switch {
	case n < 8:
		return "… (under 8 characters)"
	case n < 16:
		return "… (8 to 15 characters)"
	}
	return fmt.Sprintf("… (%d characters)", n)
}
