// Package store keeps databases in directories: it installs them file by file
// so that a reader always finds a whole one, fills in shards that were left
// out, checks them, and packs them for transport by hand. It is not for
// fetching anything: where files come from is the caller's.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/atomicfile"
)

// Fetch returns the file of a shard. What it returns is compared with the
// manifest's digest.
type Fetch func(ctx context.Context, s advisory.Shard) ([]byte, error)

// lockName is the file whose lock writers of one directory hold. Readers need
// none: the files of shards never change under a name, and the manifest is
// replaced in one step.
const lockName = ".lock"

// Install makes the database that the manifest describes the one in the
// directory. Shards that want refuses are left out and can be filled in later;
// a nil want takes all. Files that are there already are kept. Only when all is
// written does the new manifest replace the old one; files that neither names
// are then removed. The error wraps advisory.ErrCorrupt when a file is not what
// the manifest says.
func Install(ctx context.Context, dir string, manifest []byte, want func(advisory.Shard) bool, fetch Fetch) (advisory.Manifest, error) {
	m, err := advisory.DecodeManifest(manifest)
	if err != nil {
		return advisory.Manifest{}, fmt.Errorf("install database: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return advisory.Manifest{}, fmt.Errorf("install database: %w", err)
	}
	unlock, err := Lock(dir)
	if err != nil {
		return advisory.Manifest{}, err
	}
	defer unlock()
	for _, s := range m.Shards {
		if want != nil && !want(s) {
			continue
		}
		if err := place(ctx, dir, s, fetch); err != nil {
			return advisory.Manifest{}, fmt.Errorf("install database: %w", err)
		}
	}
	keep := files(m)
	if old, err := advisory.Open(dir); err == nil {
		if old.Digest() == advisory.Digest(manifest) {
			return m, nil // also the files of the database before stay
		}
		for name := range files(old.Manifest()) {
			keep[name] = true
		}
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, advisory.ManifestName), manifest); err != nil {
		return advisory.Manifest{}, fmt.Errorf("install database: %w", err)
	}
	return m, sweep(dir, keep)
}

// Fill adds the named shards to a database that was installed without them.
// The error wraps advisory.ErrNoShard for a name that is not in the manifest.
// Where nothing is missing, nothing is locked or written: a cache that is shared
// or cannot be written to is read all the same.
func Fill(ctx context.Context, db *advisory.Database, names []string, fetch Fetch) error {
	lacking, err := missing(ctx, db, names)
	if err != nil || len(lacking) == 0 {
		return err
	}
	unlock, err := Lock(db.Location())
	if err != nil {
		return err
	}
	defer unlock()
	for _, s := range lacking {
		if err := place(ctx, db.Location(), s, fetch); err != nil {
			return fmt.Errorf("fill in database: %w", err)
		}
	}
	return nil
}

// missing lists the named shards whose files are not there or damaged.
func missing(ctx context.Context, db *advisory.Database, names []string) ([]advisory.Shard, error) {
	var lacking []advisory.Shard
	for _, name := range names {
		s, ok := db.Manifest().Shard(name)
		if !ok {
			return nil, fmt.Errorf("fill in shard %s: %w", name, advisory.ErrNoShard)
		}
		_, _, err := db.Bytes(ctx, name)
		switch {
		case err == nil:
		case errors.Is(err, advisory.ErrMissing), errors.Is(err, advisory.ErrCorrupt):
			lacking = append(lacking, s)
		default:
			return nil, fmt.Errorf("fill in database: %w", err)
		}
	}
	return lacking, nil
}

// place writes the file of a shard unless it is there and whole.
func place(ctx context.Context, dir string, s advisory.Shard, fetch Fetch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := filepath.Join(dir, s.File)
	if data, err := os.ReadFile(path); err == nil && s.Check(data) == nil {
		return nil
	}
	data, err := fetch(ctx, s)
	if err != nil {
		return fmt.Errorf("shard %s: %w", s.Name, err)
	}
	if err := s.Check(data); err != nil {
		return fmt.Errorf("shard %s: %w", s.Name, err)
	}
	return atomicfile.WriteBytes(path, data)
}

func files(m advisory.Manifest) map[string]bool {
	names := make(map[string]bool, len(m.Shards))
	for _, s := range m.Shards {
		names[s.File] = true
	}
	return names
}

// ErrOther is about a folder that is somebody else's.
var ErrOther = errors.New("holds other files, and no database")

// CheckDir refuses a folder for a database in which other things lie: a new
// database goes into an empty folder, or takes the place of an older one. Hidden
// files and what a file system puts into each volume do not count.
func CheckDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	if data, err := os.ReadFile(filepath.Join(dir, advisory.ManifestName)); err == nil {
		if _, err := advisory.DecodeManifest(data); err == nil {
			return nil
		}
	}
	// The manifest of a database may be damaged, or not there yet.
	begun := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return shardFile.MatchString(e.Name()) })
	for _, e := range entries {
		name := e.Name()
		switch {
		case shardFile.MatchString(name), name == advisory.ManifestName && begun:
		case strings.HasPrefix(name, "."), name == "lost+found":
		default:
			return fmt.Errorf("%s: %w", dir, ErrOther)
		}
	}
	return nil
}

// shardFile are the names of the files of shards.
var shardFile = regexp.MustCompile(`^.+\.[0-9a-f]{12}\.zst$`)

// sweep removes files of shards that no manifest names any more.
func sweep(dir string, keep map[string]bool) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.zst"))
	if err != nil {
		return fmt.Errorf("clean up %s: %w", dir, err)
	}
	var errs []error
	for _, path := range paths {
		if name := filepath.Base(path); keep[name] || !shardFile.MatchString(name) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Lock keeps other writers out of a directory until it is undone. It is for what
// takes several steps; Install and Fill take the lock themselves.
func Lock(dir string) (unlock func(), err error) {
	unlock, err = lockedfile.MutexAt(filepath.Join(dir, lockName)).Lock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return unlock, nil
}

// State is how one shard of a database is there.
type State struct {
	Shard advisory.Shard
	// Present is false for a shard that was left out.
	Present bool
	// Err says what is wrong with a present one; it wraps advisory.ErrCorrupt.
	Err error
}

// Verify reads every shard that is there whole: digest, layout, every entry.
func Verify(ctx context.Context, db *advisory.Database) ([]State, error) {
	var states []State
	for _, s := range db.Manifest().Shards {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := verify(ctx, db, s)
		state := State{Shard: s, Present: !errors.Is(err, advisory.ErrMissing)}
		if state.Present {
			state.Err = err
		}
		states = append(states, state)
	}
	return states, nil
}

func verify(ctx context.Context, db *advisory.Database, s advisory.Shard) error {
	switch s.Kind {
	case advisory.ShardEPSS:
		_, err := db.EPSS(ctx)
		return err
	case advisory.ShardKEV:
		_, err := db.KEV(ctx)
		return err
	case advisory.ShardEndOfLife:
		_, err := db.EndOfLife(ctx)
		return err
	}
	a, err := db.Shard(ctx, s.Name)
	if err != nil {
		return err
	}
	entries := 0
	for i := range a.Len() {
		p, err := a.Package(i)
		if err != nil {
			return fmt.Errorf("shard %s: %w", s.Name, err)
		}
		entries += len(p.Entries)
	}
	if a.Len() != s.Packages || entries != s.Entries {
		return fmt.Errorf("shard %s: %w: %d packages with %d entries, the manifest says %d with %d",
			s.Name, advisory.ErrCorrupt, a.Len(), entries, s.Packages, s.Entries)
	}
	return nil
}
