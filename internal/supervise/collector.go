package supervise

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// gateMemory and lintMemory are what the runtime may take in bytes before
	// garbage is collected at all: what the examination of an image, and a check
	// of some hundred files, take without any.
	gateMemory = 192 << 20
	lintMemory = 80 << 20
	// pacedInterval is how often it is seen whether it has to be more.
	pacedInterval = 25 * time.Millisecond
)

// paceCollector has garbage collected only when the process grows beyond least
// bytes, which its work usually needs, and then as often as it takes to stay
// little larger than what is in use: an examination lives for seconds, and its
// largest memory counts. It returns a function that ends that, and resumes the
// usual pace. What the user says of the collector holds instead, by the variables
// GOGC and GOMEMLIMIT.
func paceCollector(least int64, resume func()) (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		resume()
		return func() {}
	}
	debug.SetGCPercent(-1)
	usual := debug.SetMemoryLimit(least)
	var running sync.WaitGroup
	stopped := make(chan struct{})
	running.Go(func() {
		ticker := time.NewTicker(pacedInterval)
		defer ticker.Stop()
		now := least
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
			}
			// Small changes are not worth that the program is stopped for them.
			if limit := paced(liveHeap(), least); limit > now || limit < now/4*3 {
				now = limit
				debug.SetMemoryLimit(now)
			}
		}
	})
	return func() {
		close(stopped)
		running.Wait()
		debug.SetMemoryLimit(usual)
		resume()
	}
}

// paced returns what the runtime may take where that many bytes are in use.
func paced(live uint64, least int64) int64 {
	if live > math.MaxInt64/2 {
		return math.MaxInt64
	}
	// Stacks, and memory that is free and not given back, count as well.
	const besides = 24 << 20
	// From here on there is twice as much room: half of the processor's time of an
	// image with 200,000 packages went into looking for garbage.
	const large = 256 << 20
	room := live/4 + besides
	if live > large {
		room += (live - large) / 4
	}
	return max(least, int64(live+room))
}

// liveHeap is the size of what the last collection left.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
