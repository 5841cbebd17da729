package cli

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"syscall"
)

// storageHint says what to do when a file could not be written, and how another
// folder than that is named; otherwise it returns the given hint. Only files in
// the folder count: of others, one that is read may be meant.
func storageHint(err error, folder, flag, otherwise string) string {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return otherwise
	}
	if inside, e := filepath.Rel(folder, at.Path); e != nil || !filepath.IsLocal(inside) {
		return otherwise
	}
	var hint string
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG),
		runtime.GOOS == "windows" && errors.Is(err, diskFull):
		hint = "make room in " + folder
	case errors.Is(err, syscall.EROFS):
		hint = folder + " can only be read: mount it to be written"
	case errors.Is(err, fs.ErrPermission):
		hint = "let this user write to " + folder
	default:
		return otherwise
	}
	return hint + ", or name another folder with " + flag + "; " + otherwise
}

// diskFull is what Windows says of a disk without room (ERROR_DISK_FULL).
const diskFull = syscall.Errno(112)
