// Package cache keeps what earlier runs worked out in a bounded directory that
// several processes may use at once. Entries are written whole or not at all,
// sealed, and verified before anything is taken from them; the least recently
// used go when the directory grows too large. The main type is Dir. It knows
// nothing of what is in an entry.
package cache

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// DefaultSize is the default bound of a directory in bytes.
const DefaultSize = 1 << 30

// Dir is a cache directory. A nil *Dir is an empty cache that keeps nothing. It
// is safe for concurrent use.
type Dir struct {
	path string
	size int64
	note func(format string, args ...any)
	// writable is false for a directory that must not or cannot be written.
	writable bool
	// create and rename are those of package os; tests have others that fail.
	create func(dir, pattern string) (entry, error)
	rename func(from, to string) error
}

// entry is a file that is being written.
type entry interface {
	io.WriteCloser
	Name() string
}

const (
	suffix     = ".entry"
	tempPrefix = ".writing-"
	// staleTemp is after what time a file that is being written counts as left
	// behind by a process that was killed; also if its clock was ahead.
	staleTemp = time.Hour
	// format is part of every key; it changes with the form of the files.
	format = "portcullis cache 1"
)

// Open opens a cache directory and makes it when it is not there. A directory
// that other users could have written to is refused, because its entries would
// decide what is found. A directory that cannot be written to is read only.
// Size is its bound in bytes. The note function is told of entries that cannot
// be used, by several goroutines at once; it may be nil.
func Open(path string, size int64, note func(format string, args ...any)) (*Dir, error) {
	if note == nil {
		note = func(string, ...any) {}
	}
	d := &Dir{path: filepath.Join(path, "scans"), size: size, note: note, rename: os.Rename}
	d.create = func(dir, pattern string) (entry, error) { return os.CreateTemp(dir, pattern) }
	err := os.MkdirAll(d.path, 0o700)
	info, statErr := os.Stat(d.path)
	if statErr != nil {
		return nil, fmt.Errorf("open cache: %w", cmpErr(err, statErr))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open cache: %s is not a directory", d.path)
	}
	if err := private(info); err != nil {
		return nil, fmt.Errorf("open cache %s: %w", d.path, err)
	}
	probe, err := os.CreateTemp(d.path, tempPrefix)
	if err == nil {
		d.writable = true
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		note("the cache is used, but not added to: %v", err)
	}
	return d, nil
}

func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// names derives from a key the name of its file and the key that seals it. The
// name does not tell the key.
func names(key string) (file string, seal []byte) {
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, format, 64)
	if err != nil {
		panic(err) // Only for lengths beyond the hash's.
	}
	return hex.EncodeToString(derived[:32]) + suffix, derived[32:]
}

// Get has read take in the entry of a key. It reports false, and what read took
// in must be thrown away, when there is no such entry or it is broken: that is
// noted, and the entry removed. What read sees is verified piece by piece, and
// that the end is the end when read has seen io.EOF, which it must.
func (d *Dir) Get(key string, read func(io.Reader) error) bool {
	if d == nil {
		return false
	}
	file, seal := names(key)
	path := filepath.Join(d.path, file)
	f, err := os.Open(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.note("the cache cannot be read: %v", err)
		}
		return false
	}
	err = unpack(f, seal, read)
	_ = f.Close()
	if err != nil {
		d.note("an entry of the cache is broken and made anew (%s): %v", file[:12], err)
		if d.writable {
			_ = os.Remove(path)
		}
		return false
	}
	if d.writable {
		now := time.Now()
		_ = os.Chtimes(path, now, now)
	}
	return true
}

func unpack(f io.Reader, seal []byte, read func(io.Reader) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be understood: %v", r)
		}
	}()
	opened, err := newOpener(f, seal)
	if err != nil {
		return err
	}
	z, err := zstd.NewReader(opened, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	if err := read(z); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, z); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d bytes follow its end", n))
	}
	return opened.finished()
}

// Put keeps an entry. Nothing depends on it: a full disk is noted and the entry
// dropped.
func (d *Dir) Put(key string, write func(io.Writer) error) {
	if d == nil || !d.writable {
		return
	}
	if err := d.put(key, write); err != nil {
		d.note("not kept in the cache: %v", err)
		return
	}
	if err := d.evict(); err != nil {
		d.note("clean the cache: %v", err)
	}
}

func (d *Dir) put(key string, write func(io.Writer) error) (err error) {
	file, seal := names(key)
	f, err := d.create(d.path, tempPrefix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	sealed, err := newSealer(&bounded{w: f, left: d.size / 2}, seal)
	if err != nil {
		return err
	}
	z, err := zstd.NewWriter(sealed, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return err
	}
	if err := errors.Join(write(z), z.Close()); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return d.rename(f.Name(), filepath.Join(d.path, file))
}

// bounded refuses what would crowd out everything else.
type bounded struct {
	w    io.Writer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errors.New("larger than half of the cache's size")
	}
	n, err := b.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// evict removes the least recently used entries until the directory is within
// its bound, and what killed processes left behind. Another process may do the
// same at the same time: what is gone is gone.
func (d *Dir) evict() error {
	list, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	var entries []fs.FileInfo
	var total int64
	for _, item := range list {
		info, err := item.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch {
		case strings.HasPrefix(info.Name(), tempPrefix) && time.Since(info.ModTime()).Abs() > staleTemp:
			_ = os.Remove(filepath.Join(d.path, info.Name()))
		case strings.HasSuffix(info.Name(), suffix):
			entries = append(entries, info)
			total += info.Size()
		}
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range entries {
		if total <= d.size {
			return nil
		}
		if err := os.Remove(filepath.Join(d.path, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= info.Size()
	}
	return nil
}
