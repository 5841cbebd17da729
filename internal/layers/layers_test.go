package layers_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

func keepAll(string, uint32, int64) bool { return true }

// blob packs files as a layer that tells the truth about itself.
func blob(t testing.TB, c imagetest.Compression, files ...imagetest.File) layers.Blob {
	t.Helper()
	raw, err := imagetest.Tar(files...)
	if err != nil {
		t.Fatal(err)
	}
	return rawBlob(t, c, raw)
}

func rawBlob(t testing.TB, c imagetest.Compression, archive []byte) layers.Blob {
	t.Helper()
	l, err := imagetest.NewLayer(archive, c)
	if err != nil {
		t.Fatal(err)
	}
	return layers.Blob{
		DiffID: l.ClaimedDiffID.String(), Digest: l.ClaimedDigest.String(), Size: l.ClaimedSize,
		Open: func(context.Context) (io.ReadCloser, error) { return l.Compressed() },
	}
}

func read(t testing.TB, sel layers.Selector, blobs ...layers.Blob) *layers.Index {
	t.Helper()
	x, err := layers.Read(t.Context(), blobs, sel, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// tree lists the squashed tree: "path", "path -> link", "path/" with content.
func tree(t testing.TB, x *layers.Index) []string {
	t.Helper()
	var out []string
	for e := range x.All() {
		line := e.Path
		switch e.Type {
		case layers.Directory:
			line = strings.TrimSuffix(line, "/") + "/"
		case layers.Symlink:
			line += " -> " + e.Link
		case layers.Regular:
			line += " = " + content(t, x, e)
		default:
			line += fmt.Sprintf(" type %d", e.Type)
		}
		out = append(out, line)
	}
	return out
}

func content(t testing.TB, x *layers.Index, e *layers.Entry) string {
	t.Helper()
	c, err := x.Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSquash(t *testing.T) {
	text, dir, symlink, hard := imagetest.Text, imagetest.Dir, imagetest.Symlink, imagetest.HardLink
	type files = []imagetest.File
	for name, tc := range map[string]struct {
		layers   []files
		want     []string
		problems []string
	}{
		"a later layer replaces a file": {
			layers: []files{{text("a", "1")}, {text("a", "2")}},
			want:   []string{"/", "/a = 2"},
		},
		"the last of two entries with one name wins": {
			layers:   []files{{text("a", "1"), text("a", "2")}},
			want:     []string{"/", "/a = 2"},
			problems: []string{"/a"},
		},
		"a whiteout deletes a file of a lower layer": {
			layers: []files{{text("d/a", "1"), text("d/b", "1")}, {text("d/.wh.a", "")}},
			want:   []string{"/", "/d/", "/d/b = 1"},
		},
		"a whiteout does not delete a file of its own layer": {
			layers: []files{{text("a", "1")}, {text("a", "2"), text(".wh.a", "")}},
			want:   []string{"/", "/a = 2"},
		},
		"a whiteout deletes a whole directory": {
			layers: []files{{text("d/e/a", "1")}, {text(".wh.d", "")}},
			want:   []string{"/"},
		},
		"a deleted file can come back": {
			layers: []files{{text("a", "1")}, {text(".wh.a", "")}, {text("a", "3")}},
			want:   []string{"/", "/a = 3"},
		},
		"an opaque directory hides what lower layers put there, wherever the marker stands": {
			layers: []files{{text("d/a", "1"), text("d/e/b", "1")}, {text("d/c", "2"), text("d/.wh..wh..opq", "")}},
			want:   []string{"/", "/d/", "/d/c = 2"},
		},
		"an opaque root hides everything below": {
			layers: []files{{text("a", "1")}, {text(".wh..wh..opq", ""), text("b", "2")}},
			want:   []string{"/", "/b = 2"},
		},
		"a file replaces a directory with all that is in it": {
			layers: []files{{text("d/a", "1")}, {text("d", "2")}},
			want:   []string{"/", "/d = 2"},
		},
		"a directory replaces a file": {
			layers: []files{{text("d", "1")}, {dir("d"), text("d/a", "2")}},
			want:   []string{"/", "/d/", "/d/a = 2"},
		},
		"a directory keeps what lower layers put there": {
			layers: []files{{text("d/a", "1")}, {dir("d"), text("d/b", "2")}},
			want:   []string{"/", "/d/", "/d/a = 1", "/d/b = 2"},
		},
		"a directory entry replaces a symbolic link": {
			layers: []files{{text("usr/lib/a", "1"), symlink("lib", "usr/lib")}, {dir("lib"), text("lib/b", "2")}},
			want:   []string{"/", "/lib/", "/lib/b = 2", "/usr/", "/usr/lib/", "/usr/lib/a = 1"},
		},
		"a file under a link to a directory ends up behind the link": {
			layers: []files{{text("usr/lib/a", "1"), symlink("lib", "usr/lib")}, {text("lib/b", "2")}},
			want:   []string{"/", "/lib -> usr/lib", "/usr/", "/usr/lib/", "/usr/lib/a = 1", "/usr/lib/b = 2"},
		},
		"a whiteout acts behind a link to a directory": {
			layers: []files{{text("usr/lib/a", "1"), symlink("lib", "usr/lib")}, {text("lib/.wh.a", "")}},
			want:   []string{"/", "/lib -> usr/lib", "/usr/", "/usr/lib/"},
		},
		"a directory stands in for a link that leads nowhere": {
			layers: []files{{symlink("lib", "missing")}, {text("lib/b", "2")}},
			want:   []string{"/", "/lib/", "/lib/b = 2"},
		},
		"a file replaces a link, not its target": {
			layers: []files{{text("a", "1"), symlink("b", "a")}, {text("b", "2")}},
			want:   []string{"/", "/a = 1", "/b = 2"},
		},
		"a hard link shares the content": {
			layers: []files{{text("a", "1"), hard("b", "a")}},
			want:   []string{"/", "/a = 1", "/b = 1"},
		},
		"a hard link keeps its content when the other name is replaced": {
			layers: []files{{text("a", "1"), hard("b", "a")}, {text("a", "2")}},
			want:   []string{"/", "/a = 2", "/b = 1"},
		},
		"a hard link may lead into a lower layer": {
			layers: []files{{text("a", "1")}, {hard("b", "/a")}},
			want:   []string{"/", "/a = 1", "/b = 1"},
		},
		"hard links to nothing, a directory and themselves are told": {
			layers:   []files{{dir("d"), hard("a", "missing"), hard("b", "d"), hard("c", "c"), hard("e", "../../etc/passwd")}},
			want:     []string{"/", "/a type 3", "/b type 3", "/c type 3", "/d/", "/e type 3"},
			problems: []string{"/a", "/b", "/c", "/e"},
		},
		"names that climb out stay inside and are told": {
			layers:   []files{{text("../../etc/passwd", "x"), text("a/../../b", "y"), text("c/../d", "z")}},
			want:     []string{"/", "/b = y", "/d = z", "/etc/", "/etc/passwd = x"},
			problems: []string{"/etc/passwd", "/b"},
		},
		"whiteouts that are not empty are told, and delete": {
			layers:   []files{{text("d/a", "1"), text("d/b", "1"), text("e/a", "1")}, {text("d/.wh.a", "TOKEN"), text("d/.wh.b", ""), text("e/.wh..wh..opq", "TOKEN"), text(".wh..wh.plnk", "TOKEN"), text("f", "2")}},
			want:     []string{"/", "/d/", "/e/", "/f = 2"},
			problems: []string{"/d/.wh.a", "/e/.wh..wh..opq", "/.wh..wh.plnk"},
		},
		"whiteouts without a name are told": {
			layers:   []files{{text("d/a", "1")}, {text("d/.wh..", ""), text("d/.wh...", ""), text("d/.wh.", "")}},
			want:     []string{"/", "/d/", "/d/a = 1"},
			problems: []string{"/d/.wh..", "/d/.wh...", "/d/.wh."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var blobs []layers.Blob
			for _, l := range tc.layers {
				blobs = append(blobs, blob(t, imagetest.Gzip, l...))
			}
			x := read(t, layers.Selector{Keep: keepAll}, blobs...)
			if diff := cmp.Diff(tc.want, tree(t, x)); diff != "" {
				t.Errorf("squashed tree (-want +got):\n%s", diff)
			}
			var problems []string
			for _, p := range x.Problems() {
				problems = append(problems, p.Path)
			}
			if diff := cmp.Diff(tc.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			again := read(t, layers.Selector{}, blobs...)
			if diff := cmp.Diff(tc.want, tree(t, again)); diff != "" {
				t.Errorf("with contents from second passes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolveFollowsLinks(t *testing.T) {
	chain := []imagetest.File{imagetest.Text("end", "x")}
	for i := range 100 {
		to := "end"
		if i > 0 {
			to = fmt.Sprintf("chain%d", i-1)
		}
		chain = append(chain, imagetest.Symlink(fmt.Sprintf("chain%d", i), to))
	}
	x := read(t, layers.Selector{}, blob(t, imagetest.Gzip, append(chain,
		imagetest.Text("usr/lib/os-release", "x"), imagetest.Symlink("lib", "usr/lib"), imagetest.Symlink("etc", "/lib/../lib"),
		imagetest.Symlink("loop1", "loop2"), imagetest.Symlink("loop2", "loop1"), imagetest.Symlink("self", "self"),
		imagetest.Symlink("out", "../../../usr/lib"), imagetest.Symlink("root", "/"), imagetest.Symlink("dot", "."),
		imagetest.Symlink("dead", "nowhere"), imagetest.Symlink("empty", ""),
	)...))
	for path, want := range map[string]string{
		"/usr/lib/os-release": "/usr/lib/os-release", "lib/os-release": "/usr/lib/os-release", "/etc/os-release": "/usr/lib/os-release",
		"/out/os-release": "/usr/lib/os-release", "/root/root/dot/lib/../lib/os-release": "/usr/lib/os-release",
		"/loop1": "", "/self/x": "", "/dead": "", "/empty": "", "/missing": "", "/usr/lib/os-release/x": "",
		"/chain39": "/end", "/chain60": "", "/": "/", "/root": "/", "../..": "/",
	} {
		got := ""
		if e := x.Resolve(path, true); e != nil {
			got = e.Path
		}
		if got != want {
			t.Errorf("Resolve(%q) = %q, want %q", path, got, want)
		}
	}
	if e := x.Resolve("/lib", false); e == nil || e.Type != layers.Symlink {
		t.Errorf("Resolve(/lib) without following the last link = %+v, want the link", e)
	}
}

func TestReadRefusesWhatDoesNotMatchItsDigest(t *testing.T) {
	good := func() layers.Blob { return blob(t, imagetest.Gzip, imagetest.Text("a", strings.Repeat("x", 5000))) }
	packed := func(b layers.Blob) []byte {
		r, err := b.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	open := func(data []byte) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	}
	wrong := "sha256:" + strings.Repeat("0", 64)
	for name, tc := range map[string]struct {
		change func(*layers.Blob)
		want   string
	}{
		"wrong digest":        {func(b *layers.Blob) { b.Digest = wrong }, "digest is sha256:"},
		"wrong diff id":       {func(b *layers.Blob) { b.DiffID = wrong }, "diff id is sha256:"},
		"size promised small": {func(b *layers.Blob) { b.Size-- }, "more than the"},
		"size promised large": {func(b *layers.Blob) { b.Size++ }, "bytes read, but the manifest promises"},
		"cut":                 {func(b *layers.Blob) { b.Open, b.Size = open(packed(*b)[:40]), -1 }, "unexpected EOF"},
		"trailing garbage":    {func(b *layers.Blob) { b.Open, b.Size = open(append(packed(*b), "garbage"...)), -1 }, "unexpected EOF"},
		"a flipped bit": {func(b *layers.Blob) {
			data := packed(*b)
			data[len(data)-9] ^= 1
			b.Open = open(data)
		}, ""},
		"not an archive": {func(b *layers.Blob) { *b = rawBlob(t, imagetest.Gzip, []byte(strings.Repeat("no archive ", 100))) }, "archive"},
		"a cut archive": {func(b *layers.Blob) {
			raw, _ := imagetest.Tar(imagetest.Text("a", strings.Repeat("x", 5000)))
			*b = rawBlob(t, imagetest.Gzip, raw[:2000])
		}, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			b := good()
			tc.change(&b)
			x, err := layers.Read(t.Context(), []layers.Blob{b}, layers.Selector{}, layers.Limits{})
			if err == nil {
				_ = x.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q does not contain %q", err, tc.want)
			}
		})
	}
}

func TestReadTakesEveryCompression(t *testing.T) {
	for _, c := range []imagetest.Compression{imagetest.Gzip, imagetest.Zstd, imagetest.None} {
		x := read(t, layers.Selector{Keep: keepAll}, blob(t, c, imagetest.Text("a", "1")))
		if diff := cmp.Diff([]string{"/", "/a = 1"}, tree(t, x)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c, diff)
		}
	}
}

func TestLimitsEndTheRead(t *testing.T) {
	big := imagetest.Text("big", strings.Repeat("\x00", 1<<20))
	for name, tc := range map[string]struct {
		limits layers.Limits
		files  []imagetest.File
		field  string
		// remains: what was read before the limit can be looked at.
		remains bool
	}{
		"image size":                   {layers.Limits{ImageSize: 1 << 19}, []imagetest.File{big}, "ImageSize", false},
		"number of files":              {layers.Limits{Files: 2}, []imagetest.File{imagetest.Text("a", ""), imagetest.Text("b", ""), imagetest.Text("c", "")}, "Files", true},
		"directories nobody mentioned": {layers.Limits{Files: 10}, []imagetest.File{imagetest.Text(strings.Repeat("d/", 20)+"a", "")}, "Files", false},
		"temporary file":               {layers.Limits{Memory: 10, Spill: 1 << 19}, []imagetest.File{big}, "Spill", true},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Gzip, append([]imagetest.File{imagetest.Text("first", "1")}, tc.files...)...)}, layers.Selector{Keep: keepAll}, tc.limits)
			var limit *layers.LimitError
			if !errors.As(err, &limit) || limit.Field != tc.field {
				t.Errorf("error = %v, want a limit error of field %s", err, tc.field)
			}
			if x != nil {
				defer func() { _ = x.Close() }()
			}
			if !tc.remains {
				return
			}
			if e := x.Resolve("/first", false); e == nil || !e.Kept() {
				t.Errorf("the file before the limit: %+v, want it with its content", e)
			}
			if e := x.Resolve("/big", false); e != nil {
				t.Errorf("the file that was cut off is there: %+v", e)
			}
		})
	}
	many := make([]layers.Blob, 501)
	var limit *layers.LimitError
	if _, err := layers.Read(t.Context(), many, layers.Selector{}, layers.Limits{}); !errors.As(err, &limit) {
		t.Errorf("501 layers: error = %v, want a limit error", err)
	}
}

func TestContentsBeyondTheMemoryBudgetAreTheSame(t *testing.T) {
	var files []imagetest.File
	for i := range 50 {
		files = append(files, imagetest.Text(fmt.Sprintf("f%02d", i), strings.Repeat(fmt.Sprint(i), 1000)))
	}
	b := blob(t, imagetest.Zstd, files...)
	want := tree(t, read(t, layers.Selector{Keep: keepAll}, b))
	x, err := layers.Read(t.Context(), []layers.Blob{b}, layers.Selector{Keep: keepAll}, layers.Limits{Memory: 5000, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	if diff := cmp.Diff(want, tree(t, x)); diff != "" {
		t.Errorf("(-in memory +spilled):\n%s", diff)
	}
	if s := x.Stats(); s.Spilled == 0 || s.KeptInMemory > 5000 || s.Rereads != 0 {
		t.Errorf("stats = %+v, want spilled bytes, at most 5000 in memory, no second pass", s)
	}
}

func TestExecutablesAreKeptForTheirSignatures(t *testing.T) {
	elf := func(rest string) []byte {
		return append([]byte("\x7fELF\x02\x01\x01"), (strings.Repeat("\x00", 100) + rest)...)
	}
	x := read(t, layers.Selector{Signatures: []layers.Signature{{Bytes: []byte("\xff Go buildinf:")}}}, blob(t, imagetest.Gzip,
		imagetest.File{Path: "plain", Body: elf("nothing")}, imagetest.File{Path: "go", Body: elf("\xff Go buildinf:")},
		imagetest.Text("text", "\xff Go buildinf:"), imagetest.File{Path: "large", Body: append(elf(strings.Repeat("x", 1<<21)), "\xff Go buildinf:"...)},
		imagetest.File{Path: "huge", Body: elf(strings.Repeat("x", 17<<20))},
		imagetest.File{Path: "huge-go", Body: append(elf(strings.Repeat("x", 17<<20)), "\xff Go buildinf:"...)},
	))
	got := map[string]bool{}
	for e := range x.All() {
		if e.Type == layers.Regular {
			got[e.Path] = e.Kept()
		}
	}
	if diff := cmp.Diff(map[string]bool{"/plain": false, "/go": true, "/text": false, "/large": true, "/huge": false, "/huge-go": true}, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if kept := x.Stats().KeptInMemory; kept > 30<<20 {
		t.Errorf("%d bytes are kept, though the huge executable without a signature was let go", kept)
	}
	if e := x.Resolve("/go", false); e.MIME == "" || x.Resolve("/text", false).MIME != "" {
		t.Error("MIME types are not set for executables alone")
	}
}

func TestDataAfterTheArchiveIsTold(t *testing.T) {
	first, err := imagetest.Tar(imagetest.Text("a", "1"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := imagetest.Tar(imagetest.Text("hidden", "2"))
	if err != nil {
		t.Fatal(err)
	}
	x := read(t, layers.Selector{}, rawBlob(t, imagetest.Gzip, append(first, second...)))
	if len(x.Problems()) != 1 || !strings.Contains(x.Problems()[0].Reason, "data follows") {
		t.Errorf("problems = %+v, want one about data after the archive", x.Problems())
	}
}

func TestReadStopsWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := layers.Read(ctx, []layers.Blob{blob(t, imagetest.Gzip, imagetest.Text("a", "1"))}, layers.Selector{}, layers.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context canceled", err)
	}
}

func TestSpecialFilesAreIndexedByType(t *testing.T) {
	x := read(t, layers.Selector{Keep: keepAll}, blob(t, imagetest.None,
		imagetest.File{Path: "fifo", Type: tar.TypeFifo}, imagetest.File{Path: "null", Type: tar.TypeChar}, imagetest.File{Path: "disk", Type: tar.TypeBlock},
		imagetest.File{Path: "su", Mode: 0o4755, Body: []byte("x"), UID: 7, GID: 8, PAX: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}}))
	if su := x.Resolve("/su", false); su.Mode != 0o4755 || su.UID != 7 || su.GID != 8 || su.Capabilities == "" {
		t.Errorf("su = %+v, want mode, owner and capabilities of the header", su)
	}
	for path, want := range map[string]layers.Type{"/fifo": layers.FIFO, "/null": layers.CharDevice, "/disk": layers.BlockDevice} {
		if got := x.Resolve(path, false); got == nil || got.Type != want {
			t.Errorf("%s = %+v, want type %d", path, got, want)
		}
		if _, err := x.Open(t.Context(), x.Resolve(path, false)); err == nil {
			t.Errorf("Open(%s) gave no error", path)
		}
	}
}
