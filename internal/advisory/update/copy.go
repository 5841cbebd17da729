package update

import (
	"os"
	"path/filepath"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
)

// HasCopy reports whether a directory holds a copy of an ecosystem that was
// whole once: with its archive, and brought to agreement with the list.
func HasCopy(dir, name string) bool {
	e := ecosystem{name: name, dir: filepath.Join(dir, name)}
	_, agreed := e.lastList()
	return agreed && isThere(e.archive())
}

// HasFeed reports whether all documents of the feeds are there.
func HasFeed(req FeedRequest) bool {
	for _, name := range req.Names {
		list, ok := feeds[name]
		if !ok {
			return false
		}
		for _, d := range list(req.Now) {
			if !isThere(filepath.Join(req.Dir, filepath.FromSlash(d.file))) {
				return false
			}
		}
	}
	return true
}

// isThere reports whether a file and the note about it are there.
func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil && !download.ReadInfo(path).Fetched.IsZero()
}
