package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// The limits of a packed subchart: bytes unpacked, and files.
const (
	maxUnpacked = 32 << 20
	maxEntries  = 5000
)

// unpack reads a packed chart in memory. Its files lie below the archive's own
// path, so that places in them say which archive they are in. Links are left
// out. An archive that reaches a limit is an error: an end there would hide what
// follows, and a sparse file of a few bytes can have any size.
func unpack(f manifest.File) ([]manifest.File, error) {
	inflated, err := gzip.NewReader(bytes.NewReader(f.Content))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	limited := &io.LimitedReader{R: inflated, N: maxUnpacked}
	archive := tar.NewReader(limited)
	room := int64(maxUnpacked)
	var files []manifest.File
	for range maxEntries {
		header, err := archive.Next()
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("unpack %s: it has more than %d bytes", f.Path, maxUnpacked)
		case errors.Is(err, io.EOF):
			return files, nil
		case err != nil:
			return nil, fmt.Errorf("unpack %s: %w", f.Path, err)
		case header.Typeflag != tar.TypeReg:
			continue
		}
		if room -= header.Size; room < 0 {
			return nil, fmt.Errorf("unpack %s: its files have more than %d bytes", f.Path, maxUnpacked)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", f.Path, err)
		}
		// The first directory is the chart's name; what leads out is kept in.
		_, rest, ok := strings.Cut(path.Clean("/" + header.Name)[1:], "/")
		if ok {
			files = append(files, manifest.File{Path: path.Join(f.Path, rest), Content: content})
		}
	}
	return nil, fmt.Errorf("unpack %s: it has more than %d files", f.Path, maxEntries)
}
