package layers

import (
	"archive/tar"
	"bytes"
	"io"
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
