package archive_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pierrec/lz4/v4"

	"github.com/portcullis-ci/portcullis/internal/archive"
)

// packedBy reads a file that the usual tools wrote: xz, bzip2, lz4, dpkg-deb,
// rpmbuild and cpio, of one file with a setting and one with 3000 lines.
func packedBy(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const setting = "A=1 and some text\n"

func TestWhatToolsPackIsShown(t *testing.T) {
	both := []string{"etc/a.env", "b.txt"}
	deb := []string{"debian-binary", "control.tar!/control", "control.tar!/postinst", "data.tar!/b.txt", "data.tar!/etc/a.env"}
	for file, want := range map[string][]string{
		"x.tar.xz": both, "x86.tar.xz": both, "x.tar.bz2": both, "x.tar.lz4": both, "linked.tar.lz4": both, "x.cpio.gz": both,
		"x-gzip.deb": deb, "x-xz.deb": deb, "x-zstd.deb": deb,
		"x-gzdio.rpm": {"b.txt", "etc/a.env"}, "x-xzdio.rpm": {"b.txt", "etc/a.env"}, "x-zstdio.rpm": {"b.txt", "etc/a.env"}, "x-bzdio.rpm": {"b.txt", "etc/a.env"},
		"twice.env.xz": {""}, "twice.env.bz2": {""}, "twice.env.lz4": {""}, "empty.bz2": nil,
	} {
		for _, piece := range []int{1 << 20, 7} {
			t.Run(fmt.Sprint(file, " in pieces of ", piece), func(t *testing.T) {
				got, gaps := walk(t, "/app/"+file, packedBy(t, file), piece)
				if len(gaps) > 0 {
					t.Errorf("gaps = %+v", gaps)
				}
				var names []string
				for i, shown := range got.names {
					name, _, _ := strings.Cut(shown, " as ")
					for _, z := range []string{".gz", ".xz", ".zst"} {
						name = strings.Replace(name, ".tar"+z, ".tar", 1)
					}
					names = append(names, name)
					want := map[string]string{"b.txt": strings.Repeat("some text of b\n", 3000), "a.env": setting, "": setting + setting}
					if text, ok := want[name[strings.LastIndexByte(name, '/')+1:]]; ok && text != string(got.texts[i]) {
						t.Errorf("%s = %.100q", name, got.texts[i])
					}
				}
				if diff := cmp.Diff(want, names); diff != "" {
					t.Errorf("names (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestNamesOfPackedFilesLoseTheirSuffix(t *testing.T) {
	for file, want := range map[string]string{"twice.env.xz": "/app/twice.env", "twice.env.bz2": "/app/twice.env", "twice.env.lz4": "/app/twice.env"} {
		if got, _ := walk(t, "/app/"+file, packedBy(t, file), 64<<10); !slices.Equal(got.names, []string{" as " + want}) {
			t.Errorf("%s: %q", file, got.names)
		}
	}
}

// wrong returns a file with one byte changed, from the end where the place is
// negative.
func wrong(t testing.TB, name string, at int) []byte {
	data := packedBy(t, name)
	data[(at+len(data))%len(data)] ^= 0x55
	return data
}

func TestWhatToolsPackedAndIsDamagedIsTold(t *testing.T) {
	const early, broken = ": it is broken: it ends too early", ": it is broken"
	cut := func(name string) []byte { data := packedBy(t, name); return data[:len(data)-20] }
	for name, tc := range map[string]struct {
		file string
		data []byte
		want []string
	}{
		"xz that is cut":                {"x.xz", cut("twice.env.xz"), []string{early}},
		"a wrong checksum of xz":        {"x.xz", wrong(t, "twice.env.xz", -30), []string{broken}},
		"bzip2 that is cut":             {"x.bz2", cut("twice.env.bz2"), []string{broken}},
		"a wrong checksum of bzip2":     {"x.bz2", wrong(t, "twice.env.bz2", 12), []string{broken}},
		"data behind bzip2":             {"x.bz2", append(packedBy(t, "twice.env.bz2"), "more of it"...), []string{broken}},
		"lz4 that is cut in a block":    {"x.lz4", cut("twice.env.lz4"), []string{early}},
		"lz4 that is cut behind one":    {"x.lz4", packedBy(t, "twice.env.lz4")[:len(packedBy(t, "twice.env.lz4"))-4], []string{early}},
		"a wrong checksum of lz4":       {"x.lz4", wrong(t, "linked.tar.lz4", -1), []string{broken}},
		"data behind lz4":               {"x.lz4", append(packedBy(t, "twice.env.lz4"), "more"...), []string{broken}},
		"lz4 in its old form":           {"x.lz4", packedBy(t, "old.tar.lz4"), []string{": it is packed in a way that is not read (lz4 of old)"}},
		"the old form behind the new":   {"x.lz4", append(packedBy(t, "twice.env.lz4"), packedBy(t, "old.tar.lz4")...), []string{broken}},
		"lzma":                          {"x.tar.lzma", packedBy(t, "x.tar.lzma"), []string{": it is packed in a way that is not read (lzma)"}},
		"lzma in rpm":                   {"x.rpm", packedBy(t, "x-lzdio.rpm"), []string{": it is packed in a way that is not read"}},
		"a deb that is cut":             {"x.deb", cut("x-gzip.deb"), []string{"data.tar.gz!/etc/a.env" + early, "data.tar.gz" + early, early}},
		"a deb with a broken header":    {"x.deb", wrong(t, "x-gzip.deb", 8+59), []string{broken}},
		"an rpm that is cut":            {"x.rpm", packedBy(t, "x-gzdio.rpm")[:3000], []string{early}},
		"an rpm with a broken header":   {"x.rpm", wrong(t, "x-gzdio.rpm", 96), []string{broken}},
		"a cpio that is cut":            {"x.cpio", []byte("070701" + strings.Repeat("0", 8*11) + "00000006" + strings.Repeat("0", 8) + "a.tx"), []string{early}},
		"a cpio with a broken header":   {"x.cpio", append(cpioFile("a.txt", "some text"), "no header, though it is long enough to be one: what a header is, is told by its first six bytes, which are digits."...), []string{broken}},
		"data behind the end of a cpio": {"x.cpio", append(append(cpioFile("a.txt", "some text"), cpioFile("TRAILER!!!", "")...), "more"...), []string{": data follows the archive's end"}},
		"more memory than is given":     {"x.xz", bigXZ(t), []string{": unpacking it takes more memory than is given to that"}},
		"in something else":             {"x.tar", tarOf(t, content{"y.tar.xz", packedBy(t, "x.tar.xz")}), []string{"y.tar.xz: unpacking it takes more memory than is given to that"}},
		"a window of zstd":              {"x.zst", []byte("\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00"), []string{": unpacking it takes more memory than is given to that"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, gaps := walk(t, "/app/"+tc.file, tc.data, 64<<10)
			var got []string
			for _, g := range gaps {
				got = append(got, g.Name+": "+g.Reason)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		})
	}
}

// cpioFile is a file as cpio's newc form has it.
func cpioFile(name, text string) []byte {
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "070701%08x%08x%s%08x%s%08x%08x%s\x00", 1, 0o100644, strings.Repeat("0", 8*4), len(text), strings.Repeat("0", 8*4), len(name)+1, 0, name)
	for ; buf.Len()%4 > 0; buf.WriteByte(0) {
	}
	buf.WriteString(text)
	for ; buf.Len()%4 > 0; buf.WriteByte(0) {
	}
	return buf.Bytes()
}

// bigXZ asks for a dictionary of 4 GiB.
func bigXZ(t testing.TB) []byte {
	data := packedBy(t, "x.tar.xz")
	// The header of the first block: size, flags, filter, size of properties,
	// properties, and a sum of it.
	i := bytes.Index(data, []byte{0x21, 0x01})
	data[i+2] = 40
	end := 12 + 4*(int(data[12])+1)
	binary.LittleEndian.PutUint32(data[end-4:], crc32.ChecksumIEEE(data[12:end-4]))
	return data
}

func TestUnpackingHoldsLittleMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	walk(t, "/app/x.xz", bigXZ(t), 64<<10)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%d MiB were allocated", n>>20)
	}
}

// Many frames in a few bytes must not cost what their blocks might hold.
func TestFramesWithNothingInThemAreCheap(t *testing.T) {
	var one bytes.Buffer
	w := lz4.NewWriter(&one)
	if err := w.Apply(lz4.BlockSizeOption(lz4.Block4Mb)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, gaps := walk(t, "/app/x.lz4", bytes.Repeat(one.Bytes(), 5000), 64<<10)
	runtime.ReadMemStats(&after)
	if len(gaps) > 0 || len(got.texts) != 1 || len(got.texts[0]) != 5000 {
		t.Errorf("shown %d files, gaps = %+v", len(got.texts), gaps)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 256<<20 {
		t.Errorf("%d MiB were allocated for 5000 frames", n>>20)
	}
}

func TestSlowPackingsCountMore(t *testing.T) {
	for file, cost := range map[string]int64{"twice.env.xz": 4, "twice.env.lz4": 1} {
		budget := archive.Budget{Bytes: 1000, Files: 10}
		w := archive.NewWalker(&sizes{}, &budget)
		w.Begin("/" + file)
		w.Write(packedBy(t, file))
		if gaps := w.End(); len(gaps) > 0 || budget.Bytes != 1000-cost*int64(2*len(setting)) {
			t.Errorf("%s: %d bytes are left, gaps = %+v", file, budget.Bytes, gaps)
		}
	}
	// What they may inflate to grows in step.
	budget := archive.Budget{Rate: 10, Most: 1 << 20, Files: 10}
	w := archive.NewWalker(&sizes{}, &budget)
	data := packedBy(t, "twice.env.xz")
	w.Begin("/x.xz")
	w.Write(data)
	if gaps := w.End(); len(gaps) > 0 || budget.Most != 1<<20-10*4*int64(len(data)) {
		t.Errorf("%+v is left, gaps = %+v", budget, gaps)
	}
}
