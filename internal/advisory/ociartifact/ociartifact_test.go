package ociartifact_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/ociartifact"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

func database(t *testing.T) *advisory.Database {
	t.Helper()
	dir := t.TempDir()
	now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	_, err := builder.Build(context.Background(), builder.Request{From: []string{"../../../testdata/advisories"}, Out: dir, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// serve runs a registry behind a filter and returns its host.
func serve(t *testing.T, filter func(http.Handler) http.Handler) string {
	t.Helper()
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if filter != nil {
		h = filter(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestADatabaseGoesThroughARegistryUnchanged(t *testing.T) {
	ctx, db, host := context.Background(), database(t), serve(t, nil)
	var r ociartifact.Registry
	digest, err := r.Push(ctx, db, host+"/db:latest")
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Push(ctx, db, host+"/other:1")
	if err != nil || again != digest {
		t.Errorf("pushed again as %s (%v), want %s", again, err, digest)
	}
	for _, reference := range []string{host + "/db:latest", host + "/db@" + digest} {
		dir := t.TempDir()
		pulled, m, err := r.Pull(ctx, reference, dir, nil)
		if err != nil || pulled != digest || len(m.Shards) != len(db.Manifest().Shards) {
			t.Fatalf("%s: pulled %s (%v)", reference, pulled, err)
		}
		got, err := advisory.Open(dir)
		if err != nil || got.Digest() != db.Digest() {
			t.Errorf("%s: another database (%v)", reference, err)
		}
		states, err := store.Verify(ctx, got)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			if !s.Present || s.Err != nil {
				t.Errorf("%s: %s: present %v, %v", reference, s.Shard.Name, s.Present, s.Err)
			}
		}
	}
}

func TestOnlyTheShardsAskedForAreFetched(t *testing.T) {
	ctx, db := context.Background(), database(t)
	fetched := 0
	host := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method == http.MethodGet && strings.Contains(q.URL.Path, "/blobs/") {
				fetched++
			}
			next.ServeHTTP(w, q)
		})
	})
	var r ociartifact.Registry
	if _, err := r.Push(ctx, db, host+"/db:1"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, _, err := r.Pull(ctx, host+"/db:1", dir, func(s advisory.Shard) bool { return s.Name == "npm" })
	if err != nil {
		t.Fatal(err)
	}
	if fetched != 2 {
		t.Errorf("%d blobs were fetched, want the manifest and one shard", fetched)
	}
	got, err := advisory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Resolve(ctx, host+"/db:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Fill(ctx, got, []string{"go"}, a.Fetch); err != nil {
		t.Error(err)
	}
	if _, err := got.Shard(ctx, "go"); err != nil {
		t.Error(err)
	}
}

func TestCopyKeepsTheDigest(t *testing.T) {
	ctx, one, two := context.Background(), serve(t, nil), serve(t, nil)
	var r ociartifact.Registry
	digest, err := r.Push(ctx, database(t), one+"/db:1")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := r.Copy(ctx, one+"/db:1", two+"/mirror/db:2")
	if err != nil || copied != digest {
		t.Fatalf("copied as %s (%v), want %s", copied, err, digest)
	}
	if _, _, err := r.Pull(ctx, two+"/mirror/db@"+digest, t.TempDir(), nil); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoDatabaseIsRefused(t *testing.T) {
	ctx, host := context.Background(), serve(t, nil)
	ref, err := name.ParseReference(host + "/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, empty.Image); err != nil {
		t.Fatal(err)
	}
	var r ociartifact.Registry
	if _, _, err := r.Pull(ctx, host+"/app:1", t.TempDir(), nil); !errors.Is(err, advisory.ErrForeign) {
		t.Errorf("an ordinary image: %v, want ErrForeign", err)
	}
	for _, reference := range []string{host + "/none:1", "UPPER CASE", host + "/app@sha256:1"} {
		if _, _, err := r.Pull(ctx, reference, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "pull database") {
			t.Errorf("%s: %v", reference, err)
		}
	}
}

func TestARegistryThatAltersShardsIsFoundOut(t *testing.T) {
	ctx, db := context.Background(), database(t)
	npm, _ := db.Manifest().Shard("npm")
	broken := false
	host := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if broken && q.Method == http.MethodGet && strings.HasSuffix(q.URL.Path, npm.SHA256) {
				_, _ = w.Write(make([]byte, npm.Size))
				return
			}
			next.ServeHTTP(w, q)
		})
	})
	var r ociartifact.Registry
	if _, err := r.Push(ctx, db, host+"/db:1"); err != nil {
		t.Fatal(err)
	}
	broken = true
	dir := t.TempDir()
	if _, _, err := r.Pull(ctx, host+"/db:1", dir, nil); err == nil || !strings.Contains(err.Error(), "npm") {
		t.Errorf("altered shard: %v", err)
	}
	if _, err := advisory.Open(dir); !errors.Is(err, advisory.ErrMissing) {
		t.Errorf("a database is there: %v", err)
	}
}
