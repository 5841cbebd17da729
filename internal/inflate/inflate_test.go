package inflate

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// standard unpacks with the standard library, by which this package is measured.
func standard(packed []byte, raw bool) ([]byte, error) {
	if raw {
		return io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func own(src io.Reader, raw bool) ([]byte, error) {
	if raw {
		return io.ReadAll(NewDeflateReader(bufio.NewReaderSize(src, 32)))
	}
	return io.ReadAll(NewReader(src))
}

// same fails where this package and the standard library differ about packed.
func same(t *testing.T, packed []byte, raw bool) {
	t.Helper()
	want, wantErr := standard(packed, raw)
	for name, src := range map[string]io.Reader{
		"at once": bytes.NewReader(packed), "a byte at a time": iotest.OneByteReader(bytes.NewReader(packed)),
		"with the error": iotest.DataErrReader(bytes.NewReader(packed)),
	} {
		got, err := own(src, raw)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: error %v, the standard library's is %v", name, err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%s: unpacked to other bytes than by the standard library", name)
		}
		if cut := errors.Is(wantErr, io.ErrUnexpectedEOF); cut && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%s: error %v for cut data", name, err)
		}
	}
}

func pack(t testing.TB, level int, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	z.Name, z.Comment, z.Extra = "name", "comment", []byte("extra")
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samples are data of many kinds: matches of each small distance, long ones,
// noise, text, and more than the window holds.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	all := map[string][]byte{"nothing": nil, "one byte": {1}, "noise": noise}
	// Matches overlap themselves up to their length, in steps of up to sixteen.
	for d := 1; d <= 40; d++ {
		all[fmt.Sprintf("a period of %d", d)] = bytes.Repeat(noise[:d], 100_000/d)
	}
	all["a period of the window"] = bytes.Repeat(noise[:window], 12)
	all["a period of the window and one"] = bytes.Repeat(noise[:window+1], 12)
	var text bytes.Buffer
	for i := range 60_000 {
		fmt.Fprintf(&text, "%d %x\n", r.IntN(1000)*i, r.IntN(50))
	}
	all["text"] = text.Bytes()
	var skewed bytes.Buffer
	for range 400_000 {
		skewed.WriteByte(byte(r.ExpFloat64() * 6))
	}
	all["literals of very different frequency"] = skewed.Bytes()
	return all
}

func TestWhatWasPackedIsUnpacked(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.DefaultCompression, gzip.BestCompression, gzip.HuffmanOnly} {
			t.Run(fmt.Sprintf("%s at level %d", name, level), func(t *testing.T) {
				got, err := own(bytes.NewReader(pack(t, level, data)), false)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes and error %v, want %d bytes", len(got), err, len(data))
				}
			})
		}
	}
}

func TestMembersFollowEachOther(t *testing.T) {
	for name, c := range map[string]struct {
		packed []byte
	}{
		"two":             {append(pack(t, 6, []byte("one")), pack(t, 9, []byte("two"))...)},
		"empty ones":      {bytes.Repeat(pack(t, 6, nil), 1000)},
		"zeros after":     {append(pack(t, 6, []byte("one")), make([]byte, 20)...)},
		"rubbish after":   {append(pack(t, 6, []byte("one")), "rubbish rubbish"...)},
		"a cut header":    {append(pack(t, 6, []byte("one")), 0x1f, 0x8b)},
		"nothing":         {nil},
		"reaching across": {append(pack(t, 6, bytes.Repeat([]byte("a"), 100)), 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0x03, 0x02, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "nothing" {
				if _, err := own(bytes.NewReader(nil), false); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("error %v for an empty stream", err)
				}
				return
			}
			same(t, c.packed, false)
		})
	}
}

func TestCutDataEndUnexpectedlyAtEachByte(t *testing.T) {
	data := samples()["text"][:3000]
	for _, level := range []int{gzip.NoCompression, gzip.DefaultCompression, gzip.HuffmanOnly} {
		packed := pack(t, level, data)
		for n := 1; n < len(packed); n++ {
			got, err := own(bytes.NewReader(packed[:n]), false)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("level %d cut after %d of %d bytes: error %v", level, n, len(packed), err)
			}
			if !bytes.HasPrefix(data, got) {
				t.Fatalf("level %d cut after %d bytes: other bytes than packed", level, n)
			}
		}
	}
}

func TestDamagedDataAreJudgedAsTheStandardLibraryDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, data := range samples() {
		packed := pack(t, gzip.DefaultCompression, data[:min(len(data), 2000)])
		for range 20 {
			damaged := bytes.Clone(packed)
			for range 1 + r.IntN(3) {
				damaged[r.IntN(len(damaged))] ^= 1 << r.IntN(8)
			}
			t.Run(name, func(t *testing.T) {
				same(t, damaged, false)
				same(t, damaged[10:], true)
			})
		}
	}
}

func TestOddCodesAreJudgedAsTheStandardLibraryDoes(t *testing.T) {
	// Bits from the lowest of each byte, spaces apart.
	for name, stream := range map[string]string{
		"block of the reserved kind":             "1 11",
		"end of a fixed block":                   "1 10 0000000",
		"distance before the first byte":         "1 10 0000001 00000 0000000",
		"reserved length":                        "1 10 11000110 00000 0000000",
		"reserved distance":                      "1 10 00110000 0000001 11110 0000000",
		"stored block with a wrong length":       "1 00 00000 1000000000000000 0000000000000000",
		"empty stored block":                     "1 00 00000 0000000000000000 1111111111111111",
		"too many literals":                      "1 01 11111 00000 0000",
		"too many distances":                     "1 01 00000 11111 0000",
		"code of code lengths without codes":     "1 01 00000 00000 0000 000 000 000 000 0000000000000000",
		"repeated length without one before":     "1 01 00000 00000 0000 100 000 000 100 00",
		"incomplete code of code lengths":        "1 01 00000 00000 0000 010 000 000 000 0000000000000000",
		"code of code lengths that is oversized": "1 01 00000 00000 0000 100 100 100 100 0000000000000000",
	} {
		t.Run(name, func(t *testing.T) {
			var packed []byte
			n := 0
			for _, c := range stream {
				if c == ' ' {
					continue
				}
				if n%8 == 0 {
					packed = append(packed, 0)
				}
				packed[n/8] |= byte(c-'0') << (n % 8)
				n++
			}
			same(t, packed, true)
			same(t, append(packed, make([]byte, 40)...), true)
		})
	}
}

