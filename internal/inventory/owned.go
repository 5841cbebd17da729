package inventory

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
	// Config marks files that administrators are expected to change.
	Config bool
}

// Owner returns what is known of a file by its real path; the zero value and
// false for a file that no package of the operating system owns.
func (inv Inventory) Owner(path string) (OwnedFile, bool) {
	f, ok := inv.Owned[path]
	return f, ok
}
