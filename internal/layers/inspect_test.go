package layers_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	packed "github.com/portcullis-ci/portcullis/internal/archive"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// witness records what it is told of the files whose path it wants.
type witness struct {
	name  string
	wants func(path string) bool
}

func (w witness) Name() string { return w.name }
func (w witness) Begin(layer int) layers.Inspection {
	return &testimony{witness: w, layer: layer, Files: map[string]string{}}
}

type testimony struct {
	witness
	layer int
	at    string
	seen  []byte
	head  []byte

	Files   map[string]string
	Refused []string
}

func (t *testimony) File(e *layers.Entry, head []byte) bool {
	if len(t.at) > 0 {
		panic("a file begins before the last one has ended")
	}
	if e.Type != layers.Regular || len(head) != int(min(e.Size, 3072)) {
		panic(fmt.Sprintf("%s: type %d, %d bytes of head of %d", e.Path, e.Type, len(head), e.Size))
	}
	if !t.wants(e.Path) {
		t.Refused = append(t.Refused, e.Path)
		return false
	}
	t.at, t.seen, t.head = e.Path, t.seen[:0], slices.Clone(head)
	return true
}

func (t *testimony) Chunk(data []byte) { t.seen = append(t.seen, data...) }

func (t *testimony) EndFile() {
	if string(t.head) != string(t.seen[:len(t.head)]) {
		panic(t.at + ": the head is not the begin of the content")
	}
	t.Files[t.at] = fmt.Sprintf("%x", sha256.Sum256(t.seen))
	t.at = ""
}

func (t *testimony) Result() ([]byte, error) { return json.Marshal(t) }

func sums(t *testing.T, raw []byte) (files []string, refused []string) {
	t.Helper()
	var got testimony
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("result %q: %v", raw, err)
	}
	for _, p := range slices.Sorted(maps.Keys(got.Files)) {
		files = append(files, p+" "+got.Files[p])
	}
	return files, got.Refused
}

func TestInspectorsSeeEveryWantedFileWhole(t *testing.T) {
	long := strings.Repeat("0123456789abcde\n", 70_000)
	bodies := map[string]string{
		"/empty": "", "/tiny": "x", "/kept/short": "short", "/kept/long": "k" + long, "/long": "l" + long, "/head": long[:3072],
		"/elf": "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 200) + long, "/signed": "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 200) + long + "SIGN",
		"/huge": "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 17<<20),
	}
	var files []imagetest.File
	for _, p := range slices.Sorted(maps.Keys(bodies)) {
		files = append(files, imagetest.Text(p, bodies[p]))
	}
	files = append(files, imagetest.HardLink("/link", "/tiny"), imagetest.Symlink("/sym", "/tiny"), imagetest.Dir("/kept"))
	for name, limits := range map[string]layers.Limits{"in memory": {}, "spilled": {Memory: 100, TempDir: t.TempDir()}} {
		t.Run(name, func(t *testing.T) {
			all := witness{"all/1", func(string) bool { return true }}
			some := witness{"some/1", func(p string) bool { return strings.HasPrefix(p, "/kept") || p == "/signed" }}
			none := witness{"none/1", func(string) bool { return false }}
			x, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Zstd, files...)}, layers.Selector{
				Keep:       func(p string, _ uint32, _ int64) bool { return strings.HasPrefix(p, "/kept") },
				Signatures: []layers.Signature{{Bytes: []byte("SIGN")}}, Inspectors: []layers.Inspector{all, some, none},
			}, limits)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = x.Close() }()
			if n := x.Stats().Rereads; n != 0 {
				t.Errorf("%d second passes", n)
			}
			for _, w := range []witness{all, some, none} {
				var want, refused []string
				for _, p := range slices.Sorted(maps.Keys(bodies)) {
					if w.wants(p) {
						want = append(want, fmt.Sprintf("%s %x", p, sha256.Sum256([]byte(bodies[p]))))
					} else {
						refused = append(refused, p)
					}
				}
				got, asked := sums(t, x.Inspected(w.name, 0))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: files (-want +got):\n%s", w.name, diff)
				}
				if diff := cmp.Diff(refused, asked); diff != "" {
					t.Errorf("%s: refused (-want +got):\n%s", w.name, diff)
				}
			}
			for e := range x.All() {
				if want, ok := bodies[e.Path]; ok && content(t, x, e) != want {
					t.Errorf("%s: the content that is kept or read again is another one", e.Path)
				}
			}
		})
	}
}

