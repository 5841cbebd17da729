// Package credential recognises credentials: tokens by the forms that their
// issuers give them, private keys, passwords in URLs, and values of names that
// promise a secret. It works on single values (Judge) and on streams of file
// contents (Scanner), and is the one place where that is decided, for image
// layers, image configuration, Dockerfiles and manifests alike.
//
// A value never leaves the package: what it returns holds a redacted form and
// a fingerprint. It is not for reading images or for making findings.
package credential

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Class is what a credential was recognised by.
type Class string

// The classes.
const (
	// Token has the form of an issuer's tokens.
	Token Class = "token"
	// PrivateKey is a private key that was parsed.
	PrivateKey Class = "private-key"
	// URLPassword stands between scheme and host of a URL.
	URLPassword Class = "url-password"
	// NamedValue is the value of a name that promises a secret.
	NamedValue Class = "named-value"
)

// Match is a credential that was recognised. It never holds the value.
type Match struct {
	Class Class `json:"class"`
	// Kind says in words what it is: GitHub token, password in a URL.
	Kind     string           `json:"kind"`
	Severity finding.Severity `json:"severity"`
	// Name is the name that promised the secret, for NamedValue.
	Name string `json:"name,omitempty"`
	// Offset and Length are where it stands, in bytes; Line counts from 1.
	Offset int64 `json:"offset"`
	Length int   `json:"length"`
	Line   int   `json:"line"`
	// Redacted tells the value apart from others without giving it away.
	Redacted string `json:"redacted"`
	// Fingerprint is equal for equal values, see Fingerprint. It is empty for
	// values that could be guessed from it.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Expires is the time in Unix seconds at which the token says that it
	// ends; 0 when it does not say.
	Expires int64 `json:"expires,omitempty"`
	// Facts are further things that the value tells about itself: a checksum
	// that holds, the account it belongs to.
	Facts []finding.Fact `json:"facts,omitempty"`
}

// Described is the kind with its article: a GitHub token, an SSH private key.
func (m Match) Described() string {
	first, _, _ := strings.Cut(m.Kind, " ")
	article := "a "
	switch first {
	case "RSA", "SSH", "npm", "xAI": // the letters are spoken
		article = "an "
	default:
		if first != "" && strings.Contains("aeioAEIO", first[:1]) {
			article = "an "
		}
	}
	return article + m.Kind
}

// Sure reports whether a checksum or a structure inside the value proves that
// it was issued and not made up.
func (m Match) Sure() bool {
	for _, f := range m.Facts {
		if f.Name == checksumFact || f.Name == structureFact {
			return true
		}
	}
	return false
}

// Names of facts that prove a value.
const (
	checksumFact  = "checksum"
	structureFact = "structure"
)
