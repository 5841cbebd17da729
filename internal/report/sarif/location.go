package sarif

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// region is one line and its columns; endColumn is after the last character.
type region struct {
	line, column, endColumn int
}

// site is where a result points to.
type site struct {
	uri    string
	region region
	// hash is the value for primaryLocationLineHash: GitHub's own where the
	// file exists, and empty where that decides the findings' own hash.
	hash string
	// real is set when the file exists in the repository, or may exist.
	real bool
}

// churning matches path segments that change from build to build: an alert at
// such a place would be closed and opened anew with each of them.
var churning = regexp.MustCompile(`(?i)sha256[:-]|\b[0-9a-f]{40}\b|\b[0-9a-f]{64}\b|(^|/)(tmp|private|var/folders)/`)

// siteOf leads a finding to a place that stays the same from build to build.
func siteOf(f finding.Finding, files *sources) site {
	l := f.Locations[0]
	if l.Space == finding.InImage {
		return site{uri: imageURI(f, l), region: region{1, 1, 2}}
	}
	name := files.resolve(cleanPath(l.Path))
	s := site{uri: escapePath(name), region: region{max(l.Line, 1), 1, 2}}
	file := files.file(name)
	if file == nil {
		// Without a look at the repository the host has to add its own hash.
		s.real = files.root == nil
		if l.Column > 0 {
			s.region.column = l.Column
			s.region.endColumn = max(l.EndColumn, l.Column+1)
		}
		return s
	}
	s.real = true
	line := file.clamp(s.region.line)
	s.region = regionOf(l, line, file)
	s.hash = file.lineHash(line)
	return s
}

// regionOf narrows a location to one line: a region of several lines shows on
// a pull request only when all of them were changed.
func regionOf(l finding.Location, line int, file *source) region {
	first, end := file.columns(line)
	r := region{line, first, end}
	if l.Column > 0 && l.Column < end {
		r.column = l.Column
		if l.EndLine <= l.Line && l.EndColumn > l.Column {
			r.endColumn = min(l.EndColumn, end)
		}
	}
	r.endColumn = max(r.endColumn, r.column+1)
	return r
}

// imageURI is "image/" and the image's name, for findings that are not about a
// package followed by the path in the image: alerts of one rule about two
// files stay two.
func imageURI(f finding.Finding, l finding.Location) string {
	base := "image/" + cleanPath(f.Target)
	if f.Package == nil {
		if p := base + "/" + cleanPath(l.Path); !churning.MatchString(p) {
			return escapePath(p)
		}
	}
	return escapePath(base)
}

// maxPath is longer than any path of a repository that checks out on all
// systems.
const maxPath = 4096

// cleanPath makes a path relative without "." and ".." elements.
func cleanPath(p string) string {
	p = neutralise.Cut(p, maxPath)
	p = strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(p, "\\", "/")), "/")
	if p == "" {
		return "unknown"
	}
	return p
}

// escapePath makes a relative reference of a path. Colons are escaped as well:
// hosts take what stands before one for a scheme.
func escapePath(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
	}
	return strings.Join(segments, "/")
}
