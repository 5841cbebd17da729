package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// packed is a file on its way into an archive.
type packed struct {
	name, path string
	mode       int64
}

// sum is the SHA-256 sum of an archive.
type sum struct {
	archive, hex string
}

// pack writes a gzipped tar without times, owners and anything else that
// differs between machines.
func pack(path string, files []packed) (s sum, err error) {
	out, err := os.Create(path)
	if err != nil {
		return sum{}, fmt.Errorf("write archive: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	digest := sha256.New()
	z, err := gzip.NewWriterLevel(io.MultiWriter(out, digest), gzip.BestCompression)
	if err != nil {
		return sum{}, err
	}
	w := tar.NewWriter(z)
	for _, f := range files {
		if err := add(w, f); err != nil {
			return sum{}, fmt.Errorf("pack %s into %s: %w", f.name, path, err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		return sum{}, fmt.Errorf("write archive %s: %w", path, err)
	}
	return sum{filepath.Base(path), hex.EncodeToString(digest.Sum(nil))}, nil
}

func add(w *tar.Writer, f packed) error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: info.Size(), Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

// unpack is the reverse of pack, for archives that pack wrote.
func unpack(path, folder string) error {
	in, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open archive: %w", err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("read archive %s: %w", path, err)
	}
	r := tar.NewReader(z)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive %s: %w", path, err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return fmt.Errorf("read %s of %s: %w", header.Name, path, err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(header.Name)), content, os.FileMode(header.Mode)); err != nil {
			return fmt.Errorf("unpack %s: %w", header.Name, err)
		}
	}
}

// sumLines has the form that sha256sum -c reads.
func sumLines(sums []sum) string {
	var b strings.Builder
	for _, s := range sums {
		fmt.Fprintf(&b, "%s  %s\n", s.hex, s.archive)
	}
	return b.String()
}

// actionSums is the content of the file that the action reads.
func actionSums(sums []sum) string {
	return "# SHA-256 sums of the release archives that this version of the action runs.\n" +
		"# Written by: go run ./internal/release -write-sums action/SHA256SUMS\n" + sumLines(sums)
}

// checkSums reports where the action's file differs from what was built.
func checkSums(path string, sums []sum) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the sums of the action: %w", err)
	}
	if string(content) != actionSums(sums) {
		return fmt.Errorf("%s does not hold the sums of this build: write them with -write-sums, commit, and tag that commit", path)
	}
	return nil
}
