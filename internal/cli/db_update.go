package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/mirror"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/advisory/update"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// publishedDatabase is where this project's workflow publishes its database.
const publishedDatabase = "registry:ghcr.io/portcullis-ci/advisories:1"

// dbUpdateFlags are the flags of db update.
type dbUpdateFlags struct {
	database string
	from     []string
	mirrors  []string
	insecure bool
	records  recordFlags
}

func (p Program) dbUpdateCommand() *cobra.Command {
	var f dbUpdateFlags
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Bring an advisory database up to date",
		Long: `Bring an advisory database up to date: from a registry or web servers that hold
one as db build writes it, or by building it from what publishers publish.

With --from, places are asked in their order; what one mirror fails to deliver
is asked of the next. Nothing is replaced before the new database is whole and
verified, and an older one never replaces a newer one. Without --from and
--ecosystem, the database that this project publishes is fetched.

With --ecosystem or --feed, records are fetched from OSV's export and from the
publishers, only what changed, and compiled. Each archive is compared with the
export's own list of its records.`,
		Example: `  portcullis db update
  portcullis db update --from https://mirror.example/advisories/ --from registry:registry.example/security/advisories:latest
  portcullis db update --ecosystem Debian --ecosystem npm --feed epss --feed kev --db db/`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.dbUpdate(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.from, "from", nil, "registry:REFERENCE or https://… of a database (repeatable, best first; default "+publishedDatabase+")")
	flags.StringArrayVar(&f.mirrors, "mirror", nil, "the same as --from for web servers")
	flags.BoolVar(&f.insecure, "insecure", false, "allow plain HTTP to registries and mirrors that are not on this machine")
	f.records.register(flags)
	p.installFlag(cmd, &f.database)
	return cmd
}

func (p Program) dbUpdate(ctx context.Context, f *dbUpdateFlags) error {
	dir, err := p.installInto(f.database)
	if err != nil {
		return err
	}
	from := append(append([]string{}, f.from...), f.mirrors...)
	if f.records.any() {
		if len(from) > 0 {
			return &exit.Error{Code: exit.Usage, Doing: "--from fetches a database, --ecosystem and --feed build one: give either"}
		}
		return p.dbUpdateRecords(ctx, f, dir)
	}
	if len(from) == 0 {
		from = []string{publishedDatabase}
	}
	locations, err := supply.Parse(strings.Join(from, ","))
	if err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "read --from", Err: err}
	}
	for _, l := range locations {
		if l.Kind != supply.Mirror && l.Kind != supply.Registry {
			return &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("--from %q is neither registry:REFERENCE nor an https address", l)}
		}
	}
	return p.updateFrom(ctx, f, locations, dir)
}

