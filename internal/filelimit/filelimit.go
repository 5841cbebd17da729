// Package filelimit has a test write its files to a disk that is full after any
// number of bytes: it bounds the size of the files that the process may write,
// so that what is tested needs no place for a fault. It is for tests only.
package filelimit

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

const alone = "PORTCULLIS_TEST_ALONE"

// Alone reports whether the test runs in a process of its own, and otherwise has
// it run in one and fails with it: the bound holds for the whole process, and go
// test lets a test write a log of its own.
func Alone(t *testing.T) bool {
	t.Helper()
	if !supported {
		t.Skip("this system has no bound of the size of files")
	}
	if os.Getenv(alone) == t.Name() {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+regexp.QuoteMeta(t.Name())+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), alone+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if passed := regexp.MustCompile(`(?m)^--- PASS: ` + regexp.QuoteMeta(t.Name()) + ` `); err != nil || !passed.Match(out) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return false
}
