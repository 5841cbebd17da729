package inventory

import "strings"

// OwnedFile is what the database of the system's package manager says of one
// regular file that is in the image.
type OwnedFile struct {
	// Package is the ID of the package that owns the file; the first of several.
	Package string
	// Layer is the index of the layer that holds the file now, -1 if none does.
	Layer int
	// Digest is what the content was when the package was installed, as
	// algorithm:hex with md5, sha1 or sha256. It is empty where the database
	// does not say, or where several packages say different things.
	Digest string
	// Config marks files that administrators are expected to change, and those
	// whose package says that they change (rpm's %ghost and %verify without
	// filedigest).
	Config bool
}

// Owner returns what is known of a file; the zero value and false for one that
// no package of the operating system owns. The path may lead through the links
// that stand for the directories of the merged /usr.
func (inv Inventory) Owner(path string) (OwnedFile, bool) {
	if f, ok := inv.Owned[path]; ok {
		return f, true
	}
	f, ok := inv.Owned[UnderUsr(path)]
	return f, ok
}

// UnderUsr gives the path that a system file has where /usr is merged: /bin/su
// and /usr/bin/su are one file in most distributions, and package databases name
// it either way. Other paths are returned as they are.
// See https://www.freedesktop.org/wiki/Software/systemd/TheCaseForTheUsrMerge/.
func UnderUsr(path string) string {
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/", "/lib32/", "/libx32/", "/libexec/"} {
		if strings.HasPrefix(path, dir) {
			return "/usr" + path
		}
	}
	return path
}
