// Package update keeps a copy of OSV's bulk export in a directory, from which
// the builder makes a database: archives are fetched when they changed, single
// records in between, and every archive is compared with the export's own list
// of ids, because archives have been incomplete. It is not for building.
package update

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/atomicfile"
)

// DefaultBase is the public export, https://google.github.io/osv.dev/data/.
const DefaultBase = "https://storage.googleapis.com/osv-vulnerabilities"

// Bounds on what the export may hold.
const (
	maxArchive = 4 << 30
	maxList    = 256 << 20
	// maxSingles is the number of records that are fetched one by one; where
	// more are needed, the whole archive is the better choice.
	maxSingles = 2000
)

// ErrIncomplete is wrapped by errors about an archive that lacks more records
// than can be fetched one by one.
var ErrIncomplete = errors.New("the archive lacks records that the export lists")

// ErrBadName is wrapped by errors about a name that no ecosystem can have.
var ErrBadName = errors.New("is not the name of an ecosystem")

// Request says what to keep up to date.
type Request struct {
	Client *download.Client
	// Base is the address of the export; empty for DefaultBase.
	Base string
	// Ecosystems are directories of the export: Debian, npm, Red Hat …
	Ecosystems []string
	// Dir is the directory of the copy, with the export's own layout. Several
	// processes may share it.
	Dir string
	// Now is the time that is noted as that of fetching.
	Now time.Time
	// FullAfter is the age from which an archive is looked at again; until then
	// only records that the export lists as modified are fetched. Zero for one
	// day.
	FullAfter time.Duration
}

// Result is what became of one ecosystem.
type Result struct {
	Ecosystem string
	// Archive is true when a new archive was fetched.
	Archive bool
	// Records is the number of records that were fetched one by one.
	Records int
}

// String says it in words.
func (r Result) String() string {
	what := "archive as before"
	if r.Archive {
		what = "new archive"
	}
	if r.Records > 0 {
		what += fmt.Sprintf(", %d single records", r.Records)
	}
	return what
}

// Run brings the copy up to date. Ecosystems are independent: the error joins
// what failed, and the others are done all the same.
func Run(ctx context.Context, req Request) ([]Result, error) {
	if req.Base == "" {
		req.Base = DefaultBase
	}
	if req.FullAfter <= 0 {
		req.FullAfter = 24 * time.Hour
	}
	if err := os.MkdirAll(req.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("update advisories: %w", err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(req.Dir, ".lock")).Lock()
	if err != nil {
		return nil, fmt.Errorf("update advisories: lock %s: %w", req.Dir, err)
	}
	defer unlock()
	var results []Result
	var errs []error
	for _, name := range req.Ecosystems {
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		r, err := updateOne(ctx, req, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("update advisories of %s: %w", name, err))
			continue
		}
		results = append(results, r)
	}
	return results, errors.Join(errs...)
}

// ecosystem is one directory of the copy.
type ecosystem struct {
	req  Request
	name string
	dir  string
}

func (e ecosystem) archive() string { return filepath.Join(e.dir, "all.zip") }

// singles is the directory of records that were fetched one by one.
func (e ecosystem) singles() string { return filepath.Join(e.dir, "single") }

// listFile is the list that the copy agrees with; the builder takes the time in
// the note beside it for that of the records around it.
func (e ecosystem) listFile() string { return filepath.Join(e.singles(), "list") }

func (e ecosystem) address(file string) string {
	return strings.TrimSuffix(e.req.Base, "/") + "/" + url.PathEscape(e.name) + "/" + url.PathEscape(file)
}

func updateOne(ctx context.Context, req Request, name string) (Result, error) {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return Result{}, fmt.Errorf("%q %w", name, ErrBadName)
	}
	e := ecosystem{req: req, name: name, dir: filepath.Join(req.Dir, name)}
	list, err := e.list(ctx)
	if err != nil {
		return Result{}, err
	}
	info := download.ReadInfo(e.archive())
	before, done := e.lastList()
	if info.Fetched.IsZero() || !done || req.Now.Sub(info.Fetched) >= req.FullAfter {
		return e.full(ctx, list)
	}
	changed := list.without(before)
	if len(changed) > maxSingles {
		return e.full(ctx, list)
	}
	// What is fetched one by one was modified after the archive; the builder
	// takes the newer of two copies.
	n, err := e.fetch(ctx, changed)
	if err == nil {
		err = e.keepList(list)
	}
	return Result{Ecosystem: name, Records: n}, err
}

// lastList reads the list with which the copy agreed when it was last brought
// up to date; false when that was never finished. Comparing lists does without
// clocks: a record is listed some time after the moment that it names.
func (e ecosystem) lastList() (idList, bool) {
	data, err := os.ReadFile(e.listFile())
	if err != nil {
		return nil, false
	}
	l, err := parseList(data)
	return l, err == nil
}

