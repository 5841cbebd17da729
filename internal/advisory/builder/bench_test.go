package builder

import (
	"context"
	"os"
	"testing"
	"time"
)

// BenchmarkBuild compiles the advisories in the directory that
// PORTCULLIS_ADVISORIES names.
func BenchmarkBuild(b *testing.B) {
	dir := os.Getenv("PORTCULLIS_ADVISORIES")
	if dir == "" {
		b.Skip("PORTCULLIS_ADVISORIES does not name a directory of advisories")
	}
	for b.Loop() {
		m, err := Build(context.Background(), Request{From: []string{dir}, Out: b.TempDir(), Now: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			b.Fatal(err)
		}
		var size, data int64
		records := 0
		for _, s := range m.Shards {
			size += s.Size
			data += s.Data
			records += s.Records
		}
		b.ReportMetric(float64(size), "bytes")
		b.ReportMetric(float64(data), "content-bytes")
		b.ReportMetric(float64(records), "records")
	}
}
