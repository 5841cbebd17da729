package online_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/online"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

var now = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func TestOnlineRefusesWrongAnswers(t *testing.T) {
	for why, answer := range map[string]string{
		"no JSON": "<html>", "too few answers": `{"results":[]}`,
		"an id that is a path": `{"results":[{"vulns":[{"id":"../x"}]}]}`,
		"another record":       `{"results":[{"vulns":[{"id":"GHSA-1"}]}],"id":"GHSA-2"}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		api := online.API{Client: &download.Client{Attempts: 1, Wait: time.Millisecond}, Base: server.URL}
		_, err := api.Database(context.Background(), []advisory.Query{{Ecosystem: "npm", Name: "p"}}, t.TempDir(), "test", now)
		server.Close()
		if !errors.Is(err, osv.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", why, err)
		}
	}
}

func TestNothingKnownIsADatabaseAllTheSame(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"results":[{}]}`))
	}))
	defer server.Close()
	api := online.API{Client: &download.Client{Attempts: 1}, Base: server.URL}
	if db, err := api.Database(context.Background(), nil, t.TempDir(), "test", now); err != nil || len(db.Manifest().Shards) != 1 {
		t.Errorf("nothing to ask about: %v", err)
	}
	db, err := api.Database(context.Background(), []advisory.Query{{Ecosystem: "npm", Name: "p", Version: "1.0.0"}}, t.TempDir(), "test", now)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := db.Shard(context.Background(), "npm"); err != nil || a.Len() != 0 {
		t.Errorf("shard of npm: %v", err)
	}
}
