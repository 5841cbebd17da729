package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

var (
	errDeb  = errors.New("no header of ar")
	errRPM  = errors.New("no header of rpm")
	errCPIO = errors.New("no header of cpio")
)

// packageCaches are where package managers keep the packages that they fetched.
var packageCaches = []string{
	"/var/cache/apt/archives/", "/var/cache/dnf/", "/var/cache/libdnf5/", "/var/cache/yum/", "/var/cache/zypp/",
}

// Fetched reports whether a path is that of a package of Debian or rpm in the
// cache of a package manager. To unpack these takes many times as long as to
// inflate their layer: it is told that they were not looked into.
func Fetched(name string) bool {
	if ext := path.Ext(name); ext != ".deb" && ext != ".rpm" {
		return false
	}
	for _, dir := range packageCaches {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// FetchedReason is why what Fetched reports is a gap.
const FetchedReason = "it is a package in the cache of a package manager, which is not unpacked; leave the cache out of the image"

// deb reads a package of Debian, which is an archive of ar (deb(5), ar(5)). That
// of object files is none for its look: it holds no files that anybody unpacks.
func (w *Walker) deb(r *bufio.Reader, m Member, depth int) error {
	const magic, header = len("!<arch>\n"), 60
	if _, err := r.Discard(magic); err != nil {
		return err
	}
	for {
		head, err := r.Peek(header)
		if len(head) == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimRight(string(head[48:58]), " "), 10, 63)
		if err != nil || size < 0 || string(head[58:]) != "`\n" {
			return errDeb
		}
		in := w.inside(m, strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/"))
		if _, err := r.Discard(header); err != nil {
			return err
		}
		if err := w.count(m.Name); err != nil {
			return err
		}
		if err := w.sized(r, size, size%2, in, depth); err != nil {
			return err
		}
	}
}

// sized reads a file of a known size and what fills it up.
func (w *Walker) sized(r *bufio.Reader, size, fill int64, in Member, depth int) error {
	body := &io.LimitedReader{R: r, N: size}
	if err := w.content(w.buffer(depth+1, body), in, depth+1); err != nil {
		return err
	}
	return skip(r, body.N+fill)
}

// rpm reads a package of rpm: a lead, a header of signatures, a header that
// describes the package, and the packed files.
// https://rpm-software-management.github.io/rpm/manual/format_v4.html
func (w *Walker) rpm(r *bufio.Reader, m Member, depth int) error {
	const lead, alignment = 96, 8
	if _, err := r.Discard(lead); err != nil {
		return err
	}
	size, err := rpmHeader(r)
	if err != nil {
		return err
	}
	if err := skip(r, (alignment-size%alignment)%alignment); err != nil {
		return err
	}
	if _, err := rpmHeader(r); err != nil {
		return err
	}
	payload := w.buffer(depth+1, r)
	if head, _ := payload.Peek(headSize); len(head) > 0 && formOf(head, "") == file {
		w.gap(m.Name, "it is packed in a way that is not read")
		return nil
	}
	return w.content(payload, m, depth+1)
}

// rpmHeader skips a header and returns its size.
func rpmHeader(r *bufio.Reader) (size int64, err error) {
	const intro, entry = 16, 16
	head, err := r.Peek(intro)
	if err != nil {
		return 0, err
	}
	if string(head[:3]) != "\x8e\xad\xe8" {
		return 0, errRPM
	}
	size = intro + entry*int64(binary.BigEndian.Uint32(head[8:])) + int64(binary.BigEndian.Uint32(head[12:]))
	return size, skip(r, size)
}

// cpioHeaderSize is the size of a header of cpio's newc form: a magic and 13
// numbers of 8 hexadecimal digits.
// https://www.kernel.org/doc/html/latest/driver-api/early-userspace/buffer-format.html
const cpioHeaderSize = 6 + 13*8

func isCPIOHeader(head []byte) bool {
	if len(head) < cpioHeaderSize {
		return false
	}
	for _, c := range head[:cpioHeaderSize] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// cpio reads an archive of cpio's newc form, which rpm and initial file systems
// of Linux have.
func (w *Walker) cpio(r *bufio.Reader, m Member, depth int) error {
	for {
		head, err := r.Peek(cpioHeaderSize)
		if err != nil {
			return err
		}
		if magic := string(head[:6]); !isCPIOHeader(head) || magic != "070701" && magic != "070702" {
			return errCPIO
		}
		number := func(n int) int64 {
			v, _ := strconv.ParseUint(string(head[6+8*n:14+8*n]), 16, 32) // Digits they are.
			return int64(v)
		}
		mode, size, length := number(1), number(6), number(11)
		if length > maxName {
			return errCPIO
		}
		raw := make([]byte, length)
		if _, err := r.Discard(cpioHeaderSize); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, raw); err != nil {
			return err
		}
		if err := skip(r, fillOf4(cpioHeaderSize+length)); err != nil {
			return err
		}
		name := strings.TrimRight(string(raw), "\x00")
		if name == "TRAILER!!!" {
			return w.behind(r, m)
		}
		if err := w.count(m.Name); err != nil {
			return err
		}
		const kind, regular = 0o170000, 0o100000
		if mode&kind != regular || size == 0 {
			if err := skip(r, size+fillOf4(size)); err != nil {
				return err
			}
			continue
		}
		if err := w.sized(r, size, fillOf4(size), w.inside(m, name), depth); err != nil {
			return err
		}
	}
}

// fillOf4 is what fills a size up to a multiple of four.
func fillOf4(size int64) int64 { return (4 - size%4) % 4 }
