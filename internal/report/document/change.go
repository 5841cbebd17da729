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

// ChangeWords say what to do; the packages to upgrade are listed apart.
func ChangeWords(c outcome.Change) string {
	switch {
	case len(c.Upgrades) == 0:
		return c.Text
	case c.Kind == outcome.MoveBaseImage:
		return "build on a newer base image"
	case len(c.Upgrades) == 1:
		return "upgrade the package"
	default:
		return fmt.Sprintf("upgrade %d packages", len(c.Upgrades))
	}
}
