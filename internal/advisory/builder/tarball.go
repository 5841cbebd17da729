package builder

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
)

// Bounds on a tarball. VEX documents about a kernel flaw have some ten megabytes;
// the window is what publishers compress with at most.
const (
	maxTarMember = 64 << 20
	maxWindow    = 256 << 20
)

// readTarball hands over the JSON documents of a .tar.zst, the form in which
// Red Hat publishes all of its VEX documents, one after the other.
func readTarball(ctx context.Context, path string, found func(document) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read advisories: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return fmt.Errorf("open archive %s: %w", path, err)
	}
	defer z.Close()
	fetched := download.ReadInfo(path).Fetched
	t := tar.NewReader(z)
	documents := 0
	for members := 0; ; members++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF) && documents == 0:
			return fmt.Errorf("open archive %s: %w", path, ErrNoInput)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read archive %s: %w", path, err)
		case members == maxMembers:
			return fmt.Errorf("read archive %s: more members than the limit of %d", path, maxMembers)
		case h.Typeflag != tar.TypeReg || classify(h.Name) != record:
			continue
		}
		data, err := readLimited(t, min(h.Size, 1<<20), maxTarMember)
		if err != nil {
			return fmt.Errorf("read %s!%s: %w", path, h.Name, err)
		}
		documents++
		if err := found(document{name: path + "!" + h.Name, data: data, stamp: fetched, feed: feedOf(path, fetched)}); err != nil {
			return err
		}
	}
}
