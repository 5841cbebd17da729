package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/portcullis-ci/portcullis/internal/archive"
)

// collector notes what it is shown.
type collector struct {
	*shownFiles
	open bool
	// at is the file that is open.
	at int
}

// shownFiles are what a collector and those within it were shown.
type shownFiles struct {
	names   []string
	texts   [][]byte
	heads   int
	endless int
}

func (c *collector) File(m archive.Member, head []byte) {
	if c.open {
		panic("a file begins before the one before it ended")
	}
	c.open, c.at = true, len(c.texts)
	c.names, c.texts, c.heads = append(c.names, m.Name+" as "+m.Plain), append(c.texts, nil), len(head)
}

func (c *collector) Write(data []byte) {
	c.texts[c.at] = append(c.texts[c.at], data...)
}

func (c *collector) EndFile() { c.open = false }

func (c *collector) Within() archive.Visitor {
	if !c.open {
		panic("files within a file that is not open")
	}
	return &collector{shownFiles: c.shownFiles}
}

func (c *collector) Endless() { c.endless++ }

// walk gives a file to a walker in pieces.
func walk(t testing.TB, name string, data []byte, piece int) (*collector, []archive.Gap) {
	t.Helper()
	if !archive.Packed(data[:min(len(data), 3072)], name) {
		t.Fatalf("%s is taken for a plain file", name)
	}
	c, budget := &collector{shownFiles: &shownFiles{}}, archive.LayerBudget()
	w := archive.NewWalker(c, &budget)
	w.Begin(name)
	for at := 0; at < len(data); at += piece {
		w.Write(data[at:min(at+piece, len(data))])
	}
	gaps := w.End()
	if c.open {
		t.Error("a file did not end")
	}
	return c, gaps
}

type content struct {
	name string
	data []byte
}

func text(name, body string) content { return content{name, []byte(body)} }

