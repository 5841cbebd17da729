package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/maphash"
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
// since its list comes last. Other readers go by the list: where it names files
// that were not seen, or of another size or checksum, they get other files.
func (w *Walker) zip(r *bufio.Reader, m Member, depth int) error {
	seen, missing, ended := zipSeen{read: map[uint64]bool{}, seed: maphash.MakeSeed()}, false, false
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
			if err := w.count(m.Name); err != nil {
				return err
			}
			if err := w.zipFile(r, m, depth, seen); err != nil {
				return err
			}
		case centralHeader:
			known, err := seen.central(r)
			if err != nil {
				return err
			}
			missing = missing || !known
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
	case missing:
		w.gap(m.Name, "it is broken: some of the files in its list are not there, or not as it says")
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

// zipSeen are the files that were seen in front of an archive's list.
type zipSeen struct {
	read map[uint64]bool
	seed maphash.Seed
}

// unread stands for the size of files of which something was noted.
const unread = -1

// key stands for a file. It takes 64 bits, so that no archive is held in memory
// by its names.
func (z zipSeen) key(name []byte, size int64, sum uint32) uint64 {
	var h maphash.Hash
	h.SetSeed(z.seed)
	_, _ = h.Write(name)
	_, _ = h.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, uint64(size)), sum))
	return h.Sum64()
}

// central reads an entry of the list and reports whether its file was seen as
// the list has it.
func (z zipSeen) central(r *bufio.Reader) (bool, error) {
	const size = 46
	head, err := r.Peek(size)
	if err != nil {
		return false, err
	}
	sum, long := binary.LittleEndian.Uint32(head[16:]), int64(binary.LittleEndian.Uint32(head[24:]))
	name, extra, comment := int(binary.LittleEndian.Uint16(head[28:])), int(binary.LittleEndian.Uint16(head[30:])), int(binary.LittleEndian.Uint16(head[32:]))
	if _, err := r.Discard(size); err != nil {
		return false, err
	}
	more := make([]byte, name+extra)
	if _, err := io.ReadFull(r, more); err != nil {
		return false, err
	}
	if long == unknownSize {
		long = field64(more[name:], 0)
	}
	_, err = r.Discard(comment)
	return z.read[z.key(more[:name], long, sum)] || z.read[z.key(more[:name], unread, 0)], err
}

// zipFile reads a file in a zip archive. The error is one that ends the
// archive.
func (w *Walker) zipFile(r *bufio.Reader, m Member, depth int, seen zipSeen) error {
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
		packed = field64(extra, 8)
	}
	in := w.inside(m, string(name))
	behind := flags&flagDescriptor != 0
	told := packed > 0 || !behind
	body := &summed{}
	var limited *io.LimitedReader
	switch {
	case flags&flagEncrypted != 0:
		w.gap(in.Name, "it is encrypted")
	case method == deflate:
		body.r = w.deflated(r, in.Name, depth)
	case method != store:
		w.gap(in.Name, fmt.Sprintf("it is packed in a way that is not read (method %d of zip)", method))
	case told:
		limited = &io.LimitedReader{R: r, N: packed}
		body.r = limited
	case bytes.HasSuffix(name, []byte("/")): // A directory, behind which nothing stands.
		body.ended, behind = true, false
	default:
		body.r = &storedReader{r: r}
	}
	if body.r != nil {
		if err := w.zipContent(body, in, depth); err != nil {
			return err
		}
	}
	if limited != nil {
		body.ended = body.ended && limited.N == 0 // Otherwise the archive ended.
		packed = limited.N
	}
	if body.ended && w.verify(r, body, sum, behind, in) {
		seen.read[seen.key(name, body.n, body.sum)] = true
	} else {
		seen.read[seen.key(name, unread, 0)] = true
	}
	if body.r != nil && limited == nil || !told {
		return nil // The next record is looked for.
	}
	return skip(r, packed)
}

// storedReader reads a file that is stored with its size behind it, up to the
// descriptor that has the size and checksum of what was read.
type storedReader struct {
	r *bufio.Reader
	n int64
	// sum is the checksum so far.
	sum uint32
}

// Read implements io.Reader.
func (s *storedReader) Read(p []byte) (int, error) {
	const signature, size = "PK\x07\x08", 24
	head, err := s.r.Peek(size)
	if len(head) < len(signature) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	if s.isEnd(head) {
		return 0, io.EOF
	}
	head, _ = s.r.Peek(s.r.Buffered())
	if i := bytes.Index(head[1:], []byte(signature)); i >= 0 {
		head = head[:1+i]
	} else {
		head = head[:len(head)-len(signature)+1] // It may begin there.
	}
	n := copy(p, head)
	s.n, s.sum = s.n+int64(n), crc32.Update(s.sum, crc32.IEEETable, p[:n])
	_, err = s.r.Discard(n)
	return n, err
}

// isEnd reports whether a descriptor of what was read stands next, with sizes
// of four or eight bytes.
func (s *storedReader) isEnd(d []byte) bool {
	if len(d) < 16 || binary.LittleEndian.Uint32(d) != descriptor || binary.LittleEndian.Uint32(d[4:]) != s.sum {
		return false
	}
	return int64(binary.LittleEndian.Uint32(d[8:])) == s.n || binary.LittleEndian.Uint64(d[8:]) == uint64(s.n)
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
	n   int64
	sum uint32
	// ended is set at the end of the file.
	ended bool
}

// Read implements io.Reader.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n, s.sum = s.n+int64(n), crc32.Update(s.sum, crc32.IEEETable, p[:n])
	s.ended = s.ended || errors.Is(err, io.EOF)
	return n, err
}

// verify compares the checksum of a file that was read with the one in front of
// it, or with the one in the descriptor behind it, whose signature may be
// missing, and notes where it is wrong.
func (w *Walker) verify(r *bufio.Reader, body *summed, want uint32, behind bool, in Member) bool {
	right := body.sum == want
	if behind {
		d, err := r.Peek(8)
		if err != nil {
			return true // The archive ends here, which is noted.
		}
		first, second := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:])
		right = first == body.sum || first == descriptor && second == body.sum
	}
	if !right {
		w.gap(in.Name, "it is damaged: its checksum is wrong")
	}
	return right
}

func skip(r *bufio.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

// field64 is a size in the extra field of a file of 4 GiB or more, by its place
// there; 0 where it is not there.
func field64(extra []byte, at int) int64 {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			return 0
		}
		if id == 1 && size >= at+8 {
			return int64(binary.LittleEndian.Uint64(extra[at:]) & (1<<63 - 1))
		}
		extra = extra[size:]
	}
	return 0
}
