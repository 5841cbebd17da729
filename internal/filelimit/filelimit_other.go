//go:build !unix

package filelimit

import (
	"errors"
	"testing"
)

const supported = false

// Full is the error of a write to a file that has as many bytes as it may.
var Full = errors.ErrUnsupported

// During fails: there is no bound here.
func During(t *testing.T, _ int64, _ func()) {
	t.Helper()
	t.Fatal("this system has no bound of the size of files")
}