// zipOf writes a zip archive as Go does: sizes behind the data.
func zipOf(t testing.TB, files ...content) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// storedZip writes a zip archive whose files are not packed, with their sizes in
// front.
func storedZip(t testing.TB, flags uint16, method uint16, files ...content) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := z.CreateRaw(&zip.FileHeader{Name: f.name, Method: method, Flags: flags, CRC32: crc32.ChecksumIEEE(f.data), CompressedSize64: uint64(len(f.data)), UncompressedSize64: uint64(len(f.data))})
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// storedBehind writes one as Go does of files that are not packed: sizes behind.
func storedBehind(t testing.TB, files ...content) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err == nil && len(f.data) > 0 {
			_, err = w.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func tarOf(t testing.TB, files ...content) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: tar.TypeReg, Size: int64(len(f.data)), Mode: 0o644})
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zst(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func TestFilesInArchivesAreShown(t *testing.T) {
	a, b := text("etc/a.env", "A=1 and some text\n"), text("b.txt", strings.Repeat("some text of b\n", 3000))
	inner := zipOf(t, a, b)
	for name, tc := range map[string]struct {
		file  string
		data  []byte
		names []string
		texts []string
	}{
		"a zip archive":                    {"/app/x.zip", zipOf(t, a, b), []string{"etc/a.env as /app/x.zip!/etc/a.env", "b.txt as /app/x.zip!/b.txt"}, []string{string(a.data), string(b.data)}},
		"with sizes in front":              {"/app/x.zip", storedZip(t, 0, zip.Store, a, b), []string{"etc/a.env as /app/x.zip!/etc/a.env", "b.txt as /app/x.zip!/b.txt"}, []string{string(a.data), string(b.data)}},
		"with sizes behind":                {"/app/x.zip", storedBehind(t, a, content{"d/", nil}, content{"y.zip", inner}, b), []string{"etc/a.env as /app/x.zip!/etc/a.env", "y.zip!/etc/a.env as /app/x.zip!/y.zip!/etc/a.env", "y.zip!/b.txt as /app/x.zip!/y.zip!/b.txt", "b.txt as /app/x.zip!/b.txt"}, []string{string(a.data), string(a.data), string(b.data), string(b.data)}},
		"a zip archive with no name of it": {"/app/data", zipOf(t, a), []string{"etc/a.env as /app/data!/etc/a.env"}, []string{string(a.data)}},
		"a tar archive":                    {"/app/x.tar", tarOf(t, a, b), []string{"etc/a.env as /app/x.tar!/etc/a.env", "b.txt as /app/x.tar!/b.txt"}, []string{string(a.data), string(b.data)}},
		"a packed tar archive":             {"/app/x.tgz", gz(t, tarOf(t, a)), []string{"etc/a.env as /app/x.tgz!/etc/a.env"}, []string{string(a.data)}},
		"one of zstd":                      {"/app/x.tar.zst", zst(t, tarOf(t, a)), []string{"etc/a.env as /app/x.tar.zst!/etc/a.env"}, []string{string(a.data)}},
		"a packed file":                    {"/app/dump.SQL.gz", gz(t, b.data), []string{" as /app/dump.SQL"}, []string{string(b.data)}},
		"two packed parts of a file":       {"/app/log.gz", append(gz(t, a.data), gz(t, a.data)...), []string{" as /app/log"}, []string{string(a.data) + string(a.data)}},
		"an archive in a stored one":       {"/app/x.jar", storedZip(t, 0, zip.Store, content{"BOOT-INF/lib/y.jar", inner}), []string{"BOOT-INF/lib/y.jar!/etc/a.env as /app/x.jar!/BOOT-INF/lib/y.jar!/etc/a.env", "BOOT-INF/lib/y.jar!/b.txt as /app/x.jar!/BOOT-INF/lib/y.jar!/b.txt"}, []string{string(a.data), string(b.data)}},
		"a packed tar in a packed zip":     {"/x.zip", zipOf(t, content{"y.tar.gz", gz(t, tarOf(t, a))}, b), []string{"y.tar.gz!/etc/a.env as /x.zip!/y.tar.gz!/etc/a.env", "b.txt as /x.zip!/b.txt"}, []string{string(a.data), string(b.data)}},
		"a packed file in a tar":           {"/x.tar", tarOf(t, content{"y.env.gz", gz(t, a.data)}), []string{"y.env.gz as /x.tar!/y.env"}, []string{string(a.data)}},
		"a program in front of a jar":      {"/app/x.jar", append([]byte("#!/bin/sh\nexec java -jar \"$0\"\n"+strings.Repeat("# more\n", 1000)), zipOf(t, a)...), []string{"etc/a.env as /app/x.jar!/etc/a.env"}, []string{string(a.data)}},
		"a program in front of Python":     {"/usr/local/bin/tool", append([]byte("#!/usr/bin/env python3\n"), zipOf(t, a)...), []string{"etc/a.env as /usr/local/bin/tool!/etc/a.env"}, []string{string(a.data)}},
		"names that climb out":             {"/app/x.zip", zipOf(t, content{"../../etc/a.env", a.data}), []string{"etc/a.env as /app/x.zip!/etc/a.env"}, []string{string(a.data)}},
		"an empty archive":                 {"/app/x.zip", zipOf(t), nil, nil},
	} {
		for _, piece := range []int{1 << 20, 4096, 7} {
			t.Run(fmt.Sprint(name, " in pieces of ", piece), func(t *testing.T) {
				got, gaps := walk(t, tc.file, tc.data, piece)
				if diff := cmp.Diff(tc.names, got.names); diff != "" {
					t.Errorf("names (-want +got):\n%s", diff)
				}
				for i, want := range tc.texts {
					if i < len(got.texts) && want != string(got.texts[i]) {
						t.Errorf("text = %.200q, want %.200q", got.texts[i], want)
					}
				}
				if len(gaps) > 0 {
					t.Errorf("gaps = %+v", gaps)
				}
			})
		}
	}
}

func TestWhatIsNotReadIsTold(t *testing.T) {
	a, b := text("a.env", "A=1 and some text\n"), text("b.env", "B=1 and some text\n")
	noise := make([]byte, 100<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	nest := zipOf(t, a)
	for range 10 {
		nest = zipOf(t, content{"x.zip", nest})
	}
	broken := zipOf(t, content{"c.bin", noise}, b)
	broken[35] = 0xff
	cut := zipOf(t, a, b)
	missing := zipOf(t, a, b) // The header of the first file is no header any more.
	missing[2] = 0
	zeros := make([]byte, 32<<20)
	for name, tc := range map[string]struct {
		file string
		data []byte
		want []string
		seen int
	}{
		"an encrypted file":           {"/x.zip", storedZip(t, 1, zip.Deflate, a, b), []string{"a.env: it is encrypted", "b.env: it is encrypted"}, 0},
		"a method that is not read":   {"/x.zip", storedZip(t, 0, 14, a), []string{"a.env: it is packed in a way that is not read (method 14 of zip)"}, 0},
		"a broken file":               {"/x.zip", broken, []string{"c.bin: it is broken"}, 1},
		"a wrong checksum in front":   {"/x.zip", bytes.Replace(storedZip(t, 0, zip.Store, a, b), []byte("A=1"), []byte("A=2"), 1), []string{"a.env: it is damaged: its checksum is wrong"}, 2},
		"one behind the data":         {"/x.zip", wrongSum(zipOf(t, a, b)), []string{"a.env: it is damaged: its checksum is wrong"}, 2},
		"of an archive in it":         {"/x.zip", bytes.Replace(storedZip(t, 0, zip.Store, content{"y.tar", tarOf(t, a)}), []byte("A=1"), []byte("A=2"), 1), []string{"y.tar: it is damaged: its checksum is wrong"}, 1},
		"another size in the list":    {"/x.zip", hidden(t), []string{": it is broken: some of the files in its list are not there, or not as it says"}, 1},
		"a size behind that is none":  {"/x.zip", bytes.Replace(storedZip(t, 8, zip.Store, a), []byte("PK\x07\x08"), []byte("PK\x07\x09"), 1), []string{"a.env: it is broken: it ends too early", ": it is broken: it ends too early"}, 1},
		"a zip that is cut":           {"/x.zip", cut[:len(cut)-30], []string{": it is broken: it ends too early"}, 2},
		"a zip without a list":        {"/x.zip", cut[:60], []string{": it is broken: it ends too early"}, 1},
		"a file that is only listed":  {"/x.zip", append([]byte("PK\x07\x08PK\x00\x00"), missing[4:]...), []string{": it is broken: some of the files in its list are not there, or not as it says"}, 1},
		"a packed file that is cut":   {"/x.gz", gz(t, noise)[:50<<10], []string{": it is broken: it ends too early"}, 1},
		"a tar that is cut":           {"/x.tar", tarOf(t, content{"n", noise}, a)[:50<<10], []string{"n: it is broken: it ends too early", ": it is broken: it ends too early"}, 1},
		"data behind a tar":           {"/x.tar", append(tarOf(t, a), tarOf(t, b)...), []string{": data follows the archive's end"}, 1},
		"a form that is not read":     {"/x.7z", []byte("7z\xbc\xaf\x27\x1c and more of it"), []string{": it is packed in a way that is not read (7z)"}, 0},
		"such a form in an archive":   {"/x.zip", zipOf(t, text("y.7z", "7z\xbc\xaf\x27\x1c and more of it"), a), []string{"y.7z: it is packed in a way that is not read (7z)"}, 1},
		"a nest of archives":          {"/x.zip", nest, []string{"x.zip!/x.zip!/x.zip!/x.zip!/x.zip!/x.zip: more than 6 archives lie in one another"}, 0},
		"a bomb":                      {"/x.gz", gz(t, zeros), []string{": it inflates to more than 200 times its size"}, 1},
		"a bomb in an archive":        {"/x.zip", zipOf(t, content{"y.gz", gz(t, zeros)}, a), []string{"y.gz: it inflates to more than 200 times its size"}, 1},
		"a bomb of zstd":              {"/x.zst", zst(t, zeros), []string{": it inflates to more than 200 times its size"}, 1},
		"an archive with much of it":  {"/x.zip", storedZip(t, 0, zip.Store, slices.Repeat([]content{{"f", nil}}, 200_001)...), []string{": it holds more than 200000 files"}, 0},
		"many gaps":                   {"/x.zip", storedZip(t, 1, zip.Deflate, slices.Repeat([]content{a}, 40)...), append(slices.Repeat([]string{"a.env: it is encrypted"}, 16), ": more of it was not searched than is listed"), 0},
		"a file that claims too much": {"/x.zip", storedZip(t, 0, zip.Store, a)[:40], []string{": it is broken: it ends too early"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, gaps := walk(t, tc.file, tc.data, 64<<10)
			var texts []string
			for _, g := range gaps {
				texts = append(texts, g.Name+": "+g.Reason)
			}
			if diff := cmp.Diff(tc.want, texts); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if len(got.names) != tc.seen {
				t.Errorf("shown = %v, want %d", got.names, tc.seen)
			}
		})
	}
}

// hidden has a file in which a reader that goes by the list gets more than one
// that goes by the sizes in front.
func hidden(t testing.TB) []byte {
	const harmless, rest = "A=1 and some text\n", "B=2 and what is hidden\n"
	data := storedZip(t, 0, zip.Store, text("a.env", harmless+rest))
	binary.LittleEndian.PutUint32(data[14:], crc32.ChecksumIEEE([]byte(harmless)))
	binary.LittleEndian.PutUint32(data[18:], uint32(len(harmless)))
	binary.LittleEndian.PutUint32(data[22:], uint32(len(harmless)))
	return data
}

// wrongSum breaks the checksum behind the first file of an archive.
func wrongSum(zipped []byte) []byte {
	zipped[bytes.Index(zipped, []byte("PK\x07\x08"))+4] ^= 1
	return zipped
}

// Sparse files have holes that come from nowhere: 64 GiB in some bytes.
func TestHolesOfSparseFilesAreBounded(t *testing.T) {
	block := make([]byte, 512)
	copy(block, "x")
	octal := func(at, size int, n int64) { copy(block[at:], fmt.Sprintf("%0*o\x00", size-1, n)) }
	octal(100, 8, 0o644)
	octal(108, 8, 0)
	octal(116, 8, 0)
	octal(124, 12, 1)
	octal(136, 12, 0)
	block[156] = 'S'
	copy(block[257:], "ustar  \x00")
	octal(386, 12, 8<<30-1)
	octal(398, 12, 1)
	octal(483, 12, 8<<30)
	sum := int64(8 * ' ')
	for i, c := range block {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	data := append(block, make([]byte, 1536)...)
	data[512] = 'y'
	c := &sizes{}
	budget := archive.LayerBudget()
	w := archive.NewWalker(c, &budget)
	w.Begin("/x.tar")
	w.Write(data)
	gaps := w.End()
	if want := []archive.Gap{{Name: "x", Reason: "it inflates to more than 200 times its size"}}; !slices.Equal(gaps, want) {
		t.Errorf("gaps = %+v, want %+v", gaps, want)
	}
	if c.n > 17<<20 {
		t.Errorf("%d bytes were read", c.n)
	}
}

type sizes struct{ n int }

func (*sizes) File(archive.Member, []byte) {}
func (s *sizes) Write(p []byte)            { s.n += len(p) }
func (*sizes) EndFile()                    {}
func (s *sizes) Within() archive.Visitor   { return s }
func (*sizes) Endless()                    {}

func TestAWalkThatIsGivenUpEnds(t *testing.T) {
	c, budget := &collector{shownFiles: &shownFiles{}}, archive.LayerBudget()
	w := archive.NewWalker(c, &budget)
	data := zipOf(t, text("a", strings.Repeat("text\n", 100)), text("b", strings.Repeat("text\n", 100)))
	for range 3 {
		w.Begin("/x.zip")
		w.Write(data[:100])
		w.Stop()
		w.Stop()
	}
	w.Begin("/x.zip")
	w.Write(data)
	if gaps := w.End(); len(gaps) > 0 || c.open {
		t.Errorf("gaps = %+v, open %v", gaps, c.open)
	}
}

func TestWhatALayerMaySpendIsShared(t *testing.T) {
	budget := archive.Budget{Bytes: 10_000, Files: 3}
	w := archive.NewWalker(&sizes{}, &budget)
	for n, want := range []string{"", "", "the archives of its layer inflate to more than is read of one layer"} {
		w.Begin("/x.gz")
		w.Write(gz(t, make([]byte, 4000)))
		gaps := w.End()
		if want == "" && len(gaps) > 0 || want != "" && (len(gaps) != 1 || gaps[0].Reason != want) {
			t.Errorf("file %d: gaps = %+v, want %q", n, gaps, want)
		}
	}
}

func TestPlainFilesAreNoArchives(t *testing.T) {
	for name, head := range map[string]string{
		"a text": "A=1\n", "a script": "#!/bin/sh\necho PK\n", "zeros": string(make([]byte, 600)), "the name alone": "no archive at all", "a word": "BZhang wrote this",
		"numbers": strings.Repeat("0000000 ", 100),
	} {
		if archive.Packed([]byte(head), "/app/x.zip") {
			t.Errorf("%s is taken for an archive", name)
		}
	}
}

func TestArchivesBringWhatTheyMayInflateTo(t *testing.T) {
	budget := archive.Budget{Rate: 10, Most: 1000, Files: 3}
	w := archive.NewWalker(&sizes{}, &budget)
	data := gz(t, []byte("a text that does not repeat itself"))
	for range 3 {
		w.Begin("/x.gz")
		w.Write(data)
		if gaps := w.End(); len(gaps) > 0 {
			t.Errorf("gaps = %+v", gaps)
		}
	}
	if budget.Most != 0 || budget.Bytes != 1000-3*34 {
		t.Errorf("what is left is %+v", budget)
	}
}

// FuzzWalk feeds the walker with broken archives: it ends, shows files one after
// the other, and reads no more than its budget.
func FuzzWalk(f *testing.F) {
	a := text("a.env", "A=1 and some text\n")
	for _, data := range [][]byte{
		zipOf(f, a, a), tarOf(f, a), gz(f, tarOf(f, a)), zst(f, a.data), packedBy(f, "x.tar.xz"), packedBy(f, "twice.env.bz2"), packedBy(f, "linked.tar.lz4"), packedBy(f, "x-xz.deb"), packedBy(f, "x-zstdio.rpm"),
		cpioFile("a.txt", "some text"), storedZip(f, 0, zip.Store, content{"y.zip", zipOf(f, a)}), storedZip(f, 1, zip.Deflate, a),
	} {
		f.Add(data, uint8(100))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		budget := archive.Budget{Bytes: 4 << 20, Files: 1000}
		c := &collector{shownFiles: &shownFiles{}}
		w := archive.NewWalker(c, &budget)
		w.Begin("/x.zip")
		r := bytes.NewReader(data)
		buf := make([]byte, int(piece)+1)
		for {
			n, err := r.Read(buf)
			w.Write(buf[:n])
			if err == io.EOF {
				break
			}
		}
		w.End()
		if c.open {
			t.Error("a file did not end")
		}
		if budget.Bytes < -1<<20 {
			t.Errorf("%d bytes more than the budget", -budget.Bytes)
		}
	})
}
