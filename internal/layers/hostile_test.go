package layers_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

func readErr(t testing.TB, blobs ...layers.Blob) error {
	t.Helper()
	x, err := layers.Read(t.Context(), blobs, layers.Selector{Keep: keepAll}, layers.Limits{TempDir: t.TempDir()})
	if err == nil {
		err = x.Close()
	}
	return err
}

// repeated is a layer made of one piece many times over, without digests.
func repeated(first, piece []byte, times int) layers.Blob {
	return layers.Blob{Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
		readers := []io.Reader{bytes.NewReader(first)}
		for range times {
			readers = append(readers, bytes.NewReader(piece))
		}
		return io.NopCloser(io.MultiReader(readers...)), nil
	}}
}

func gz(data []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = w.Write(data)
	_ = w.Close()
	return buf.Bytes()
}

func zst(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(data, nil)
}

// header is the header of a regular file of the given size.
func header(size int64) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	_ = w.WriteHeader(&tar.Header{Name: "zeros", Size: size, Mode: 0o644, Typeflag: tar.TypeReg})
	return buf.Bytes()
}

func TestCompressionBombsAreRefused(t *testing.T) {
	zeros := make([]byte, 1<<20)
	const times = 64
	for name, b := range map[string]layers.Blob{
		"gzip": repeated(gz(header(1<<20*times)), gz(zeros), times),
		"zstd": repeated(zst(header(1<<20*times)), zst(zeros), times),
	} {
		x, err := layers.Read(t.Context(), []layers.Blob{b}, layers.Selector{}, layers.Limits{RatioFrom: 32 << 20})
		var limit *layers.LimitError
		if !errors.As(err, &limit) || limit.Field != "RatioFrom" {
			if x != nil {
				_ = x.Close()
			}
			t.Errorf("%s: error = %v, want a limit error", name, err)
		}
		x, err = layers.Read(t.Context(), []layers.Blob{repeated(header(1<<20*times), zeros, times)}, layers.Selector{}, layers.Limits{RatioFrom: 32 << 20})
		if err != nil {
			t.Fatalf("the same bytes without compression: %v", err)
		}
		_ = x.Close()
	}
}

func TestEmptyGzipMembersAreNoProblem(t *testing.T) {
	raw, err := imagetest.Tar(imagetest.Text("a", "1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := readErr(t, repeated(gz(raw), gz(nil), 100_000)); err != nil {
		t.Errorf("100,000 empty members: %v", err)
	}
}

func TestAZstdWindowOfTerabytesIsRefused(t *testing.T) {
	// Magic, frame header descriptor without flags, the largest window.
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00}
	if err := readErr(t, repeated(frame, nil, 0)); err == nil || !strings.Contains(err.Error(), "window") {
		t.Errorf("error = %v, want one about the window", err)
	}
}

