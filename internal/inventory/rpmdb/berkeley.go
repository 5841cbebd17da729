package rpmdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// The numbers of Berkeley DB's files
// (https://github.com/berkeleydb/libdb/blob/v5.3.28/src/dbinc/db_page.h).
const (
	// berkeleyHash is the magic number of a hash file.
	berkeleyHash = 0x061561
	// hashPage and sortedPage are the types of pages with keys and values,
	// overflowPage that of pages that hold a long value.
	hashPage     = 2
	overflowPage = 7
	sortedPage   = 13
	// pageHeader is the size of a page's header in bytes.
	pageHeader = 26
	// longValue begins an item that leads to overflow pages, of longValueSize
	// bytes, and shortValue one that is itself the key or value.
	longValue     = 3
	longValueSize = 12
	shortValue    = 1
)

// hashFile is a hash file while it is checked.
type hashFile struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	pageSize int64
	// next are the pages that overflow pages lead to; overflow tells which
	// pages are such.
	next     []uint32
	overflow []bool
	// used are the bytes in each overflow page that is the last of its value.
	used []uint16
	// long are the pages at which long values begin, those of items first.
	long []uint32
	// short are the values that are no longer than a quarter of a page, which
	// stand among the items.
	short [][]byte
}

// readBerkeley reads all pages, follows the chains of overflow pages, and takes in
// the packages. The library that reads them trusts every place in the file, in a
// goroutine of its own, reads a page again that is no overflow page, a value as
// often as items lead to it, and passes over what stands among the items.
func readBerkeley(r io.ReaderAt, size int64, order binary.ByteOrder, to *packages) error {
	head := make([]byte, pageHeader)
	if _, err := r.ReadAt(head, 0); err != nil {
		return err
	}
	b := &hashFile{r: r, order: order, pageSize: int64(order.Uint32(head[20:]))}
	if b.pageSize < 512 || b.pageSize > 65536 {
		return fmt.Errorf("page size %d", b.pageSize)
	}
	pages := size / b.pageSize
	b.next, b.overflow, b.used = make([]uint32, pages), make([]bool, pages), make([]uint16, pages)
	page := make([]byte, b.pageSize)
	for i := range pages {
		if err := b.page(i, page); err != nil {
			return fmt.Errorf("page %d: %w", i, err)
		}
	}
	values := b.long
	for i, next := range b.next {
		if b.overflow[i] && next != 0 {
			b.long = append(b.long, next)
		}
	}
	for _, at := range b.long {
		if int64(at) >= pages || !b.overflow[at] {
			return fmt.Errorf("a value goes on at page %d, which holds none", at)
		}
	}
	if err := b.chains(); err != nil {
		return err
	}
	to.keep = len(b.short) > 0
	for _, value := range b.short {
		to.add(value)
	}
	return b.values(values, page, to.add)
}

// values puts the values together that begin at the given pages.
func (b *hashFile) values(first []uint32, page []byte, yield func(blob []byte)) error {
	var total int
	for _, start := range first {
		for at := start; at != 0; at = b.next[at] {
			if total++; total > len(b.next) {
				return fmt.Errorf("its values have more than its %d pages", len(b.next))
			}
		}
	}
	var blob []byte
	for _, start := range first {
		blob = blob[:0]
		for at := start; at != 0; at = b.next[at] {
			if _, err := b.r.ReadAt(page, int64(at)*b.pageSize); err != nil {
				return fmt.Errorf("page %d: %w", at, err)
			}
			end := b.pageSize
			if b.next[at] == 0 {
				end = pageHeader + int64(b.used[at])
			}
			blob = append(blob, page[pageHeader:end]...)
		}
		yield(blob)
	}
	return nil
}

// page takes in one page.
func (b *hashFile) page(i int64, page []byte) error {
	if _, err := b.r.ReadAt(page[:pageHeader], i*b.pageSize); err != nil {
		return err
	}
	switch page[25] {
	case overflowPage:
		b.overflow[i], b.next[i] = true, b.order.Uint32(page[16:])
		b.used[i] = b.order.Uint16(page[22:])
		if used := int64(b.used[i]); b.next[i] == 0 && pageHeader+used > b.pageSize {
			return fmt.Errorf("%d bytes in a page of %d", used, b.pageSize)
		}
	case hashPage, sortedPage:
		if _, err := b.r.ReadAt(page, i*b.pageSize); err != nil {
			return err
		}
		return b.items(page)
	}
	return nil
}

// items looks at the values of a page of keys and values.
func (b *hashFile) items(page []byte) error {
	count := int(b.order.Uint16(page[20:]))
	if count%2 != 0 || pageHeader+2*count > len(page) {
		return fmt.Errorf("%d items", count)
	}
	// Items stand one before the other from the end of the page on.
	place := func(n int) int { return int(b.order.Uint16(page[pageHeader+2*n:])) }
	room := len(page)
	for n := 1; n < count; n += 2 {
		at := place(n)
		switch {
		case at >= len(page), page[at] == longValue && at+longValueSize > len(page):
			return fmt.Errorf("item %d is outside of it", n)
		case page[at] == longValue:
			if first := b.order.Uint32(page[at+4:]); first != 0 {
				b.long = append(b.long, first)
			}
		case page[at] == shortValue && !isCounter(page, place(n-1)):
			end := place(n - 1)
			if room -= end - at; end <= at || end > len(page) || room < 0 {
				return fmt.Errorf("item %d lies on another one", n)
			}
			b.short = append(b.short, bytes.Clone(page[at+1:end]))
		}
	}
	return nil
}

// isCounter reports whether an item is the key 0, under which rpm keeps the number
// of the next package.
func isCounter(page []byte, at int) bool {
	return at+5 <= len(page) && page[at] == shortValue && binary.LittleEndian.Uint32(page[at+1:]) == 0
}

// chains follows all chains of overflow pages. Every such page has one
// successor, so that a page that is met again in its own chain closes a circle.
func (b *hashFile) chains() error {
	// done marks pages from which an end is reached; chain those of the chain
	// that is followed now.
	done, chain := make([]bool, len(b.next)), make([]uint32, len(b.next))
	for i := range b.next {
		at := uint32(i)
		for at != 0 && !done[at] {
			if chain[at] == uint32(i)+1 {
				return fmt.Errorf("the pages from %d on lead in a circle", i)
			}
			chain[at] = uint32(i) + 1
			at = b.next[at]
		}
		for at = uint32(i); at != 0 && !done[at]; at = b.next[at] {
			done[at] = true
		}
	}
	return nil
}
