package syftcatalog_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
)

// catalogFiles takes the inventory of an image of one layer.
func catalogFiles(t *testing.T, files ...imagetest.File) (inventory.Inventory, error) {
	t.Helper()
	img, err := imagetest.New().Layer("ADD x /", files...).Image()
	must(t, err)
	inv, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
	return inv, err
}

func TestALongLineInAPackageDatabaseHidesNothing(t *testing.T) {
	line := strings.Repeat("x", 5<<20)
	debian := imagetest.Debian(imagetest.Package{Name: "first", Version: "1"}, imagetest.Package{Name: "last", Version: "2"})
	alpine := imagetest.Alpine("3.20.1", imagetest.Package{Name: "first", Version: "1-r0"}, imagetest.Package{Name: "last", Version: "2-r0"})
	for name, files := range map[string][]imagetest.File{"dpkg": debian, "apk": alpine} {
		for i, f := range files {
			switch f.Path {
			case "var/lib/dpkg/status":
				files[i].Body = bytes.Replace(f.Body, []byte("Description: "), []byte("Description: "+line), 1)
			case "lib/apk/db/installed":
				files[i].Body = bytes.Replace(f.Body, []byte("T:"), []byte("T:"+line), 1)
			}
		}
		inv, err := catalogFiles(t, files...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		find(t, inv, "last")
	}
}

func TestEntriesThatReadersTakeInDifferentWaysAreAmbiguous(t *testing.T) {
	for name, tc := range map[string]struct {
		file           imagetest.File
		want           string
		repeated, lost bool
	}{
		"a name that leads out of the image":                {file: imagetest.Text("app/../../x", "x"), want: "/x"},
		"a hard link to a file of the host":                 {file: imagetest.HardLink("app/a", "../../etc/machine-id"), want: "/app/a"},
		"a whiteout of nothing":                             {file: imagetest.Text("etc/.wh...", ""), want: "/etc/.wh..."},
		"a file with another content":                       {file: imagetest.Text("etc/os-release", "ID=debian\nVERSION_ID=11\n"), want: "/etc/os-release", repeated: true},
		"a list of packages that is a hard link to nothing": {file: imagetest.HardLink("lib/apk/db/installed", "nothing"), want: "/lib/apk/db/installed", lost: true},
	} {
		inv, err := catalogFiles(t, imagetest.Text("etc/os-release", "ID=debian\nVERSION_ID=12\n"), imagetest.Text("var/lib/dpkg/status.d/base", "Package: base\nVersion: 1\n"), tc.file)
		must(t, err)
		if len(inv.Ambiguous) != 1 || inv.Ambiguous[0].Path != tc.want || inv.Ambiguous[0].Layer == "" {
			t.Errorf("%s: ambiguous = %+v, want one entry %s with its layer", name, inv.Ambiguous, tc.want)
		}
		if inv.Ambiguous[0].Repeated != tc.repeated {
			t.Errorf("%s: repeated = %v, want %v", name, inv.Ambiguous[0].Repeated, tc.repeated)
		}
		// It is told once, unless a list of packages is lost with it.
		if got := len(inv.Unreadable); (got > 0) != tc.lost {
			t.Errorf("%s: unreadable = %+v", name, inv.Unreadable)
		}
	}
	inv, err := catalogFiles(t, imagetest.Text("./etc/os-release", "ID=debian\n"), imagetest.HardLink("etc/x", "./etc/os-release"), imagetest.Symlink("etc/y", "../../../etc/passwd"))
	must(t, err)
	if len(inv.Ambiguous) > 0 {
		t.Errorf("ambiguous = %+v, want none", inv.Ambiguous)
	}
}

func TestADatabaseThatCannotBeOpenedIsUnreadable(t *testing.T) {
	// A Berkeley DB whose only overflow page follows itself.
	circle := make([]byte, 1024)
	binary.LittleEndian.PutUint32(circle[12:], 0x061561)
	binary.LittleEndian.PutUint32(circle[20:], 512)
	circle[25], circle[512+25] = 8, 7
	binary.LittleEndian.PutUint32(circle[512+16:], 1)
	inv, err := catalogFiles(t, imagetest.File{Path: "var/lib/rpm/Packages", Body: circle})
	must(t, err)
	if !slices.ContainsFunc(inv.Unreadable, func(u inventory.Unreadable) bool {
		return u.Path == "/var/lib/rpm/Packages" && strings.Contains(u.Reason, "circle")
	}) {
		t.Errorf("unreadable = %+v, want the rpm database", inv.Unreadable)
	}
}

// nestedJar holds a jar that holds a jar, with a manifest in each.
func nestedJar(t *testing.T, depth int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	manifest, err := w.Create("META-INF/MANIFEST.MF")
	must(t, err)
	_, err = fmt.Fprintf(manifest, "Manifest-Version: 1.0\nImplementation-Title: jar%d\nImplementation-Version: 1.0\n", depth)
	must(t, err)
	if depth > 0 {
		inner, err := w.Create(fmt.Sprintf("../../slip%d.jar", depth))
		must(t, err)
		_, err = inner.Write(nestedJar(t, depth-1))
		must(t, err)
	}
	must(t, w.Close())
	return buf.Bytes()
}

func TestHostileFilesNeitherCrashNorLeave(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	elf := func(rest []byte) []byte {
		head := make([]byte, 64)
		copy(head, "\x7fELF\x02\x01\x01")
		binary.LittleEndian.PutUint16(head[16:], 2)
		binary.LittleEndian.PutUint16(head[18:], 62)
		binary.LittleEndian.PutUint64(head[40:], 1<<62)
		binary.LittleEndian.PutUint16(head[58:], 0xffff)
		binary.LittleEndian.PutUint16(head[60:], 0xffff)
		return append(head, rest...)
	}
	bomb := inflating(t, 64<<20)
	// All in one image, since each inventory costs most of a second.
	inv, err := catalogFiles(t,
		imagetest.Text("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n"),
		// A malformed ELF with Go's mark.
		imagetest.File{Path: "bin/a1", Mode: 0o755, Body: elf([]byte("\xff Go buildinf:\x08\x02" + strings.Repeat("\xff", 64)))},
		// A malformed ELF of Rust.
		imagetest.File{Path: "bin/a2", Mode: 0o755, Body: elf(append([]byte(".dep-v0"), bomb...))},
		// A malformed PE.
		imagetest.File{Path: "app/a.dll", Body: append([]byte("MZ"), bytes.Repeat([]byte{0xff}, 300)...)},
		// A malformed Mach-O.
		imagetest.File{Path: "bin/a4", Body: append([]byte{0xcf, 0xfa, 0xed, 0xfe}, append(bytes.Repeat([]byte{0xff}, 300), "\xff Go buildinf:"...)...)},
		// Jars in jars with names that slip.
		imagetest.File{Path: "app/a5.jar", Body: nestedJar(t, 12)},
		// A jar with a lying end.
		imagetest.File{Path: "app/a6.jar", Body: append([]byte("PK\x05\x06"), bytes.Repeat([]byte{0xff}, 18)...)},
		// A deep package.json.
		imagetest.File{Path: "app/node_modules/a/package.json", Body: []byte(strings.Repeat(`{"a":`, 200_000))},
		// An os-release of noise.
		imagetest.File{Path: "etc/os-release", Body: []byte("ID=\x00\x1b[31m\nVERSION_ID=$(reboot)\n=\n\"")},
		// Entities that grow tenfold nine times.
		imagetest.File{Path: "app/a7.jar", Body: zipOf(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n", "META-INF/maven/g/a/pom.xml", lolPOM(), "META-INF/maven/g/a/pom.properties", "groupId=g\nartifactId=pomjar\nversion=1.0\n")},
		// A dist-info that is a loop.
		imagetest.Symlink("usr/lib/a.dist-info", "a.dist-info"),
		imagetest.Text("app/node_modules/good/package.json", `{"name": "good", "version": "1.0.0"}`),
	)
	must(t, err)
	find(t, inv, "good")
	find(t, inv, "pomjar")
	if len(inv.Unreadable) < 4 {
		t.Errorf("unreadable = %+v, want at least four of the broken files", inv.Unreadable)
	}
	must(t, filepath.WalkDir(temp, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.Contains(path, "slip") || strings.Contains(path, "syft")) {
			t.Errorf("left behind: %s", path)
		}
		return err
	}))
}

// lolPOM is a description of a Maven project whose entities grow without end.
func lolPOM() string {
	entities := `<!ENTITY a0 "lol">`
	for i := range 9 {
		entities += fmt.Sprintf("<!ENTITY a%d \"%s\">", i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return `<?xml version="1.0"?><!DOCTYPE p [` + entities + `]><project><groupId>&a9;</groupId><artifactId>x</artifactId><version>1</version></project>`
}

// zipOf is an archive of names and texts.
func zipOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		must(t, err)
		_, err = io.WriteString(f, files[i+1])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// inflating is a zlib stream that inflates to n zeros.
func inflating(t *testing.T, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := io.CopyN(z, zeros{}, n)
	must(t, err)
	must(t, z.Close())
	return b.Bytes()
}

func TestAListOfCratesThatInflatesWithoutEndReachesALimit(t *testing.T) {
	crates := func(text string) []byte {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, err := io.WriteString(z, text)
		must(t, err)
		must(t, z.Close())
		return b.Bytes()
	}
	inv, err := catalogFiles(t,
		imagetest.Text("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n"),
		imagetest.File{Path: "usr/bin/good", Mode: 0o755, Body: imagetest.ELF(".dep-v0", crates(`{"packages":[{"name":"time","version":"0.1.0","source":"crates.io"}]}`))},
		imagetest.File{Path: "usr/bin/bomb", Mode: 0o755, Body: imagetest.ELF(".dep-v0", inflating(t, 100<<20))},
	)
	if exit.CodeOf(err) != exit.NotExamined || !strings.Contains(err.Error(), "/usr/bin/bomb: limit reached") {
		t.Errorf("error = %v, want the limit that the bomb reaches", err)
	}
	// What was read besides is there all the same.
	find(t, inv, "time")
	if len(inv.Unreadable) != 1 || inv.Unreadable[0].Path != "/usr/bin/bomb" {
		t.Errorf("unreadable = %+v, want the bomb", inv.Unreadable)
	}
}

// TestAnArchiveOfOverlappingEntriesReachesALimit: few bytes that are entries of
// the archive many times over would be unpacked each time.
func TestAnArchiveOfOverlappingEntriesReachesALimit(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("a.jar")
	must(t, err)
	_, err = f.Write(make([]byte, 1<<20))
	must(t, err)
	must(t, w.Close())
	honest := b.Bytes()
	directory, end := bytes.Index(honest, []byte("PK\x01\x02")), bytes.LastIndex(honest, []byte("PK\x05\x06"))
	const entries = 100
	entry, record := honest[directory:end], bytes.Clone(honest[end:])
	binary.LittleEndian.PutUint16(record[8:], entries)
	binary.LittleEndian.PutUint16(record[10:], entries)
	binary.LittleEndian.PutUint32(record[12:], uint32(entries*len(entry)))
	overlapping := slices.Concat(honest[:directory], bytes.Repeat(entry, entries), record)

	system := imagetest.Text("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n")
	_, err = catalogFiles(t, system, imagetest.File{Path: "app/good.jar", Body: honest})
	must(t, err)
	_, err = catalogFiles(t, system, imagetest.File{Path: "app/bad.jar", Body: overlapping})
	if exit.CodeOf(err) != exit.NotExamined || !strings.Contains(err.Error(), "/app/bad.jar: limit reached") {
		t.Errorf("error = %v, want the limit that the archive reaches", err)
	}
}

// In ELF files the section had another name before it was settled.
func TestCratesAreListedUnderEveryNameOfTheirSection(t *testing.T) {
	var list bytes.Buffer
	z := zlib.NewWriter(&list)
	_, err := io.WriteString(z, `{"packages":[{"name":"time","version":"0.1.0","source":"crates.io"}]}`)
	must(t, err)
	must(t, z.Close())
	for _, name := range []string{".dep-v0", ".rust-deps-v0"} {
		inv, err := catalogFiles(t, imagetest.File{Path: "usr/bin/program", Mode: 0o755, Body: imagetest.ELF(name, list.Bytes())})
		must(t, err)
		if !slices.ContainsFunc(inv.Packages, func(p inventory.Package) bool { return p.Name == "time" }) {
			t.Errorf("%s: %+v", name, inv.Packages)
		}
	}
}

// zeros is an endless source of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A report that differs from run to run is no use to compare with.
func TestWhatIsUnreadableIsToldInTheSameWordsEachTime(t *testing.T) {
	jar := zipOf(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n", "META-INF/maven/g/a/pom.xml", "<project/>")
	central := bytes.LastIndex(jar, []byte("PK\x01\x02"))
	jar[central+24] += 10 // the size of pom.xml
	said := func() []inventory.Unreadable {
		inv, err := catalogFiles(t, imagetest.File{Path: "app/a.jar", Body: jar})
		if err != nil {
			t.Fatal(err)
		}
		return inv.Unreadable
	}
	first := said()
	if len(first) != 1 || !strings.Contains(first[0].Reason, "archive-a.jar") {
		t.Fatalf("unreadable: %+v, want the jar", first)
	}
	if diff := cmp.Diff(first, said()); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}

func TestAPackageThatIsOnlySelectedForRemovalIsFound(t *testing.T) {
	files := imagetest.Debian(imagetest.Package{Name: "zlib1g", Version: "1"}, imagetest.Package{Name: "gone", Version: "1"})
	for i, f := range files {
		if f.Path == "var/lib/dpkg/status" {
			status := strings.Replace(string(f.Body), "Status: install ok installed", "Status: deinstall ok installed", 1)
			files[i].Body = []byte(strings.Replace(status, "Package: gone\nStatus: install ok installed", "Package: gone\nStatus: deinstall ok config-files", 1))
		}
	}
	inv, err := catalogFiles(t, files...)
	must(t, err)
	if len(inv.Packages) != 1 || inv.Packages[0].Name != "zlib1g" {
		t.Errorf("packages = %+v, want zlib1g alone", inv.Packages)
	}
}
