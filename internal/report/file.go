package report

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/atomicfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// WriteFile writes a report into a file, or to stdout if the path is "-". A
// regular file appears whole or not at all: the report goes into a temporary
// file of the same folder, is synced and takes the place of an older one by a
// rename. Devices and pipes (/dev/stdout, a FIFO) are written straight. Errors
// are *exit.Error: exit.Usage for a path that cannot be a report file,
// exit.NotExamined when writing fails, because a gate without its report must
// not pass.
func WriteFile(ctx context.Context, path string, stdout io.Writer, f Format, o outcome.Outcome, opts Options) error {
	write := func(w io.Writer) (err error) {
		defer recovered.As(&err, "make the "+f.Name+" report")
		return f.Write(ctx, w, o, opts)
	}
	if path == "-" {
		return failed(f, "standard output", buffered(stdout, write))
	}
	return WholeFile(path, "write "+f.Name+" report", write)
}

// WholeFile does for any writer what WriteFile does for a report; doing names
// the task in errors.
func WholeFile(path, doing string, write func(io.Writer) error) error {
	if err := CheckPath(path, doing); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && (stream(path) || !info.Mode().IsRegular()) {
		return broken(doing, path, writeSpecial(path, write))
	}
	return broken(doing, path, atomicfile.Write(path, write))
}

// CheckPath refuses, as WholeFile does, a path that cannot be a file to write:
// before the work is done that would be lost for it.
func CheckPath(path, doing string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return usage(doing, path, errors.New("it is a directory"), "name a file in it")
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return usage(doing, path, err, "check the path")
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return usage(doing, path, fmt.Errorf("folder %s does not exist", folder), "create the folder first")
	}
	return nil
}

// stream reports whether path is a name for an open file, such as /dev/stdout.
// Behind it may be a regular file, which must then not be replaced.
func stream(path string) bool {
	clean := filepath.ToSlash(filepath.Clean(path))
	return strings.HasPrefix(clean, "/dev/") || strings.HasPrefix(clean, "/proc/")
}

func writeSpecial(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(buffered(file, write), file.Close())
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

func failed(f Format, where string, err error) error {
	return broken("write "+f.Name+" report", where, err)
}

func usage(doing, path string, err error, hint string) error {
	return &exit.Error{Code: exit.Usage, Doing: doing + " to " + path, Hint: hint, Err: err}
}

func broken(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	return &exit.Error{Code: exit.NotExamined, Doing: doing + " to " + path, Hint: "check the space on the disk and the permissions of the folder", Err: err}
}
