package document

import (
	"path"
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
)

// Hidden stands for the text of a line that holds a secret.
const Hidden = "(not shown: holds a secret)"

// Shown returns a line of a file, or a build step, as a report may show it:
// Hidden where it holds a secret, and without what may be a credential in URLs.
// The line is sensitive where a finding at it is about a secret; of a build, a
// Dockerfile's line or a step, it is shown all the same if it does no more than
// bring the file that holds the secret.
func Shown(line string, sensitive, build bool) string {
	if sensitive && (!build || !onlyBrings(line)) || len(credential.InScript(line)) > 0 {
		return Hidden
	}
	return url.ReplaceAllStringFunc(line, func(address string) string {
		parts := url.FindStringSubmatch(address)
		if parts[3] != "" {
			parts[3] = parts[3][:1] + "…"
		}
		return parts[1] + parts[2] + parts[3]
	})
}

// url has the scheme, host and path of an address, and what follows.
var url = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)(?:[^/\s"'?#]*@)?([^\s"'?#]*)([?#][^\s"']*)?`)

// onlyBrings reports whether an instruction names what it brings into the image
// and nothing else. All others may hold the secret itself, and so do files that
// are written here (<<), names with a password and addresses with a query.
func onlyBrings(line string) bool {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch strings.ToUpper(word) {
	case "COPY", "ADD", "FROM":
		rest = strings.ReplaceAll(rest, "@sha256:", "")
		return !strings.ContainsAny(rest, "\n@?") && !strings.Contains(rest, "<<")
	}
	return false
}

// IsDockerfile reports whether a file is called as Dockerfiles are.
func IsDockerfile(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.Contains(base, "dockerfile") || strings.Contains(base, "containerfile")
}
