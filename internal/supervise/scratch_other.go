//go:build solaris || aix

package supervise

import (
	"errors"
	"os"
)

// newScratch makes no folder: the system has no locks that end with a process.
func newScratch() (*os.File, error) {
	return nil, errors.New("no locks on this operating system")
}
