// Package rpmdb tells rpm databases apart that the library which reads them
// would follow without end, gives it in another form what it would pass over, and
// reads of packages what that library does not: which files are not held against
// their digests. The one function is Check.
package rpmdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// maxSize is the size of an rpm database in bytes; that of a full
	// workstation has some 250 MB.
	maxSize = 512 << 20
	// maxPackages and maxHeader bound the rows of a database in SQLite.
	maxPackages = 200_000
	maxHeader   = 64 << 20
)

// maxUnverified bounds the paths of files that are not verified, in bytes; the
// databases of distributions have a handful.
const maxUnverified = 16 << 20

// Database is a file that may be an rpm database.
type Database struct {
	// Name is the path, whose last part decides.
	Name string
	io.ReaderAt
	Size int64
	// Log is the write-ahead log beside a database of SQLite; nil for none.
	Log []byte
}

// Checked is what is known of a database that passed.
type Checked struct {
	// Unverified are the paths of the files whose digests rpm does not verify
	// since their packages say so.
	Unverified []string
	// Instead is a database of the same packages that the library reads whole;
	// nil where it does that with the file itself.
	Instead []byte
	// Empty says that it lists no package.
	Empty bool
}

// Check refuses a file whose name is that of an rpm database if it has chains
// of pages in circles, places outside of pages or more values than pages
// (Berkeley DB), views or values that make rows out of nothing (SQLite), packages
// outside of it or on one another (ndb), or is larger than any real one. Files of
// other names and forms pass: what they hold is for the library to say.
//
// The library neither reads the write-ahead log of a database nor short values of
// a Berkeley DB, which hold whole packages where its pages are large: Instead has
// all of them then.
//
// Files that are not verified are those of packages that say so with %verify
// (RPMTAG_FILEVERIFYFLAGS); those of %config and %ghost the library knows. A
// package whose header cannot be read has none, and what exceeds 16 MB of paths
// is left out: more is compared then, and not less.
func Check(ctx context.Context, d Database) (out Checked, err error) {
	defer recovered.As(&err, "check the rpm database "+d.Name)
	if !IsName(d.Name) {
		return Checked{}, nil
	}
	if d.Size > maxSize {
		return Checked{}, fmt.Errorf("rpm database %s has %d bytes, more than the limit of %d", d.Name, d.Size, int64(maxSize))
	}
	head := make([]byte, 24)
	if n, err := d.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || n < len(head) {
		return Checked{}, nil // Too short for any of them: the library says so.
	}
	b := &packages{room: maxUnverified}
	var other bool
	switch {
	case string(head[:16]) == sqliteMagic:
		err = readSQLite(ctx, d, b)
	case string(head[:4]) == ndbMagic:
		err = readNDB(d, d.Size, b.add)
	case binary.LittleEndian.Uint32(head[12:]) == berkeleyHash:
		err = readBerkeley(d, d.Size, binary.LittleEndian, b)
	case binary.BigEndian.Uint32(head[12:]) == berkeleyHash:
		err = readBerkeley(d, d.Size, binary.BigEndian, b)
	default:
		other = true
	}
	if err != nil {
		return Checked{}, fmt.Errorf("rpm database %s: %w", d.Name, err)
	}
	if other {
		return Checked{}, nil
	}
	return b.checked(), nil
}

// IsName reports whether a file has the name of an rpm database.
func IsName(p string) bool {
	switch path.Base(p) {
	case "Packages", "Packages.db", "rpmdb.sqlite":
		return true
	}
	return false
}

// packages takes in the packages of a database.
type packages struct {
	unverified []string
	// room is how many bytes of paths unverified may still take.
	room int
	// keep is set where the library would not find all packages; kept are they.
	keep  bool
	kept  [][]byte
	count int
}

// add takes in a package. The caller may change it afterwards.
func (b *packages) add(blob []byte) {
	b.count++
	unverified(blob, func(path string) bool {
		if b.room -= len(path); b.room < 0 {
			return false
		}
		b.unverified = append(b.unverified, path)
		return true
	})
	if b.keep {
		b.kept = append(b.kept, bytes.Clone(blob))
	}
}

func (b *packages) checked() Checked {
	out := Checked{Unverified: b.unverified, Empty: b.count == 0}
	if b.keep {
		out.Instead = newDatabase(b.kept)
	}
	return out
}
