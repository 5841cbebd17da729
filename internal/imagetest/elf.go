package imagetest

import "encoding/binary"

// ELF is a program for 64-bit Linux with one section besides that of the names.
func ELF(name string, content []byte) []byte {
	names := "\x00" + name + "\x00.shstrtab\x00"
	const head, entry = 64, 64
	b := make([]byte, head)
	copy(b, "\x7fELF\x02\x01\x01")
	put := binary.LittleEndian
	put.PutUint16(b[16:], 2)
	put.PutUint16(b[18:], 62)
	put.PutUint32(b[20:], 1)
	put.PutUint64(b[40:], uint64(head+len(content)+len(names)))
	put.PutUint16(b[52:], head)
	put.PutUint16(b[58:], entry)
	put.PutUint16(b[60:], 3)
	put.PutUint16(b[62:], 2)
	b = append(append(b, content...), names...)
	section := func(name, kind uint32, offset, size int) {
		h := make([]byte, entry)
		put.PutUint32(h, name)
		put.PutUint32(h[4:], kind)
		put.PutUint64(h[24:], uint64(offset))
		put.PutUint64(h[32:], uint64(size))
		b = append(b, h...)
	}
	section(0, 0, 0, 0)
	section(1, 1, head, len(content))
	section(uint32(len(name)+2), 3, head+len(content), len(names))
	return b
}
