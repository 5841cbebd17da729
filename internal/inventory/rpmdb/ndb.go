package rpmdb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The layout of rpm's own form of database
// (https://github.com/rpm-software-management/rpm/blob/rpm-4.18.0-release/lib/backend/ndb/rpmpkg.c):
// pages of slots, the first two of which are the head of the file; each leads to
// a block of the file with a head of its own, behind which a package lies.
const (
	ndbMagic     = "RpmP"
	ndbSlotMagic = "Slot"
	ndbBlobMagic = "BlbS"
	ndbPage      = 4096
	ndbSlot      = 16
	ndbHead      = 2 * ndbSlot
	ndbBlobHead  = 16
	// ndbPages bounds the pages of slots; a slot is one package.
	ndbPages = 2048
)

// readNDB calls yield with each package. It refuses a file whose slots lead out
// of it, or that together hold more than the file does: the library that reads
// the packages would read what two slots share as often as they are.
func readNDB(r io.ReaderAt, size int64, yield func(blob []byte)) error {
	head := make([]byte, ndbHead)
	if _, err := r.ReadAt(head, 0); err != nil {
		return err
	}
	pages := int64(binary.LittleEndian.Uint32(head[12:]))
	if pages > ndbPages || pages*ndbPage > size {
		return fmt.Errorf("%d pages of slots in a file of %d bytes", pages, size)
	}
	slots := make([]byte, max(pages*ndbPage-ndbHead, 0))
	if _, err := r.ReadAt(slots, ndbHead); err != nil {
		return err
	}
	var blob []byte
	var total int64
	for at := 0; at < len(slots); at += ndbSlot {
		slot := slots[at : at+ndbSlot]
		if binary.LittleEndian.Uint32(slot[4:]) == 0 {
			continue // Free.
		}
		start := ndbBlobHead * int64(binary.LittleEndian.Uint32(slot[8:]))
		if start+ndbBlobHead > size {
			return fmt.Errorf("slot %d leads out of it", at/ndbSlot)
		}
		if _, err := r.ReadAt(head[:ndbBlobHead], start); err != nil {
			return err
		}
		length := int64(binary.LittleEndian.Uint32(head[12:]))
		if total += length; total > size || length > maxHeader || start+ndbBlobHead+length > size {
			return fmt.Errorf("slot %d leads to %d bytes, more than it has", at/ndbSlot, length)
		}
		blob = sized(blob, length)
		if _, err := r.ReadAt(blob, start+ndbBlobHead); err != nil {
			return err
		}
		yield(blob)
	}
	return nil
}

// sized returns b, or a larger one, with n bytes.
func sized(b []byte, n int64) []byte {
	if int64(cap(b)) < n {
		return make([]byte, n)
	}
	return b[:n]
}
