package layers

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/filelimit"
)

// noDisk is a store whose temporary file is the given one.
func noDisk(f *os.File) *store {
	s := newStore(Limits{Spill: 1 << 30}.WithDefaults())
	s.limits.Memory = 0
	s.once.Do(func() { s.file = f })
	return s
}

// A content that finds no room on the disk, or is cut on its way there, is an
// error and no shorter content.
func TestContentsThatFindNoRoomAreAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this system has no device that is always full: %v", err)
	}
	defer func() { _ = full.Close() }()
	for _, size := range []int64{1, 4096, 64 << 10, 1 << 20} {
		c, err := noDisk(full).put(bytes.NewReader(make([]byte, size)), size)
		if err == nil {
			t.Errorf("%d bytes on a full disk: %+v without an error", size, c)
		}
	}
}

func TestContentsThatAreCutOnTheirWayToTheDiskAreAnError(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "spill"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, cut := range []int64{0, 1, 4095, 64 << 10, 1<<20 - 1} {
		if _, err := noDisk(f).put(bytes.NewReader(make([]byte, cut)), 1<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
}

func TestNoFolderForContentsBeyondTheMemoryIsAnError(t *testing.T) {
	s := newStore(Limits{Spill: 1 << 30, TempDir: filepath.Join(t.TempDir(), "no")}.WithDefaults())
	s.limits.Memory = 0
	if _, err := s.put(strings.NewReader("x"), 1); err == nil || !strings.Contains(err.Error(), "temporary file") {
		t.Errorf("got %v", err)
	}
}

// A disk that fills up in the middle of a content is an error at whatever byte,
// also for the contents behind it.
func TestADiskThatFillsUpShortensNoContent(t *testing.T) {
	if !filelimit.Alone(t) {
		return
	}
	for _, room := range []int64{0, 1, 511, 512, 4095, 4096, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64 << 10, 100<<10 - 1} {
		f, err := os.Create(filepath.Join(t.TempDir(), "spill"))
		if err != nil {
			t.Fatal(err)
		}
		s := noDisk(f)
		filelimit.During(t, room, func() {
			for range 2 {
				if c, err := s.put(bytes.NewReader(make([]byte, 100<<10)), 100<<10); !errors.Is(err, filelimit.Full) {
					t.Errorf("room for %d bytes: %+v, error %v", room, c, err)
				}
			}
		})
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}
