package supervise

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestMemoryGrowsWithWhatIsInUse(t *testing.T) {
	for _, tc := range []struct {
		live     uint64
		from, to int64
	}{
		{0, pacedMemory, pacedMemory},
		{100 << 20, pacedMemory, pacedMemory},
		{300 << 20, 370 << 20, 420 << 20},
		{4 << 30, 5 << 30, 6 << 30},
		{math.MaxUint64, math.MaxInt64, math.MaxInt64},
	} {
		if got := paced(tc.live); got < tc.from || got > tc.to {
			t.Errorf("%d bytes in use may take %d, want %d to %d", tc.live, got, tc.from, tc.to)
		}
	}
}

func TestTheUsualPaceComesBack(t *testing.T) {
	percent, limit := debug.SetGCPercent(77), debug.SetMemoryLimit(5<<30)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	stop := PaceCollector()
	if now := debug.SetMemoryLimit(-1); now < pacedMemory || now > 1<<30 {
		t.Errorf("the limit is %d while the collector is paced", now)
	}
	stop()
	if p, l := debug.SetGCPercent(77), debug.SetMemoryLimit(-1); p != 77 || l != 5<<30 {
		t.Errorf("%d percent and %d bytes afterwards", p, l)
	}
}
