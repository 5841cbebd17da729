//go:build unix

package peak

import (
	"os"
	"runtime"
	"syscall"
	"time"
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

// Written is how many bytes a process that has ended, or its children, had
// written to disk; 0 where the system does not tell.
func Written(s *os.ProcessState) int64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok || runtime.GOOS != "linux" {
		return 0
	}
	// In units of 512 bytes, whatever the blocks of the file system are.
	return int64(usage.Oublock) * 512
}

// Processor is how long this process has computed.
func Processor() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
