package ci

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/ci/diff"
	"github.com/portcullis-ci/portcullis/internal/ci/github"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// Settings are what the variables that steer Publish say.
type Settings struct {
	annotations github.Mode
	summary     bool
	comment     bool
	changed     document.Changed
}

// ReadSettings reads the variables. Call it before anything is examined: one that
// is wrong is a usage error, and no verdict shall be lost to it. It may be called
// once only, because the diff may come through a pipe.
func ReadSettings(getenv func(string) string) (Settings, error) {
	var s Settings
	var err error
	if s.annotations, err = github.ParseMode(getenv(EnvAnnotations)); err != nil {
		return s, &exit.Error{Code: exit.Usage, Doing: "read " + EnvAnnotations, Err: err}
	}
	if s.summary, err = truth(getenv(EnvSummary), true); err != nil {
		return s, &exit.Error{Code: exit.Usage, Doing: "read " + EnvSummary, Err: err}
	}
	if s.comment, err = truth(getenv(EnvComment), false); err != nil {
		return s, &exit.Error{Code: exit.Usage, Doing: "read " + EnvComment, Err: err}
	}
	if s.changed, err = diff.Read(getenv(EnvDiff)); err != nil {
		return s, &exit.Error{
			Code: exit.Usage, Doing: "read the diff that " + EnvDiff + " names", Err: err,
			Hint: "it names a file with the output of git diff",
		}
	}
	return s, nil
}

// truth reads a switch; empty is what holds without one.
func truth(value string, otherwise bool) (bool, error) {
	if value = strings.TrimSpace(value); value == "" {
		return otherwise, nil
	}
	on, err := strconv.ParseBool(strings.ToLower(value))
	if err != nil {
		return false, fmt.Errorf("expected true or false, not %q", value)
	}
	return on, nil
}
