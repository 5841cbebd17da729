//go:build !linux

package target

import "io/fs"

// isKernels reports whether a directory is where the kernel shows itself; only
// Linux is known to do so among files.
func isKernels(string, fs.FileInfo, uint64) bool { return false }

func deviceOf(fs.FileInfo) uint64 { return 0 }
