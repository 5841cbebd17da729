package syftcatalog

import (
	"context"
	"errors"
	"runtime/metrics"
	"time"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// defaultHeap is far above what large real images need (0.6 GB), and below
	// what makes a build machine swap.
	defaultHeap = 4 << 30
	// grace is how long catalogers may take to notice that the context ended.
	grace = 500 * time.Millisecond
	// watchInterval is how often the heap is looked at; parsers that run away
	// allocate some 400 MB a second.
	watchInterval = 50 * time.Millisecond
)

// heapField names the limit on memory in a LimitError: Options.Heap.
const heapField = "Heap"

// createSBOM runs syft's catalogers, which parse what an attacker may have
// written and do not all heed the context: a database of endless rows or
// archives in archives would run until memory or patience ends. When the
// context ends or the heap outgrows its limit they are left behind, and the
// caller, whose process will end soon, gets an error.
func createSBOM(ctx context.Context, src *layerSource, cfg *syft.CreateSBOMConfig, heap int64) (*sbom.SBOM, error) {
	type result struct {
		model *sbom.SBOM
		err   error
	}
	tooMuch := func() error {
		if heapInUse() > uint64(heap) {
			return &layers.LimitError{Limit: "bytes of memory while packages are read", Value: heap, Field: heapField}
		}
		return nil
	}
	if heap == 0 {
		heap = defaultHeap
	}
	if err := tooMuch(); err != nil {
		return nil, err
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		var r result
		defer func() { done <- r }()
		defer recovered.As(&r.err, "read packages")
		r.model, r.err = syft.CreateSBOM(ctx, src, cfg)
	}()
	watch := time.NewTicker(watchInterval)
	defer watch.Stop()
	for {
		select {
		case r := <-done:
			if r.err == nil {
				r.err = context.Cause(ctx)
			}
			return r.model, r.err
		case <-watch.C:
			if err := tooMuch(); err != nil {
				cancel(err)
			}
		case <-ctx.Done():
			select {
			case r := <-done:
				return nil, errors.Join(context.Cause(ctx), r.err)
			case <-time.After(grace):
				return nil, context.Cause(ctx)
			}
		}
	}
}

// heapInUse is the memory of live and not yet collected objects in bytes.
func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
