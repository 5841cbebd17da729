package advisory

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
	"time"
)

// column is a list of byte strings that can be reached by index: a count, the
// lengths, then all bytes. Counts and lengths are unsigned varints.
type column struct {
	ends []uint32
	data []byte
}

func (c column) len() int { return len(c.ends) }

func (c column) at(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	return c.data[start:c.ends[i]]
}

// texts is a column whose items are strings: reading one copies nothing.
type texts struct {
	ends []uint32
	data string
}

func (t texts) len() int { return len(t.ends) }

func (t texts) at(i int) string {
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.data[start:t.ends[i]]
}

func appendColumn(dst []byte, items [][]byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(items)))
	for _, item := range items {
		dst = binary.AppendUvarint(dst, uint64(len(item)))
	}
	for _, item := range items {
		dst = append(dst, item...)
	}
	return dst
}

// cutColumn reads a column from the front of data and returns what follows.
func cutColumn(data []byte) (column, []byte, error) {
	r := reader{data: data}
	n := r.count()
	ends := make([]uint32, 0, n)
	total := uint64(0)
	for range n {
		total += r.uvarint()
		if total > uint64(len(data)) {
			return column{}, nil, fmt.Errorf("%w: a column of %d bytes does not fit into %d", ErrCorrupt, total, len(data))
		}
		ends = append(ends, uint32(total))
	}
	if r.err != nil {
		return column{}, nil, r.err
	}
	if total > uint64(len(r.data)) {
		return column{}, nil, fmt.Errorf("%w: a column is cut off", ErrCorrupt)
	}
	return column{ends: ends, data: r.data[:total]}, r.data[total:], nil
}

// appendSorted writes sorted strings as a column in which each is cut down to
// what follows the bytes that it shares with the one before: first the numbers
// of shared bytes, then the rests as a column.
func appendSorted(dst []byte, items [][]byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(items)))
	rests := make([][]byte, len(items))
	var last []byte
	for i, item := range items {
		n := sharedPrefix(last, item)
		dst = binary.AppendUvarint(dst, uint64(n))
		rests[i], last = item[n:], item
	}
	return appendColumn(dst, rests)
}

func sharedPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// cutSorted reads what appendSorted wrote and returns what follows.
func cutSorted(data []byte) (texts, []byte, error) {
	r := reader{data: data}
	shared := make([]uint32, r.count())
	total := uint64(0)
	for i := range shared {
		n := min(r.uvarint(), maxShardData+1)
		shared[i], total = uint32(n), total+n
	}
	if r.err != nil {
		return texts{}, nil, r.err
	}
	rests, after, err := cutColumn(r.data)
	if err != nil {
		return texts{}, nil, err
	}
	if rests.len() != len(shared) {
		return texts{}, nil, fmt.Errorf("%w: %d strings, %d shared beginnings", ErrCorrupt, rests.len(), len(shared))
	}
	if total += uint64(len(rests.data)); total > maxShardData {
		return texts{}, nil, fmt.Errorf("%w: strings of more than %d bytes", ErrCorrupt, maxShardData)
	}
	t := texts{ends: make([]uint32, 0, len(shared))}
	var all strings.Builder
	all.Grow(int(total))
	start := 0
	for i, n := range shared {
		begin := all.Len()
		if int(n) > begin-start {
			return texts{}, nil, fmt.Errorf("%w: string %d shares %d bytes with one of %d", ErrCorrupt, i, n, begin-start)
		}
		all.WriteString(all.String()[start : start+int(n)])
		all.Write(rests.at(i))
		start = begin
		t.ends = append(t.ends, uint32(all.Len()))
	}
	t.data = all.String()
	return t, after, nil
}

// appendAscending writes numbers that do not descend as their differences.
func appendAscending(dst []byte, list []uint64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	last := uint64(0)
	for _, n := range list {
		dst = binary.AppendUvarint(dst, n-last)
		last = n
	}
	return dst
}

// cutAscending reads what appendAscending wrote; every number must be an index
// into a list of limit items. It returns what follows.
func cutAscending(data []byte, limit int) ([]uint32, []byte, error) {
	r := reader{data: data}
	list := make([]uint32, r.count())
	last := uint64(0)
	for i := range list {
		last += min(r.uvarint(), uint64(limit))
		if r.err == nil && last >= uint64(limit) {
			r.fail("index %d in a list of %d", last, limit)
		}
		list[i] = uint32(last)
	}
	return list, r.data, r.err
}

// reader takes values from the front of data. After the first error it returns
// zero values, so that callers look at err once.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
	}
	r.data = nil
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.data = r.data[n:]
	return v
}

// count reads the number of items that follow, each of at least one byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.fail("%d items announced, %d bytes left", n, len(r.data))
		return 0
	}
	return int(n)
}

// index reads an index into a list of n items.
func (r *reader) index(n int) int {
	i := r.uvarint()
	if r.err == nil && i >= uint64(n) {
		r.fail("index %d in a list of %d", i, n)
	}
	if r.err != nil {
		return 0
	}
	return int(i)
}

// dayOf and timeOf store times as days since 1970 plus one; zero is unknown.
func dayOf(t time.Time) uint64 {
	if t.Unix() < 0 {
		return 0
	}
	return uint64(t.Unix()/86400) + 1
}

func timeOf(day uint64) time.Time {
	const lastDay = 2932896 // 9999-12-31
	if day == 0 || day > lastDay {
		return time.Time{}
	}
	return time.Unix(int64(day-1)*86400, 0).UTC()
}

// table gives strings their index in sorted order.
type table struct {
	index  map[string]uint64
	sorted []string
}

func (t *table) add(strings ...string) {
	if t.index == nil {
		t.index = make(map[string]uint64)
	}
	for _, s := range strings {
		if _, ok := t.index[s]; !ok {
			t.index[s] = 0
			t.sorted = append(t.sorted, s)
		}
	}
}

func (t *table) finish() [][]byte {
	sort.Strings(t.sorted)
	items := make([][]byte, len(t.sorted))
	for i, s := range t.sorted {
		t.index[s] = uint64(i)
		items[i] = []byte(s)
	}
	return items
}
