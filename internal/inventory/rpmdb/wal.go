package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The layout of a write-ahead log of SQLite
// (https://www.sqlite.org/fileformat2.html#the_write_ahead_log): a header, and
// frames of one page each, all numbers big-endian.
const (
	walHeader      = 32
	walFrameHeader = 24
	// walMagic is the magic number of a log whose checksums are of little-endian
	// numbers; with the last bit set they are of big-endian ones.
	walMagic = 0x377f0682
)

// errNoLog is about a log that SQLite would not read: nobody knows what was in it.
var errNoLog = errors.New("the log of changes beside it (-wal) cannot be read; end the build step with `rpm -qa` or another command that closes the database")

// withLog returns a database of SQLite with the changes of its log written to it,
// as SQLite does when it opens both: those of all transactions that were ended,
// up to the first frame that is damaged or left from an earlier log.
func withLog(data, log []byte) ([]byte, error) {
	if len(log) == 0 {
		return data, nil
	}
	if len(log) < walHeader || binary.BigEndian.Uint32(log)&^1 != walMagic {
		return nil, errNoLog
	}
	sum := logSum{order: binary.LittleEndian}
	if binary.BigEndian.Uint32(log)&1 != 0 {
		sum.order = binary.BigEndian
	}
	sum.add(log[:24])
	pageSize := int(binary.BigEndian.Uint32(log[8:]))
	if !sum.is(log[24:]) || pageSize != pageSizeOf(data) {
		return nil, errNoLog
	}
	var pages []loggedPage
	size, ended := 0, 0
	for rest := log[walHeader:]; len(rest) >= walFrameHeader+pageSize; rest = rest[walFrameHeader+pageSize:] {
		number, after := binary.BigEndian.Uint32(rest), binary.BigEndian.Uint32(rest[4:])
		content := rest[walFrameHeader : walFrameHeader+pageSize]
		sum.add(rest[:8])
		sum.add(content)
		if string(rest[8:16]) != string(log[16:24]) || !sum.is(rest[16:]) || number == 0 {
			break
		}
		if int64(number)*int64(pageSize) > maxSize || int64(after)*int64(pageSize) > maxSize {
			return nil, fmt.Errorf("with the log of changes beside it, it has more than the limit of %d bytes", int64(maxSize))
		}
		pages = append(pages, loggedPage{number: int(number), content: content})
		if after != 0 {
			size, ended = int(after)*pageSize, len(pages)
		}
	}
	return written(data, pages[:ended], size), nil
}

// loggedPage is a page of a database as a log has it.
type loggedPage struct {
	number  int
	content []byte
}

// written writes pages to a database that has the given size thereafter. Without
// pages it stays as it is.
func written(data []byte, pages []loggedPage, size int) []byte {
	if len(pages) == 0 {
		return data
	}
	out := make([]byte, size)
	copy(out, data)
	for _, p := range pages {
		// A later transaction may have made the database smaller.
		if start := (p.number - 1) * len(p.content); start < size {
			copy(out[start:], p.content)
		}
	}
	return out
}

// pageSizeOf reads the size of the pages of a database of SQLite; 1 stands for
// 65536.
func pageSizeOf(data []byte) int {
	size := int(binary.BigEndian.Uint16(data[16:]))
	if size == 1 {
		return 1 << 16
	}
	return size
}

// logSum is the checksum of a log, which goes on from frame to frame.
type logSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

// add takes in bytes, a multiple of eight.
func (s *logSum) add(data []byte) {
	for ; len(data) >= 8; data = data[8:] {
		s.s0 += s.order.Uint32(data) + s.s1
		s.s1 += s.order.Uint32(data[4:]) + s.s0
	}
}

// is reports whether the sum is the one that is written there.
func (s *logSum) is(written []byte) bool {
	return s.s0 == binary.BigEndian.Uint32(written) && s.s1 == binary.BigEndian.Uint32(written[4:])
}
