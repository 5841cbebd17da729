package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The records of a zip archive, by the last two bytes of their signatures
// (PKWARE's APPNOTE.TXT, section 4.3).
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
const (
	localHeader   = 0x0403
	centralHeader = 0x0201
	endOfCentral  = 0x0605
)

// descriptor is the signature in front of the sizes behind a file.
const descriptor = 0x08074b50

const (
	store   = 0
	deflate = 8

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	// unknownSize stands in a header for a size that the extra field has.
	unknownSize = 0xffffffff
)

// zip reads an archive from its start by the headers in front of the files,
// since its list comes last. The list is counted: where it names more files
// than were seen, some were not.
func (w *Walker) zip(r *bufio.Reader, m Member, depth int) error {
	seen, listed, ended := 0, 0, false
	for {
		kind, err := nextRecord(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch kind {
		case localHeader:
			seen++
			if err := w.count(m.Name); err != nil {
				return err
			}
			if err := w.zipFile(r, m, depth); err != nil {
				return err
			}
		case centralHeader:
			listed++
			if err := skipCentral(r); err != nil {
				return err
			}
		case endOfCentral:
			ended = true
			fallthrough
		default:
			if _, err := r.Discard(4); err != nil {
				return err
			}
		}
	}
	switch {
	case !ended:
		return io.ErrUnexpectedEOF
	case listed > seen:
		w.gap(m.Name, "it is broken: some of the files in its list are not there")
	}
	return nil
}

// nextRecord moves to the next record and returns its kind. What lies between
// two records (descriptors, signatures of packages, a program in front) is
// nothing that anybody unpacks.
func nextRecord(r *bufio.Reader) (kind uint16, err error) {
	for {
		head, err := r.Peek(4)
		if err != nil {
			return 0, err
		}
		if head[0] == 'P' && head[1] == 'K' {
			switch kind := binary.LittleEndian.Uint16(head[2:]); kind {
			case localHeader, centralHeader, endOfCentral:
				return kind, nil
			}
		}
		head, _ = r.Peek(r.Buffered())
		skip := bytes.IndexByte(head[1:], 'P') + 1
		if skip == 0 {
			skip = len(head)
		}
		if _, err := r.Discard(skip); err != nil {
			return 0, err
		}
	}
}

func skipCentral(r *bufio.Reader) error {
	const size = 46
	head, err := r.Peek(size)
	if err != nil {
		return err
	}
	more := 0
	for _, at := range []int{28, 30, 32} {
		more += int(binary.LittleEndian.Uint16(head[at:]))
	}
	_, err = r.Discard(size + more)
	return err
}

// zipFile reads a file in a zip archive. The error is one that ends the
// archive.
func (w *Walker) zipFile(r *bufio.Reader, m Member, depth int) error {
	const size = 30
	head, err := r.Peek(size)
	if err != nil {
		return err
	}
	flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
	sum, packed := binary.LittleEndian.Uint32(head[14:]), int64(binary.LittleEndian.Uint32(head[18:]))
	names := make([]byte, int(binary.LittleEndian.Uint16(head[26:]))+int(binary.LittleEndian.Uint16(head[28:])))
	name, extra := names[:binary.LittleEndian.Uint16(head[26:])], names[binary.LittleEndian.Uint16(head[26:]):]
	if _, err := r.Discard(size); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, names); err != nil {
		return err
	}
	if packed == unknownSize {
		packed = longSize(extra)
	}
	in := w.inside(m, string(name))
	told := packed > 0 || flags&flagDescriptor == 0
	switch {
	case flags&flagEncrypted != 0:
		w.gap(in.Name, "it is encrypted")
	case method == deflate:
		body := &summed{r: w.deflated(r, in.Name, depth)}
		if err := w.zipContent(body, in, depth); err != nil {
			return err
		}
		w.verify(r, body, sum, flags&flagDescriptor != 0, in)
		return nil
	case method != store:
		w.gap(in.Name, fmt.Sprintf("it is packed in a way that is not read (method %d of zip)", method))
	case told:
		limited := &io.LimitedReader{R: r, N: packed}
		body := &summed{r: limited}
		if err := w.zipContent(body, in, depth); err != nil {
			return err
		}
		if packed = limited.N; packed == 0 { // Otherwise the archive ended.
			w.verify(r, body, sum, flags&flagDescriptor != 0, in)
		}
	default:
		w.gap(in.Name, "it is stored without its size")
	}
	if !told {
		return nil // The next record is looked for.
	}
	return skip(r, packed)
}

// zipContent reads a file to its end, whatever is looked at of it.
func (w *Walker) zipContent(body *summed, in Member, depth int) error {
	if err := w.content(w.buffer(depth+1, body), in, depth+1); err != nil {
		return err
	}
	for {
		_, err := body.Read(w.buf)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errStopped), errors.Is(err, errLimit):
			return err
		case err != nil:
			return nil // It was noted.
		}
	}
}

// summed sums what is read of a file in a zip archive.
type summed struct {
	r   io.Reader
	sum uint32
	// ended is set at the end of the file.
	ended bool
}

// Read implements io.Reader.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p[:n])
	s.ended = s.ended || errors.Is(err, io.EOF)
	return n, err
}

// verify compares the checksum of a file that was read with the one in front of
// it, or with the one in the descriptor behind it, whose signature may be
// missing.
func (w *Walker) verify(r *bufio.Reader, body *summed, want uint32, behind bool, in Member) {
	if !body.ended {
		return // What is wrong with it was noted.
	}
	right := body.sum == want
	if behind {
		d, err := r.Peek(8)
		if err != nil {
			return // The archive ends here, which is noted.
		}
		first, second := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:])
		right = first == body.sum || first == descriptor && second == body.sum
	}
	if !right {
		w.gap(in.Name, "it is damaged: its checksum is wrong")
	}
}

func skip(r *bufio.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

// longSize is the packed size in the extra field of a file of 4 GiB or more;
// 0 where it is not there.
func longSize(extra []byte) int64 {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			return 0
		}
		if id == 1 && size >= 16 {
			return int64(binary.LittleEndian.Uint64(extra[8:]) & (1<<63 - 1))
		}
		extra = extra[size:]
	}
	return 0
}
