package advisory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Errors that Open and the readers of shards wrap. All of them mean that
// vulnerability data is missing.
var (
	// ErrMissing: there is no database, or one of its files is gone.
	ErrMissing = errors.New("no advisory database here")
	// ErrCorrupt: a file is damaged, truncated or not what the manifest says.
	ErrCorrupt = errors.New("advisory database is damaged")
	// ErrForeign: the manifest is that of something else.
	ErrForeign = errors.New("not an advisory database of portcullis")
	// ErrNewerSchema: the database was built for a newer program.
	ErrNewerSchema = errors.New("advisory database needs a newer portcullis")
	// ErrNoShard: the database is fine but has no shard of that name.
	ErrNoShard = errors.New("advisory database has no such shard")
)

// Database is an opened database. It holds nothing open and may be used by
// several goroutines.
type Database struct {
	files    fs.FS
	location string
	manifest Manifest
	digest   string
}

// Open reads the manifest of the database in a directory. Shards are read when
// they are asked for. Errors wrap ErrMissing, ErrCorrupt, ErrForeign or
// ErrNewerSchema.
func Open(dir string) (*Database, error) { return OpenFS(os.DirFS(dir), dir) }

// OpenFS is Open for the root of a file system; location is how messages call
// it.
func OpenFS(files fs.FS, location string) (*Database, error) {
	data, err := readBounded(files, ManifestName, maxManifestSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", location, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("open advisory database in %s: %w", location, err)
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Join(location, ManifestName), err)
	}
	return &Database{files: files, location: location, manifest: m, digest: Digest(data)}, nil
}

// Digest is the SHA-256 of data in lower-case hexadecimal, the form in which a
// manifest names the files of shards.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Location is the directory of the database, or what OpenFS was told.
func (db *Database) Location() string { return db.location }

// Manifest describes the database. The caller must not change it.
func (db *Database) Manifest() Manifest { return db.manifest }

// Digest is the SHA-256 of the manifest, which names the digests of all
// shards: equal digests are equal databases.
func (db *Database) Digest() string { return db.digest }

// Bytes reads a shard's file whole and compares it with the digest in the
// manifest. The error wraps ErrNoShard, ErrMissing or ErrCorrupt.
func (db *Database) Bytes(ctx context.Context, name string) ([]byte, Shard, error) {
	if err := ctx.Err(); err != nil {
		return nil, Shard{}, err
	}
	s, ok := db.manifest.Shard(name)
	if !ok {
		return nil, Shard{}, fmt.Errorf("shard %s: %w", name, ErrNoShard)
	}
	at := filepath.Join(db.location, s.File)
	data, err := readBounded(db.files, s.File, s.Size)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, s, fmt.Errorf("read shard %s: %s: %w", name, at, ErrMissing)
	case err != nil:
		return nil, s, fmt.Errorf("read shard %s: %w", name, err)
	}
	if err := s.Check(data); err != nil {
		return nil, s, fmt.Errorf("read shard %s: %s: %w", name, at, err)
	}
	return data, s, nil
}

// Check compares the content of a shard's file with the manifest. The error
// wraps ErrCorrupt.
func (s Shard) Check(data []byte) error {
	if int64(len(data)) != s.Size {
		return fmt.Errorf("%w: %d bytes, expected %d", ErrCorrupt, len(data), s.Size)
	}
	if sum := Digest(data); sum != s.SHA256 {
		return fmt.Errorf("%w: sha256 is %s, expected %s", ErrCorrupt, sum, s.SHA256)
	}
	return nil
}

// Shard reads and opens a shard of advisories. Beside the errors of Bytes it
// returns those that wrap ErrCorrupt for content that is not a shard.
func (db *Database) Shard(ctx context.Context, name string) (*Advisories, error) {
	data, s, err := db.Bytes(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.Kind != ShardAdvisories {
		return nil, fmt.Errorf("shard %s: %w: it holds %s, not advisories", name, ErrCorrupt, s.Kind)
	}
	a, err := DecodeAdvisories(data, s.Data)
	if err != nil {
		return nil, fmt.Errorf("open shard %s: %w", name, err)
	}
	return a, nil
}

// readBounded reads a file of at most limit bytes; of a longer one it returns
// one byte more than the limit, so that a comparison of sizes fails.
func readBounded(files fs.FS, name string, limit int64) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	// The buffer grows from what the file has now, so that a limit from a
	// manifest that lies allocates nothing.
	var buf bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= limit {
		buf.Grow(int(info.Size()) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return buf.Bytes(), nil
}
