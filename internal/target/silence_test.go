package target_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// TestASilentRegistryIsAskedTwice counts requests, since what silence costs is
// their number times the time that one may take.
func TestASilentRegistryIsAskedTwice(t *testing.T) {
	silent := func(r *http.Request) bool { <-r.Context().Done(); return true }
	for name, f := range map[string]struct {
		which  func(r *http.Request) bool
		answer func(w http.ResponseWriter, r *http.Request) bool
	}{
		"from the start":  {func(*http.Request) bool { return true }, func(_ http.ResponseWriter, r *http.Request) bool { return silent(r) }},
		"for a manifest":  {isManifest, func(_ http.ResponseWriter, r *http.Request) bool { return silent(r) }},
		"before a blob":   {isBlob, func(_ http.ResponseWriter, r *http.Request) bool { return silent(r) }},
		"amidst its blob": {isBlob, func(w http.ResponseWriter, r *http.Request) bool { return begin(w, r, nil) && silent(r) }},
		"after few bytes": {isBlob, func(w http.ResponseWriter, r *http.Request) bool { return begin(w, r, []byte("few")) && silent(r) }},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			ref, _ := faulty(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
				if !f.which(r) {
					return false
				}
				asked.Add(1)
				return f.answer(w, r)
			})
			env := target.Environment{Retry: target.Retry{Attempts: 10, MinWait: time.Millisecond, MaxWait: time.Millisecond, Stall: 100 * time.Millisecond}}
			_, err := openWith(t, target.Request{Reference: ref}, env)
			expectError(t, err, exit.NotExamined, "")
			if n := asked.Load(); n != 2 {
				t.Errorf("it was asked %d times, want twice", n)
			}
		})
	}
}

// begin sends the head of an answer, and what the piece holds of its body.
func begin(w http.ResponseWriter, r *http.Request, piece []byte) bool {
	w.Header().Set("Content-Length", "1000000")
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		w.Header().Set("Content-Range", "bytes "+from+"999999/1000000")
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(piece)
	w.(http.Flusher).Flush()
	return true
}

func TestARegistryThatSendsOnInPiecesIsWaitedFor(t *testing.T) {
	const piece = 70_000
	var asked atomic.Int64
	ref, _ := faulty(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		rec, whole := httptest.NewRecorder(), r.Clone(r.Context())
		whole.Header.Del("Range")
		next.ServeHTTP(rec, whole)
		body := rec.Body.Bytes()
		if !isBlob(r) || len(body) < 100_000 {
			return false
		}
		asked.Add(1)
		from := 0
		if text, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			from, _ = strconv.Atoi(strings.TrimSuffix(text, "-"))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		if len(body)-from <= piece {
			_, _ = w.Write(body[from:])
			return true
		}
		_, _ = w.Write(body[from : from+piece])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	env := target.Environment{Retry: target.Retry{MinWait: time.Millisecond, MaxWait: time.Millisecond, Stall: 200 * time.Millisecond}}
	if _, err := openWith(t, target.Request{Reference: ref}, env); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n < 3 {
		t.Errorf("%d requests for the blob: the test did not test it", n)
	}
}
