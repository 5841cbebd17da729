// Package inflate unpacks gzip (RFC 1952) and deflate (RFC 1951).
//
// Inflating is what examining an image costs at the least, so this is the
// place where time is saved: the decoder works on whole words of input and
// copies matches sixteen or eight bytes at a time, which takes about half the time
// of the decoders that are written to stop at any byte. What it accepts is
// what compress/gzip and compress/flate of the standard library accept, byte
// for byte: tests compare them.
package inflate

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Errors of packed data. What was unpacked before is returned first.
var (
	errCorrupt  = errors.New("the compressed data are corrupt")
	errHeader   = errors.New("no gzip header where one must be")
	errChecksum = errors.New("the checksum of the gzip data is wrong")
)

// Reader unpacks what it reads. It is not safe for concurrent use.
type Reader struct {
	decoder
	raw   bool
	begun bool
	// r is how far out was read, and summed how far it is in the checksum.
	r, summed int
	crc, size uint32
	head      headerReader
	failed    error
}

// NewReader reads a gzip stream: members one after another, to the end of src.
// It reads more of src than it needs, and nothing before the first Read. Cut
// input ends with io.ErrUnexpectedEOF, and an error of src is returned as it is.
func NewReader(src io.Reader) *Reader {
	z := &Reader{decoder: decoder{alphabet: newAlphabet()}}
	z.Reset(src)
	return z
}

// NewDeflateReader reads a deflate stream without a header, as archives of type
// zip hold it. When Read returned io.EOF or an error that is not one of src, src
// is behind the data and no further. The buffer of src must hold 32 bytes or
// more. See NewReader.
func NewDeflateReader(src *bufio.Reader) *Reader {
	z := NewReader(nil)
	z.ResetDeflate(src)
	return z
}

// Reset begins anew with another gzip stream, and keeps the memory.
func (z *Reader) Reset(src io.Reader) {
	z.src, z.exact = src, nil
	z.begin(header)
}

// ResetDeflate begins anew with another deflate stream, and keeps the memory.
func (z *Reader) ResetDeflate(src *bufio.Reader) {
	z.src, z.exact, z.lent = nil, src, 0
	z.begin(block)
}

func (z *Reader) begin(s stage) {
	z.pos, z.end, z.bits, z.n, z.err = 0, 0, 0, 0, nil
	z.w, z.floor, z.r, z.summed, z.failed, z.begun = 0, 0, 0, 0, nil, false
	z.stage, z.raw = s, s == block
}

// Read implements io.Reader.
func (z *Reader) Read(p []byte) (int, error) {
	for z.r == z.w {
		if z.failed != nil {
			return 0, z.failed
		}
		z.work()
	}
	n := copy(p, z.out[z.r:z.w])
	z.r += n
	return n, nil
}

// work unpacks until there is no room or no more.
func (z *Reader) work() {
	z.slide()
	z.r, z.summed = z.w, z.w
	for z.failed == nil && z.w < outFull {
		switch z.stage {
		case header:
			z.failed = z.member()
		case trailer:
			z.failed = z.check()
		default:
			z.failed = z.step()
		}
	}
	z.sum()
	if z.failed != nil && z.raw {
		z.giveBack()
	}
}

// sum takes what is new into the checksum.
func (z *Reader) sum() {
	if p := z.out[z.summed:z.w]; !z.raw {
		z.crc = crc32.Update(z.crc, crc32.IEEETable, p)
		z.size += uint32(len(p))
	}
	z.summed = z.w
}

// check compares the trailer of a member, RFC 1952 section 2.3.1.
func (z *Reader) check() error {
	if z.raw {
		return io.EOF
	}
	z.sum()
	var tail [8]byte
	if !z.bytes(tail[:]) {
		return z.cut()
	}
	if binary.LittleEndian.Uint32(tail[:]) != z.crc || binary.LittleEndian.Uint32(tail[4:]) != z.size {
		return errChecksum
	}
	z.stage = header
	return nil
}
