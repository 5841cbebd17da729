package syftcatalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	// The reader that syft unpacks with, so that both see the same entries.
	"github.com/klauspost/compress/zip"

	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// maxNestedArchives bounds the archives in one archive. Applications have
	// hundreds; a file of 17 kB may hold two millions, for each of which the
	// cataloger takes its time.
	maxNestedArchives = 50_000
	// maxArchiveDepth bounds how deep archives lie in one another.
	maxArchiveDepth = 32
	// maxUnpacked and unpackedRatio bound the bytes of all archives in an archive
	// of a given size, which the cataloger unpacks to temporary files: they are
	// packed already, so that two levels of them come to little more than twice
	// the size.
	maxUnpacked   = 256 << 20
	unpackedRatio = 8
	// maxHeldArchive is the size up to which a compressed archive is looked into
	// in memory.
	maxHeldArchive = 16 << 20
)

// javaArchives are the suffixes of what the cataloger of Java archives looks
// into, wherever it is; zipSuffix is one that it looks into outermost.
var javaArchives = []string{".jar", ".war", ".ear", ".par", ".sar", ".nar", ".jpi", ".hpi", ".kar", ".far", ".lpkg", ".rar", ".zap"}

const zipSuffix = ".zip"

// holdsArchives reports whether the cataloger of Java archives unpacks files of
// this name.
func holdsArchives(name string) bool {
	ext := path.Ext(name)
	return ext == zipSuffix || slices.Contains(javaArchives, ext)
}

// checkArchive returns a *layers.LimitError for an archive that would cost the
// cataloger any amount of time or disk: archives in archives without end, ones
// that inflate to a multiple of what packers make, and entries that are the same
// bytes many times over. What is no archive is left to the parser; which of those
// inside are zip archives that cannot be read is returned, since the cataloger
// passes over them.
func checkArchive(ctx context.Context, r io.ReaderAt, size int64) (broken []string, err error) {
	defer recovered.As(&err, "look into an archive")
	c := archiveCheck{ctx: ctx, archives: maxNestedArchives, unpacked: maxUnpacked + unpackedRatio*size, most: maxUnpacked + unpackedRatio*size}
	err = c.walk("", r, size, maxArchiveDepth)
	return c.broken, err
}

// archiveCheck is what is left of the bounds of one outermost archive.
type archiveCheck struct {
	ctx            context.Context
	archives       int
	unpacked, most int64
	// broken are the names of archives inside that cannot be read.
	broken []string
}

// maxBroken bounds how many broken files in an archive are named, and
// maxBrokenName the bytes of each name.
const maxBroken, maxBrokenName = 10, 200

// walk looks through an archive; name is "" for the outermost.
func (c *archiveCheck) walk(name string, r io.ReaderAt, size int64, depth int) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		// Of the outermost the parser says what is wrong with it.
		if name != "" && isZip(r) {
			c.breaks(name)
		}
		return nil
	}
	left := uint64(size)
	for _, f := range z.File {
		if f.CompressedSize64 > left {
			return &layers.LimitError{Limit: "packed bytes of entries, which are more than those of the archive", Value: size}
		}
		left -= f.CompressedSize64
	}
	for _, f := range z.File {
		if !slices.Contains(javaArchives, path.Ext(f.Name)) {
			continue
		}
		if err := c.nested(r, f, depth); err != nil {
			return err
		}
	}
	return nil
}

// nested looks into an archive in an archive.
func (c *archiveCheck) nested(r io.ReaderAt, f *zip.File, depth int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if c.archives--; c.archives < 0 {
		return &layers.LimitError{Limit: "archives in an archive", Value: maxNestedArchives}
	}
	if depth == 0 {
		return &layers.LimitError{Limit: "depth of archives in an archive", Value: maxArchiveDepth}
	}
	if f.UncompressedSize64 > uint64(c.unpacked) {
		return &layers.LimitError{Limit: "unpacked bytes of the archives in an archive", Value: c.most}
	}
	c.unpacked -= int64(f.UncompressedSize64)
	inner, err := openNested(r, f)
	if err != nil {
		return err
	}
	if inner == nil {
		c.breaks(f.Name)
		return nil
	}
	return errors.Join(c.walk(f.Name, inner, int64(f.UncompressedSize64), depth-1), inner.Close())
}

func (c *archiveCheck) breaks(name string) {
	if len(c.broken) < maxBroken {
		c.broken = append(c.broken, name[:min(len(name), maxBrokenName)])
	}
}

// isZip reports whether a content begins as a zip archive: others have names that
// Java's archives have as well.
func isZip(r io.ReaderAt) bool {
	var head [4]byte
	_, err := r.ReadAt(head[:], 0)
	return err == nil && string(head[:]) == "PK\x03\x04"
}

// nestedContent is the content of an archive in an archive.
type nestedContent interface {
	io.ReaderAt
	io.Closer
}

type heldContent struct{ io.ReaderAt }

func (heldContent) Close() error { return nil }

// openNested is the content of a file in an archive; nil if it is broken.
func openNested(archive io.ReaderAt, f *zip.File) (nestedContent, error) {
	size := int64(f.UncompressedSize64)
	if f.Method == zip.Store && f.CompressedSize64 == f.UncompressedSize64 {
		at, err := f.DataOffset()
		if err != nil {
			return nil, nil
		}
		return heldContent{io.NewSectionReader(archive, at, size)}, nil
	}
	content, err := f.Open()
	if err != nil {
		return nil, nil
	}
	defer func() { _ = content.Close() }() // only read
	if size <= maxHeldArchive {
		held := make([]byte, size)
		if _, err := io.ReadFull(content, held); err != nil {
			return nil, nil
		}
		return heldContent{bytes.NewReader(held)}, nil
	}
	return spoolNested(content, size)
}

// spoolNested inflates a large archive to a temporary file.
func spoolNested(content io.Reader, size int64) (nestedContent, error) {
	file, err := os.CreateTemp("", "portcullis-archive-*")
	if err != nil {
		return nil, fmt.Errorf("unpack an archive in an archive: %w", err)
	}
	spool := spooledContent{file}
	n, err := io.Copy(file, io.LimitReader(content, size))
	var write *os.PathError
	switch {
	case errors.As(err, &write):
		return nil, errors.Join(fmt.Errorf("unpack an archive in an archive: %w", err), spool.Close())
	case err != nil || n < size:
		return nil, spool.Close()
	}
	return spool, nil
}

// spooledContent is a temporary file that goes when it is closed.
type spooledContent struct{ *os.File }

func (s spooledContent) Close() error { return errors.Join(s.File.Close(), os.Remove(s.Name())) }
