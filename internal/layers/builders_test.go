package layers_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// archive is an archive of headers without content, in the form that a writer
// of the wild gives it.
func archive(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestWhatBuildersWriteIsNoProblem holds shapes of layers that tools make, and
// that every reader understands in the same way.
func TestWhatBuildersWriteIsNoProblem(t *testing.T) {
	dir := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755} }
	file := func(name string) tar.Header {
		if strings.HasPrefix(path.Base(name), ".wh.") {
			return tar.Header{Name: name, Typeflag: tar.TypeReg} // None of them writes anything there.
		}
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 3}
	}
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to, Mode: 0o644}
	}
	symlink := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to, Mode: 0o777}
	}
	lower := archive(t, dir("usr/"), dir("usr/bin/"), symlink("bin", "usr/bin"), file("usr/bin/perl"), dir("gone/"), file("gone/a"), file("gone/b"))
	for name, upper := range map[string][]byte{
		"names that begin with a dot and the root itself": archive(t, dir("./"), dir("./usr/"), file("./usr/x"), link("./usr/y", "./usr/x")),
		"absolute names":                                   archive(t, dir("/usr/"), file("/usr/x"), link("/usr/y", "/usr/x")),
		"dots that stay inside":                            archive(t, file("usr/bin/../x"), file("usr/./bin/x")),
		"names with dots":                                  archive(t, file("usr/..."), file("usr/..x"), file("usr/x..")),
		"parent directories again and again":               archive(t, dir("usr"), dir("usr/"), dir("./usr"), dir("usr/bin"), file("usr/bin/x"), dir("usr"), dir("usr/bin")),
		"a file given twice":                               archive(t, file("usr/x"), file("usr/x")),
		"an empty file given twice":                        archive(t, tar.Header{Name: "e", Typeflag: tar.TypeReg}, tar.Header{Name: "e", Typeflag: tar.TypeReg, Mode: 0o600}),
		"a file and the same as a hard link to itself":     archive(t, file("usr/x"), link("usr/x", "./usr/x")),
		"a hard link given twice":                          archive(t, file("a"), link("b", "a"), link("b", "./a"), link("c", "a"), file("c")),
		"hard links to lower layers given twice":           archive(t, link("p", "usr/bin/perl"), link("p", "usr/bin/perl")),
		"a link given twice":                               archive(t, symlink("l", "nowhere"), symlink("l", "nowhere")),
		"a hard link to a file of a lower layer":           archive(t, link("usr/bin/perl5.36.0", "usr/bin/perl")),
		"a hard link through a link to a directory":        archive(t, link("usr/bin/perl5.36.0", "bin/perl")),
		"a hard link to a hard link":                       archive(t, file("a"), link("b", "a"), link("c", "b")),
		"a hard link to a link":                            archive(t, symlink("l", "nowhere"), link("m", "l")),
		"a hard link to a named pipe":                      archive(t, tar.Header{Name: "p", Typeflag: tar.TypeFifo}, link("q", "p")),
		"links out of the image, which are read inside it": archive(t, symlink("a", "../../../etc/passwd"), symlink("b", "/proc/self/fd/1")),
		"whiteouts beside an opaque directory":             archive(t, dir("gone"), file("gone/.wh..wh..opq"), file("gone/.wh.a"), file("gone/c"), link("gone/d", "gone/c")),
		"whiteouts of what is not there":                   archive(t, file("usr/.wh.nothing"), file("new/.wh.nothing")),
		"a file deleted and given anew":                    archive(t, file("gone/.wh.a"), file("gone/a"), link("gone/e", "gone/a")),
		"leftovers of a storage driver":                    archive(t, dir(".wh..wh.plnk/"), file(".wh..wh.aufs"), file(".wh..wh.orph")),
		"a global header":                                  archive(t, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "0123"}}, file("x")),
		"a size given twice and the same":                  pax(record("mtime", "1.5")+record("size", "512"), slices.Concat(header(512), make([]byte, 512))),
		"blocks of zeros behind the end":                   append(archive(t, file("x")), make([]byte, 20*512)...),
	} {
		x := read(t, layers.Selector{Keep: keepAll}, rawBlob(t, imagetest.Gzip, lower), rawBlob(t, imagetest.Gzip, upper))
		if problems := x.Problems(); len(problems) > 0 {
			t.Errorf("%s: problems = %+v, want none", name, problems)
		}
	}
}

