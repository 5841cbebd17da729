package dockerfile

import (
	"regexp"
	"strings"
)

var (
	// namedSecret is a value behind a name or an option that says it is secret.
	namedSecret = regexp.MustCompile(`(?i)((?:password|passwd|passphrase|pwd|token|secret|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|authorization)[a-z_-]*["']?\s*[=:]\s*["']?(?:bearer |basic )?|--?(?:password|passwd|token|secret|api-key)[a-z-]*[= ]["']?|bearer |basic )[^\s"'` + "`" + `&|;]+`)
	// tokenWord is a word of the letters that generated keys are made of.
	tokenWord = regexp.MustCompile(`[A-Za-z0-9+=_]{20,}`)
)

// redact takes out of a text what looks like a credential: known forms, user
// and password in URLs, values behind telling names, and random words.
func redact(s string) string {
	const mask = "***"
	if strings.Contains(s, "://") {
		s = userinfo.ReplaceAllString(s, "://"+mask+"@")
	}
	for _, c := range credentials {
		if strings.Contains(s, c.literal) {
			s = c.form.ReplaceAllString(s, mask)
		}
	}
	s = namedSecret.ReplaceAllString(s, "${1}"+mask)
	return tokenWord.ReplaceAllStringFunc(s, func(w string) string {
		if looksRandom(w) {
			return mask
		}
		return w
	})
}
