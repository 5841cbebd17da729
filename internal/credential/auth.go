package credential

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// isAuth reports the keys under which docker and npm keep user:password in
// base64.
func isAuth(name string) bool {
	lower := strings.ToLower(name)
	return lower == "auth" || lower == "_auth" || strings.HasSuffix(lower, ":_auth") || lower == "authorization"
}

// basicAuth reports whether a value is user:password in base64, RFC 7617.
func basicAuth(value string) bool {
	value = strings.TrimPrefix(strings.TrimPrefix(value, "Basic "), "basic ")
	plain, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		plain, err = base64.RawStdEncoding.DecodeString(value)
	}
	user, password, ok := strings.Cut(string(plain), ":")
	if err != nil || !ok || len(user) < 1 || !utf8.Valid(plain) {
		return false
	}
	for _, c := range plain {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return plausible(password) && !defaultPasswords[strings.ToLower(password)] && !exampleWords.MatchString(string(plain))
}
