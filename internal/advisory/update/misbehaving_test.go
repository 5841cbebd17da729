package update_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
	"github.com/portcullis-ci/portcullis/internal/advisory/update"
	"github.com/portcullis-ci/portcullis/internal/osvtest"
)

// put adds a record to the bucket.
func put(t *testing.T, s *osvtest.Server, id, fixed string, when time.Time) {
	t.Helper()
	data := fmt.Sprintf(`{"id":%q,"modified":%q,"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
		id, when.Format(time.RFC3339), fixed)
	r, err := osv.Decode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	s.Put(r, []byte(data))
}

func bucket(t *testing.T) (*osvtest.Server, update.Request) {
	t.Helper()
	s, err := osvtest.New()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	for i := range 50 {
		put(t, s, fmt.Sprintf("GHSA-%d", i), fmt.Sprintf("1.0.%d", i), start.Add(-time.Hour))
	}
	return s, update.Request{
		Client: &download.Client{Attempts: 3, Wait: time.Millisecond, MaxWait: 2 * time.Millisecond, Patience: 50 * time.Millisecond},
		Base:   web.URL, Ecosystems: []string{"npm"}, Dir: t.TempDir(), Now: start,
	}
}

// once answers the first request for a file in its own way.
func once(suffix string, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	done := false
	return func(w http.ResponseWriter, r *http.Request) bool {
		if done || !strings.HasSuffix(r.URL.Path, suffix) {
			return false
		}
		done = true
		answer(w, r)
		return true
	}
}

func TestTheCopyIsWholeWhateverTheBucketDoes(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(code)
		}
	}
	for why, answer := range map[string]http.HandlerFunc{
		"too many requests": status(http.StatusTooManyRequests),
		"broken":            status(http.StatusInternalServerError),
		"unavailable":       status(http.StatusServiceUnavailable),
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("2026-08-01T00:00:00Z,GHSA-1\n"))
			panic(http.ErrAbortHandler)
		},
		"a connection that ends at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a body that stalls": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("2"))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		},
		"other bytes than the checksum says": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Goog-Hash", "crc32c=AAAAAA==")
			_, _ = w.Write([]byte("rubbish"))
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?again", http.StatusTemporaryRedirect)
		},
	} {
		for _, file := range []string{"modified_id.csv", "all.zip", "GHSA-50.json"} {
			s, req := bucket(t)
			if strings.HasPrefix(file, "GHSA") {
				// A record that has to be fetched by itself.
				if _, err := update.Run(context.Background(), req); err != nil {
					t.Fatal(err)
				}
				put(t, s, "GHSA-50", "1.0.50", start.Add(time.Hour))
				req.Now = start.Add(2 * time.Hour)
			}
			s.Trick = once(file, answer)
			if _, err := update.Run(context.Background(), req); err != nil {
				t.Errorf("%s, %s: %v", file, why, err)
				continue
			}
			if got := fixes(t, req.Dir, "npm", req.Now); len(got) < 50 || strings.HasPrefix(file, "GHSA") && got["GHSA-50"] != "1.0.50" {
				t.Errorf("%s, %s: %d records", file, why, len(got))
			}
		}
	}
}

func TestAnArchiveOfAWrongLengthIsRefused(t *testing.T) {
	s, req := bucket(t)
	s.Trick = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "all.zip") {
			return false
		}
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("PK34567890"))
		return true
	}
	if _, err := update.Run(context.Background(), req); !errors.Is(err, osv.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if update.HasCopy(req.Dir, "npm") {
		t.Error("it counts as a copy")
	}
	s.Trick = nil
	if _, err := update.Run(context.Background(), req); err != nil || len(fixes(t, req.Dir, "npm", req.Now)) != 50 {
		t.Errorf("the next run does not recover: %v", err)
	}
}

// The server says "not modified" for an archive that it has replaced: what the
// list says counts.
func TestAStaleTagHidesNothing(t *testing.T) {
	s, req := bucket(t)
	if _, err := update.Run(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	put(t, s, "GHSA-50", "1.0.50", start.Add(time.Hour))
	req.Now = start.Add(48 * time.Hour)
	s.Trick = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "all.zip") {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
		return false
	}
	if _, err := update.Run(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	if got := fixes(t, req.Dir, "npm", req.Now); got["GHSA-50"] != "1.0.50" {
		t.Errorf("%d records, without the new one", len(got))
	}
}

// Records are listed some time after the moment that they name.
func TestARecordThatIsListedLateIsFetched(t *testing.T) {
	s, req := bucket(t)
	if _, err := update.Run(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	put(t, s, "GHSA-50", "1.0.50", start.Add(-10*time.Minute))
	req.Now = start.Add(time.Hour)
	if r, err := update.Run(context.Background(), req); err != nil || r[0].Records != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := fixes(t, req.Dir, "npm", req.Now); got["GHSA-50"] != "1.0.50" {
		t.Error("it is not in the copy")
	}
}

func TestAnUpdateThatWasCutOffIsTakenUp(t *testing.T) {
	s, req := bucket(t)
	if _, err := update.Run(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	if !update.HasCopy(req.Dir, "npm") {
		t.Error("no copy after an update")
	}
	for i := range 5 {
		put(t, s, fmt.Sprintf("GHSA-9%d", i), "2.0.0", start.Add(time.Hour))
	}
	s.Trick = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "GHSA-93.json") {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	req.Now = start.Add(2 * time.Hour)
	if _, err := update.Run(context.Background(), req); err == nil {
		t.Fatal("no error though a record could not be had")
	}
	s.Trick = nil
	req.Now = start.Add(3 * time.Hour)
	if _, err := update.Run(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	got := fixes(t, req.Dir, "npm", req.Now)
	for i := range 5 {
		if got[fmt.Sprintf("GHSA-9%d", i)] != "2.0.0" {
			t.Errorf("GHSA-9%d is lost", i)
		}
	}
}

func TestFeedsAreKeptUpToDate(t *testing.T) {
	answer := []byte(`{"vulnerabilities":[]}`)
	var asked []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if strings.Contains(r.URL.Path, "community") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(answer)
	}))
	defer web.Close()
	req := update.FeedRequest{
		Client: &download.Client{Attempts: 1, Wait: time.Millisecond}, Names: []string{"kev"}, Dir: t.TempDir(), Now: start,
		Address: func(public string) string { return web.URL + "/" + strings.TrimPrefix(public, "https://") },
	}
	if n, err := update.Feeds(context.Background(), req); err != nil || n != 1 || !update.HasFeed(req) {
		t.Fatalf("%d changed, %v", n, err)
	}
	req.Now = start.Add(time.Hour)
	if n, err := update.Feeds(context.Background(), req); err != nil || n != 0 {
		t.Errorf("again: %d changed, %v", n, err)
	}
	if i := download.ReadInfo(filepath.Join(req.Dir, "known_exploited_vulnerabilities.json")); !i.Fetched.Equal(req.Now) {
		t.Errorf("noted as fetched at %v", i.Fetched)
	}
	// One document that fails does not keep the others from being fetched.
	req.Names = []string{"alpine"}
	n, err := update.Feeds(context.Background(), req)
	var status *download.StatusError
	if !errors.As(err, &status) || n == 0 || update.HasFeed(req) {
		t.Errorf("%d changed, %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(req.Dir, "alpine-secdb", "edge", "main.json")); err != nil {
		t.Error(err)
	}
	// A feed whose editions have names of their own.
	answer = []byte("csaf_vex_2026-08-31.tar.zst\n")
	req.Names, asked = []string{"redhat"}, nil
	if _, err := update.Feeds(context.Background(), req); err != nil || len(asked) != 2 || !strings.HasSuffix(asked[1], "/data/csaf/v2/vex/csaf_vex_2026-08-31.tar.zst") {
		t.Errorf("asked %q, %v", asked, err)
	}
	answer = []byte("../../other")
	if _, err := update.Feeds(context.Background(), req); !errors.Is(err, osv.ErrInvalid) {
		t.Errorf("an edition that leaves the folder: %v", err)
	}
	asked = nil
	req.Names = []string{"kev", "gossip"}
	if _, err := update.Feeds(context.Background(), req); !errors.Is(err, update.ErrUnknownFeed) || len(asked) > 0 {
		t.Errorf("%v, asked %q", err, asked)
	}
}
