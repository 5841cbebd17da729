package document

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Where names the place of a change, "" if none is known.
func Where(l finding.Location) string {
	switch {
	case l.Path == "":
		return ""
	case l.Space == finding.InImage:
		return "image " + l.Path
	case l.Line > 0:
		return fmt.Sprintf("%s:%d", l.Path, l.Line)
	}
	return l.Path
}

// UpgradeWords say how a package must move: "openssl 3.0.1 → 3.0.2".
func UpgradeWords(u outcome.Upgrade) string {
	to := u.To
	if to == "" {
		to = strings.Join(u.Versions, " or ")
	}
	if to == "" {
		return u.Package + " " + u.From
	}
	return u.Package + " " + u.From + " → " + to
}
