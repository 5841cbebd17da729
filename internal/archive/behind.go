package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Finder finds a zip archive that stands behind something else in a file, while
// that streams past: a program that unpacks itself, a script, a picture. Readers
// look for the list at the end of a file, and take whatever is in front of it.
// The zero value is ready for one file.
type Finder struct {
	at int64
	// begun is set behind the first header of a file. After is the place behind
	// the last end of a list, or 0.
	begun bool
	after int64
	// locator is the place behind the last record that leads to a list of the large
	// form, or 0: the end of such a list follows it.
	locator int64
	// carry is the end of what was given, where a record may begin in it.
	carry []byte
	space [2 * recordSize]byte
}

const (
	// recordSize is that of a header in front of a file without its name, the
	// longest that is looked at; endSize that of what ends a list, without the
	// comment, which is below 64 KiB.
	recordSize = 30
	endSize    = 22
	maxComment = 1<<16 - 1
	// endLocator begins the record that leads to a list of the large form, of
	// locatorSize bytes (APPNOTE 4.3.15).
	endLocator  = 7<<8 | 6
	locatorSize = 20
)

// UnopenedReason is the reason of the gap where an archive ends in a file in which
// none was seen to begin.
const UnopenedReason = "a zip archive stands behind something else in it, in a form that is not read"

// Write takes the next part. Once an archive has begun, it returns what of the
// file belongs to that and has not been returned: before is what was given
// earlier, valid until the next call.
func (f *Finder) Write(data []byte) (before, rest []byte) {
	base := f.at
	f.at += int64(len(data))
	if f.begun {
		rest = data
	}
	if kept := len(f.carry); kept > 0 {
		joined := append(f.carry, data[:min(len(data), recordSize)]...)
		if at := f.look(joined, kept, base-int64(kept)); at >= 0 {
			before, rest = bytes.Clone(joined[at:kept]), data
		}
	}
	if at := f.look(data, len(data), base); at >= 0 {
		rest = data[at:]
	}
	f.keep(data)
	return before, rest
}

// look looks for records that begin before a place in the data, which stands at
// base in the file, and are whole. It returns where an archive begins, or -1.
func (f *Finder) look(data []byte, before int, base int64) (begins int) {
	begins = -1
	for at := 0; at < before; at += 2 {
		i := bytes.Index(data[at:], []byte("PK"))
		if i < 0 || at+i >= before {
			break
		}
		at += i
		switch record := data[at:]; {
		case !f.begun && isLocalHeader(record):
			f.begun, begins = true, at
		case isLocator(record, base+int64(at)):
			f.locator = base + int64(at) + locatorSize
		case isEnd(record, base+int64(at), f.locator):
			f.after = base + int64(at) + endSize
		}
	}
	return begins
}

// keep keeps the end of what was given where a record may begin in it.
func (f *Finder) keep(data []byte) {
	if len(data) < recordSize {
		data = append(f.carry, data...)
	}
	data = data[max(0, len(data)-recordSize+1):]
	if at := bytes.IndexByte(data, 'P'); at >= 0 {
		f.carry = append(f.space[:0], data[at:]...)
	} else {
		f.carry = f.space[:0]
	}
}

// Ended reports whether readers that look for a list at the end of the file find
// one.
func (f *Finder) Ended() bool { return f.after > 0 && f.at-f.after <= maxComment }

// Endless reports whether what was taken for the begin of an archive is followed
// by no end of a list.
func (f *Finder) Endless() bool { return f.begun && f.after == 0 }

// headerIn is where in the start of a file an archive begins, or -1.
func headerIn(head []byte) int {
	var f Finder
	return f.look(head, len(head), 0)
}

// isLocalHeader reports whether what is in front of a file in an archive stands
// here: such letters alone are in every program that reads archives.
func isLocalHeader(b []byte) bool {
	if len(b) < recordSize || binary.LittleEndian.Uint16(b[2:]) != localHeader {
		return false
	}
	const newest, latestMethod, longest = 63, 99, 4096
	version, method, name := b[4], binary.LittleEndian.Uint16(b[8:]), binary.LittleEndian.Uint16(b[26:])
	return version <= newest && method <= latestMethod && name > 0 && name <= longest
}

// isLocator reports whether what leads to a list of the large form, which is in
// front of it, stands at this place in a file.
func isLocator(b []byte, at int64) bool {
	return len(b) >= locatorSize && binary.LittleEndian.Uint16(b[2:]) == endLocator && binary.LittleEndian.Uint64(b[8:]) < uint64(at)
}

// isEnd reports whether the end of a list with files stands at this place in a
// file, which is also that behind a locator where there is a list of the large
// form.
func isEnd(b []byte, at, locator int64) bool {
	if len(b) < endSize || binary.LittleEndian.Uint16(b) != 'K'<<8|'P' || binary.LittleEndian.Uint16(b[2:]) != endOfCentral {
		return false
	}
	const unknown = 0xffff // Then the list of the large form says it.
	files, size, from := binary.LittleEndian.Uint16(b[10:]), binary.LittleEndian.Uint32(b[12:]), binary.LittleEndian.Uint32(b[16:])
	large := files == unknown || size == unknownSize || from == unknownSize
	return large && locator > 0 && at == locator ||
		files > 0 && int64(size) >= 46*int64(files) && int64(from)+int64(size) <= at
}

// isBehind reports whether a zip archive stands behind something else within the
// start of a file of some form.
func isBehind(form form, head []byte) bool {
	switch {
	case form != file && form != isZip, bytes.HasPrefix(head, []byte("PK")):
		return false
	default:
		return form == isZip || headerIn(head) > 0
	}
}

// fileAndZip shows a file in an archive as a whole, since what is around the zip
// archive in it is as much of a file as what is in that, and beside it the files
// of the zip archive. Who begins a walk does the same for the outermost file.
func (w *Walker) fileAndZip(r *bufio.Reader, m Member, head []byte, form form, depth int) error {
	outer, known := w.visitor, len(w.gaps)
	outer.File(m, head)
	defer outer.EndFile()
	all := &shown{r: r, to: outer}
	w.visitor = outer.Within()
	defer func() { w.visitor = outer }()
	l := w.at(depth)
	if l.beside == nil {
		l.beside = bufio.NewReaderSize(nil, 16*kib)
	}
	l.beside.Reset(all)
	_, err := l.beside.Discard(max(0, headerIn(head)))
	if err == nil {
		err = w.zip(l.beside, m, depth)
	}
	if all.err == nil || errors.Is(all.err, io.EOF) {
		err = w.broken(m.Name, err)
	}
	for err == nil {
		if _, err = all.Read(w.buf); errors.Is(err, io.EOF) {
			err = nil
			break
		}
	}
	if err == nil && form == file && !all.finder.Ended() {
		w.gaps = w.gaps[:known] // Nobody misses what is in no archive.
	}
	if all.finder.Endless() {
		w.visitor.Endless()
	}
	return err
}

// shown shows a file while it is read.
type shown struct {
	r      io.Reader
	to     Visitor
	finder Finder
	// err is what reading ended with.
	err error
}

// Read implements io.Reader.
func (s *shown) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.err = err
	if n > 0 {
		s.to.Write(p[:n])
		s.finder.Write(p[:n])
	}
	return n, err
}