// memory is a cache that keeps what it gets.
type memory struct{ entries sync.Map }

func (m *memory) Get(key string, read func(io.Reader) error) bool {
	entry, ok := m.entries.Load(key)
	return ok && read(bytes.NewReader(entry.([]byte))) == nil
}

func (m *memory) Put(key string, write func(io.Writer) error) {
	var b bytes.Buffer
	if write(&b) == nil {
		m.entries.Store(key, b.Bytes())
	}
}

// TestAPathThatALayerHoldsTwiceAndNotTheSameIsTold also reads the layers from the
// cache, for each shape of a difference.
func TestAPathThatALayerHoldsTwiceAndNotTheSameIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		files []imagetest.File
		want  string
	}{
		"contents of one size":        {[]imagetest.File{imagetest.Text("a", "one"), imagetest.Text("b", "x"), imagetest.Text("a", "two")}, "different content"},
		"contents of different sizes": {[]imagetest.File{imagetest.Text("a", "one"), imagetest.Text("a", "three")}, "different content"},
		"the first of three":          {[]imagetest.File{imagetest.Text("a", "one"), imagetest.Text("a", "two"), imagetest.Text("a", "two")}, "3 times with different content"},
		"another spelling":            {[]imagetest.File{imagetest.Text("a", "one"), imagetest.Text("./x/../a", "two")}, "different content"},
		"a file and a link":           {[]imagetest.File{imagetest.Text("a", "one"), imagetest.Symlink("a", "b")}, "as a file and as a link"},
		"a folder and a file":         {[]imagetest.File{imagetest.Dir("a"), imagetest.Text("a/b", "x"), imagetest.Text("a", "x")}, "as a directory and as a file"},
		"two links":                   {[]imagetest.File{imagetest.Symlink("a", "b"), imagetest.Symlink("a", "c")}, "links to different paths"},
		"a hard link to another file": {[]imagetest.File{imagetest.Text("b", "two"), imagetest.Text("a", "one"), imagetest.HardLink("a", "b")}, "different content"},
		"hard links to lower layers":  {[]imagetest.File{imagetest.HardLink("a", "low1"), imagetest.HardLink("a", "low2")}, "hard links to different paths"},
	} {
		lower, err := imagetest.Tar(imagetest.Text("low1", "1"), imagetest.Text("low2", "2"))
		if err != nil {
			t.Fatal(err)
		}
		upper, err := imagetest.Tar(tc.files...)
		if err != nil {
			t.Fatal(err)
		}
		cache := &memory{}
		for _, from := range []string{"the layer", "the cache"} {
			x := read(t, layers.Selector{Keep: keepAll, Cache: cache, Version: "1"}, rawBlob(t, imagetest.Gzip, lower), rawBlob(t, imagetest.Gzip, upper))
			problems := x.Problems()
			if len(problems) != 1 || problems[0].Path != "/a" || problems[0].Layer != 1 || problems[0].Kind != layers.Repeated || !strings.Contains(problems[0].Reason, tc.want) {
				t.Errorf("%s, from %s: problems = %+v, want one of /a: %s", name, from, problems, tc.want)
			}
		}
	}
}

