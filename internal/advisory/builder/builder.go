// Package builder compiles advisories into a database: OSV records, single, in
// directories or in the archives that osv.dev exports, become one compact
// shard per ecosystem or distribution release and a manifest. The same input
// gives the same bytes. It is not for fetching anything. The main function is
// Build.
package builder

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/advisory/feed"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// ErrNoInput is wrapped by errors about a path that holds no advisories.
var ErrNoInput = errors.New("no advisories there: expected OSV records as .json or .zip")

// Request says what to build from what.
type Request struct {
	// From are files and directories, searched recursively without following
	// links. Files are recognised by their names: archives (.zip, .tar.zst) of documents,
	// nvdcve-*.json[.gz], epss_scores*.csv[.gz],
	// known_exploited_vulnerabilities*.json, debian-security-tracker*.json[.gz],
	// *updateinfo*.xml[.gz] (Amazon, Oracle, Fedora), com.oracle.elsa*.xml[.bz2],
	// cve_data_photon*.json, arch-linux*.json, endoflife-*.json, debian.csv and
	// ubuntu.csv (distro-info-data); any other .json must be an OSV
	// record, an Alpine secdb file or a VEX document of Red Hat, SUSE or Ubuntu.
	// All else is left alone.
	From []string
	// Out is the directory of the database. It is created; a database that is
	// there already is replaced when all is written.
	Out string
	// Now is the build time that the manifest records.
	Now time.Time
	// Fetched is when the input was obtained from its publishers. Where it is
	// zero, the times within archives are used, then the newest record's.
	Fetched time.Time
	// Tool is the name and version of the program, for the manifest.
	Tool string
	// Ecosystems are OSV ecosystems, with releases, whose shards are made even
	// if they come out empty: it is known that nothing is known.
	Ecosystems []string
	// Redistributable leaves out all sources whose licence does not allow to
	// pass their data on, or is unknown.
	Redistributable bool
	// Workers is the number of records decoded at a time; zero for as many as
	// there are processors.
	Workers int
}

// Build compiles a database and returns its manifest. A document that is not
// valid ends the build with an error that names it: a database that silently
// lacks a record would answer "not affected". The error wraps ErrNoInput when
// there was nothing to build from.
func Build(ctx context.Context, req Request) (advisory.Manifest, error) {
	if len(req.From) == 0 && len(req.Ecosystems) == 0 {
		return advisory.Manifest{}, fmt.Errorf("build advisory database: %w", ErrNoInput)
	}
	c, err := collect(ctx, req)
	if err != nil {
		return advisory.Manifest{}, fmt.Errorf("build advisory database: %w", err)
	}
	c.strings = nil
	c.resolve()
	m, err := write(ctx, req, c)
	if err != nil {
		return advisory.Manifest{}, fmt.Errorf("build advisory database: %w", err)
	}
	return m, nil
}

