package syftcatalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// cacheDirs are the directories in which package managers keep what they can
// get again. Those that begin with a slash are where they are; the others lie
// in home directories, which may be anywhere.
var cacheDirs = []struct{ dir, tool string }{
	{"/var/lib/apt/lists", "apt"},
	{"/var/cache/apt", "apt"},
	{"/var/cache/apk", "apk"},
	{"/etc/apk/cache", "apk"},
	{"/var/cache/dnf", "dnf"},
	{"/var/cache/libdnf5", "dnf"},
	{"/var/cache/yum", "yum"},
	{"/var/cache/zypp", "zypper"},
	{"/var/cache/pacman/pkg", "pacman"},
	{".cache/pip", "pip"},
	{".cache/uv", "uv"},
	{".cache/pypoetry", "poetry"},
	{".npm/_cacache", "npm"},
	{".cache/yarn", "yarn"},
	{".local/share/pnpm/store", "pnpm"},
	{".cache/go-build", "go"},
	{"go/pkg/mod", "go"},
	{"cargo/registry", "cargo"},
	{".cargo/registry", "cargo"},
	{".m2/repository", "maven"},
	{".gradle/caches", "gradle"},
	{".cache/composer", "composer"},
	{".composer/cache", "composer"},
}

// cacheNames are their names as they stand in the paths of directories.
var cacheNames = func() (names []string) {
	for _, c := range cacheDirs {
		names = append(names, "/"+strings.TrimPrefix(c.dir, "/")+"/")
	}
	return names
}()

// cacheOf returns the cache that a directory belongs to, and its package
// manager; "" for one that belongs to none.
func cacheOf(dir string) (cache, tool string) {
	dir += "/"
	for n, c := range cacheDirs {
		i := strings.Index(dir, cacheNames[n])
		if i == 0 || i > 0 && !strings.HasPrefix(c.dir, "/") {
			return dir[:i+len(cacheNames[n])-1], c.tool
		}
	}
	return "", ""
}

// caches adds up what the image holds of package managers' caches.
type caches struct {
	index *layers.Index
	sums  map[cachePart]*inventory.Cache
	// dir is the directory that was looked at last; cache and tool are its.
	dir, cache, tool string
}

type cachePart struct {
	path  string
	layer int32
}

// add counts one entry.
func (c *caches) add(e *layers.Entry) {
	// A hard link takes no room of its own.
	if e.Type != layers.Regular || e.Size == 0 || e.Data() != e {
		return
	}
	if dir := e.Dir(); dir != c.dir {
		c.dir = dir
		c.cache, c.tool = cacheOf(dir)
	}
	if c.cache == "" {
		return
	}
	part := cachePart{c.cache, e.Layer}
	sum := c.sums[part]
	if sum == nil {
		if c.sums == nil {
			c.sums = make(map[cachePart]*inventory.Cache)
		}
		sum = &inventory.Cache{Tool: c.tool, Path: c.cache, Layer: c.index.DiffID(int(e.Layer))}
		c.sums[part] = sum
	}
	sum.Files++
	sum.Size += e.Size
}

// all returns the sums in the order of paths and layers.
func (c *caches) all() []inventory.Cache {
	var out []inventory.Cache
	for _, sum := range c.sums {
		out = append(out, *sum)
	}
	slices.SortFunc(out, func(a, b inventory.Cache) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
	return out
}
