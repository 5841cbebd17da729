package target_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/filelimit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// exporting is a daemon that exports the bytes it is given in some way.
func exporting(t *testing.T, answer func(w http.ResponseWriter)) target.Environment {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
	t.Cleanup(server.Close)
	host := strings.Replace(server.URL, "http://", "tcp://", 1)
	return target.Environment{TempDir: t.TempDir(), Getenv: func(name string) string {
		return map[string]string{"DOCKER_HOST": host}[name]
	}}
}

// export is what a daemon exports of a small image, and some of its offsets: all
// in its first and last bytes, those around the ends of blocks, and a step that
// meets the offsets within a block.
func export(t *testing.T) (data []byte, offsets []int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.tar")
	must(t, imagetest.WriteDockerArchive(path, "shop/web:1", sample(t, "whole")))
	data, err := os.ReadFile(path)
	must(t, err)
	for at := range data {
		if at < 8 || at >= len(data)-8 || at%512 <= 1 || at%512 == 511 || at%61 == 0 {
			offsets = append(offsets, at)
		}
	}
	return data, offsets
}

// abort ends a connection in the middle of an answer.
func abort() { panic(http.ErrAbortHandler) }

// An export that ends early is an error wherever that is, if the daemon or its
// connection tells that it ends early. If they do not, or bits are others, it is
// an error or, where what is lost has no meaning, the same image.
func TestNoFaultOfADaemonGivesAnotherImage(t *testing.T) {
	data, offsets := export(t)
	for name, way := range map[string]struct {
		answer func(w http.ResponseWriter, at int)
		told   bool
	}{
		"cut of an announced size": {func(w http.ResponseWriter, at int) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data[:at])
		}, true},
		"cut between pieces": {func(w http.ResponseWriter, at int) {
			_, _ = w.Write(data[:at])
			_ = http.NewResponseController(w).Flush()
			abort()
		}, true},
		"end of a shorter export": {func(w http.ResponseWriter, at int) { _, _ = w.Write(data[:at]) }, false},
		"end of a connection that announces nothing": {func(w http.ResponseWriter, at int) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.0 200 OK\r\n\r\n%s", data[:at])
			_ = conn.Close()
		}, false},
		"bit": {func(w http.ResponseWriter, at int) {
			flipped := bytes.Clone(data)
			flipped[at] ^= 1 << (at % 8)
			_, _ = w.Write(flipped)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			at, refused := len(data), 0
			env := exporting(t, func(w http.ResponseWriter) {
				if at == len(data) {
					_, _ = w.Write(data)
					return
				}
				way.answer(w, at)
			})
			want, err := open(t, target.Request{Reference: "daemon:shop/web:1"}, env)
			must(t, err)
			for _, at = range offsets {
				got, err := open(t, target.Request{Reference: "daemon:shop/web:1"}, env)
				switch {
				case err != nil:
					refused++
				case way.told:
					t.Errorf("at %d of %d: no error", at, len(data))
				case got.Image.ID != want.Image.ID || len(got.Layers) != len(want.Layers):
					t.Errorf("at %d of %d: image %s, want an error or %s", at, len(data), got.Image.ID, want.Image.ID)
				}
				if left, _ := os.ReadDir(env.TempDir); len(left) != 0 {
					t.Fatalf("at %d of %d: left behind: %v", at, len(data), left)
				}
			}
			if refused < len(offsets)/2 {
				t.Errorf("only %d of %d were refused: the fault does not reach what is read", refused, len(offsets))
			}
		})
	}
}

// A disk that is full is told, at whatever byte of an export it is, and nothing
// of the export stays.
func TestNoFaultOfTheDiskShortensAnExport(t *testing.T) {
	if !filelimit.Alone(t) {
		return
	}
	data, offsets := export(t)
	env := exporting(t, func(w http.ResponseWriter) { _, _ = w.Write(data) })
	for _, at := range offsets {
		var err error
		filelimit.During(t, int64(at), func() {
			_, err = open(t, target.Request{Reference: "daemon:shop/web:1"}, env)
		})
		if !errors.Is(err, filelimit.Full) || !strings.Contains(err.Error(), "spool export") {
			t.Errorf("full after %d of %d bytes: %v", at, len(data), err)
		}
		if left, _ := os.ReadDir(env.TempDir); len(left) != 0 {
			t.Fatalf("full after %d of %d bytes: left behind: %v", at, len(data), left)
		}
	}
}
