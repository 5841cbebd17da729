package store

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
)

// Export writes a database as a tar file for machines without a network:
// manifest first, then all shards. The same database gives the same bytes. The
// error wraps advisory.ErrMissing when a shard was left out: fill it in first.
func Export(ctx context.Context, db *advisory.Database, w io.Writer) error {
	manifest, err := db.Manifest().Encode()
	if err != nil {
		return fmt.Errorf("export database: %w", err)
	}
	t := tar.NewWriter(w)
	if err := add(t, advisory.ManifestName, manifest, db.Manifest().Built); err != nil {
		return fmt.Errorf("export database: %w", err)
	}
	for _, s := range db.Manifest().Shards {
		data, _, err := db.Bytes(ctx, s.Name)
		if err != nil {
			return fmt.Errorf("export database: %w", err)
		}
		if err := add(t, s.File, data, db.Manifest().Built); err != nil {
			return fmt.Errorf("export database: %w", err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("export database: %w", err)
	}
	return nil
}

func add(t *tar.Writer, name string, data []byte, when time.Time) error {
	err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: when, Format: tar.FormatUSTAR})
	if err != nil {
		return err
	}
	_, err = t.Write(data)
	return err
}

// Import installs a database from what Export wrote, one file at a time. The
// error wraps advisory.ErrCorrupt when the file is cut off or is not what its
// manifest says, and advisory.ErrForeign when it is something else.
func Import(ctx context.Context, r io.Reader, dir string) (advisory.Manifest, error) {
	t := tar.NewReader(r)
	h, err := next(t)
	switch {
	case errors.Is(err, io.EOF):
		return advisory.Manifest{}, fmt.Errorf("import database: %w: the file is empty", advisory.ErrForeign)
	case err != nil:
		return advisory.Manifest{}, fmt.Errorf("import database: %w", err)
	case h.Name != advisory.ManifestName:
		return advisory.Manifest{}, fmt.Errorf("import database: %w: it does not begin with %s", advisory.ErrForeign, advisory.ManifestName)
	}
	manifest, err := member(t, maxManifest)
	if err != nil {
		return advisory.Manifest{}, fmt.Errorf("import database: %w", err)
	}
	return Install(ctx, dir, manifest, nil, func(_ context.Context, s advisory.Shard) ([]byte, error) {
		// Files are in the manifest's order; those that are there already were
		// not asked for.
		for {
			h, err := next(t)
			if errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("%w: %s is not in the file", advisory.ErrCorrupt, s.File)
			}
			if err != nil {
				return nil, err
			}
			if h.Name == s.File {
				return member(t, s.Size)
			}
		}
	})
}

// maxManifest bounds the manifest, in bytes.
const maxManifest = 16 << 20

// next goes to the next file. What Export does not write is refused: a sparse
// file of a few bytes can have any size.
func next(t *tar.Reader) (*tar.Header, error) {
	h, err := t.Next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", advisory.ErrCorrupt, err)
	case h.Typeflag != tar.TypeReg || len(h.PAXRecords) > 0:
		return nil, fmt.Errorf("%w: it is no tar file as db export writes them", advisory.ErrForeign)
	}
	return h, nil
}

// member reads a file of at most limit bytes; of a longer one it returns one
// byte more, so that a comparison of sizes fails.
func member(t *tar.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(t, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", advisory.ErrCorrupt, err)
	}
	return data, nil
}
