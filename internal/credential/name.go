package credential

import "strings"

// Promise is how much a name says that its value is a secret.
type Promise int

// The promises. A name like STRIPE_KEY or BASIC_AUTH may stand for a secret,
// and its value decides; DB_PASSWORD always does.
const (
	NoPromise Promise = iota
	WeakPromise
	StrongPromise
)

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

var (
	// secretWords make a name that of a secret when they are whole words of it.
	secretWords = set("password", "passwd", "pword", "passphrase", "pass", "passcode", "pwd", "secret", "secrets", "token", "tokens", "apikey",
		"credential", "credentials", "creds", "privatekey", "pat", "secretkey", "accesskey", "authtoken", "accesstoken", "dbpass", "dbpassword", "bindpw", "rootpw")
	// secretPairs are two words in a row that mean a secret.
	secretPairs = set("api key", "access key", "private key", "secret key", "signing key", "encryption key", "master key", "deploy key", "auth key",
		"license key", "service key", "account key", "basic auth", "storage key", "ssh key", "connection string", "client secret", "webhook secret")
	// aboutWords behind a word for a secret say that the value is about a
	// secret rather than one: where it lies, how long it lasts.
	aboutWords = set("file", "files", "filename", "path", "paths", "dir", "directory", "url", "urls", "uri", "host", "endpoint", "name", "names", "ref", "ttl", "expiry", "expires",
		"expiration", "expire", "lifetime", "duration", "timeout", "interval", "age", "length", "len", "size", "count", "limit", "type", "kind", "version", "enabled", "enable",
		"disabled", "disable", "required", "policy", "algorithm", "alg", "header", "headers", "prefix", "suffix", "field", "sha1", "sha256", "sha512", "md5", "digest", "checksum",
		"hash", "hashed", "issuer", "audience", "scope", "scopes", "provider", "manager", "store", "backend", "region", "min", "max", "format", "mode", "rotation", "parameter", "param",
		"port", "namespace", "mount", "location", "reset", "validity", "cost", "rounds", "budget", "budgets", "per", "refresh", "only", "source", "service", "server",
		"regex", "regexp", "method", "methods", "realm", "plugin", "plugins", "module", "database", "db", "socket", "sock", "label", "placeholder", "hint", "message", "error", "title", "text", "description",
		"help", "prompt", "input", "id", "ids", "class", "status", "state", "user", "username", "pattern", "validator", "strength", "confirm", "confirmation", "index", "key", "cookie", "generator", "factory", "handler",
		"helper", "helpers", "filter", "filters", "review", "reviewer", "reviews", "renewal", "selector", "annotation", "annotations", "labels", "operator", "controller", "cache")
	// placeWords before TOKEN say that it is a place in a list, a layout or a
	// switch, and opens nothing.
	placeWords = set("page", "next", "previous", "prev", "continuation", "continue", "pagination", "sync", "cancellation", "cancel", "design", "pad", "eos", "bos", "unk", "mask", "sep", "cls", "stop", "max", "min", "num", "total", "per", "input", "output", "prompt", "completion")
	// publicKeys are words before KEY that make it a public or a harmless one.
	publicKeys = set("gpg", "pgp", "public", "pub", "sort", "primary", "foreign", "cache", "partition", "apt", "rpm", "yum", "dnf", "repo", "release",
		"verify", "verification", "minisign", "keyring", "maintainer", "host", "hot", "idempotency", "row", "group", "object", "map")
	// harmlessNames are variables that sound like secrets and are none.
	harmlessNames = set("PWD", "OLDPWD", "GPG_KEY", "GPG_KEYS", "SSH_AUTH_SOCK", "COMPASS", "PASSENGER", "TOKENIZERS_PARALLELISM", "PUBLIC_KEY", "PASSWORD_STORE_DIR")
)

// Promises tells what a name promises: words of it are separated by anything
// but letters and digits, or by a capital inside.
func Promises(name string) Promise {
	if harmlessNames[strings.ToUpper(name)] {
		return NoPromise
	}
	words := splitWords(name)
	for i, w := range words {
		if !aboutWords[w] { // sha256
			w = strings.TrimRight(w, "0123456789") // DB_PASSWORD2
		}
		if w == "public" || w == "pub" {
			return NoPromise
		}
		words[i] = w
	}
	for i := len(words) - 1; i >= 0; i-- {
		w := words[i]
		if i > 0 && (w == "token" || w == "tokens") && placeWords[words[i-1]] {
			return NoPromise
		}
		pair := i > 0 && secretPairs[words[i-1]+" "+w]
		switch {
		case pair, secretWords[w], strings.HasSuffix(w, "password"), strings.HasSuffix(w, "passwd"), strings.HasSuffix(w, "secret"):
			return StrongPromise
		case w == "key" && i == len(words)-1 && i > 0 && !publicKeys[words[i-1]] && !secretWords[words[i-1]]:
			return WeakPromise
		case w == "auth" && i == len(words)-1:
			return WeakPromise
		case aboutWords[w]:
			if w == "key" && i > 0 && secretWords[words[i-1]] && i == len(words)-1 {
				continue // SECRET_KEY is a pair; TOKEN_KEY is one as well.
			}
			return NoPromise
		}
	}
	return NoPromise
}

// splitWords cuts a name at separators and changes of case: dbPassword,
// DB_PASSWORD and db-password are all "db", "password".
func splitWords(name string) []string {
	var words []string
	start := -1
	flush := func(end int) {
		if start >= 0 && end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
		start = -1
	}
	for i := range len(name) {
		c := name[i]
		if !isWord(c) || c == '_' {
			flush(i)
			continue
		}
		upper := 'A' <= c && c <= 'Z'
		if start >= 0 && upper {
			prev := name[i-1]
			lower := 'a' <= prev && prev <= 'z' || '0' <= prev && prev <= '9'
			next := i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z'
			if lower || next {
				flush(i)
			}
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(name))
	return words
}
