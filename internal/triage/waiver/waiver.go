// Package waiver reads the file of reviewed exceptions and applies it to
// findings. A waiver excuses named findings for a time, with an owner and a
// reason; it never drops one, and a waiver that is malformed, expired, too
// long-lived or matches nothing is a finding of its own. The package also
// reads the file as it is on another branch, so that a change cannot waive
// itself, and converts the ignore files of other tools. It does not decide
// what fails the gate.
package waiver

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// FileName is the name of the waiver file that is looked for when the
// configuration names none.
const FileName = ".portcullis-waivers.yaml"

// Version is the version of the file's format.
const Version = 1

// AnyID is the id that stands for every vulnerability of the package that the
// waiver then has to name.
const AnyID = "*"

// Waiver is one exception: the findings that it means, and who answers for it.
// What is left empty may be anything; what is set must all hold.
type Waiver struct {
	// ID is the id of a rule or an advisory, or any alias of it.
	ID string
	// Package is the name of the package or of its source package, or a
	// package URL of which what is left out may be anything.
	Package string
	// Versions is the range of installed versions, such as ">=1.2 <1.4".
	Versions string
	// Path is a glob (with ** for any number of directories) over the path
	// where a person fixes the finding, or over its paths in the image.
	Path string
	// Image is a glob over the image's repository, with tag or digest if the
	// waiver is to end with them.
	Image string
	// Object is a glob over the finding's object, such as Deployment/shop/*.
	Object string
	// Owner and Reason say who accepts it and why.
	Owner  string
	Reason string
	// Created and Expires are days, at midnight UTC. The waiver counts until
	// the end of the day Expires.
	Created time.Time
	Expires time.Time
	// Place is where it is written.
	Place Place

	purl     *match.PURL
	versions match.Range
}

// Place is a position in the waiver file. Lines and columns start at 1, the
// end is exclusive.
type Place struct {
	// Ref is the git ref from which the file was read; empty for the checkout.
	Ref string
	// File is relative to the root of the repository.
	File                    string
	Line, Column, EndColumn int
}

// String returns file:line:column, with the ref in front where there is one.
func (p Place) String() string {
	s := fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	if p.Ref != "" {
		return p.Ref + ":" + s
	}
	return s
}

// File is a decoded waiver file. The waivers are valid; what is not is among
// the problems and excuses nothing.
type File struct {
	// Name is the file's path relative to the root of the repository.
	Name string
	// Ref is the git ref from which it was read; empty for the checkout.
	Ref      string
	Waivers  []Waiver
	Problems []Problem
}

// Problem is a fault of the file: the entry or key in which it lies is void.
type Problem struct {
	Place Place
	// Text says what is wrong and what is expected.
	Text string
	// Subject is what the entry means, as far as it can be told, for the
	// fingerprint: it does not move with lines.
	Subject string
}

// subject names what the waiver means, without its place.
func (w Waiver) subject() string {
	return strings.Join([]string{w.ID, w.Package, w.Versions, w.Path, w.Image, w.Object}, "\x00")
}

// Describe names in a few words what the waiver means.
func (w Waiver) Describe() string {
	words := []string{w.ID}
	for _, part := range []struct{ label, value string }{
		{"package", w.Package}, {"versions", w.Versions}, {"path", w.Path}, {"image", w.Image}, {"object", w.Object},
	} {
		if part.value != "" {
			words = append(words, part.label+" "+part.value)
		}
	}
	return strings.Join(words, ", ")
}

// end is the first moment at which the waiver does not count any more.
func (w Waiver) end() time.Time { return w.Expires.AddDate(0, 0, 1) }

// compare orders waivers for the choice among several that match one finding,
// whatever their order in the file: the one that lasts longest comes first.
func compare(a, b Waiver) int {
	return cmp.Or(
		b.Expires.Compare(a.Expires),
		cmp.Compare(a.subject(), b.subject()),
		cmp.Compare(a.Owner, b.Owner),
		cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Place.File, b.Place.File),
		cmp.Compare(a.Place.Line, b.Place.Line),
		cmp.Compare(a.Place.Column, b.Place.Column),
	)
}
