package imagetest

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
)

// Zip packs files as a zip archive.
func Zip(files ...File) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := z.Create(f.Path)
		if err == nil {
			_, err = w.Write(f.Body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// GzipOf packs a content.
func GzipOf(content []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = w.Write(content) // into memory
	_ = w.Close()
	return buf.Bytes()
}
