package policyartifact_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/portcullis-ci/portcullis/internal/config/policyartifact"
)

const base = "fail-on: critical\n"

// serve runs a registry and returns its host; alter may change what it answers.
func serve(t *testing.T, alter func(path string) string) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if body := alter(q.URL.Path); q.Method == http.MethodGet && body != "" {
			_, _ = io.WriteString(w, body)
			return
		}
		inner.ServeHTTP(w, q)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func honest(string) string { return "" }

func online(string) (policyartifact.Registry, error) { return policyartifact.Registry{}, nil }

var errOffline = errors.New("the network is switched off")

func offline(string) (policyartifact.Registry, error) { return policyartifact.Registry{}, errOffline }

func push(t *testing.T, host string) (reference string) {
	t.Helper()
	digest, err := policyartifact.Registry{}.Push(context.Background(), []byte(base), host+"/org/policy:1")
	if err != nil {
		t.Fatal(err)
	}
	return host + "/org/policy@" + digest
}

func TestAPolicyGoesThroughARegistryAndStaysInTheCache(t *testing.T) {
	ctx, cache := context.Background(), filepath.Join(t.TempDir(), "policies")
	reference := push(t, serve(t, honest))
	if _, err := (policyartifact.Source{Connect: offline, Cache: cache}).Fetch(ctx, reference); !errors.Is(err, errOffline) {
		t.Errorf("offline, not cached: %v", err)
	}
	for _, s := range []policyartifact.Source{
		{Connect: online}, {Connect: online, Cache: cache}, {Connect: offline, Cache: cache},
	} {
		got, err := s.Fetch(ctx, reference)
		if err != nil || string(got) != base {
			t.Errorf("%+v: got %q, %v", s, got, err)
		}
	}
}

func TestADamagedCacheIsNotBelieved(t *testing.T) {
	ctx, cache := context.Background(), t.TempDir()
	reference := push(t, serve(t, honest))
	s := policyartifact.Source{Connect: online, Cache: cache}
	if _, err := s.Fetch(ctx, reference); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("the cache holds %v, %v", files, err)
	}
	for _, file := range files {
		if err := os.WriteFile(file, []byte("fail-on: none\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (policyartifact.Source{Connect: offline, Cache: cache}).Fetch(ctx, reference); !errors.Is(err, errOffline) {
			t.Errorf("%s altered: %v", file, err)
		}
		if got, err := s.Fetch(ctx, reference); err != nil || string(got) != base {
			t.Errorf("%s altered: got %q, %v", file, got, err)
		}
	}
}

func TestARegistryThatLiesIsFoundOut(t *testing.T) {
	lie := ""
	reference := push(t, serve(t, func(path string) string {
		if lie != "" && strings.Contains(path, lie) {
			return "fail-on: none\n"
		}
		return ""
	}))
	for _, lie = range []string{"/manifests/", "/blobs/"} {
		if got, err := (policyartifact.Source{Connect: online}).Fetch(context.Background(), reference); err == nil {
			t.Errorf("%s: %q was taken", lie, got)
		}
	}
}

func TestWhatIsNoPolicyIsRefused(t *testing.T) {
	host := serve(t, honest)
	ref, err := name.ParseReference(host + "/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, empty.Image); err != nil {
		t.Fatal(err)
	}
	digest, err := empty.Image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s := policyartifact.Source{Connect: online}
	if _, err := s.Fetch(context.Background(), host+"/app@"+digest.String()); err == nil || !strings.Contains(err.Error(), "no policy") {
		t.Errorf("an image: %v", err)
	}
	for _, reference := range []string{host + "/app:1", "UPPER", host + "/none@sha256:" + strings.Repeat("0", 64)} {
		if _, err := s.Fetch(context.Background(), reference); err == nil {
			t.Errorf("%s: no error", reference)
		}
	}
}

func TestTheSamePolicyHasTheSameDigest(t *testing.T) {
	a, b := push(t, serve(t, honest)), push(t, serve(t, honest))
	if _, x, _ := strings.Cut(a, "@"); !strings.HasSuffix(b, x) {
		t.Errorf("%s and %s", a, b)
	}
}
