package finding

import "strings"

// What the notes of places say that run or name the examined image: nothing is
// wrong in that line, and anybody can add another.
const (
	RunsHere      = "runs here"
	NamesTheImage = "names the image"
)

// OfWorkload reports whether the place only runs or names the image that the
// finding is about.
func (l Location) OfWorkload() bool {
	if l.Space != Repository {
		return false
	}
	head, _, _ := strings.Cut(l.Note, ":")
	return head == RunsHere || head == NamesTheImage
}

// LiesIn reports whether a person who accepts what is at some paths accepts the
// finding: it is to be fixed at one of them, or all of its places in the image
// are among them. Where else it is seen does not count.
func (f Finding) LiesIn(accepted func(path string) bool) bool {
	if len(f.Locations) > 0 {
		if at := f.Locations[0]; at.Space == Repository && !at.OfWorkload() && accepted(at.Path) {
			return true
		}
	}
	inImage := 0
	for _, l := range f.Locations {
		if l.Space != InImage {
			continue
		}
		if !accepted(l.Path) {
			return false
		}
		inImage++
	}
	return inImage > 0
}

// systemDirs are where package managers of the system keep their lists.
var systemDirs = []string{
	"/var/lib/dpkg/", "/usr/lib/apk/db/", "/lib/apk/db/", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/usr/share/rpm/",
	"/var/lib/pacman/", "/var/db/pkg/",
}

// CopiedRoot is the directory below which the list lies that names a package of
// the system, of whose places paths are given: a root file system was copied
// there. It is empty for the image's own.
func CopiedRoot(paths []string) string {
	for _, path := range paths {
		for _, dir := range systemDirs {
			if root, _, ok := strings.Cut(path, dir); ok {
				return root
			}
		}
	}
	return ""
}
