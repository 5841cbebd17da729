package credential

import (
	"path"
	"regexp"
	"strings"
)

var (
	// reference is a text that names a secret kept elsewhere, or is replaced
	// before use.
	reference = regexp.MustCompile(`\$\{|\$\(|\{\{|^\$?\$[A-Za-z_]\w*(?:[-_.:/$]+\w+)*$|^%[A-Za-z_]+%$|^%[sdvq@]$|^<.*>$|^\[.*\]$|^@@|^@[A-Z_]+@$|^__[A-Z_]+__$|^#\{|^!(?:vault|secret|Ref|Sub|GetAtt)|` +
		`^(?:vault:|ref\+|op://|sm://|arn:|secretref:|awssm:|azurekeyvault|gcp:secretmanager|keyvault|env:|file:|ENC\(|ENC\[|AQICA|\$ANSIBLE_VAULT|projects/|ssm:|doppler:|encrypted:|enc:|\{cipher\})`)
	// hashed is what is left of a password after a hash function for them:
	// crypt(3), LDAP, Django.
	hashed = regexp.MustCompile(`^(?:[\w.-]{1,64}:)?(?:\$[0-9a-z]{1,10}\$|\{(?:S?SHA[0-9]*|SMD5|MD5|CRYPT|PBKDF2[^}]*|ARGON2)\}|pbkdf2_|bcrypt[$_]|argon2|SCRAM-SHA-|md5[0-9a-f]{32}$)`)
	// keyID is the fingerprint of a public key, or an integrity hash.
	keyID = regexp.MustCompile(`^(?:(?:0x)?(?:[0-9A-F]{40}|[0-9A-F]{16})|(?:sha(?:1|256|384|512)|md5|blake2b?|h1)[:=-].*)(?: [0-9A-F]{16,40})*$`)
	// algorithm names one.
	algorithm = regexp.MustCompile(`^(?i:(?:scram|hmac|pbkdf2|rsa|aes|hs|rs|es|ps)?[-_]?(?:sha)?[-_]?[0-9]{3}(?:[-_](?:cbc|gcm|ctr|sha[0-9]+|plus))?|(?:scram|pbkdf2|hmac)[-_].*|md5|bcrypt|argon2(?:id?|d)?)$`)
	numeric   = regexp.MustCompile(`^(?:[0-9]{1,6}|[0-9]+(?:[.:,/-][0-9]+)+)$`)
	// standIn are texts that stand for a value that is to be filled in.
	standIn = regexp.MustCompile(`(?i)^(?:your|my|the|some|any|insert|enter|put|add|replace|change|fill|set|paste|use)[-_ .]?(?:your|my|me|it|this|the|here|own|real|actual|secure|strong|random|super)?[-_ .]?` +
		`(?:secret|token|password|passwd|pass|api|key|client|access|auth|value|here|me|it|this|own|jwt|db|database|user)[-_ .a-z]*$|^(?:to[-_ ]?be[-_ ])?(?:set|filled|injected|replaced|generated|provided|populated|overridden)[-_ ]?(?:by|from|in|at|via|on)[-_ ].*$|^(?:your|insert|replace)[-_ ].*$|^yours?(?:secret|token|password|key|api).*$`)
	// exampleWords inside a token say that it was made up to show its form.
	exampleWords = regexp.MustCompile(`(?i)example|sample|placeholder|redacted|dummy|changeme|change[-_]me|your[-_]|yourtoken|yourkey|yoursecret|not[-_ ]?(?:an?|my)?[-_ ]?real|insert|fake|xxxx|\*\*\*|\.\.\.|…|1234567890|0123456789|abcdefghij|deadbeef|00000000|11111111`)
)

// placeholders are values that stand for a secret that is set later, or switch
// something on or off.
var placeholders = set("", "-", "none", "null", "nil", "undefined", "unset", "empty", "true", "false", "yes", "no", "on", "off", "enable", "enabled", "disable", "todo", "tbd", "fixme", "redacted",
	"placeholder", "dummy", "example", "sample", "default", "not-set", "notset", "n/a", "na", "disabled", "required", "optional", "unused", "unknown", "string", "str", "text", "any", "object", "bool",
	"boolean", "int", "number", "xxx", "replaceme", "replace-me", "replace_me", "insert-here", "yourtoken", "yourpassword", "hidden", "masked", "secret-value", "file", "env", "prompt", "ask", "auto", "automatic", "random", "self", "this", "same", "foo", "bar", "baz", "foobar", "value", "key", "plain", "plaintext", "basic", "bearer", "oauth", "oauth2", "jwt")

// plausible reports whether a value may be a secret: not a reference to one,
// not a placeholder, not a path, number, hash or fingerprint.
func plausible(value string) bool {
	value = strings.TrimSpace(value)
	lower := strings.ToLower(value)
	switch {
	case placeholders[lower], documented(value), len(lower) < 4, len(lower) > 4096, numeric.MatchString(lower):
		return false
	case strings.Trim(lower, "*xX.•-_#?= ") == "":
		return false
	case standIn.MatchString(value), reference.MatchString(value), keyID.MatchString(value), hashed.MatchString(value), algorithm.MatchString(value):
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
	if strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../") || strings.HasPrefix(value, "~/") {
		return true
	}
	return strings.HasPrefix(value, "/") && path.Clean(value) == strings.TrimSuffix(value, "/") && entropy(value) < 4.2
}

// madeUp reports whether a token's own part was written by a person to show
// the form: it says so, repeats itself, or counts.
func madeUp(body string, alphabet int) bool {
	if exampleWords.MatchString(body) || repeats(body) || counts(body) {
		return true
	}
	return !varied(body, alphabet)
}

// repeats finds one character six times in a row.
func repeats(s string) bool {
	run := 1
	for i := 1; i < len(s); i++ {
		if s[i] != s[i-1] {
			run = 1
		} else if run++; run >= 6 {
			return true
		}
	}
	return false
}

// counts finds eight characters of which each is the successor of the one
// before: 12345678, abcdefgh.
func counts(s string) bool {
	run := 1
	for i := 1; i < len(s); i++ {
		if s[i] != s[i-1]+1 {
			run = 1
		} else if run++; run >= 8 {
			return true
		}
	}
	return false
}
