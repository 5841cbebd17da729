package kubernetes

import (
	"strconv"
	"strings"
)

// newestMinor is the newest Kubernetes 1.x whose rules are known here.
const newestMinor = 37

// minorVersion reads "1.34", "v1.34.2" or "34" as 34. Anything else, and what
// is newer than known, counts as the newest.
func minorVersion(text string) int {
	text = strings.TrimPrefix(strings.TrimSpace(text), "v")
	if _, minor, ok := strings.Cut(text, "."); ok {
		text, _, _ = strings.Cut(minor, ".")
	}
	text = strings.TrimRight(text, "+")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n <= newestMinor {
		return n
	}
	return newestMinor
}