// rawHeader is a ustar header with a field replaced and the checksum right.
func rawHeader(change func(h []byte)) []byte {
	h := header(0)[:512]
	change(h)
	copy(h[148:156], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// pax is an archive of an extended header and what it speaks of.
func pax(records string, then []byte) []byte {
	body := []byte(records)
	h := rawHeader(func(h []byte) {
		h[156] = 'x'
		copy(h[124:136], fmt.Sprintf("%011o\x00", len(body)))
	})
	body = append(body, make([]byte, (512-len(body)%512)%512)...)
	return slices.Concat(h, body, then, make([]byte, 1024))
}

// record is a record of an extended header.
func record(key, value string) string {
	n := len(key) + len(value) + 3
	for len(fmt.Sprint(n))+len(key)+len(value)+3 != n {
		n = len(fmt.Sprint(n)) + len(key) + len(value) + 3
	}
	return fmt.Sprintf("%d %s=%s\n", n, key, value)
}

func TestArchivesThatLieAboutSizesAreRefused(t *testing.T) {
	for name, archive := range map[string][]byte{
		"a size of eight exbibytes": rawHeader(func(h []byte) {
			h[124] = 0x80
			binary.BigEndian.PutUint64(h[128:136], 1<<63-1)
		}),
		"a negative size": rawHeader(func(h []byte) {
			for i := 124; i < 136; i++ {
				h[i] = 0xff
			}
		}),
		"a size that is no number":     rawHeader(func(h []byte) { copy(h[124:136], "xxxxxxxxxxx\x00") }),
		"a size beyond the archive":    header(1 << 30),
		"extended headers of 256 MiB":  rawHeader(func(h []byte) { h[156] = 'x'; copy(h[124:136], fmt.Sprintf("%011o\x00", 256<<20)) }),
		"a long name of 256 MiB":       rawHeader(func(h []byte) { h[156] = 'L'; copy(h[124:136], fmt.Sprintf("%011o\x00", 256<<20)) }),
		"a sparse file of 8 EiB (PAX)": pax(record("GNU.sparse.major", "1")+record("GNU.sparse.minor", "0")+record("GNU.sparse.realsize", "9223372036854775807")+record("GNU.sparse.name", "s"), rawHeader(func([]byte) {})),
		"records cut short":            pax("99 path=x\n", rawHeader(func([]byte) {})),
		"a wrong checksum":             func() []byte { h := rawHeader(func([]byte) {}); h[0] ^= 1; return h }(),
	} {
		if err := readErr(t, rawBlob(t, imagetest.Gzip, archive)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// The size of an extended header wins over that of the plain one; both
	// readers of a smuggled entry see the same, or the archive is refused.
	smuggled := pax(record("size", "512"), slices.Concat(rawHeader(func(h []byte) { copy(h[:], "outer\x00") }), header(0)[:512]))
	x, err := layers.Read(t.Context(), []layers.Blob{rawBlob(t, imagetest.Gzip, smuggled)}, layers.Selector{}, layers.Limits{})
	if err == nil {
		defer func() { _ = x.Close() }()
		if len(x.Problems()) == 0 {
			t.Error("an entry whose two sizes differ is neither refused nor told")
		}
	}
}

func TestDeepAndLongPaths(t *testing.T) {
	deep, long := strings.Repeat("d/", 2500)+"end", strings.Repeat("n", 60_000)
	x := read(t, layers.Selector{Keep: keepAll}, blob(t, imagetest.Gzip, imagetest.Text(deep, "deep"), imagetest.Text(long, "long")))
	if e := x.Resolve(deep, true); e == nil || content(t, x, e) != "deep" {
		t.Errorf("the file 2,500 directories down is %v", e)
	}
	if e := x.Resolve(long, true); e == nil || content(t, x, e) != "long" {
		t.Errorf("the file with a name of 60,000 bytes is %v", e)
	}
	x = read(t, layers.Selector{}, blob(t, imagetest.Gzip, imagetest.Text(strings.Repeat("d/", 100_000)+"end", "")))
	if len(x.Problems()) != 1 {
		t.Errorf("problems = %d, want one about 100,000 components", len(x.Problems()))
	}
}

func TestAFewBytesDoNotMakeMillionsOfDirectories(t *testing.T) {
	var files []imagetest.File
	for i := range 300 {
		files = append(files, imagetest.Text(fmt.Sprintf("%d/%sx", i, strings.Repeat("d/", 4000)), ""))
	}
	_, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Gzip, files...)}, layers.Selector{}, layers.Limits{Files: 100_000})
	var limit *layers.LimitError
	if !errors.As(err, &limit) {
		t.Errorf("error = %v, want a limit error", err)
	}
}

func TestManyFilesAreRead(t *testing.T) {
	if testing.Short() {
		t.Skip("300,000 files take a second")
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := range 300_000 {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d/%d/%d", i%10, i%1000, i), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	x := read(t, layers.Selector{}, rawBlob(t, imagetest.Zstd, buf.Bytes()))
	if e := x.Resolve("/9/999/299999", true); e == nil || x.Stats().Files < 300_000 {
		t.Errorf("the last of 300,000 files is %v; stats %+v", e, x.Stats())
	}
}

// FuzzRead feeds archives to the reader. Whatever they hold, what comes out is
// a tree in which every entry is found again under its own path.
func FuzzRead(f *testing.F) {
	for _, files := range [][]imagetest.File{
		{imagetest.Text("a", "1"), imagetest.Symlink("b", "a"), imagetest.HardLink("c", "a")},
		{imagetest.Dir("d"), imagetest.Text("d/.wh.a", ""), imagetest.Text("d/.wh..wh..opq", "")},
		{imagetest.Text("../x", "1"), imagetest.Symlink("l", "../../.."), imagetest.Text("l/y", "2")},
		{{Path: "p", Body: []byte("\x7fELF"), PAX: map[string]string{"SCHILY.xattr.security.capability": "x"}}},
	} {
		raw, err := imagetest.Tar(files...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, raw)
		f.Add(gz(raw), zst(raw))
	}
	f.Fuzz(func(t *testing.T, lower, upper []byte) {
		open := func(data []byte) layers.Blob { return repeated(data, nil, 0) }
		x, err := layers.Read(t.Context(), []layers.Blob{open(lower), open(upper)}, layers.Selector{Keep: keepAll}, layers.Limits{ImageSize: 1 << 22, Files: 10_000, Memory: 1 << 20, Spill: 1 << 22, TempDir: t.TempDir()})
		if err != nil {
			return
		}
		defer func() { _ = x.Close() }()
		for e := range x.All() {
			if e.Path != path.Clean("/"+e.Path) {
				t.Errorf("path %q is not clean", e.Path)
			}
			if got := x.Resolve(e.Path, false); got != e {
				t.Errorf("%q leads to %+v", e.Path, got)
			}
			if e.Type == layers.Regular {
				c, err := x.Open(t.Context(), e)
				if err != nil {
					t.Errorf("open %q: %v", e.Path, err)
				} else if n, err := io.Copy(io.Discard, c); err != nil || n != e.Size {
					t.Errorf("read %q: %d of %d bytes, %v", e.Path, n, e.Size, err)
				}
			}
		}
	})
}
