package credential

import (
	"path"
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Files that hold a secret without a name beside it: their own name says so.
var (
	// railsKey is what Rails encrypts its credentials with.
	railsKey = regexp.MustCompile(`^\s*([0-9a-f]{32})\s*$`)
	// relayLogin is a line of Postfix' table of logins, by relay.
	relayLogin = regexp.MustCompile(`(?m)^[^#\s]\S*[ \t]+[^:\s]+:(\S+)[ \t]*$`)
)

// namedFile returns the secrets of a file whose name promises them, with their
// places.
func namedFile(name string, data []byte) (found []Match) {
	base := path.Base(name)
	kind, form := "", (*regexp.Regexp)(nil)
	switch {
	case base == "master.key", strings.HasSuffix(base, ".key") && path.Base(path.Dir(name)) == "credentials":
		kind, form = "Rails master key", railsKey
	case base == "sasl_passwd" && strings.HasSuffix(path.Dir(name), "/postfix"):
		kind, form = "password of a mail relay", relayLogin
	default:
		return nil
	}
	for _, place := range form.FindAllSubmatchIndex(data, maxMatches) {
		value := string(data[place[2]:place[3]])
		if !plausible(value) || exampleWords.MatchString(value) || madeUp(value, 62) && kind != "password of a mail relay" {
			continue
		}
		found = append(found, Match{
			Class: NamedValue, Kind: kind, Name: base, Severity: finding.High, Offset: int64(place[2]), Length: len(value),
			Redacted: redact(value), Fingerprint: fingerprint(value, !random(value)),
		})
	}
	return found
}
