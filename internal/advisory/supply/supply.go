package supply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/ociartifact"
	"github.com/portcullis-ci/portcullis/internal/advisory/online"
	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
)

// Errors beside those of package advisory.
var (
	// ErrOffline: the place needs the network, which the user forbade.
	ErrOffline = errors.New("the network is needed, and --offline forbids it")
	// ErrNoCache: the place needs a directory to keep files in, and there is
	// none.
	ErrNoCache = errors.New("there is no cache directory: set XDG_CACHE_HOME or PORTCULLIS_CACHE_DIR")
)

// Request says where a database may be and how to get at it.
type Request struct {
	// Locations are tried in their order.
	Locations []Location
	// Path makes the directories among them absolute; nil leaves them.
	Path func(string) string
	// CacheDir is the directory in which databases are kept; empty for none.
	CacheDir string
	// Offline forbids the network: remote places are read from what earlier
	// runs kept of them.
	Offline bool
	// Client talks to web servers.
	Client *download.Client
	// Registry returns access to the registry of a reference.
	Registry func(reference string) (ociartifact.Registry, error)
	// Tool is the name and version of the program.
	Tool string
	Now  time.Time
	// Note is told what a user should know: network access, fallbacks, the age
	// of the snapshot. Nil for nobody.
	Note func(message string)
}

// Need is what a run wants to know. Both may be nil: then only the manifest is
// needed.
type Need struct {
	// Shards lists the names of the shards that are read.
	Shards func(advisory.Manifest) []string
	// Queries list the packages, for services that are asked about each.
	Queries func() []advisory.Query
}

// Everything is the need for all shards.
func Everything() Need {
	return Need{Shards: func(m advisory.Manifest) []string {
		var names []string
		for _, s := range m.Shards {
			names = append(names, s.Name)
		}
		return names
	}}
}

// Supply is an opened database.
type Supply struct {
	*advisory.Database
	// Name is how reports call the place that it came from, without
	// credentials; registries with the digest that was read.
	Name string
	// Embedded says that it is the snapshot.
	Embedded bool
	scratch  string
}

// Close removes what was only kept for this run.
func (s Supply) Close() error {
	if s.scratch == "" {
		return nil
	}
	return os.RemoveAll(s.scratch)
}

// CachedDatabase is the directory of the database that commands install in the
// cache unless told otherwise.
func CachedDatabase(cacheDir string) string { return filepath.Join(cacheDir, "db") }

// Open opens the first place that has a usable database, with what is needed of
// it. A place that fails is told to Note when another one is left; the error
// says what each of them lacked and wraps the errors of package advisory.
func Open(ctx context.Context, req Request, need Need) (Supply, error) {
	if len(req.Locations) == 0 {
		req.Locations = Default()
	}
	if slices.Equal(req.Locations, Default()) {
		return req.openDefault()
	}
	var errs []error
	for i := 0; i < len(req.Locations); i++ {
		l := req.Locations[i]
		group := 1
		if l.Kind == Mirror {
			group = mirrorsFrom(req.Locations[i:])
		}
		s, err := req.open(ctx, req.Locations[i:i+group], need)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return Supply{}, ctx.Err()
		}
		i += group - 1
		if i+1 < len(req.Locations) {
			req.note("advisory database %s cannot be used: %v; trying %s", l, err, req.Locations[i+1])
		}
		errs = append(errs, err)
	}
	return Supply{}, errors.Join(errs...)
}

// mirrorsFrom counts the mirrors at the beginning of the list: they are asked
// together, so that what one lacks comes from the next.
func mirrorsFrom(list []Location) int {
	n := slices.IndexFunc(list, func(l Location) bool { return l.Kind != Mirror })
	if n < 0 {
		return len(list)
	}
	return n
}

func (req Request) note(format string, args ...any) {
	if req.Note != nil {
		req.Note(fmt.Sprintf(format, args...))
	}
}

// openDefault opens the cached database or, where there is none or an older
// one, the snapshot. A damaged cache is an error: nobody shall be judged by
// older data without knowing that newer was there.
func (req Request) openDefault() (Supply, error) {
	embedded, err := snapshot.Open()
	if err != nil {
		return Supply{}, err
	}
	if req.CacheDir == "" {
		return req.announceSnapshot(embedded, notInstalled), nil
	}
	dir := CachedDatabase(req.CacheDir)
	cached, err := advisory.Open(dir)
	switch {
	case errors.Is(err, advisory.ErrMissing):
		return req.announceSnapshot(embedded, notInstalled), nil
	case err != nil:
		return Supply{}, err
	case cached.Manifest().Built.Before(embedded.Manifest().Built):
		req.note("the advisory database in %s is older than the snapshot in this program", dir)
		return req.announceSnapshot(embedded, notInstalled), nil
	}
	return Supply{Database: cached, Name: dir}, nil
}

const notInstalled = "NO ADVISORY DATABASE IS INSTALLED"

// announceSnapshot says loudly what the run is judged by.
func (req Request) announceSnapshot(db *advisory.Database, why string) Supply {
	m := db.Manifest()
	days := int(req.Now.Sub(m.Built) / (24 * time.Hour))
	req.note("%s: using the snapshot in this program, %d days old (%s, parts of it older). "+
		"It shows what was known then and cannot show that nothing is known now. "+
		"`portcullis db update` installs a current database; --db names another.", why, days, m.Built.Format(time.DateOnly))
	return Supply{Database: db, Name: snapshot.Name, Embedded: true}
}

// open opens one place, or several mirrors of one database.
func (req Request) open(ctx context.Context, group []Location, need Need) (Supply, error) {
	l := group[0]
	switch l.Kind {
	case Cache:
		if req.CacheDir == "" {
			return Supply{}, ErrNoCache
		}
		dir := CachedDatabase(req.CacheDir)
		db, err := advisory.Open(dir)
		return Supply{Database: db, Name: dir}, err
	case Embedded:
		db, err := snapshot.Open()
		if err != nil {
			return Supply{}, err
		}
		return req.announceSnapshot(db, "NO CURRENT ADVISORY DATABASE"), nil
	case Registry, Mirror:
		return req.openRemote(ctx, group, need)
	case OnlineAPI:
		return req.openOnline(ctx, l, need)
	default:
		dir := l.Value
		if req.Path != nil {
			dir = req.Path(dir)
		}
		db, err := advisory.Open(dir)
		return Supply{Database: db, Name: l.Value}, err
	}
}

// openOnline asks a service about every package.
func (req Request) openOnline(ctx context.Context, l Location, need Need) (s Supply, err error) {
	if req.Offline {
		return Supply{}, fmt.Errorf("%s: %w", l, ErrOffline)
	}
	var queries []advisory.Query
	if need.Queries != nil {
		queries = need.Queries()
	}
	if need.Queries == nil {
		return Supply{}, fmt.Errorf("%s: it answers questions about packages and cannot be read as a whole", l)
	}
	scratch, err := os.MkdirTemp("", "portcullis-osv-*")
	if err != nil {
		return Supply{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(scratch))
		}
	}()
	req.note("asking the %s about %d names and versions of packages: they leave this machine", l, len(queries))
	api := online.API{Client: req.Client, Base: l.Value}
	db, err := api.Database(ctx, queries, scratch, req.Tool, req.Now)
	if err != nil {
		return Supply{}, err
	}
	return Supply{Database: db, Name: l.String(), scratch: scratch}, nil
}