// updateFrom installs the database of the first place that has one.
func (p Program) updateFrom(ctx context.Context, f *dbUpdateFlags, locations []supply.Location, dir string) error {
	var errs []error
	for i := 0; i < len(locations); i++ {
		var urls []string
		for ; i < len(locations) && locations[i].Kind == supply.Mirror; i++ {
			urls = append(urls, locations[i].Value)
		}
		if len(urls) > 0 {
			i--
		}
		r, err := p.pullOne(ctx, f, locations[i], urls, dir)
		if err == nil {
			return p.sayUpdated(r)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if i+1 < len(locations) {
			p.tellFailed(locations[i].String(), err)
		}
		errs = append(errs, err)
	}
	hint := storageHint(errors.Join(errs...), dir, "--db", "nothing was changed in "+dir)
	if len(f.from)+len(f.mirrors) == 0 {
		hint += "; to build a database here: portcullis db update --ecosystem Debian --feed kev"
	}
	return &exit.Error{Code: exit.DataMissing, Err: errors.Join(errs...), Hint: hint}
}

func (p Program) tellFailed(place string, err error) {
	p.printf("portcullis: %s: %s; asking the next\n", neutralise.Log(place), neutralise.Log(err.Error()))
}

// pullOne installs from several mirrors, or from one registry.
func (p Program) pullOne(ctx context.Context, f *dbUpdateFlags, l supply.Location, urls []string, dir string) (mirror.Result, error) {
	if len(urls) > 0 {
		left := len(urls)
		m := mirror.Mirrors{Client: p.downloads(f.insecure), URLs: urls, Report: func(address string, err error) {
			if left--; left > 0 {
				p.tellFailed(address, err)
			}
		}}
		return m.Pull(ctx, dir, nil)
	}
	registry, err := p.registry(imageFlags{insecure: f.insecure}, l.Value)
	if err != nil {
		return mirror.Result{}, err
	}
	a, err := registry.Resolve(ctx, l.Value)
	if err != nil {
		return mirror.Result{}, err
	}
	r := mirror.Result{URL: l.String() + " " + a.Digest, Changed: true}
	if r.Manifest, err = advisory.DecodeManifest(a.Manifest); err != nil {
		return r, fmt.Errorf("%s: %w", l, err)
	}
	if old, err := advisory.Open(dir); err == nil {
		if old.Manifest().Built.After(r.Manifest.Built) {
			return mirror.Result{URL: r.URL, Manifest: old.Manifest()}, nil
		}
		r.Changed = old.Digest() != advisory.Digest(a.Manifest)
	}
	_, err = store.Install(ctx, dir, a.Manifest, nil, a.Fetch)
	return r, err
}

func (p Program) sayUpdated(r mirror.Result) error {
	word := "is up to date"
	if r.Changed {
		word = "updated"
	}
	records, size := totals(r.Manifest)
	_, err := fmt.Fprintf(p.Stdout, "%s from %s: %d records in %d shards, %s, built on %s\n", word, neutralise.Line(download.Redact(r.URL)),
		records, len(r.Manifest.Shards), bytesInWords(size), r.Manifest.Built.Format("2006-01-02"))
	return err
}

// dbUpdateRecords fetches records and compiles them.
func (p Program) dbUpdateRecords(ctx context.Context, f *dbUpdateFlags, dir string) error {
	copyDir := f.records.dir
	if copyDir == "" {
		cache := p.cacheDir()
		if cache == "" {
			return &exit.Error{Code: exit.Usage, Doing: "keep the records that are fetched", Err: supply.ErrNoCache, Hint: "name a directory with --records DIR"}
		}
		copyDir = filepath.Join(cache, "records")
	}
	if err := os.MkdirAll(copyDir, 0o755); err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "keep the records that are fetched", Err: err}
	}
	// Also while they are compiled: another run must not change them meanwhile.
	unlock, err := store.Lock(copyDir)
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Err: err}
	}
	defer unlock()
	from, err := p.fetchRecords(ctx, f, copyDir)
	if err != nil {
		code, hint := exit.DataMissing, storageHint(err, copyDir, "--records", "nothing was changed in "+dir+"; what arrived is kept in "+copyDir)
		if errors.Is(err, update.ErrUnknownFeed) || errors.Is(err, update.ErrBadName) {
			code, hint = exit.Usage, ""
		}
		return &exit.Error{Code: code, Err: err, Hint: hint}
	}
	return p.dbBuild(ctx, &dbBuildFlags{from: from, out: dir, outFlag: "--db", redistributable: f.records.redistributable})
}

// fetchRecords brings the copy of the records up to date and returns the
// directories that were asked for: the copy may hold others from before.
func (p Program) fetchRecords(ctx context.Context, f *dbUpdateFlags, copyDir string) ([]string, error) {
	var from []string
	client := p.downloads(f.insecure)
	if len(f.records.ecosystems) > 0 {
		req := update.Request{Client: client, Base: f.records.export, Dir: filepath.Join(copyDir, "osv"), Now: p.Clock()}
		for _, name := range f.records.ecosystems {
			req.Ecosystems = []string{name}
			results, err := update.Run(ctx, req)
			switch {
			case err == nil:
				p.printf("%-20s %s\n", neutralise.Log(name), results[0])
			case ctx.Err() == nil && update.HasCopy(req.Dir, name) && isUnreachable(err):
				p.printf("%-20s %s; USING THE COPY FROM BEFORE, which keeps its age\n", neutralise.Log(name), neutralise.Log(err.Error()))
			default:
				return nil, err
			}
			from = append(from, filepath.Join(req.Dir, name))
		}
	}
	for _, name := range f.records.feeds {
		req := update.FeedRequest{Client: client, Names: []string{name}, Dir: filepath.Join(copyDir, "feeds", name), Now: p.Clock()}
		if f.records.feedBase != "" {
			req.Address = func(public string) string {
				_, path, _ := strings.Cut(public, "://")
				return strings.TrimSuffix(f.records.feedBase, "/") + "/" + path
			}
		}
		changed, err := update.Feeds(ctx, req)
		switch {
		case err == nil:
			p.printf("%-20s %d new files\n", name, changed)
		case ctx.Err() == nil && update.HasFeed(req) && isUnreachable(err):
			p.printf("%-20s %s; USING THE COPY FROM BEFORE, which keeps its age\n", name, neutralise.Log(err.Error()))
		default:
			return nil, err
		}
		from = append(from, req.Dir)
	}
	return from, nil
}

// isUnreachable reports whether an error is about getting at a server, and not
// about what it said: then the copy from before is as true as it was.
func isUnreachable(err error) bool {
	return !errors.Is(err, update.ErrIncomplete) && !errors.Is(err, osv.ErrInvalid) && !errors.Is(err, update.ErrUnknownFeed) && !errors.Is(err, update.ErrBadName)
}
