package syftcatalog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/anchore/syft/syft/file"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/rpmdb"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// walSuffix is what the name of a write-ahead log has behind that of its database
// of SQLite, in the directory where the database really is.
const walSuffix = "-wal"

// maxLog bounds the write-ahead log of an rpm database. SQLite writes it back
// every thousand pages; that of one large transaction has a few dozen megabytes.
const maxLog = 256 << 20

// rpmDatabase checks an rpm database that was opened, and returns what the library
// that reads it is to see.
func (r *resolver) rpmDatabase(l file.Location, e *layers.Entry, c layers.Content) (layers.Content, error) {
	name := e.Path
	if rpmdb.IsName(l.AccessPath) {
		name = l.AccessPath
	}
	log, err := writeAheadLog(r.ctx, r.index, e)
	if err != nil {
		return c, err
	}
	checked, err := rpmdb.Check(r.ctx, rpmdb.Database{Name: name, ReaderAt: c, Size: e.Size, Log: log})
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range checked.Unverified {
		r.unverified[p] = true
	}
	if checked.Empty {
		r.empty[e.Path], r.empty[name] = true, true
	}
	if checked.Instead != nil {
		c = layers.Content{SectionReader: io.NewSectionReader(bytes.NewReader(checked.Instead), 0, int64(len(checked.Instead)))}
	}
	return c, err
}

// writeAheadLog reads the log of changes beside a database; nil where there is
// none, or an empty one.
func writeAheadLog(ctx context.Context, x *layers.Index, database *layers.Entry) ([]byte, error) {
	e := x.Resolve(database.Path+walSuffix, true)
	if e == nil || e.Type != layers.Regular || e.Size == 0 {
		return nil, nil
	}
	if e.Size > maxLog {
		return nil, fmt.Errorf("%s has %d bytes, more than the limit of %d", e.Path, e.Size, int64(maxLog))
	}
	c, err := x.Open(ctx, e)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	log, err := io.ReadAll(c)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Path, err)
	}
	return log, nil
}

// named gives package databases that could not be read the names by which their
// managers know them, where links lead to them: those tell that they are such.
func (r *resolver) named(list []inventory.Unreadable) []inventory.Unreadable {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, u := range list {
		if !u.PackageDatabase() {
			list[i].Path = cmp.Or(r.lists[u.Path], u.Path)
		}
	}
	return list
}
