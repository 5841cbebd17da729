package credential

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Withheld stands in place of a value that was taken out of a text.
const Withheld = "(withheld)"

// encodedUserinfo is a password in a URL that is itself part of a URL, as in
// the qualifiers of package URLs.
var encodedUserinfo = regexp.MustCompile(`(?i)(%3A%2F%2F[^/@?#&\s]{0,256}?(?:%3A|:))([^/@?#&\s]{1,512}?)(%40|@)`)

// Withhold takes the credentials that are recognised by their form out of a text
// that goes on to where it may be read: an SBOM, a cache.
func Withhold(text string) string {
	if strings.Contains(text, "%") {
		text = encodedUserinfo.ReplaceAllString(text, "${1}"+Withheld+"${3}")
	}
	var out strings.Builder
	for rest := text; ; {
		found := InText(rest)
		done := 0
		for _, m := range found {
			out.WriteString(rest[done:m.Offset])
			out.WriteString(Withheld)
			done = int(m.Offset) + m.Length
		}
		if len(found) == 0 {
			if out.Len() == 0 {
				return text
			}
			out.WriteString(rest)
			return out.String()
		}
		// There may be more than are looked for at once.
		rest = rest[done:]
	}
}

// withheldCPE takes the place of a CPE with a credential in it.
const withheldCPE = "cpe:2.3:a:withheld:withheld:*:*:*:*:*:*:*:*"

// WithholdJSON does the same with every string of a JSON document.
func WithholdJSON(doc []byte) []byte {
	var out []byte // nil as long as nothing had to be changed
	copied := 0
	for i := 0; i < len(doc); i++ {
		if doc[i] != '"' {
			continue
		}
		start, escaped := i, false
		for i++; i < len(doc) && doc[i] != '"'; i++ {
			if doc[i] == '\\' {
				escaped = true
				i++
			}
		}
		if i >= len(doc) {
			break
		}
		plain := string(doc[start+1 : i])
		if escaped && json.Unmarshal(doc[start:i+1], &plain) != nil {
			continue
		}
		kept := Withhold(plain)
		if strings.HasPrefix(plain, "cpe:") {
			// In a CPE each sign is escaped.
			if unescaped := strings.ReplaceAll(plain, `\`, ""); Withhold(unescaped) != unescaped {
				kept = withheldCPE
			}
		}
		if kept != plain {
			if encoded, err := json.Marshal(kept); err == nil {
				out = append(append(out, doc[copied:start]...), encoded...)
				copied = i + 1
			}
		}
	}
	if copied == 0 {
		return doc
	}
	return append(out, doc[copied:]...)
}
