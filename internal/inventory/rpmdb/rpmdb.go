// Package rpmdb tells rpm databases apart that the library which reads them
// would follow without end. It reads no packages; the main function is Check.
package rpmdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"

	// The driver is called sqlite; package syftcatalog needs it as well.
	_ "modernc.org/sqlite"

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

// Check refuses a file whose name is that of an rpm database if it has chains
// of pages in circles or places outside of pages (Berkeley DB), views or values that make rows out of
// nothing (SQLite), or is larger than any real one. Files of other names and
// forms pass: what they hold is for the library to say.
func Check(ctx context.Context, name string, r io.ReaderAt, size int64) (err error) {
	defer recovered.As(&err, "check the rpm database "+name)
	switch path.Base(name) {
	case "Packages", "Packages.db", "rpmdb.sqlite":
	default:
		return nil
	}
	if size > maxSize {
		return fmt.Errorf("rpm database %s has %d bytes, more than the limit of %d", name, size, int64(maxSize))
	}
	head := make([]byte, 24)
	if n, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || n < len(head) {
		return nil // Too short for any of them: the library says so.
	}
	switch {
	case string(head[:16]) == "SQLite format 3\x00":
		err = checkSQLite(ctx, r, size)
	case binary.LittleEndian.Uint32(head[12:]) == berkeleyHash:
		err = checkBerkeley(r, size, binary.LittleEndian)
	case binary.BigEndian.Uint32(head[12:]) == berkeleyHash:
		err = checkBerkeley(r, size, binary.BigEndian)
	}
	if err != nil {
		return fmt.Errorf("rpm database %s: %w", name, err)
	}
	return nil
}

// checkSQLite opens the database in memory and looks at its shape, without
// reading the rows.
func checkSQLite(ctx context.Context, r io.ReaderAt, size int64) error {
	data := make([]byte, size)
	if _, err := r.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	// rpm keeps a write-ahead log beside its database, and a database in memory
	// cannot have one. Versions 1 in place of 2 say that there is none
	// (https://www.sqlite.org/fileformat2.html#file_format_version_numbers).
	data[18], data[19] = min(data[18], 1), min(data[19], 1)
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(driver any) error {
		d, ok := driver.(interface{ Deserialize([]byte) error })
		if !ok {
			return errors.New("the driver cannot open a database in memory")
		}
		return d.Deserialize(data)
	})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	var foreign, rows int64
	var longest, total float64
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type <> 'table'").Scan(&foreign); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	if foreign > 0 {
		return errors.New("it has views or virtual tables, which no rpm database has")
	}
	// length() of a stored value looks at the header of its row alone.
	query := fmt.Sprintf("SELECT count(*), total(l), coalesce(max(l), 0) FROM (SELECT length(blob) AS l FROM Packages LIMIT %d)", maxPackages+1)
	if err := conn.QueryRowContext(ctx, query).Scan(&rows, &total, &longest); err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	if rows > maxPackages || longest > maxHeader || total > maxSize {
		return fmt.Errorf("%d packages with %.0f bytes, the longest of %.0f: more than a real one has", rows, total, longest)
	}
	return nil
}
