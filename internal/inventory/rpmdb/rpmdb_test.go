package rpmdb

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sqliteFile makes a database with the given statements.
func sqliteFile(t *testing.T, statements ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// berkeley makes a file of pages whose overflow chains lead as next says; 0 is
// an end, and page 0 the metadata.
func berkeley(order binary.ByteOrder, next ...uint32) []byte {
	const pageSize = 512
	data := make([]byte, pageSize*len(next))
	order.PutUint32(data[12:], berkeleyHash)
	order.PutUint32(data[20:], pageSize)
	data[25] = 8
	for i, n := range next[1:] {
		page := data[(i+1)*pageSize:]
		order.PutUint32(page[16:], n)
		page[25] = overflowPage
	}
	return data
}

// hashed makes a file with an overflow page, number 1, and a page of items at
// the given places, of which the second has a kind and leads to a page.
func hashed(count, key, value uint16, kind byte, leadsTo uint32) []byte {
	order := binary.LittleEndian
	data := berkeley(order, 0, 0, 0)
	page := data[2*512:]
	page[25] = sortedPage
	order.PutUint16(page[20:], count)
	for at := 0; at < int(count) && pageHeader+2*at+2 <= len(page); at += 2 {
		order.PutUint16(page[pageHeader+2*at:], key)
		if pageHeader+2*at+4 <= len(page) {
			order.PutUint16(page[pageHeader+2*at+2:], value)
		}
	}
	if int(value) < len(page) {
		page[value] = kind
		if int(value)+8 <= len(page) {
			order.PutUint32(page[value+4:], leadsTo)
		}
	}
	return data
}

// overfull makes a file whose overflow page says that it holds more than it has
// room for.
func overfull() []byte {
	data := berkeley(binary.LittleEndian, 0, 0)
	binary.LittleEndian.PutUint16(data[512+22:], 500)
	return data
}

// What is refused must be no database that rpm made: those that come with the
// library pass, all of them.
func TestDatabasesThatRPMMadePass(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anchore/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "pkg", "testdata", "*", "Packages*"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d databases, %v", len(files), err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(t.Context(), file, f, info.Size()); err != nil {
			t.Errorf("%s: %v", filepath.Base(filepath.Dir(file)), err)
		}
	}
}

func TestDatabasesWithoutEndAreRefused(t *testing.T) {
	const table = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
	for name, tc := range map[string]struct {
		file string
		data []byte
		want string
	}{
		"a table of rows": {"rpmdb.sqlite", sqliteFile(t, table, "INSERT INTO Packages (blob) VALUES (x'8eade801')"), ""},
		"a database with a write-ahead log, as rpm makes it": {"rpmdb.sqlite", sqliteFile(t, "PRAGMA journal_mode = WAL", table, "INSERT INTO Packages (blob) VALUES (x'8eade801')"), ""},
		"an empty table": {"rpmdb.sqlite", sqliteFile(t, table), ""},
		"a view of endless rows": {"rpmdb.sqlite", sqliteFile(t,
			"CREATE VIEW Packages AS WITH RECURSIVE c(hnum, blob) AS (SELECT 1, x'00' UNION ALL SELECT hnum+1, blob FROM c) SELECT hnum, blob FROM c"), "views"},
		"a generated column of large values": {"rpmdb.sqlite", sqliteFile(t,
			"CREATE TABLE Packages (hnum INTEGER, blob BLOB GENERATED ALWAYS AS (zeroblob(100000000)))", "INSERT INTO Packages (hnum) VALUES (1)"), "more than a real one"},
		"another database":             {"rpmdb.sqlite", sqliteFile(t, "CREATE TABLE other (a)"), "Packages"},
		"a cut database":               {"rpmdb.sqlite", sqliteFile(t, table)[:3000], "rpm database"},
		"chains that end":              {"Packages", berkeley(binary.LittleEndian, 0, 2, 3, 0, 0, 4), ""},
		"chains that meet":             {"Packages", berkeley(binary.LittleEndian, 0, 3, 3, 4, 0), ""},
		"a chain out of the file":      {"Packages", berkeley(binary.LittleEndian, 0, 99), "page 99"},
		"a page after itself":          {"Packages", berkeley(binary.LittleEndian, 0, 1), "circle"},
		"a circle of three":            {"Packages", berkeley(binary.LittleEndian, 0, 2, 3, 1), "circle"},
		"a circle behind a chain":      {"Packages", berkeley(binary.BigEndian, 0, 2, 3, 4, 3), "circle"},
		"a page size of nothing":       {"Packages", append(binary.LittleEndian.AppendUint32(make([]byte, 12), berkeleyHash), make([]byte, 500)...), "page size"},
		"items that fill a page":       {"Packages", hashed(12, 0x30, 500-12, longValue, 1), ""},
		"an item outside of its page":  {"Packages", hashed(2, 0x30, 600, 0, 0), "outside"},
		"an item that leaves its page": {"Packages", hashed(2, 0x30, 505, longValue, 1), "outside"},
		"an odd number of items":       {"Packages", hashed(3, 0x30, 0x40, 0, 0), "3 items"},
		"more items than a page holds": {"Packages", hashed(400, 0x30, 0x40, 0, 0), "400 items"},
		"a value at a page of keys":    {"Packages", hashed(2, 0x30, 0x40, longValue, 2), "page 2"},
		"a last page that is overfull": {"Packages", overfull(), "in a page of 512"},
		"noise":                        {"Packages", []byte(strings.Repeat("noise", 100)), ""},
		"another file of its name":     {"rpmdb.other", berkeley(binary.LittleEndian, 0, 1), ""},
		"a short file":                 {"Packages", []byte("x"), ""},
	} {
		err := Check(t.Context(), "/var/lib/rpm/"+tc.file, bytes.NewReader(tc.data), int64(len(tc.data)))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want one that contains %q", name, err, tc.want)
		}
	}
}

func FuzzCheckBerkeley(f *testing.F) {
	f.Add(berkeley(binary.LittleEndian, 0, 2, 3, 0))
	f.Add(berkeley(binary.BigEndian, 0, 2, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 16 {
			return
		}
		if err := checkBerkeley(bytes.NewReader(data), int64(len(data)), binary.LittleEndian); err != nil {
			return
		}
		// What passed has chains that end.
		pageSize := int(binary.LittleEndian.Uint32(data[20:]))
		for start := range len(data) / pageSize {
			steps := 0
			for at := start; at != 0 && at < len(data)/pageSize && data[at*pageSize+25] == overflowPage; steps++ {
				if steps > len(data) {
					t.Fatalf("the chain from page %d does not end", start)
				}
				at = int(binary.LittleEndian.Uint32(data[at*pageSize+16:]))
			}
		}
	})
}

type panicking struct{}

func (panicking) ReadAt([]byte, int64) (int, error) { panic("index out of range") }

func TestAPanicIsADatabaseThatCannotBeRead(t *testing.T) {
	if err := Check(t.Context(), "var/lib/rpm/Packages", panicking{}, 1<<20); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
}
