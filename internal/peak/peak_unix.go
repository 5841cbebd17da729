//go:build unix

package peak

import (
	"os"
	"runtime"
	"syscall"
)

// Memory is the largest resident memory in bytes of a process that has ended, or
// of one of its children; 0 where the system does not tell.
func Memory(s *os.ProcessState) int64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) * 1024
}
