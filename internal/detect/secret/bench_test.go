package secret_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inflate"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// toolchain packs the Go installation that runs the benchmark as two layers:
// source, which is nothing but text full of names, and programs and libraries,
// as most of an image is.
func toolchain(b *testing.B) (blobs []layers.Blob, size int64) {
	b.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatalf("go env GOROOT: %v", err)
	}
	goroot := strings.TrimSpace(string(out))
	for _, dirs := range [][]string{{"src/crypto", "src/net", "src/cmd/compile", "src/runtime", "src/go"}, {"bin", "pkg/tool"}} {
		var files []imagetest.File
		for _, dir := range dirs {
			root := filepath.Join(goroot, dir) // any large tree will do
			_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return nil
				}
				if data, err := os.ReadFile(p); err == nil {
					files = append(files, imagetest.Text(strings.TrimPrefix(p, "/"), string(data)))
				}
				return nil
			})
		}
		if len(files) == 0 {
			b.Skipf("no Go installation at %s to read", goroot)
		}
		raw, err := imagetest.Tar(files...)
		if err != nil {
			b.Fatal(err)
		}
		l, err := imagetest.NewLayer(raw, imagetest.Gzip)
		if err != nil {
			b.Fatal(err)
		}
		size += int64(len(raw))
		blobs = append(blobs, layers.Blob{
			DiffID: l.ClaimedDiffID.String(), Digest: l.ClaimedDigest.String(), Size: l.ClaimedSize,
			Open: func(context.Context) (io.ReadCloser, error) { return l.Compressed() },
		})
	}
	return blobs, size
}

// inflateAll reads the layers side by side and drops what comes out.
func inflateAll(b *testing.B, blobs []layers.Blob, with func(io.Reader) (io.Reader, error)) {
	var group sync.WaitGroup
	for _, blob := range blobs {
		group.Go(func() {
			r, err := blob.Open(context.Background())
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = r.Close() }()
			z, err := with(r)
			if err == nil {
				_, err = io.Copy(io.Discard, z)
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
}

// BenchmarkSearchAgainstInflating compares the pass over the layers with and
// without the search for secrets, and with inflating alone: as layers are
// inflated here, and by klauspost/compress. The four take turns. What counts is
// the processor time, since both cores are busy all the time in each, and since
// it does not grow when other programs share them.
func BenchmarkSearchAgainstInflating(b *testing.B) {
	blobs, size := toolchain(b)
	read := func(inspectors ...layers.Inspector) func() {
		return func() {
			x, err := layers.Read(b.Context(), blobs, layers.Selector{Inspectors: inspectors}, layers.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			_ = x.Close()
		}
	}
	turns := []struct {
		name string
		run  func()
		best time.Duration
	}{
		{"inflate", func() {
			inflateAll(b, blobs, func(r io.Reader) (io.Reader, error) { return inflate.NewReader(r), nil })
		}, 0},
		{"read", read(), 0},
		{"search", read(secret.Inspector{}), 0},
		{"klauspost", func() { inflateAll(b, blobs, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }) }, 0},
	}
	b.SetBytes(size)
	for b.Loop() {
		for i := range turns {
			start := processorTime(b)
			turns[i].run()
			if d := processorTime(b) - start; turns[i].best == 0 || d < turns[i].best {
				turns[i].best = d
			}
		}
	}
	for _, t := range turns {
		b.ReportMetric(float64(size)/1e6/t.best.Seconds(), t.name+"-MB/s/core")
	}
	b.ReportMetric(float64(turns[2].best)/float64(turns[0].best), "search/inflate")
	b.ReportMetric(float64(turns[2].best)/float64(turns[1].best), "search/read")
	b.ReportMetric(float64(turns[2].best)/float64(turns[3].best), "search/klauspost")
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
