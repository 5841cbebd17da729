package target

import (
	"io/fs"
	"syscall"
)

// isKernels reports whether a directory is where the kernel shows itself, as it
// does below /proc and /sys: a mount of a file system that holds no files. Above
// is the number of the device of the root file system.
func isKernels(path string, info fs.FileInfo, above uint64) bool {
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Dev == above {
		return false
	}
	var mount syscall.Statfs_t
	if syscall.Statfs(path, &mount) != nil {
		return false
	}
	switch mount.Type {
	case 0x9fa0, 0x62656572, 0x27e0eb, 0x63677270: // proc, sysfs, cgroup, cgroup2
		return true
	}
	return false
}

// deviceOf is the number of the device that a file is on.
func deviceOf(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Dev
	}
	return 0
}
