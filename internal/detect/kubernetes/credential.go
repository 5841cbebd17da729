package kubernetes

import (
	"regexp"
	"strings"
	"sync"
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
	if strings.HasPrefix(m.Kind, "npm") || strings.HasPrefix(m.Kind, "RSA") || strings.HasPrefix(m.Kind, "SSH") || strings.ContainsRune("AEIOUaeiou", rune(m.Kind[0])) {
		article = "an "
	}
	return article + m.Kind, true
}

var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:<[^>]*>|\[[^\]]*\]|x{3,}|\*{3,}|\.{3,}|_{3,}|redacted|placeholder|todo|tbd|none|null|nil|true|false|yes|no|on|off|enabled|disabled|required|optional|dummy|n/a|your[-_ ].*|replace[-_ ]?me.*|(?:to[-_ ]?be[-_ ])?(?:set|filled|injected|replaced|generated|provided)[-_ ]?(?:by|from|in|at|via|on)?.*|vault:.*|ref\+.*|op://.*|sm://.*|secretref:.*|awssm:.*|azurekeyvault.*|gcp:secretmanager.*|arn:aws[a-z-]*:(?:secretsmanager|ssm):.*|projects/[^/]+/secrets/.*|ENC\[.*|AQICA.*)$`)
})

// namedCredential reports whether a name and a plain value are a credential, and
// what sort. It never returns any part of the value.
func (s *set) namedCredential(name, value string) (string, bool) {
	value = strings.TrimSpace(value)
	if !literal(value) {
		return "", false
	}
	if what, hit := credentialForm(value); hit {
		return what, true
	}
	if looksLikePath(value) || s.namesSecret(name, value) {
		return "", false
	}
	_, hit := credential.OfPair(name, value)
	// A password is one however simple it is.
	hit = hit || passwordWords[lastWord(name)] && credential.Promises(name) == credential.StrongPromise && !strings.HasPrefix(value, "$")
	return "a credential", hit
}

var passwordWords = map[string]bool{"password": true, "passwd": true, "passphrase": true, "pwd": true, "pass": true}

// objectWords before SECRET say that an object of Kubernetes is meant, whose
// name is the value.
var objectWords = map[string]bool{
	"kube": true, "kubernetes": true, "k8s": true, "tls": true, "ssl": true, "ca": true, "cert": true, "certificate": true,
	"pull": true, "image": true, "registry": true, "existing": true,
}

// objectName is the name of an object, with or without its namespace
// (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
var objectName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?/)?[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$`)
})

// namesSecret reports whether a value is the name of a Secret and not its
// content: one that is in the set or that a pod refers to, or what the form
// and the words say is one (--tls-secret=web-cert, --auth-secret=shop/web).
func (s *set) namesSecret(name, value string) bool {
	words := splitWords(name)
	if len(words) == 0 || !objectName().MatchString(value) || credential.Random(value) {
		return false
	}
	switch words[len(words)-1] {
	case "secret", "secrets", "credential", "credentials", "creds":
	default:
		return false
	}
	if s.secretNames == nil {
		s.secretNames = secretNames(s)
	}
	return strings.Contains(value, "/") || s.secretNames[value] || len(words) > 1 && objectWords[words[len(words)-2]]
}

// secretNames are the Secrets that are made, or referred to by pods.
func secretNames(s *set) map[string]bool {
	names := make(map[string]bool)
	for _, kind := range []string{"Secret", "SealedSecret", "ExternalSecret"} {
		for _, o := range s.byKind[kind] {
			names[o.Name] = true
		}
	}
	for _, pod := range s.pods {
		for _, v := range pod.Spec.At("volumes").Items() {
			names[v.At("secret", "secretName").Text()] = true
		}
		for _, ref := range pod.Spec.At("imagePullSecrets").Items() {
			names[ref.At("name").Text()] = true
		}
		for _, c := range pod.Containers {
			for _, env := range c.Place.At("env").Items() {
				names[env.At("valueFrom", "secretKeyRef", "name").Text()] = true
			}
			for _, from := range c.Place.At("envFrom").Items() {
				names[from.At("secretRef", "name").Text()] = true
			}
		}
	}
	return names
}

// literal reports whether a value is meant as it stands.
func literal(value string) bool {
	return len(value) >= 3 && !strings.Contains(value, "$(") && !strings.Contains(value, "${") &&
		!strings.Contains(value, "{{") && !placeholder().MatchString(value)
}

func looksLikePath(value string) bool {
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "file:") ||
		strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://")
}

// lastWord is the last word of a name, in lower case.
func lastWord(name string) string {
	words := splitWords(name)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
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
