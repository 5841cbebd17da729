package download_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
)

var (
	now     = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	content = bytes.Repeat([]byte("0123456789abcdef"), 4096)
)

func client() *download.Client {
	return &download.Client{Attempts: 4, Wait: time.Millisecond, MaxWait: 2 * time.Millisecond}
}

func crcHeader(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return "crc32c=" + base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

// bucket serves content like an object store, misbehaving as told: each
// request takes the next trick, and none behaves well.
type bucket struct {
	t        *testing.T
	etag     string
	tricks   []string
	requests []string
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	trick := ""
	if len(b.tricks) > 0 {
		trick, b.tricks = b.tricks[0], b.tricks[1:]
	}
	b.requests = append(b.requests, strings.TrimSpace(fmt.Sprintf("%s %s", r.Header.Get("Range"), r.Header.Get("If-None-Match"))))
	w.Header().Set("ETag", b.etag)
	w.Header().Set("X-Goog-Hash", crcHeader(content)+",md5=ignored")
	switch trick {
	case "429":
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case "500", "403", "416":
		status := map[string]int{"500": 500, "403": 403, "416": 416}[trick]
		w.WriteHeader(status)
	case "304":
		w.WriteHeader(http.StatusNotModified)
	case "cut":
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:len(content)/2])
		panic(http.ErrAbortHandler)
	case "short":
		w.Header().Set("Content-Length", fmt.Sprint(len(content)/2))
		_, _ = w.Write(content[:len(content)/2])
	case "corrupt":
		_, _ = w.Write(bytes.ToUpper(content))
	case "other range":
		w.Header().Set("Content-Range", "bytes 5-10/100")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(content[5:10])
	case "endless":
		for range 100 {
			_, _ = w.Write(content)
		}
	case "redirect loop":
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	case "redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func serve(t *testing.T, etag string, tricks ...string) (*bucket, string) {
	t.Helper()
	b := &bucket{t: t, etag: etag, tricks: tricks}
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return b, s.URL + "/Go/all.zip"
}

func TestFileOutlivesAServerThatMisbehaves(t *testing.T) {
	half := fmt.Sprintf("bytes=%d-", len(content)/2)
	tests := []struct {
		why      string
		etag     string
		tricks   []string
		requests []string
	}{
		{"well behaved", `"1"`, nil, []string{""}},
		{"busy and broken", `"1"`, []string{"429", "500"}, []string{"", "", ""}},
		{"cut: the rest is fetched", `"1"`, []string{"cut"}, []string{"", half}},
		{"cut twice", `"1"`, []string{"cut", "500"}, []string{"", half, half}},
		{"cut, with a weak tag: from the start", `W/"1"`, []string{"cut"}, []string{"", ""}},
		{"cut, without a tag: from the start", ``, []string{"cut"}, []string{"", ""}},
		{"a length that is too short", `"1"`, []string{"short"}, []string{"", ""}},
		{"other bytes than the checksum says", `"1"`, []string{"corrupt"}, []string{"", ""}},
		{"a range that nobody asked for", `"1"`, []string{"other range"}, []string{"", ""}},
		{"no such range", `"1"`, []string{"cut", "416"}, []string{"", half, ""}},
		{"a redirect", `"1"`, []string{"redirect"}, []string{"", ""}},
	}
	for _, tt := range tests {
		b, url := serve(t, tt.etag, tt.tricks...)
		path := filepath.Join(t.TempDir(), "Go", "all.zip")
		changed, err := client().File(context.Background(), url, path, 1<<20, now)
		if err != nil || !changed {
			t.Errorf("%s: changed %v, %v", tt.why, changed, err)
			continue
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes arrived (%v)", tt.why, len(got), err)
		}
		if fmt.Sprint(b.requests) != fmt.Sprint(tt.requests) {
			t.Errorf("%s: requests %q, want %q", tt.why, b.requests, tt.requests)
		}
		if left, _ := filepath.Glob(path + ".part"); len(left) > 0 {
			t.Errorf("%s: a part is left", tt.why)
		}
		if i := download.ReadInfo(path); i.Size != int64(len(content)) || !i.Fetched.Equal(now) || i.ETag != tt.etag {
			t.Errorf("%s: info %+v", tt.why, i)
		}
	}
}

func TestFileIsFetchedAgainOnlyWhenItChanged(t *testing.T) {
	b, url := serve(t, `"1"`)
	path := filepath.Join(t.TempDir(), "all.zip")
	later := now.Add(time.Hour)
	for i, want := range []bool{true, false} {
		changed, err := client().File(context.Background(), url, path, 1<<20, now.Add(time.Duration(i)*time.Hour))
		if err != nil || changed != want {
			t.Errorf("fetch %d: changed %v, %v", i, changed, err)
		}
	}
	if i := download.ReadInfo(path); !i.Fetched.Equal(later) {
		t.Errorf("the time of the last look is %v", i.Fetched)
	}
	b.etag = `"2"`
	if changed, err := client().File(context.Background(), url, path, 1<<20, now); err != nil || !changed {
		t.Errorf("a new version: changed %v, %v", changed, err)
	}
	// Without the file, its tag would make the server send nothing.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if changed, err := client().File(context.Background(), url, path, 1<<20, now); err != nil || !changed {
		t.Errorf("a lost file: changed %v, %v", changed, err)
	}
	if last := b.requests[len(b.requests)-1]; last != "" {
		t.Errorf("the request for a lost file had %q", last)
	}
}

func TestFileGivesUpWithAReason(t *testing.T) {
	tests := []struct {
		why    string
		tricks []string
		limit  int64
		want   string
	}{
		{"always broken", []string{"500", "500", "500", "500", "500"}, 1 << 20, "status 500"},
		{"forbidden", []string{"403"}, 1 << 20, "status 403"},
		{"always corrupt", []string{"corrupt", "corrupt", "corrupt", "corrupt"}, 1 << 20, "checksum"},
		{"too large by its length", nil, 100, "more bytes than allowed"},
		{"too large without a length", []string{"endless"}, 1 << 20, "more bytes than allowed"},
		{"unchanged without a file", []string{"304"}, 1 << 20, "no file"},
		{"redirects without end", []string{"redirect loop", "redirect loop", "redirect loop", "redirect loop", "redirect loop", "redirect loop", "redirect loop"}, 1 << 20, "redirects"},
	}
	for _, tt := range tests {
		_, url := serve(t, `"1"`, tt.tricks...)
		path := filepath.Join(t.TempDir(), "all.zip")
		_, err := client().File(context.Background(), url, path, tt.limit, now)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "/Go/all.zip") {
			t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a file is there", tt.why)
		}
	}
}

func TestBytesIsBoundedAndRetried(t *testing.T) {
	_, url := serve(t, `"1"`, "500", "cut", "corrupt")
	got, err := client().Bytes(context.Background(), url, int64(len(content)))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_, url = serve(t, `"1"`)
	if _, err := client().Bytes(context.Background(), url, 10); !errors.Is(err, download.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client().Bytes(ctx, url, 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestAddressesAreCheckedAndRedacted(t *testing.T) {
	for _, address := range []string{"http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "x", "https://", "http://user:secret@example.org/x"} {
		_, err := client().Bytes(context.Background(), address, 10)
		if err == nil {
			t.Errorf("%s: no error", address)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", address, err)
		}
	}
}
