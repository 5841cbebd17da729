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
		{0, gateMemory, gateMemory},
		{100 << 20, gateMemory, gateMemory},
		{240 << 20, 310 << 20, 330 << 20},
		{300 << 20, 370 << 20, 420 << 20},
		{4 << 30, 5<<30 + 800<<20, 6 << 30},
		{math.MaxUint64, math.MaxInt64, math.MaxInt64},
	} {
		if got := paced(tc.live, gateMemory); got < tc.from || got > tc.to {
			t.Errorf("%d bytes in use may take %d, want %d to %d", tc.live, got, tc.from, tc.to)
		}
	}
}

func TestTheUsualPaceComesBack(t *testing.T) {
	const percentOfUser = 77
	percent, limit := debug.SetGCPercent(percentOfUser), debug.SetMemoryLimit(5<<30)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	stop := paceCollector(gateMemory, func() { debug.SetGCPercent(percentOfUser) })
	if now := debug.SetMemoryLimit(-1); now < gateMemory || now > 1<<30 {
		t.Errorf("the limit is %d while the collector is paced", now)
	}
	stop()
	if p, l := debug.SetGCPercent(77), debug.SetMemoryLimit(-1); p != 77 || l != 5<<30 {
		t.Errorf("%d percent and %d bytes afterwards", p, l)
	}
}