func TestInspectorsSeeWhatWhiteoutsHold(t *testing.T) {
	text := imagetest.Text
	all := witness{"all/1", func(string) bool { return true }}
	x := read(t, layers.Selector{Keep: keepAll, Inspectors: []layers.Inspector{all}}, blob(t, imagetest.Gzip,
		text("d/.wh.a", "the content"), text("d/.wh.b", ""), text("e/.wh..wh..opq", "more of it"), imagetest.Dir("d/.wh.c"), text("f", "x")))
	var want []string
	for _, f := range [][2]string{{"/d/.wh.a", "the content"}, {"/e/.wh..wh..opq", "more of it"}, {"/f", "x"}} {
		want = append(want, fmt.Sprintf("%s %x", f[0], sha256.Sum256([]byte(f[1]))))
	}
	if got, _ := sums(t, x.Inspected(all.name, 0)); !slices.Equal(got, want) {
		t.Errorf("seen = %v, want %v", got, want)
	}
}

func TestInspectionsKnowWhatLaterLayersHide(t *testing.T) {
	text, dir, symlink := imagetest.Text, imagetest.Dir, imagetest.Symlink
	x := read(t, layers.Selector{Inspectors: []layers.Inspector{witness{"w", func(string) bool { return true }}}},
		blob(t, imagetest.Gzip, text("a", "1"), text("b", "1"), text("c", "1"), text("d/e", "1"), text("o/f", "1"), text("usr/lib/g", "1"), symlink("lib", "usr/lib")),
		blob(t, imagetest.Gzip, text("lib/h", "2"), text("lib/i", "2"), text("b", "2")),
		blob(t, imagetest.Gzip, text(".wh.a", ""), text("d", "3"), dir("o"), text("o/.wh..wh..opq", ""), text("usr/lib/.wh.i", "")),
		blob(t, imagetest.Gzip, text("a", "4"), text(".wh.lib", "")),
	)
	snapshot := x.Inspections()
	for _, tc := range []struct {
		layer int
		path  string
		want  bool
	}{
		{0, "/a", false},
		{3, "/a", true},
		{0, "/b", false},
		{1, "/b", true},
		{0, "/c", true},
		{0, "/d/e", false},
		{0, "/o/f", false},
		{0, "/usr/lib/g", true},
		{1, "/lib/h", true},
		{1, "/usr/lib/h", true},
		{1, "/lib/i", false},
		{-1, "/c", false},
		{4, "/c", false},
	} {
		if got := x.Visible(tc.layer, tc.path); got != tc.want {
			t.Errorf("Visible(%d, %s) = %t, want %t", tc.layer, tc.path, got, tc.want)
		}
		if got := snapshot.Visible(tc.layer, tc.path); got != tc.want {
			t.Errorf("snapshot: Visible(%d, %s) = %t, want %t", tc.layer, tc.path, got, tc.want)
		}
	}
	if x.Visible(0, "/nowhere") || x.Visible(1, "/c") {
		t.Error("what a layer does not hold is called visible")
	}
	for layer := range 4 {
		if got, want := string(snapshot.Result("w", layer)), string(x.Inspected("w", layer)); got == "" || got != want {
			t.Errorf("layer %d: the snapshot's result is %q, the index's %q", layer, got, want)
		}
	}
	if snapshot.Result("other", 0) != nil || snapshot.Result("w", 4) != nil || x.Inspected("other", 0) != nil || x.Inspected("w", -1) != nil {
		t.Error("there are results of inspectors and layers that do not exist")
	}
}

type failing struct{ witness }

func (f failing) Begin(layer int) layers.Inspection {
	return failingInspection{f.witness.Begin(layer)}
}

type failingInspection struct{ layers.Inspection }

func (failingInspection) Result() ([]byte, error) { return nil, fmt.Errorf("no result") }

func TestFaultsOfInspectorsEndTheRead(t *testing.T) {
	panics := witness{"panics", func(string) bool { panic("cannot cope") }}
	for want, inspector := range map[string]layers.Inspector{
		"): /a: examine its content: the parser gave up: cannot cope (inspect_test.go:": panics, "inspect for fails: no result": failing{witness{"fails", func(string) bool { return true }}},
	} {
		_, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Gzip, imagetest.Text("a", "1"))}, layers.Selector{Inspectors: []layers.Inspector{inspector}}, layers.Limits{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "goroutine") {
			t.Errorf("error %v does not contain %q", err, want)
		}
	}
}

// opener looks into archives and wants no file besides.
type opener struct {
	witness
	Names, Gaps []string
	Endings     int
	open        bool
}

