package archive

import (
	"bufio"
	"compress/bzip2"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"github.com/portcullis-ci/portcullis/internal/inflate"
)

const (
	// maxWindow is the memory that unpacking zstd may take; -19 asks for 8 MiB.
	maxWindow = 32 * mib
	// maxDictionary is the memory that unpacking xz may take, which is what its
	// highest level asks for; a header may ask for 4 GiB. What lies in something
	// else has less, so that the memory does not grow with the depth.
	maxDictionary      = 64 * mib
	maxInnerDictionary = 16 * mib
	// bzip2Start is what beginning with bzip2, which allocates 4 MiB, counts as.
	bzip2Start = 64 * kib
)

// costs are how many times as long as for deflate unpacking takes, for the
// packings that are slower.
var costs = map[form]int64{isXZ: 4, isBzip2: 10}

// level is what is needed for one archive or packing that lies in another, kept
// for the next one.
type level struct {
	buf *bufio.Reader
	// beside is for a zip archive behind something else.
	beside *bufio.Reader
	// flate is used for gzip as well as for the files of zip archives.
	flate *inflate.Reader
	xz    *xz.Reader
	lz4   *lz4Reader
}

// at returns the memory of a level.
func (w *Walker) at(depth int) *level {
	for len(w.levels) <= depth {
		w.levels = append(w.levels, &level{buf: bufio.NewReaderSize(nil, 16*kib)})
	}
	return w.levels[depth]
}

func (w *Walker) buffer(depth int, r io.Reader) *bufio.Reader {
	b := w.at(depth).buf
	b.Reset(r)
	return b
}

// inflating counts what comes out of a packing.
type inflating struct {
	w    *Walker
	r    io.Reader
	name string
	cost int64
}

// Read implements io.Reader.
func (i inflating) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.w.inflated += int64(n)
	i.w.budget.Bytes -= int64(n) * i.cost
	switch {
	case i.w.inflated > maxBytes:
		return n, i.w.limit(i.name, fmt.Sprintf("it inflates to more than %d MiB", maxBytes/mib))
	case i.w.inflated > ratioFrom && i.w.inflated > maxRatio*i.w.read:
		return n, i.w.limit(i.name, fmt.Sprintf("it inflates to more than %d times its size", maxRatio))
	case i.w.budget.Bytes < 0:
		return n, i.w.limit(i.name, "the archives of its layer inflate to more than is read of one layer")
	}
	return n, err
}

// packed reads what is packed and not an archive.
func (w *Walker) packed(r *bufio.Reader, m Member, depth int, f form) error {
	z, done, err := w.unpack(r, f, depth)
	if err != nil {
		return err
	}
	defer done()
	cost := max(1, costs[f])
	if depth == 0 {
		w.budget.read(w.read * (cost - 1)) // What was read before this was known.
	}
	w.cost = max(w.cost, cost)
	return w.content(w.buffer(depth+1, inflating{w, z, m.Name, cost}), m.unpacked(), depth+1)
}

// unpack returns what a packing holds, and what ends reading it.
func (w *Walker) unpack(r io.Reader, f form, depth int) (z io.Reader, done func(), err error) {
	l := w.at(depth + 1)
	done = func() {}
	switch f {
	case isGzip:
		if l.flate == nil {
			l.flate = inflate.NewReader(r)
		} else {
			l.flate.Reset(r)
		}
		return l.flate, done, nil
	case isZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case isXZ:
		if l.xz == nil {
			limit := uint32(maxInnerDictionary)
			if depth == 0 {
				limit = maxDictionary
			}
			l.xz, err = xz.NewReader(r, limit)
		} else {
			err = l.xz.Reset(r)
		}
		return l.xz, done, err
	case isLZ4:
		if l.lz4 == nil {
			l.lz4 = newLZ4Reader()
		}
		l.lz4.reset(r)
		return l.lz4, done, nil
	default: // isBzip2
		w.budget.Bytes -= bzip2Start
		return bzip2.NewReader(r), done, nil
	}
}

// deflated returns what the stream at r inflates to. Nothing behind its end is
// read.
func (w *Walker) deflated(r *bufio.Reader, name string, depth int) io.Reader {
	l := w.at(depth + 1)
	if l.flate == nil {
		l.flate = inflate.NewDeflateReader(r)
	} else {
		l.flate.ResetDeflate(r)
	}
	return inflating{w, l.flate, name, 1}
}

// unpacked is the member that a packing holds.
func (m Member) unpacked() Member {
	ext := path.Ext(m.Plain)
	switch strings.ToLower(ext) {
	case ".gz", ".gzip", ".z", ".zst", ".xz", ".bz2", ".bz", ".lz4":
		m.Plain = m.Plain[:len(m.Plain)-len(ext)]
	case ".tgz", ".tzst", ".txz", ".tbz", ".tbz2":
		m.Plain = m.Plain[:len(m.Plain)-len(ext)] + ".tar"
	}
	return m
}
