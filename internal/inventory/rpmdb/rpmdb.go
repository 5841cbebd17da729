// Package rpmdb tells rpm databases apart that the library which reads them
// would follow without end, and reads of packages what that library does not:
// which files are not held against their digests. The one function is Check.
package rpmdb

import (
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

// Check refuses a file whose name is that of an rpm database if it has chains
// of pages in circles, places outside of pages or more values than pages
// (Berkeley DB), views or values that make rows out of nothing (SQLite), packages
// outside of it or on one another (ndb), or is larger than any real one. Files of
// other names and forms pass: what they hold is for the library to say.
//
// Of a database that passes it returns the paths of the files whose digests rpm
// does not verify since their packages say so, with %verify
// (RPMTAG_FILEVERIFYFLAGS); those of %config and %ghost the library knows. A
// package whose header cannot be read has none, and what exceeds 16 MB of paths
// is left out: more is compared then, and not less.
func Check(ctx context.Context, name string, r io.ReaderAt, size int64) (skipped []string, err error) {
	defer recovered.As(&err, "check the rpm database "+name)
	switch path.Base(name) {
	case "Packages", "Packages.db", "rpmdb.sqlite":
	default:
		return nil, nil
	}
	if size > maxSize {
		return nil, fmt.Errorf("rpm database %s has %d bytes, more than the limit of %d", name, size, int64(maxSize))
	}
	head := make([]byte, 24)
	if n, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || n < len(head) {
		return nil, nil // Too short for any of them: the library says so.
	}
	room := maxUnverified
	each := func(blob []byte) {
		unverified(blob, func(path string) bool {
			if room -= len(path); room < 0 {
				return false
			}
			skipped = append(skipped, path)
			return true
		})
	}
	switch {
	case string(head[:16]) == sqliteMagic:
		err = readSQLite(ctx, r, size, each)
	case string(head[:4]) == ndbMagic:
		err = readNDB(r, size, each)
	case binary.LittleEndian.Uint32(head[12:]) == berkeleyHash:
		err = readBerkeley(r, size, binary.LittleEndian, each)
	case binary.BigEndian.Uint32(head[12:]) == berkeleyHash:
		err = readBerkeley(r, size, binary.BigEndian, each)
	}
	if err != nil {
		return nil, fmt.Errorf("rpm database %s: %w", name, err)
	}
	return skipped, nil
}
