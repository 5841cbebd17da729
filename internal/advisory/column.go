package advisory

import (
	"encoding/binary"
	"fmt"
	"sort"
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
