package syftcatalog_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// A registry that fails in the middle of an image is no image that is damaged.
func TestAFaultOfTheRegistryInMidReadSaysWhatCanBeDone(t *testing.T) {
	var refuses atomic.Bool
	registry := imagetest.NewRegistry(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refuses.Load() {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	defer registry.Close()
	image, err := imagetest.New().Layer("ADD x /", imagetest.Text("etc/hostname", "x")).Image()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := registry.Push("shop/web:1", image)
	if err != nil {
		t.Fatal(err)
	}
	open, err := target.Open(t.Context(), target.Request{Reference: ref, Platform: "linux/amd64"}, target.Environment{
		Retry: target.Retry{MinWait: time.Millisecond, MaxWait: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	refuses.Store(true)
	_, _, err = syftcatalog.Catalog(t.Context(), open, syftcatalog.Options{})
	if exit.CodeOf(err) != exit.NotExamined || !strings.Contains(exit.HintOf(err), "docker login") {
		t.Errorf("error %v, exit code %d, hint %q", err, exit.CodeOf(err), exit.HintOf(err))
	}
}