func TestOfAPathThatALayerHoldsTwiceTheLastIsTaken(t *testing.T) {
	two, err := imagetest.Tar(imagetest.Text("a", "one"), imagetest.Text("a", "two"))
	if err != nil {
		t.Fatal(err)
	}
	x := read(t, layers.Selector{}, rawBlob(t, imagetest.Gzip, two))
	if got := content(t, x, x.Resolve("/a", false)); got != "two" {
		t.Errorf("content = %q, want that of the last entry", got)
	}
	if got := x.Stats().Rereads; got != 2 {
		t.Errorf("%d second passes, want one to compare and one to read", got)
	}
}

func TestTwoSizesOfAnEntryAreTold(t *testing.T) {
	for name, plain := range map[string]int64{"a smaller one": 0, "a larger one": 1024} {
		smuggled := pax(record("size", "512"), slices.Concat(header(plain)[:512], header(0)[:512]))
		x := read(t, layers.Selector{}, rawBlob(t, imagetest.Gzip, smuggled))
		if problems := x.Problems(); len(problems) != 1 || problems[0].Path != "/zeros" {
			t.Errorf("%s: problems = %+v, want one of /zeros", name, problems)
		}
	}
}

func TestEntriesThatOtherReadersSeeElsewhereAreTold(t *testing.T) {
	long := func(kind byte, name string) []byte {
		h := rawHeader(func(h []byte) { h[156] = kind; copy(h[124:136], fmt.Sprintf("%011o\x00", len(name)+1)) })
		return append(h, padded([]byte(name+"\x00"))...)
	}
	entry := header(0)[:512]
	link := rawHeader(func(h []byte) { h[156] = '2'; copy(h[157:257], "a\x00") })
	for name, tt := range map[string]struct {
		archive []byte
		path    string
	}{
		"a name in an extended header and another of GNU's":   {pax(record("path", "etc/one"), slices.Concat(long('L', "etc/two"), entry)), "/etc/two"},
		"a name of GNU's and another in an extended header":   {slices.Concat(long('L', "etc/two"), pax(record("path", "etc/one"), entry)), "/etc/two"},
		"two targets of a link":                               {pax(record("linkpath", "one"), slices.Concat(long('K', "two"), link)), "/zeros"},
		"a name for all entries":                              {global(record("path", "etc/one"), entry), "/"},
		"a size for all entries":                              {global(record("size", "512"), entry), "/"},
		"another folder in an overlay file system":            {pax(record("SCHILY.xattr.trusted.overlay.redirect", "/hidden"), entry), "/zeros"},
		"another file in an overlay file system without root": {pax(record("SCHILY.xattr.user.overlay.metacopy", ""), entry), "/zeros"},
		"the same name twice":                                 {pax(record("path", "etc/one"), slices.Concat(long('L', "etc/one"), entry)), ""},
		"a long name":                                         {slices.Concat(long('L', strings.Repeat("n", 300)), entry), ""},
		"an extended name":                                    {pax(record("path", strings.Repeat("n", 300)), entry), ""},
		"a remark for all entries":                            {global(record("comment", "0123456789abcdef"), entry), ""},
		"other attributes":                                    {pax(record("SCHILY.xattr.user.overlay.origin", "x")+record("SCHILY.xattr.trusted.overlay.opaque", "y"), entry), ""},
	} {
		x := read(t, layers.Selector{}, rawBlob(t, imagetest.Gzip, tt.archive))
		var told []string
		for _, p := range x.Problems() {
			told = append(told, p.Path)
		}
		if got := strings.Join(told, " "); got != tt.path {
			t.Errorf("%s: told of %q, want %q", name, got, tt.path)
		}
	}
}

// global is an extended header for all entries behind it.
func global(records string, archive []byte) []byte {
	out := pax(records, archive)
	h := rawHeader(func(h []byte) { h[156] = 'g'; copy(h[124:136], fmt.Sprintf("%011o\x00", len(records))) })
	copy(out, h)
	return out
}

// padded fills data up to a whole number of blocks.
func padded(data []byte) []byte { return append(data, make([]byte, (512-len(data)%512)%512)...) }
