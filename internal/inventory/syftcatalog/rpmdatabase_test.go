package syftcatalog_test

import (
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// rpmHeader is the header of an rpm package, as its database has it.
func rpmHeader(name, version, release string) []byte {
	var index, data []byte
	tags := []struct {
		tag   uint32
		value string
	}{{1000, name}, {1001, version}, {1002, release}, {1011, "Fedora Project"}, {1022, "x86_64"}}
	for _, t := range tags {
		for _, n := range []uint32{t.tag, 6, uint32(len(data)), 1} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		data = append(append(data, t.value...), 0)
	}
	blob := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(data)))
	return append(append(blob, index...), data...)
}

// packagesDB is a database in rpm's own form (ndb) of a few packages.
func packagesDB(headers ...[]byte) []byte {
	order := binary.LittleEndian
	data := make([]byte, 4096)
	copy(data, "RpmP")
	order.PutUint32(data[12:], 1)
	for at := 32; at < len(data); at += 16 {
		copy(data[at:], "Slot")
	}
	for i, header := range headers {
		slot := data[32+16*i:]
		order.PutUint32(slot[4:], uint32(i+1))
		order.PutUint32(slot[8:], uint32(len(data)/16))
		blob := append([]byte("BlbS"), make([]byte, 12)...)
		order.PutUint32(blob[4:], uint32(i+1))
		order.PutUint32(blob[12:], uint32(len(header)))
		data = slices.Concat(data, blob, header, make([]byte, (16-len(header)%16)%16))
	}
	return data
}

// rpmSQLite makes a database of one package, or of none, and a log in which are
// those that were installed later.
func rpmSQLite(t *testing.T, first string, later ...string) (data, log []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", file)
	must(t, err)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	run := func(statement string, args ...any) {
		_, err := db.ExecContext(t.Context(), statement, args...)
		must(t, err)
	}
	const insert = "INSERT INTO Packages (blob) VALUES (?)"
	run("PRAGMA journal_mode = WAL")
	run("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
	if first != "" {
		run(insert, rpmHeader(first, "1.0", "1.fc43"))
	}
	run("PRAGMA wal_checkpoint(TRUNCATE)")
	for _, name := range later {
		run(insert, rpmHeader(name, "1.0", "1.fc43"))
	}
	data, err = os.ReadFile(file)
	must(t, err)
	log, err = os.ReadFile(file + "-wal")
	must(t, err)
	return data, log
}

func TestAnRPMDatabaseIsReadWithItsLogWhereverItStands(t *testing.T) {
	data, log := rpmSQLite(t, "bash", "zlib")
	fedora := imagetest.Text("etc/os-release", "ID=fedora\nVERSION_ID=43\n")
	file := func(path string, body []byte) imagetest.File { return imagetest.File{Path: path, Body: body} }
	for name, tc := range map[string]struct {
		files []imagetest.File
		want  string
		// lost is the database that the verdict names.
		lost string
	}{
		"without a log":            {files: []imagetest.File{file("var/lib/rpm/rpmdb.sqlite", data)}, want: "bash"},
		"an empty log":             {files: []imagetest.File{file("var/lib/rpm/rpmdb.sqlite", data), imagetest.Text("var/lib/rpm/rpmdb.sqlite-wal", "")}, want: "bash"},
		"a log":                    {files: []imagetest.File{file("usr/lib/sysimage/rpm/rpmdb.sqlite", data), file("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", log)}, want: "bash zlib"},
		"below a copied root":      {files: []imagetest.File{file("srv/root/var/lib/rpm/rpmdb.sqlite", data), file("srv/root/var/lib/rpm/rpmdb.sqlite-wal", log)}, want: "bash zlib"},
		"behind a linked path":     {files: []imagetest.File{imagetest.Symlink("var/lib/rpm", "/data/rpm"), file("data/rpm/rpmdb.sqlite", data), file("data/rpm/rpmdb.sqlite-wal", log)}, want: "bash zlib"},
		"behind a linked file":     {files: []imagetest.File{imagetest.Symlink("var/lib/rpm/rpmdb.sqlite", "/data/x"), file("data/x", data), file("data/x-wal", log)}, want: "bash zlib"},
		"a log that is none":       {files: []imagetest.File{file("var/lib/rpm/rpmdb.sqlite", data), imagetest.Text("var/lib/rpm/rpmdb.sqlite-wal", "changes")}, lost: "/var/lib/rpm/rpmdb.sqlite"},
		"cut behind a linked path": {files: []imagetest.File{imagetest.Symlink("var/lib/rpm", "/data/rpm"), file("data/rpm/rpmdb.sqlite", data[:5000])}, lost: "/var/lib/rpm/rpmdb.sqlite"},
		"cut behind a linked file": {files: []imagetest.File{imagetest.Symlink("var/lib/rpm/rpmdb.sqlite", "/data/x"), file("data/x", data[:5000])}, lost: "/var/lib/rpm/rpmdb.sqlite"},
	} {
		t.Run(name, func(t *testing.T) {
			inv, err := catalogFiles(t, append(tc.files, fedora)...)
			must(t, err)
			var names []string
			for _, p := range inv.Packages {
				names = append(names, p.Name)
			}
			if got := strings.Join(names, " "); got != tc.want {
				t.Errorf("packages %q, want %q", got, tc.want)
			}
			var lost string
			if i := slices.IndexFunc(inv.Unreadable, inventory.Unreadable.PackageDatabase); i >= 0 {
				lost = inv.Unreadable[i].Path
			}
			if lost != tc.lost || tc.lost == "" && len(inv.Unreadable) > 0 {
				t.Errorf("unreadable: %+v, want the database %q", inv.Unreadable, tc.lost)
			}
		})
	}
}

// The log of a deleted database is the one that was written since the database.
func TestADeletedRPMDatabaseIsRestoredWithItsLog(t *testing.T) {
	data, log := rpmSQLite(t, "bash", "zlib")
	fedora := imagetest.Text("etc/os-release", "ID=fedora\nVERSION_ID=43\n")
	newer, _ := rpmSQLite(t, "bash")
	database := func(body []byte) imagetest.File { return imagetest.File{Path: "var/lib/rpm/rpmdb.sqlite", Body: body} }
	logged := imagetest.File{Path: "var/lib/rpm/rpmdb.sqlite-wal", Body: log}
	for name, tc := range map[string]struct {
		layers [][]imagetest.File
		want   string
	}{
		"of the same layer":            {[][]imagetest.File{{fedora, database(data), logged}}, "bash zlib"},
		"of a later layer":             {[][]imagetest.File{{fedora, database(data)}, {logged}}, "bash zlib"},
		"that was written back":        {[][]imagetest.File{{fedora, database(data), logged}, {database(newer), imagetest.Text("var/lib/rpm/.wh.rpmdb.sqlite-wal", "")}}, "bash"},
		"that was emptied and written": {[][]imagetest.File{{fedora, database(data), imagetest.Text("var/lib/rpm/rpmdb.sqlite-wal", "x")}, {logged}}, "bash zlib"},
	} {
		b := imagetest.New()
		for _, files := range append(tc.layers, []imagetest.File{imagetest.Text("var/lib/.wh.rpm", "")}) {
			b = b.Layer("RUN", files...)
		}
		img, err := b.Image()
		must(t, err)
		inv, _ := catalog(t, layout(t, img))
		var names []string
		for _, p := range inv.Packages {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != tc.want || len(inv.Restored) != 1 || len(inv.Unreadable) > 0 {
			t.Errorf("%s: packages %q, want %q; restored %v, unreadable %v", name, got, tc.want, inv.Restored, inv.Unreadable)
		}
	}
}
