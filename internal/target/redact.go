package target

import "regexp"

var (
	userInfo = regexp.MustCompile(`://[^/@\s"]*@`)
	query    = regexp.MustCompile(`(https?://[^\s"?]*)\?[^\s":]*`)
)

// redactText removes what may be a credential from URLs in a text: user
// information and queries, where signed URLs keep their tokens.
func redactText(s string) string {
	s = userInfo.ReplaceAllString(s, "://…@")
	return query.ReplaceAllString(s, "$1?…")
}

// redacted is an error whose text has no credentials. The cause stays
// reachable for errors.Is and errors.As.
type redacted struct {
	text string
	err  error
}

func redact(err error) error { return &redacted{text: redactText(err.Error()), err: err} }

func (r *redacted) Error() string { return r.text }

func (r *redacted) Unwrap() error { return r.err }
