package cli

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/ociartifact"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// databaseUsage is the help of --db for commands that read a database.
const databaseUsage = "advisory database: a directory, registry:REFERENCE, https://…, osv-api, cache or embedded; several separated by commas, best first (default: the one in the cache, or the snapshot in this program)"

// supplyRequest says how to get at the database that a text names.
func (p Program) supplyRequest(text string, f imageFlags) (supply.Request, error) {
	locations, err := supply.Parse(text)
	if err != nil {
		return supply.Request{}, &exit.Error{Code: exit.Usage, Doing: "read --db or db.path", Err: err}
	}
	return supply.Request{
		Locations: locations, CacheDir: p.cacheDir(), Offline: f.offline,
		Client: p.downloads(f.insecure), Tool: "portcullis " + Version().Version, Now: p.Clock(),
		Registry: func(reference string) (ociartifact.Registry, error) { return p.registry(f, reference) },
	}, nil
}

// openDatabase opens the database that a text names, for commands that look at
// databases.
func (p Program) openDatabase(ctx context.Context, text string, f imageFlags, need supply.Need) (supply.Supply, error) {
	req, err := p.supplyRequest(text, f)
	if err != nil {
		return supply.Supply{}, err
	}
	req.Note = func(message string) { p.printf("portcullis: %s\n", neutralise.Log(message)) }
	db, err := supply.Open(ctx, req, need)
	if err != nil {
		return supply.Supply{}, gate.MissingData(err)
	}
	return db, nil
}

// downloads is the client for web servers.
func (p Program) downloads(insecure bool) *download.Client {
	client := &download.Client{Insecure: insecure}
	if p.Transport != nil {
		client.HTTP = &http.Client{Transport: p.Transport}
	}
	return client
}

// installInto is the directory in which a command installs a database: the
// given one or that of the cache.
func (p Program) installInto(dir string) (string, error) {
	if dir != "" && dir != "cache" {
		return dir, forDatabase(dir, "--db")
	}
	cache := p.cacheDir()
	if cache == "" {
		return "", &exit.Error{
			Code: exit.Usage, Doing: "install the database", Err: supply.ErrNoCache,
			Hint: "name a directory with --db DIR",
		}
	}
	return supply.CachedDatabase(cache), nil
}

// forDatabase refuses a folder for a database that is somebody else's.
func forDatabase(dir, flag string) error {
	err := store.CheckDir(dir)
	if !errors.Is(err, store.ErrOther) {
		return nil // what else is wrong with it shows in writing
	}
	return &exit.Error{
		Code: exit.Usage, Doing: "put a database into a folder", Err: err,
		Hint: "name an empty folder, one that is not there yet or that of a database with " + flag,
	}
}

// cacheDir is the directory for what may be fetched again: PORTCULLIS_CACHE_DIR
// or a folder in the user's own cache; empty where the environment names none.
func (p Program) cacheDir() string {
	if dir := p.Getenv(envPrefix + "CACHE_DIR"); dir != "" {
		if absolute, err := filepath.Abs(dir); err == nil {
			return absolute
		}
	}
	base := p.Getenv("XDG_CACHE_HOME")
	home := p.Getenv("HOME")
	switch {
	case filepath.IsAbs(base):
	case runtime.GOOS == "windows":
		base = p.Getenv("LocalAppData")
	case home == "":
		return ""
	case runtime.GOOS == "darwin":
		base = filepath.Join(home, "Library", "Caches")
	default:
		base = filepath.Join(home, ".cache")
	}
	if base == "" || home == string(os.PathSeparator) && p.Getenv("XDG_CACHE_HOME") == "" {
		return ""
	}
	return filepath.Join(base, "portcullis")
}
