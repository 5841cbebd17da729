package supply_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/ociartifact"
	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
)

var now = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// build compiles the sample records of some ecosystems.
func build(t *testing.T, dir string, when time.Time, ecosystems ...string) *advisory.Database {
	t.Helper()
	var from []string
	for _, e := range ecosystems {
		from = append(from, filepath.Join("../../../testdata/advisories", e))
	}
	if _, err := builder.Build(context.Background(), builder.Request{From: from, Out: dir, Now: when}); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// server counts what it is asked for, in order.
type server struct {
	mu      sync.Mutex
	handler http.Handler
	asked   []string
	down    bool
}

func serve(t *testing.T, h http.Handler) (*server, string) {
	t.Helper()
	s := &server{handler: h}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, web.URL
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("If-None-Match")))
	down := s.down
	s.mu.Unlock()
	if down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.handler.ServeHTTP(w, r)
}

func (s *server) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// files serves a directory with strong tags, as object stores do.
func files(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if data, err := os.ReadFile(filepath.Join(dir, filepath.Base(r.URL.Path))); err == nil {
			w.Header().Set("ETag", `"`+advisory.Digest(data)[:8]+`"`)
		}
		http.ServeFile(w, r, filepath.Join(dir, filepath.Base(r.URL.Path)))
	})
}

type notes []string

func request(t *testing.T, text string) (supply.Request, *notes) {
	t.Helper()
	locations, err := supply.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var told notes
	return supply.Request{
		Locations: locations, CacheDir: t.TempDir(), Now: now, Tool: "test",
		Client:   &download.Client{Attempts: 2, Wait: time.Millisecond, MaxWait: time.Millisecond},
		Registry: func(string) (ociartifact.Registry, error) { return ociartifact.Registry{}, nil },
		Note:     func(m string) { told = append(told, m) },
	}, &told
}

func need(names ...string) supply.Need {
	return supply.Need{Shards: func(advisory.Manifest) []string { return names }}
}

// offlineTransport fails the test that uses it.
type offlineTransport struct{ t *testing.T }

func (o offlineTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	o.t.Errorf("the network was used: %s", r.URL)
	return nil, errors.New("no network")
}

func mustOpen(t *testing.T, req supply.Request, n supply.Need) supply.Supply {
	t.Helper()
	s, err := supply.Open(context.Background(), req, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAMirrorIsAskedForWhatIsNeededOnce(t *testing.T) {
	dir := t.TempDir()
	db := build(t, dir, now, "npm", "Go", "PyPI")
	web, url := serve(t, files(dir))
	req, _ := request(t, url+"/")
	s := mustOpen(t, req, need("npm"))
	if _, err := s.Shard(context.Background(), "npm"); err != nil {
		t.Fatal(err)
	}
	npm, _ := db.Manifest().Shard("npm")
	if diff := cmp.Diff([]string{"GET /manifest.json", "GET /" + npm.File}, web.take()); diff != "" {
		t.Errorf("first run (-want +got):\n%s", diff)
	}
	// The next run finds the shard and asks whether the manifest is still that.
	mustOpen(t, req, need("npm"))
	if asked := web.take(); len(asked) != 1 || !strings.HasPrefix(asked[0], `GET /manifest.json "`) {
		t.Errorf("second run asked %q", asked)
	}
	// A damaged file in the cache is fetched anew.
	if err := os.WriteFile(filepath.Join(s.Location(), npm.File), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, req, need("npm"))
	if _, err := s.Shard(context.Background(), "npm"); err != nil {
		t.Error(err)
	}
	web.take()
	// A new database is found out by its manifest.
	newer := build(t, dir, now.Add(time.Hour), "npm", "Go", "PyPI")
	if s := mustOpen(t, req, need("go")); s.Digest() != newer.Digest() {
		t.Error("the newer database was not found")
	}
}

func TestOfflineUsesWhatIsKeptAndNeverTheNetwork(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, now, "npm", "Go")
	_, url := serve(t, files(dir))
	req, told := request(t, url)
	mustOpen(t, req, need("npm"))
	req.Offline = true
	req.Client = &download.Client{HTTP: &http.Client{Transport: offlineTransport{t}}}
	s := mustOpen(t, req, need("npm"))
	if _, err := s.Shard(context.Background(), "npm"); err != nil {
		t.Error(err)
	}
	if len(*told) != 1 || !strings.Contains((*told)[0], "2026-09-01") {
		t.Errorf("told %q", *told)
	}
	if _, err := supply.Open(context.Background(), req, need("npm", "go")); !errors.Is(err, supply.ErrOffline) || !errors.Is(err, advisory.ErrMissing) {
		t.Errorf("a shard that is not kept: %v", err)
	}
	for _, text := range []string{url + "/other", "registry:registry.example/db:1", "osv-api"} {
		req.Locations, _ = supply.Parse(text)
		if _, err := supply.Open(context.Background(), req, need("npm")); !errors.Is(err, supply.ErrOffline) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPlacesAreTriedInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	db := build(t, dir, now, "npm", "Go")
	broken, brokenURL := serve(t, http.NotFoundHandler())
	_, url := serve(t, files(dir))
	req, told := request(t, "nowhere,"+brokenURL+","+url+"/")
	req.Path = func(p string) string { return filepath.Join(t.TempDir(), p) }
	s := mustOpen(t, req, need("go"))
	if s.Digest() != db.Digest() || len(broken.take()) == 0 {
		t.Error("not the last one, or the second was not asked")
	}
	if len(*told) != 2 || !strings.Contains((*told)[0], "nowhere") || !strings.Contains((*told)[1], "404") {
		t.Errorf("told %q", *told)
	}
	req.Locations, _ = supply.Parse("nowhere," + brokenURL)
	_, err := supply.Open(context.Background(), req, need("go"))
	if !errors.Is(err, advisory.ErrMissing) || !strings.Contains(err.Error(), "404") {
		t.Errorf("the error does not name both: %v", err)
	}
}

func TestAMirrorThatIsDownLeavesTheCopy(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, now, "npm")
	web, url := serve(t, files(dir))
	req, told := request(t, url)
	mustOpen(t, req, need("npm"))
	web.mu.Lock()
	web.down = true
	web.mu.Unlock()
	mustOpen(t, req, need("npm"))
	if last := (*told)[len(*told)-1]; !strings.Contains(last, "cannot be asked") || !strings.Contains(last, "2026-09-01") {
		t.Errorf("told %q", *told)
	}
}

func TestAnswersThatAreNoDatabaseAreErrors(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, now, "npm")
	manifest, err := os.ReadFile(filepath.Join(dir, advisory.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(manifest), `"schema": 1`, `"schema": 99`, 1)
	for why, tt := range map[string]struct {
		answer string
		want   error
	}{
		"a page":           {"<html>", advisory.ErrCorrupt},
		"cut off":          {string(manifest[:len(manifest)/2]), advisory.ErrCorrupt},
		"something else":   {`{"kind":"other"}`, advisory.ErrForeign},
		"a newer one":      {newer, advisory.ErrNewerSchema},
		"shards of rubish": {string(manifest), advisory.ErrCorrupt},
	} {
		_, url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, advisory.ManifestName) {
				_, _ = io.WriteString(w, tt.answer)
				return
			}
			_, _ = io.WriteString(w, "rubbish")
		}))
		req, _ := request(t, url)
		// Also where an earlier, good copy is kept: the answer counts.
		if _, err := supply.Open(context.Background(), req, need("npm")); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", why, err, tt.want)
		}
	}
}

