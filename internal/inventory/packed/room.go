package packed

import (
	"encoding/hex"
	"strings"
)

// room holds many short texts that are made while reading, so that they are no
// allocations of their own.
type room struct{ strings.Builder }

// roomSize is how much is allocated at once, in bytes.
const roomSize = 64 << 10

// reserve makes room for a text of n bytes and returns where it begins.
func (r *room) reserve(n int) int {
	if r.Cap()-r.Len() < n {
		r.Builder = strings.Builder{}
		r.Grow(max(n, roomSize))
	}
	return r.Len()
}

// join returns one text behind the other.
func (r *room) join(a, b string) string {
	begin := r.reserve(len(a) + len(b))
	_, _ = r.WriteString(a)
	_, _ = r.WriteString(b)
	return r.String()[begin:]
}

// digits returns bytes as hexadecimal digits behind a text.
func (r *room) digits(before, raw string) string {
	begin := r.reserve(len(before) + hex.EncodedLen(len(raw)))
	_, _ = r.WriteString(before)
	var in [512]byte
	var out [2 * len(in)]byte
	for raw != "" {
		n := copy(in[:], raw)
		raw = raw[n:]
		_, _ = r.Write(out[:hex.Encode(out[:], in[:n])])
	}
	return r.String()[begin:]
}
