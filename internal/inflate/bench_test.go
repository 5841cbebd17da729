package inflate

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"
)

// BenchmarkInflate compares the decoders on texts, noise and skewed literals; the
// layers of real images are compared by `make bench`.
func BenchmarkInflate(b *testing.B) {
	decoders := []struct {
		name string
		open func(r io.Reader) (io.Reader, error)
	}{
		{"own", func(r io.Reader) (io.Reader, error) { return NewReader(r), nil }},
		{"klauspost", func(r io.Reader) (io.Reader, error) { return kgzip.NewReader(r) }},
		{"standard", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	}
	for _, kind := range []string{"text", "noise", "literals of very different frequency"} {
		data := bytes.Repeat(samples()[kind], 4)
		packed := pack(b, gzip.DefaultCompression, data)
		for _, d := range decoders {
			b.Run(kind+"/"+d.name, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					z, err := d.open(bytes.NewReader(packed))
					if err == nil {
						_, err = io.Copy(io.Discard, z)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// Reading costs no memory but that of the reader.
func TestReadingAllocatesNothing(t *testing.T) {
	packed := pack(t, gzip.DefaultCompression, samples()["text"])
	src, buf := bytes.NewReader(packed), make([]byte, 32<<10)
	z := NewReader(src)
	if n := testing.AllocsPerRun(10, func() {
		src.Reset(packed)
		z.Reset(src)
		for {
			if _, err := z.Read(buf); err == io.EOF {
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}); n > 0 {
		t.Errorf("%.0f allocations for a stream", n)
	}
}
