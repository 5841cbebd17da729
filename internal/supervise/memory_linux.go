package supervise

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes has the kernel end the child when its parent is gone, so that a
// killed gate leaves nothing running.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// LimitMemory has the kernel refuse this process more than the given number of
// bytes of writable memory (RLIMIT_DATA, getrlimit(2)). Whoever asks for more
// is ended, which is what the parent is for. A lower limit that is there
// already stays.
func LimitMemory(bytes int64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &limit); err != nil {
		return fmt.Errorf("read the memory limit: %w", err)
	}
	if limit.Cur <= uint64(bytes) {
		return nil
	}
	limit.Cur = uint64(bytes)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &limit); err != nil {
		return fmt.Errorf("limit memory to %d bytes: %w", bytes, err)
	}
	return nil
}
