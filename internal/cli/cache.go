package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/cache"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/progress"
)

// cacheFlags say where what was read of images is kept for the next run.
type cacheFlags struct {
	dir  string
	size bytesFlag
	off  bool
}

func (f *cacheFlags) register(flags *pflag.FlagSet) {
	f.size = cache.DefaultSize
	flags.StringVar(&f.dir, "cache-dir", "", "directory that keeps what was read of layers for the next run (default: portcullis in the user's cache directory)")
	flags.Var(&f.size, "cache-size", "bytes that the cache may hold; what was not used for longest goes first")
	flags.BoolVar(&f.off, "no-cache", false, "read every layer anew and keep nothing")
}

// openCache opens the cache. Nothing depends on it: where there can be none, the run
// goes on without, and says why if a directory was named.
func (f cacheFlags) openCache(p Program, display *progress.Display) layers.Cache {
	dir := f.dir
	if dir == "" {
		dir = p.cacheDir()
	}
	if f.off || dir == "" || f.size <= 0 {
		return nil
	}
	opened, err := cache.Open(dir, int64(f.size), display.Note)
	if err != nil {
		display.Note("no cache is used: %v", err)
		return nil
	}
	return opened
}

// buildIdentity tells builds apart, so that none uses what another one, which
// may have understood images in another way, has put into the cache. A
// development build is known by its file only.
func buildIdentity() string {
	b := Version()
	identity := fmt.Sprintf("%s %s %s", b.Version, b.Commit, b.Go)
	if b.Version != developmentVersion && !b.Modified && !strings.Contains(b.Version, "dirty") {
		return identity
	}
	file, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", identity, info.Size(), info.ModTime().UnixNano())
}