func (o *opener) Begin(int) layers.Inspection     { return o }
func (o *opener) File(*layers.Entry, []byte) bool { return false }
func (o *opener) Chunk([]byte)                    { panic("a part of a file that nobody wants") }

func (o *opener) EndFile()                { panic("the end of a file that nobody wants") }
func (o *opener) Result() ([]byte, error) { return json.Marshal(o) }
func (o *opener) Members() packed.Visitor { return (*opened)(o) }
func (o *opener) Unread(path string, gaps []packed.Gap) {
	o.Gaps = append(o.Gaps, fmt.Sprint(path, gaps))
}

type opened opener

func (o *opened) File(m packed.Member, _ []byte) { o.Names, o.open = append(o.Names, m.Plain), true }
func (o *opened) Write([]byte)                   {}
func (o *opened) EndFile()                       { o.open = false }
func (o *opened) Within() packed.Visitor         { return o }
func (o *opened) Endless()                       { o.Endings++ }

func TestOneWalkShowsTheFilesInArchivesToAll(t *testing.T) {
	inner, err := imagetest.Zip(imagetest.Text("x", "text of x"), imagetest.Text("y", "text of y"))
	if err != nil {
		t.Fatal(err)
	}
	outer := string(imagetest.GzipOf(inner))
	files := []imagetest.File{
		imagetest.Text("/kept.zip.gz", outer), imagetest.Text("/plain", "PK but no archive"), imagetest.Text("/cut.zip.gz", outer[:len(outer)-30]), imagetest.Text("/z.zip.gz", outer),
	}
	one, two := &opener{witness: witness{name: "one/1"}}, &opener{witness: witness{name: "two/1"}}
	x, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Gzip, files...)}, layers.Selector{
		Keep:       func(p string, _ uint32, _ int64) bool { return strings.HasPrefix(p, "/kept") },
		Inspectors: []layers.Inspector{one, witness{"all/1", func(string) bool { return true }}, two},
	}, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	for _, o := range []*opener{one, two} {
		want := []string{"/kept.zip.gz!/x", "/kept.zip.gz!/y", "/cut.zip.gz!/x", "/cut.zip.gz!/y", "/z.zip.gz!/x", "/z.zip.gz!/y"}
		if diff := cmp.Diff(want, o.Names); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", o.name, diff)
		}
		if len(o.Gaps) != 1 || !strings.HasPrefix(o.Gaps[0], "/cut.zip.gz") || o.open {
			t.Errorf("%s: gaps %q, open %v", o.name, o.Gaps, o.open)
		}
	}
}

func TestFetchedPackagesAreToldOfAndNotUnpacked(t *testing.T) {
	member := fmt.Sprintf("%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", "a.zip", 0, 0, 0, 0o644, 1, "x\n")
	deb := "!<arch>\n" + fmt.Sprintf("%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", "debian-binary", 0, 0, 0, 0o644, 4, "2.0\n") + member
	o := &opener{witness: witness{name: "one/1"}}
	x, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Gzip,
		imagetest.Text("/var/cache/apt/archives/a.deb", deb), imagetest.Text("/opt/a.deb", deb), imagetest.Text("/var/cache/apt/archives/a.gz", string(imagetest.GzipOf([]byte("x")))),
	)}, layers.Selector{Inspectors: []layers.Inspector{o}}, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	if len(o.Gaps) != 1 || !strings.HasPrefix(o.Gaps[0], "/var/cache/apt/archives/a.deb") || !strings.Contains(o.Gaps[0], "cache of a package manager") {
		t.Errorf("gaps %q", o.Gaps)
	}
	if names := strings.Join(o.Names, " "); !strings.Contains(names, "/opt/a.deb!/") || !strings.Contains(names, "/var/cache/apt/archives/a") || strings.Contains(names, "archives/a.deb") {
		t.Errorf("shown: %s", names)
	}
}

func TestALayerThatEndsInAnArchiveEndsTheWalk(t *testing.T) {
	raw, err := imagetest.Tar(imagetest.File{Path: "/x.gz", Body: imagetest.GzipOf([]byte(strings.Repeat("0123456789", 100_000)))})
	if err != nil {
		t.Fatal(err)
	}
	o := &opener{witness: witness{name: "one/1"}}
	x, err := layers.Read(t.Context(), []layers.Blob{rawBlob(t, imagetest.None, raw[:1536])}, layers.Selector{Inspectors: []layers.Inspector{o}}, layers.Limits{})
	if err == nil {
		t.Error("no error")
	}
	if x != nil {
		_ = x.Close()
	}
	if o.open {
		t.Error("a file in the archive did not end")
	}
}
