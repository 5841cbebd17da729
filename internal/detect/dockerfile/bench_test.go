package dockerfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkThousandFiles lints 1,000 files of real size in one run. The budget
// is one second on two cores and 100 MB; heap-MB is the memory that the heap
// holds of the system at the end of a run.
func BenchmarkThousandFiles(b *testing.B) {
	paths, err := filepath.Glob(filepath.Join(silentFolder, "*.Dockerfile"))
	if err != nil || len(paths) == 0 {
		b.Fatalf("no files in %s: %v", silentFolder, err)
	}
	var contents [][]byte
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		contents = append(contents, content)
	}
	var files []File
	size := 0
	for i := range 1000 {
		content := contents[i%len(contents)]
		size += len(content)
		files = append(files, File{Path: fmt.Sprintf("%d/Dockerfile", i), Content: content})
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var peak uint64
	for b.Loop() {
		res := Lint(context.Background(), files, Options{})
		if len(res.Failures) > 0 || len(res.Findings) == 0 {
			b.Fatalf("%d findings, failures %v", len(res.Findings), res.Failures)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapSys-m.HeapReleased)
	}
	b.ReportMetric(float64(peak)/1e6, "heap-MB")
}