// keepList notes that the copy agrees with the list.
func (e ecosystem) keepList(l idList) error {
	if err := os.MkdirAll(e.singles(), 0o755); err != nil {
		return err
	}
	var b strings.Builder
	for _, m := range l {
		fmt.Fprintf(&b, "%s,%s\n", m.when.Format(time.RFC3339Nano), m.id)
	}
	err := download.WriteInfo(e.listFile(), download.Info{URL: e.address("modified_id.csv"), Size: int64(b.Len()), Fetched: e.req.Now})
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(e.listFile(), []byte(b.String()))
}

// full looks at the archive, fetches it when it changed, and fills in what it
// lacks.
func (e ecosystem) full(ctx context.Context, list idList) (Result, error) {
	changed, err := e.req.Client.File(ctx, e.address("all.zip"), e.archive(), maxArchive, e.req.Now)
	if err != nil {
		return Result{}, err
	}
	if changed {
		// The list as well: until all is done, the copy agrees with none.
		if err := os.RemoveAll(e.singles()); err != nil {
			return Result{}, err
		}
	}
	missing, err := e.missing(list)
	if err != nil {
		return Result{}, err
	}
	if written, err := http.ParseTime(download.ReadInfo(e.archive()).LastModified); err == nil {
		for _, id := range list.since(written.Add(-exportTime)) {
			if !slices.Contains(missing, id) {
				missing = append(missing, id)
			}
		}
	}
	if len(missing) > maxSingles {
		return Result{}, fmt.Errorf("%w: %d, such as %s", ErrIncomplete, len(missing), missing[0])
	}
	n, err := e.fetch(ctx, missing)
	if err == nil {
		err = e.keepList(list)
	}
	return Result{Ecosystem: e.name, Archive: changed, Records: n}, err
}

// exportTime is how long the export may take: records that were modified within
// it before an archive was written may be in there in their older form.
const exportTime = 30 * time.Minute

// fetch gets single records, checks that they are the ones asked for, and
// writes them. A record that is gone from the export is no error: it was
// removed between the list and now.
func (e ecosystem) fetch(ctx context.Context, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	if err := os.MkdirAll(e.singles(), 0o755); err != nil {
		return 0, err
	}
	n := 0
	for _, id := range ids {
		data, err := e.req.Client.Bytes(ctx, e.address(id+".json"), osv.MaxRecordSize)
		var status *download.StatusError
		if errors.As(err, &status) && status.Status == 404 {
			continue
		}
		if err != nil {
			return n, err
		}
		r, err := osv.Decode(data)
		if err != nil {
			return n, fmt.Errorf("%s: %w", id, err)
		}
		if r.ID != id {
			return n, fmt.Errorf("%w: asked for %s and got %s", osv.ErrInvalid, id, r.ID)
		}
		if err := atomicfile.WriteBytes(filepath.Join(e.singles(), id+".json"), data); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// modified is one line of modified_id.csv.
type modified struct {
	when time.Time
	id   string
}

// idList is the export's list of the records of an ecosystem, newest first.
type idList []modified

// without lists the ids that another list does not have with the same time.
func (l idList) without(other idList) []string {
	known := make(map[string]time.Time, len(other))
	for _, m := range other {
		known[m.id] = m.when
	}
	var ids []string
	for _, m := range l {
		if when, ok := known[m.id]; !ok || !when.Equal(m.when) {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// since lists the ids that were modified at or after a time.
func (l idList) since(when time.Time) []string {
	var ids []string
	for _, m := range l {
		if !m.when.Before(when) {
			ids = append(ids, m.id)
		}
	}
	return ids
}

func (e ecosystem) list(ctx context.Context) (idList, error) {
	data, err := e.req.Client.Bytes(ctx, e.address("modified_id.csv"), maxList)
	if err != nil {
		return nil, err
	}
	l, err := parseList(data)
	if err != nil {
		return nil, fmt.Errorf("list of %s: %w", e.name, err)
	}
	return l, nil
}

// parseList reads lines of time and id. Ids become names of files, so they
// must be nothing else. Of an id that stands there twice the latest time counts.
func parseList(data []byte) (idList, error) {
	var l idList
	at := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		stamp, id, ok := strings.Cut(line, ",")
		when, err := time.Parse(time.RFC3339Nano, stamp)
		if !ok || err != nil {
			return nil, fmt.Errorf("%w: line %d is no time and id", osv.ErrInvalid, n)
		}
		if id == "" || id != filepath.Base(id) || strings.HasPrefix(id, ".") || strings.ContainsAny(id, `/\`) {
			return nil, fmt.Errorf("%w: line %d: id %q", osv.ErrInvalid, n, id)
		}
		if i, twice := at[id]; twice {
			if when.After(l[i].when) {
				l[i].when = when
			}
			continue
		}
		at[id] = len(l)
		l = append(l, modified{when, id})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", osv.ErrInvalid, err)
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("%w: it is empty", osv.ErrInvalid)
	}
	return l, nil
}
