package cache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed file is a random prefix and pieces of at most pieceSize bytes, each
// encrypted and authenticated with AES-256-GCM. The nonce of a piece is the
// prefix, its number, and whether it is the last, so that no piece can be
// changed, moved, or cut off (the STREAM construction of Hoang, Reyhanitabar,
// Rogaway and Vizár, https://eprint.iacr.org/2015/189).
const (
	prefixSize = 7
	pieceSize  = 256 << 10
)

var errCut = errors.New("it ends in the middle")

type sealing struct {
	aead   cipher.AEAD
	nonce  [prefixSize + 5]byte
	number uint32
}

func newSealing(key []byte) (sealing, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealing{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealing{aead: aead}, err
}

// next sets the nonce of the next piece.
func (s *sealing) next(last bool) ([]byte, error) {
	binary.BigEndian.PutUint32(s.nonce[prefixSize:], s.number)
	s.nonce[len(s.nonce)-1] = 0
	if last {
		s.nonce[len(s.nonce)-1] = 1
	}
	if s.number++; s.number == 0 {
		return nil, errors.New("too large to be sealed")
	}
	return s.nonce[:], nil
}

// sealer seals what is written to it.
type sealer struct {
	sealing
	w   io.Writer
	buf []byte
	out []byte
}

func newSealer(w io.Writer, key []byte) (*sealer, error) {
	s, err := newSealing(key)
	if err != nil {
		return nil, err
	}
	if _, err := rand.Read(s.nonce[:prefixSize]); err != nil {
		return nil, err
	}
	_, err = w.Write(s.nonce[:prefixSize])
	return &sealer{sealing: s, w: w, buf: make([]byte, 0, pieceSize)}, err
}

func (s *sealer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(s.buf) == pieceSize {
			if err := s.flush(false); err != nil {
				return n, err
			}
		}
		m := min(len(p), pieceSize-len(s.buf))
		s.buf = append(s.buf, p[:m]...)
		p, n = p[m:], n+m
	}
	return n, nil
}

func (s *sealer) flush(last bool) error {
	nonce, err := s.next(last)
	if err != nil {
		return err
	}
	s.out = s.aead.Seal(s.out[:0], nonce, s.buf, nil)
	s.buf = s.buf[:0]
	_, err = s.w.Write(s.out)
	return err
}

// Close seals the last piece.
func (s *sealer) Close() error { return s.flush(true) }

// opener reads what a sealer wrote.
type opener struct {
	sealing
	r io.Reader
	// piece is the next piece, sealed; plain what is left of the current one.
	piece []byte
	plain []byte
	buf   []byte
	last  bool
	begun bool
}

func newOpener(r io.Reader, key []byte) (*opener, error) {
	s, err := newSealing(key)
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, s.nonce[:prefixSize]); err != nil {
		return nil, errCut
	}
	return &opener{sealing: s, r: r}, nil
}

func (o *opener) Read(p []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.last {
			return 0, io.EOF
		}
		if err := o.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// advance opens the next piece. Whether it is the last shows in that nothing
// follows it.
func (o *opener) advance() error {
	size := pieceSize + o.aead.Overhead()
	if !o.begun {
		o.begun = true
		o.piece = make([]byte, size+1)
		n, err := io.ReadFull(o.r, o.piece)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return err
		}
		o.piece = o.piece[:n]
	}
	o.last = len(o.piece) <= size
	nonce, err := o.next(o.last)
	if err != nil {
		return err
	}
	current := o.piece[:min(len(o.piece), size)]
	if o.buf, err = o.aead.Open(o.buf[:0], nonce, current, nil); err != nil {
		return fmt.Errorf("piece %d: %w", o.number, err)
	}
	o.plain = o.buf
	if o.last {
		return nil
	}
	o.piece[0] = o.piece[size]
	n, err := io.ReadFull(o.r, o.piece[1:size+1])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	o.piece = o.piece[:n+1]
	return nil
}

// finished reports whether all of it was read.
func (o *opener) finished() error {
	if n, err := io.Copy(io.Discard, o); err != nil || n > 0 || !o.last {
		return errors.Join(err, errCut)
	}
	return nil
}
