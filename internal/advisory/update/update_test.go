package update_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/advisory/update"
)

var start = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// export stands in for the bucket: records by ecosystem and id.
type export struct {
	mu       sync.Mutex
	records  map[string]map[string]record
	omit     map[string]bool // ids that the archive lacks
	broken   map[string]bool // paths that fail
	requests []string
}

type record struct {
	when time.Time
	json string
}

func (e *export) put(ecosystem, id, fixed string, when time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.records[ecosystem] == nil {
		e.records[ecosystem] = make(map[string]record)
	}
	e.records[ecosystem][id] = record{when, fmt.Sprintf(
		`{"id":%q,"modified":%q,"affected":[{"package":{"ecosystem":%q,"name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
		id, when.Format(time.RFC3339), ecosystem, fixed)}
}

func (e *export) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, r.URL.Path)
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) != 2 || e.records[parts[0]] == nil || e.broken[r.URL.Path] {
		http.NotFound(w, r)
		return
	}
	records := e.records[parts[0]]
	ids := make([]string, 0, len(records))
	for id := range records {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return records[b].when.Compare(records[a].when) })
	switch parts[1] {
	case "modified_id.csv":
		for _, id := range ids {
			fmt.Fprintf(w, "%s,%s\n", records[id].when.Format(time.RFC3339Nano), id)
		}
	case "all.zip":
		data := e.archive(records)
		w.Header().Set("ETag", fmt.Sprintf("%q", advisory.Digest(data)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	default:
		rec, ok := records[strings.TrimSuffix(parts[1], ".json")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(rec.json))
	}
}

func (e *export) archive(records map[string]record) []byte {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for id, r := range records {
		if e.omit[id] {
			continue
		}
		w, err := z.Create(id + ".json")
		if err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(r.json))
	}
	_ = z.Close()
	return buf.Bytes()
}

func newExport(t *testing.T) (*export, update.Request) {
	t.Helper()
	e := &export{records: make(map[string]map[string]record), omit: make(map[string]bool), broken: make(map[string]bool)}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return e, update.Request{
		Client: &download.Client{Attempts: 2, Wait: time.Millisecond, MaxWait: time.Millisecond},
		Base:   s.URL, Dir: t.TempDir(), Now: start,
	}
}

// fixes builds a database of the copy and returns the fixed versions by
// advisory.
func fixes(t *testing.T, dir, shard string, now time.Time) map[string]string {
	t.Helper()
	out := t.TempDir()
	m, err := builder.Build(context.Background(), builder.Request{From: []string{dir}, Out: out, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := m.Shard(shard); !s.Fetched.Equal(now) {
		t.Errorf("%s: fetched %v, want %v", shard, s.Fetched, now)
	}
	db, err := advisory.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	a, err := db.Shard(context.Background(), shard)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := a.Lookup("p")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, e := range entries {
		got[e.Advisory.ID] = e.Ranges[0].Events[1].Version
	}
	return got
}

func TestTheCopyFollowsTheExport(t *testing.T) {
	e, req := newExport(t)
	req.Ecosystems = []string{"npm", "Red Hat"}
	e.put("npm", "GHSA-1", "1.0.0", start.Add(-time.Hour))
	e.put("Red Hat", "RHSA-2024:1", "1.0-1", start.Add(-time.Hour))
	results, err := update.Run(context.Background(), req)
	if err != nil || len(results) != 2 || !results[0].Archive || !results[1].Archive {
		t.Fatalf("%+v, %v", results, err)
	}
	e.put("npm", "GHSA-1", "1.0.1", start.Add(time.Hour))
	e.put("npm", "GHSA-2", "2.0.0", start.Add(2*time.Hour))
	req.Now, req.Ecosystems = start.Add(3*time.Hour), []string{"npm"}
	e.requests = nil
	results, err = update.Run(context.Background(), req)
	if err != nil || results[0].Archive || results[0].Records != 2 {
		t.Fatalf("incremental: %+v, %v", results, err)
	}
	if slices.Contains(e.requests, "/npm/all.zip") {
		t.Error("the archive was fetched for two records")
	}
	got := fixes(t, req.Dir, "npm", req.Now)
	if got["GHSA-1"] != "1.0.1" || got["GHSA-2"] != "2.0.0" {
		t.Errorf("fixes %v", got)
	}
	req.Now = start.Add(4 * time.Hour)
	if results, err = update.Run(context.Background(), req); err != nil || results[0].Records != 0 {
		t.Errorf("nothing new: %+v, %v", results, err)
	}
	req.Now = start.Add(30 * time.Hour)
	results, err = update.Run(context.Background(), req)
	if err != nil || !results[0].Archive || results[0].Records != 0 {
		t.Fatalf("after a day: %+v, %v", results, err)
	}
	if left, _ := filepath.Glob(filepath.Join(req.Dir, "npm", "single", "GHSA-*.json")); len(left) > 0 {
		t.Errorf("single records are left: %v", left)
	}
	if got := fixes(t, req.Dir, "npm", req.Now); got["GHSA-1"] != "1.0.1" {
		t.Errorf("fixes %v", got)
	}
}

func TestWhatAnArchiveLacksIsFilledIn(t *testing.T) {
	e, req := newExport(t)
	req.Ecosystems = []string{"npm"}
	e.put("npm", "GHSA-1", "1.0.0", start.Add(-time.Hour))
	e.put("npm", "GHSA-2", "2.0.0", start.Add(-2*time.Hour))
	e.omit["GHSA-2"] = true
	results, err := update.Run(context.Background(), req)
	if err != nil || results[0].Records != 1 {
		t.Fatalf("%+v, %v", results, err)
	}
	if got := fixes(t, req.Dir, "npm", start); got["GHSA-2"] != "2.0.0" {
		t.Errorf("fixes %v", got)
	}
}

func TestAnArchiveThatLacksTooMuchIsAnError(t *testing.T) {
	e, req := newExport(t)
	req.Ecosystems = []string{"npm"}
	e.put("npm", "GHSA-0", "1.0.0", start)
	for i := range 2001 {
		id := fmt.Sprintf("GHSA-%d", i+1)
		e.put("npm", id, "1.0.0", start)
		e.omit[id] = true
	}
	if _, err := update.Run(context.Background(), req); !errors.Is(err, update.ErrIncomplete) {
		t.Errorf("got %v, want ErrIncomplete", err)
	}
}

func TestOneEcosystemsTroubleDoesNotStopTheOthers(t *testing.T) {
	e, req := newExport(t)
	req.Ecosystems = []string{"Go", "../etc", "npm"}
	e.put("npm", "GHSA-1", "1.0.0", start)
	results, err := update.Run(context.Background(), req)
	if len(results) != 1 || results[0].Ecosystem != "npm" {
		t.Errorf("results %+v", results)
	}
	for _, want := range []string{"update advisories of Go", "404", `"../etc" is not the name`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}

func TestAHostileExportIsRefused(t *testing.T) {
	for why, h := range map[string]http.HandlerFunc{
		"ids that leave the directory": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "2026-08-01T00:00:00Z,../../evil\n")
		},
		"a list of nothing": func(w http.ResponseWriter, _ *http.Request) {},
		"a page about an error": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html>not found</html>")
		},
		"an archive that is none": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "2026-08-01T00:00:00Z,GHSA-1\n")
		},
		"a record with another id": func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, ".csv"):
				fmt.Fprint(w, "2026-08-01T00:00:00Z,GHSA-1\n")
			case strings.HasSuffix(r.URL.Path, ".zip"):
				z := zip.NewWriter(w)
				_, _ = z.Create("GHSA-0.json")
				_ = z.Close()
			default:
				fmt.Fprint(w, `{"id":"GHSA-2"}`)
			}
		},
	} {
		s := httptest.NewServer(h)
		_, err := update.Run(context.Background(), update.Request{
			Client: &download.Client{Attempts: 1, Wait: time.Millisecond}, Base: s.URL, Ecosystems: []string{"npm"}, Dir: t.TempDir(), Now: start,
		})
		s.Close()
		if !errors.Is(err, osv.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", why, err)
		}
	}
}
