package rpmdb

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/anchore/go-rpmdb/pkg"
)

// sqliteFile makes a database with the given statements.
func sqliteFile(t testing.TB, statements ...string) []byte {
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

// sharing makes a file of one value, on two pages, to which three items lead.
func sharing() []byte {
	order := binary.LittleEndian
	data := berkeley(order, 0, 2, 0, 0)
	page := data[3*512:]
	page[25] = sortedPage
	order.PutUint16(page[20:], 6)
	for n := range 3 {
		value := 0x100 + 16*n
		order.PutUint16(page[pageHeader+4*n+2:], uint16(value))
		page[value] = longValue
		order.PutUint32(page[value+4:], 1)
	}
	return data
}

// newForm makes a file of ndb with a page of slots and one of packages, which are
// so many bytes apart and have the given length.
func newForm(slots, apart, length uint32) []byte {
	order := binary.LittleEndian
	data := make([]byte, 2*ndbPage)
	copy(data, ndbMagic)
	order.PutUint32(data[12:], 1)
	for n := range uint32(ndbPage/ndbSlot - 2) {
		slot := data[ndbHead+ndbSlot*n:]
		copy(slot, "Slot")
		if n >= slots {
			continue
		}
		order.PutUint32(slot[4:], n+1)
		start := ndbPage + n*apart
		order.PutUint32(slot[8:], start/ndbBlobHead)
		if int(start+ndbBlobHead) <= len(data) {
			copy(data[start:], "BlbS")
			order.PutUint32(data[start+4:], n+1)
			order.PutUint32(data[start+12:], length)
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

// libraryDatabases are the databases that come with the library.
func libraryDatabases(t testing.TB) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anchore/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "pkg", "testdata", "*", "*"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d databases, %v", len(files), err)
	}
	return files
}

// checkFile checks a file on disk.
func checkFile(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	checked, err := Check(t.Context(), Database{Name: file, ReaderAt: f, Size: info.Size()})
	if err != nil || checked.Instead != nil {
		t.Errorf("%s: instead of %d bytes there are %d, %v", filepath.Base(filepath.Dir(file)), info.Size(), len(checked.Instead), err)
	}
	return checked.Unverified
}

// What is refused must be no database that rpm made: those that come with the
// library pass, all of them. The numbers are what rpm 4.18 itself says:
//
//	rpm --dbpath DIR --define '_db_backend bdb_ro' -qa --qf '[%{FILENAMES}|%{FILEVERIFYFLAGS}|%{FILEFLAGS:fflags}\n]' |
//	  awk -F'|' '$2 % 2 == 0 && $3 !~ /[cg]/'
func TestDatabasesThatRPMMadePassWithTheFilesThatItDoesNotVerify(t *testing.T) {
	want := map[string]int{
		"centos5-plain": 54, "centos7-httpd24": 4, "centos8-modularitylabel": 2273, "ubi8-s390x": 72, "libuuid": 0,
		"oraclelinux-9": 1, "fedora35": 1, "cbl-mariner-2.0": 0,
	}
	for _, file := range libraryDatabases(t) {
		name := filepath.Base(filepath.Dir(file))
		skipped := checkFile(t, file)
		if n, known := want[name]; known && len(skipped) != n {
			t.Errorf("%s: %d files are not verified, want %d", name, len(skipped), n)
		}
		delete(want, name)
		if name == "oraclelinux-9" && !slices.Equal(skipped, []string{"/usr/lib64/gconv/gconv-modules.cache"}) {
			t.Errorf("%s: got %q", name, skipped)
		}
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
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
		"an item that fills its page":  {"Packages", hashed(2, 0x30, 512-12, longValue, 1), ""},
		"an item outside of its page":  {"Packages", hashed(2, 0x30, 600, 0, 0), "outside"},
		"an item that leaves its page": {"Packages", hashed(2, 0x30, 505, longValue, 1), "outside"},
		"a short item on another one":  {"Packages", hashed(2, 0x30, 0x40, shortValue, 1), "lies on another"},
		"an odd number of items":       {"Packages", hashed(3, 0x30, 0x40, 0, 0), "3 items"},
		"more items than a page holds": {"Packages", hashed(400, 0x30, 0x40, 0, 0), "400 items"},
		"a value at a page of keys":    {"Packages", hashed(2, 0x30, 0x40, longValue, 2), "page 2"},
		"a last page that is overfull": {"Packages", overfull(), "in a page of 512"},
		"values that share pages":      {"Packages", sharing(), "more than its 4 pages"},
		"two packages":                 {"Packages.db", newForm(2, 32, 16), ""},
		"packages on one another":      {"Packages.db", newForm(100, 0, 3000), "more than it has"},
		"a package that leaves it":     {"Packages.db", newForm(1, 0, 1<<20), "more than it has"},
		"a slot that leaves it":        {"Packages.db", newForm(3, 1<<20, 0), "leads out of it"},
		"more slots than it holds":     {"Packages.db", append([]byte("RpmP\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"), make([]byte, 100)...), "pages of slots"},
		"noise":                        {"Packages", []byte(strings.Repeat("noise", 100)), ""},
		"another file of its name":     {"rpmdb.other", berkeley(binary.LittleEndian, 0, 1), ""},
		"a short file":                 {"Packages", []byte("x"), ""},
	} {
		_, err := Check(t.Context(), Database{Name: "/var/lib/rpm/" + tc.file, ReaderAt: bytes.NewReader(tc.data), Size: int64(len(tc.data))})
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want one that contains %q", name, err, tc.want)
		}
	}
}

// readPassed holds that the library reads to its end what passes: a panic in its
// goroutine would end the program.
func readPassed(t *testing.T, file string, data []byte) {
	checked, err := Check(t.Context(), Database{Name: "Packages", ReaderAt: bytes.NewReader(data), Size: int64(len(data))})
	if err != nil {
		return
	}
	if checked.Instead != nil {
		data = checked.Instead
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := rpmdb.Open(file)
	if err != nil {
		return
	}
	defer func() { _ = db.Close() }()
	_, _ = db.ListPackages()
}

func FuzzCheck(f *testing.F) {
	f.Add(berkeley(binary.LittleEndian, 0, 2, 3, 0))
	f.Add(berkeley(binary.BigEndian, 0, 2, 1))
	f.Add(hashed(2, 0x30, 0x40, longValue, 1))
	f.Add(sharing())
	f.Add(newForm(2, 32, 16))
	f.Add(newForm(1, 0, 1<<20))
	file := filepath.Join(f.TempDir(), "Packages")
	f.Fuzz(func(t *testing.T, data []byte) {
		if !bytes.HasPrefix(data, []byte(sqliteMagic)) { // FuzzSQLite is for those, and slower.
			readPassed(t, file, data)
		}
	})
}

func FuzzSQLite(f *testing.F) {
	const small = "PRAGMA page_size = 512"
	for _, statements := range [][]string{
		{small, "CREATE TABLE Packages (blob BLOB)", "INSERT INTO Packages (blob) VALUES (x'0000000100000004000003e80000000600000000000000016162630000'), (zeroblob(900))"},
		{small, "CREATE VIEW Packages AS SELECT x'00' AS blob"},
		{small, "CREATE TABLE Packages (hnum INTEGER, blob BLOB GENERATED ALWAYS AS (zeroblob(hnum)))", "INSERT INTO Packages (hnum) VALUES (9)"},
	} {
		f.Add(sqliteFile(f, statements...)[len(sqliteMagic):])
	}
	file := filepath.Join(f.TempDir(), "rpmdb.sqlite")
	f.Fuzz(func(t *testing.T, data []byte) {
		readPassed(t, file, append([]byte(sqliteMagic), data...))
	})
}

type panicking struct{}

func (panicking) ReadAt([]byte, int64) (int, error) { panic("index out of range") }

func TestAPanicIsADatabaseThatCannotBeRead(t *testing.T) {
	if _, err := Check(t.Context(), Database{Name: "var/lib/rpm/Packages", ReaderAt: panicking{}, Size: 1 << 20}); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
}
