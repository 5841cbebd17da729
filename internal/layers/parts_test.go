package layers_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// someParts holds and keeps given ranges.
type someParts struct {
	hold, keep []layers.Range
	counting   uint32
}

func (s someParts) Hold(io.ReaderAt, int64) ([]layers.Range, bool) { return s.hold, s.hold != nil }

func (s someParts) Keep(signs uint32, r io.ReaderAt, _ int64) (uint32, []layers.Range, bool) {
	for _, k := range s.keep {
		if k.Offset < 0 {
			continue
		}
		if _, err := r.ReadAt(make([]byte, k.Size), k.Offset); err != nil && err != io.EOF {
			return signs, nil, false
		}
	}
	return signs & s.counting, s.keep, s.keep != nil
}

// program is an executable of noise, signed at its end.
func program(size int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, size)
	_, _ = random.Read(data)
	copy(data, "\x7fELF\x02\x01\x01\x00")
	copy(data[size-4:], "SIGN")
	return data
}

func TestPartsOfExecutablesAreKept(t *testing.T) {
	const small, large = 1 << 20, 20 << 20
	for name, tc := range map[string]struct {
		size  int
		parts someParts
		// kept bytes at most after the pass, and second passes until all of the
		// file is read.
		kept    int64
		rereads int64
	}{
		"of a small one": {small, someParts{keep: []layers.Range{{0, 100}, {500_000, 10}}, counting: 1}, 110, 1},
		"of a large one": {large, someParts{keep: []layers.Range{{0, 100}, {15_000_000, 10}}, counting: 1}, 110, 1},
		"of a large one of which more was held": {large, someParts{
			hold: []layers.Range{{14_000_000, 2_000_000}}, keep: []layers.Range{{15_000_000, 10}}, counting: 1,
		}, 10, 1},
		"of one of which they were not held": {large, someParts{hold: []layers.Range{{0, 1000}}, keep: []layers.Range{{15_000_000, 10}}, counting: 1}, 0, 1},
		"all of a small one":                 {small, someParts{counting: 1}, small, 0},
		"all of a large one":                 {large, someParts{counting: 1}, large, 0},
		"ranges out of order that touch, overlap and lie outside": {small, someParts{
			keep: []layers.Range{{900_000, 100}, {899_950, 100}, {10, 5}, {15, 5}, {-5, 3}, {3, 0}, {small + 5, 5}}, counting: 1,
		}, 160, 1},
	} {
		t.Run(name, func(t *testing.T) {
			data := program(tc.size)
			x := read(t, layers.Selector{Signatures: []layers.Signature{{Bytes: []byte("SIGN")}}, Parts: tc.parts},
				blob(t, imagetest.Gzip, imagetest.File{Path: "p", Body: data}, imagetest.File{Path: "unsigned", Body: data[:tc.size-4]}))
			e := x.Resolve("/p", false)
			if e.Signs != 1 || x.Resolve("/unsigned", false).Kept() {
				t.Errorf("signs %b, want 1 and nothing kept of the one without", e.Signs)
			}
			if s := x.Stats(); s.KeptInMemory > tc.kept {
				t.Errorf("%d bytes are kept, want at most %d", s.KeptInMemory, tc.kept)
			}
			c, err := x.Open(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 10)
			for _, k := range tc.parts.keep {
				if k.Offset < 0 || k.Size < 10 {
					continue
				}
				if _, err := c.ReadAt(buf, k.Offset); err != nil || !bytes.Equal(buf, data[k.Offset:k.Offset+10]) {
					t.Errorf("a kept part reads %x, %v", buf, err)
				}
			}
			if s := x.Stats(); tc.kept > 0 && s.Rereads != 0 {
				t.Errorf("%d second passes for what was kept", s.Rereads)
			}
			all, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(all, data) {
				t.Errorf("all of it reads differently: %d bytes, %v", len(all), err)
			}
			if s := x.Stats(); s.Rereads != tc.rereads {
				t.Errorf("%d second passes, want %d", s.Rereads, tc.rereads)
			}
		})
	}
}

func TestExecutablesWhoseSignaturesDoNotCountAreLetGo(t *testing.T) {
	for _, size := range []int{1 << 20, 20 << 20} {
		x := read(t, layers.Selector{Signatures: []layers.Signature{{Bytes: []byte("SIGN")}}, Parts: someParts{}},
			blob(t, imagetest.Gzip, imagetest.File{Path: "p", Body: program(size)}))
		if e := x.Resolve("/p", false); e.Signs != 0 || e.Kept() || x.Stats().KeptInMemory != 0 {
			t.Errorf("%d bytes: signs %b, kept %v", size, e.Signs, e.Kept())
		}
	}
}

func TestHolesAreZeroWhereTheReaderSaysSo(t *testing.T) {
	data := program(1 << 20)
	x := read(t, layers.Selector{
		Signatures: []layers.Signature{{Bytes: []byte("SIGN")}},
		Parts:      someParts{keep: []layers.Range{{0, 100_000}, {200_000, 100_000}}, counting: 1},
	}, blob(t, imagetest.Gzip, imagetest.File{Path: "p", Body: data}))
	c, err := x.Open(t.Context(), x.Resolve("/p", false))
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(data)
	clear(want[100_000:200_000])
	clear(want[300_000:])
	c = c.ZeroHoles()
	for _, from := range []int{0, 50_000, 99_999, 100_000, 150_000, 199_999, 250_000, 299_999, 300_000, 1<<20 - 1} {
		for _, size := range []int{1, 2, 120_000, 400_000} {
			got := make([]byte, size)
			n, err := c.ReadAt(got, int64(from))
			short := from+size > len(want)
			if !bytes.Equal(got[:n], want[from:min(len(want), from+size)]) || (err == io.EOF) != short || (err != nil && !short) {
				t.Errorf("%d bytes at %d: %d bytes that differ, or the wrong error %v", size, from, n, err)
			}
		}
	}
	if n := x.Stats().Rereads; n != 0 {
		t.Errorf("%d second passes", n)
	}
}

func TestASignatureAtTheBeginningCountsThereAlone(t *testing.T) {
	body := func(at int) []byte {
		data := make([]byte, 20_000)
		copy(data, "\x7fELF\x02\x01\x01\x00")
		copy(data[at:], "UPX!")
		return data
	}
	x := read(t, layers.Selector{Signatures: []layers.Signature{{Bytes: []byte("SIGN")}, {Bytes: []byte("UPX!"), Within: 8192}}},
		blob(t, imagetest.Gzip, imagetest.File{Path: "in", Body: body(8188)}, imagetest.File{Path: "across", Body: body(8189)}))
	if in, across := x.Resolve("/in", false).Signs, x.Resolve("/across", false).Signs; in != 2 || across != 0 {
		t.Errorf("signs %b and %b, want 10 and 0", in, across)
	}
}
