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
// out.
func unpack(f manifest.File) ([]manifest.File, error) {
	inflated, err := gzip.NewReader(bytes.NewReader(f.Content))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	archive := tar.NewReader(io.LimitReader(inflated, maxUnpacked))
	var files []manifest.File
	for range maxEntries {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", f.Path, err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
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
