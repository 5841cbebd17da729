//go:build unix

package filelimit

import (
	"syscall"
	"testing"
)

const supported = true

// Full is the error of a write to a file that has as many bytes as it may.
const Full = syscall.EFBIG

// During runs f while no file may be written beyond its first n bytes.
func During(t *testing.T, n int64, f func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	bounded := before
	set(&bounded.Cur, n)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &bounded); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// set is for systems on which a limit is a signed number.
func set[N int64 | uint64](limit *N, n int64) { *limit = N(n) }
