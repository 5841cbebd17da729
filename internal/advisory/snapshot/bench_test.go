package snapshot_test

import (
	"context"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
)

// BenchmarkOpen opens a database and the shards that an image with packages of
// a distribution, npm, Go and PyPI needs: read whole, compared with their
// digests, inflated.
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		db, err := snapshot.Open()
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"red-hat-8", "npm", "go", "pypi"} {
			if _, err := db.Shard(context.Background(), name); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := db.KEV(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
