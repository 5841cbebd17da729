package rpmdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	// The driver is called sqlite; package syftcatalog needs it as well.
	_ "modernc.org/sqlite"
)

// sqliteMagic begins each such file.
const sqliteMagic = "SQLite format 3\x00"

// readSQLite opens the database in memory, looks at its shape, and takes in its
// packages only if that is one of a real database.
func readSQLite(ctx context.Context, file Database, to *packages) error {
	data := make([]byte, file.Size)
	if _, err := file.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	data, err := withLog(data, file.Log)
	if err != nil {
		return err
	}
	to.keep = len(file.Log) > 0
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
	if err := checkShape(ctx, conn); err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, "SELECT blob FROM Packages")
	if err != nil {
		return fmt.Errorf("read packages: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var blob sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&blob); err != nil {
			return fmt.Errorf("read packages: %w", err)
		}
		to.add(blob)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read packages: %w", err)
	}
	return nil
}

// checkShape looks at the tables and at the sizes of the rows, without reading
// them.
func checkShape(ctx context.Context, conn *sql.Conn) error {
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
