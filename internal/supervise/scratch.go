//go:build unix && !solaris && !aix

package supervise

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// scratchPrefix begins the name of the folder of a run's temporary files.
const scratchPrefix = "portcullis-run-"

// newScratch makes a folder for the temporary files of one run, so that none is
// left however the run ends: who supervises it removes the folder, and the next
// run those of runs of which nothing is left. A run holds a lock on its folder,
// which the system gives back when the last of its processes is gone.
//
// The folder is open, to be given to the child, and to be removed in the end.
func newScratch() (*os.File, error) {
	around := os.TempDir()
	sweepScratch(around)
	// Another run may take it for one that is over before it is locked.
	for range 10 {
		path, err := os.MkdirTemp(around, scratchPrefix+"*")
		if err != nil {
			return nil, err
		}
		dir, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := lock(dir, 0); err != nil {
			return nil, errors.Join(err, dir.Close(), os.Remove(path))
		}
		if _, err := os.Lstat(path); err == nil {
			return dir, nil
		}
		_ = dir.Close() // only locked
	}
	return nil, errors.New("folders for temporary files do not stay")
}

func lock(dir *os.File, how int) error {
	for {
		if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// sweepScratch removes what runs left that were killed. Nothing depends on it, so
// that faults are passed over: there is a next run.
func sweepScratch(around string) {
	entries, err := os.ReadDir(around)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scratchPrefix) {
			continue
		}
		if info, err := e.Info(); err != nil || !ours(info) {
			continue
		}
		path := filepath.Join(around, e.Name())
		dir, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
		if err != nil {
			continue
		}
		if lock(dir, syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		_ = dir.Close()
	}
}

// ours reports whether a file belongs to the user of this process.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
