package syftcatalog

import (
	"archive/zip"
	"io"
	"path"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// checkOverlap returns a *layers.LimitError for a Java archive whose entries
// have more packed bytes than the archive: they are the same bytes many times
// over, and the archives among them would be unpacked as often, to disk. No
// packer makes such a file. What is no archive is left to the parser.
func checkOverlap(name string, r io.ReaderAt, size int64) error {
	if !slices.Contains(javaArchives, path.Ext(name)) {
		return nil
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil //nolint:nilerr // The parser says what is wrong with it.
	}
	left := uint64(size)
	for _, f := range z.File {
		if f.CompressedSize64 > left {
			return &layers.LimitError{Limit: "packed bytes of entries, which are more than those of the archive", Value: size}
		}
		left -= f.CompressedSize64
	}
	return nil
}
