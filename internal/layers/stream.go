package layers

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"

	"github.com/klauspost/compress/zstd"

	"github.com/portcullis-ci/portcullis/internal/inflate"
)

// stream is one layer being read: packed bytes, counted and hashed, then
// inflated bytes, counted and hashed.
type stream struct {
	blob   Blob
	src    io.Closer
	codec  func()
	packed *meter
	// inflated counts in the goroutine of ahead; its hash is fed in another one.
	inflated *meter
	diffID   hash.Hash
	// r is where the archive is read from.
	r *ahead
}

// maxRatio is how many times larger than its packed bytes a layer may be, see
// Limits.RatioFrom.
const maxRatio = 200

// maxWindow is the largest zstd window that is accepted; it is what `zstd
// --long=27`, the largest level that the tool unpacks by default, asks for.
const maxWindow = 128 * mib

func openStream(ctx context.Context, b Blob, budget *budget) (*stream, error) {
	src, err := b.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	s := &stream{blob: b, src: src, codec: func() {}}
	s.packed = &meter{r: src, check: func(n int64) error {
		if b.Size >= 0 && n > b.Size {
			return fmt.Errorf("more than the %d bytes that the manifest promises", b.Size)
		}
		return ctx.Err()
	}}
	if b.Digest != "" {
		s.packed.hash = sha256.New()
	}
	inflated, err := s.decompress(bufio.NewReaderSize(s.packed, 128*kib))
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	s.inflated = &meter{r: inflated, spend: budget.inflate, check: func(n int64) error {
		if n > budget.limits.RatioFrom && n > maxRatio*s.packed.n {
			return &LimitError{Limit: "ratio of inflated to packed bytes", Value: maxRatio, Field: "RatioFrom"}
		}
		return nil
	}}
	var take func([]byte)
	if b.DiffID != "" {
		s.diffID = sha256.New()
		take = func(p []byte) { s.diffID.Write(p) }
	}
	s.r = newAhead(s.inflated, chunksAhead(runtime.GOMAXPROCS(0)), take)
	return s, nil
}

// close ends reading wherever it is. The source is closed first, so that a
// read of it that is under way returns.
func (s *stream) close() {
	s.r.halt()
	_ = s.src.Close()
	s.r.wait()
	s.codec()
}

// decompress looks at the first bytes, because media types lie.
func (s *stream) decompress(r *bufio.Reader) (io.Reader, error) {
	head, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return inflate.NewReader(r), nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		s.codec = z.Close
		return z, nil
	default:
		return r, nil
	}
}

// finish reads what follows the archive's end, so that checksums of the
// compression and the digests cover the whole layer, and verifies them. It
// reports whether anything but zeros followed.
func (s *stream) finish() (trailing bool, err error) {
	buf := make([]byte, 32*kib)
	for {
		n, err := s.r.Read(buf)
		trailing = trailing || len(bytes.Trim(buf[:n], "\x00")) > 0
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return trailing, err
		}
	}
	// The goroutines that inflate and hash have ended with the stream.
	s.r.wait()
	if _, err := io.Copy(io.Discard, s.packed); err != nil {
		return trailing, err
	}
	if s.blob.Size >= 0 && s.packed.n != s.blob.Size {
		return trailing, fmt.Errorf("%d bytes read, but the manifest promises %d", s.packed.n, s.blob.Size)
	}
	if err := verify(s.packed.hash, "digest", s.blob.Digest); err != nil {
		return trailing, err
	}
	return trailing, verify(s.diffID, "diff id", s.blob.DiffID)
}

// meter counts and hashes what passes through it.
type meter struct {
	r     io.Reader
	n     int64
	hash  hash.Hash
	check func(total int64) error
	// spend is told each number of bytes.
	spend func(n int64) error
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.n += int64(n)
		if m.hash != nil {
			m.hash.Write(p[:n])
		}
		if m.spend != nil {
			if e := m.spend(int64(n)); e != nil {
				return n, e
			}
		}
		if e := m.check(m.n); e != nil {
			return n, e
		}
	}
	return n, err
}

// verify compares a digest with the promised one; without a promise there is
// nothing to compare.
func verify(h hash.Hash, what, want string) error {
	if want == "" || h == nil {
		return nil
	}
	got := "sha256:" + hex.EncodeToString(h.Sum(nil))
	if got != want {
		return fmt.Errorf("%s is %s, but %s was promised", what, got, want)
	}
	return nil
}
