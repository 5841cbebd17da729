package inflate

import "encoding/binary"

// farther holds, four bits for each distance below eight, its least multiple
// that is no less than eight.
const farther uint32 = 0xec_a89_88_0

// decode unpacks symbols of a coded block until out is full or the block ends.
func (d *decoder) decode() error {
	for d.stage == coded && d.w < outFull {
		if d.end-d.pos >= lookahead {
			if err := d.fast(); err != nil {
				return err
			}
			continue
		}
		if d.more() {
			continue
		}
		if err := d.symbol(); err != nil {
			return err
		}
	}
	return nil
}

// symbol unpacks one symbol near the input's end.
func (d *decoder) symbol() error {
	d.fill()
	e := d.literal[d.bits&(1<<literalBits-1)]
	if e&link != 0 {
		e = d.literal[(uint64(e>>16)+d.bits>>literalBits&(1<<(e>>8&15)-1))&(literalSize-1)]
	}
	if uint(e&63) > d.n || e&(special|ended) == special && d.n < longestCode {
		return d.cut()
	}
	code := d.bits
	d.skip(uint(e & 63))
	switch {
	case e&literal != 0:
		d.out[d.w] = byte(e >> 16)
		d.w++
		return nil
	case e&ended != 0:
		d.endBlock()
		return nil
	case e&special != 0:
		return errCorrupt
	}
	length := value(e, code)
	e = d.distance[d.bits&(1<<distanceBits-1)]
	if e&link != 0 {
		e = d.distance[(uint64(e>>16)+d.bits>>distanceBits&(1<<(e>>8&15)-1))&(distanceSize-1)]
	}
	if uint(e&63) > d.n || e&special != 0 && d.n < longestCode {
		return d.cut()
	}
	code = d.bits
	d.skip(uint(e & 63))
	if e&special != 0 {
		return errCorrupt
	}
	distance := value(e, code)
	if distance > d.w-d.floor {
		return errCorrupt
	}
	for range length {
		d.out[d.w] = d.out[d.w-distance]
		d.w++
	}
	return nil
}

// value adds the extra bits of a length or distance.
func value(e entry, code uint64) int {
	return int(e>>16&0x7fff) + int(code&(1<<(e&63)-1)>>(e>>8&15))
}

// refill makes 56 bits or more available.
func refill(in *[inSize]byte, code, n uint64, pos int) (uint64, uint64, int) {
	code |= binary.LittleEndian.Uint64(in[pos:pos+8]) << (n & 63)
	return code, n | 56, pos + int((63-n)>>3)
}

// fast is decode for as long as there is plenty of input and room: a round may
// use no more than is there, so that neither is checked within. It is one function,
// and symbol has its steps once more with the checks, so that its state can stay
// in registers.
func (d *decoder) fast() error {
	in, end, out := &d.buf, d.end-lookahead, &d.out
	lit, dist := &d.literal, &d.distance
	code, n := d.bits, uint64(d.n)
	pos, w, floor := d.pos, d.w, d.floor
	var err error
	over := false
	code, n, pos = refill(in, code, n, pos)
	e := lit[code&(1<<literalBits-1)]
	for pos <= end && w < outFull {
		if e&literal != 0 {
			code >>= e & 63
			n -= uint64(e & 63)
			out[w] = byte(e >> 16)
			w++
			e = lit[code&(1<<literalBits-1)]
			if e&literal != 0 {
				code >>= e & 63
				n -= uint64(e & 63)
				out[w] = byte(e >> 16)
				w++
				e = lit[code&(1<<literalBits-1)]
				if e&literal != 0 {
					code >>= e & 63
					n -= uint64(e & 63)
					out[w] = byte(e >> 16)
					w++
					code, n, pos = refill(in, code, n, pos)
					e = lit[code&(1<<literalBits-1)]
					continue
				}
			}
		}
		if e&special != 0 {
			if e&link != 0 {
				e = lit[(uint64(e>>16)+code>>literalBits&(1<<(e>>8&15)-1))&(literalSize-1)]
			}
			if e&literal != 0 {
				code >>= e & 63
				n -= uint64(e & 63)
				out[w] = byte(e >> 16)
				w++
				code, n, pos = refill(in, code, n, pos)
				e = lit[code&(1<<literalBits-1)]
				continue
			}
			if e&special != 0 {
				code >>= e & 63
				n -= uint64(e & 63)
				if over = e&ended != 0; !over {
					err = errCorrupt
				}
				break
			}
		}
		length := int(e>>16) + int(code&(1<<(e&63)-1)>>(e>>8&15))
		code >>= e & 63
		n -= uint64(e & 63)
		if n < 28 {
			code, n, pos = refill(in, code, n, pos)
		}
		e = dist[code&(1<<distanceBits-1)]
		if e&special != 0 {
			if e&link != 0 {
				e = dist[(uint64(e>>16)+code>>distanceBits&(1<<(e>>8&15)-1))&(distanceSize-1)]
			}
			if e&special != 0 {
				err = errCorrupt
				break
			}
		}
		distance := int(e>>16) + int(code&(1<<(e&63)-1)>>(e>>8&15))
		code >>= e & 63
		n -= uint64(e & 63)
		if distance > w-floor {
			err = errCorrupt
			break
		}
		// The next symbol is looked up while the bytes are copied.
		code, n, pos = refill(in, code, n, pos)
		e = lit[code&(1<<literalBits-1)]
		from, to := w-distance, w+length
		if distance >= 16 {
			// Most matches are no longer than that: one step, and no loop to be
			// guessed right.
			for {
				*(*[16]byte)(out[w : w+16]) = *(*[16]byte)(out[from : from+16])
				w += 16
				from += 16
				if w >= to {
					break
				}
			}
			w = to
			continue
		}
		if distance < 8 {
			// Eight bytes one by one; from then on the same bytes are found
			// at a multiple of the distance that is no less than eight.
			for i := range 8 {
				out[w+i] = out[from+i]
			}
			w += 8
			from = w - int(farther>>(distance*4)&15)
		}
		for w < to {
			*(*[8]byte)(out[w : w+8]) = *(*[8]byte)(out[from : from+8])
			w += 8
			from += 8
		}
		w = to
	}
	d.bits, d.n, d.pos, d.w = code, uint(n), pos, w
	if over {
		d.endBlock()
	}
	return err
}
