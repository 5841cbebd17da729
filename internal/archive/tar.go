package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// isTarHeader reports whether a content begins with the header of a tar
// archive: its checksum tells, whatever the variant of the form.
func isTarHeader(head []byte) bool {
	const size, from, to = 512, 148, 156
	if len(head) < size || head[0] == 0 || head[from] != ' ' && (head[from] < '0' || head[from] > '7') {
		return false // Most files are none, and this is asked for each.
	}
	want, err := strconv.ParseInt(strings.Trim(string(head[from:to]), " \x00"), 8, 64)
	if err != nil {
		return false
	}
	sum := int64((to - from) * ' ')
	for i, c := range head[:size] {
		if i < from || i >= to {
			sum += int64(c)
		}
	}
	return sum == want
}

func (w *Walker) tar(r *bufio.Reader, m Member, depth int) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return w.behind(r, m)
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse && h.Typeflag != tar.TypeCont {
			continue
		}
		in := w.inside(m, h.Name)
		if err := w.count(m.Name); err != nil {
			return err
		}
		var content io.Reader = t
		if isSparse(h) {
			content = inflating{w, t, in.Name, 1}
		}
		if err := w.content(w.buffer(depth+1, content), in, depth+1); err != nil {
			return err
		}
	}
}

// behind looks at what follows the end of a tar or cpio archive: other readers may be
// told to go on.
func (w *Walker) behind(r *bufio.Reader, m Member) error {
	for {
		n, err := r.Read(w.buf)
		if len(bytes.Trim(w.buf[:n], "\x00")) > 0 {
			w.gap(m.Name, "data follows the archive's end")
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// isSparse reports whether a file has holes, whose bytes come from nowhere.
func isSparse(h *tar.Header) bool {
	return h.Typeflag == tar.TypeGNUSparse || h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != ""
}
