package download_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/filelimit"
)

// Two versions of a file that have the same size, so that a mixture of them is
// told by its bytes alone.
var first, second = bytes.Repeat([]byte("first v. "), 300), bytes.Repeat([]byte("second v."), 300)

// offsets are all in the first and last bytes, those around the ends of blocks,
// and a step between.
func offsets(size int) (all []int) {
	for at := range size {
		if at < 8 || at >= size-8 || at%512 <= 1 || at%512 == 511 || at%97 == 0 {
			all = append(all, at)
		}
	}
	return all
}

// cut sends the first bytes of an answer that announces all of it.
func cut(w http.ResponseWriter, data []byte, at int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	_, _ = w.Write(data[:at])
	panic(http.ErrAbortHandler)
}

// from is where a range that a request asks for begins; 0 without one.
func from(r *http.Request) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
	return n
}

// partly answers with a range of a version of the file.
func partly(w http.ResponseWriter, data []byte, start, end int, size string) {
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", start, end-1, size))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(data[start:end])
}

// What comes of a download that is cut at any byte is a whole version of the
// file or an error, whatever the server answers when it is asked for the rest.
func TestADownloadThatIsCutIsWholeOrAnError(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request, tag string, data []byte) {
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
	for name, tt := range map[string]struct {
		// answer is the n-th, counted from 0.
		answer func(w http.ResponseWriter, r *http.Request, n, at int)
		want   []byte
	}{
		"the rest is sent": {func(w http.ResponseWriter, r *http.Request, n, at int) {
			w.Header().Set("ETag", `"1"`)
			if n == 0 {
				cut(w, first, at)
			}
			serve(w, r, `"1"`, first)
		}, first},
		"the rest is cut as well": {func(w http.ResponseWriter, r *http.Request, n, at int) {
			w.Header().Set("ETag", `"1"`)
			if n == 0 {
				cut(w, first, at)
			}
			if start := from(r); n == 1 && start > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(first)-1, len(first)))
				w.Header().Set("Content-Length", fmt.Sprint(len(first)-start))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(first[start : start+(len(first)-start)/2])
				panic(http.ErrAbortHandler)
			}
			serve(w, r, `"1"`, first)
		}, first},
		"less than the rest is sent": {func(w http.ResponseWriter, r *http.Request, n, at int) {
			w.Header().Set("ETag", `"1"`)
			if n == 0 {
				cut(w, first, at)
			}
			if start := from(r); n == 1 && start > 0 {
				partly(w, first, start, start+(len(first)-start+1)/2, fmt.Sprint(len(first)))
				return
			}
			serve(w, r, `"1"`, first)
		}, first},
		"the size of the whole is not told": {func(w http.ResponseWriter, r *http.Request, n, at int) {
			w.Header().Set("ETag", `"1"`)
			if n == 0 {
				cut(w, first, at)
			}
			if start := from(r); n == 1 && start > 0 {
				partly(w, first, start, start+(len(first)-start+1)/2, "*")
				return
			}
			serve(w, r, `"1"`, first)
		}, first},
		"there is another version by then": {func(w http.ResponseWriter, r *http.Request, n, at int) {
			if n == 0 {
				w.Header().Set("ETag", `"1"`)
				cut(w, first, at)
			}
			serve(w, r, `"2"`, second)
		}, second},
		"the rest of another version is sent": {func(w http.ResponseWriter, r *http.Request, n, at int) {
			if n == 0 {
				w.Header().Set("ETag", `"1"`)
				cut(w, first, at)
			}
			r.Header.Del("If-Range")
			serve(w, r, `"2"`, second)
		}, second},
		"it is always cut": {func(w http.ResponseWriter, _ *http.Request, _, at int) { cut(w, first, at) }, nil},
		"it is always cut, with a tag": {func(w http.ResponseWriter, _ *http.Request, _, at int) {
			w.Header().Set("ETag", `"1"`)
			cut(w, first, at)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var at, n atomic.Int64 // The server may still answer when the client has given up.
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tt.answer(w, r, int(n.Add(1)-1), int(at.Load()))
			}))
			defer server.Close()
			quick := &download.Client{Attempts: 4, Wait: time.Microsecond, MaxWait: time.Microsecond}
			for _, offset := range offsets(len(first)) {
				at.Store(int64(offset))
				dir := t.TempDir()
				path := filepath.Join(dir, "all.zip")
				n.Store(0)
				_, err := quick.File(t.Context(), server.URL, path, 1<<20, now)
				got, _ := os.ReadFile(path)
				if (err == nil) != (tt.want != nil) || !bytes.Equal(got, tt.want) {
					t.Errorf("cut after %d bytes: a file of %d bytes, of one version %v, error %v", offset, len(got), bytes.Equal(got, first) || bytes.Equal(got, second), err)
				}
				if left, _ := filepath.Glob(path + ".part*"); len(left) != 0 {
					t.Errorf("cut after %d bytes: left behind: %v", offset, left)
				}
				n.Store(0)
				page, err := quick.Bytes(t.Context(), server.URL, 1<<20)
				if (err == nil) != (tt.want != nil) || !bytes.Equal(page, tt.want) {
					t.Errorf("cut after %d bytes: a page of %d bytes, error %v", offset, len(page), err)
				}
			}
		})
	}
}

// A disk that is full, at whatever byte, is told at once, and leaves the older
// file and nothing else.
func TestNoFaultOfTheDiskLeavesHalfADownload(t *testing.T) {
	if !filelimit.Alone(t) {
		return
	}
	var later atomic.Bool // Whether the second version is there.
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		tag, content := `"1"`, first
		if later.Load() {
			tag, content = `"2"`, second
		}
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer server.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "all.zip")
	if _, err := client().File(t.Context(), server.URL, path, 1<<20, now); err != nil {
		t.Fatal(err)
	}
	later.Store(true)
	for _, at := range offsets(len(second)) {
		asked.Store(0)
		var err error
		filelimit.During(t, int64(at), func() { _, err = client().File(t.Context(), server.URL, path, 1<<20, now) })
		if !errors.Is(err, filelimit.Full) || asked.Load() != 1 {
			t.Errorf("full after %d bytes: asked %d times, error %v", at, asked.Load(), err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, first) {
			t.Errorf("full after %d bytes: %d bytes in place of the older file", at, len(got))
		}
		if left, _ := os.ReadDir(dir); len(left) != 2 {
			t.Errorf("full after %d bytes: left behind: %v", at, left)
		}
	}
	if changed, err := client().File(t.Context(), server.URL, path, 1<<20, now); err != nil || !changed {
		t.Errorf("with room again: changed %v, %v", changed, err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, second) {
		t.Error("with room again: not the new file")
	}
}
