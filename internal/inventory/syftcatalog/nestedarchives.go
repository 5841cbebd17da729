package syftcatalog

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"path"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// archivePatience is how long catalogers work before archives in archives
	// are counted, which costs some time: what ends earlier needs no count.
	archivePatience = 20 * time.Second
	// maxNestedArchives bounds the archives in Java archives. Applications have
	// hundreds; a file of 17 kB may hold two millions, for each of which the
	// cataloger takes its time.
	maxNestedArchives = 50_000
	// maxArchiveDepth bounds how deep archives lie in one another.
	maxArchiveDepth = 32
	// maxNestedArchive is the size up to which a compressed archive is looked
	// into to count what is in it.
	maxNestedArchive = 64 << 20
)

// javaArchives are the suffixes of what the cataloger of Java archives looks
// into.
var javaArchives = []string{".jar", ".war", ".ear", ".par", ".sar", ".nar", ".jpi", ".hpi", ".kar", ".far", ".lpkg", ".rar", ".zap"}

// tooManyArchives waits, and then counts the archives that lie in the Java
// archives of the image. It returns an error if they are too many to be read
// in any reasonable time, and nil if they are not or the context ended.
func tooManyArchives(ctx context.Context, r *resolver, patience time.Duration) (err error) {
	defer recovered.As(&err, "count the archives in archives")
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-wait.C:
	}
	left := maxNestedArchives
	for _, e := range r.files {
		if !slices.Contains(javaArchives, path.Ext(e.Path)) {
			continue
		}
		c, err := r.index.Open(ctx, e)
		if err != nil {
			continue // The cataloger cannot read it either, and says so.
		}
		left -= nestedArchives(ctx, c, e.Size, left, maxArchiveDepth)
		_ = c.Close() // only read
		if left <= 0 {
			return &layers.LimitError{Limit: "archives in the archive " + e.Path, Value: maxNestedArchives}
		}
	}
	return nil
}

// nestedArchives counts the archives in an archive and in those, as far as the
// bound; too deep a nest reaches it at once.
func nestedArchives(ctx context.Context, r io.ReaderAt, size int64, most, depth int) (n int) {
	z, err := zip.NewReader(r, size)
	if err != nil || ctx.Err() != nil {
		return 0
	}
	for _, f := range z.File {
		if !slices.Contains(javaArchives, path.Ext(f.Name)) {
			continue
		}
		if ctx.Err() != nil {
			return n
		}
		if n++; n >= most || depth == 0 {
			return most
		}
		if inner, size := contentOf(f, r); inner != nil {
			n += nestedArchives(ctx, inner, size, most-n, depth-1)
		}
		if n >= most {
			return most
		}
	}
	return n
}

// contentOf is the content of a file in an archive; nil if it is too large or
// broken.
func contentOf(f *zip.File, archive io.ReaderAt) (content io.ReaderAt, size int64) {
	if f.Method == zip.Store {
		at, err := f.DataOffset()
		if err != nil {
			return nil, 0
		}
		return io.NewSectionReader(archive, at, int64(f.CompressedSize64)), int64(f.CompressedSize64)
	}
	c, err := f.Open()
	if err != nil {
		return nil, 0
	}
	data, err := io.ReadAll(io.LimitReader(c, maxNestedArchive+1))
	_ = c.Close() // only read
	if err != nil || len(data) > maxNestedArchive {
		return nil, 0
	}
	return bytes.NewReader(data), int64(len(data))
}
