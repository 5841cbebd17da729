package sarif

import (
	"regexp"
	"strings"
)

var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// semanticVersion returns version without a leading v if it follows
// https://semver.org/spec/v2.0.0.html.
func semanticVersion(version string) (string, bool) {
	v := strings.TrimPrefix(version, "v")
	return v, semantic.MatchString(v)
}
