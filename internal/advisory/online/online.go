// Package online makes a database of what the OSV API knows about the packages
// of one inventory, for those who do not want to keep a local one. The records
// are matched like those of any other database, so the findings are the same.
// What it sends away is the list of packages with their versions. It is not
// for CI: the answer may change between two runs.
package online

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// DefaultBase is the public API, https://google.github.io/osv.dev/api/.
const DefaultBase = "https://api.osv.dev"

// Bounds: the API takes 1,000 queries at a time and answers with up to 32 MiB.
const (
	batchSize  = 1000
	maxAnswer  = 64 << 20
	maxRecords = 50_000
	maxPages   = 100
	parallel   = 8
)

// API says where to ask.
type API struct {
	Client *download.Client
	// Base is the address of the API; empty for DefaultBase.
	Base string
}

type question struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
	} `json:"package"`
	Version string `json:"version,omitempty"`
	Page    string `json:"page_token,omitempty"`
}

type answer struct {
	Results []struct {
		Vulns []struct {
			ID string `json:"id"`
		} `json:"vulns"`
		Next string `json:"next_page_token"`
	} `json:"results"`
}

// Database asks for all queries and builds a database in the directory. It has
// a shard for every ecosystem that was asked for, though nothing may be known.
// Now is the time that is noted as that of fetching and building.
func (a API) Database(ctx context.Context, queries []advisory.Query, dir, tool string, now time.Time) (*advisory.Database, error) {
	ids, err := a.ids(ctx, queries)
	if err != nil {
		return nil, fmt.Errorf("ask the OSV API: %w", err)
	}
	records := filepath.Join(dir, "records")
	if err := os.MkdirAll(records, 0o755); err != nil {
		return nil, fmt.Errorf("ask the OSV API: %w", err)
	}
	if err := a.fetch(ctx, ids, records); err != nil {
		return nil, fmt.Errorf("ask the OSV API: %w", err)
	}
	req := builder.Request{Out: filepath.Join(dir, "db"), Now: now, Fetched: now, Tool: tool}
	if len(ids) > 0 {
		req.From = []string{records}
	}
	for _, q := range queries {
		if !slices.Contains(req.Ecosystems, q.Ecosystem) {
			req.Ecosystems = append(req.Ecosystems, q.Ecosystem)
		}
	}
	if len(req.Ecosystems) == 0 {
		// Nothing can be asked about this inventory. A database has to have
		// some part all the same; what it lacks is said of each package.
		req.Ecosystems = []string{"Go"}
	}
	if _, err := builder.Build(ctx, req); err != nil {
		return nil, err
	}
	return advisory.Open(req.Out)
}

// ids asks which records are about the queries, page by page.
func (a API) ids(ctx context.Context, queries []advisory.Query) ([]string, error) {
	var pending []question
	for _, q := range queries {
		one := question{Version: q.Version}
		one.Package.Name, one.Package.Ecosystem = q.Name, q.Ecosystem
		pending = append(pending, one)
	}
	found := make(map[string]bool)
	for page := 0; len(pending) > 0; page++ {
		if page == maxPages {
			return nil, fmt.Errorf("%w: more than %d pages", osv.ErrInvalid, maxPages)
		}
		var next []question
		for batch := range slices.Chunk(pending, batchSize) {
			more, err := a.batch(ctx, batch, found)
			if err != nil {
				return nil, err
			}
			next = append(next, more...)
		}
		pending = next
	}
	if len(found) > maxRecords {
		return nil, fmt.Errorf("%w: %d records are more than the limit of %d", osv.ErrInvalid, len(found), maxRecords)
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// batch asks one batch and returns the questions that have another page.
func (a API) batch(ctx context.Context, batch []question, found map[string]bool) ([]question, error) {
	body, err := json.Marshal(map[string]any{"queries": batch})
	if err != nil {
		return nil, err
	}
	data, err := a.Client.Post(ctx, a.address("/v1/querybatch"), body, maxAnswer)
	if err != nil {
		return nil, err
	}
	var got answer
	if err := json.Unmarshal(data, &got); err != nil {
		return nil, fmt.Errorf("%w: %w", osv.ErrInvalid, err)
	}
	if len(got.Results) != len(batch) {
		return nil, fmt.Errorf("%w: %d answers to %d queries", osv.ErrInvalid, len(got.Results), len(batch))
	}
	var more []question
	for i, r := range got.Results {
		for _, v := range r.Vulns {
			if v.ID == "" || v.ID != filepath.Base(v.ID) || strings.HasPrefix(v.ID, ".") || strings.ContainsAny(v.ID, `/\`) {
				return nil, fmt.Errorf("%w: id %q", osv.ErrInvalid, v.ID)
			}
			found[v.ID] = true
		}
		if r.Next != "" {
			again := batch[i]
			again.Page = r.Next
			more = append(more, again)
		}
	}
	return more, nil
}

// fetch gets the records, several at a time, checks them and writes them.
func (a API) fetch(ctx context.Context, ids []string, dir string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	var disk sync.Mutex
	for _, id := range ids {
		g.Go(func() (err error) {
			defer recovered.As(&err, "read "+id)
			data, err := a.Client.Bytes(ctx, a.address("/v1/vulns/"+url.PathEscape(id)), osv.MaxRecordSize)
			if err != nil {
				return err
			}
			r, err := osv.Decode(data)
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if r.ID != id {
				return fmt.Errorf("%w: asked for %s and got %s", osv.ErrInvalid, id, r.ID)
			}
			disk.Lock()
			defer disk.Unlock()
			return os.WriteFile(filepath.Join(dir, id+".json"), data, 0o600)
		})
	}
	return g.Wait()
}

func (a API) address(path string) string {
	base := a.Base
	if base == "" {
		base = DefaultBase
	}
	return strings.TrimSuffix(base, "/") + path
}