// Blocks of the fixed code cost no more than their bits: the tables of one serve
// for the next, and for another stream, but not behind a block with its own.
func TestTablesOfFixedBlocksAreMadeOnce(t *testing.T) {
	var fixed, mixed bytes.Buffer
	for range 3 {
		w, err := flate.NewWriter(&mixed, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"a few", "bytes", strings.Repeat("many bytes of some text, ", 400), "a few"} {
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		same(t, append(bytes.Clone(mixed.Bytes()), 3, 0), true)
	}
	fixed.WriteString("\x03\x00") // Nothing, in the last block.
	z := NewDeflateReader(bufio.NewReader(bytes.NewReader(fixed.Bytes())))
	if _, err := io.ReadAll(z); err != nil || !z.ready {
		t.Fatalf("error %v, tables of the fixed code are kept: %v", err, z.ready)
	}
	made := z.literal
	clear(z.literal[:])
	z.fixed()
	if z.literal == made {
		t.Error("the tables were made again")
	}
	z.literal = made
	z.ResetDeflate(bufio.NewReader(bytes.NewReader(append(mixed.Bytes(), 3, 0))))
	got, err := io.ReadAll(z)
	if want, _ := standard(append(mixed.Bytes(), 3, 0), true); err != nil || !bytes.Equal(got, want) {
		t.Errorf("behind another stream: %d bytes, want %d, error %v", len(got), len(want), err)
	}
}

func TestChecksumsAndHeadersAreVerified(t *testing.T) {
	whole := pack(t, 6, []byte("the data"))
	withCRC := []byte{0x1f, 0x8b, 8, flagHeaderCRC, 0, 0, 0, 0, 0, 0xff, 0x4c, 0x75}
	for name, c := range map[string]struct {
		packed []byte
		want   error
	}{
		"wrong checksum":          {flipped(whole, len(whole)-8), errChecksum},
		"wrong size":              {flipped(whole, len(whole)-1), errChecksum},
		"no gzip":                 {flipped(whole, 0), errHeader},
		"other method":            {flipped(whole, 2), errHeader},
		"endless name":            {append([]byte{0x1f, 0x8b, 8, flagName, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte("n"), 600)...), errHeader},
		"wrong header checksum":   {withCRC, errHeader},
		"cut before the data":     {whole[:10], io.ErrUnexpectedEOF},
		"extra field that is cut": {[]byte{0x1f, 0x8b, 8, flagExtra, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := own(bytes.NewReader(c.packed), false); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			same(t, c.packed, false)
		})
	}
}

func flipped(p []byte, i int) []byte {
	p = bytes.Clone(p)
	p[i] ^= 0xff
	return p
}

func TestAnErrorOfTheSourceIsKept(t *testing.T) {
	broken := errors.New("broken")
	packed := pack(t, 6, samples()["noise"])
	for _, n := range []int{0, 5, 30, len(packed) / 2, len(packed) - 3, len(packed)} {
		src := io.MultiReader(bytes.NewReader(packed[:n]), iotest.ErrReader(broken))
		if _, err := own(src, false); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: error %v", n, err)
		}
	}
	if _, err := own(stuck{}, false); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v of a source without progress", err)
	}
}

// stuck is a source that neither gives nor ends.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestAReaderBeginsAnew(t *testing.T) {
	z := NewReader(bytes.NewReader(flipped(pack(t, 6, samples()["text"]), 300)))
	if _, err := io.Copy(io.Discard, z); err == nil {
		t.Fatal("damaged data are accepted")
	}
	for name, data := range samples() {
		z.Reset(bytes.NewReader(pack(t, 6, data)))
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes and error %v", name, len(got), err)
		}
	}
}

func TestNothingBehindADeflateStreamIsTaken(t *testing.T) {
	z := NewReader(nil)
	for name, data := range samples() {
		packed := pack(t, gzip.DefaultCompression, data)
		packed = packed[bytes.LastIndex(packed[:40], []byte("comment\x00"))+8 : len(packed)-8]
		for _, size := range []int{32, 100, 1000, 16 << 10} {
			behind := "what follows"
			for _, end := range []string{behind, behind[:1], ""} {
				r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(packed), strings.NewReader(end)), size)
				z.ResetDeflate(r)
				if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%s: %d bytes and error %v", name, len(got), err)
				}
				if left, err := io.ReadAll(r); err != nil || string(left) != end {
					t.Errorf("%s, buffer of %d: %q is left and error %v, want %q", name, size, left, err, end)
				}
			}
		}
	}
}

func FuzzInflate(f *testing.F) {
	for _, data := range samples() {
		f.Add(pack(f, gzip.DefaultCompression, data[:min(len(data), 500)]))
		f.Add(pack(f, gzip.BestSpeed, data[:min(len(data), 500)]))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		same(t, packed, false)
		same(t, packed, true)
		if len(packed) > 10 {
			same(t, packed[10:], true)
		}
	})
}
