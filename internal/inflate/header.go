package inflate

import (
	"hash/crc32"
	"io"
)

// Bits of the flags of a header, RFC 1952 section 2.3.1.
const (
	flagHeaderCRC = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
)

// longestText bounds names and comments with the zero at their end, as the
// standard library does.
const longestText = 512

// member reads the header of a member, RFC 1952 section 2.3, of which nothing
// but its end is of interest. The stream may end in its place, but for the
// first one's.
func (z *Reader) member() error {
	h := &z.head
	*h = headerReader{z: z}
	fixed := h.next(10)
	if h.err != nil {
		if h.read == 0 && z.begun && z.err == io.EOF {
			return io.EOF
		}
		return h.err
	}
	if fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != 8 {
		return errHeader
	}
	flags := fixed[3]
	if flags&flagExtra != 0 {
		n := h.next(2)
		for range int(n[0]) | int(n[1])<<8 {
			h.next(1)
		}
	}
	if flags&flagName != 0 {
		h.text()
	}
	if flags&flagComment != 0 {
		h.text()
	}
	if sum := uint16(h.crc); flags&flagHeaderCRC != 0 {
		if n := h.next(2); h.err == nil && uint16(n[0])|uint16(n[1])<<8 != sum {
			return errHeader
		}
	}
	z.crc, z.size, z.floor, z.stage, z.begun = 0, 0, z.w, block, true
	return h.err
}

// headerReader reads a header and keeps its checksum. After an error it returns
// zeros.
type headerReader struct {
	z    *Reader
	buf  [10]byte
	read int
	crc  uint32
	err  error
}

func (h *headerReader) next(n int) *[10]byte {
	h.buf = [10]byte{}
	for i := 0; i < n && h.err == nil; i++ {
		b, ok := h.z.byte()
		if !ok {
			h.err = h.z.cut()
			break
		}
		h.buf[i] = b
		h.read++
	}
	h.crc = crc32.Update(h.crc, crc32.IEEETable, h.buf[:n])
	return &h.buf
}

// text skips a text that ends with a zero.
func (h *headerReader) text() {
	for range longestText {
		if h.next(1)[0] == 0 || h.err != nil {
			return
		}
	}
	h.err = errHeader
}
