package mirror_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/mirror"
)

func build(t *testing.T, when time.Time) string {
	t.Helper()
	dir := t.TempDir()
	_, err := builder.Build(context.Background(), builder.Request{From: []string{"../../../testdata/advisories/npm", "../../../testdata/advisories/Go"}, Out: dir, Now: when})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func mirrors(urls ...string) mirror.Mirrors {
	return mirror.Mirrors{Client: &download.Client{Attempts: 2, Wait: time.Millisecond, MaxWait: time.Millisecond}, URLs: urls}
}

var when = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func TestTheFirstMirrorThatWorksIsTaken(t *testing.T) {
	dir := build(t, when)
	good := serve(t, http.FileServer(http.Dir(dir)))
	down := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	foreign := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"kind":"other"}`)) }))
	m := mirrors(down, foreign, good)
	var failed []string
	m.Report = func(url string, err error) { failed = append(failed, err.Error()) }
	out := t.TempDir()
	r, err := m.Pull(context.Background(), out, nil)
	if err != nil || r.URL != good || !r.Changed {
		t.Fatalf("%+v, %v", r, err)
	}
	if len(failed) != 2 || !strings.Contains(failed[0], "503") || !strings.Contains(failed[1], "not an advisory database") {
		t.Errorf("reported %q", failed)
	}
	again, err := m.Pull(context.Background(), out, nil)
	if err != nil || again.Changed {
		t.Errorf("pulled again: %+v, %v", again, err)
	}
}

func TestShardsThatOneMirrorLacksComeFromAnother(t *testing.T) {
	dir := build(t, when)
	manifestOnly := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".zst") {
			_, _ = w.Write([]byte("rubbish"))
			return
		}
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	out := t.TempDir()
	if _, err := mirrors(manifestOnly, serve(t, http.FileServer(http.Dir(dir)))).Pull(context.Background(), out, nil); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Shard(context.Background(), "npm"); err != nil {
		t.Error(err)
	}
	if _, err := mirrors(manifestOnly).Pull(context.Background(), t.TempDir(), nil); !errors.Is(err, advisory.ErrCorrupt) {
		t.Errorf("no mirror has the shards: %v", err)
	}
}

func TestAnOlderMirrorDoesNotRollBack(t *testing.T) {
	newer, older := build(t, when), build(t, when.AddDate(0, 0, -3))
	before, err := os.ReadFile(filepath.Join(newer, advisory.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	r, err := mirrors(serve(t, http.FileServer(http.Dir(older)))).Pull(context.Background(), newer, nil)
	if err != nil || r.Changed || !r.Manifest.Built.Equal(when) {
		t.Errorf("%+v, %v", r, err)
	}
	after, err := os.ReadFile(filepath.Join(newer, advisory.ManifestName))
	if err != nil || string(after) != string(before) {
		t.Errorf("the manifest was replaced (%v)", err)
	}
}

func TestNoMirrorWorks(t *testing.T) {
	if _, err := mirrors().Pull(context.Background(), t.TempDir(), nil); err == nil {
		t.Error("no mirror given, and no error")
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err := mirrors(gone.URL, serve(t, http.NotFoundHandler())).Pull(context.Background(), t.TempDir(), nil)
	var status *download.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusNotFound {
		t.Errorf("got %v", err)
	}
}