// collect reads, decodes and gathers all input. One goroutine reads, several
// decode, one gathers; nothing is held but what goes into the database.
func collect(ctx context.Context, req Request) (*collection, error) {
	workers := req.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	packer, err := advisory.NewPacker()
	if err != nil {
		return nil, err
	}
	c := newCollection(packer)
	for _, name := range req.Ecosystems {
		if p, ok := ecosystem.Locate(name); ok {
			c.pileOf(p.Shard(), p).keep = true
		}
	}
	documents := make(chan document, 4*workers)
	results := make(chan converted, 4*workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		defer close(documents)
		defer recovered.As(&err, "read the sources")
		return read(ctx, req, documents, &c.risk)
	})
	decoders, decoding := errgroup.WithContext(ctx)
	for range workers {
		decoders.Go(func() (err error) {
			defer recovered.As(&err, "read advisories")
			return decode(decoding, req, documents, results)
		})
	}
	g.Go(func() error {
		defer close(results)
		return decoders.Wait()
	})
	g.Go(func() (err error) {
		defer recovered.As(&err, "gather advisories")
		for r := range results {
			for _, reason := range r.skipped {
				c.skipped[reason]++
			}
			if r.advisory.ID != "" {
				c.add(r)
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return c, nil
}

func read(ctx context.Context, req Request, documents chan<- document, risk *riskData) error {
	send := func(d document) error {
		select {
		case documents <- d:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return walk(ctx, req.From, req.Out, func(path string) error {
		switch kind := classify(path); kind {
		case archive:
			return readArchive(ctx, path, send)
		case tarball:
			return readTarball(ctx, path, send)
		case epss:
			return risk.readEPSS(path)
		case kev:
			return risk.readKEV(path)
		case endOfLife, distroInfo:
			return risk.ends.read(path, kind)
		case nvd:
			return risk.nvd.read(path)
		case debianTracker, updateInfo, archList, photonList, oracleOVAL:
			return readFeed(path, kind, send)
		}
		d, err := readFile(path, osv.MaxRecordSize)
		if err != nil {
			return err
		}
		return send(d)
	})
}

func decode(ctx context.Context, req Request, documents <-chan document, results chan<- converted) error {
	for d := range documents {
		records, partial, err := recordsOf(d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		for _, r := range records {
			c := convertRecord(req, r, d, partial)
			select {
			case results <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// recordsOf reads a document: an OSV record, or one of a vendor's own feeds.
// Records of those come in parts, each file holding what it knows of a flaw.
func recordsOf(d document) (records []osv.Record, partial bool, err error) {
	if d.ready != nil {
		return []osv.Record{*d.ready}, true, nil
	}
	r, err := osv.Decode(d.data)
	if err == nil {
		return []osv.Record{r}, false, nil
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(d.data, &keys) != nil {
		return nil, false, err
	}
	switch {
	case feed.IsSecDB(keys):
		records, err = feed.SecDB(d.data)
	case feed.IsCSAF(keys):
		records, err = feed.CSAF(d.data)
	case feed.IsOpenVEX(keys):
		records, err = feed.UbuntuVEX(d.data)
	}
	return records, true, err
}

// convertRecord turns a record into what the collection holds.
func convertRecord(req Request, r osv.Record, d document, partial bool) converted {
	source := osv.SourceOf(r.ID)
	if req.Redistributable && !source.Redistributable {
		return converted{skipped: []string{skipLicence + source.Name}}
	}
	sum := sha256.Sum256(d.data)
	if r.Modified.IsZero() {
		r.Modified = r.Published
	}
	out := converted{
		source: &source, modified: r.Modified.UTC(), fetched: d.stamp, feed: d.feed, digest: [8]byte(sum[:8]),
		withdrawn: r.Withdrawn != nil, partial: partial,
		advisory: advisory.Advisory{ID: r.ID, Title: r.Title(), Published: r.Published, Ratings: ratingsOf(r)},
	}
	out.same, out.contents = relations(r, source)
	skip := func(reason string) { out.skipped = append(out.skipped, reason) }
	switch {
	case out.withdrawn:
		// It stays in the collection, so that an older copy of the same record
		// in another archive does not come back.
		skip(skipWithdrawn)
		return out
	case source.Bundles && len(out.contents) == 0 && isErratum(r.ID):
		return converted{skipped: []string{skipNoFlaw}}
	}
	out.entries = convert(r, skip)
	if strings.HasPrefix(r.ID, "MAL-") {
		out.advisory.Kind = advisory.Malware
	}
	for _, f := range out.entries {
		for _, rating := range f.entry.Ratings {
			if strings.HasPrefix(rating.Word, "informational") {
				out.advisory.Kind = advisory.Notice
			}
		}
	}
	return out
}

// relations reads the three relations between ids, which are not the same:
// aliases name one flaw; upstream, the aliases of bundles, and what AlmaLinux
// calls related, are contents; related elsewhere is only worth a look.
func relations(r osv.Record, source osv.Source) (same, contents []string) {
	contents = append(contents, r.Upstream...)
	if source.Bundles {
		contents = append(contents, r.Aliases...)
		if source.Name == almaLinux || source.Name == rockyLinux {
			contents = append(contents, onlyCVEs(r.Related)...)
		}
		return nil, contents
	}
	return r.Aliases, contents
}

const (
	almaLinux  = "AlmaLinux OSV database"
	rockyLinux = "Rocky Enterprise Software Foundation"
)

func onlyCVEs(ids []string) []string {
	var cves []string
	for _, id := range ids {
		if strings.HasPrefix(id, "CVE-") {
			cves = append(cves, id)
		}
	}
	return cves
}

// isErratum tells bug fix and enhancement advisories by their ids.
func isErratum(id string) bool {
	for _, prefix := range []string{"ALBA-", "ALEA-", "RHBA-", "RHEA-", "ELBA-"} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}
