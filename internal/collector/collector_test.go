package collector

import (
	"runtime/debug"
	"testing"
)

func TestTheCollectorRestsUntilItResumes(t *testing.T) {
	if percent := debug.SetGCPercent(-1); percent != -1 {
		t.Errorf("at the start the pace is %d percent", percent)
	}
	Resume()
	if percent := debug.SetGCPercent(usual); percent != usual || percent == -1 {
		t.Errorf("afterwards the pace is %d percent, want %d", percent, usual)
	}
}
