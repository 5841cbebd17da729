package store

import (
	"archive/tar"
	"bytes"
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

// maxExport bounds the content of an imported file, in bytes.
const maxExport = 2 << 30

// Import installs a database from what Export wrote. The error wraps
// advisory.ErrCorrupt when the file is cut off or is not what its manifest
// says, and advisory.ErrForeign when it is something else.
func Import(ctx context.Context, r io.Reader, dir string) (advisory.Manifest, error) {
	contents, err := unpack(r)
	if err != nil {
		return advisory.Manifest{}, fmt.Errorf("import database: %w", err)
	}
	manifest, ok := contents[advisory.ManifestName]
	if !ok {
		return advisory.Manifest{}, fmt.Errorf("import database: %w: no %s in the file", advisory.ErrForeign, advisory.ManifestName)
	}
	return Install(ctx, dir, manifest, nil, func(_ context.Context, s advisory.Shard) ([]byte, error) {
		data, ok := contents[s.File]
		if !ok {
			return nil, fmt.Errorf("%w: %s is not in the file", advisory.ErrCorrupt, s.File)
		}
		return data, nil
	})
}

func unpack(r io.Reader) (map[string][]byte, error) {
	contents := make(map[string][]byte)
	t := tar.NewReader(r)
	total := int64(0)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return contents, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", advisory.ErrCorrupt, err)
		}
		if total += h.Size; total > maxExport {
			return nil, fmt.Errorf("%w: more than %d bytes", advisory.ErrCorrupt, int64(maxExport))
		}
		var buf bytes.Buffer
		if _, err := io.Copy(&buf, io.LimitReader(t, h.Size)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", advisory.ErrCorrupt, h.Name, err)
		}
		contents[h.Name] = append([]byte{}, buf.Bytes()...)
	}
}
