package credential

import "bytes"

// wide makes one byte of each two of a text in UTF-16 that begins with its byte
// order mark, as programs of Windows write it. Credentials are ASCII; any other
// character becomes a byte that is in none. Offsets count characters then.
type wide struct {
	on, bigEndian bool
	// odd is set when half of a character was given, which is kept in half.
	odd  bool
	half byte
	buf  []byte
}

func wideOf(head []byte) wide {
	big := bytes.HasPrefix(head, []byte{0xfe, 0xff})
	return wide{on: big || bytes.HasPrefix(head, []byte{0xff, 0xfe}), bigEndian: big}
}

// peek returns the head as narrow will give it, and changes nothing.
func (w wide) peek(head []byte) []byte { return w.narrow(head) }

func (w *wide) narrow(data []byte) []byte {
	if !w.on {
		return data
	}
	out := w.buf[:0]
	for _, c := range data {
		if w.odd = !w.odd; w.odd {
			w.half = c
			continue
		}
		low, high := w.half, c
		if w.bigEndian {
			low, high = c, w.half
		}
		if high != 0 {
			low = 0xff
		}
		out = append(out, low)
	}
	w.buf = out
	return out
}
