package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// TestAnInterruptInMidScanLeavesNothing interrupts a gate when it waits for a
// layer that a registry does not send: it ends without a verdict, and neither
// a report nor a temporary file is left.
func TestAnInterruptInMidScanLeavesNothing(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", temp)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reg := imagetest.NewRegistry(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
				next.ServeHTTP(w, r)
				return
			}
			// A first byte, and then nothing until the client is gone.
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write([]byte{0x1f})
			_ = http.NewResponseController(w).Flush()
			interrupt()
			<-r.Context().Done()
		})
	})
	defer reg.Close()
	img, err := images["fixed"]().Image()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := reg.Push("shop/web:1", img)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := cli.Program{
		Args:   []string{"gate", "--image", ref, "--fail-on", "none", "--output", "json=gate.json", "--sbom-out", "sbom.json"},
		Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Clock: func() time.Time { return scriptTime },
	}.Main(ctx)
	if code != exit.NotExamined || !strings.Contains(errs.String(), "interrupted; nothing was decided") {
		t.Errorf("exit code %d, printed\n%s%s", code, &out, &errs)
	}
	for _, where := range []string{dir, temp} {
		left, err := filepath.Glob(filepath.Join(where, "*"))
		hidden, _ := filepath.Glob(filepath.Join(where, ".*"))
		if err != nil || len(left)+len(hidden) > 0 {
			t.Errorf("left behind: %v %v %v", left, hidden, err)
		}
	}
	if _, err := os.Stat("gate.json"); err == nil {
		t.Error("a report was written")
	}
}
