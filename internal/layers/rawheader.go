package layers

import (
	"archive/tar"
	"bytes"
	"io"
	"slices"
	"strconv"
)

// headerTap remembers the last header of an archive as it stands there:
// [tar.Reader] gives headers only after what extended headers say instead.
type headerTap struct {
	r     io.Reader
	block [512]byte
	n     int
}

// Read passes on, and remembers what was asked for as one block.
func (t *headerTap) Read(p []byte) (int, error) {
	if len(p) == len(t.block) {
		t.n = 0
	}
	n, err := t.r.Read(p)
	if len(p) == len(t.block)-t.n {
		t.n += copy(t.block[t.n:], p[:n])
	}
	return n, err
}

// sizeDiffers reports whether the extended header of h, which was read last,
// gives another size than the header itself, so that a reader that knows no
// extended headers finds other files behind it. Some writers give each size
// twice, and the same. A size of 8 GiB and more has no room in the header.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
func (t *headerTap) sizeDiffers(h *tar.Header) bool {
	extended, twice := h.PAXRecords["size"]
	if !twice {
		return false
	}
	size, err := strconv.ParseInt(extended, 10, 64)
	if err != nil || size >= ustarSize {
		return err != nil
	}
	field := t.block[124:136]
	plain, err := strconv.ParseInt(string(bytes.Trim(field, " \x00")), 8, 64)
	return err != nil || plain != size
}

// namesDiffer reports whether an entry has one name, or one target, in its
// extended header and another in a header of GNU's for long names, which
// [tar.Reader] prefers and GNU tar does not. That of a sparse file is that of the
// entry that holds its parts.
// https://www.gnu.org/software/tar/manual/html_node/Standard.html
func namesDiffer(h *tar.Header) bool {
	differs := func(record, taken string) bool {
		extended := h.PAXRecords[record]
		return extended != "" && extended != taken
	}
	return len(h.PAXRecords) > 0 && h.PAXRecords["GNU.sparse.name"] == "" && (differs("path", h.Name) || differs("linkpath", h.Linkname))
}

// overlayRecords are attributes with which overlay file systems show the content
// of another file or folder in place of an entry's own.
// https://docs.kernel.org/filesystems/overlayfs.html
var overlayRecords = []string{
	"SCHILY.xattr.trusted.overlay.redirect", "SCHILY.xattr.user.overlay.redirect",
	"SCHILY.xattr.trusted.overlay.metacopy", "SCHILY.xattr.user.overlay.metacopy",
}

// redirects reports whether an entry shows other content than its own where
// layers are put on each other by an overlay file system, as they mostly are.
func redirects(h *tar.Header) bool {
	return len(h.PAXRecords) > 0 && slices.ContainsFunc(overlayRecords, func(record string) bool {
		_, has := h.PAXRecords[record]
		return has
	})
}

// appliesToAll reports whether a global header gives all entries behind it a
// name, a target or a size, which some programs heed and [tar.Reader] does not.
func appliesToAll(h *tar.Header) bool {
	return h.Typeflag == tar.TypeXGlobalHeader && (h.PAXRecords["path"] != "" || h.PAXRecords["linkpath"] != "" || h.PAXRecords["size"] != "")
}
