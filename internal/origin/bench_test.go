package origin

import (
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
)

// BenchmarkTrace leads the findings of one build to their lines.
func BenchmarkTrace(b *testing.B) {
	file := fileAt("services/shop/Dockerfile", shopDockerfile)
	locks := locksOf(b, shopCheckout)
	for _, builder := range []string{byBuildKit, byBuildahWhole} {
		b.Run(builder, func(b *testing.B) {
			tracer := NewWith(record(builder, file, debianBase), Options{Dockerfiles: []*dockerfile.File{file}, Locks: locks})
			for b.Loop() {
				for _, tt := range origins {
					tracer.Trace(vulnerable(tt.pkg, tt.path, tt.layer))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(origins)), "µs/finding")
		})
	}
}
