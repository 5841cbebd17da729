package layers_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// faulty gives the first bytes of a content, and then an error.
type faulty struct {
	io.Reader
	err error
}

func (f faulty) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

// A layer that ends early, whose source fails, or in which a bit is another one
// is an error at whatever byte that happens: in the head of the packed file, in a
// block of the archive, in the padding behind a file, in the end of the archive,
// and in the sum behind it all. It is so whether its size is known or not.
func TestNoFaultOfTheSourceGivesAShorterLayer(t *testing.T) {
	for name, compression := range map[string]imagetest.Compression{"gzip": imagetest.Gzip, "zstd": imagetest.Zstd, "plain": imagetest.None} {
		whole := blob(t, compression, imagetest.Dir("srv"), imagetest.Text("srv/a", strings.Repeat("content ", 150)), imagetest.Text("srv/b", "x"), imagetest.Symlink("srv/c", "b"))
		r, err := whole.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		read := func(open func() io.Reader, size int64) error {
			b := whole
			b.Size = size
			b.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(open()), nil }
			return readErr(t, b)
		}
		if err := read(func() io.Reader { return bytes.NewReader(data) }, whole.Size); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// A prime step meets every offset within a block of the archive; the ends
		// are met byte by byte.
		for at := 0; at < len(data); at++ {
			if at > 24 && at < len(data)-24 && at%13 != 0 && at%512 > 1 && at%512 < 511 {
				continue
			}
			for _, size := range []int64{whole.Size, -1} {
				if err := read(func() io.Reader { return bytes.NewReader(data[:at]) }, size); err == nil {
					t.Errorf("%s: cut after %d of %d bytes, size %d: no error", name, at, len(data), size)
				}
				if err := read(func() io.Reader { return faulty{bytes.NewReader(data[:at]), syscall.EIO} }, size); !errors.Is(err, syscall.EIO) {
					t.Errorf("%s: fails after %d of %d bytes, size %d: %v", name, at, len(data), size, err)
				}
				flipped := bytes.Clone(data)
				flipped[at] ^= 1 << (at % 8)
				if err := read(func() io.Reader { return bytes.NewReader(flipped) }, size); err == nil {
					t.Errorf("%s: bit at %d of %d, size %d: no error", name, at, len(data), size)
				}
			}
		}
	}
}
