package rpmdb

import "encoding/binary"

// newDatabase makes a database in rpm's own form (see readNDB) of the headers of
// packages. The library reads all of them there, and none of a write-ahead log or
// of the short values of a Berkeley DB.
func newDatabase(packages [][]byte) []byte {
	order := binary.LittleEndian
	pages := (ndbHead + ndbSlot*len(packages) + ndbPage - 1) / ndbPage
	size := pages * ndbPage
	for _, blob := range packages {
		size += blocks(blob) * ndbBlobHead
	}
	out := make([]byte, pages*ndbPage, size)
	copy(out, ndbMagic)
	order.PutUint32(out[12:], uint32(pages))
	for at := ndbHead; at < pages*ndbPage; at += ndbSlot {
		copy(out[at:], ndbSlotMagic)
	}
	for i, blob := range packages {
		number, start := uint32(i+1), len(out)
		slot := out[ndbHead+ndbSlot*i:]
		order.PutUint32(slot[4:], number)
		order.PutUint32(slot[8:], uint32(start/ndbBlobHead))
		order.PutUint32(slot[12:], uint32(blocks(blob)))
		out = out[:start+blocks(blob)*ndbBlobHead]
		copy(out[start:], ndbBlobMagic)
		order.PutUint32(out[start+4:], number)
		order.PutUint32(out[start+12:], uint32(len(blob)))
		copy(out[start+ndbBlobHead:], blob)
	}
	return out
}

// blocks is how many units of such a file a package takes with its head.
func blocks(blob []byte) int { return (2*ndbBlobHead + len(blob) - 1) / ndbBlobHead }
