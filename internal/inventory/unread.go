package inventory

import (
	"fmt"
	"path"
)

// Unread is a file that was not looked at, or not to its end.
type Unread struct {
	// Path is the file's in its layer's archive, Member that in the file where it
	// is an archive of which only a file was not looked at.
	Path, Member string
	// Reason says why.
	Reason string
}

// fewInOne is how many files of a directory are listed one by one.
const fewInOne = 3

// ListUnread makes a list for coverage, in which many files of one directory
// count as one. What says what was not done with them, as in "searched for
// secrets".
func ListUnread(files []Unread, what string) []Unreadable {
	inDir := map[string]map[string]bool{}
	for _, f := range files {
		dir := path.Dir(f.Path)
		if inDir[dir] == nil {
			inDir[dir] = map[string]bool{}
		}
		inDir[dir][f.Path] = true
	}
	var out []Unreadable
	told := map[string]bool{}
	for _, f := range files {
		u := Unreadable{Path: f.Full(), Reason: "not " + what + ", or not to its end: " + f.Reason}
		if dir := path.Dir(f.Path); len(inDir[dir]) > fewInOne {
			if told[dir] {
				continue
			}
			told[dir] = true
			u = Unreadable{Path: dir, Reason: fmt.Sprintf("%d files in this directory were not %s, or not to their end; %s: %s", len(inDir[dir]), what, path.Base(f.Full()), f.Reason)}
		}
		out = append(out, u)
	}
	return out
}

// Full is the path with that in the archive behind it.
func (f Unread) Full() string { return InArchive(f.Path, f.Member) }

// InArchive is the path of an archive with that of a file in it, if there is
// one.
func InArchive(archive, member string) string {
	if member == "" {
		return archive
	}
	return archive + "!/" + member
}
