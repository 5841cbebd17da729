package gate

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/cache"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// TestALayerOfSeveralPlatformsIsReadOnce counts what a registry is asked for.
func TestALayerOfSeveralPlatformsIsReadOnce(t *testing.T) {
	var mu sync.Mutex
	asked := make(map[string]int)
	reg := imagetest.NewRegistry(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if _, digest, ok := strings.Cut(q.URL.Path, "/blobs/"); ok && q.Method == http.MethodGet {
				mu.Lock()
				asked[digest]++
				mu.Unlock()
			}
			next.ServeHTTP(w, q)
		})
	})
	defer reg.Close()
	var all []v1.Image
	for _, p := range []string{"linux/amd64", "linux/arm64"} {
		img, err := imagetest.New().Platform(p).
			Layer("ADD rootfs /", imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2"})...).
			Layer("COPY own /", imagetest.Text("platform", p)).Image()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, img)
	}
	index, err := imagetest.Index(all...)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := reg.PushIndex("shop/web:1", index)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := cache.Open(t.TempDir(), 1<<30, func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	clear(asked)
	env := environment(t, nil)
	env.Cache, env.Build = kept, "test"
	result, err := Run(context.Background(), Request{
		Image: target.Request{Reference: reference, Platform: target.AllPlatforms}, SkipVulnerabilities: true,
	}, env)
	if err != nil || len(result.Outcome.Failures) > 0 || len(result.SBOMs) != 2 {
		t.Fatalf("%v, %+v", err, result.Outcome.Failures)
	}
	shared, err := all[0].Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := shared[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	if asked[digest.String()] != 1 || len(asked) != 5 {
		t.Errorf("the shared layer %s was read %d times; all: %v", digest, asked[digest.String()], asked)
	}
}