func TestARegistryIsAskedForWhatIsNeeded(t *testing.T) {
	db := build(t, t.TempDir(), now, "npm", "Go", "PyPI")
	web, url := serve(t, registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	host := strings.TrimPrefix(url, "http://")
	digest, err := ociartifact.Registry{}.Push(context.Background(), db, host+"/db:1")
	if err != nil {
		t.Fatal(err)
	}
	web.take()
	npm, _ := db.Manifest().Shard("npm")
	blobs := func() (n int, npmAsked bool) {
		for _, a := range web.take() {
			if strings.HasPrefix(a, "GET") && strings.Contains(a, "/blobs/") {
				n++
				npmAsked = npmAsked || strings.Contains(a, npm.SHA256)
			}
		}
		return n, npmAsked
	}
	for _, reference := range []string{host + "/db:1", host + "/db@" + digest} {
		req, _ := request(t, "registry:"+reference)
		s := mustOpen(t, req, need("npm"))
		if _, err := s.Shard(context.Background(), "npm"); err != nil || s.Digest() != db.Digest() {
			t.Errorf("%s: %v", reference, err)
		}
		if n, asked := blobs(); n != 2 || !asked {
			t.Errorf("%s: %d blobs were fetched, npm %v; want the manifest and npm", reference, n, asked)
		}
		mustOpen(t, req, need("npm"))
		asked := web.take()
		if pinned := strings.Contains(reference, "@"); pinned && len(asked) > 0 {
			t.Errorf("a pinned copy was asked for again: %q", asked)
		} else if !pinned && len(asked) == 0 {
			t.Error("nobody asked what the tag is now")
		}
		// What was left out can still be had.
		s = mustOpen(t, req, need("npm", "go"))
		if _, err := s.Shard(context.Background(), "go"); err != nil {
			t.Error(err)
		}
		web.take()
	}
	wrong, _ := request(t, "registry:"+host+"/db@sha256:"+strings.Repeat("0", 64))
	if _, err := supply.Open(context.Background(), wrong, need("npm")); err == nil {
		t.Error("another digest than the pinned one was accepted")
	}
}

func TestRunsOnOneCacheDoNotHarmEachOther(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, now, "npm", "Go", "PyPI", "Debian")
	_, url := serve(t, files(dir))
	req, _ := request(t, url)
	req.Note = nil
	var group sync.WaitGroup
	errs := make(chan error, 32)
	shards := []string{"npm", "go", "pypi", "debian-12"}
	for i := range 12 {
		group.Go(func() {
			names := []string{shards[i%4], shards[(i+1)%4]}
			s, err := supply.Open(context.Background(), req, need(names...))
			if err != nil {
				errs <- err
				return
			}
			for _, name := range names {
				if _, err := s.Shard(context.Background(), name); err != nil {
					errs <- err
				}
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

func TestWithoutACacheNothingIsLeftBehind(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	build(t, dir, now, "npm")
	_, url := serve(t, files(dir))
	req, _ := request(t, url)
	req.CacheDir = ""
	s, err := supply.Open(context.Background(), req, need("npm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shard(context.Background(), "npm"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := supply.Open(context.Background(), req, need("cobol")); !errors.Is(err, advisory.ErrNoShard) {
		t.Errorf("a shard that does not exist: %v", err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestTheSnapshotIsUsedWhenNothingNewerIsThere(t *testing.T) {
	db, err := snapshot.Open()
	if err != nil {
		t.Fatal(err)
	}
	built := db.Manifest().Built
	tests := []struct {
		why      string
		prepare  func(t *testing.T, dir string)
		embedded bool
		want     error
	}{
		{"an empty cache", func(*testing.T, string) {}, true, nil},
		{"a newer database", func(t *testing.T, dir string) { build(t, dir, built.Add(time.Hour), "npm") }, false, nil},
		{"an older database", func(t *testing.T, dir string) { build(t, dir, built.Add(-time.Hour), "npm") }, true, nil},
		{"a damaged database", func(t *testing.T, dir string) {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, advisory.ManifestName), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, advisory.ErrCorrupt},
	}
	for _, tt := range tests {
		req, told := request(t, "")
		req.Offline, req.Now = true, built.AddDate(0, 0, 99)
		req.Client = &download.Client{HTTP: &http.Client{Transport: offlineTransport{t}}}
		tt.prepare(t, supply.CachedDatabase(req.CacheDir))
		s, err := supply.Open(context.Background(), req, need("npm"))
		if !errors.Is(err, tt.want) || err == nil && s.Embedded != tt.embedded {
			t.Errorf("%s: embedded %v, %v", tt.why, s.Embedded, err)
		}
		if s.Embedded && (len(*told) == 0 || !strings.Contains((*told)[len(*told)-1], "99 days old")) {
			t.Errorf("%s: its age was not told: %q", tt.why, *told)
		}
	}
	req, told := request(t, "embedded")
	if s := mustOpen(t, req, supply.Everything()); !s.Embedded || len(*told) != 1 {
		t.Errorf("by name: %+v, %q", s, *told)
	}
	if states, err := store.Verify(context.Background(), db); err != nil || len(states) == 0 {
		t.Error(err)
	}
}

func TestADirectoryIsReadInPlace(t *testing.T) {
	root := t.TempDir()
	build(t, filepath.Join(root, "db"), now, "npm")
	req, _ := request(t, "db")
	req.Path = func(p string) string { return filepath.Join(root, p) }
	if s := mustOpen(t, req, need("npm")); s.Name != "db" || s.Embedded {
		t.Errorf("%+v", s)
	}
	req.Locations = []supply.Location{{Kind: supply.Cache}}
	if _, err := supply.Open(context.Background(), req, need()); !errors.Is(err, advisory.ErrMissing) {
		t.Errorf("an empty cache, named: %v", err)
	}
	req.CacheDir = ""
	if _, err := supply.Open(context.Background(), req, need()); !errors.Is(err, supply.ErrNoCache) {
		t.Errorf("no cache: %v", err)
	}
}

func TestParse(t *testing.T) {
	tests := map[string][]supply.Location{
		"":            supply.Default(),
		"db/":         {{Kind: supply.Directory, Value: "db/"}},
		"./cache":     {{Kind: supply.Directory, Value: "./cache"}},
		"cache":       {{Kind: supply.Cache}},
		`C:\advisory`: {{Kind: supply.Directory, Value: `C:\advisory`}},
		"https://a.example/x, http://b.example,embedded": {
			{Kind: supply.Mirror, Value: "https://a.example/x"}, {Kind: supply.Mirror, Value: "http://b.example"}, {Kind: supply.Embedded},
		},
		"registry:ghcr.io/acme/db:1":  {{Kind: supply.Registry, Value: "ghcr.io/acme/db:1"}},
		"osv-api":                     {{Kind: supply.OnlineAPI, Value: "https://api.osv.dev"}},
		"osv-api:https://osv.example": {{Kind: supply.OnlineAPI, Value: "https://osv.example"}},
	}
	for text, want := range tests {
		got, err := supply.Parse(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{",", "db,,other", "ftp://x.example", "registry:", "registry:UPPER//x", "https://", "osv-api:ftp://x", "osv-api,cache", "file:///db"} {
		if got, err := supply.Parse(text); !errors.Is(err, supply.ErrLocation) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	l, err := supply.Parse("https://user:secret@a.example/x")
	if err != nil || strings.Contains(l[0].String(), "secret") {
		t.Errorf("%v, %v", l, err)
	}
}
