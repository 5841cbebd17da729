package kubernetes

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/portcullis-ci/portcullis/internal/credential"
)

// credentialForm reports whether a text holds a credential that is known by
// its form whatever its name, and what sort.
func credentialForm(text string) (string, bool) {
	m, ok := credential.OfText(text)
	if !ok {
		// What has the head of a private key is told even where it does not
		// parse: manifests are often cut and indented by templates.
		key, _ := credential.PrivateKeyIn([]byte(text))
		return "a private key", key != credential.NoKey
	}
	article := "a "
	if strings.HasPrefix(m.Kind, "npm") || strings.ContainsRune("AEIOUaeiou", rune(m.Kind[0])) {
		article = "an "
	}
	return article + m.Kind, true
}

// credentialWords name credentials, as words of a name. Two words in a row
// are joined by a space.
var credentialWords = []string{
	"password", "passwd", "passphrase", "secret", "token", "apikey", "api key", "access key", "private key",
	"secret key", "encryption key", "signing key", "auth key", "master key", "credential", "credentials", "pwd", "pass",
	"client secret", "webhook secret", "connection string",
}

// qualifiers follow such a word where the value is something about a
// credential and not the credential: its file, name, lifetime …
var qualifiers = []string{
	"file", "path", "dir", "directory", "name", "names", "ref", "key ref", "url", "uri", "endpoint", "host", "port", "ttl", "expiry",
	"expiration", "expires", "lifetime", "duration", "timeout", "interval", "age", "length", "size", "count", "limit", "max", "min",
	"enabled", "disabled", "required", "enable", "disable", "policy", "type", "kind", "mode", "format", "algorithm", "alg", "header",
	"issuer", "audience", "field", "prefix", "suffix", "id", "version", "store", "provider", "backend", "namespace", "mount", "location",
	"rotation", "reset", "manager", "validity", "cost", "hash", "rounds", "budget", "budgets", "per", "refresh", "only", "source",
}

var placeholder = regexp.MustCompile(`(?i)^(?:<[^>]*>|\[[^\]]*\]|x{3,}|\*{3,}|\.{3,}|_{3,}|redacted|placeholder|todo|tbd|none|null|nil|true|false|yes|no|on|off|enabled|disabled|required|optional|dummy|n/a|your[-_ ].*|replace[-_ ]?me.*|(?:to[-_ ]?be[-_ ])?(?:set|filled|injected|replaced|generated|provided)[-_ ]?(?:by|from|in|at|via|on)?.*|vault:.*|ref\+.*|op://.*|sm://.*|secretref:.*|awssm:.*|azurekeyvault.*|gcp:secretmanager.*|arn:aws[a-z-]*:(?:secretsmanager|ssm):.*|projects/[^/]+/secrets/.*|ENC\[.*|AQICA.*)$`)

// namedCredential reports whether a name and a plain value are a credential, and
// what sort. It never returns any part of the value.
func namedCredential(name, value string) (string, bool) {
	value = strings.TrimSpace(value)
	if !literal(value) {
		return "", false
	}
	if what, hit := credentialForm(value); hit {
		return what, true
	}
	if !namesCredential(name) || looksLikePath(value) {
		return "", false
	}
	return "a credential", true
}

// literal reports whether a value is meant as it stands.
func literal(value string) bool {
	return len(value) >= 3 && !strings.Contains(value, "$(") && !strings.Contains(value, "${") &&
		!strings.Contains(value, "{{") && !placeholder.MatchString(value)
}

func looksLikePath(value string) bool {
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "file:") ||
		strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://")
}

// namesCredential reports whether a variable's or key's name says that its
// value is a credential: one of the words, with no qualifier after it.
func namesCredential(name string) bool {
	words := splitWords(name)
	for i := len(words) - 1; i >= 0; i-- {
		if slices.Contains(qualifiers, words[i]) {
			return false
		}
		if slices.Contains(credentialWords, words[i]) && !(words[i] == "pwd" && len(words) == 1) {
			return !slices.Contains(words, "public")
		}
		if i > 0 && slices.Contains(credentialWords, words[i-1]+" "+words[i]) {
			return !slices.Contains(words, "public")
		}
	}
	return false
}

// splitWords cuts a name at separators and changes of case: dbPassword,
// DB_PASSWORD and db-password are all "db", "password".
func splitWords(name string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(runes[i-1]) {
			flush()
		}
		word.WriteRune(r)
	}
	flush()
	return words
}
