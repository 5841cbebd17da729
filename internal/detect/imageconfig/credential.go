package imageconfig

import (
	"fmt"
	"math"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/veles"
	"github.com/google/osv-scalibr/veles/secrets/anthropicapikey"
	"github.com/google/osv-scalibr/veles/secrets/cratesioapitoken"
	"github.com/google/osv-scalibr/veles/secrets/digitaloceanapikey"
	"github.com/google/osv-scalibr/veles/secrets/dockerhubpat"
	"github.com/google/osv-scalibr/veles/secrets/gcpapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpsak"
	"github.com/google/osv-scalibr/veles/secrets/github"
	"github.com/google/osv-scalibr/veles/secrets/gitlabpat"
	"github.com/google/osv-scalibr/veles/secrets/hashicorpvault"
	"github.com/google/osv-scalibr/veles/secrets/huggingfaceapikey"
	"github.com/google/osv-scalibr/veles/secrets/npmjsaccesstoken"
	"github.com/google/osv-scalibr/veles/secrets/openai"
	"github.com/google/osv-scalibr/veles/secrets/privatekey"
	"github.com/google/osv-scalibr/veles/secrets/pypiapitoken"
	"github.com/google/osv-scalibr/veles/secrets/rubygemsapikey"
	"github.com/google/osv-scalibr/veles/secrets/sendgrid"
	"github.com/google/osv-scalibr/veles/secrets/slacktoken"
	"github.com/google/osv-scalibr/veles/secrets/stripeapikeys"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// credential is what a value was recognised as. It never holds the value.
type credential struct {
	// what it is, in words: "GitHub token", "password in a URL".
	what     string
	severity finding.Severity
	// redacted tells the value apart from others without giving it away.
	redacted string
}

// format is a kind of token that is recognised by its form, whatever its name.
type format struct {
	what     string
	detector veles.Detector
}

// formats lists the detectors. They verify checksums where the format has one.
func formats() []format {
	return []format{
		{"private key", privatekey.NewDetector()},
		{"GitHub token", github.NewClassicPATDetector()},
		{"GitHub token", github.NewFineGrainedPATDetector()},
		{"GitHub token", github.NewOAuthTokenDetector()},
		{"GitHub token", github.NewAppS2STokenDetector()},
		{"GitHub token", github.NewAppU2SDetector()},
		{"GitHub token", github.NewAppRefreshTokenDetector()},
		{"GitLab token", gitlabpat.NewDetector()},
		{"Slack token", slacktoken.NewAppLevelTokenDetector()},
		{"Slack token", slacktoken.NewAppConfigAccessTokenDetector()},
		{"Slack token", slacktoken.NewAppConfigRefreshTokenDetector()},
		{"Google API key", gcpapikey.NewDetector()},
		{"Google service account key", gcpsak.NewDetector()},
		{"npm token", npmjsaccesstoken.NewDetector()},
		{"PyPI token", pypiapitoken.NewDetector()},
		{"RubyGems key", rubygemsapikey.NewDetector()},
		{"crates.io token", cratesioapitoken.NewDetector()},
		{"Docker Hub token", dockerhubpat.NewDetector()},
		{"Stripe key", stripeapikeys.NewSecretKeyDetector()},
		{"Stripe key", stripeapikeys.NewRestrictedKeyDetector()},
		{"SendGrid key", sendgrid.NewDetector()},
		{"Vault token", hashicorpvault.NewTokenDetector()},
		{"DigitalOcean token", digitaloceanapikey.NewDetector()},
		{"OpenAI key", openai.NewDetector()},
		{"Anthropic key", anthropicapikey.NewDetector()},
		{"Hugging Face token", huggingfaceapikey.NewDetector()},
	}
}

// slackBot is the form of Slack's bot and user tokens, which the detectors
// above leave out.
var slackBot = regexp.MustCompile(`\bxox[bp]-[0-9]{10,13}-[0-9]{10,13}-[A-Za-z0-9-]{24,}`)

// judge decides about values. It is made once per rule run.
type judge struct{ formats []format }

func newJudge() judge { return judge{formats: formats()} }

// token recognises a text by the form of a token in it.
func (j judge) token(text string) (credential, bool) {
	for _, f := range j.formats {
		if secrets, at := f.detector.Detect([]byte(text)); len(secrets) > 0 {
			return credential{what: f.what, severity: finding.Critical, redacted: prefixOf(text, at)}, true
		}
	}
	if m := slackBot.FindString(text); m != "" {
		return credential{what: "Slack token", severity: finding.Critical, redacted: m[:4] + "…"}, true
	}
	return credential{}, false
}

// prefixOf shows the first four characters of a token, which are its public
// prefix (ghp_, glpa, xoxb).
func prefixOf(text string, at []int) string {
	if len(at) == 0 || at[0] < 0 || at[0]+20 > len(text) {
		return "…"
	}
	return strings.ToValidUTF8(text[at[0]:at[0]+4], "?") + "…"
}

// pair decides about a named value: an environment variable, a build argument,
// a label.
func (j judge) pair(name, value string) (credential, bool) {
	value = unquote(value)
	if c, ok := j.token(value); ok {
		return c, true
	}
	if c, ok := passwordInURL(value); ok {
		return c, true
	}
	if !secretName(name) || !plausible(value) {
		return credential{}, false
	}
	c := credential{what: "value of a variable that is named like a secret", severity: finding.Medium, redacted: fmt.Sprintf("… (%d characters)", len([]rune(value)))}
	if len(value) >= 12 && entropy(value) >= 3 {
		c.severity = finding.High
	}
	return c, true
}

// urlWithUser finds user information in URLs.
var urlWithUser = regexp.MustCompile(`\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/@:'"]*:([^\s/@'"]+)@[^\s/'"]+`)

// passwordInURL finds scheme://user:password@host.
func passwordInURL(text string) (credential, bool) {
	for _, m := range urlWithUser.FindAllStringSubmatch(text, -1) {
		password, err := url.PathUnescape(m[1])
		if err != nil {
			password = m[1]
		}
		if plausible(password) && !strings.EqualFold(password, "x-oauth-basic") && !strings.EqualFold(password, "password") {
			return credential{what: "password in a URL", severity: finding.High, redacted: fmt.Sprintf("… (%d characters)", len([]rune(password)))}, true
		}
	}
	return credential{}, false
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// secretWords make a name that of a secret when they are whole words of it.
var secretWords = set("PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "SECRET", "SECRETS", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS", "PRIVATEKEY", "PAT", "SECRETKEY", "ACCESSKEY", "AUTHTOKEN", "DBPASS")

// secretPairs are two words in a row that mean a secret.
var secretPairs = set("API KEY", "ACCESS KEY", "PRIVATE KEY", "SECRET KEY", "SIGNING KEY", "ENCRYPTION KEY", "MASTER KEY", "DEPLOY KEY", "AUTH KEY", "LICENSE KEY", "SERVICE KEY", "ACCOUNT KEY", "BASIC AUTH", "STORAGE KEY", "SSH KEY", "CONNECTION STRING")

// harmlessWords at the end of a name say that the value is about a secret
// rather than one.
var harmlessWords = set("FILE", "FILES", "PATH", "DIR", "URL", "URI", "HOST", "ENDPOINT", "NAME", "ID", "TTL", "EXPIRY", "EXPIRES", "EXPIRATION", "LENGTH", "SIZE", "COUNT", "LIMIT", "TYPE", "VERSION", "ENABLED", "DISABLED", "REQUIRED", "POLICY",
	"ALGORITHM", "ALG", "HEADER", "PREFIX", "SUFFIX", "FIELD", "SHA1", "SHA256", "SHA512", "MD5", "DIGEST", "CHECKSUM", "HASH", "ISSUER", "AUDIENCE", "SCOPE", "SCOPES", "PROVIDER", "MANAGER", "STORE", "BACKEND", "TIMEOUT", "INTERVAL", "REGION", "MIN", "MAX", "FORMAT", "MODE", "ROTATION", "PARAMETER")

// harmlessNames are variables that sound like secrets and are none.
var harmlessNames = set("PWD", "OLDPWD", "GPG_KEY", "GPG_KEYS", "SSH_AUTH_SOCK", "COMPASS", "PASSENGER", "TOKENIZERS_PARALLELISM", "PUBLIC_KEY", "PASSWORD_STORE_DIR")

var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// secretName reports whether a name promises a secret. Words are separated by
// anything but letters and digits, or by a capital inside.
func secretName(name string) bool {
	if harmlessNames[strings.ToUpper(name)] {
		return false
	}
	words := strings.FieldsFunc(strings.ToUpper(camel.ReplaceAllString(name, "${1}_${2}")), func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	})
	if len(words) == 0 || harmlessWords[words[len(words)-1]] {
		return false
	}
	for i, w := range words {
		if w == "PUBLIC" || w == "PUB" {
			return false
		}
		if secretWords[w] || i > 0 && secretPairs[words[i-1]+" "+w] || strings.HasSuffix(w, "PASSWORD") || strings.HasSuffix(w, "PASSWD") {
			return true
		}
	}
	return false
}

var (
	reference   = regexp.MustCompile(`\$\{?[A-Za-z_]|\$\(|\{\{|^%[A-Z_]+%$|^<.*>$|^\[.*\]$|^@@|^vault:|^arn:|^secretref|^projects/`)
	fingerprint = regexp.MustCompile(`^([0-9A-F]{40}|[0-9A-F]{16}|sha(1|256|512):.*)( [0-9A-F]{16,40})*$`)
	numeric     = regexp.MustCompile(`^[0-9]{1,6}$`)
)

// placeholders are values that stand for a secret that is set later.
var placeholders = set("", "-", "none", "null", "nil", "undefined", "unset", "empty", "true", "false", "yes", "no", "on", "off", "0", "1", "todo", "tbd", "fixme", "redacted", "placeholder", "dummy", "example", "sample",
	"your-secret", "your_secret", "your-token", "your_token", "yourtoken", "yourpassword", "your-password", "your_password", "your-api-key", "your_api_key", "replace-me", "replace_me", "replaceme", "insert-here", "xxx", "default",
	"not-set", "notset", "n/a", "disabled", "required", "optional", "unused")

// plausible reports whether a value may be a secret: not a reference to one,
// not a placeholder, not a path, number or fingerprint.
func plausible(value string) bool {
	lower := strings.ToLower(strings.TrimSpace(value))
	switch {
	case placeholders[lower], len(lower) < 4, numeric.MatchString(lower):
		return false
	case strings.Trim(lower, "*xX.•-_") == "":
		return false
	case strings.HasPrefix(lower, "your-"), strings.HasPrefix(lower, "your_"), strings.HasPrefix(lower, "<"):
		return false
	case reference.MatchString(value), fingerprint.MatchString(value):
		return false
	case isPath(value):
		return false
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		return false
	}
	return true
}

// isPath reports whether a value is the path of a file. A base64 text may
// begin with a slash as well, but has no second component like a name.
func isPath(value string) bool {
	if strings.ContainsAny(value, " =+") {
		return false
	}
	if strings.HasPrefix(value, "./") || strings.HasPrefix(value, "~/") || strings.HasPrefix(value, "file:") {
		return true
	}
	return strings.HasPrefix(value, "/") && path.Clean(value) == strings.TrimSuffix(value, "/") && entropy(value) < 4.2
}

// entropy is Shannon's, in bits per character.
func entropy(s string) float64 {
	counts, n := map[rune]float64{}, 0.0
	for _, r := range s {
		counts[r]++
		n++
	}
	h := 0.0
	for _, c := range counts {
		h -= c / n * math.Log2(c/n)
	}
	return h
}
