package main

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"

	// The driver is called sqlite.
	_ "modernc.org/sqlite"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// sqliteFile makes a database with the given statements.
func sqliteFile(s *scene, statements ...string) ([]byte, error) {
	file := filepath.Join(s.dir, "made.sqlite")
	defer func() { _ = os.Remove(file) }()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			return nil, err
		}
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// rpmImage is a case of an image with an rpm database and nothing else.
func rpmImage(name string, make func(s *scene) ([]byte, error)) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		data, err := make(s)
		if err != nil {
			return nil, err
		}
		return files(func(*scene) []imagetest.File {
			return []imagetest.File{{Path: "var/lib/rpm/" + name, Body: data}}
		})(s)
	}
}

// replaced is the small Debian or Alpine with text replaced in its database.
func replaced(files []imagetest.File, path, old, with string) []imagetest.File {
	for i, f := range files {
		if f.Path == path {
			files[i].Body = bytes.Replace(f.Body, []byte(old), []byte(with), 1)
		}
	}
	return files
}

const rpmTable = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"

// databaseCases are rows 62 to 68: databases of package managers.
func databaseCases() []hostileCase {
	long := strings.Repeat("x", 5<<20)
	bare := func(make func() []imagetest.File) func(s *scene) ([]string, error) {
		return func(s *scene) ([]string, error) {
			only, err := layerOf(make()...)
			if err != nil {
				return nil, err
			}
			l := newLayout(s.path("image"))
			image, err := l.finish(l.manifest(config(only), only))
			return s.gate(image, "--sbom-out", "sbom.json"), err
		}
	}
	corrupt := func(row, name, file string, make func(s *scene) ([]byte, error)) hostileCase {
		return hostileCase{row: row, name: name, exits: refused, says: "rpm", seconds: 60, megabytes: 1024, prepare: rpmImage(file, make)}
	}
	return []hostileCase{
		{row: "62", name: "dpkg-long-line", exits: passed, play: sbomHolds("last", ""), prepare: bare(func() []imagetest.File {
			return replaced(base(), "var/lib/dpkg/status", "Description: ", "Description: "+long)
		})},
		{row: "63", name: "apk-long-line", exits: either, play: sbomHolds("last", ""), prepare: bare(func() []imagetest.File {
			return replaced(imagetest.Alpine("3.20.1", imagetest.Package{Name: "first", Version: "1-r0"}, imagetest.Package{Name: "last", Version: "2-r0"}), "lib/apk/db/installed", "T:", "T:"+long)
		})},
		{row: "62", name: "dpkg-noise", exits: refused, prepare: bare(func() []imagetest.File {
			return append(base(), imagetest.File{Path: "var/lib/dpkg/status", Body: noise(100_000)})
		})},
		{row: "62", name: "dpkg-status-is-a-directory", exits: refused, prepare: bare(func() []imagetest.File {
			return []imagetest.File{imagetest.Text("etc/os-release", "ID=debian\nVERSION_ID=12\n"), imagetest.Dir("var/lib/dpkg/status")}
		})},
		corrupt("64", "rpmdb-noise", "Packages", func(*scene) ([]byte, error) { return noise(200_000), nil }),
		corrupt("64", "rpmdb-sqlite-cut", "rpmdb.sqlite", func(s *scene) ([]byte, error) {
			data, err := sqliteFile(s, rpmTable, "INSERT INTO Packages (blob) SELECT zeroblob(9000)", "INSERT INTO Packages (blob) SELECT zeroblob(9000)")
			return data[:min(len(data), 10_000)], err
		}),
		corrupt("65", "rpmdb-sqlite-endless", "rpmdb.sqlite", func(s *scene) ([]byte, error) {
			return sqliteFile(s, "CREATE VIEW Packages AS WITH RECURSIVE c(hnum, blob) AS (SELECT 1, x'00' UNION ALL SELECT hnum+1, blob FROM c) SELECT hnum, blob FROM c")
		}),
		corrupt("66", "rpmdb-sqlite-blob-bomb", "rpmdb.sqlite", func(s *scene) ([]byte, error) {
			return sqliteFile(s, "CREATE TABLE Packages (hnum INTEGER, blob BLOB GENERATED ALWAYS AS (zeroblob(900000000)))", "INSERT INTO Packages (hnum) VALUES (1), (2), (3), (4)")
		}),
		corrupt("67", "rpmdb-header-counts", "rpmdb.sqlite", func(s *scene) ([]byte, error) {
			// 2^31-1 entries of an index, and as many bytes of data.
			return sqliteFile(s, rpmTable, "INSERT INTO Packages (blob) VALUES (x'7fffffff7fffffff"+strings.Repeat("00", 64)+"')")
		}),
		corrupt("67", "rpmdb-header-cut", "rpmdb.sqlite", func(s *scene) ([]byte, error) {
			return sqliteFile(s, rpmTable, "INSERT INTO Packages (blob) VALUES (x'0000000100000100"+strings.Repeat("00", 64)+"')")
		}),
		corrupt("68", "rpmdb-bdb-loop", "Packages", func(*scene) ([]byte, error) {
			loop := make([]byte, 12<<10)
			binary.LittleEndian.PutUint32(loop[12:], 0x061561)
			binary.LittleEndian.PutUint32(loop[20:], 4096)
			loop[25], loop[4096+25] = 8, 7
			binary.LittleEndian.PutUint32(loop[4096+16:], 1)
			return loop, nil
		}),
		corrupt("68", "rpmdb-ndb-noise", "Packages.db", func(*scene) ([]byte, error) {
			return append([]byte("RpmP\x00\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f"), noise(64<<10)...), nil
		}),
	}
}
