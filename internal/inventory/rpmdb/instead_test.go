package rpmdb

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/anchore/go-rpmdb/pkg"
)

// aPackage is the header of a package of that name.
func aPackage(name string) []byte {
	text := func(tag uint32, value string) entry { return entry{tag, 6, 1, value + "\x00"} }
	return headerOf(text(1000, name), text(1001, "1.0"), text(1002, "1"))
}

// logged makes a database with a write-ahead log: with the first statements in the
// database, and each of the later ones a transaction in the log.
func logged(t testing.TB, first, later []string) (data, log []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	statements := slices.Concat([]string{"PRAGMA page_size = 512", "PRAGMA journal_mode = WAL", "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)"},
		first, []string{"PRAGMA wal_checkpoint(TRUNCATE)"}, later)
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if data, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	if log, err = os.ReadFile(file + "-wal"); err != nil {
		t.Fatal(err)
	}
	return data, log
}

func insert(name string) string {
	return fmt.Sprintf("INSERT INTO Packages (blob) VALUES (x'%x')", aPackage(name))
}

// namesIn are the packages that the library finds in a database, sorted.
func namesIn(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Packages")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := rpmdb.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	list, err := db.ListPackages()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestPackagesInTheLogOfADatabaseAreThere(t *testing.T) {
	changed := func(log []byte, at int) []byte {
		log = bytes.Clone(log)
		if at < 0 {
			at += len(log)
		}
		log[at]++
		return log
	}
	installed, log := logged(t, []string{insert("bash")}, []string{insert("zlib"), insert("curl")})
	old, erased := logged(t, []string{insert("bash"), insert("zlib")}, []string{"DELETE FROM Packages WHERE hnum = 2"})
	shrunk, vacuumed := logged(t, []string{insert("bash"), "INSERT INTO Packages (blob) VALUES (zeroblob(9000))"}, []string{"DELETE FROM Packages WHERE hnum = 2", "VACUUM"})
	many := make([]string, 300)
	for i := range many {
		many[i] = insert(fmt.Sprint("p", i+1000))
	}
	empty, large := logged(t, nil, many)
	blank, _ := logged(t, nil, nil)
	for name, tc := range map[string]struct {
		data, log []byte
		want      string
	}{
		"installed ones":                              {installed, log, "bash curl zlib"},
		"one that was erased is gone":                 {old, erased, "bash"},
		"the database became smaller":                 {shrunk, vacuumed, "bash"},
		"a transaction whose end is damaged is none":  {installed, changed(log, -1), "bash zlib"},
		"so is one that was cut":                      {installed, log[:len(log)-1], "bash zlib"},
		"a log without transactions":                  {installed, log[:walHeader], "bash"},
		"frames of an earlier log":                    {installed, changed(log, walHeader+8), "bash"},
		"a log of big-endian checksums that is none":  {installed, changed(log, 3), "error"},
		"a log whose head is damaged":                 {installed, changed(log, 17), "error"},
		"another file":                                {installed, []byte("changes"), "error"},
		"the log of a database of other pages":        {sqliteFile(t, "CREATE TABLE Packages (blob)"), log, "error"},
		"a log of many transactions in an empty list": {empty, large, "300 packages"},
		"a log that adds nothing":                     {blank, log[:walHeader], ""},
	} {
		checked, err := Check(t.Context(), Database{Name: "/var/lib/rpm/rpmdb.sqlite", ReaderAt: bytes.NewReader(tc.data), Size: int64(len(tc.data)), Log: tc.log})
		if err != nil {
			if tc.want != "error" || !strings.Contains(err.Error(), "end the build step with `rpm -qa`") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		got := namesIn(t, checked.Instead)
		if n := strings.Count(got, " ") + 1; n > 3 {
			got = fmt.Sprint(n, " packages")
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestADatabaseWithAnEmptyLogIsReadItself(t *testing.T) {
	data, _ := logged(t, []string{insert("bash")}, nil)
	checked, err := Check(t.Context(), Database{Name: "rpmdb.sqlite", ReaderAt: bytes.NewReader(data), Size: int64(len(data)), Log: []byte{}})
	if err != nil || checked.Instead != nil {
		t.Errorf("instead there are %d bytes, %v", len(checked.Instead), err)
	}
}

// SQLite itself says what a database with a log holds.
func FuzzLog(f *testing.F) {
	data, log := logged(f, []string{insert("bash")}, []string{insert("zlib"), "DELETE FROM Packages WHERE hnum = 1", insert("curl")})
	f.Add(log, -1, byte(0))
	f.Add(log, 40, byte(1))
	f.Add(log[:len(log)-700], 0, byte(0))
	f.Add(log, len(log)-9, byte(3))
	f.Fuzz(func(t *testing.T, log []byte, at int, by byte) {
		log = bytes.Clone(log)
		if at >= 0 && at < len(log) {
			log[at] += by
		}
		checked, err := Check(t.Context(), Database{Name: "rpmdb.sqlite", ReaderAt: bytes.NewReader(data), Size: int64(len(data)), Log: log})
		if err != nil || checked.Instead == nil {
			return
		}
		if got, want := namesIn(t, checked.Instead), namesBySQLite(t, data, log); got != want {
			t.Errorf("%q, by SQLite %q", got, want)
		}
	})
}

// namesBySQLite are the packages that SQLite finds in a database with its log.
func namesBySQLite(t *testing.T, data, log []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	for name, content := range map[string][]byte{file: data, file + "-wal": log} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT blob FROM Packages")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var blobs [][]byte
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, blob)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return namesIn(t, newDatabase(blobs))
}

// shortValues makes a Berkeley DB with large pages and its values among the items:
// that of the key 0, and packages.
func shortValues(order binary.ByteOrder, values ...[]byte) []byte {
	const pageSize = 16384
	data := make([]byte, 2*pageSize)
	order.PutUint32(data[12:], berkeleyHash)
	order.PutUint32(data[16:], 9) // the version, which the library does not look at
	order.PutUint32(data[20:], pageSize)
	order.PutUint32(data[32:], 1)
	data[25] = 8
	page := data[pageSize:]
	page[25] = sortedPage
	end, items := pageSize, 0
	add := func(value []byte) {
		end -= 1 + len(value)
		page[end] = shortValue
		copy(page[end+1:], value)
		order.PutUint16(page[pageHeader+2*items:], uint16(end))
		items++
	}
	for i, v := range values {
		key := make([]byte, 4)
		order.PutUint32(key, uint32(i))
		add(key)
		add(v)
	}
	order.PutUint16(page[20:], uint16(items))
	return data
}

func TestPackagesAmongTheItemsOfABerkeleyDBAreThere(t *testing.T) {
	counter := []byte{2, 0, 0, 0}
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"two packages":                           {shortValues(binary.LittleEndian, counter, aPackage("bash"), aPackage("zlib")), "bash zlib"},
		"of a machine with the other byte order": {shortValues(binary.BigEndian, counter, aPackage("bash"), aPackage("zlib")), "bash zlib"},
		"none":                                   {shortValues(binary.LittleEndian, counter), ""},
	} {
		checked, err := Check(t.Context(), Database{Name: "Packages", ReaderAt: bytes.NewReader(tc.data), Size: int64(len(tc.data))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (checked.Instead == nil) != (tc.want == "") {
			t.Errorf("%s: instead there are %d bytes", name, len(checked.Instead))
		}
		if checked.Instead == nil {
			continue
		}
		if got := namesIn(t, checked.Instead); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestManyPackagesTakeSeveralPagesOfSlots(t *testing.T) {
	var all [][]byte
	for i := range 700 {
		all = append(all, aPackage(fmt.Sprint("p", i+1000)))
	}
	data := newDatabase(all)
	if got := strings.Fields(namesIn(t, data)); len(got) != 700 || got[699] != "p1699" {
		t.Errorf("%d packages", len(got))
	}
	var b packages
	if err := readNDB(bytes.NewReader(data), int64(len(data)), b.add); err != nil {
		t.Error(err)
	}
}
