package cache_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cache"
)

// dir opens a cache whose notes are collected.
func dir(t *testing.T, path string, size int64) (*cache.Dir, *[]string) {
	t.Helper()
	var mu sync.Mutex
	notes := &[]string{}
	d, err := cache.Open(path, size, func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		*notes = append(*notes, fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, notes
}

func put(d *cache.Dir, key string, data []byte) {
	d.Put(key, func(w io.Writer) error { _, err := w.Write(data); return err })
}

func get(d *cache.Dir, key string) (data []byte, ok bool) {
	ok = d.Get(key, func(r io.Reader) (err error) { data, err = io.ReadAll(r); return err })
	return data, ok
}

// noise does not shrink, so that sizes of entries are those of the data.
func noise(n int) []byte {
	data := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	return data
}

func files(t *testing.T, path string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(path, "scans", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEntriesComeBackAsTheyWere(t *testing.T) {
	path := t.TempDir()
	d, notes := dir(t, path, cache.DefaultSize)
	for _, n := range []int{0, 1, 1000, 256 << 10, 600_000, 1 << 20} {
		key := fmt.Sprint("key ", n)
		if _, ok := get(d, key); ok {
			t.Errorf("%s is there before it was put in", key)
		}
		put(d, key, noise(n))
		other, _ := dir(t, path, cache.DefaultSize)
		if got, ok := get(other, key); !ok || !bytes.Equal(got, noise(n)) {
			t.Errorf("%s: %d bytes, %t", key, len(got), ok)
		}
	}
	if len(*notes) > 0 {
		t.Errorf("notes: %q", *notes)
	}
	for _, f := range files(t, path) {
		if info, err := os.Stat(f); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, mode %v", f, err, info.Mode())
		}
	}
}

func TestABrokenEntryIsNotedAndMadeAnew(t *testing.T) {
	data := noise(600_000)
	other := t.TempDir()
	second, _ := dir(t, other, cache.DefaultSize)
	put(second, "another key", data)
	foreign, err := os.ReadFile(files(t, other)[0])
	if err != nil {
		t.Fatal(err)
	}
	piece := 256<<10 + 16
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":                  func([]byte) []byte { return nil },
		"cut in the prefix":      func(b []byte) []byte { return b[:3] },
		"nothing but a prefix":   func(b []byte) []byte { return b[:7] },
		"cut after a piece":      func(b []byte) []byte { return b[:7+piece] },
		"cut in a piece":         func(b []byte) []byte { return b[:7+piece+100] },
		"last byte cut":          func(b []byte) []byte { return b[:len(b)-1] },
		"one bit turned":         func(b []byte) []byte { b[7+piece+5] ^= 1; return b },
		"prefix changed":         func(b []byte) []byte { b[0] ^= 1; return b },
		"a byte added":           func(b []byte) []byte { return append(b, 0) },
		"a piece repeated":       func(b []byte) []byte { return slices.Insert(b, 7, b[7:7+piece]...) },
		"pieces swapped":         func(b []byte) []byte { return slices.Concat(b[:7], b[7+piece:7+2*piece], b[7:7+piece], b[7+2*piece:]) },
		"that of another key":    func([]byte) []byte { return slices.Clone(foreign) },
		"something else":         func([]byte) []byte { return []byte(strings.Repeat("not an entry ", 100)) },
		"zeros of the same size": func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			d, notes := dir(t, path, cache.DefaultSize)
			put(d, "key", data)
			file := files(t, path)[0]
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, spoil(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok := get(d, "key"); ok {
				t.Error("a broken entry counts as whole")
			}
			if len(*notes) != 1 || !strings.Contains((*notes)[0], "broken") {
				t.Errorf("notes = %q, want one about a broken entry", *notes)
			}
			put(d, "key", data)
			if got, ok := get(d, "key"); !ok || !bytes.Equal(got, data) {
				t.Error("the entry was not made anew")
			}
		})
	}
}

func TestAnEntryThatIsNotReadToItsEndDoesNotCount(t *testing.T) {
	d, notes := dir(t, t.TempDir(), cache.DefaultSize)
	for name, read := range map[string]func(io.Reader) error{
		"read in part": func(r io.Reader) error { _, err := io.ReadFull(r, make([]byte, 10)); return err },
		"refused":      func(io.Reader) error { return errors.New("not understood") },
		"panic":        func(io.Reader) error { panic("cannot cope") },
	} {
		put(d, name, noise(100))
		if d.Get(name, read) {
			t.Errorf("%s: counts as whole", name)
		}
	}
	if len(*notes) != 3 {
		t.Errorf("notes = %q, want three", *notes)
	}
}

func TestTheLeastRecentlyUsedEntriesGo(t *testing.T) {
	path := t.TempDir()
	d, _ := dir(t, path, 10_000)
	age := func(hours int) {
		for _, f := range files(t, path) {
			info, err := os.Stat(f)
			if err != nil {
				t.Fatal(err)
			}
			at := info.ModTime().Add(-time.Duration(hours) * time.Hour)
			if err := os.Chtimes(f, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, key := range []string{"a", "b", "c"} {
		put(d, key, noise(3000))
		age(1)
	}
	if _, ok := get(d, "a"); !ok {
		t.Fatal("a is gone though there was room")
	}
	put(d, "d", noise(3000))
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if _, ok := get(d, key); ok != want {
			t.Errorf("%s is there: %t, want %t", key, ok, want)
		}
	}
	put(d, "huge", noise(6000))
	if _, ok := get(d, "huge"); ok {
		t.Error("an entry of more than half of the cache's size was kept")
	}
	if _, ok := get(d, "d"); !ok {
		t.Error("an entry that was not kept has crowded out another")
	}
	left := filepath.Join(path, "scans", ".writing-left")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	age(2)
	put(d, "e", noise(10))
	if _, err := os.Stat(left); err == nil {
		t.Error("what a killed process left behind is still there")
	}
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	path := t.TempDir()
	d, notes := dir(t, path, cache.DefaultSize)
	d.Put("key", func(w io.Writer) error {
		_, err := w.Write(noise(1 << 20))
		return errors.Join(err, errors.New("cannot go on"))
	})
	if list := files(t, path); len(list) > 0 || len(*notes) != 1 {
		t.Errorf("files %q, notes %q; want no file and one note", list, *notes)
	}
}

func TestManyUseOneDirectory(t *testing.T) {
	path := t.TempDir()
	var all sync.WaitGroup
	for worker := range 8 {
		d, notes := dir(t, path, 200_000)
		all.Go(func() {
			for i := range 40 {
				key := fmt.Sprint((i + worker) % 10)
				data := bytes.Repeat([]byte(key), 30_000)
				if got, ok := get(d, key); ok && !bytes.Equal(got, data) {
					t.Errorf("key %s: other data came back", key)
				}
				put(d, key, slices.Concat(data[:0:0], data))
			}
			if len(*notes) > 0 {
				t.Errorf("notes: %q", *notes)
			}
		})
	}
	all.Wait()
}

func TestADirectoryOfOthersIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are no mode bits here")
	}
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "scans"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(path, "scans"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Open(path, 1, nil); err == nil || !strings.Contains(err.Error(), "cannot be trusted") {
		t.Errorf("error = %v, want that it cannot be trusted", err)
	}
	file := filepath.Join(path, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Open(file, 1, nil); err == nil {
		t.Error("a file counts as a cache directory")
	}
}

func TestNoCacheKeepsNothing(t *testing.T) {
	var d *cache.Dir
	put(d, "key", nil)
	if _, ok := get(d, "key"); ok {
		t.Error("there is something in no cache")
	}
}

// A clock that was ahead leaves entries of the future: they are read, the bound
// holds, and what was being written goes.
func TestEntriesOfTheFutureAreReadAndTheBoundHolds(t *testing.T) {
	path := t.TempDir()
	d, _ := dir(t, path, 10_000)
	put(d, "ahead", noise(3000))
	left := filepath.Join(path, "scans", ".writing-left")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files(t, path), left) {
		at := time.Now().AddDate(10, 0, 0)
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(left); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		key := fmt.Sprint("now", i)
		put(d, key, noise(3000))
		if _, ok := get(d, key); !ok {
			t.Errorf("entry %d is not there", i)
		}
	}
	if _, ok := get(d, "ahead"); !ok {
		t.Error("the entry of the future is gone")
	}
	if n := len(files(t, path)); n > 3 {
		t.Errorf("%d entries, more than there is room for", n)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what was being written in the future is still there")
	}
}
