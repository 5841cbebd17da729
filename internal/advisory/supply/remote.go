package supply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/mirror"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// remote is a database that is elsewhere and of which a copy is kept.
type remote struct {
	// name is that for reports.
	name string
	// pull brings the manifest in the directory up to date, without shards.
	pull func(ctx context.Context, dir string) error
	// fetch gets a shard.
	fetch store.Fetch
	// settled says that the content behind the name never changes, so that
	// what is there already need not be asked for.
	settled bool
}

// openRemote opens the copy of a remote database, having brought its manifest
// up to date and fetched the shards that are needed and not there. Without the
// network the copy is used as it is: its age is judged like that of any other.
func (req Request) openRemote(ctx context.Context, group []Location, need Need) (s Supply, err error) {
	r, err := req.remoteOf(group)
	if err != nil {
		return Supply{}, err
	}
	dir, scratch, err := req.keepIn(group)
	if err != nil {
		return Supply{}, err
	}
	defer func() {
		if err != nil && scratch != "" {
			err = errors.Join(err, os.RemoveAll(scratch))
		}
	}()
	db, err := req.refresh(ctx, r, dir)
	if err != nil {
		return Supply{}, err
	}
	if need.Shards != nil {
		if err := req.fill(ctx, r, db, need.Shards(db.Manifest())); err != nil {
			return Supply{}, err
		}
	}
	return Supply{Database: db, Name: r.name, scratch: scratch}, nil
}

// keepIn returns the directory for the copy of a remote database, which is one
// for this run only where there is no cache.
func (req Request) keepIn(group []Location) (dir, scratch string, err error) {
	if req.CacheDir == "" {
		scratch, err = os.MkdirTemp("", "portcullis-db-*")
		return scratch, scratch, err
	}
	h := sha256.New()
	for _, l := range group {
		// The whole address: another user's copy may be another database.
		h.Write([]byte(l.Value + "\n"))
	}
	return filepath.Join(req.CacheDir, "remote", hex.EncodeToString(h.Sum(nil))[:16]), "", nil
}

// refresh opens the copy after having asked for a newer manifest.
func (req Request) refresh(ctx context.Context, r remote, dir string) (*advisory.Database, error) {
	kept, openErr := advisory.Open(dir)
	switch {
	case openErr == nil && r.settled:
		return kept, nil
	case req.Offline && openErr == nil:
		req.note("offline: using the copy of %s that was built on %s", r.name, kept.Manifest().Built.Format("2006-01-02"))
		return kept, nil
	case req.Offline:
		return nil, fmt.Errorf("%s: no copy of it is kept here: %w: %w", r.name, advisory.ErrMissing, ErrOffline)
	}
	if err := r.pull(ctx, dir); err != nil {
		// Another database in its place, a damaged one, a newer one: these are
		// answers, and not to be passed over.
		if openErr != nil || ctx.Err() != nil || errors.Is(err, advisory.ErrForeign) || errors.Is(err, advisory.ErrCorrupt) || errors.Is(err, advisory.ErrNewerSchema) {
			return nil, err
		}
		req.note("%s cannot be asked: %v; using the copy that was built on %s", r.name, err, kept.Manifest().Built.Format("2006-01-02"))
		return kept, nil
	}
	return advisory.Open(dir)
}

// fill fetches the shards that are needed and not there.
func (req Request) fill(ctx context.Context, r remote, db *advisory.Database, names []string) error {
	fetch := r.fetch
	if req.Offline {
		fetch = func(context.Context, advisory.Shard) ([]byte, error) {
			return nil, fmt.Errorf("%w: %w", advisory.ErrMissing, ErrOffline)
		}
	}
	if err := store.Fill(ctx, db, names, fetch); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

func (req Request) remoteOf(group []Location) (remote, error) {
	l := group[0]
	if l.Kind == Mirror {
		return req.mirrors(group), nil
	}
	registry, err := req.Registry(l.Value)
	if err != nil {
		return remote{}, err
	}
	a, err := registry.At(l.Value)
	if err != nil {
		return remote{}, err
	}
	_, pinErr := name.NewDigest(l.Value, registry.Names...)
	return remote{
		name: l.String(), settled: pinErr == nil,
		pull: func(ctx context.Context, dir string) error {
			_, _, err := registry.Pull(ctx, l.Value, dir, noShard)
			return err
		},
		fetch: a.Fetch,
	}, nil
}

func (req Request) mirrors(group []Location) remote {
	var names []string
	m := mirror.Mirrors{Client: req.Client}
	for _, l := range group {
		m.URLs = append(m.URLs, l.Value)
		names = append(names, l.String())
	}
	m.Report = func(address string, err error) {
		req.note("mirror %s: %v", address, err)
	}
	return remote{
		name: strings.Join(names, ","),
		pull: func(ctx context.Context, dir string) error {
			_, err := m.Pull(ctx, dir, noShard)
			return err
		},
		fetch: m.Shard,
	}
}

func noShard(advisory.Shard) bool { return false }
